/*
 * check_engine.c - tests of vm/engine.c: engines and type identities.
 */
#include "vm/module.h"
#include "tests/support/suite.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct gvm_engine *
create_engine(void)
{
    struct gvm_engine *engine = NULL;

    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
    return engine;
}

/* The number of a type whose types are given as codes. */
static uint32_t
acquire(struct gvm_engine *engine, const char *parameters,
        const char *results)
{
    struct gvm_func_type type = {
        .parameters = (const uint8_t *)parameters,
        .results = (const uint8_t *)results,
        .parameter_count = (uint32_t)strlen(parameters),
        .result_count = (uint32_t)strlen(results),
    };
    uint32_t id = UINT32_MAX;

    ck_assert_int_eq(gvm__engine_type_acquire(engine, &type, &id), GVM_OK);
    return id;
}

START_TEST(equal_types_have_one_number)
{
    struct gvm_engine *engine = create_engine();
    char parameters[] = "\x7f\x7e";
    char same[] = "\x7f\x7e";
    uint32_t id = acquire(engine, parameters, "\x7d");

    ck_assert_uint_eq(acquire(engine, same, "\x7d"), id);
    ck_assert_uint_eq(acquire(engine, "", ""), acquire(engine, "", ""));
    gvm_engine_destroy(engine);
}
END_TEST

START_TEST(different_types_have_different_numbers)
{
    static const char *const types[][2] = {
        {"", ""},           {"\x7f", ""},         {"", "\x7f"},
        {"\x7f", "\x7f"},   {"\x7f\x7f", ""},     {"", "\x7f\x7f"},
        {"\x7e", ""},       {"\x7f\x7e", "\x7d"}, {"\x7e\x7f", "\x7d"},
        {"\x7f", "\x7e\x7d"},
    };
    struct gvm_engine *engine = create_engine();
    uint32_t ids[COUNT_OF(types)];

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        ids[i] = acquire(engine, types[i][0], types[i][1]);
        for (size_t k = 0; k < i; k++) {
            ck_assert_uint_ne(ids[i], ids[k]);
        }
    }
    gvm_engine_destroy(engine);
}
END_TEST

START_TEST(techniques_are_on_unless_they_are_switched_off)
{
    static const uint32_t all =
        GVM_TECHNIQUE_REGISTERS | GVM_TECHNIQUE_FUSION;

    for (uint32_t off = 0; off <= all; off++) {
        struct gvm_engine_options options = {.techniques_off = off};
        struct gvm_engine *engine;

        ck_assert_int_eq(gvm_engine_create(&options, &engine), GVM_OK);
        for (uint32_t bit = 1; bit <= all; bit *= 2) {
            ck_assert_int_eq(
                gvm__engine_uses(engine, (enum gvm_technique)bit),
                (off & bit) == 0);
        }
        gvm_engine_destroy(engine);
    }
}
END_TEST

START_TEST(a_technique_that_is_none_is_refused)
{
    struct gvm_engine_options options = {.techniques_off = 4};
    struct gvm_engine *engine;

    ck_assert_int_eq(gvm_engine_create(&options, &engine),
                     GVM_BAD_ARGUMENT);
}
END_TEST

START_TEST(a_type_is_copied)
{
    struct gvm_engine *engine = create_engine();
    char parameters[] = "\x7f\x7e";
    uint32_t id = acquire(engine, parameters, "");

    parameters[0] = 0x7c;
    ck_assert_uint_eq(acquire(engine, "\x7f\x7e", ""), id);
    ck_assert_uint_ne(acquire(engine, parameters, ""), id);
    gvm_engine_destroy(engine);
}
END_TEST

START_TEST(a_number_is_kept_until_its_last_reference_goes)
{
    struct gvm_engine *engine = create_engine();
    uint32_t kept = acquire(engine, "\x7f", "");
    uint32_t other;

    acquire(engine, "\x7f", "");
    gvm__engine_type_release(engine, kept);
    ck_assert_uint_eq(acquire(engine, "\x7f", ""), kept);
    gvm__engine_type_release(engine, kept);
    gvm__engine_type_release(engine, kept);
    /* It is free now, so another type gets it, and it alone. */
    other = acquire(engine, "\x7e", "");
    ck_assert_uint_eq(other, kept);
    ck_assert_uint_ne(acquire(engine, "\x7f", ""), other);
    gvm_engine_destroy(engine);
}
END_TEST

/* A different type for every number: its digits to the base 4. */
static void
type_of_number(unsigned number, char text[16])
{
    size_t length = 0;

    for (; number > 0; number /= 4) {
        text[length++] = (char)(0x7c + number % 4);
    }
    text[length] = '\0';
}

