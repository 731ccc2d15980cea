/*
 * Operations as commands of Redis, and answers of Redis as ends of
 * operations. No connection here: pure functions over records, argument
 * lists and replies. The layout is that of redis_script.lua.
 */
#ifndef GLASS_STATE_REDIS_COMMAND_H
#define GLASS_STATE_REDIS_COMMAND_H

#include "state/state.h"

#include <hiredis/hiredis.h>

/* The layout's number, and the name of its function library. */
#define STATE__REDIS_LAYOUT "1"
#define STATE__REDIS_FUNCTION "glass_state_" STATE__REDIS_LAYOUT

/* The same function for what must work when Redis is out of memory. */
#define STATE__REDIS_FUNCTION_LEAN STATE__REDIS_FUNCTION "_lean"

#define STATE__REDIS_ARGUMENTS_MAX 16
#define STATE__REDIS_TEXT_SIZE 2400

/*
 * An argument list. It points into itself and into the operation, so it must
 * not be copied.
 */
struct state__redis_command {
    int argument_count;
    const char *arguments[STATE__REDIS_ARGUMENTS_MAX];
    size_t lengths[STATE__REDIS_ARGUMENTS_MAX];
    size_t text_length;
    char text[STATE__REDIS_TEXT_SIZE];
};

/*
 * Writes the command for an operation. `script` is the digest of the loaded
 * script, or null when the functions are there.
 */
void
state__redis_command_write(struct state__redis_command *command,
                           const struct state_operation *operation,
                           const char *script, size_t value_bytes_max);

/*
 * Ends an operation with Redis's reply, and returns the status. A long value
 * is moved from the reply to the record.
 */
enum state_status
state__redis_command_end(struct state_operation *operation,
                         redisReply *reply);

/*
 * Whether the reply says that this Redis has become a replica: the master is
 * elsewhere, and a new connection may lead there.
 */
bool
state__redis_is_replica(const redisReply *reply);

/* Whether the reply says that the function or script has to be loaded. */
bool
state__redis_is_unloaded(const redisReply *reply);

#endif
