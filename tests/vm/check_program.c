/*
 * check_program.c - random programs, in the engine and by the letter.
 *
 * Each seed gives a program (program.h). Its outcome in every kind of run
 * must be the one that the evaluator finds: results, memory, globals, the
 * place of a trap, and fuel, whether the run is left alone or stopped and
 * resumed all the time.
 *
 *     GLASS_PROGRAMS=100000     how many seeds (2,000)
 *     GLASS_PROGRAMS_SEED=5     the first one (1)
 *     GLASS_PROGRAMS_DUMP=x.wasm  where to leave the module that failed
 *
 * And each, with bytes of it changed, is refused or runs somewhere: what the
 * validator lets through must not hurt whoever runs it.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"
#include "tests/vm/program.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm/call.h"

#define CHUNKS 20
#define PROGRAMS_DEFAULT 2000u
#define FUEL 100000000u

/* How a program is run. */
struct manner {
    enum gvm_bounds bounds;
    bool fuel_off;
    bool stops; /* out of fuel all the time, and the host makes it wait */
    uint32_t off; /* bits of enum gvm_technique */
};

struct run {
    const struct program *program;
    const struct manner *manner;
    const uint64_t *arguments;
    const struct program_outcome *expected;
    struct gvm_engine *engine;
    struct gvm_module *module;
    struct gvm_store *store;
    struct gvm_instance *instance;
    struct gvm_call *call;
    struct gvm_error err;
    enum gvm_status status;
    uint64_t fuel;   /* that was spent */
    uint64_t random;
    bool waited;     /* the host function did, and was called again */
};

static uint64_t
environment_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

static void
dump(const struct program *program)
{
    const char *path = getenv("GLASS_PROGRAMS_DUMP");
    FILE *file = path != NULL ? fopen(path, "wb") : NULL;

    if (file == NULL)
        return;
    fwrite(program->bytes, 1, program->length_bytes, file);
    fclose(file);
}

#define RUN_CHECK(run, condition, ...)                                   \
    do {                                                                 \
        if (!(condition)) {                                              \
            char text_[400];                                             \
                                                                         \
            snprintf(text_, sizeof(text_), __VA_ARGS__);                 \
            dump((run)->program);                                        \
            ck_abort_msg("seed %llu, bounds %d, fuel off %d, stops %d, " \
                         "techniques off %x: %s",                        \
                         (unsigned long long)(run)->program->seed,       \
                         (int)(run)->manner->bounds,                     \
                         (run)->manner->fuel_off, (run)->manner->stops,  \
                         (run)->manner->off, text_);                     \
        }                                                                \
    } while (0)

/* ---- Running ------------------------------------------------------------- */

static enum gvm_status
bump(struct gvm_call *call, void *data, union gvm_value *slots)
{
    struct run *run = data;

    (void)call;
    run->waited = !run->waited;
    if (run->manner->stops && run->waited) {
        return GVM_SUSPENDED;
    }
    slots[0].i64 = program_host_bump(slots[0].i32, slots[1].i64);
    return GVM_OK;
}

/* What earlier calls leave on the stack must never be seen. */
static void
dirty_stack(struct gvm_call *call)
{
    enum { DIRTY_BYTES = 65536 };

    ck_assert_uint_ge(call->stack_bytes, DIRTY_BYTES);
    memset(call->stack, 0xa5, DIRTY_BYTES);
}

static void
open_run(struct run *run)
{
    static const uint8_t parameters[] = {GVM_I32, GVM_I64};
    static const uint8_t results[] = {GVM_I64};
    static const struct gvm_func_type type = {parameters, results, 2, 1};
    struct gvm_extern import = {.kind = GVM_EXTERN_FUNC};
    enum gvm_status status;

    ck_assert_int_eq(gvm_store_create(run->engine, NULL, &run->store),
                     GVM_OK);
    ck_assert_int_eq(
        gvm_func_create(run->store, &type, bump, run, &import.func),
        GVM_OK);
    status = gvm_instance_create(run->store, run->module, &import, 1,
                                 &run->instance, &run->err);
    RUN_CHECK(run, status == GVM_OK, "no instance: %s", run->err.message);
    ck_assert_int_eq(gvm_call_create(run->store, &run->call), GVM_OK);
    dirty_stack(run->call);
}

