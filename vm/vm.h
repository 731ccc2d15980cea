/*
 * glass/vm.h - a WebAssembly interpreter for embedding.
 *
 * An *engine* holds what modules share: limits, the way memory is bounded,
 * the identities of function types. A *module* is a decoded and validated
 * binary; it never changes and any number of threads may share it. A *store*
 * is a world of instances, functions, memories, tables and globals that may
 * refer to each other; it owns them all and is used by one thread at a time.
 * A *call* is one invocation in progress: its value stack and a few words.
 * No native stack belongs to it, so it can be suspended and resumed later,
 * on another thread if its store moves along.
 *
 * Rules that hold for every declaration below:
 * - Functions that can fail return `enum gvm_status`; GVM_OK is 0. Outputs
 *   are set only on success. Where a `struct gvm_error *` is taken, it may
 *   be NULL; it is filled on failure.
 * - Whatever has a `destroy` takes NULL too.
 * - Pointers that a getter returns belong to the object asked, and live as
 *   long as it does.
 * - Names and other texts are bytes with a length: WebAssembly names may
 *   hold NUL.
 * - Lengths end in `_bytes` or `_count`, pages are of 64 KiB.
 *
 * Words are those of the WebAssembly specification 1.0 and 2.0.
 */
#ifndef GLASS_VM_H
#define GLASS_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vm/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Statuses and errors ------------------------------------------- */

/* X(name, value, text) */
#define GVM_STATUS_MAP(X)                                                \
    X(OK, 0, "ok")                                                       \
    X(MALFORMED, 1, "malformed module")                                  \
    X(INVALID, 2, "invalid module")                                      \
    X(UNLINKABLE, 3, "unlinkable module")                                \
    X(TRAP, 4, "trap")                                                   \
    X(EXHAUSTED, 5, "call stack exhausted")                              \
    X(SUSPENDED, 6, "suspended")                                         \
    X(LIMIT, 7, "limit reached")                                         \
    X(NO_MEMORY, 8, "out of memory")                                     \
    X(BAD_ARGUMENT, 9, "bad argument")                                   \
    X(EXITED, 10, "exited")

enum gvm_status {
#define GVM_STATUS_ENUM(name, value, text) GVM_##name = value,
    GVM_STATUS_MAP(GVM_STATUS_ENUM)
#undef GVM_STATUS_ENUM
};

/* X(name, text): the texts begin as the official test suite has them. */
#define GVM_TRAP_MAP(X)                                                  \
    X(NONE, "no trap")                                                   \
    X(UNREACHABLE, "unreachable")                                        \
    X(MEMORY_OUT_OF_BOUNDS, "out of bounds memory access")               \
    X(TABLE_OUT_OF_BOUNDS, "out of bounds table access")                 \
    X(UNDEFINED_ELEMENT, "undefined element")                            \
    X(UNINITIALIZED_ELEMENT, "uninitialized element")                    \
    X(INDIRECT_CALL_TYPE_MISMATCH, "indirect call type mismatch")        \
    X(INTEGER_OVERFLOW, "integer overflow")                              \
    X(DIVIDE_BY_ZERO, "integer divide by zero")                          \
    X(INVALID_CONVERSION, "invalid conversion to integer")               \
    X(OUT_OF_MEMORY, "out of memory")                                    \
    X(HOST, "host function failed")

enum gvm_trap {
#define GVM_TRAP_ENUM(name, text) GVM_TRAP_##name,
    GVM_TRAP_MAP(GVM_TRAP_ENUM)
#undef GVM_TRAP_ENUM
};

/* "malformed module", "integer divide by zero"...; never NULL. */
const char *gvm_status_text(enum gvm_status status);
const char *gvm_trap_text(enum gvm_trap trap);

#define GVM_NO_FUNCTION UINT32_MAX
#define GVM_NO_OFFSET UINT64_MAX

/*
 * Caller-owned detail of a failure. `offset` counts bytes from the start of
 * the module, GVM_NO_OFFSET where there is none. `function` is an index in
 * the module's function index space or GVM_NO_FUNCTION. `message` is one
 * line without a full stop, always terminated; it names the function when
 * the module's name section does.
 */
struct gvm_error {
    enum gvm_status status;
    enum gvm_trap trap;
    uint32_t function;
    uint64_t offset;
    char message[256];
};

/* ---- Features -------------------------------------------------------- */

