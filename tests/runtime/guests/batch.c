/*
 * batch.c - for tests: batches of operations of the state, seen from a guest.
 * Each TEST is an export that check_host_batch.c calls, each on an empty
 * state.
 */
#include "check.h"

#include <stdbool.h>
#include <string.h>

#define KEY GLASS_TEXT("key")

static char input[65536];
static size_t input_length;
static _Alignas(8) char output[65536];

static const struct glass_result *
results(void)
{
    return (const struct glass_result *)output;
}

static void
begin(uint32_t flags)
{
    const struct glass_batch batch = {.flags = flags};

    memcpy(input, &batch, sizeof(batch));
    input_length = sizeof(batch);
}

/* Adds an operation with a value or without. */
static void
add(struct glass_operation operation, const char *key, const char *value)
{
    struct glass_batch *batch = (struct glass_batch *)input;

    operation.key_length = (uint16_t)strlen(key);
    if (value)
        operation.value_length = (uint32_t)strlen(value);
    memcpy(input + input_length, &operation, sizeof(operation));
    input_length += sizeof(operation);
    memcpy(input + input_length, key, operation.key_length);
    input_length += operation.key_length;
    if (value) {
        memcpy(input + input_length, value, operation.value_length);
        input_length += operation.value_length;
    }
    batch->count++;
}

#define ADD(key, value, ...)                                                  \
    add((struct glass_operation){__VA_ARGS__}, key, value)

static int64_t
run(size_t capacity)
{
    memset(output, '.', sizeof(output));
    return glass_state_batch(input, input_length, output, capacity);
}

TEST(each_kind_has_its_answer)
{
    begin(0);
    ADD("a", "0123", .kind = GLASS_PUT);
    ADD("a", NULL, .kind = GLASS_GET);
    ADD("a", NULL, .kind = GLASS_GET_RANGE, .number = 1, .value_length = 2);
    ADD("a", NULL, .kind = GLASS_GET_RANGE, .number = 9, .value_length = 2);
    ADD("a", "xy", .kind = GLASS_PUT_RANGE, .number = 3);
    ADD("a", "z", .kind = GLASS_APPEND);
    ADD("n", NULL, .kind = GLASS_INCR, .number = -7);
    ADD("n", NULL, .kind = GLASS_EXPIRE, .ttl_ms = 1000000);
    ADD("n", NULL, .kind = GLASS_STAT);
    ADD("n", NULL, .kind = GLASS_PERSIST);
    ADD("n", NULL, .kind = GLASS_STAT);
    ADD("n", NULL, .kind = GLASS_DELETE);
    ADD("n", NULL, .kind = GLASS_GET);
    ADD("a", NULL, .kind = GLASS_GET);
    CHECK(run(sizeof(output)) == 14 * 32 + 4 + 2 + 0 + 6);
    for (int i = 0; i < 12; i++)
        CHECK(results()[i].status == 0);
    CHECK(results()[0].version == 1 && results()[0].length == 0);
    CHECK(results()[1].version == 1 && results()[1].length == 4);
    CHECK(results()[1].number == 4);
    CHECK(results()[2].length == 2 && results()[2].number == 4);
    CHECK(results()[3].length == 0 && results()[3].number == 4);
    CHECK(results()[4].version == 2 && results()[4].number == 5);
    CHECK(results()[5].version == 3 && results()[5].number == 6);
    CHECK(results()[6].version == 4 && results()[6].number == -7);
    CHECK(results()[7].version == 4);
    CHECK(results()[8].expires_in_ms > 0 && results()[8].number == 2);
    CHECK(results()[8].expires_in_ms <= 1000000);
    CHECK(results()[10].expires_in_ms == 0 && results()[10].version == 4);
    CHECK(results()[11].version == 5);
    CHECK(results()[12].status == GLASS_NOT_FOUND);
    CHECK(results()[13].status == 0);
    CHECK(memcmp(output + 14 * 32, "012312012xyz.", 13) == 0);
}

TEST(conditions_are_each_operations_own)
{
    begin(0);
    ADD("a", "1", .kind = GLASS_PUT, .flags = GLASS_PUT_IF_PRESENT);
    ADD("a", "2", .kind = GLASS_PUT, .flags = GLASS_PUT_IF_ABSENT);
    ADD("a", "3", .kind = GLASS_PUT, .flags = GLASS_PUT_IF_ABSENT);
    ADD("a", "4", .kind = GLASS_PUT, .flags = GLASS_IF_VERSION,
        .expected = 1);
    ADD("a", NULL, .kind = GLASS_DELETE, .flags = GLASS_IF_VERSION,
        .expected = 1);
    ADD("b", "5", .kind = GLASS_APPEND, .flags = GLASS_IF_VERSION);
    CHECK(run(sizeof(output)) == 6 * 32);
    CHECK(results()[0].status == GLASS_CONFLICT && results()[0].version == 0);
    CHECK(results()[1].status == 0 && results()[1].version == 1);
    CHECK(results()[2].status == GLASS_CONFLICT && results()[2].version == 1);
    CHECK(results()[3].status == 0 && results()[3].version == 2);
    CHECK(results()[4].status == GLASS_CONFLICT && results()[4].version == 2);
    CHECK(results()[5].status == 0 && results()[5].version == 3);
}

