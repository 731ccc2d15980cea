/* A command with a long value, piece by piece: see redis_stream.h. */
#include "state/redis_stream.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Appends bytes to a frame that is large enough by construction. */
static void
put(char *frame, size_t *length, const void *bytes, size_t size)
{
    assert(*length + size <= STATE__REDIS_FRAME_SIZE);
    memcpy(frame + *length, bytes, size);
    *length += size;
}

/* "*COUNT\r\n" of a command or "$LENGTH\r\n" of an argument. */
static void
put_count(char *frame, size_t *length, char type, size_t count)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%c%zu\r\n", type, count);

    put(frame, length, text, (size_t)size);
}

static void
put_argument(char *frame, size_t *length,
             const struct state__redis_command *command, int i)
{
    put_count(frame, length, '$', command->lengths[i]);
    put(frame, length, command->arguments[i], command->lengths[i]);
    put(frame, length, "\r\n", 2);
}

/* There is at most one long argument: keys are short. */
static int
find_long(const struct state__redis_command *command)
{
    for (int i = 0; i < command->argument_count; i++)
        if (command->lengths[i] >= STATE__REDIS_PIECE_BYTES)
            return i;
    return -1;
}

bool
state__redis_stream_begin(struct state__redis_stream *stream,
                          const struct state__redis_command *command,
                          char head[STATE__REDIS_FRAME_SIZE],
                          size_t *head_length)
{
    int value = find_long(command);

    if (value < 0)
        return false;
    *head_length = 0;
    put_count(head, head_length, '*', (size_t)command->argument_count);
    for (int i = 0; i < value; i++)
        put_argument(head, head_length, command, i);
    put_count(head, head_length, '$', command->lengths[value]);

    stream->bytes = command->arguments[value];
    stream->left = command->lengths[value];
    stream->tail_length = 0;
    stream->tail_sent = 0;
    put(stream->tail, &stream->tail_length, "\r\n", 2);
    for (int i = value + 1; i < command->argument_count; i++)
        put_argument(stream->tail, &stream->tail_length, command, i);
    return true;
}

struct state_bytes
state__redis_stream_next(struct state__redis_stream *stream)
{
    struct state_bytes piece = {stream->bytes, stream->left};

    if (stream->left > 0) {
        if (piece.length_bytes > STATE__REDIS_PIECE_BYTES)
            piece.length_bytes = STATE__REDIS_PIECE_BYTES;
        stream->bytes += piece.length_bytes;
        stream->left -= piece.length_bytes;
        return piece;
    }
    piece.bytes = stream->tail + stream->tail_sent;
    piece.length_bytes = stream->tail_length - stream->tail_sent;
    stream->tail_sent = stream->tail_length;
    return piece;
}
