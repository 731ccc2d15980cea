/*
 * check_code.c - tests of vm/code.c: when functions are translated, by how
 * many threads, and how a place in code is found again.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "vm/code.h"

#define I(name) GVM__INSN_##name
#define THREADS 4
#define FUNCTIONS 200u

static struct vm_guest guest;

static bool
is_translated(const struct gvm_module *module, uint32_t defined)
{
    struct gvm__function *function = &module->functions[defined];

    return atomic_load(&function->entry) != function->lazy;
}

static struct gvm_module *
load(struct vm_world *world, struct module_builder *builder, bool eager)
{
    struct gvm_module_options options = {.eager = eager,
                                         .copy_bytes = true};
    struct gvm_module *module = NULL;
    size_t length_bytes;
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);

    vm_world_open(world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_module_load(world->engine, &options, bytes,
                                     length_bytes, &module, NULL),
                     GVM_OK);
    module_builder_destroy(builder);
    world->modules[world->module_count++] = module;
    return module;
}

/* ---- When ---------------------------------------------------------------- */

/* f(n) = g(n) + 1, g(n) = n + 2, and h that nobody calls. */
static struct module_builder *
build_three(void)
{
    struct module_builder *builder = module_builder_create();

    module_builder_func(builder, "i:i", "",
                        BYTES(I(LOCAL_GET), 0, I(CALL), 1, I(I32_CONST), 1,
                              I(I32_ADD), I(END)));
    module_builder_func(builder, "i:i", "",
                        BYTES(I(LOCAL_GET), 0, I(I32_CONST), 2, I(I32_ADD),
                              I(END)));
    module_builder_func(builder, "i:i", "",
                        BYTES(I(LOCAL_GET), 0, I(END)));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    return builder;
}

START_TEST(a_function_is_translated_when_it_is_called_first)
{
    struct vm_world world;
    struct gvm_module *module = load(&world, build_three(), false);

    ck_assert(!is_translated(module, 0));
    vm_guest_open_in(&guest, &world, module, NULL);
    ck_assert(!is_translated(module, 0));
    vm_guest_expect(&guest, "f", SLOTS(5), 1, SLOTS(8));
    ck_assert(is_translated(module, 0));
    ck_assert(is_translated(module, 1));
    ck_assert(!is_translated(module, 2));
    vm_guest_expect(&guest, "f", SLOTS(6), 1, SLOTS(9));
    vm_guest_close(&guest);
}
END_TEST

START_TEST(eager_modules_are_translated_when_they_are_loaded)
{
    struct vm_world world;
    struct gvm_module *module = load(&world, build_three(), true);

    for (uint32_t i = 0; i < 3; i++)
        ck_assert(is_translated(module, i));
    vm_guest_open_in(&guest, &world, module, NULL);
    vm_guest_expect(&guest, "f", SLOTS(5), 1, SLOTS(8));
    vm_guest_close(&guest);
}
END_TEST

/* A body of exactly so many bytes that gives its argument. */
static void
add_large(struct module_builder *builder, size_t body_bytes)
{
    struct byte_buffer body = {0};

    /* The byte that says that there are no locals counts. */
    while (body.length_bytes < body_bytes - 4)
        byte_buffer_put_byte(&body, I(NOP));
    byte_buffer_put(&body, BYTES(I(LOCAL_GET), 0, I(END)));
    module_builder_func(builder, "i:i", "", body.bytes, body.length_bytes);
    byte_buffer_deinit(&body);
}

START_TEST(only_bodies_too_large_for_a_first_call_are_translated_early)
{
    struct module_builder *builder = module_builder_create();
    struct vm_world world;
    struct gvm_module *module;

    add_large(builder, GVM_LAZY_BODY_BYTES_MAX);
    add_large(builder, GVM_LAZY_BODY_BYTES_MAX + 1);
    module_builder_export(builder, "largest", GVM_EXTERN_FUNC, 0);
    module_builder_export(builder, "larger", GVM_EXTERN_FUNC, 1);
    module = load(&world, builder, false);
    ck_assert_uint_eq(module->functions[0].body_bytes,
                      GVM_LAZY_BODY_BYTES_MAX);
    ck_assert(!is_translated(module, 0));
    ck_assert(is_translated(module, 1));
    vm_guest_open_in(&guest, &world, module, NULL);
    vm_guest_expect(&guest, "largest", SLOTS(7), 1, SLOTS(7));
    vm_guest_expect(&guest, "larger", SLOTS(8), 1, SLOTS(8));
    vm_guest_close(&guest);
}
END_TEST

/* ---- By whom ------------------------------------------------------------- */

/* Function i gives function i + 1's result and i; the last one 0. */
static struct module_builder *
build_chain(void)
{
    struct module_builder *builder = module_builder_create();

    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        struct byte_buffer body = {0};

        if (i + 1 < FUNCTIONS) {
            byte_buffer_put_byte(&body, I(CALL));
            byte_buffer_put_unsigned(&body, i + 1);
        } else {
            byte_buffer_put(&body, BYTES(I(I32_CONST), 0));
        }
        byte_buffer_put_byte(&body, I(I32_CONST));
        byte_buffer_put_signed(&body, (int32_t)i);
        byte_buffer_put(&body, BYTES(I(I32_ADD), I(END)));
        module_builder_func(builder, ":i", "", body.bytes,
                            body.length_bytes);
        byte_buffer_deinit(&body);
    }
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    return builder;
}

struct worker {
    pthread_t thread;
    pthread_barrier_t *barrier;
    struct gvm_engine *engine;
    struct gvm_module *module;
    enum gvm_status status;
    uint32_t result;
};

