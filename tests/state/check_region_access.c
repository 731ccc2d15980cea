/*
 * What operations make of a value that is mapped (region_access.c), and that
 * memory and value are the same bytes.
 */
#include "tests/state/region_view.h"

#include <pthread.h>
#include <string.h>

START_TEST(what_is_stored_is_the_value_and_what_others_see)
{
    struct view first, second, part;

    begin(_i);
    put("k", 'a', 2 * PAGE + 10);
    first = view("k", 0, true);
    second = view("k", 0, false);
    part = view("k", PAGE, true);
    ck_assert_uint_eq(first.length, 3 * PAGE);
    ck_assert_uint_eq(part.length, 2 * PAGE);
    ck_assert_uint_eq(first.bytes[2 * PAGE + 9], 'a');
    ck_assert_uint_eq(first.bytes[2 * PAGE + 10], 0);
    memcpy(first.bytes + PAGE, "hello", 5);
    ck_assert_int_eq(memcmp(second.bytes + PAGE, "hello", 5), 0);
    ck_assert_int_eq(memcmp(part.bytes, "hello", 5), 0);
    expect_value("k", 2 * PAGE + 10, PAGE, "helloa");
    part.bytes[5] = '!';
    expect_value("k", 2 * PAGE + 10, PAGE, "hello!a");
    end_view(&second);
    end_view(&part);
    end_view(&first);
    expect_value("k", 2 * PAGE + 10, PAGE, "hello!a");
    finish();
}
END_TEST

START_TEST(a_value_that_was_read_does_not_change)
{
    struct state_operation before = {0}, while_mapped = {0};
    struct view mapped;

    begin(_i);
    put("k", 'a', PAGE);
    mapped = view("k", 0, true);
    mapped.bytes[0] = 'b';
    ck_assert_int_eq(await_get(store, "ns", "k", &while_mapped), STATE_OK);
    mapped.bytes[0] = 'c';
    end_view(&mapped);
    ck_assert_int_eq(await_get(store, "ns", "k", &before), STATE_OK);
    mapped = view("k", 0, true);
    mapped.bytes[0] = 'd';
    ck_assert_int_eq(*(const char *)while_mapped.result.bytes, 'b');
    ck_assert_int_eq(*(const char *)before.result.bytes, 'c');
    end_view(&mapped);
    expect_value("k", PAGE, 0, "d");
    state_operation_deinit(&before);
    state_operation_deinit(&while_mapped);
    finish();
}
END_TEST

START_TEST(writes_go_through_and_make_the_version_grow)
{
    struct state_operation operation = {0};
    struct view mapped;
    uint64_t version;

    begin(_i);
    version = put("k", 'a', PAGE + 100);
    mapped = view("k", 0, true);
    ck_assert_uint_eq(version_of(store, "ns", "k"), version);

    ck_assert_int_eq(change(STATE_PUT_RANGE, "k", "range", PAGE, &operation),
                     STATE_OK);
    ck_assert_uint_gt(operation.version, version);
    ck_assert_uint_eq(operation.size_bytes, PAGE + 100);
    ck_assert_int_eq(memcmp(mapped.bytes + PAGE - 1, "arangea", 7), 0);

    version = operation.version;
    ck_assert_int_eq(change(STATE_APPEND, "k", "end", 0, &operation),
                     STATE_OK);
    ck_assert_uint_gt(operation.version, version);
    ck_assert_int_eq(memcmp(mapped.bytes + PAGE + 99, "aend", 5), 0);

    /* What lies between is zeros, whatever was stored there. */
    mapped.bytes[PAGE + 150] = 'x';
    ck_assert_int_eq(change(STATE_PUT_RANGE, "k", "gap", PAGE + 200,
                            &operation),
                     STATE_OK);
    ck_assert_uint_eq(operation.size_bytes, PAGE + 203);
    ck_assert_uint_eq(mapped.bytes[PAGE + 150], 0);

    /* So is what a shorter value leaves, to the end. */
    mapped.bytes[2 * PAGE - 1] = 'x';
    ck_assert_int_eq(change(STATE_PUT, "k", "12", 0, &operation), STATE_OK);
    ck_assert_int_eq(memcmp(mapped.bytes, "12\0", 3), 0);
    ck_assert_uint_eq(mapped.bytes[PAGE], 0);
    ck_assert_uint_eq(mapped.bytes[2 * PAGE - 1], 0);
    ck_assert_int_eq(await_increment(store, "ns", "k", 88, &operation),
                     STATE_OK);
    ck_assert_int_eq(operation.number, 100);
    ck_assert_int_eq(memcmp(mapped.bytes, "100\0", 4), 0);
    end_view(&mapped);
    expect_value("k", 3, 0, "100");
    finish();
}
END_TEST

