/* Tests of state/operation.c. */
#include "state/operation.h"
#include "tests/state/suite.h"

#include <string.h>

static const struct name_case {
    const char *name;
    bool is_valid;
} names[] = {
    {NULL, false},
    {"", false},
    {"a", true},
    {"0", true},
    {"z9", true},
    {"a-b", true},
    {"a--b", true},
    {"-a", false},
    {"a-", false},
    {"-", false},
    {"A", false},
    {"a_b", false},
    {"a.b", false},
    {"a b", false},
    {"{a}", false},
    {"\xc3\xa4", false},
    {"`", false},
    {"a/", false},
    {"a:", false},
    /* 63 bytes and 64. */
    {"a12345678901234567890123456789012345678901234567890123456789012", true},
    {"a123456789012345678901234567890123456789012345678901234567890123",
     false},
};

START_TEST(a_namespace_is_named_like_a_label)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct state_operation operation = {.namespace_ = names[i].name};

        ck_assert_msg(state_namespace_is_valid(names[i].name) ==
                          names[i].is_valid,
                      "row %zu", i);
        ck_assert_int_eq(state__operation_check_namespace(&operation),
                         names[i].is_valid ? STATE_OK : STATE_INVALID);
    }
}
END_TEST

#define VALUE_MAX 1000

static char bytes[VALUE_MAX + 1];

