/*
 * module.h - a decoded and validated module, as the library sees it.
 *
 * Written by decode*.c, checked by validate.c, read by everybody else. It
 * never changes after gvm_module_load, with one exception: a function's
 * `entry`, published once by a release store (code.h).
 */
#ifndef GLASS_VM_MODULE_H
#define GLASS_VM_MODULE_H

#include <pthread.h>
#include <stdatomic.h>

#include "vm/bits.h"
#include "vm/insns.h"
#include "vm/vm.h"

struct gvm__code_chunk;

/* A function type of the module and its identity in the engine. */
struct gvm__type {
    struct gvm_func_type func;
    /* Equal for equal types of one engine, whatever the module. */
    uint32_t id;
};

/* A constant expression: one instruction of {i32,i64,f32,f64}.const,
 * global.get, ref.null, ref.func. */
struct gvm__const_expr {
    enum gvm__insn insn;
    union gvm_value value; /* of a constant */
    uint32_t index;        /* of the global or function */
};

struct gvm__table_type {
    enum gvm_value_type element_type;
    struct gvm_limits limits;
};

struct gvm__global_type {
    enum gvm_value_type type;
    bool mutable_;
};

struct gvm__import {
    const char *module;
    const char *name;
    size_t module_bytes;
    size_t name_bytes;
    enum gvm_extern_kind kind;
    uint32_t index; /* in the index space of its kind */
};

struct gvm__export {
    const char *name;
    size_t name_bytes;
    enum gvm_extern_kind kind;
    uint32_t index;
};

enum gvm__segment_mode {
    GVM__SEGMENT_ACTIVE,
    GVM__SEGMENT_PASSIVE,
    GVM__SEGMENT_DECLARATIVE, /* elements only */
};

/* An entry of `functions` that is a null reference. */
#define GVM__NULL_FUNCTION UINT32_MAX

struct gvm__element_segment {
    enum gvm__segment_mode mode;
    enum gvm_value_type type;
    uint32_t table;
    uint32_t count;
    struct gvm__const_expr offset;
    /* Function indexes; NULL when an entry is more than that: then `exprs`
     * holds all of them. */
    uint32_t *functions;
    struct gvm__const_expr *exprs;
};

struct gvm__data_segment {
    enum gvm__segment_mode mode;
    uint32_t memory;
    struct gvm__const_expr offset;
    const uint8_t *bytes; /* inside the module's bytes */
    uint32_t length_bytes;
};

/*
 * A function that the module defines. Its address is what `call` cells
 * hold, so it never moves. `entry` is where to go on: the function's first
 * cell, or `lazy`, a cell whose handler translates the function first.
 */
struct gvm__function {
    _Atomic(const uint64_t *) entry;
    uint64_t lazy[1];
    struct gvm_module *module;
    uint32_t index;       /* in the function index space */
    uint32_t type;        /* in module->types */
    uint32_t body_offset; /* of the locals' declarations, in the module */
    uint32_t body_bytes;
};

struct gvm_module {
    struct gvm_engine *engine;
    const uint8_t *bytes;
    size_t length_bytes;
    uint8_t *bytes_owned; /* NULL when they are the caller's */
    uint32_t features;
    uint32_t features_used;
    bool fuel_off;
    bool writes_tables; /* some function can, other than by table.grow */

    struct gvm__type *types;
    struct gvm__import *imports;
    struct gvm__export *exports;
    /* Whole index spaces, imports first. */
    uint32_t *function_types; /* index in types */
    struct gvm__table_type *tables;
    struct gvm_limits *memories;
    struct gvm__global_type *globals;
    /* Defined ones only. */
    struct gvm__function *functions;
    struct gvm__const_expr *global_inits;
    struct gvm__element_segment *elements;
    struct gvm__data_segment *datas;

