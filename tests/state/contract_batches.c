/* The contract of batches: see check_backend_contract.c. */
#include "tests/state/contract.h"

#include "tests/state/await.h"

#include <stdio.h>
#include <string.h>

/* One operation of each kind that a batch may have, in an order that shows. */
static void
fill(struct state_operation *operations)
{
    static const struct state_operation script[] = {
        {.kind = STATE_PUT, .key = {"a", 1}, .value = {"one", 3}},
        {.kind = STATE_GET, .key = {"a", 1}},
        {.kind = STATE_APPEND, .key = {"a", 1}, .value = {" two", 4}},
        {.kind = STATE_GET_RANGE,
         .key = {"a", 1},
         .range_offset_bytes = 4,
         .range_length_bytes = 9},
        {.kind = STATE_PUT_RANGE,
         .key = {"a", 1},
         .value = {"T", 1},
         .range_offset_bytes = 4},
        {.kind = STATE_INCREMENT, .key = {"n", 1}, .delta = 5},
        {.kind = STATE_INCREMENT, .key = {"a", 1}, .delta = 5},
        {.kind = STATE_PUT, .key = {"a", 1}, .condition = STATE_IF_ABSENT},
        {.kind = STATE_COMPARE_AND_SWAP, .key = {"c", 1}, .value = {"c", 1}},
        {.kind = STATE_EXPIRE, .key = {"c", 1}, .ttl_ms = 1000000},
        {.kind = STATE_STAT, .key = {"c", 1}},
        {.kind = STATE_PERSIST, .key = {"c", 1}},
        {.kind = STATE_LIST},
        {.kind = STATE_DELETE, .key = {"c", 1}},
        {.kind = STATE_GET, .key = {"c", 1}},
        {.kind = STATE_PUT, .key = {"", 0}},
    };

    memcpy(operations, script, sizeof script);
}

#define FILLED 16

static const enum state_status filled_statuses[FILLED] = {
    STATE_OK,           STATE_OK,       STATE_OK, STATE_OK,
    STATE_OK,           STATE_OK,       STATE_NOT_A_NUMBER,
    STATE_CONFLICT,     STATE_OK,       STATE_OK, STATE_OK,
    STATE_OK,           STATE_OK,       STATE_OK, STATE_NOT_FOUND,
    STATE_INVALID,
};

START_TEST(a_batch_ends_each_operation_for_itself_and_in_order)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation operations[FILLED];
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations,
                                    .operation_count = FILLED};

    fill(operations);
    for (int i = 0; i < FILLED; i++)
        operations[i].namespace_ = "batch";
    ck_assert_int_eq(await(store, &batch), STATE_OK);
    for (int i = 0; i < FILLED; i++) {
        ck_assert_msg(operations[i].status == filled_statuses[i],
                      "%d: %s", i, operations[i].message);
        ck_assert_ptr_null(operations[i].complete);
    }
    ck_assert(result_is(&operations[1], "one"));
    ck_assert(result_is(&operations[3], "two"));
    ck_assert_int_eq(operations[5].number, 5);
    ck_assert_uint_gt(operations[10].expires_in_ms, 0);
    ck_assert_uint_eq(operations[12].entry_count, 3);
    for (int i = 0; i < FILLED; i++)
        state_operation_deinit(&operations[i]);

    /* The records serve again, and an empty batch is one too. */
    operations[0].kind = STATE_GET;
    batch.operation_count = 1;
    ck_assert_int_eq(await(store, &batch), STATE_OK);
    ck_assert(result_is(&operations[0], "one Two"));
    state_operation_deinit(&operations[0]);
    batch.operation_count = 0;
    batch.operations = NULL;
    ck_assert_int_eq(await(store, &batch), STATE_OK);
    state_operation_deinit(&batch);
    state_store_close(store);
}
END_TEST

START_TEST(a_batch_may_be_as_long_as_the_limit)
{
    struct state_store *store = open_store(contract_url());
    static struct state_operation operations[STATE_BATCH_OPERATIONS_MAX + 1];
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations};
    struct state_operation get = {0};

    for (int i = 0; i <= STATE_BATCH_OPERATIONS_MAX; i++)
        operations[i] = (struct state_operation){
            .kind = STATE_INCREMENT,
            .namespace_ = "batch",
            .key = {"sum", 3},
            .delta = i,
        };
    batch.operation_count = STATE_BATCH_OPERATIONS_MAX + 1;
    ck_assert_int_eq(await(store, &batch), STATE_TOO_BIG);
    ck_assert_int_eq(await_get(store, "batch", "sum", &get), STATE_NOT_FOUND);
    batch.operation_count = STATE_BATCH_OPERATIONS_MAX;
    ck_assert_int_eq(await(store, &batch), STATE_OK);
    ck_assert_int_eq(await_get(store, "batch", "sum", &get), STATE_OK);
    ck_assert(result_is(&get, "499500"));
    state_operation_deinit(&get);
    state_operation_deinit(&batch);
    state_store_close(store);
}
END_TEST

/* Whether the backend does it at all; Redis does not. */
START_TEST(a_batch_that_fails_as_a_whole_changes_nothing)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation operations[] = {
        {.kind = STATE_PUT, .key = {"old", 3}, .value = {"new", 3}},
        {.kind = STATE_DELETE, .key = {"gone", 4}},
        {.kind = STATE_GET, .key = {"gone", 4}},
        {.kind = STATE_PUT,
         .key = {"old", 3},
         .condition = STATE_IF_ABSENT},
        {.kind = STATE_PUT, .key = {"fresh", 5}},
    };
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations,
                                    .operation_count = 5,
                                    .all_or_nothing = true};
    struct state_operation put = {0}, get = {0};
    enum state_status status;

    await_put(store, "whole", "old", "old", &put);
    await_put(store, "whole", "gone", "not gone", &put);
    for (int i = 0; i < 5; i++)
        operations[i].namespace_ = "whole";
    status = await(store, &batch);
    ck_assert_int_eq(status, strstr(contract_url(), "unix:")
                                 ? STATE_UNSUPPORTED
                                 : STATE_CONFLICT);
    if (status == STATE_CONFLICT) {
        ck_assert_uint_eq(batch.failed_index, 3);
        ck_assert_str_eq(batch.message,
                         "operation 3: the condition does not hold");
        for (int i = 0; i < 5; i++)
            ck_assert_int_eq(operations[i].status,
                             i == 3 ? STATE_CONFLICT : STATE_ABORTED);
    }
    ck_assert_int_eq(await_get(store, "whole", "old", &get), STATE_OK);
    ck_assert(result_is(&get, "old"));
    ck_assert_uint_eq(get.version, 1);
    ck_assert_int_eq(await_get(store, "whole", "gone", &get), STATE_OK);
    ck_assert(result_is(&get, "not gone"));
    ck_assert_int_eq(await_get(store, "whole", "fresh", &get),
                     STATE_NOT_FOUND);
    for (int i = 0; i < 5; i++)
        state_operation_deinit(&operations[i]);
    state_operation_deinit(&put);
    state_operation_deinit(&get);
    state_store_close(store);
}
END_TEST

void
contract_add_batches(TCase *tcase)
{
    tcase_add_test(tcase,
                   a_batch_ends_each_operation_for_itself_and_in_order);
    tcase_add_test(tcase, a_batch_may_be_as_long_as_the_limit);
    tcase_add_test(tcase, a_batch_that_fails_as_a_whole_changes_nothing);
}
