/*
 * Tests of state/redis_command.c: how commands are made, and what becomes of
 * replies, in particular of those that no Redis of ours should give.
 */
#include "state/redis_command.h"
#include "tests/state/suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Commands ---- */

/* Writes a command as words between bars; bytes that are no text as \xx. */
static const char *
spell(const struct state_operation *operation, const char *script)
{
    static struct state__redis_command command;
    static char line[8192];
    size_t at = 0;

    state__redis_command_write(&command, operation, script, 1000);
    for (int i = 0; i < command.argument_count; i++) {
        for (size_t j = 0; j < command.lengths[i]; j++) {
            unsigned char byte = (unsigned char)command.arguments[i][j];
            bool is_text = byte >= ' ' && byte < 127;

            at += (size_t)snprintf(line + at, sizeof line - at,
                                   is_text ? "%c" : "\\%02x", byte);
        }
        line[at++] = '|';
    }
    line[at] = '\0';
    return line;
}

#define KEYS(key) "{ns}:k:" key "|{ns}:seq|{ns}:index|{ns}:expiry|"
#define FULL "FCALL|glass_state_1|4|"
#define LEAN "FCALL|glass_state_1_lean|4|"

static const struct command_case {
    struct state_operation operation;
    const char *line;
} command_cases[] = {
    {{.kind = STATE_GET, .key = {"a\0\xff", 3}},
     "HMGET|{ns}:k:a\\00\\ff|n|v|"},
    {{.kind = STATE_STAT, .key = {"a", 1}}, LEAN KEYS("a") "stat|a|"},
    {{.kind = STATE_PUT, .key = {"a", 1}, .value = {"v w\n", 4}},
     FULL KEYS("a") "put|a|always|0|v w\\0a|0|0|1000|"},
    {{.kind = STATE_PUT, .key = {"a", 1}, .keep_expiry = true},
     FULL KEYS("a") "put|a|always|0||0|1|1000|"},
    {{.kind = STATE_PUT,
      .key = {"a", 1},
      .ttl_ms = STATE_TTL_MS_MAX,
      .condition = STATE_IF_ABSENT},
     FULL KEYS("a") "put|a|absent|0||3153600000000|0|1000|"},
    {{.kind = STATE_COMPARE_AND_SWAP,
      .key = {"a", 1},
      .version_expected = UINT64_MAX},
     FULL KEYS("a") "put|a|version|18446744073709551615||0|0|1000|"},
    {{.kind = STATE_APPEND,
      .key = {"a", 1},
      .value = {"v", 1},
      .condition = STATE_IF_PRESENT},
     FULL KEYS("a") "append|a|present|0|v|0|0|1000|"},
    {{.kind = STATE_INCREMENT, .key = {"a", 1}, .delta = INT64_MIN},
     FULL KEYS("a")
         "increment|a|always|0|-9223372036854775808|0|0|1000|"},
    {{.kind = STATE_DELETE, .key = {"a", 1}, .value = {"ignored", 7}},
     LEAN KEYS("a") "delete|a|always|0||0|0|1000|"},
    {{.kind = STATE_GET_RANGE,
      .key = {"a", 1},
      .range_offset_bytes = 5,
      .range_length_bytes = 6},
     LEAN KEYS("a") "get-range|a|5|6|"},
    {{.kind = STATE_GET_RANGE,
      .key = {"a", 1},
      .range_offset_bytes = UINT64_MAX,
      .range_length_bytes = UINT64_MAX},
     LEAN KEYS("a") "get-range|a|268435456|268435456|"},
    {{.kind = STATE_PUT_RANGE,
      .key = {"a", 1},
      .value = {"v", 1},
      .ttl_ms = 9,
      .range_offset_bytes = UINT64_MAX},
     FULL KEYS("a") "put-range|a|always|0|v|9|0|1000|"
                    "18446744073709551615|"},
    {{.kind = STATE_EXPIRE, .key = {"a", 1}, .ttl_ms = 9},
     FULL KEYS("a") "expire|a|always|0||9|0|1000|"},
    {{.kind = STATE_PERSIST, .key = {"a", 1}, .value = {"ignored", 7}},
     FULL KEYS("a") "persist|a|always|0||0|0|1000|"},
    {{.kind = STATE_LIST}, LEAN KEYS("") "list||[|+|100|"},
    {{.kind = STATE_LIST, .limit_count = 7, .prefix = {"ab", 2}},
     LEAN KEYS("") "list||[ab|(ac|7|"},
    {{.kind = STATE_LIST, .prefix = {"a\xff\xff", 3}},
     LEAN KEYS("") "list||[a\\ff\\ff|(b|100|"},
    {{.kind = STATE_LIST, .prefix = {"\xff\xff", 2}},
     LEAN KEYS("") "list||[\\ff\\ff|+|100|"},
    {{.kind = STATE_LIST, .prefix = {"b", 1}, .cursor = {"bc", 2}},
     LEAN KEYS("") "list||(bc|(c|100|"},
    {{.kind = STATE_LIST, .prefix = {"b", 1}, .cursor = {"b", 1}},
     LEAN KEYS("") "list||(b|(c|100|"},
    {{.kind = STATE_LIST, .prefix = {"b", 1}, .cursor = {"az", 2}},
     LEAN KEYS("") "list||[b|(c|100|"},
    {{.kind = STATE_LIST, .cursor = {"az", 2}},
     LEAN KEYS("") "list||(az|+|100|"},
};