/* What a module may use beyond WebAssembly 1.0. X(NAME, bit, "name") */
#define GVM_FEATURE_MAP(X)                                               \
    X(SIGN_EXTENSION, 0, "sign-extension")                               \
    X(SATURATING_TRUNCATION, 1, "saturating-truncation")                 \
    X(MULTI_VALUE, 2, "multi-value")                                     \
    X(BULK_MEMORY, 3, "bulk-memory")                                     \
    X(REFERENCE_TYPES, 4, "reference-types")

enum gvm_feature {
#define GVM_FEATURE_ENUM(name, bit, text) GVM_FEATURE_##name = 1 << bit,
    GVM_FEATURE_MAP(GVM_FEATURE_ENUM)
#undef GVM_FEATURE_ENUM
};

#define GVM_FEATURES_MVP 0u
#define GVM_FEATURES_2_0                                                 \
    ((uint32_t)(GVM_FEATURE_SIGN_EXTENSION |                             \
                GVM_FEATURE_SATURATING_TRUNCATION |                      \
                GVM_FEATURE_MULTI_VALUE | GVM_FEATURE_BULK_MEMORY |      \
                GVM_FEATURE_REFERENCE_TYPES))
/* What today's compilers emit by default. */
#define GVM_FEATURES_DEFAULT GVM_FEATURES_2_0

/* ---- Engine ---------------------------------------------------------- */

struct gvm_engine;

/*
 * How accesses to memories are kept inside. EXPLICIT compares in software
 * and needs nothing. GUARD lets the MMU do it: every memory reserves
 * GVM_GUARD_RESERVATION_BYTES of address space, and the process needs the
 * signal handler that gvm_guard_install installs; without it an engine that
 * asks for GUARD is refused with GVM_BAD_ARGUMENT.
 */
enum gvm_bounds {
    GVM_BOUNDS_EXPLICIT,
    GVM_BOUNDS_GUARD,
};

/*
 * What makes translated code fast, beyond operands that are folded into the
 * operations. All of it is on. Tests switch parts off, and whoever looks for
 * the cause of a difference: results, traps and fuel are the same without.
 * X(NAME, bit, "name")
 */
#define GVM_TECHNIQUE_MAP(X)                                             \
    X(REGISTERS, 0, "registers") /* locals, results, loop heads in them */ \
    X(FUSION, 1, "fusion")       /* several operations done as one */

enum gvm_technique {
#define GVM_TECHNIQUE_ENUM(name, bit, text) GVM_TECHNIQUE_##name = 1 << bit,
    GVM_TECHNIQUE_MAP(GVM_TECHNIQUE_ENUM)
#undef GVM_TECHNIQUE_ENUM
};

/* All zero is the default. */
struct gvm_engine_options {
    enum gvm_bounds bounds;
    uint32_t techniques_off; /* bits of `enum gvm_technique` */
};

/* Engines are used by any number of threads. GVM_BAD_ARGUMENT: GUARD without
 * its signal handler, or bits that no option has. */
enum gvm_status
gvm_engine_create(const struct gvm_engine_options *options,
                  struct gvm_engine **engine);
/* Modules and stores of the engine must be gone. */
void gvm_engine_destroy(struct gvm_engine *engine);

/*
 * Installs the one process-wide handler of SIGSEGV and SIGBUS that
 * GVM_BOUNDS_GUARD needs; signals that are not a guest's go to whoever
 * handled them before. Doing it again is harmless. Returns
 * GVM_BAD_ARGUMENT where guard pages are not supported (anything but
 * x86-64 and aarch64 Linux, and builds with the thread sanitizer).
 */
enum gvm_status gvm_guard_install(void);

/* ---- Types ----------------------------------------------------------- */

/* The binary format's own codes. */
enum gvm_value_type {
    GVM_I32 = 0x7f,
    GVM_I64 = 0x7e,
    GVM_F32 = 0x7d,
    GVM_F64 = 0x7c,
    GVM_V128 = 0x7b,
    GVM_FUNCREF = 0x70,
    GVM_EXTERNREF = 0x6f,
};

const char *gvm_value_type_name(enum gvm_value_type type);

struct gvm_func;

/*
 * One value in a slot of 64 bits; the type says which member counts. A null
 * reference is a null pointer. An i32 in a slot of arguments or results has
 * the upper half zero.
 */
union gvm_value {
    uint32_t i32;
    uint64_t i64;
    float f32;
    double f64;
    struct gvm_func *funcref;
    void *externref;
    uint64_t slot;
};

/* Both arrays hold `enum gvm_value_type` as bytes. */
struct gvm_func_type {
    const uint8_t *parameters;
    const uint8_t *results;
    uint32_t parameter_count;
    uint32_t result_count;
};

struct gvm_limits {
    uint64_t min; /* pages or entries */
    uint64_t max; /* counts only when has_max */
    bool has_max;
};

