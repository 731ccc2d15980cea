/*
 * instance.h - what a store holds, as the handlers and the runner see it.
 *
 * Layout matters here: handlers read these structures. Everything belongs
 * to the store and goes with it (store.c).
 */
#ifndef GLASS_VM_INSTANCE_H
#define GLASS_VM_INSTANCE_H

#include "vm/module.h"

/*
 * A function object: what a funcref points to. Of a module's function:
 * `function` and `instance`; of the host: `host` and `data`.
 */
struct gvm_func {
    uint32_t type_id;
    uint32_t index; /* in the instance's module */
    struct gvm_instance *instance;
    struct gvm__function *function;
    gvm_host_function *host;
    void *data;
    const struct gvm_func_type *type;
};

/*
 * A linear memory. The 64 bits just below `data` hold its size in bytes, so
 * that a handler with `data` in a register needs nothing else for an
 * explicit check. Growing may move `data` (explicit bounds).
 */
struct gvm_memory {
    uint8_t *data;
    struct gvm_store *store;
    uint64_t pages_max;      /* the declared maximum or the format's */
    struct gvm_limits limits; /* as declared; min is the current size */
    uint64_t reserved_bytes; /* of address space, header page included */
    struct gvm_memory *next;
};

static inline uint64_t
gvm__memory_size(const uint8_t *data)
{
    return ((const uint64_t *)(const void *)data)[-1];
}

struct gvm_table {
    union gvm_value *entries;
    uint64_t size;
    struct gvm_store *store;
    enum gvm_value_type element_type;
    struct gvm_limits limits; /* as declared */
    struct gvm_table *next;
};

struct gvm_global {
    union gvm_value value;
    struct gvm__global_type type;
};

struct gvm_instance {
    /* Memory 0's, or that of an empty memory when there is none: what the
     * handlers' memory register is loaded from is memories[0]->data. */
    struct gvm_memory **memories;
    struct gvm_table **tables;
    struct gvm_global **globals;
    /* The running call, set while one runs. */
    struct gvm_call *call;
    struct gvm_module *module;
    struct gvm_store *store;
    /* By function index: imported ones belong to others, own ones point
     * into `own_funcs`. */
    struct gvm_func **funcs;
    struct gvm_func *own_funcs;
    struct gvm_global *own_globals;
    /* One bit per segment. */
    uint8_t *elements_dropped;
    uint8_t *datas_dropped;
    struct gvm_instance *next;
};

struct gvm_store {
    struct gvm_engine *engine;
    uint64_t memory_bytes_max;
    uint64_t memory_bytes;
    uint64_t table_entries_max;
    uint64_t table_entries;
    uint64_t value_stack_bytes;
    struct gvm_instance *instances;
    struct gvm_memory *memories;
    struct gvm_table *tables;
    /* Host functions and globals: see store.c. */
    struct gvm__store_item *items;
    /* The memory of instances without one: no pages, maximum 0. */
    struct gvm_memory empty_memory;
};

/* store.c: memory that lives as long as the store, zeroed; NULL: none. */
void *gvm__store_allocate(struct gvm_store *store, size_t size_bytes);

/* table.c: -1 when over a maximum or the store's total. */
int64_t gvm__table_grow(struct gvm_table *table, uint64_t count,
                        union gvm_value value);
/* Bulk operations: GVM_TRAP_NONE or why not; nothing is done then. */
enum gvm_trap gvm__table_init(struct gvm_instance *instance, uint32_t table,
                              uint32_t element, uint32_t to, uint32_t from,
                              uint32_t count);
enum gvm_trap gvm__table_copy(struct gvm_table *to_table,
                              const struct gvm_table *from_table,
                              uint32_t to, uint32_t from, uint32_t count);
enum gvm_trap gvm__table_fill(struct gvm_table *table, uint32_t to,
                              union gvm_value value, uint32_t count);
/* memory.c */
enum gvm_trap gvm__memory_init(struct gvm_instance *instance,
                               uint32_t memory, uint32_t data, uint32_t to,
                               uint32_t from, uint32_t count);
void gvm__element_drop(struct gvm_instance *instance, uint32_t element);
void gvm__data_drop(struct gvm_instance *instance, uint32_t data);

/*
 * guard.c: while a call runs with guard pages, its thread announces the
 * place to go to when the guest touches a guard (see guard.c). `memory`
 * faults elsewhere are not the guest's.
 */

#endif