START_TEST(numbers_stay_while_the_table_grows_and_shrinks)
{
    enum { COUNT = 5000 };
    static uint32_t ids[COUNT];
    struct gvm_engine *engine = create_engine();
    char text[16];

    for (unsigned i = 0; i < COUNT; i++) {
        type_of_number(i, text);
        ids[i] = acquire(engine, text, "");
    }
    for (unsigned i = 0; i < COUNT; i += 2) {
        gvm__engine_type_release(engine, ids[i]);
    }
    for (unsigned i = 1; i < COUNT; i += 2) {
        type_of_number(i, text);
        ck_assert_uint_eq(acquire(engine, text, ""), ids[i]);
    }
    /* The others come back to free numbers: none is met twice. */
    for (unsigned i = 0; i < COUNT; i += 2) {
        type_of_number(i, text);
        ids[i] = acquire(engine, text, "");
        ck_assert_uint_lt(ids[i], 2 * COUNT);
    }
    for (unsigned i = 1; i < COUNT; i += 2) {
        type_of_number(i, text);
        ck_assert_uint_eq(acquire(engine, text, ""), ids[i]);
    }
    gvm_engine_destroy(engine);
}
END_TEST

/* ---- Threads --------------------------------------------------------- */

enum { SHARED_TYPES = 64, ROUNDS = 50 };

struct worker {
    pthread_t thread;
    struct gvm_engine *engine;
    const uint32_t *ids;
    unsigned wrong_count;
};

static void *
acquire_and_release(void *argument)
{
    struct worker *worker = argument;

    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < SHARED_TYPES; i++) {
            struct gvm_func_type type = {0};
            char text[16];
            uint32_t id = UINT32_MAX;

            type_of_number(i, text);
            type.parameters = (const uint8_t *)text;
            type.parameter_count = (uint32_t)strlen(text);
            if (gvm__engine_type_acquire(worker->engine, &type, &id) !=
                    GVM_OK ||
                id != worker->ids[i]) {
                worker->wrong_count++;
            } else {
                gvm__engine_type_release(worker->engine, id);
            }
        }
    }
    return NULL;
}

START_TEST(threads_agree_on_numbers)
{
    struct gvm_engine *engine = create_engine();
    struct worker workers[4];
    uint32_t ids[SHARED_TYPES];

    for (unsigned i = 0; i < SHARED_TYPES; i++) {
        char text[16];

        type_of_number(i, text);
        ids[i] = acquire(engine, text, "");
    }
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        workers[i] = (struct worker){.engine = engine, .ids = ids};
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL,
                                        acquire_and_release, &workers[i]),
                         0);
    }
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
        ck_assert_uint_eq(workers[i].wrong_count, 0);
    }
    gvm_engine_destroy(engine);
}
END_TEST

/* ---- Options --------------------------------------------------------- */

START_TEST(guard_pages_need_the_handler)
{
    struct gvm_engine_options options = {.bounds = GVM_BOUNDS_GUARD};
    struct gvm_engine *engine = NULL;
    enum gvm_status installed;

    ck_assert_int_eq(gvm_engine_create(&options, &engine),
                     GVM_BAD_ARGUMENT);
    ck_assert_ptr_null(engine);
    installed = gvm_guard_install();
    ck_assert(installed == GVM_OK || installed == GVM_BAD_ARGUMENT);
    /* An engine can be had exactly where the handler can. */
    ck_assert_int_eq(gvm_engine_create(&options, &engine), installed);
    if (installed == GVM_OK) {
        ck_assert_int_eq(gvm__engine_bounds(engine), GVM_BOUNDS_GUARD);
    }
    gvm_engine_destroy(engine);
}
END_TEST

START_TEST(bounds_are_explicit_unless_asked_otherwise)
{
    struct gvm_engine_options options = {0};
    struct gvm_engine *engine = create_engine();

    ck_assert_int_eq(gvm__engine_bounds(engine), GVM_BOUNDS_EXPLICIT);
    gvm_engine_destroy(engine);
    ck_assert_int_eq(gvm_engine_create(&options, &engine), GVM_OK);
    ck_assert_int_eq(gvm__engine_bounds(engine), GVM_BOUNDS_EXPLICIT);
    gvm_engine_destroy(engine);
    options.bounds = (enum gvm_bounds)7;
    engine = NULL;
    ck_assert_int_eq(gvm_engine_create(&options, &engine),
                     GVM_BAD_ARGUMENT);
    ck_assert_ptr_null(engine);
    gvm_engine_destroy(NULL);
}
END_TEST

START_TEST(the_version_is_that_of_the_header)
{
    ck_assert_str_eq(gvm_version(), GVM_VERSION);
}
END_TEST

static Suite *
engine_suite(void)
{
    Suite *suite = suite_create("vm/engine");
    TCase *tests = tcase_create("engine");

    tcase_add_test(tests, equal_types_have_one_number);
    tcase_add_test(tests, different_types_have_different_numbers);
    tcase_add_test(tests,
                   techniques_are_on_unless_they_are_switched_off);
    tcase_add_test(tests, a_technique_that_is_none_is_refused);
    tcase_add_test(tests, a_type_is_copied);
    tcase_add_test(tests, a_number_is_kept_until_its_last_reference_goes);
    tcase_add_test(tests, numbers_stay_while_the_table_grows_and_shrinks);
    tcase_add_test(tests, threads_agree_on_numbers);
    tcase_add_test(tests, guard_pages_need_the_handler);
    tcase_add_test(tests, bounds_are_explicit_unless_asked_otherwise);
    tcase_add_test(tests, the_version_is_that_of_the_header);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(engine_suite());
}
