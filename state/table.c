/* A shard's hash table: see table.h. */
#include "state/table.h"

#include "state/sequence.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE_MIN 2

static_assert(sizeof(struct state__group) == 64, "a cache line");

static size_t
count_of(const struct state__groups *groups)
{
    return (size_t)groups->mask + 1;
}

void
state__table_deinit(struct state__table *table)
{
    free(table->groups);
    for (size_t i = 0; i < STATE__TABLE_SIZES; i++)
        free(table->kept[i]);
    *table = (struct state__table){0};
}

size_t
state__table_capacity(const struct state__table *table)
{
    return table->groups == NULL
               ? 0
               : count_of(table->groups) * STATE__GROUP_SLOTS;
}

struct state__item *
state__table_at(const struct state__table *table, size_t slot)
{
    return table->groups->at[slot / STATE__GROUP_SLOTS]
        .items[slot % STATE__GROUP_SLOTS];
}

static void
put(struct state__groups *groups, uint32_t tag, struct state__item *item)
{
    for (uint64_t i = tag;; i++) {
        struct state__group *group = &groups->at[i & groups->mask];

        for (unsigned k = 0; k < STATE__GROUP_SLOTS; k++)
            if (group->tags[k] == 0) {
                STATE__SET(group->items[k], item);
                STATE__SET(group->tags[k], tag);
                return;
            }
        STATE__SET(group->passed_count, group->passed_count + 1);
    }
}

/* ---- Sizes ---- */

/* Puts groups away, empty; most of their memory goes back. */
static void
keep(struct state__table *table, struct state__groups *groups)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)groups->at + page - 1) & ~(page - 1);
    uintptr_t end = (uintptr_t)&groups->at[count_of(groups)] & ~(page - 1);

    assert(table->kept[groups->size] == NULL);
    table->kept[groups->size] = groups;
    if (begin < end)
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
}

/* Empty groups of a size, once kept or new; null without memory. */
static struct state__groups *
obtain(struct state__table *table, unsigned size)
{
    struct state__groups *groups = table->kept[size];
    size_t count = (size_t)1 << size;

    if (groups == NULL) {
        size_t bytes = sizeof *groups + count * sizeof *groups->at;

        groups = aligned_alloc(_Alignof(struct state__groups), bytes);
        if (groups == NULL)
            return NULL;
        memset(groups, 0, bytes);
        groups->mask = count - 1;
        groups->size = size;
        return groups;
    }
    table->kept[size] = NULL;
    for (size_t i = 0; i < count; i++)
        for (unsigned k = 0; k < STATE__GROUP_SLOTS; k++) {
            STATE__SET(groups->at[i].tags[k], 0);
            STATE__SET(groups->at[i].items[k], NULL);
            STATE__SET(groups->at[i].passed_count, 0);
        }
    return groups;
}

/* Moves everything to other groups; false, and no change, without memory. */
static bool
resize(struct state__table *table, unsigned size)
{
    struct state__groups *old = table->groups;
    struct state__groups *groups = obtain(table, size);

    if (groups == NULL)
        return false;
    for (size_t i = 0; i < state__table_capacity(table); i++) {
        struct state__item *item = state__table_at(table, i);

        if (item != NULL)
            put(groups,
                old->at[i / STATE__GROUP_SLOTS].tags[i % STATE__GROUP_SLOTS],
                item);
    }
    STATE__SET(table->groups, groups);
    if (old != NULL)
        keep(table, old);
    return true;
}

bool
state__table_reserve(struct state__table *table)
{
    struct state__groups *groups = table->groups;

    /* Four in a group of five: more would often have to go elsewhere. */
    if (groups != NULL && table->count + 1 <= count_of(groups) * 4)
        return true;
    if (groups == NULL)
        return resize(table, SIZE_MIN);
    return groups->size + 1 < STATE__TABLE_SIZES &&
           resize(table, groups->size + 1);
}

void
state__table_insert(struct state__table *table, uint64_t hash,
                    struct state__item *item)
{
    assert(table->count < state__table_capacity(table));
    put(table->groups, state__table_tag(hash), item);
    table->count++;
}

void
state__table_fit(struct state__table *table)
{
    struct state__groups *groups = table->groups;

    /* Without memory for the smaller table the larger one serves on. */
    if (groups != NULL && groups->size > SIZE_MIN &&
        table->count < count_of(groups) / 2)
        resize(table, groups->size - 2 > SIZE_MIN ? groups->size - 2
                                                  : SIZE_MIN);
}

void
state__table_remove(struct state__table *table, uint64_t hash,
                    const struct state__item *item)
{
    struct state__groups *groups = table->groups;

    for (uint64_t i = state__table_tag(hash);; i++) {
        struct state__group *group = &groups->at[i & groups->mask];

        for (unsigned k = 0; k < STATE__GROUP_SLOTS; k++)
            if (group->items[k] == item) {
                STATE__SET(group->tags[k], 0);
                STATE__SET(group->items[k], NULL);
                table->count--;
                if (!table->keeps_room)
                    state__table_fit(table);
                return;
            }
        assert(group->passed_count > 0);
        STATE__SET(group->passed_count, group->passed_count - 1);
    }
}