enum gvm_extern_kind {
    GVM_EXTERN_FUNC = 0,
    GVM_EXTERN_TABLE = 1,
    GVM_EXTERN_MEMORY = 2,
    GVM_EXTERN_GLOBAL = 3,
};

/* What kind says decides which members count. */
struct gvm_extern_type {
    enum gvm_extern_kind kind;
    struct gvm_func_type func;
    struct gvm_limits limits;        /* table, memory */
    enum gvm_value_type value_type;  /* table's elements, global */
    bool mutable_;                   /* global */
};

/* ---- Modules --------------------------------------------------------- */

struct gvm_module;

/* All zero is the default. */
struct gvm_module_options {
    uint32_t features;       /* used when features_set; else DEFAULT */
    bool features_set;
    bool copy_bytes;         /* keep a copy instead of the caller's bytes */
    bool eager;              /* translate every function now */
    bool fuel_off;           /* charge no fuel: such calls never stop */
    uint64_t module_bytes_max; /* 0: GVM_MODULE_BYTES_MAX */
};

/*
 * Decodes and validates the whole module of `length_bytes` bytes at `bytes`.
 * Functions are translated from them when they are first called, so the
 * bytes must stay until the module is destroyed, unless `copy_bytes`.
 *
 * Returns GVM_MALFORMED or GVM_INVALID (err holds the byte offset),
 * GVM_LIMIT (err names it) or GVM_NO_MEMORY. `options` may be NULL.
 */
enum gvm_status
gvm_module_load(struct gvm_engine *engine,
                const struct gvm_module_options *options,
                const uint8_t *bytes, size_t length_bytes,
                struct gvm_module **module, struct gvm_error *err);
/* Stores with instances of it must be gone. */
void gvm_module_destroy(struct gvm_module *module);

struct gvm_import_info {
    const char *module;
    const char *name;
    size_t module_bytes;
    size_t name_bytes;
    struct gvm_extern_type type;
};

struct gvm_export_info {
    const char *name;
    size_t name_bytes;
    uint32_t index; /* in the index space of its kind */
    struct gvm_extern_type type;
};

uint32_t gvm_module_import_count(const struct gvm_module *module);
uint32_t gvm_module_export_count(const struct gvm_module *module);
/* `index` must be below the count. */
void gvm_module_import(const struct gvm_module *module, uint32_t index,
                       struct gvm_import_info *info);
void gvm_module_export(const struct gvm_module *module, uint32_t index,
                       struct gvm_export_info *info);
/* False when there is no such export. */
bool gvm_module_export_find(const struct gvm_module *module,
                            const char *name, size_t name_bytes,
                            struct gvm_export_info *info);

/* Imported functions included. */
uint32_t gvm_module_function_count(const struct gvm_module *module);
/* From the name section; false when it is silent about the function. */
bool gvm_module_function_name(const struct gvm_module *module,
                              uint32_t function, const char **name,
                              size_t *name_bytes);
/* Bits of `enum gvm_feature` that the module really needs. */
uint32_t gvm_module_features_used(const struct gvm_module *module);

/* ---- Stores ---------------------------------------------------------- */

struct gvm_store;

/* Totals over everything in the store; a zero field means the default. */
struct gvm_store_options {
    uint64_t memory_bytes_max;   /* GVM_STORE_MEMORY_BYTES_MAX */
    uint64_t table_entries_max;  /* GVM_STORE_TABLE_ENTRIES_MAX */
    uint64_t value_stack_bytes;  /* per call; GVM_VALUE_STACK_BYTES */
};

enum gvm_status
gvm_store_create(struct gvm_engine *engine,
                 const struct gvm_store_options *options,
                 struct gvm_store **store);
/* Destroys everything in it; its calls must have been destroyed. */
void gvm_store_destroy(struct gvm_store *store);

struct gvm_table;
struct gvm_memory;
struct gvm_global;
struct gvm_instance;
struct gvm_call;

struct gvm_extern {
    enum gvm_extern_kind kind;
    union {
        struct gvm_func *func;
        struct gvm_table *table;
        struct gvm_memory *memory;
        struct gvm_global *global;
    };
};

/*
 * A host function. `slots` holds the arguments and receives the results, in
 * order; there are as many slots as the larger of the two counts. It runs on
 * the thread that runs the call, and returns
 *   GVM_OK        results are in `slots`;
 *   GVM_SUSPENDED it has to wait. When the call is resumed it is called
 *                 again with the same arguments;
 *   GVM_EXITED    ends the call for good, without a trap;
 *   GVM_TRAP      after gvm_call_trap has said why.
 * It may use other calls of the same store, and grow memories: pointers into
 * a memory do not survive either.
 */