static void
execute(struct run *run)
{
    struct gvm_extern main_function = vm_world_export(run->instance, "main");
    uint64_t left = FUEL;
    uint64_t granted = FUEL;

    if (run->manner->stops)
        granted = program_random(&run->random) % 20;
    left -= granted;
    gvm_call_set_fuel(run->call, granted);
    run->status = gvm_call_start(
        run->call, main_function.func,
        (const union gvm_value *)(const void *)run->arguments, &run->err);
    while (run->status == GVM_SUSPENDED) {
        if (gvm_call_suspension(run->call) == GVM_SUSPENSION_FUEL) {
            granted = 1 + program_random(&run->random) % 200;
            RUN_CHECK(run, left >= granted, "it never ends");
            left -= granted;
            gvm_call_set_fuel(run->call, gvm_call_fuel(run->call) + granted);
        }
        run->status = gvm_call_resume(run->call, &run->err);
    }
    run->fuel = FUEL - left - gvm_call_fuel(run->call);
}

/* ---- Comparing ----------------------------------------------------------- */

static bool
is_quiet_nan(uint64_t bits, char type)
{
    if (type == 'f')
        return (bits & 0x7fc00000) == 0x7fc00000 && bits >> 32 == 0;
    return (bits & 0x7ff8000000000000) == 0x7ff8000000000000;
}

static void
compare_value(const struct run *run, const char *what, uint32_t index,
              char type, uint64_t got, struct program_value expected)
{
    bool same = expected.vague ? is_quiet_nan(got, type)
                               : got == expected.bits;

    RUN_CHECK(run, same, "%s %u is 0x%llx, not %s0x%llx", what, index,
              (unsigned long long)got, expected.vague ? "NaN " : "",
              (unsigned long long)expected.bits);
}

static void
compare_end(const struct run *run)
{
    const struct program_outcome *expected = run->expected;
    const char *signature =
        run->program->functions[run->program->function_count - 1].signature;
    const char *types = program_results(signature);

    if (expected->end == PROGRAM_TRAPPED) {
        RUN_CHECK(run,
                  run->status == GVM_TRAP &&
                      run->err.trap == expected->trap &&
                      run->err.function == expected->trap_function &&
                      run->err.offset == expected->trap_offset,
                  "%s (%s), not %s in function %u at offset 0x%llx",
                  gvm_status_text(run->status), run->err.message,
                  gvm_trap_text(expected->trap), expected->trap_function,
                  (unsigned long long)expected->trap_offset);
        return;
    }
    RUN_CHECK(run, run->status == GVM_OK, "%s (%s), not a result",
              gvm_status_text(run->status), run->err.message);
    for (uint32_t i = 0; types[i] != '\0'; i++)
        compare_value(run, "result", i, types[i],
                      gvm_call_results(run->call)[i].slot,
                      expected->results[i]);
}

static void
compare_memory(const struct run *run)
{
    struct gvm_memory *memory = gvm_instance_memory(run->instance);
    const uint8_t *data = gvm_memory_data(memory);
    uint64_t size =
        (uint64_t)run->expected->pages * PROGRAM_PAGE_BYTES;

    RUN_CHECK(run, gvm_memory_size_bytes(memory) == size,
              "the memory has %llu bytes, not %llu",
              (unsigned long long)gvm_memory_size_bytes(memory),
              (unsigned long long)size);
    for (uint64_t i = 0; memcmp(data, run->expected->memory, size) != 0;
         i++)
        RUN_CHECK(run, data[i] == run->expected->memory[i],
                  "byte 0x%llx of the memory is 0x%02x, not 0x%02x",
                  (unsigned long long)i, data[i],
                  run->expected->memory[i]);
}

static void
compare_all(const struct run *run)
{
    const struct program_outcome *expected = run->expected;

    compare_end(run);
    compare_memory(run);
    for (uint32_t i = 0; run->program->globals[i] != '\0'; i++) {
        char name[] = {'g', (char)('0' + i), '\0'};
        struct gvm_extern global = vm_world_export(run->instance, name);

        compare_value(run, "global", i, run->program->globals[i],
                      gvm_global_get(global.global).slot,
                      expected->globals[i]);
    }
    RUN_CHECK(run, run->manner->fuel_off || run->fuel == expected->fuel,
              "it took %llu of fuel, not %llu",
              (unsigned long long)run->fuel,
              (unsigned long long)expected->fuel);
}

/* ---- All of it ----------------------------------------------------------- */

#define REGISTERS ((uint32_t)GVM_TECHNIQUE_REGISTERS)
#define FUSION ((uint32_t)GVM_TECHNIQUE_FUSION)

struct engines {
    struct gvm_engine *made[2][(REGISTERS | FUSION) + 1]; /* bounds, off */
    int bounds_count;
};

