/* The contract of expiry: see check_backend_contract.c. */
#include "tests/state/contract.h"

#include "tests/state/await.h"

/* Waits until a key is gone; the test's own timeout ends a wait in vain. */
static void
wait_until_gone(struct state_store *store, const char *namespace_,
                const char *key)
{
    struct state_operation get = {0};

    while (await_get(store, namespace_, key, &get) == STATE_OK)
        doze();
    ck_assert_int_eq(get.status, STATE_NOT_FOUND);
    state_operation_deinit(&get);
}

START_TEST(a_key_expires_and_leaves_the_list_as_well)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation put = {.ttl_ms = 1};
    struct state_operation list = {.kind = STATE_LIST,
                                   .namespace_ = "expiry"};

    ck_assert_int_eq(await_put(store, "expiry", "brief", "1", &put),
                     STATE_OK);
    put.ttl_ms = STATE_TTL_MS_MAX;
    ck_assert_int_eq(await_put(store, "expiry", "long", "1", &put), STATE_OK);
    wait_until_gone(store, "expiry", "brief");
    ck_assert_int_eq(await(store, &list), STATE_OK);
    ck_assert_uint_eq(list.entry_count, 1);
    ck_assert_uint_eq(list.entries[0].key.length_bytes, 4);

    /* What comes after it is a new key. */
    put.ttl_ms = 0;
    put.condition = STATE_IF_ABSENT;
    ck_assert_int_eq(await_put(store, "expiry", "brief", "2", &put),
                     STATE_OK);
    state_operation_deinit(&list);
    ck_assert_int_eq(await(store, &list), STATE_OK);
    ck_assert_uint_eq(list.entry_count, 2);
    state_operation_deinit(&list);
    state_operation_deinit(&put);
    state_store_close(store);
}
END_TEST

START_TEST(a_put_ends_an_expiry_unless_it_keeps_it)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation operation = {.ttl_ms = 1};
    struct state_operation get = {0};

    /* Whether or not it has already gone: the second put makes it stay. */
    await_put(store, "keep", "stays", "1", &operation);
    operation.ttl_ms = 0;
    await_put(store, "keep", "stays", "2", &operation);
    for (int i = 0; i < 4; i++)
        doze();
    ck_assert_int_eq(await_get(store, "keep", "stays", &get), STATE_OK);

    /* Keeps, on the way, are tried until one was in time. */
    for (uint64_t ttl_ms = 20;; ttl_ms *= 2) {
        operation.ttl_ms = ttl_ms;
        operation.keep_expiry = false;
        operation.condition = STATE_ALWAYS;
        await_put(store, "keep", "goes", "1", &operation);
        operation.ttl_ms = 0;
        operation.keep_expiry = true;
        operation.condition = STATE_IF_PRESENT;
        if (await_put(store, "keep", "goes", "2", &operation) == STATE_OK)
            break;
    }
    wait_until_gone(store, "keep", "goes");
    state_operation_deinit(&operation);
    state_operation_deinit(&get);
    state_store_close(store);
}
END_TEST

START_TEST(increments_and_appends_leave_an_expiry_or_set_a_new_one)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation operation = {.value = {"1", 1}, .delta = 1};

    for (int kind = 0; kind < 2; kind++) {
        const char *key = kind ? "appended" : "incremented";

        operation.ttl_ms = STATE_TTL_MS_MAX;
        operation.condition = STATE_ALWAYS;
        await_put(store, "leave", key, "1", &operation);
        operation.kind = kind ? STATE_APPEND : STATE_INCREMENT;
        operation.condition = STATE_IF_PRESENT;
        operation.ttl_ms = 30;
        ck_assert_int_eq(await(store, &operation), STATE_OK);
        operation.ttl_ms = 0;
        /* In time or not: it neither prolongs nor makes the key. */
        await(store, &operation);
        wait_until_gone(store, "leave", key);
    }
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

void
contract_add_expiry(TCase *tcase)
{
    tcase_add_test(tcase, a_key_expires_and_leaves_the_list_as_well);
    tcase_add_test(tcase, a_put_ends_an_expiry_unless_it_keeps_it);
    tcase_add_test(tcase,
                   increments_and_appends_leave_an_expiry_or_set_a_new_one);
}