/* One input each that is at a limit, past it, or makes no sense. */
static const struct input_case {
    struct state_operation operation;
    enum state_status status;
} inputs[] = {
    {{.kind = STATE_GET, .key = {bytes, 1}}, STATE_OK},
    {{.kind = STATE_GET, .key = {bytes, 0}}, STATE_INVALID},
    {{.kind = STATE_GET, .key = {NULL, 1}}, STATE_INVALID},
    {{.kind = STATE_GET, .key = {bytes, STATE_KEY_BYTES_MAX}}, STATE_OK},
    {{.kind = STATE_GET, .key = {bytes, STATE_KEY_BYTES_MAX + 1}},
     STATE_TOO_BIG},
    {{.kind = STATE_GET, .key = {bytes, 1}, .condition = STATE_IF_ABSENT},
     STATE_INVALID},
    {{.kind = STATE_STAT, .key = {bytes, 1}, .condition = STATE_IF_VERSION},
     STATE_INVALID},
    {{.kind = (enum state_kind)STATE__KIND_COUNT, .key = {bytes, 1}},
     STATE_INVALID},
    {{.kind = STATE_GET_RANGE,
      .key = {bytes, 1},
      .range_offset_bytes = UINT64_MAX,
      .range_length_bytes = UINT64_MAX},
     STATE_OK},
    {{.kind = STATE_GET_RANGE,
      .key = {bytes, 1},
      .condition = STATE_IF_PRESENT},
     STATE_INVALID},
    {{.kind = STATE_EXPIRE, .key = {bytes, 1}}, STATE_INVALID},
    {{.kind = STATE_EXPIRE, .key = {bytes, 1}, .ttl_ms = 1}, STATE_OK},
    {{.kind = STATE_EXPIRE,
      .key = {bytes, 1},
      .ttl_ms = STATE_TTL_MS_MAX + 1},
     STATE_INVALID},
    {{.kind = STATE_PERSIST, .key = {bytes, 1}}, STATE_OK},
    {{.kind = (enum state_kind)-1, .key = {bytes, 1}}, STATE_INVALID},
    {{.kind = STATE_PUT,
      .key = {bytes, 1},
      .condition = STATE_IF_VERSION + 1},
     STATE_INVALID},
    {{.kind = STATE_PUT, .key = {bytes, 1}}, STATE_OK},
    {{.kind = STATE_PUT, .key = {bytes, 1}, .value = {bytes, VALUE_MAX}},
     STATE_OK},
    {{.kind = STATE_PUT, .key = {bytes, 1}, .value = {bytes, VALUE_MAX + 1}},
     STATE_TOO_BIG},
    {{.kind = STATE_APPEND,
      .key = {bytes, 1},
      .value = {bytes, VALUE_MAX + 1}},
     STATE_TOO_BIG},
    {{.kind = STATE_PUT, .key = {bytes, 1}, .value = {NULL, 1}},
     STATE_INVALID},
    {{.kind = STATE_PUT, .key = {bytes, 1}, .ttl_ms = STATE_TTL_MS_MAX},
     STATE_OK},
    {{.kind = STATE_PUT, .key = {bytes, 1}, .ttl_ms = STATE_TTL_MS_MAX + 1},
     STATE_INVALID},
    {{.kind = STATE_PUT,
      .key = {bytes, 1},
      .ttl_ms = 1,
      .keep_expiry = true},
     STATE_INVALID},
    {{.kind = STATE_LIST}, STATE_OK},
    {{.kind = STATE_LIST, .limit_count = STATE_LIST_ITEMS_MAX}, STATE_OK},
    {{.kind = STATE_LIST, .limit_count = STATE_LIST_ITEMS_MAX + 1},
     STATE_INVALID},
    {{.kind = STATE_LIST, .prefix = {bytes, STATE_KEY_BYTES_MAX}}, STATE_OK},
    {{.kind = STATE_LIST, .prefix = {bytes, STATE_KEY_BYTES_MAX + 1}},
     STATE_TOO_BIG},
    {{.kind = STATE_LIST, .cursor = {bytes, STATE_KEY_BYTES_MAX}}, STATE_OK},
    {{.kind = STATE_LIST, .cursor = {bytes, STATE_KEY_BYTES_MAX + 1}},
     STATE_TOO_BIG},
    {{.kind = STATE_LIST, .prefix = {NULL, 1}}, STATE_INVALID},
    {{.kind = STATE_LIST, .cursor = {NULL, 1}}, STATE_INVALID},
    {{.kind = STATE_LIST, .condition = STATE_IF_PRESENT}, STATE_INVALID},
    {{.kind = STATE_LIST, .lock_token = 1}, STATE_INVALID},
    {{.kind = STATE_GET, .key = {bytes, 1}, .lock_token = 1}, STATE_INVALID},
    {{.kind = STATE_PUT, .key = {bytes, 1}, .lock_token = 1}, STATE_OK},
    {{.kind = STATE_WATCH, .timeout_ms = STATE_WATCH_TIMEOUT_MS_MAX},
     STATE_OK},
    {{.kind = STATE_WATCH, .timeout_ms = STATE_WATCH_TIMEOUT_MS_MAX + 1},
     STATE_INVALID},
    {{.kind = STATE_WATCH, .limit_count = STATE_LIST_ITEMS_MAX + 1},
     STATE_INVALID},
    {{.kind = STATE_WATCH, .prefix = {bytes, STATE_KEY_BYTES_MAX + 1}},
     STATE_TOO_BIG},
    {{.kind = STATE_WATCH, .condition = STATE_IF_ABSENT}, STATE_INVALID},
    {{.kind = STATE_LOCK, .key = {bytes, 1}}, STATE_OK},
    {{.kind = STATE_LOCK, .key = {bytes, 0}}, STATE_INVALID},
    {{.kind = STATE_LOCK, .key = {bytes, 1}, .lock_token = 1}, STATE_INVALID},
    {{.kind = STATE_LOCK, .key = {bytes, 1}, .condition = STATE_IF_ABSENT},
     STATE_INVALID},
    {{.kind = STATE_LOCK, .key = {bytes, 1}, .lease_ms = STATE_LEASE_MS_MAX},
     STATE_OK},
    {{.kind = STATE_LOCK,
      .key = {bytes, 1},
      .lease_ms = STATE_LEASE_MS_MAX + 1},
     STATE_INVALID},
    {{.kind = STATE_LOCK,
      .key = {bytes, 1},
      .timeout_ms = STATE_LOCK_TIMEOUT_MS_MAX},
     STATE_OK},
    {{.kind = STATE_LOCK,
      .key = {bytes, 1},
      .timeout_ms = STATE_LOCK_TIMEOUT_MS_MAX + 1},
     STATE_INVALID},
    {{.kind = STATE_UNLOCK, .key = {bytes, 1}, .lock_token = 1}, STATE_OK},
    {{.kind = STATE_UNLOCK, .key = {bytes, 1}}, STATE_INVALID},
    {{.kind = STATE_EXTEND, .key = {bytes, 1}}, STATE_INVALID},
    {{.kind = STATE_EXTEND,
      .key = {bytes, 1},
      .lock_token = 1,
      .lease_ms = STATE_LEASE_MS_MAX},
     STATE_OK},
    {{.kind = STATE_EXTEND,
      .key = {bytes, 1},
      .lock_token = 1,
      .lease_ms = STATE_LEASE_MS_MAX + 1},
     STATE_INVALID},
};