TEST(all_or_nothing_is_either)
{
    begin(GLASS_ALL_OR_NOTHING);
    ADD("a", NULL, .kind = GLASS_INCR, .number = 5);
    ADD("a", NULL, .kind = GLASS_INCR, .number = 6);
    ADD("none", NULL, .kind = GLASS_GET);
    CHECK(run(sizeof(output)) == 3 * 32);
    CHECK(results()[1].number == 11);
    CHECK(results()[2].status == GLASS_NOT_FOUND);
    begin(GLASS_ALL_OR_NOTHING);
    ADD("a", NULL, .kind = GLASS_INCR, .number = 1);
    ADD("a", "x", .kind = GLASS_PUT, .flags = GLASS_PUT_IF_ABSENT);
    ADD("b", "x", .kind = GLASS_PUT);
    CHECK(run(sizeof(output)) == GLASS_CONFLICT);
    CHECK(results()[0].status == GLASS_ABORTED);
    CHECK(results()[1].status == GLASS_CONFLICT);
    CHECK(results()[2].status == GLASS_ABORTED);
    CHECK(glass_state_get(GLASS_TEXT("a"), output, 8) == 2);
    CHECK(memcmp(output, "11", 2) == 0);
    CHECK(glass_state_len(GLASS_TEXT("b")) == GLASS_NOT_FOUND);
}

TEST(an_operation_that_fails_leaves_the_others)
{
    begin(0);
    ADD("", NULL, .kind = GLASS_GET);
    ADD("a", NULL, .kind = GLASS_EXPIRE);
    ADD("a", "no number", .kind = GLASS_PUT);
    ADD("a", NULL, .kind = GLASS_INCR, .number = 1);
    ADD("a", NULL, .kind = GLASS_GET);
    CHECK(run(sizeof(output)) == 5 * 32 + 9);
    CHECK(results()[0].status == GLASS_INVALID);
    CHECK(results()[1].status == GLASS_INVALID);
    CHECK(results()[2].status == 0);
    CHECK(results()[3].status == GLASS_INVALID);
    CHECK(results()[4].status == 0);
}

TEST(what_does_not_fit_is_told_by_the_length)
{
    begin(0);
    ADD("a", "0123456789", .kind = GLASS_PUT);
    ADD("a", NULL, .kind = GLASS_GET);
    ADD("a", NULL, .kind = GLASS_GET);
    /* Without room for the results nothing happens. */
    CHECK(run(3 * 32 - 1) == GLASS_TOO_BIG);
    CHECK(output[0] == '.');
    CHECK(glass_state_len(GLASS_TEXT("a")) == GLASS_NOT_FOUND);
    CHECK(run(3 * 32) == 3 * 32 + 20);
    CHECK(results()[2].status == 0 && results()[2].length == 10);
    CHECK(output[3 * 32] == '.');
    CHECK(run(3 * 32 + 13) == 3 * 32 + 20);
    CHECK(memcmp(output + 3 * 32, "0123456789012.", 14) == 0);
    CHECK(run(3 * 32 + 20) == 3 * 32 + 20);
    CHECK(memcmp(output + 3 * 32, "01234567890123456789.", 21) == 0);
}

/* Whether a batch of one operation makes no sense, and then does nothing. */
static bool
is_invalid(struct glass_operation operation)
{
    begin(0);
    add((struct glass_operation){.kind = GLASS_PUT}, "key", "");
    add(operation, "key", NULL);
    return run(sizeof(output)) == GLASS_INVALID && output[0] == '.' &&
           glass_state_len(KEY) == GLASS_NOT_FOUND;
}

#define IS_INVALID(...) is_invalid((struct glass_operation){__VA_ARGS__})

