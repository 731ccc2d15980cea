/*
 * figures.c - what single things of the engine cost.
 *
 *     bench-figures load MODULE.wasm...   bytes loaded and translated a second
 *     bench-figures calls CALLS.wasm      a call: direct, indirect, to the host
 *     bench-figures fuel KERNEL.wasm...   the kernels with and without fuel
 *
 * Everything is measured several times, in turn with what it is compared
 * with, and the least processor time counts: what else the machine does can
 * only add. Guard pages; fuel is charged unless said otherwise.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vm/vm.h"

#define LOAD_ROUNDS 7
#define CALL_ROUNDS 9
#define CALLS 3000000u
#define FUEL_ROUNDS 5

struct bytes {
    uint8_t *start;
    size_t count;
};

/* A module, ready to run. */
struct guest {
    struct gvm_module *module;
    struct gvm_store *store;
    struct gvm_instance *instance;
    struct gvm_call *call;
};

static void
fail(const char *about, const char *what)
{
    fprintf(stderr, "bench-figures: %s: %s\n", about, what);
    exit(1);
}

static double
now_seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static struct bytes
read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct bytes bytes = {NULL, 0};
    long length = -1;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0)
        length = ftell(file);
    if (length < 0)
        fail(path, "cannot be read");
    rewind(file);
    bytes.start = malloc((size_t)length + 1);
    if (bytes.start != NULL)
        bytes.count = fread(bytes.start, 1, (size_t)length, file);
    if (bytes.count != (size_t)length)
        fail(path, "cannot be read");
    fclose(file);
    return bytes;
}

static struct gvm_engine *
open_engine(void)
{
    struct gvm_engine_options options = {.bounds = GVM_BOUNDS_GUARD};
    struct gvm_engine *engine;

    if (gvm_guard_install() != GVM_OK ||
        gvm_engine_create(&options, &engine) != GVM_OK)
        fail("engine", "there are no guard pages");
    return engine;
}

static struct gvm_module *
load(struct gvm_engine *engine, struct bytes bytes,
     const struct gvm_module_options *options)
{
    struct gvm_module *module;
    struct gvm_error err;

    if (gvm_module_load(engine, options, bytes.start, bytes.count, &module,
                        &err) != GVM_OK)
        fail("module", err.message);
    return module;
}

/* ---- Loading ------------------------------------------------------------- */

