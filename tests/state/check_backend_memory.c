/* Tests of state/backend_memory.c beyond the contract. */
#include "tests/state/await.h"
#include "tests/state/suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

/* A clock that stands still and counts who looks at it. */
struct watched_clock {
    _Atomic uint64_t now_ms;
    pthread_t owner;
    atomic_uint others; /* looks by other threads: the sweeper's */
};

static uint64_t
look_at_clock(void *data)
{
    struct watched_clock *clock = data;

    if (!pthread_equal(pthread_self(), clock->owner))
        atomic_fetch_add(&clock->others, 1);
    return atomic_load(&clock->now_ms);
}

START_TEST(the_sweeper_looks_after_expiries_and_only_after_them)
{
    struct watched_clock clock = {.now_ms = 5, .owner = pthread_self()};
    struct state_options options = {.now_ms = look_at_clock,
                                    .now_data = &clock};
    struct state_operation put = {0};
    struct state_store *store;

    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    ck_assert_int_eq(await_put(store, "a", "stays", "1", &put), STATE_OK);
    ck_assert_uint_eq(atomic_load(&clock.others), 0);
    put.ttl_ms = 3;
    ck_assert_int_eq(await_put(store, "a", "goes", "1", &put), STATE_OK);
    while (atomic_load(&clock.others) == 0)
        doze();
    state_operation_deinit(&put);
    state_store_close(store); /* also while the sweeper rests */
}
END_TEST

START_TEST(many_keys_come_and_go_with_a_sweeper_at_work)
{
    struct state_store *store = open_store("memory");
    struct state_operation operation = {0};
    char key[16];

    for (unsigned i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "%u", i % 3000);
        operation.ttl_ms = i % 3 == 0 ? 0 : 1 + i % 7;
        ck_assert_int_eq(await_put(store, "a", key, "1", &operation),
                         STATE_OK);
    }
    operation.ttl_ms = 0;
    ck_assert_int_eq(await_put(store, "a", "last", "1", &operation),
                     STATE_OK);
    ck_assert_int_eq(await_get(store, "a", "last", &operation), STATE_OK);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(a_read_does_not_make_a_namespace_and_a_write_too_many_is_refused)
{
    struct state_store *store = open_store("memory");
    struct state_operation operation = {0};
    char name[16];

    for (unsigned i = 0; i < STATE_NAMESPACES_MAX; i++) {
        snprintf(name, sizeof name, "r%u", i);
        if (await_get(store, name, "key", &operation) != STATE_NOT_FOUND)
            ck_abort_msg("read %u", i);
    }
    for (unsigned i = 0; i < STATE_NAMESPACES_MAX; i++) {
        snprintf(name, sizeof name, "w%u", i);
        if (await_put(store, name, "key", "", &operation) != STATE_OK)
            ck_abort_msg("write %u", i);
    }
    ck_assert_int_eq(await_put(store, "one-more", "key", "", &operation),
                     STATE_LIMIT);
    ck_assert_int_eq(await_put(store, "w7", "key", "", &operation),
                     STATE_OK);
    ck_assert_int_eq(await_get(store, "one-more", "key", &operation),
                     STATE_NOT_FOUND);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

static const enum state_kind kinds[] = {
#define KIND(symbol, name) symbol,
    STATE_KIND_MAP(KIND)
#undef KIND
};

START_TEST(a_name_that_is_none_is_refused_for_every_kind)
{
    static const char *const namespaces[] = {NULL, "No", "a"};
    enum state_kind kind = kinds[_i];
    struct state_store *store = open_store("memory");

    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++) {
        /* The namespaces of a batch are those of its operations. */
        struct state_operation get = {
            .kind = STATE_GET,
            .namespace_ = namespaces[i],
            .key = {"key", 3},
        };
        struct state_operation operation = {
            .kind = kind,
            .namespace_ = kind == STATE_BATCH ? NULL : namespaces[i],
            .key = {"key", 3},
            .lock_token = kind == STATE_UNLOCK || kind == STATE_EXTEND,
            .ttl_ms = kind == STATE_EXPIRE,
            .operations = &get,
            .operation_count = 1,
            .all_or_nothing = true,
        };

        ck_assert_msg((state_store_submit(store, &operation) ==
                       STATE_INVALID) == (i < 2),
                      "%s in %s: %s", state_kind_name(kind), namespaces[i],
                      operation.message);
        state_operation_deinit(&operation);
        state_operation_deinit(&get);
    }
    state_store_close(store);
}
END_TEST

START_TEST(a_record_may_go_to_other_namespaces_and_stores)
{
    struct state_store *stores[] = {open_store("memory"),
                                    open_store("memory")};
    char name[8] = "a";
    struct state_operation put = {.namespace_ = name}, get = {0};

    /* The same record and the same string, with another content. */
    for (int i = 0; i < 4; i++) {
        name[0] = (char)('a' + i % 2);
        ck_assert_int_eq(await_put(stores[i / 2], name, "key",
                                   i % 2 ? "odd" : "even", &put),
                         STATE_OK);
        ck_assert_uint_eq(put.version, 1);
    }
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(await_get(stores[i / 2], i % 2 ? "b" : "a", "key",
                                   &get),
                         STATE_OK);
        ck_assert(result_is(&get, i % 2 ? "odd" : "even"));
    }
    state_operation_deinit(&put);
    state_operation_deinit(&get);
    state_store_close(stores[0]);
    state_store_close(stores[1]);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("memory backend");
    TCase *tests = tcase_create("memory backend");

    tcase_add_test(tests,
                   the_sweeper_looks_after_expiries_and_only_after_them);
    tcase_add_test(tests, many_keys_come_and_go_with_a_sweeper_at_work);
    tcase_add_test(
        tests,
        a_read_does_not_make_a_namespace_and_a_write_too_many_is_refused);
    tcase_add_loop_test(tests, a_name_that_is_none_is_refused_for_every_kind,
                        0, sizeof kinds / sizeof *kinds);
    tcase_add_test(tests, a_record_may_go_to_other_namespaces_and_stores);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