START_TEST(every_operation_has_its_command)
{
    for (size_t i = 0; i < sizeof command_cases / sizeof *command_cases;
         i++) {
        struct state_operation operation = command_cases[i].operation;

        operation.namespace_ = "ns";
        ck_assert_str_eq(spell(&operation, NULL), command_cases[i].line);
    }
}
END_TEST

START_TEST(a_script_is_called_by_its_digest)
{
    struct state_operation operation = {
        .kind = STATE_STAT, .namespace_ = "ns", .key = {"a", 1}};

    ck_assert_str_eq(spell(&operation, "d1e57"),
                     "EVALSHA|d1e57|4|" KEYS("a") "stat|a|");
    operation.kind = STATE_GET;
    ck_assert_str_eq(spell(&operation, "d1e57"), "HMGET|{ns}:k:a|n|v|");
}
END_TEST

START_TEST(the_longest_names_fit_a_command)
{
    static const enum state_kind kinds[] = {STATE_PUT, STATE_GET, STATE_LIST};
    char namespace_[STATE_NAMESPACE_BYTES_MAX + 1] = {0};
    uint8_t key[STATE_KEY_BYTES_MAX];
    struct state__redis_command command;

    memset(namespace_, 'n', STATE_NAMESPACE_BYTES_MAX);
    memset(key, 0xfe, sizeof key);
    for (size_t i = 0; i < 3; i++) {
        struct state_operation operation = {
            .kind = kinds[i],
            .namespace_ = namespace_,
            .key = {key, sizeof key},
            .prefix = {key, sizeof key},
            .cursor = {key, sizeof key},
            .version_expected = UINT64_MAX,
            .ttl_ms = STATE_TTL_MS_MAX,
        };

        /* It asserts that there is room. */
        state__redis_command_write(&command, &operation, NULL,
                                   STATE_VALUE_BYTES_CEILING);
        ck_assert_uint_le(command.text_length, STATE__REDIS_TEXT_SIZE);
    }
}
END_TEST

/* ---- Replies ---- */

/* Parses bytes of the protocol as hiredis does. */
static redisReply *
parse(const char *bytes)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;

    redisReaderFeed(reader, bytes, strlen(bytes));
    ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
    ck_assert_ptr_nonnull(reply);
    redisReaderFree(reader);
    return reply;
}

