/*
 * run_module.c - runs a generated module in every way and prints what it did.
 *
 *     run_module MODULE.wasm
 *
 * Every exported function is called a few times with arguments that bend;
 * then come memories and globals. The transcript says all that an embedder
 * can see, in lines that v8.mjs makes as well:
 *
 *     call NAME i32:0x5 f64:nan = i32 i64
 *       log-i32 i32:0x7
 *       -> i32:0x1 i64:0x2
 *     call ...
 *       trap unreachable
 *     memory NAME bytes 65536 hash 0x1234
 *     global NAME i32:0x0
 *
 * The module is run with each kind of bounds, with and without registers and
 * fusion, in one go and stopped all the time for want of fuel. Were two of
 * these transcripts different, the exit status is 1, and the first line that
 * differs is on stderr; 2 when the module cannot be run at all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm/vm.h"

#define CALLS_PER_EXPORT 3
#define PARAMETERS_MAX 64
#define FUEL 1000000000ull
/* Of a run that is stopped all the time: 1 up to so much at once. */
#define FUEL_SLICE 100u
#define TECHNIQUES ((uint32_t)(GVM_TECHNIQUE_REGISTERS | GVM_TECHNIQUE_FUSION))
/* What generated modules reset, so that each call may run for a while. */
#define LIMIT_EXPORT "hangLimitInitializer"

struct manner {
    enum gvm_bounds bounds;
    uint32_t techniques_off;
    bool stops;
};

struct run {
    const struct manner *manner;
    const uint8_t *bytes;
    size_t length_bytes;
    struct gvm_engine *engine;
    struct gvm_module *module;
    struct gvm_store *store;
    struct gvm_instance *instance;
    struct gvm_call *call;
    struct gvm_error err;
    FILE *text;
    uint32_t random;
    uint32_t random_fuel;
};

static uint32_t
next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* ---- Values -------------------------------------------------------------- */

/* Payloads and signs of NaN differ between engines, and may. */
static void
print_value(FILE *text, uint8_t type, union gvm_value value)
{
    const char *name = gvm_value_type_name((enum gvm_value_type)type);

    if (type == GVM_F32 && value.f32 != value.f32)
        fprintf(text, " %s:nan", name);
    else if (type == GVM_F64 && value.f64 != value.f64)
        fprintf(text, " %s:nan", name);
    else if (type == GVM_FUNCREF || type == GVM_EXTERNREF)
        fprintf(text, " %s:%s", name, value.slot == 0 ? "null" : "there");
    else
        fprintf(text, " %s:0x%" PRIx64, name, value.slot);
}

#define BENDING 8
static const uint64_t bending[4][BENDING] = {
    {0, 1, 0xffffffff, 0x80000000, 0x7fffffff, 0xffff, 16, 0xffffc},
    {0, 1, UINT64_MAX, 1ull << 63, INT64_MAX, 0x80000000, 0xffffffff, 8},
    /* 0, -0, 1, -1, infinities, NaN, 2^31 */
    {0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
     0x7fc00000, 0x4f000000},
    {0, 1ull << 63, 0x3ff0000000000000, 0xbff0000000000000,
     0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
     0x41e0000000000000},
};

static union gvm_value
make_argument(struct run *run, uint8_t type)
{
    unsigned choice = next_random(&run->random) % (BENDING + 4);
    uint64_t bits = next_random(&run->random);
    union gvm_value value = {.slot = 0};

    bits = bits << 32 | next_random(&run->random);
    if (type == GVM_FUNCREF || type == GVM_EXTERNREF)
        return value;
    if (choice < BENDING)
        value.slot = bending[GVM_I32 - type][choice];
    else if (type == GVM_I32)
        value.i32 = (uint32_t)bits;
    else if (type == GVM_I64)
        value.i64 = bits;
    else if (type == GVM_F32)
        value.f32 = (float)(int32_t)bits;
    else
        value.f64 = (double)(int64_t)bits;
    return value;
}

/* ---- Imports ------------------------------------------------------------- */

struct logger {
    struct run *run;
    struct gvm_import_info import;
};

static enum gvm_status
log_call(struct gvm_call *call, void *data, union gvm_value *slots)
{
    const struct logger *logger = data;
    const struct gvm_func_type *type = &logger->import.type.func;

    (void)call;
    fprintf(logger->run->text, "  %.*s", (int)logger->import.name_bytes,
            logger->import.name);
    for (uint32_t i = 0; i < type->parameter_count; i++)
        print_value(logger->run->text, type->parameters[i], slots[i]);
    fputc('\n', logger->run->text);
    for (uint32_t i = 0; i < type->result_count; i++)
        slots[i].slot = 0;
    return GVM_OK;
}

/* ---- Running ------------------------------------------------------------- */

/* The engine's words as those that V8 has: it does not tell apart what is
 * wrong with a number, or with an entry of a table. */