START_TEST(inputs_are_held_against_their_limits)
{
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        struct state_operation operation = inputs[i].operation;

        ck_assert_msg(state__operation_check(&operation, VALUE_MAX) ==
                          inputs[i].status,
                      "row %zu", i);
        if (inputs[i].status != STATE_OK) {
            ck_assert_int_eq(operation.status, inputs[i].status);
            ck_assert_str_ne(operation.message, "");
        }
    }
}
END_TEST

static unsigned release_count;

static void
count_release(void *owned)
{
    ck_assert_ptr_eq(owned, bytes);
    release_count++;
}

START_TEST(deinit_releases_once_and_leaves_the_inputs)
{
    struct state_operation operation = {
        .kind = STATE_GET,
        .namespace_ = "a",
        .key = {"key", 3},
    };

    state_operation_deinit(NULL);
    state_operation_deinit(&operation);
    operation.private_.owned = bytes;
    operation.private_.release = count_release;
    operation.result = (struct state_bytes){bytes, 5};
    operation.version = 7;
    state_operation_deinit(&operation);
    state_operation_deinit(&operation);
    ck_assert_uint_eq(release_count, 1);
    ck_assert_ptr_null(operation.result.bytes);
    ck_assert_uint_eq(operation.version, 0);
    ck_assert_str_eq(operation.namespace_, "a");
    ck_assert_uint_eq(operation.key.length_bytes, 3);
}
END_TEST

START_TEST(what_the_cursor_points_to_stays_for_one_more_submission)
{
    struct state_operation operation = {.kind = STATE_LIST};

    operation.private_.owned = bytes;
    operation.private_.release = count_release;
    operation.cursor_next = (struct state_bytes){bytes, 5};
    operation.cursor = operation.cursor_next;
    state__operation_begin(&operation);
    ck_assert_uint_eq(release_count, 0);
    ck_assert_ptr_null(operation.cursor_next.bytes);

    /* The next page, from which it goes on again. */
    operation.private_.owned = bytes;
    operation.private_.release = count_release;
    operation.cursor_next = (struct state_bytes){bytes + 5, 5};
    operation.cursor = operation.cursor_next;
    state__operation_begin(&operation);
    ck_assert_uint_eq(release_count, 1);

    /* The same page once more, as after a failure. */
    state__operation_begin(&operation);
    state__operation_begin(&operation);
    ck_assert_uint_eq(release_count, 1);

    /* And the last, from which it does not. */
    operation.private_.owned = bytes;
    operation.private_.release = count_release;
    operation.cursor_next = (struct state_bytes){bytes + 9, 5};
    operation.cursor = (struct state_bytes){"elsewhere", 9};
    state__operation_begin(&operation);
    ck_assert_uint_eq(release_count, 3);
    state_operation_deinit(&operation);
    ck_assert_uint_eq(release_count, 3);
}
END_TEST

START_TEST(a_short_result_of_any_length_is_never_null)
{
    for (size_t length = 0; length <= STATE_VALUE_INLINE_MAX; length++) {
        struct state_operation operation = {0};

        memset(bytes, 'x', length);
        state__operation_copy_result(&operation, bytes, length);
        ck_assert_ptr_nonnull(operation.result.bytes);
        ck_assert_uint_eq(operation.result.length_bytes, length);
        ck_assert(memcmp(operation.result.bytes, bytes, length) == 0);
    }
}
END_TEST

START_TEST(a_message_that_is_too_long_is_cut_to_the_record)
{
    struct state_operation operation = {0};

    memset(bytes, 'x', VALUE_MAX);
    ck_assert_int_eq(
        state__operation_fail(&operation, STATE_BACKEND, "%s", bytes),
        STATE_BACKEND);
    ck_assert_uint_eq(strlen(operation.message), STATE_VALUE_INLINE_MAX - 1);
    ck_assert_int_eq(operation.status, STATE_BACKEND);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_namespace_is_named_like_a_label,
        inputs_are_held_against_their_limits,
        deinit_releases_once_and_leaves_the_inputs,
        what_the_cursor_points_to_stays_for_one_more_submission,
        a_short_result_of_any_length_is_never_null,
        a_message_that_is_too_long_is_cut_to_the_record,
        NULL,
    };

    return run_suite("operation", tests);
}
