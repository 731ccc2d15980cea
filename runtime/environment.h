/*
 * environment.h - the environment of a WASI program: the variables of its
 * configuration and, for a call over HTTP, those of CGI.
 */
#ifndef GLASS_RUNTIME_ENVIRONMENT_H
#define GLASS_RUNTIME_ENVIRONMENT_H

#include "runtime/runtime.h"
#include "runtime/wasi.h"

/*
 * Appends NAME=value for each. RUNTIME_LIMIT when the texts are longer than
 * RUNTIME_ENVIRONMENT_BYTES_MAX then, or RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__environment_append(struct runtime__texts *texts,
                            const struct runtime_variable *variables,
                            size_t count, struct runtime_error *err);

/* Appends the CGI variables of a request, but for CONTENT_LENGTH. */
enum runtime_status
runtime__environment_append_request(struct runtime__texts *texts,
                                    const struct runtime_request *request,
                                    struct runtime_error *err);

/* Appends all the texts of another. */
enum runtime_status
runtime__environment_append_texts(struct runtime__texts *texts,
                                  const struct runtime__texts *others,
                                  struct runtime_error *err);

#endif