    uint32_t type_count;
    uint32_t import_count;
    uint32_t export_count;
    uint32_t function_count; /* imports included, like all of these */
    uint32_t imported_function_count;
    uint32_t table_count;
    uint32_t imported_table_count;
    uint32_t memory_count;
    uint32_t imported_memory_count;
    uint32_t global_count;
    uint32_t imported_global_count;
    uint32_t element_count;
    uint32_t data_count;
    bool has_data_count;
    uint32_t data_count_declared;
    uint32_t start_function; /* GVM_NO_FUNCTION: none */

    /* Indexes of exports in the order of their names. An order, unlike a
     * hash, costs no more when an enemy chooses the names. */
    uint32_t *exports_by_name;
    /* Functions that may be referred to (exported, in elements, global
     * inits): ref.func is limited to these. One bit each. */
    uint8_t *declared_functions;

    /* The name section's function names: offset and length in bytes by
     * function index; NULL when there is none. */
    struct gvm__name {
        uint32_t offset;
        uint32_t length_bytes;
    } *function_names;

    /* Translated code hangs here; guarded by the lock. */
    pthread_mutex_t lock;
    struct gvm__code_chunk *chunks;
};

/* By name: NULL when there is no such export. */
const struct gvm__export *gvm__module_export_find(
    const struct gvm_module *module, const char *name, size_t name_bytes);

/* The type of a function by its index. */
static inline const struct gvm__type *
gvm__module_function_type(const struct gvm_module *module, uint32_t index)
{
    return &module->types[module->function_types[index]];
}

/* Whether instances have an object of the function, so that a reference can
 * lead to it: calls within the module do without. */
static inline bool
gvm__module_has_object(const struct gvm_module *module, uint32_t index)
{
    return index < module->imported_function_count ||
           index == module->start_function ||
           (module->declared_functions != NULL &&
            gvm__bits_has(module->declared_functions, index));
}

/* Lays out err (if any) and returns `status`. */
enum gvm_status gvm__error_set(struct gvm_error *err, enum gvm_status status,
                               uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Bytes of a name that a message shows. */
#define GVM__NAME_SHOWN_BYTES 64u
/* A name of the module's, which is UTF-8, as a part of one line: terminated,
 * without control characters, cut when it is too long. Returns `shown`. */
const char *gvm__error_name(const char *name, size_t name_bytes,
                            char shown[static GVM__NAME_SHOWN_BYTES + 1]);
/* Sets err->function; the message gets the function's name, if any. */
void gvm__error_set_function(struct gvm_error *err,
                             const struct gvm_module *module,
                             uint32_t function);

/* decode.c: fills a zeroed module; on failure gvm_module_destroy frees. */
enum gvm_status gvm__decode(struct gvm_module *module,
                            struct gvm_error *err);
/* validate.c: checks everything that decode.c leaves open, bodies too. */
enum gvm_status gvm__validate(struct gvm_module *module,
                              struct gvm_error *err);

/*
 * engine.c: interns the type and counts a reference to its id; equal types
 * give equal ids until the last reference is released. Thread-safe.
 */
enum gvm_status gvm__engine_type_acquire(struct gvm_engine *engine,
                                         const struct gvm_func_type *type,
                                         uint32_t *id);
void gvm__engine_type_release(struct gvm_engine *engine, uint32_t id);
enum gvm_bounds gvm__engine_bounds(const struct gvm_engine *engine);
bool gvm__engine_uses(const struct gvm_engine *engine,
                      enum gvm_technique technique);

/* code.c: sets up the `lazy` cells of all functions of a new module. */
void gvm__module_prepare(struct gvm_module *module);
/* code.c: translates the functions too large for a first call. */
enum gvm_status gvm__module_translate_large(struct gvm_module *module,
                                            struct gvm_error *err);
/* code.c: frees all translated code of the module. */
void gvm__module_discard(struct gvm_module *module);
/* code.c: translates all functions now (`eager`). */
enum gvm_status gvm__module_translate_all(struct gvm_module *module,
                                          struct gvm_error *err);

#endif