static const char *
trap_name(enum gvm_trap trap)
{
    switch (trap) {
    case GVM_TRAP_INTEGER_OVERFLOW:
    case GVM_TRAP_INVALID_CONVERSION:
        return "unrepresentable";
    case GVM_TRAP_UNINITIALIZED_ELEMENT:
    case GVM_TRAP_INDIRECT_CALL_TYPE_MISMATCH:
        return "signature";
    default:
        return gvm_trap_text(trap);
    }
}

static enum gvm_status
call_function(struct run *run, struct gvm_func *func,
              const union gvm_value *arguments)
{
    uint64_t left = FUEL;
    uint64_t slice = run->manner->stops ? 0 : FUEL;
    enum gvm_status status;

    gvm_call_set_fuel(run->call, slice);
    status = gvm_call_start(run->call, func, arguments, &run->err);
    while (status == GVM_SUSPENDED && run->manner->stops && left > 0) {
        slice = 1 + next_random(&run->random_fuel) % FUEL_SLICE;
        left -= slice < left ? slice : left;
        gvm_call_set_fuel(run->call, gvm_call_fuel(run->call) + slice);
        status = gvm_call_resume(run->call, &run->err);
    }
    return status;
}

static void
print_end(struct run *run, enum gvm_status status,
          const struct gvm_func_type *type)
{
    if (status == GVM_TRAP) {
        fprintf(run->text, "  trap %s\n", trap_name(run->err.trap));
    } else if (status != GVM_OK) {
        fprintf(run->text, "  %s\n", gvm_status_text(status));
    } else {
        fprintf(run->text, "  ->");
        for (uint32_t i = 0; i < type->result_count; i++)
            print_value(run->text, type->results[i],
                        gvm_call_results(run->call)[i]);
        fputc('\n', run->text);
    }
}

static void
call_export(struct run *run, const struct gvm_export_info *export,
            struct gvm_func *func)
{
    const struct gvm_func_type *type = &export->type.func;
    union gvm_value arguments[PARAMETERS_MAX];
    struct gvm_extern limit;

    if (type->parameter_count > PARAMETERS_MAX)
        return;
    if (gvm_instance_export(run->instance, LIMIT_EXPORT,
                            strlen(LIMIT_EXPORT), &limit))
        call_function(run, limit.func, NULL);
    fprintf(run->text, "call %.*s", (int)export->name_bytes, export->name);
    for (uint32_t i = 0; i < type->parameter_count; i++) {
        arguments[i] = make_argument(run, type->parameters[i]);
        print_value(run->text, type->parameters[i], arguments[i]);
    }
    fprintf(run->text, " =");
    for (uint32_t i = 0; i < type->result_count; i++)
        fprintf(run->text, " %s",
                gvm_value_type_name(
                    (enum gvm_value_type)type->results[i]));
    fputc('\n', run->text);
    print_end(run, call_function(run, func, arguments), type);
}

static uint32_t
hash(const uint8_t *bytes, uint64_t length_bytes)
{
    uint32_t value = 0x811c9dc5u;

    for (uint64_t i = 0; i < length_bytes; i++)
        value = (value ^ bytes[i]) * 0x01000193u;
    return value;
}

static void
print_left(struct run *run, const struct gvm_export_info *export,
           struct gvm_extern item)
{
    if (export->type.kind == GVM_EXTERN_MEMORY) {
        uint64_t bytes = gvm_memory_size_bytes(item.memory);

        fprintf(run->text, "memory %.*s bytes %" PRIu64 " hash 0x%x\n",
                (int)export->name_bytes, export->name, bytes,
                hash(gvm_memory_data(item.memory), bytes));
    } else if (export->type.kind == GVM_EXTERN_GLOBAL) {
        fprintf(run->text, "global %.*s", (int)export->name_bytes,
                export->name);
        print_value(run->text, (uint8_t)export->type.value_type,
                    gvm_global_get(item.global));
        fputc('\n', run->text);
    }
}

/* All exported functions, then all other exports. */
static void
run_exports(struct run *run)
{
    uint32_t count = gvm_module_export_count(run->module);

    for (uint32_t i = 0; i < 2 * count; i++) {
        struct gvm_export_info export;
        struct gvm_extern item;

        gvm_module_export(run->module, i % count, &export);
        if (!gvm_instance_export(run->instance, export.name,
                                 export.name_bytes, &item))
            continue;
        if (i >= count)
            print_left(run, &export, item);
        else if (item.kind == GVM_EXTERN_FUNC)
            for (unsigned k = 0; k < CALLS_PER_EXPORT; k++)
                call_export(run, &export, item.func);
    }
}