START_TEST(conditions_and_failures_leave_a_region_as_it_is)
{
    struct state_operation operation = {0};
    struct view mapped;
    uint64_t version;

    begin(_i);
    version = put("k", '7', 10);
    mapped = view("k", 0, true);
    operation = (struct state_operation){.kind = STATE_COMPARE_AND_SWAP,
                                         .namespace_ = "ns",
                                         .key = text("k"),
                                         .value = text("new"),
                                         .version_expected = version + 1};
    ck_assert_int_eq(await(store, &operation), STATE_CONFLICT);
    ck_assert_uint_eq(operation.version, version);
    operation.kind = STATE_PUT;
    operation.condition = STATE_IF_ABSENT;
    ck_assert_int_eq(await(store, &operation), STATE_CONFLICT);
    operation.condition = STATE_ALWAYS;
    ck_assert_int_eq(await_increment(store, "ns", "k", INT64_MAX, &operation),
                     STATE_OVERFLOW);
    ck_assert_int_eq(change(STATE_PUT_RANGE, "k", "x", PAGE, &operation),
                     STATE_TOO_BIG);
    mapped.bytes[3] = 'x';
    ck_assert_int_eq(await_increment(store, "ns", "k", 1, &operation),
                     STATE_NOT_A_NUMBER);
    ck_assert_int_eq(memcmp(mapped.bytes, "777x777777\0", 11), 0);
    ck_assert_uint_eq(version_of(store, "ns", "k"), version);
    /* To its last byte it may become longer. */
    ck_assert_int_eq(change(STATE_PUT_RANGE, "k", "x", PAGE - 1, &operation),
                     STATE_OK);
    ck_assert_int_eq(change(STATE_APPEND, "k", "x", 0, &operation),
                     STATE_TOO_BIG);
    end_view(&mapped);
    /* And beyond, when nobody maps it. */
    ck_assert_int_eq(change(STATE_APPEND, "k", "x", 0, &operation), STATE_OK);
    expect_value("k", PAGE + 1, PAGE - 1, "xx");
    finish();
}
END_TEST

START_TEST(a_put_of_all_of_it_replaces_all_of_it)
{
    struct state_operation operation = {0};
    struct view mapped;
    uint64_t version;

    begin(_i);
    put("k", 'a', 4 * PAGE);
    mapped = view("k", 0, true);
    version = put("k", 'b', 4 * PAGE);
    for (size_t i = 0; i < 4 * PAGE; i += 4095)
        ck_assert_uint_eq(mapped.bytes[i], 'b');
    ck_assert_uint_eq(version_of(store, "ns", "k"), version);
    operation = (struct state_operation){.kind = STATE_PUT,
                                         .namespace_ = "ns",
                                         .key = text("k"),
                                         .value = {mapped.bytes, 4 * PAGE},
                                         .condition = STATE_IF_VERSION,
                                         .version_expected = version};
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    end_view(&mapped);
    finish();
}
END_TEST

START_TEST(a_part_of_a_mapped_value_is_read)
{
    struct state_operation operation = {.kind = STATE_GET_RANGE,
                                        .namespace_ = "ns",
                                        .key = text("k"),
                                        .range_offset_bytes = PAGE - 2,
                                        .range_length_bytes = 300};
    struct view mapped;

    begin(_i);
    put("k", 'a', 2 * PAGE);
    mapped = view("k", 0, true);
    memcpy(mapped.bytes + PAGE - 2, "here", 4);
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    ck_assert_uint_eq(operation.result.length_bytes, 300);
    ck_assert_int_eq(memcmp(operation.result.bytes, "herea", 5), 0);
    operation.range_length_bytes = 4;
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    ck_assert(result_is(&operation, "here"));
    state_operation_deinit(&operation);
    end_view(&mapped);
    finish();
}
END_TEST

