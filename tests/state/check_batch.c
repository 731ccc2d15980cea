/*
 * Tests of state/batch.c: its limits, and operations that end later and in
 * another order, on a backend that does nothing but keep them.
 */
#include "state/batch.h"
#include "state/operation.h"
#include "tests/state/suite.h"

#include <pthread.h>
#include <string.h>

/* ---- Checks ---- */

static char byte;

static const struct check_case {
    struct state_operation first;
    struct state_operation second;
    bool all_or_nothing;
    enum state_status status;
} checks[] = {
    {{.kind = STATE_GET}, {.kind = STATE_PUT}, false, STATE_OK},
    {{.kind = STATE_GET}, {.kind = STATE_PERSIST}, true, STATE_OK},
    {{.kind = STATE_GET}, {.kind = STATE_LIST}, false, STATE_OK},
    {{.kind = STATE_GET}, {.kind = STATE_LIST}, true, STATE_INVALID},
    {{.kind = STATE_GET}, {.kind = STATE_BATCH}, false, STATE_INVALID},
    {{.kind = STATE_GET},
     {.kind = (enum state_kind)STATE__KIND_COUNT},
     false,
     STATE_INVALID},
    {{.kind = STATE_PUT, .value = {&byte, STATE_BATCH_BYTES_MAX - 5}},
     {.kind = STATE_PUT, .value = {&byte, 5}},
     false,
     STATE_OK},
    {{.kind = STATE_PUT, .value = {&byte, STATE_BATCH_BYTES_MAX - 5}},
     {.kind = STATE_PUT, .value = {&byte, 6}},
     false,
     STATE_TOO_BIG},
    {{.kind = STATE_PUT, .value = {&byte, 5}},
     {.kind = STATE_PUT, .value = {&byte, SIZE_MAX}},
     true,
     STATE_TOO_BIG},
};

START_TEST(what_has_no_place_in_a_batch_is_refused)
{
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        struct state_operation operations[] = {checks[i].first,
                                               checks[i].second};
        struct state_operation batch = {
            .kind = STATE_BATCH,
            .operations = operations,
            .operation_count = 2,
            .all_or_nothing = checks[i].all_or_nothing,
        };

        ck_assert_msg(state__batch_check(&batch) == checks[i].status,
                      "row %zu", i);
        if (checks[i].status != STATE_OK) {
            ck_assert_int_eq(batch.status, checks[i].status);
            ck_assert_str_ne(batch.message, "");
        }
        batch.operations = NULL;
        ck_assert_int_eq(state__batch_check(&batch), STATE_INVALID);
    }
}
END_TEST

/* ---- Ends ---- */

#define OPERATION_COUNT 8

/* Keeps operations with an even key for later; ends others at once. */
static struct state_operation *kept[OPERATION_COUNT];
static int kept_count;

static enum state_status
keep(struct state__backend *backend, struct state_operation *operation)
{
    (void)backend;
    if (*(const char *)operation->key.bytes % 2 != 0)
        return state__operation_end(operation, STATE_NOT_FOUND);
    kept[kept_count++] = operation;
    return STATE_PENDING;
}

static const struct state__backend_class keeping_class = {.submit = keep};
static struct state__backend keeping = {&keeping_class};
static int end_count;

static void
count_end(struct state_operation *batch)
{
    ck_assert_int_eq(batch->status, STATE_OK);
    end_count++;
}

static void
must_not_be_called(struct state_operation *operation)
{
    ck_abort_msg("the complete of an operation, status %d",
                 operation->status);
}

static void
submit_batch(struct state_operation *batch,
             struct state_operation operations[OPERATION_COUNT],
             const char *keys)
{
    kept_count = end_count = 0;
    for (size_t i = 0; i < OPERATION_COUNT; i++)
        operations[i] = (struct state_operation){
            .kind = STATE_GET,
            .key = {keys + i, 1},
            .complete = must_not_be_called,
        };
    *batch = (struct state_operation){
        .kind = STATE_BATCH,
        .operations = operations,
        .operation_count = OPERATION_COUNT,
        .complete = count_end,
    };
}

START_TEST(a_batch_ends_with_the_last_of_its_operations)
{
    struct state_operation operations[OPERATION_COUNT], batch;

    submit_batch(&batch, operations, "01234567");
    ck_assert_int_eq(state__batch_submit_each(&keeping, &batch, 100),
                     STATE_PENDING);
    ck_assert_int_eq(kept_count, OPERATION_COUNT / 2);
    for (int i = kept_count; i-- > 0;) {
        ck_assert_int_eq(end_count, 0);
        state__operation_end(kept[i], STATE_OK);
        kept[i]->complete(kept[i]);
    }
    ck_assert_int_eq(end_count, 1);
    ck_assert_str_eq(batch.message, "");
    for (int i = 0; i < OPERATION_COUNT; i++) {
        ck_assert_int_eq(operations[i].status,
                         i % 2 ? STATE_NOT_FOUND : STATE_OK);
        ck_assert(operations[i].complete == must_not_be_called);
    }
}
END_TEST

START_TEST(a_batch_of_what_ends_at_once_ends_at_once)
{
    struct state_operation operations[OPERATION_COUNT], batch;

    submit_batch(&batch, operations, "11335577");
    ck_assert_int_eq(state__batch_submit_each(&keeping, &batch, 100),
                     STATE_OK);
    ck_assert_int_eq(end_count, 0);
    ck_assert(operations[0].complete == must_not_be_called);
}
END_TEST

/* Ends what is kept while the batch is still being submitted. */
static enum state_status
complete_at_once(struct state__backend *backend,
                 struct state_operation *operation)
{
    (void)backend;
    state__operation_end(operation, STATE_OK);
    operation->complete(operation);
    return STATE_PENDING;
}

START_TEST(a_batch_does_not_end_before_all_is_submitted)
{
    static const struct state__backend_class class = {
        .submit = complete_at_once};
    struct state__backend hasty = {&class};
    struct state_operation operations[OPERATION_COUNT], batch;

    submit_batch(&batch, operations, "01234567");
    ck_assert_int_eq(state__batch_submit_each(&hasty, &batch, 100),
                     STATE_OK);
    ck_assert_int_eq(end_count, 0);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        what_has_no_place_in_a_batch_is_refused,
        a_batch_ends_with_the_last_of_its_operations,
        a_batch_of_what_ends_at_once_ends_at_once,
        a_batch_does_not_end_before_all_is_submitted,
        NULL,
    };

    return run_suite("batch", tests);
}