typedef enum gvm_status gvm_host_function(struct gvm_call *call, void *data,
                                          union gvm_value *slots);

/* Copies `type`; keeps `data`. GVM_LIMIT: more than GVM_PARAMETERS_MAX or
 * GVM_RESULTS_MAX; GVM_BAD_ARGUMENT: no function, or a type that a slot
 * cannot hold. */
enum gvm_status
gvm_func_create(struct gvm_store *store, const struct gvm_func_type *type,
                gvm_host_function *function, void *data,
                struct gvm_func **func);
/*
 * The same for import `import` of `module`, with exactly the type that the
 * module asks for: `function` must be made for it. Unlike gvm_func_create it
 * takes no lock of the engine, and is what a store made for one call should
 * use. The module must outlive the store. GVM_BAD_ARGUMENT: no function, the
 * import is not one, or the module belongs to another engine.
 */
enum gvm_status
gvm_func_create_import(struct gvm_store *store,
                       const struct gvm_module *module, uint32_t import,
                       gvm_host_function *function, void *data,
                       struct gvm_func **func);
void gvm_func_type(const struct gvm_func *func, struct gvm_func_type *type);

/* GVM_LIMIT when the store's totals or GVM_MEMORY_PAGES_MAX do not allow
 * `limits`, GVM_BAD_ARGUMENT when they contradict each other, or
 * GVM_NO_MEMORY. */
enum gvm_status gvm_memory_create(struct gvm_store *store,
                                  const struct gvm_limits *limits,
                                  struct gvm_memory **memory);
/* Valid until the memory grows. NULL when it has no pages. */
uint8_t *gvm_memory_data(const struct gvm_memory *memory);
uint64_t gvm_memory_size_bytes(const struct gvm_memory *memory);
/* The previous size in pages, or -1: at its maximum or the store's. */
int64_t gvm_memory_grow(struct gvm_memory *memory, uint64_t pages);
/*
 * The host address of `length_bytes` bytes at `offset`, or NULL when they do
 * not all lie inside. Zero bytes at the very end are inside: the answer is
 * then not NULL and must not be read through.
 */
uint8_t *gvm_memory_range(const struct gvm_memory *memory, uint64_t offset,
                          uint64_t length_bytes);

/* As gvm_memory_create, with GVM_TABLE_ENTRIES_MAX for `limits.min`: a
 * larger maximum is only never reached. All entries are `initial`. */
enum gvm_status gvm_table_create(struct gvm_store *store,
                                 enum gvm_value_type element_type,
                                 const struct gvm_limits *limits,
                                 union gvm_value initial,
                                 struct gvm_table **table);
uint64_t gvm_table_size(const struct gvm_table *table);
/* False outside the table. */
bool gvm_table_get(const struct gvm_table *table, uint64_t index,
                   union gvm_value *value);
bool gvm_table_set(struct gvm_table *table, uint64_t index,
                   union gvm_value value);

/* GVM_BAD_ARGUMENT: a type that a slot cannot hold. */
enum gvm_status gvm_global_create(struct gvm_store *store,
                                  enum gvm_value_type type, bool mutable_,
                                  union gvm_value value,
                                  struct gvm_global **global);
union gvm_value gvm_global_get(const struct gvm_global *global);
/* Only for mutable globals. */
void gvm_global_set(struct gvm_global *global, union gvm_value value);
/* The minimum of limits is the present size. */
void gvm_extern_type(const struct gvm_extern *external,
                     struct gvm_extern_type *type);

/* ---- Instances ------------------------------------------------------- */

/*
 * Links `module` with `imports` (one for each import, in the module's order;
 * a null pointer in one stands for an import that nobody offers) and
 * initialises globals, tables and memories. The start function is NOT
 * run: whoever instantiates calls gvm_instance_start and runs what it gives
 * before anything else.
 *
 * Returns GVM_UNLINKABLE (err names the import), GVM_TRAP when a segment
 * does not fit (at features without BULK_MEMORY: GVM_UNLINKABLE, nothing
 * written), GVM_LIMIT, GVM_NO_MEMORY, or GVM_BAD_ARGUMENT for too many
 * imports or one of another store. What earlier segments wrote into
 * imported tables and memories stays written, as the specification has it;
 * the store keeps what such tables refer to.
 */
enum gvm_status
gvm_instance_create(struct gvm_store *store, struct gvm_module *module,
                    const struct gvm_extern *imports, uint32_t import_count,
                    struct gvm_instance **instance, struct gvm_error *err);

