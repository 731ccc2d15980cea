/*
 * A command with a long value, sent piece by piece. hiredis would copy it
 * whole, twice, and move what is left of it after every write to the socket,
 * which takes seconds for the longest values. So it is given the beginning of
 * such a command, which is when it notes whose reply comes next, and the rest
 * as room comes up. Nothing else may be sent meanwhile.
 *
 * Pure functions over one thread's records: nothing is sent here.
 */
#ifndef GLASS_STATE_REDIS_STREAM_H
#define GLASS_STATE_REDIS_STREAM_H

#include "state/redis_command.h"

/* Arguments from this length on are sent in pieces of this length. */
#define STATE__REDIS_PIECE_BYTES (128u << 10)

/* The short arguments and what the protocol puts around each. */
#define STATE__REDIS_FRAME_SIZE                                               \
    (STATE__REDIS_TEXT_SIZE + STATE__REDIS_ARGUMENTS_MAX * 64)

/* What is still to be sent; zeros: nothing. */
struct state__redis_stream {
    const char *bytes; /* of the long value, which stays the operation's */
    size_t left;       /* of it */
    size_t tail_length;
    size_t tail_sent;
    char tail[STATE__REDIS_FRAME_SIZE];
};

/*
 * Begins a command: writes what goes before its long argument to `head`, and
 * its length, and notes the rest. Returns false, with nothing noted, if no
 * argument is long.
 */
bool
state__redis_stream_begin(struct state__redis_stream *stream,
                          const struct state__redis_command *command,
                          char head[STATE__REDIS_FRAME_SIZE],
                          size_t *head_length);

/* Whether there is something left. */
static inline bool
state__redis_stream_is_open(const struct state__redis_stream *stream)
{
    return stream->left > 0 || stream->tail_sent < stream->tail_length;
}

/* The next piece, which counts as sent; empty when there is none. */
struct state_bytes
state__redis_stream_next(struct state__redis_stream *stream);

#endif