static struct engines
open_engines(void)
{
    struct engines engines = {.bounds_count = vm_world_bounds_count()};

    for (int i = 0; i < engines.bounds_count; i++)
        for (uint32_t off = 0; off <= (REGISTERS | FUSION); off++) {
            struct gvm_engine_options options = {
                .bounds = (enum gvm_bounds)i,
                .techniques_off = off,
            };

            ck_assert_int_eq(
                gvm_engine_create(&options, &engines.made[i][off]), GVM_OK);
        }
    return engines;
}

static void
close_engines(struct engines *engines)
{
    for (int i = 0; i < engines->bounds_count; i++)
        for (uint32_t off = 0; off <= (REGISTERS | FUSION); off++)
            gvm_engine_destroy(engines->made[i][off]);
}

static void
run_once(const struct engines *engines, const struct program *program,
         const struct manner *manner, const uint64_t *arguments,
         const struct program_outcome *expected)
{
    struct gvm_module_options options = {.fuel_off = manner->fuel_off};
    struct run run = {
        .program = program,
        .manner = manner,
        .arguments = arguments,
        .expected = expected,
        .engine = engines->made[manner->bounds][manner->off],
        .random = program->seed,
    };
    enum gvm_status status =
        gvm_module_load(run.engine, &options, program->bytes,
                        program->length_bytes, &run.module, &run.err);

    RUN_CHECK(&run, status == GVM_OK, "the module does not load: %s",
              run.err.message);
    open_run(&run);
    execute(&run);
    compare_all(&run);
    gvm_call_destroy(run.call);
    gvm_store_destroy(run.store);
    gvm_module_destroy(run.module);
}

/* Returns how the evaluator ended. */
static enum program_end
run_program(const struct engines *engines, uint64_t seed)
{
    static const struct manner manners[] = {
        {GVM_BOUNDS_EXPLICIT, false, false, 0},
        {GVM_BOUNDS_EXPLICIT, false, true, 0},
        {GVM_BOUNDS_EXPLICIT, true, false, 0},
        {GVM_BOUNDS_GUARD, false, false, 0},
        {GVM_BOUNDS_GUARD, false, true, 0},
        {GVM_BOUNDS_GUARD, true, false, 0},
        {GVM_BOUNDS_EXPLICIT, false, true, REGISTERS},
        {GVM_BOUNDS_GUARD, false, false, REGISTERS},
        {GVM_BOUNDS_EXPLICIT, false, false, FUSION},
        {GVM_BOUNDS_GUARD, false, true, FUSION},
        {GVM_BOUNDS_EXPLICIT, false, true, REGISTERS | FUSION},
        {GVM_BOUNDS_GUARD, false, false, REGISTERS | FUSION},
    };
    uint64_t arguments[PROGRAM_ARGUMENTS_MAX];
    struct program program;
    struct program_outcome expected;
    enum program_end end;
    uint64_t random = seed;

    program_generate(&program, seed);
    for (uint32_t i = 0; i < PROGRAM_ARGUMENTS_MAX; i++) {
        char type = program.functions[program.function_count - 1].locals[i];

        arguments[i] = program_random(&random) >> program_random(&random) % 64;
        if (type == 'i' || type == 'f')
            arguments[i] = (uint32_t)arguments[i];
    }
    program_evaluate(&program, arguments, &expected);
    end = expected.end;
    if (end != PROGRAM_ABANDONED)
        for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
            if ((int)manners[i].bounds < engines->bounds_count)
                run_once(engines, &program, &manners[i], arguments,
                         &expected);
    program_outcome_deinit(&expected);
    program_destroy(&program);
    return end;
}

/* The seeds of one of the CHUNKS that a test's programs are tried in. */
static uint64_t
first_seed(int chunk, uint64_t *count)
{
    *count = environment_number("GLASS_PROGRAMS", PROGRAMS_DEFAULT) / CHUNKS;
    return environment_number("GLASS_PROGRAMS_SEED", 1) +
           *count * (uint64_t)chunk;
}

START_TEST(the_engine_does_what_the_letter_of_the_specification_says)
{
    uint64_t count, first = first_seed(_i, &count);
    struct engines engines = open_engines();
    unsigned ends[3] = {0};

    for (uint64_t seed = first; seed < first + count; seed++)
        ends[run_program(&engines, seed)]++;
    if (getenv("GLASS_PROGRAMS_VERBOSE") != NULL)
        printf("seeds %llu..: %u returned, %u trapped, %u abandoned\n",
               (unsigned long long)first, ends[PROGRAM_RETURNED],
               ends[PROGRAM_TRAPPED], ends[PROGRAM_ABANDONED]);
    /* A generator whose programs say nothing would pass as well. */
    ck_assert_uint_ge(ends[PROGRAM_RETURNED], (unsigned)count / 4);
    close_engines(&engines);
}
END_TEST

