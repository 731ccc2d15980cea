/*
 * table.c - tables of references.
 *
 * A table's entries are first a piece of the store's arena: most tables
 * never grow. One that does moves to the C heap, with room to spare, so that
 * growing entry by entry stays linear. A null reference is a null pointer,
 * so zeroed memory is a table of nulls.
 *
 * The store's total counts entries, not the room kept to spare.
 *
 * A store's tables are used by the store's one thread.
 */
#include "vm/instance.h"

#include <stdlib.h>
#include <string.h>

static uint64_t
entries_max(const struct gvm_table *table)
{
    uint64_t max = GVM_TABLE_ENTRIES_MAX;

    if (table->limits.has_max && table->limits.max < max)
        max = table->limits.max;
    return max;
}

/* Whether the store's total leaves room for that many more entries. */
static bool
store_allows(const struct gvm_store *store, uint64_t entries)
{
    return entries <= store->table_entries_max - store->table_entries;
}

/* Whether `count` entries at `at` all lie inside. */
static bool
holds(const struct gvm_table *table, uint32_t at, uint32_t count)
{
    return (uint64_t)at + count <= table->size;
}

static void
fill(struct gvm_table *table, uint64_t to, union gvm_value value,
     uint64_t count)
{
    uint64_t i;

    for (i = 0; i < count; i++)
        table->entries[to + i] = value;
}

enum gvm_status
gvm_table_create(struct gvm_store *store, enum gvm_value_type element_type,
                 const struct gvm_limits *limits, union gvm_value initial,
                 struct gvm_table **table)
{
    struct gvm_table *created;

    if (element_type != GVM_FUNCREF && element_type != GVM_EXTERNREF)
        return GVM_BAD_ARGUMENT;
    if (limits->has_max && limits->min > limits->max)
        return GVM_BAD_ARGUMENT;
    if (limits->min > GVM_TABLE_ENTRIES_MAX ||
        !store_allows(store, limits->min))
        return GVM_LIMIT;
    created = gvm__store_allocate(store, sizeof(*created));
    if (created == NULL)
        return GVM_NO_MEMORY;
    created->entries = gvm__store_allocate(
        store, (size_t)limits->min * sizeof(*created->entries));
    if (created->entries == NULL)
        return GVM_NO_MEMORY;
    created->store = store;
    created->element_type = element_type;
    created->limits = *limits;
    created->size = limits->min;
    created->capacity = limits->min;
    created->arena_entries = created->entries;
    created->arena_capacity = created->capacity;
    if (initial.funcref != NULL)
        fill(created, 0, initial, created->size);
    store->table_entries += created->size;
    created->next = store->tables;
    store->tables = created;
    *table = created;
    return GVM_OK;
}

void
gvm__tables_release(struct gvm_store *store, const struct gvm_table *stop)
{
    struct gvm_table *table;

    while ((table = store->tables) != stop) {
        store->tables = table->next;
        store->table_entries -= table->size;
        if (table->entries_owned)
            free(table->entries);
    }
}

uint64_t
gvm_table_size(const struct gvm_table *table)
{
    return table->size;
}

bool
gvm_table_get(const struct gvm_table *table, uint64_t index,
              union gvm_value *value)
{
    if (index >= table->size)
        return false;
    *value = table->entries[index];
    return true;
}

bool
gvm_table_set(struct gvm_table *table, uint64_t index, union gvm_value value)
{
    if (index >= table->size)
        return false;
    table->entries[index] = value;
    table->host_written = true;
    return true;
}

/* Makes room for `size` entries in all; at most GVM_TABLE_ENTRIES_MAX. */
static bool
reserve(struct gvm_table *table, uint64_t size)
{
    union gvm_value *old = table->entries_owned ? table->entries : NULL;
    union gvm_value *entries;
    uint64_t capacity = table->capacity * 2;

    if (size <= table->capacity)
        return true;
    if (capacity > entries_max(table))
        capacity = entries_max(table);
    if (capacity < size)
        capacity = size;
    entries = realloc(old, (size_t)capacity * sizeof(*entries));
    if (entries == NULL)
        return false;
    if (!table->entries_owned && table->size > 0)
        memcpy(entries, table->entries, (size_t)table->size * sizeof(*entries));
    table->entries = entries;
    table->entries_owned = true;
    table->capacity = capacity;
    return true;
}

int64_t
gvm__table_grow(struct gvm_table *table, uint64_t count, union gvm_value value)
{
    struct gvm_store *store = table->store;
    uint64_t size_before = table->size;

    if (count > entries_max(table) - size_before ||
        !store_allows(store, count) || !reserve(table, size_before + count))
        return -1;
    fill(table, size_before, value, count);
    table->size += count;
    store->table_entries += count;
    return (int64_t)size_before;
}

void
gvm__table_shrink(struct gvm_table *table, uint64_t size)
{
    table->store->table_entries -= table->size - size;
    table->size = size;
    if (!table->entries_owned)
        return;
    /* It has been longer than this, so the first room is enough. */
    free(table->entries);
    table->entries = table->arena_entries;
    table->capacity = table->arena_capacity;
    table->entries_owned = false;
}

/* The reference that the segment's entry stands for in the instance. */
static union gvm_value
segment_entry(const struct gvm_instance *instance,
              const struct gvm__element_segment *segment, uint32_t index)
{
    union gvm_value value = {.slot = 0};

    if (segment->functions == NULL)
        return gvm__instance_evaluate(instance, &segment->exprs[index]);
    if (segment->functions[index] != GVM__NULL_FUNCTION)
        value.funcref = instance->funcs[segment->functions[index]];
    return value;
}

enum gvm_trap
gvm__table_init(struct gvm_instance *instance, uint32_t table, uint32_t element,
                uint32_t to, uint32_t from, uint32_t count)
{
    const struct gvm__element_segment *segment =
        &instance->module->elements[element];
    struct gvm_table *target = instance->tables[table];
    uint32_t segment_count = gvm__element_is_dropped(instance, element)
                                 ? 0
                                 : segment->count;
    uint32_t i;

    if (!holds(target, to, count) || (uint64_t)from + count > segment_count)
        return GVM_TRAP_TABLE_OUT_OF_BOUNDS;
    for (i = 0; i < count; i++)
        target->entries[to + i] = segment_entry(instance, segment, from + i);
    return GVM_TRAP_NONE;
}

enum gvm_trap
gvm__table_copy(struct gvm_table *to_table, const struct gvm_table *from_table,
                uint32_t to, uint32_t from, uint32_t count)
{
    if (!holds(to_table, to, count) || !holds(from_table, from, count))
        return GVM_TRAP_TABLE_OUT_OF_BOUNDS;
    /* The two may be one, and overlap. */
    if (count > 0)
        memmove(to_table->entries + to, from_table->entries + from,
                (size_t)count * sizeof(*to_table->entries));
    return GVM_TRAP_NONE;
}

enum gvm_trap
gvm__table_fill(struct gvm_table *table, uint32_t to, union gvm_value value,
                uint32_t count)
{
    if (!holds(table, to, count))
        return GVM_TRAP_TABLE_OUT_OF_BOUNDS;
    fill(table, to, value, count);
    return GVM_TRAP_NONE;
}
