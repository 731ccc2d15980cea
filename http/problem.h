/*
 * Errors as `application/problem+json` (RFC 9457): type, title, status,
 * detail, instance and whatever else the kind of the error has to say.
 */
#ifndef GLASS_HTTP_PROBLEM_H
#define GLASS_HTTP_PROBLEM_H

#include <jansson.h>

#include "runtime/runtime.h"
#include "state/state.h"

struct http__request;

/* The kinds: see problems.inc. */
enum http__problem {
#define PROBLEM(symbol, status, retry_after_s, slug, title)                   \
    HTTP__PROBLEM_##symbol,
#include "http/problems.inc"
#undef PROBLEM
};

/*
 * Answers the request with an error; one that is being answered with a stream
 * has it as its last event. The detail is formatted as printf does
 * and cut at HTTP_DETAIL_SIZE; bytes that are not UTF-8 become question marks.
 */
void
http__problem(struct http__request *request, enum http__problem kind,
              const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with further members, which are taken over; null is none. */
void
http__problem_with(struct http__request *request, enum http__problem kind,
                   json_t *members, const char *detail);

/*
 * Answers with what the runtime said, during a deployment or about a name.
 * How a call ended is a thing of its own: see routes_call.c.
 */
void
http__problem_runtime(struct http__request *request,
                      enum runtime_status status,
                      const struct runtime_error *err);

/* Answers with how the request's state operation failed. */
void
http__problem_state(struct http__request *request,
                    const struct state_operation *operation);

/* The same of what was no operation. */
void
http__problem_status(struct http__request *request, enum state_status status,
                     const char *message);

/* The same of an operation in a batch, whose index is a member. */
void
http__problem_state_at(struct http__request *request,
                       const struct state_operation *operation, size_t index);

/*
 * The members that say where a guest stopped, and at which limit, as far as
 * that is known: `trap`, `limit`, `function_index` and `offset`. Null when out
 * of memory.
 */
json_t *
http__problem_place(const struct runtime_error *err);

#endif