/* The module's start function, or NULL. */
struct gvm_func *gvm_instance_start(const struct gvm_instance *instance);
struct gvm_module *gvm_instance_module(const struct gvm_instance *instance);
/* False when there is no such export. */
bool gvm_instance_export(const struct gvm_instance *instance,
                         const char *name, size_t name_bytes,
                         struct gvm_extern *external);
/* Memory 0, imported or its own, or NULL. */
struct gvm_memory *gvm_instance_memory(const struct gvm_instance *instance);

/* ---- Calls ----------------------------------------------------------- */

/*
 * A call can be used for one function after another; creating it reserves
 * the value stack (`value_stack_bytes` of address space, touched as used).
 */
enum gvm_status gvm_call_create(struct gvm_store *store,
                                struct gvm_call **call);
void gvm_call_destroy(struct gvm_call *call);

/* After gvm_instance_reset: gives back the stack's end, if it was used. */
void gvm_call_trim(struct gvm_call *call);

/* A word of the embedder's, for its host functions. */
void gvm_call_set_data(struct gvm_call *call, void *data);
void *gvm_call_data(const struct gvm_call *call);

/*
 * Fuel: one unit per WebAssembly instruction, charged by static size at
 * function entries and loop heads, and at entries one more for every 64
 * locals. Bulk operations take one for 64 bytes or 8 entries. A new call
 * has UINT64_MAX / 2. A call whose fuel does not cover the next charge is
 * suspended; it goes on after more was set. `fuel` above UINT64_MAX / 2
 * counts as that.
 */
void gvm_call_set_fuel(struct gvm_call *call, uint64_t fuel);
uint64_t gvm_call_fuel(const struct gvm_call *call);

/*
 * Runs `func` on `arguments` (one slot per parameter, types are trusted; the
 * count is `func`'s) until it ends or is suspended. A call that was
 * suspended before and not resumed is abandoned.
 *
 * Returns GVM_OK, GVM_TRAP (err: kind, function, offset), GVM_EXHAUSTED (the
 * value stack), GVM_EXITED, GVM_SUSPENDED or GVM_NO_MEMORY.
 */
enum gvm_status gvm_call_start(struct gvm_call *call, struct gvm_func *func,
                               const union gvm_value *arguments,
                               struct gvm_error *err);
/* Goes on with a suspended call; returns as gvm_call_start does. */
enum gvm_status gvm_call_resume(struct gvm_call *call,
                                struct gvm_error *err);
/* The results of a call that returned GVM_OK, until it is started again. */
const union gvm_value *gvm_call_results(const struct gvm_call *call);

enum gvm_suspension {
    GVM_SUSPENSION_NONE,
    GVM_SUSPENSION_FUEL,
    GVM_SUSPENSION_INTERRUPT,
    GVM_SUSPENSION_HOST,
};

/* Why the last run returned GVM_SUSPENDED. */
enum gvm_suspension gvm_call_suspension(const struct gvm_call *call);

/*
 * Asks the call to suspend itself at the next place where fuel is charged
 * and at least every GVM_INTERRUPT_FUEL units; any thread may ask, and asking
 * once stops it once. Calls of modules loaded with `fuel_off` do not hear it.
 */
void gvm_call_interrupt(struct gvm_call *call);

/* For host functions: the instance whose code called. */
struct gvm_instance *gvm_call_instance(const struct gvm_call *call);
/*
 * For host functions: says why, formatted as printf does, and returns
 * GVM_TRAP. A `trap` other than GVM_TRAP_HOST may go without a format.
 */
enum gvm_status gvm_call_trap(struct gvm_call *call, enum gvm_trap trap,
                              const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- Counting dispatches --------------------------------------------- */

/*
 * Diagnostic, for builds with GLASS_VM_COUNT_DISPATCHES, which are slower:
 * how often operations were done since the process began, by all engines
 * together. A *handler* is an operation with its operands in certain
 * places, a *pair* two operations in a row. Indexes begin at 0; false behind
 * the last, and in all other builds. Threads that run at once lose counts.
 */
bool gvm_dispatches_of_handler(uint32_t index, const char **name,
                               uint64_t *count);
bool gvm_dispatches_of_pair(uint32_t index, const char **first,
                            const char **second, uint64_t *count);

/* ---- Version --------------------------------------------------------- */

#define GVM_VERSION "0.1.0"
const char *gvm_version(void);

#ifdef __cplusplus
}
#endif

/* Instances that begin where another one was, and files in their memories. */
#include "vm/vm_mapping.h"
#include "vm/vm_snapshot.h"

#endif
