/* Tests of state/redis_stream.c. */
#include "state/redis_stream.h"
#include "tests/state/suite.h"

#include <stdlib.h>
#include <string.h>

#define LONG_MAX_BYTES (3 * STATE__REDIS_PIECE_BYTES + 1)

static char *value;

static void
make_command(struct state__redis_command *command, size_t length,
             enum state_kind kind)
{
    static struct state_operation operation;

    operation = (struct state_operation){
        .kind = kind,
        .namespace_ = "ns",
        .key = {"a\r\n", 3},
        .value = {value, length},
    };
    state__redis_command_write(command, &operation, NULL, LONG_MAX_BYTES);
}

START_TEST(the_pieces_are_the_command_that_hiredis_would_send)
{
    static const size_t lengths[] = {
        STATE__REDIS_PIECE_BYTES,         STATE__REDIS_PIECE_BYTES + 1,
        2 * STATE__REDIS_PIECE_BYTES - 1, 2 * STATE__REDIS_PIECE_BYTES,
        LONG_MAX_BYTES,
    };
    static const enum state_kind kinds[] = {STATE_PUT, STATE_APPEND};

    value = malloc(LONG_MAX_BYTES);
    for (size_t i = 0; i < LONG_MAX_BYTES; i++)
        value[i] = (char)(i * 7 % 251);
    for (size_t i = 0; i < 10; i++) {
        struct state__redis_command command;
        struct state__redis_stream stream = {0};
        char head[STATE__REDIS_FRAME_SIZE], *expected;
        struct state_bytes piece;
        size_t at;
        int size;

        make_command(&command, lengths[i / 2], kinds[i % 2]);
        size = redisFormatCommandArgv(&expected, command.argument_count,
                                      (const char **)command.arguments,
                                      command.lengths);
        ck_assert(
            state__redis_stream_begin(&stream, &command, head, &at));
        ck_assert(memcmp(head, expected, at) == 0);
        while (state__redis_stream_is_open(&stream)) {
            piece = state__redis_stream_next(&stream);
            ck_assert_uint_gt(piece.length_bytes, 0);
            ck_assert_uint_le(piece.length_bytes, STATE__REDIS_PIECE_BYTES);
            ck_assert_uint_le(at + piece.length_bytes, (size_t)size);
            ck_assert(memcmp(expected + at, piece.bytes,
                             piece.length_bytes) == 0);
            at += piece.length_bytes;
        }
        ck_assert_uint_eq(at, (size_t)size);
        piece = state__redis_stream_next(&stream);
        ck_assert_uint_eq(piece.length_bytes, 0);
        redisFreeCommand(expected);
    }
    free(value);
}
END_TEST

START_TEST(a_command_without_a_long_value_is_none_of_ours)
{
    struct state__redis_command command;
    struct state__redis_stream stream = {0};
    char head[STATE__REDIS_FRAME_SIZE];
    size_t length = 42;

    value = calloc(1, STATE__REDIS_PIECE_BYTES);
    make_command(&command, STATE__REDIS_PIECE_BYTES - 1, STATE_PUT);
    ck_assert(!state__redis_stream_begin(&stream, &command, head, &length));
    make_command(&command, STATE__REDIS_PIECE_BYTES, STATE_GET);
    ck_assert(!state__redis_stream_begin(&stream, &command, head, &length));
    ck_assert(!state__redis_stream_is_open(&stream));
    ck_assert_uint_eq(length, 42);
    free(value);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        the_pieces_are_the_command_that_hiredis_would_send,
        a_command_without_a_long_value_is_none_of_ours,
        NULL,
    };

    return run_suite("redis stream", tests);
}
