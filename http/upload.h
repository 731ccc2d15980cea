/*
 * What a deployment uploads: a module alone, or a form (multipart/form-data)
 * of a module and its configuration.
 */
#ifndef GLASS_HTTP_UPLOAD_H
#define GLASS_HTTP_UPLOAD_H

#include <stdbool.h>

#include "http/request.h"

struct http__upload {
    const uint8_t *module; /* in the request's body, or in `module_part` */
    size_t module_bytes;
    struct runtime_config *config; /* null: none came */

    /* The parts of a form; a part that did not come has no bytes. */
    struct http__buffer module_part;
    struct http__buffer config_part;
    const char *error; /* what is wrong with the form, or null */
};

/*
 * Whether the type of the body is one that can be uploaded; null, which is no
 * header, is a module.
 */
bool
http__upload_is_type(const char *content_type);

/*
 * Reads the request's body. Returns false after an answer; deinit is due in
 * any case. The body must stay. On the connection's thread.
 */
bool
http__upload_init(struct http__upload *upload, struct http__request *request);

void
http__upload_deinit(struct http__upload *upload);

#endif