static const struct reply_case {
    enum state_kind kind;
    const char *bytes;
    enum state_status status;
    uint64_t version;
    uint64_t size_bytes;
} reply_cases[] = {
    {STATE_GET, "*2\r\n$1\r\n7\r\n$2\r\nab\r\n", STATE_OK, 7, 2},
    {STATE_GET, "*2\r\n$1\r\n7\r\n$0\r\n\r\n", STATE_OK, 7, 0},
    {STATE_GET, "*2\r\n$-1\r\n$-1\r\n", STATE_NOT_FOUND, 0, 0},
    {STATE_GET, "*1\r\n$1\r\n7\r\n", STATE_BACKEND, 0, 0},
    {STATE_GET, "$1\r\n7\r\n", STATE_BACKEND, 0, 0},
    {STATE_GET, "*-1\r\n", STATE_BACKEND, 0, 0},
    {STATE_GET, "+OK\r\n", STATE_BACKEND, 0, 0},
    {STATE_GET, "-WRONGTYPE not a hash\r\n", STATE_BACKEND, 0, 0},
    {STATE_GET, "-LOADING wait\r\n", STATE_UNAVAILABLE, 0, 0},
    {STATE_PUT, "-BUSY wait\r\n", STATE_UNAVAILABLE, 0, 0},
    {STATE_PUT, "-MASTERDOWN wait\r\n", STATE_UNAVAILABLE, 0, 0},
    {STATE_PUT, "-READONLY replica\r\n", STATE_UNAVAILABLE, 0, 0},
    {STATE_PUT, "-CLUSTERDOWN wait\r\n", STATE_UNAVAILABLE, 0, 0},
    {STATE_PUT, "-OOM full\r\n", STATE_LIMIT, 0, 0},
    {STATE_PUT, "-OOMPH other\r\n", STATE_BACKEND, 0, 0},
    {STATE_PUT, "-ERR\r\n", STATE_BACKEND, 0, 0},
    {STATE_PUT, "-\r\n", STATE_BACKEND, 0, 0},
    {STATE_PUT, "*4\r\n$2\r\nok\r\n$1\r\n8\r\n$1\r\n3\r\n$1\r\n0\r\n",
     STATE_OK, 8, 3},
    {STATE_PUT, "*2\r\n$8\r\nconflict\r\n$20\r\n18446744073709551615\r\n",
     STATE_CONFLICT, UINT64_MAX, 0},
    {STATE_PUT, "*1\r\n$8\r\nconflict\r\n", STATE_CONFLICT, 0, 0},
    {STATE_PUT, "*1\r\n$9\r\nnot-found\r\n", STATE_NOT_FOUND, 0, 0},
    {STATE_PUT, "*1\r\n$8\r\noverflow\r\n", STATE_OVERFLOW, 0, 0},
    {STATE_PUT, "*1\r\n$12\r\nnot-a-number\r\n", STATE_NOT_A_NUMBER, 0, 0},
    {STATE_PUT, "*1\r\n$7\r\ntoo-big\r\n", STATE_TOO_BIG, 0, 0},
    {STATE_PUT, "*1\r\n$7\r\npending\r\n", STATE_BACKEND, 0, 0},
    {STATE_PUT, "*1\r\n$4\r\nwhat\r\n", STATE_BACKEND, 0, 0},
    {STATE_PUT, "*1\r\n$2\r\nok\r\n", STATE_BACKEND, 0, 0},
    {STATE_PUT, "*0\r\n", STATE_BACKEND, 0, 0},
    {STATE_PUT, "*1\r\n:1\r\n", STATE_BACKEND, 0, 0},
    {STATE_PUT, ":1\r\n", STATE_BACKEND, 0, 0},
    {STATE_LIST, "*3\r\n$2\r\nok\r\n$1\r\n0\r\n$0\r\n\r\n", STATE_OK, 0, 0},
    {STATE_LIST, "*1\r\n$2\r\nok\r\n", STATE_BACKEND, 0, 0},
    {STATE_LIST, "*4\r\n$2\r\nok\r\n$1\r\n0\r\n$0\r\n\r\n$1\r\na\r\n",
     STATE_BACKEND, 0, 0},
    {STATE_LIST, "*3\r\n$2\r\nok\r\n:0\r\n$0\r\n\r\n", STATE_BACKEND, 0, 0},
};

START_TEST(every_reply_ends_the_operation_somehow)
{
    for (size_t i = 0; i < sizeof reply_cases / sizeof *reply_cases; i++) {
        const struct reply_case *row = &reply_cases[i];
        struct state_operation operation = {.kind = row->kind};
        redisReply *reply = parse(row->bytes);

        ck_assert_msg(state__redis_command_end(&operation, reply) ==
                          row->status,
                      "row %zu: %s", i, operation.message);
        ck_assert_int_eq(operation.status, row->status);
        ck_assert_uint_eq(operation.version, row->version);
        ck_assert_uint_eq(operation.size_bytes, row->size_bytes);
        ck_assert_int_eq(operation.message[0] == '\0',
                         row->status == STATE_OK);
        freeReplyObject(reply);
        state_operation_deinit(&operation);
    }
}
END_TEST

