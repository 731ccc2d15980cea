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

#define GVM__PAGE_BYTES 65536u
/* What lies below a memory's `data`: as much as the largest page that an
 * operating system of ours uses, so that `data` is aligned on any of them. */
#define GVM__MEMORY_HEADER_BYTES 65536u

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
    uint64_t reserved_bytes; /* of address space, header included */
    bool guarded;
    struct gvm__dirt *dirt; /* NULL unless made from an image (image.h) */
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
    uint64_t capacity;        /* entries that there is room for */
    bool entries_owned;       /* by the C heap; else they are the store's */
    /* What the entries were at first, in the store's arena. */
    union gvm_value *arena_entries;
    uint64_t arena_capacity;
    bool is_imported;  /* by another instance, which may write to it */
    bool host_written; /* since the last reset */
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
    /* The running call and the end of its value stack (call.h). */
    struct gvm_call *call;
    uint64_t *stack_limit;
    struct gvm_module *module;
    struct gvm_store *store;
    /* By function index: imported ones belong to others, own ones point
     * into `own_funcs`. NULL: own, and nothing can refer to it (neither
     * exported nor declared nor the start function). */
    struct gvm_func **funcs;
    struct gvm_func *own_funcs;
    uint32_t own_func_count;
    struct gvm_global *own_globals;
    /* One bit per segment. */
    uint8_t *elements_dropped;
    uint8_t *datas_dropped;
    const struct gvm_snapshot *snapshot; /* NULL: not made from one */
    struct gvm_instance *next;
};

struct gvm__store_chunk;
struct gvm__host_func;

struct gvm_store {
    struct gvm_engine *engine;
    uint64_t memory_bytes_max;
    uint64_t memory_bytes;
    uint64_t table_entries_max;
    uint64_t table_entries;
    uint64_t value_stack_bytes;
    struct gvm_instance *instances;
    /* The newest first. */
    struct gvm_memory *memories;
    struct gvm_table *tables;
    struct gvm__host_func *host_funcs;
    /* The last thread that ran a call (image.h numbers them), and how often
     * it was another than before. */
    uintptr_t thread;
    uint64_t thread_changes;
    /* False: a reset saw that no page has come since the one before. */
    bool may_have_grown;
    /* The arena (store.c): what is left of the current chunk. */
    uint8_t *arena_next;
    size_t arena_left_bytes;
    struct gvm__store_chunk *chunks;
    /* The memory of instances without one: no pages, maximum 0. Its `data`
     * is just past the first word, which is its size. */
    struct gvm_memory empty_memory;
    uint64_t empty_words[2];
};

/* store.c: the options with their defaults; NULL: all of them. */
struct gvm_store_options gvm__store_options(
    const struct gvm_store_options *options);
/* store.c: memory that lives as long as the store, zeroed, aligned for
 * anything; NULL: none. Zero bytes give a pointer that must not be used. */
void *gvm__store_allocate(struct gvm_store *store, size_t size_bytes);

/* global.c: whether one slot holds a value of the type (v128 takes more, and
 * this engine has none). */
bool gvm__is_slot_type(unsigned type);
/* host.c: releases the types of the store's host functions. */
void gvm__host_funcs_release(struct gvm_store *store);
/* memory.c, table.c: destroy what was created after `stop`, the newest
 * memory or table at that time; NULL: all. */
void gvm__memories_release(struct gvm_store *store,
                           const struct gvm_memory *stop);
void gvm__tables_release(struct gvm_store *store,
                         const struct gvm_table *stop);

/*
 * link.c: whether `imports` are what the module asks for. Changes nothing.
 * GVM_UNLINKABLE, GVM_BAD_ARGUMENT (too many, or of another store).
 */
enum gvm_status gvm__link_check(const struct gvm_store *store,
                                const struct gvm_module *module,
                                const struct gvm_extern *imports,
                                uint32_t import_count,
                                struct gvm_error *err);

/* instance.c: an instance with its imports, functions and globals as
 * initialised, no tables or memories of its own yet, and not in the store's
 * list. The imports have been checked. NULL: no memory. */
struct gvm_instance *gvm__instance_begin(struct gvm_store *store,
                                         struct gvm_module *module,
                                         const struct gvm_extern *imports);
/* instance.c: the value of a constant expression. What it refers to must
 * have been set up. */
union gvm_value gvm__instance_evaluate(const struct gvm_instance *instance,
                                       const struct gvm__const_expr *expr);
/* instance.c: segments that an instance may not use any more have the
 * length zero. */
bool gvm__element_is_dropped(const struct gvm_instance *instance,
                             uint32_t element);
bool gvm__data_is_dropped(const struct gvm_instance *instance,
                          uint32_t data);
void gvm__element_drop(struct gvm_instance *instance, uint32_t element);
void gvm__data_drop(struct gvm_instance *instance, uint32_t data);

/* memory.c: as gvm_memory_create, as long as the image and with its content.
 * The image must outlive it. */
struct gvm__image;
enum gvm_status gvm__memory_create_from(struct gvm_store *store,
                                        const struct gvm_limits *limits,
                                        const struct gvm__image *image,
                                        struct gvm_memory **memory);
/* memory.c: makes it `pages` long, which is at most what it is, and fences
 * off the rest, which keeps its content. GVM_NO_MEMORY: nothing changed. */
enum gvm_status gvm__memory_shrink(struct gvm_memory *memory, uint64_t pages);
/* table.c: makes it `size` long, which is at most what it is, and gives back
 * what it took to grow. Entries may be old ones. */
void gvm__table_shrink(struct gvm_table *table, uint64_t size);

/* table.c: the previous size, or -1: over a maximum or the store's total. */
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

#endif