static enum gvm_status
instantiate(struct run *run, struct logger *loggers)
{
    uint32_t count = gvm_module_import_count(run->module);
    struct gvm_extern *imports = calloc(count + 1, sizeof *imports);
    enum gvm_status status = GVM_NO_MEMORY;

    if (imports == NULL)
        return status;
    for (uint32_t i = 0; i < count; i++) {
        loggers[i].run = run;
        gvm_module_import(run->module, i, &loggers[i].import);
        if (loggers[i].import.type.kind == GVM_EXTERN_FUNC)
            gvm_func_create_import(run->store, run->module, i, log_call,
                                   &loggers[i], &imports[i].func);
    }
    status = gvm_instance_create(run->store, run->module, imports, count,
                                 &run->instance, &run->err);
    free(imports);
    return status;
}

/* Runs the module in one manner; its transcript goes to `run->text`. */
static enum gvm_status
run_manner(struct run *run)
{
    struct gvm_engine_options options = {
        .bounds = run->manner->bounds,
        .techniques_off = run->manner->techniques_off,
    };
    struct logger *loggers = NULL;
    enum gvm_status status = gvm_engine_create(&options, &run->engine);

    if (status == GVM_OK)
        status = gvm_module_load(run->engine, NULL, run->bytes,
                                 run->length_bytes, &run->module, &run->err);
    if (status == GVM_OK)
        status = gvm_store_create(run->engine, NULL, &run->store);
    if (status == GVM_OK) {
        loggers = calloc(gvm_module_import_count(run->module) + 1,
                         sizeof *loggers);
        status = loggers != NULL ? instantiate(run, loggers) : GVM_NO_MEMORY;
    }
    if (status == GVM_OK)
        status = gvm_call_create(run->store, &run->call);
    if (status == GVM_OK)
        run_exports(run);
    gvm_call_destroy(run->call);
    gvm_store_destroy(run->store);
    gvm_module_destroy(run->module);
    gvm_engine_destroy(run->engine);
    free(loggers);
    return status;
}

/* ---- All manners --------------------------------------------------------- */

static uint8_t *
read_file(const char *path, size_t *length_bytes)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long length;

    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    length = ftell(file);
    rewind(file);
    if (length >= 0)
        bytes = malloc((size_t)length + 1);
    if (bytes != NULL) {
        *length_bytes = fread(bytes, 1, (size_t)length, file);
        bytes[*length_bytes] = 0;
    }
    fclose(file);
    return bytes;
}

static char *
make_transcript(const struct manner *manner, const uint8_t *bytes,
                size_t length_bytes)
{
    char *text = NULL;
    size_t text_bytes;
    struct run run = {
        .manner = manner,
        .bytes = bytes,
        .length_bytes = length_bytes,
        .random = (uint32_t)length_bytes | 1,
        .random_fuel = (uint32_t)length_bytes | 1,
    };
    enum gvm_status status;

    run.text = open_memstream(&text, &text_bytes);
    if (run.text == NULL)
        return NULL;
    status = run_manner(&run);
    fclose(run.text);
    if (status == GVM_OK)
        return text;
    fprintf(stderr, "run_module: %s: %s\n", gvm_status_text(status),
            run.err.message);
    free(text);
    return NULL;
}

/* Says on stderr where two transcripts part. */
static void
print_difference(const struct manner *manner, const char *first,
                 const char *other)
{
    unsigned line = 1;
    size_t i, begin = 0;

    for (i = 0; first[i] == other[i]; i++)
        if (first[i] == '\n') {
            line++;
            begin = i + 1;
        }
    fprintf(stderr,
            "run_module: bounds %d, techniques off %" PRIx32
            ", stops %d: line %u:\n%.*s\nnot\n%.*s\n",
            (int)manner->bounds, manner->techniques_off, manner->stops,
            line, (int)strcspn(other + begin, "\n"), other + begin,
            (int)strcspn(first + begin, "\n"), first + begin);
}

int
main(int argc, char **argv)
{
    bool has_guard = gvm_guard_install() == GVM_OK;
    size_t length_bytes = 0;
    uint8_t *bytes = argc == 2 ? read_file(argv[1], &length_bytes) : NULL;
    char *first = NULL;
    int code = bytes != NULL ? 0 : 2;

    if (bytes == NULL)
        fprintf(stderr, "Usage: run_module MODULE.wasm\n");
    for (unsigned i = 0; i < 4 * (TECHNIQUES + 1) && code == 0; i++) {
        struct manner manner = {
            .bounds = (enum gvm_bounds)(i & 1),
            .techniques_off = i >> 1 & TECHNIQUES,
            .stops = i > 2 * TECHNIQUES + 1,
        };
        char *text;

        if (manner.bounds == GVM_BOUNDS_GUARD && !has_guard)
            continue;
        text = make_transcript(&manner, bytes, length_bytes);
        if (text == NULL) {
            code = 2;
        } else if (first == NULL) {
            first = text;
            fputs(first, stdout);
            continue;
        } else if (strcmp(first, text) != 0) {
            print_difference(&manner, first, text);
            code = 1;
        }
        free(text);
    }
    free(first);
    free(bytes);
    return code;
}