START_TEST(a_sum_keeps_all_its_bits)
{
    struct state_operation operation = {.kind = STATE_INCREMENT};
    redisReply *reply = parse("*4\r\n$2\r\nok\r\n$1\r\n8\r\n$2\r\n20\r\n"
                              "$20\r\n-9223372036854775808\r\n");

    ck_assert_int_eq(state__redis_command_end(&operation, reply), STATE_OK);
    ck_assert_int_eq(operation.number, INT64_MIN);
    freeReplyObject(reply);
}
END_TEST

START_TEST(a_long_value_changes_hands_and_outlives_the_reply)
{
    for (size_t length = STATE_VALUE_INLINE_MAX - 1;
         length <= STATE_VALUE_INLINE_MAX + 1; length++) {
        struct state_operation operation = {.kind = STATE_GET};
        char bytes[512] = {0}, value[STATE_VALUE_INLINE_MAX + 2] = {0};
        redisReply *reply;

        memset(value, 'x', length);
        snprintf(bytes, sizeof bytes, "*2\r\n$1\r\n7\r\n$%zu\r\n%s\r\n",
                 length, value);
        reply = parse(bytes);
        ck_assert_int_eq(state__redis_command_end(&operation, reply),
                         STATE_OK);
        freeReplyObject(reply);
        ck_assert_uint_eq(operation.result.length_bytes, length);
        ck_assert(memcmp(operation.result.bytes, value, length) == 0);
        state_operation_deinit(&operation);
    }
}
END_TEST

START_TEST(a_list_keeps_its_keys_when_the_reply_goes)
{
    struct state_operation operation = {.kind = STATE_LIST};
    redisReply *reply =
        parse("*9\r\n$2\r\nok\r\n$1\r\n1\r\n$2\r\nbc\r\n"
              "$1\r\na\r\n$1\r\n5\r\n$2\r\n10\r\n"
              "$2\r\nbc\r\n$1\r\n6\r\n$1\r\n0\r\n");

    ck_assert_int_eq(state__redis_command_end(&operation, reply), STATE_OK);
    freeReplyObject(reply);
    ck_assert_uint_eq(operation.entry_count, 2);
    ck_assert_uint_eq(operation.entries[0].key.length_bytes, 1);
    ck_assert(memcmp(operation.entries[0].key.bytes, "a", 1) == 0);
    ck_assert_uint_eq(operation.entries[0].version, 5);
    ck_assert_uint_eq(operation.entries[0].size_bytes, 10);
    ck_assert(memcmp(operation.entries[1].key.bytes, "bc", 2) == 0);
    ck_assert(operation.more);
    ck_assert_uint_eq(operation.cursor_next.length_bytes, 2);
    ck_assert(memcmp(operation.cursor_next.bytes, "bc", 2) == 0);
    state_operation_deinit(&operation);
}
END_TEST

static const struct {
    const char *bytes;
    bool is_unloaded;
} load_cases[] = {
    {"-NOSCRIPT No matching script.\r\n", true},
    {"-ERR Function not found\r\n", true},
    {"-ERR something else\r\n", false},
    {"+NOSCRIPT No\r\n", false},
    {"$9\r\nNOSCRIPT \r\n", false},
};

START_TEST(a_script_that_is_not_there_is_recognised)
{
    for (size_t i = 0; i < sizeof load_cases / sizeof *load_cases; i++) {
        redisReply *reply = parse(load_cases[i].bytes);

        ck_assert_msg(state__redis_is_unloaded(reply) ==
                          load_cases[i].is_unloaded,
                      "row %zu", i);
        freeReplyObject(reply);
    }
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        every_operation_has_its_command,
        a_script_is_called_by_its_digest,
        the_longest_names_fit_a_command,
        every_reply_ends_the_operation_somehow,
        a_sum_keeps_all_its_bits,
        a_long_value_changes_hands_and_outlives_the_reply,
        a_list_keeps_its_keys_when_the_reply_goes,
        a_script_that_is_not_there_is_recognised,
        NULL,
    };

    return run_suite("redis command", tests);
}