/* ---- Damaged programs ---------------------------------------------------- */

#define DAMAGES_PER_PROGRAM 20
#define DAMAGED_FUEL 50000u

/* Loads what is there; true when it could be. Whatever it does is right, if
 * it does it by itself: sanitizers and asserts are what checks it. */
static bool
run_damaged(const struct engines *engines, const struct program *program,
            enum gvm_bounds bounds)
{
    static const struct manner manner = {GVM_BOUNDS_EXPLICIT, false, false,
                                         0};
    struct gvm_extern import = {.kind = GVM_EXTERN_FUNC};
    struct gvm_extern main_function = {.kind = GVM_EXTERN_FUNC};
    static const uint8_t parameters[] = {GVM_I32, GVM_I64};
    static const uint8_t results[] = {GVM_I64};
    static const struct gvm_func_type type = {parameters, results, 2, 1};
    static const union gvm_value arguments[GVM_PARAMETERS_MAX];
    struct run run = {.program = program,
                      .manner = &manner,
                      .engine = engines->made[bounds][0]};

    if (gvm_module_load(run.engine, NULL, program->bytes,
                        program->length_bytes, &run.module,
                        &run.err) != GVM_OK)
        return false;
    ck_assert_int_eq(gvm_store_create(run.engine, NULL, &run.store), GVM_OK);
    ck_assert_int_eq(
        gvm_func_create(run.store, &type, bump, &run, &import.func), GVM_OK);
    if (gvm_instance_create(run.store, run.module, &import, 1, &run.instance,
                            &run.err) == GVM_OK &&
        gvm_instance_export(run.instance, "main", 4, &main_function) &&
        main_function.kind == GVM_EXTERN_FUNC) {
        ck_assert_int_eq(gvm_call_create(run.store, &run.call), GVM_OK);
        dirty_stack(run.call);
        gvm_call_set_fuel(run.call, DAMAGED_FUEL);
        gvm_call_start(run.call, main_function.func, arguments, &run.err);
        gvm_call_destroy(run.call);
    }
    gvm_store_destroy(run.store);
    gvm_module_destroy(run.module);
    return true;
}

/* Changes bytes, mostly of code; returns how many modules still loaded. */
static unsigned
damage_program(const struct engines *engines, uint64_t seed)
{
    struct program program;
    uint64_t random = seed;
    unsigned loaded = 0;

    program_generate(&program, seed);
    for (unsigned i = 0; i < DAMAGES_PER_PROGRAM; i++) {
        size_t first = i % 4 == 0 ? 0 : program.functions[1].body_offset;
        size_t at = first + program_random(&random) %
                                (program.length_bytes - first);
        uint8_t byte = program.bytes[at];

        program.bytes[at] ^= (uint8_t)(1u << program_random(&random) % 8);
        if (i % 3 == 0)
            program.bytes[at] = (uint8_t)program_random(&random);
        loaded += run_damaged(
            engines, &program,
            (enum gvm_bounds)((int)i % engines->bounds_count));
        program.bytes[at] = byte;
    }
    program_destroy(&program);
    return loaded;
}

START_TEST(a_damaged_program_is_refused_or_ends)
{
    uint64_t count, first = first_seed(_i, &count);
    struct engines engines = open_engines();
    unsigned loaded = 0;

    for (uint64_t seed = first; seed < first + count; seed++)
        loaded += damage_program(&engines, seed);
    if (getenv("GLASS_PROGRAMS_VERBOSE") != NULL)
        printf("seeds %llu..: %u of %u damaged ones loaded\n",
               (unsigned long long)first, loaded,
               (unsigned)count * DAMAGES_PER_PROGRAM);
    /* Were all refused, nothing would have been tried. */
    ck_assert_uint_gt(loaded, 0);
    close_engines(&engines);
}
END_TEST

static Suite *
program_suite(void)
{
    Suite *suite = suite_create("program");
    TCase *tcase = tcase_create("random");

    tcase_set_timeout(tcase, 600);
    tcase_add_loop_test(
        tcase, the_engine_does_what_the_letter_of_the_specification_says, 0,
        CHUNKS);
    tcase_add_loop_test(tcase, a_damaged_program_is_refused_or_ends, 0,
                        CHUNKS);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(program_suite());
}