START_TEST(a_batch_of_all_or_nothing_leaves_mapped_keys_alone)
{
    static const enum state_kind refused[] = {STATE_GET, STATE_PUT,
                                              STATE_DELETE};
    struct view mapped;

    begin(_i);
    put("k", 'a', 500);
    mapped = view("k", 0, true);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct state_operation operations[] = {
            {.kind = STATE_PUT, .namespace_ = "ns", .key = text("other")},
            {.kind = refused[i], .namespace_ = "ns", .key = text("k")},
        };
        struct state_operation batch = {.kind = STATE_BATCH,
                                        .operations = operations,
                                        .operation_count = 2,
                                        .all_or_nothing = true};

        ck_assert_int_eq(await(store, &batch), STATE_UNSUPPORTED);
        ck_assert_uint_eq(batch.failed_index, 1);
        ck_assert_uint_eq(version_of(store, "ns", "other"), 0);
        operations[1].kind = STATE_STAT;
        ck_assert_int_eq(await(store, &batch), STATE_OK);
        operations[0].kind = STATE_DELETE;
        ck_assert_int_eq(await(store, &batch), STATE_OK);
        /* What is carried out one by one goes through. */
        batch.all_or_nothing = false;
        operations[1].kind = STATE_GET;
        ck_assert_int_eq(await(store, &batch), STATE_OK);
        ck_assert_int_eq(operations[1].status, STATE_OK);
        ck_assert_uint_eq(operations[1].result.length_bytes, 500);
        state_operation_deinit(&operations[1]);
    }
    end_view(&mapped);
    finish();
}
END_TEST

/* ---- Threads ------------------------------------------------------------ */

#define ROUNDS 300

/* Maps, stores, unmaps, while others put and read the same key. */
static void *
use_region(void *data)
{
    uint8_t byte = *(uint8_t *)data;

    for (int i = 0; i < ROUNDS; i++) {
        struct view mapped = view("k", 0, true);

        memset(mapped.bytes + byte * 512, byte, 512);
        end_view(&mapped);
    }
    return NULL;
}

static void *
put_all(void *data)
{
    (void)data;
    for (int i = 0; i < ROUNDS; i++)
        put("k", (uint8_t)(0x80 + i % 16), PAGE);
    return NULL;
}

/*
 * What a thread puts, all bytes alike, is read as such but for the places of
 * those that store there.
 */
static void *
read_all(void *data)
{
    uint64_t version = 0;

    (void)data;
    for (int i = 0; i < ROUNDS; i++) {
        struct state_operation get = {0};
        const uint8_t *bytes;

        ck_assert_int_eq(await_get(store, "ns", "k", &get), STATE_OK);
        ck_assert_uint_ge(get.version, version);
        version = get.version;
        bytes = get.result.bytes;
        ck_assert_uint_eq(get.result.length_bytes, PAGE);
        for (size_t at = 2048; at < PAGE; at += 997)
            ck_assert_uint_eq(bytes[at], bytes[PAGE - 1]);
        state_operation_deinit(&get);
    }
    return NULL;
}

START_TEST(operations_on_a_mapped_key_are_atomic_towards_each_other)
{
    void *(*const run[])(void *) = {use_region, use_region, put_all, read_all};
    uint8_t bytes[4] = {1, 2};
    pthread_t threads[4];

    begin(_i);
    put("k", 0x80, PAGE);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run[i], &bytes[i]),
                         0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    finish();
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        what_is_stored_is_the_value_and_what_others_see,
        a_value_that_was_read_does_not_change,
        writes_go_through_and_make_the_version_grow,
        conditions_and_failures_leave_a_region_as_it_is,
        a_put_of_all_of_it_replaces_all_of_it,
        a_part_of_a_mapped_value_is_read,
        a_batch_of_all_or_nothing_leaves_mapped_keys_alone,
        operations_on_a_mapped_key_are_atomic_towards_each_other,
        NULL,
    };

    return run_loops("state/region_access", tests, 0, 2);
}