TEST(what_is_no_batch_is_invalid)
{
    CHECK(IS_INVALID(.kind = GLASS_PERSIST + 1));
    CHECK(IS_INVALID(.kind = 255));
    CHECK(IS_INVALID(.kind = GLASS_GET, .flags = GLASS_PUT_IF_ABSENT));
    CHECK(IS_INVALID(.kind = GLASS_GET, .value_length = 1));
    CHECK(IS_INVALID(.kind = GLASS_PUT, .value_length = 1));
    CHECK(IS_INVALID(.kind = GLASS_PUT, .value_length = UINT32_MAX));
    CHECK(IS_INVALID(.kind = GLASS_PUT, .flags = 3));
    CHECK(IS_INVALID(.kind = GLASS_PUT, .flags = 10));
    CHECK(IS_INVALID(.kind = GLASS_PUT, .flags = 16));
    CHECK(IS_INVALID(.kind = GLASS_APPEND, .flags = GLASS_PUT_KEEP_TTL));
    CHECK(!IS_INVALID(.kind = GLASS_PUT, .flags = GLASS_PUT_KEEP_TTL));
    begin(2);
    CHECK(run(sizeof(output)) == GLASS_INVALID);
    begin(0);
    ((struct glass_batch *)input)->count = 1;
    CHECK(run(sizeof(output)) == GLASS_INVALID);
    begin(0);
    ADD("key", "v", .kind = GLASS_PUT);
    input_length--;
    CHECK(run(sizeof(output)) == GLASS_INVALID);
    input_length += 2;
    CHECK(run(sizeof(output)) == GLASS_INVALID);
    input_length--;
    CHECK(run(sizeof(output)) == 32);
    for (input_length = 0; input_length < 8; input_length++)
        CHECK(run(sizeof(output)) == GLASS_INVALID);
    begin(0);
    CHECK(run(0) == 0);
}

/* So many operations and not one more. */
TEST(a_batch_has_a_length)
{
    begin(0);
    for (int i = 0; i < 1000; i++)
        ADD("n", NULL, .kind = GLASS_INCR, .number = 1);
    CHECK(run(sizeof(output)) == 32000);
    CHECK(results()[999].number == 1000);
    ADD("n", NULL, .kind = GLASS_INCR, .number = 1);
    CHECK(run(sizeof(output)) == GLASS_TOO_BIG);
    CHECK(glass_state_len(GLASS_TEXT("n")) == 4);
}

TEST(writes_carry_the_tokens_of_the_locks)
{
    int64_t token = glass_lock(KEY, GLASS_LOCK_ALONE, 1, 0);

    CHECK(token > 0);
    begin(0);
    ADD("key", "1", .kind = GLASS_PUT);
    ADD("other", "1", .kind = GLASS_PUT);
    for (;;) {
        /* The lease of a millisecond ends. */
        glass_sleep_ns(2000000);
        CHECK(run(sizeof(output)) == 64);
        if (results()[0].status != 0)
            break;
    }
    CHECK(results()[0].status == GLASS_CONFLICT);
    CHECK(results()[1].status == 0);
}

/* The fuel that the batch of the input takes. */
static int64_t
fuel_of(void)
{
    int64_t before = glass_fuel_left();
    int64_t length = glass_state_batch(input, input_length, output,
                                       sizeof(output));
    int64_t after = glass_fuel_left();

    return length >= 0 ? before - after : -1;
}

TEST(operations_and_bytes_cost_fuel)
{
    begin(0);
    int64_t nothing = fuel_of();
    CHECK(nothing >= 100 && nothing < 200);
    ADD("a", "", .kind = GLASS_PUT);
    int64_t one = fuel_of();
    CHECK(one >= nothing + 100 && one < nothing + 120);
    for (int i = 0; i < 32000; i++)
        input[input_length + (size_t)i] = 'v';
    begin(0);
    add((struct glass_operation){.kind = GLASS_PUT, .value_length = 32000},
        "a", NULL);
    memset(input + input_length, 'v', 32000);
    input_length += 32000;
    int64_t large = fuel_of();
    CHECK(large >= one + 500 && large < one + 520);
    begin(0);
    ADD("a", NULL, .kind = GLASS_GET);
    int64_t got = fuel_of();
    CHECK(got >= one + 500 && got < one + 520);
}

/* Batches of the test's own: the grants are its business. */
TEST(what_is_denied)
{
    begin(0);
    ADD("mine/a", "1", .kind = GLASS_PUT);
    ADD("theirs", "2", .kind = GLASS_PUT);
    ADD("theirs", NULL, .kind = GLASS_GET);
    ADD("mine/a", NULL, .kind = GLASS_GET);
    ADD("theirs", NULL, .kind = GLASS_INCR);
    CHECK(run(sizeof(output)) == 5 * 32 + 1);
    CHECK(results()[0].status == 0);
    CHECK(results()[1].status == GLASS_DENIED);
    CHECK(results()[2].status == GLASS_NOT_FOUND);
    CHECK(results()[3].status == 0);
    CHECK(results()[4].status == GLASS_DENIED);
    CHECK(output[5 * 32] == '1');
    begin(GLASS_ALL_OR_NOTHING);
    ADD("mine/b", "1", .kind = GLASS_PUT);
    ADD("theirs", "2", .kind = GLASS_PUT);
    CHECK(run(sizeof(output)) == GLASS_DENIED);
    CHECK(output[0] == '.');
    CHECK(glass_state_len(GLASS_TEXT("mine/b")) == GLASS_NOT_FOUND);
}