static uint64_t
read_number(struct bytes bytes, size_t *at)
{
    uint64_t value = 0;

    for (unsigned shift = 0; *at < bytes.count; shift += 7) {
        uint8_t byte = bytes.start[(*at)++];

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

/* Bytes of the code section: what is validated and translated. */
static size_t
code_bytes(struct bytes bytes)
{
    for (size_t at = 8; at < bytes.count;) {
        uint8_t id = bytes.start[at++];
        uint64_t length = read_number(bytes, &at);

        if (id == 10)
            return (size_t)length;
        at += (size_t)length;
    }
    return 0;
}

static double
time_load(struct gvm_engine *engine, struct bytes bytes, bool eager)
{
    struct gvm_module_options options = {.eager = eager};
    double begin = now_seconds(), end;
    struct gvm_module *module = load(engine, bytes, &options);

    end = now_seconds();
    gvm_module_destroy(module);
    return end - begin;
}

static void
print_load(struct gvm_engine *engine, const char *path)
{
    struct bytes bytes = read_file(path);
    double lazy = INFINITY, eager = INFINITY;
    double code = (double)code_bytes(bytes) * 1e-6;
    const char *name = strrchr(path, '/');

    for (unsigned i = 0; i < LOAD_ROUNDS; i++) {
        lazy = fmin(lazy, time_load(engine, bytes, false));
        eager = fmin(eager, time_load(engine, bytes, true));
    }
    printf("| %s | %.2f | %.2f | %.1f | %.0f | %.1f | %.0f |\n",
           name != NULL ? name + 1 : path, (double)bytes.count * 1e-6, code,
           lazy * 1e3, code / lazy, (eager - lazy) * 1e3,
           code / (eager - lazy));
    free(bytes.start);
}

/* ---- Running ------------------------------------------------------------- */

static struct gvm_memory *memory; /* of the guest that runs */

static uint32_t
get_u32(uint32_t at)
{
    uint32_t value;
    uint8_t *from = gvm_memory_range(memory, at, sizeof value);

    if (from == NULL)
        fail("guest", "a pointer out of bounds");
    memcpy(&value, from, sizeof value);
    return value;
}

static void
set_u32(uint32_t at, uint32_t value)
{
    uint8_t *to = gvm_memory_range(memory, at, sizeof value);

    if (to == NULL)
        fail("guest", "a pointer out of bounds");
    memcpy(to, &value, sizeof value);
}

static enum gvm_status
add(struct gvm_call *call, void *data, union gvm_value *slots)
{
    (void)call, (void)data;
    slots[0].i64 = slots[0].i32 + slots[1].i32;
    return GVM_OK;
}

/* Says that all was written, and writes nothing. */
static enum gvm_status
fd_write(struct gvm_call *call, void *data, union gvm_value *slots)
{
    uint32_t written = 0;

    (void)call, (void)data;
    for (uint32_t i = 0; i < slots[2].i32; i++)
        written += get_u32(slots[1].i32 + 8 * i + 4);
    set_u32(slots[3].i32, written);
    slots[0].slot = 0;
    return GVM_OK;
}

static enum gvm_status
leave(struct gvm_call *call, void *data, union gvm_value *slots)
{
    (void)call, (void)data, (void)slots;
    return GVM_EXITED;
}

/* Every other function of WASI: EBADF. */
static enum gvm_status
refuse(struct gvm_call *call, void *data, union gvm_value *slots)
{
    (void)call, (void)data;
    slots[0].slot = 8;
    return GVM_OK;
}

static gvm_host_function *
find_function(const struct gvm_import_info *import)
{
    static const struct {
        const char *name;
        gvm_host_function *function;
    } functions[] = {
        {"add", add}, {"fd_write", fd_write}, {"proc_exit", leave}};

    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strlen(functions[i].name) == import->name_bytes &&
            memcmp(functions[i].name, import->name, import->name_bytes) == 0)
            return functions[i].function;
    return refuse;
}

static void
open_guest(struct guest *guest, struct gvm_engine *engine,
           struct gvm_module *module)
{
    uint32_t count = gvm_module_import_count(module);
    struct gvm_extern *imports = calloc(count + 1, sizeof *imports);
    struct gvm_error err;

    guest->module = module;
    if (imports == NULL ||
        gvm_store_create(engine, NULL, &guest->store) != GVM_OK)
        fail("store", "no memory");
    for (uint32_t i = 0; i < count; i++) {
        struct gvm_import_info info;

        gvm_module_import(module, i, &info);
        if (gvm_func_create_import(guest->store, module, i,
                                   find_function(&info), NULL,
                                   &imports[i].func) != GVM_OK)
            fail("import", "is no function");
    }
    if (gvm_instance_create(guest->store, module, imports, count,
                            &guest->instance, &err) != GVM_OK)
        fail("instance", err.message);
    if (gvm_call_create(guest->store, &guest->call) != GVM_OK)
        fail("call", "no memory");
    memory = gvm_instance_memory(guest->instance);
    free(imports);
}

static void
close_guest(struct guest *guest)
{
    gvm_call_destroy(guest->call);
    gvm_store_destroy(guest->store);
}

/* Processor time of a call of the export. */
static double
time_call(struct guest *guest, const char *export, uint32_t argument)
{
    union gvm_value value = {.i64 = argument};
    struct gvm_extern func;
    struct gvm_error err;
    enum gvm_status status;
    double begin;

    if (!gvm_instance_export(guest->instance, export, strlen(export), &func))
        fail(export, "is not exported");
    gvm_call_set_fuel(guest->call, UINT64_MAX);
    begin = now_seconds();
    status = gvm_call_start(guest->call, func.func, &value, &err);
    if (status != GVM_OK && status != GVM_EXITED)
        fail(export, err.message);
    return now_seconds() - begin;
}

/* ---- Calls --------------------------------------------------------------- */

static void
print_calls(struct gvm_engine *engine, const char *path)
{
    static const char *const kinds[] = {"empty", "direct", "indirect",
                                        "host"};
    enum { EMPTY, DIRECT, INDIRECT, HOST, KINDS };
    double least[KINDS];
    struct bytes bytes = read_file(path);
    struct guest guest;

    open_guest(&guest, engine, load(engine, bytes, NULL));
    for (unsigned i = 0; i < CALL_ROUNDS; i++)
        for (unsigned kind = 0; kind < KINDS; kind++) {
            double time = time_call(&guest, kinds[kind], CALLS) * 1e9 / CALLS;

            least[kind] = i == 0 ? time : fmin(least[kind], time);
        }
    printf("| call | round, ns | call, ns |\n|---|--:|--:|\n");
    for (unsigned kind = 0; kind < KINDS; kind++)
        printf("| %s | %.2f | %.2f |\n", kinds[kind], least[kind],
               least[kind] - least[EMPTY]);
    printf("\nindirect to direct: %.2f by the round, %.2f by the call\n",
           least[INDIRECT] / least[DIRECT],
           (least[INDIRECT] - least[EMPTY]) /
               (least[DIRECT] - least[EMPTY]));
    close_guest(&guest);
    gvm_module_destroy(guest.module);
    free(bytes.start);
}

/* ---- Fuel ---------------------------------------------------------------- */

static double
time_kernel(struct gvm_engine *engine, struct gvm_module *module)
{
    struct guest guest;
    double time;

    open_guest(&guest, engine, module);
    time = time_call(&guest, "_start", 0);
    close_guest(&guest);
    return time;
}

/* Returns the ratio of the times with and without fuel. */
static double
print_fuel(struct gvm_engine *engine, const char *path)
{
    static const struct gvm_module_options options[] = {
        {.fuel_off = false}, {.fuel_off = true}};
    struct bytes bytes = read_file(path);
    struct gvm_module *modules[2];
    double least[2] = {INFINITY, INFINITY};
    const char *name = strrchr(path, '/');

    for (unsigned i = 0; i < 2; i++)
        modules[i] = load(engine, bytes, &options[i]);
    for (unsigned round = 0; round < FUEL_ROUNDS; round++)
        for (unsigned i = 0; i < 2; i++)
            least[i] = fmin(least[i], time_kernel(engine, modules[i]));
    for (unsigned i = 0; i < 2; i++)
        gvm_module_destroy(modules[i]);
    printf("| %s | %.1f | %.1f | %.3f |\n",
           name != NULL ? name + 1 : path, least[1] * 1e3, least[0] * 1e3,
           least[0] / least[1]);
    fflush(stdout);
    free(bytes.start);
    return least[0] / least[1];
}

int
main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    struct gvm_engine *engine = open_engine();
    double product = 0;

    if (strcmp(what, "load") == 0) {
        printf("| module | MB | code, MB | decoded and validated, ms | MB/s "
               "| translated, ms | MB/s |\n"
               "|---|--:|--:|--:|--:|--:|--:|\n");
        for (int i = 2; i < argc; i++)
            print_load(engine, argv[i]);
    } else if (strcmp(what, "calls") == 0) {
        print_calls(engine, argv[2]);
    } else if (strcmp(what, "fuel") == 0) {
        printf("| kernel | without fuel, ms | with, ms | ratio |\n"
               "|---|--:|--:|--:|\n");
        for (int i = 2; i < argc; i++)
            product += log(print_fuel(engine, argv[i]));
        printf("| **mean** | | | %.3f |\n", exp(product / (argc - 2)));
    } else {
        fprintf(stderr,
                "usage: bench-figures load|calls|fuel MODULE.wasm...\n");
        return 2;
    }
    gvm_engine_destroy(engine);
    return 0;
}
