/*
 * ir.c - the list of operations that a function is translated into.
 */
#include "vm/ir.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Doubles an array; false (and `failed`) when there is no memory. */
static bool
grow(struct gvm__ir_list *list, void **items, uint32_t *capacity,
     size_t item_bytes)
{
    uint32_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *grown = realloc(*items, wanted * item_bytes);

    if (grown == NULL) {
        list->failed = true;
        return false;
    }
    *items = grown;
    *capacity = wanted;
    return true;
}

void
gvm__ir_reserve(struct gvm__ir_list *list, uint32_t count)
{
    struct gvm__ir *irs = NULL;

    if (list->capacity == 0)
        irs = malloc(count * sizeof *irs);
    if (irs != NULL) {
        list->irs = irs;
        list->capacity = count;
    }
}

struct gvm__ir *
gvm__ir_append(struct gvm__ir_list *list, enum gvm__op op)
{
    struct gvm__ir *ir = &list->spare;

    if (list->count < list->capacity ||
        grow(list, (void **)&list->irs, &list->capacity, sizeof *ir))
        ir = &list->irs[list->count++];
    memset(ir, 0, sizeof *ir);
    ir->op = (uint16_t)op;
    ir->label = GVM__NO_LABEL;
    ir->insn_offset = list->insn_offset;
    ir->depth = list->depth;
    return ir;
}

struct gvm__ir *
gvm__ir_last(struct gvm__ir_list *list)
{
    return list->count > list->barrier ? &list->irs[list->count - 1] : NULL;
}

uint32_t
gvm__ir_new_label(struct gvm__ir_list *list)
{
    return list->label_count++;
}

void
gvm__ir_place_label(struct gvm__ir_list *list, uint32_t label)
{
    gvm__ir_append(list, (enum gvm__op)GVM__IR_LABEL)->label = label;
    list->barrier = list->count;
}

void
gvm__ir_append_table(struct gvm__ir_list *list, uint32_t label)
{
    if (list->table_count < list->table_capacity ||
        grow(list, (void **)&list->table, &list->table_capacity,
             sizeof *list->table))
        list->table[list->table_count++] = label;
}

void
gvm__ir_free(struct gvm__ir_list *list)
{
    free(list->irs);
    free(list->table);
}

void
gvm__ir_remove(struct gvm__ir_list *list, uint32_t index)
{
    struct gvm__ir *ir = &list->irs[index];

    list->count--;
    memmove(ir, ir + 1, (list->count - index) * sizeof *ir);
}

uint16_t
gvm__ir_find_handler(const struct gvm__ir *ir)
{
    uint16_t handler = GVM__NO_HANDLER;
    bool found = gvm__op_handler((enum gvm__op)ir->op, ir->kinds,
                                 (enum gvm__kind)ir->to_kind,
                                 (enum gvm__target)ir->target, &handler);

    assert(found);
    (void)found;
    return handler;
}