/* A store, an instance and a call of its own; the module is everybody's. */
static void *
work(void *argument)
{
    struct worker *worker = argument;
    struct gvm_extern function = {.kind = GVM_EXTERN_FUNC};
    struct gvm_store *store = NULL;
    struct gvm_instance *instance = NULL;
    struct gvm_call *call = NULL;

    worker->status = gvm_store_create(worker->engine, NULL, &store);
    if (worker->status == GVM_OK)
        worker->status = gvm_instance_create(store, worker->module, NULL, 0,
                                             &instance, NULL);
    if (worker->status == GVM_OK)
        worker->status = gvm_call_create(store, &call);
    pthread_barrier_wait(worker->barrier);
    if (worker->status == GVM_OK &&
        gvm_instance_export(instance, "f", 1, &function))
        worker->status = gvm_call_start(call, function.func, NULL, NULL);
    if (worker->status == GVM_OK)
        worker->result = gvm_call_results(call)->i32;
    gvm_call_destroy(call);
    gvm_store_destroy(store);
    return NULL;
}

START_TEST(threads_translate_one_module_at_the_same_time)
{
    struct worker workers[THREADS];
    struct vm_world world;
    struct gvm_module *module = load(&world, build_chain(), false);
    pthread_barrier_t barrier;

    ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.barrier = &barrier,
                                     .engine = world.engine,
                                     .module = module};
        ck_assert_int_eq(
            pthread_create(&workers[i].thread, NULL, work, &workers[i]),
            0);
    }
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
        ck_assert_int_eq(workers[i].status, GVM_OK);
        ck_assert_uint_eq(workers[i].result,
                          FUNCTIONS * (FUNCTIONS - 1) / 2);
    }
    for (uint32_t i = 0; i < FUNCTIONS; i++)
        ck_assert(is_translated(module, i));
    pthread_barrier_destroy(&barrier);
    vm_world_close(&world);
}
END_TEST

START_TEST(what_is_published_first_is_what_stays)
{
    struct vm_world world;
    struct gvm_module *module = load(&world, build_three(), true);
    struct gvm__function *function = &module->functions[0];
    const uint64_t *first = atomic_load(&function->entry);

    ck_assert_int_eq(gvm__code_translate(function), GVM_OK);
    ck_assert_ptr_eq(atomic_load(&function->entry), first);
    vm_world_close(&world);
}
END_TEST

/* ---- Where --------------------------------------------------------------- */

/* Every function traps somewhere else; in large modules as well as in small
 * ones the right one is named. */
START_TEST(a_place_is_found_among_many_functions)
{
    enum { COUNT = 3000 };
    struct module_builder *builder = module_builder_create();
    uint8_t body[100];
    size_t length_bytes, start;
    const uint8_t *bytes;

    memset(body, I(NOP), sizeof(body));
    for (uint32_t i = 0; i < COUNT; i++) {
        char name[12];
        uint32_t nops = i % 90;

        body[nops] = I(UNREACHABLE);
        body[nops + 1] = I(END);
        module_builder_func(builder, ":", "", body, nops + 2);
        memset(body, I(NOP), sizeof(body));
        snprintf(name, sizeof(name), "f%u", i);
        module_builder_export(builder, name, GVM_EXTERN_FUNC, i);
    }
    bytes = module_builder_finish(builder, &length_bytes);
    start = vm_guest_body_offset(bytes, length_bytes, 0);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
    for (uint32_t i = 0; i < COUNT; i++) {
        char name[12];

        snprintf(name, sizeof(name), "f%u", COUNT - 1 - i);
        vm_guest_expect_trap(&guest, name, NULL, GVM_TRAP_UNREACHABLE);
        ck_assert_uint_eq(guest.err.function, COUNT - 1 - i);
    }
    /* Bodies are a byte of length, one of locals, nops, two bytes. */
    for (uint32_t i = 0; i < 90; i++) {
        char name[12];

        snprintf(name, sizeof(name), "f%u", i);
        vm_guest_expect_trap(&guest, name, NULL, GVM_TRAP_UNREACHABLE);
        ck_assert_uint_eq(guest.err.offset, start + 1 + i);
        start += 4 + i;
    }
    vm_guest_close(&guest);
}
END_TEST

START_TEST(what_is_no_code_is_found_nowhere)
{
    struct vm_world world;
    struct gvm_module *module = load(&world, build_three(), true);
    uint8_t elsewhere = 0;
    uint32_t function = 7;
    uint64_t offset = 8;

    ck_assert(!gvm__code_locate(module, &elsewhere, &function, &offset));
    ck_assert(!gvm__code_locate(module, NULL, &function, &offset));
    ck_assert_uint_eq(function, 7);
    ck_assert_uint_eq(offset, 8);
    vm_world_close(&world);
}
END_TEST

static Suite *
code_suite(void)
{
    Suite *suite = suite_create("code");
    TCase *tcase = tcase_create("code");

    tcase_add_test(tcase, a_function_is_translated_when_it_is_called_first);
    tcase_add_test(tcase,
                   eager_modules_are_translated_when_they_are_loaded);
    tcase_add_test(
        tcase, only_bodies_too_large_for_a_first_call_are_translated_early);
    tcase_add_test(tcase, threads_translate_one_module_at_the_same_time);
    tcase_add_test(tcase, what_is_published_first_is_what_stays);
    tcase_add_test(tcase, a_place_is_found_among_many_functions);
    tcase_add_test(tcase, what_is_no_code_is_found_nowhere);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(code_suite());
}
