/*
 * /v1/functions: deploying, describing and removing.
 *
 * The runtime ends each of these at once: a deployment checks a module and
 * writes it down on the connection's thread.
 */
#include "http/routes.h"

#include "http/json.h"
#include "http/problem.h"
#include "http/request.h"
#include "http/response.h"
#include "http/upload.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

static const char json[] = "application/json";
static const char wasm[] = "application/wasm";

static json_t *
describe_directories(const struct runtime_config *config)
{
    json_t *directories = json_object();

    for (size_t index = 0; index < config->directory_count; index++) {
        const struct runtime_directory *directory =
            &config->directories[index];
        json_object_set_new(
            directories, directory->guest,
            http__json_text(directory->host, strlen(directory->host)));
    }
    return directories;
}

/* A list that is left out stays left out. */
static void
describe_grant(json_t *grants, const char *name,
               const struct runtime_names *list)
{
    json_t *texts = list ? json_array() : NULL;

    for (size_t index = 0; list && index < list->count; index++)
        json_array_append_new(texts, http__json_text(
                                         list->names[index],
                                         strlen(list->names[index])));
    if (texts)
        json_object_set_new(grants, name, texts);
}

static json_t *
describe_grants(const struct runtime_grants *grants)
{
    json_t *document = json_object();

    describe_grant(document, "state_read", grants->state_read);
    describe_grant(document, "state_write", grants->state_write);
    describe_grant(document, "functions", grants->functions);
    describe_grant(document, "secrets", grants->secrets);
    return document;
}

/* The configuration as it can be deployed again: zeros are left out. */
static json_t *
describe_config(const struct runtime_config *config)
{
    json_t *document = json_object();
    json_t *env = json_object();

    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
#define NUMBER(name) {#name, config->name},
        RUNTIME_CONFIG_NUMBERS(NUMBER)
#undef NUMBER
    };

    for (size_t index = 0; index < sizeof(numbers) / sizeof(*numbers);
         index++)
        if (numbers[index].value > 0)
            json_object_set_new(
                document, numbers[index].name,
                json_integer((json_int_t)numbers[index].value));
    if (config->reuse != RUNTIME_REUSE_FRESH)
        json_object_set_new(document, "reuse",
                            json_string(runtime_reuse_name(config->reuse)));
    for (size_t index = 0; index < config->variable_count; index++) {
        const struct runtime_variable *variable = &config->variables[index];
        json_object_set_new(env, variable->name,
                            http__json_text(variable->value,
                                            strlen(variable->value)));
    }
    json_object_set_new(document, "env", env);
    if (config->directory_count > 0)
        json_object_set_new(document, "dirs", describe_directories(config));
    json_t *grants = describe_grants(&config->grants);
    if (json_object_size(grants) > 0)
        json_object_set(document, "grants", grants);
    json_decref(grants);
    return document;
}

/* A function as `GET` and lists show it. */
static json_t *
describe(const struct runtime_function_info *info)
{
    json_t *document = json_object();

    json_object_set_new(document, "name", json_string(info->name));
    json_object_set_new(document, "namespace", json_string(info->namespace_));
    json_object_set_new(document, "kind",
                        json_string(runtime_kind_name(info->kind)));
    json_object_set_new(document, "digest", json_string(info->digest));
    json_object_set_new(document, "size",
                        json_integer((json_int_t)info->module_bytes));
    json_object_set_new(document, "version",
                        json_integer((json_int_t)info->version));
    json_object_set_new(document, "deployed_ms",
                        json_integer((json_int_t)info->deployed_ms));
    json_object_set_new(document, "config", describe_config(info->config));
    return document;
}

/*
 * Finds the route's function, to be read under the conditions of the headers;
 * `http_status` is the answer's then. Null after an answer.
 */
static struct runtime_function *
find(struct http__request *request, struct runtime_function_info *info,
     unsigned *http_status)
{
    struct runtime_function *function;
    struct runtime_error err;
    enum runtime_status status =
        runtime_function_get(request->server->options.runtime,
                             request->namespace_, request->name, &function,
                             &err);

    if (status != RUNTIME_OK) {
        http__problem_runtime(request, status, &err);
        return NULL;
    }
    runtime_function_info(function, info);
    *http_status = http__request_read_status(request, info->digest);
    if (!request->response)
        return function;
    runtime_function_put(function);
    return NULL;
}

void
http__function_get(struct http__request *request)
{
    struct runtime_function_info info;
    unsigned status;
    struct runtime_function *function = find(request, &info, &status);

    if (!function)
        return;
    http__respond_json(request, status, json, describe(&info));
    http__response_etag(request, info.digest);
    runtime_function_put(function);
}

void
http__function_module(struct http__request *request)
{
    struct runtime_function_info info;
    unsigned status;
    struct runtime_function *function = find(request, &info, &status);

    if (!function)
        return;
    /* The function may go while the module is still being sent. */
    http__respond(request, status, wasm, info.module, info.module_bytes,
                  HTTP__COPIED);
    http__response_etag(request, info.digest);
    runtime_function_put(function);
}

void
http__function_list(struct http__request *request)
{
    char prefix[RUNTIME_NAME_BYTES_MAX + 1];
    char cursor[RUNTIME_NAME_BYTES_MAX + 1];
    struct runtime_function_page page = {0};
    struct runtime_function_info info;
    struct runtime_error err;
    unsigned limit;

    if (!http__request_limit(request, &limit))
        return;
    bool has_prefix =
        http__request_text(request, "prefix", prefix, sizeof(prefix));
    bool has_cursor =
        http__request_text(request, "cursor", cursor, sizeof(cursor));
    if (request->response)
        return;
    enum runtime_status status = runtime_function_list(
        request->server->options.runtime, request->namespace_,
        has_prefix ? prefix : NULL, has_cursor ? cursor : NULL, limit, &page,
        &err);
    if (status != RUNTIME_OK) {
        http__problem_runtime(request, status, &err);
        return;
    }
    json_t *items = json_array();
    for (size_t index = 0; index < page.count; index++) {
        runtime_function_info(page.functions[index], &info);
        json_array_append_new(items, describe(&info));
    }
    json_t *document = json_object();
    json_object_set_new(document, "items", items);
    json_object_set_new(document, "cursor",
                        page.more && page.count > 0 ? json_string(info.name)
                                                    : json_null());
    http__respond_json(request, MHD_HTTP_OK, json, document);
    runtime_function_page_deinit(&page);
}

void
http__function_put_begin(struct http__request *request)
{
    if (!http__upload_is_type(request->headers.content_type))
        http__problem(request, HTTP__PROBLEM_MEDIA_TYPE,
                      "a module is of the type application/wasm, or a part of "
                      "a multipart/form-data");
    else if (!runtime_name_is_valid(request->name) ||
             strlen(request->name) != request->name_length)
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the name of a function is 1 to %d of a-z, 0-9 and, "
                      "inside, hyphens",
                      RUNTIME_NAME_BYTES_MAX);
}

/*
 * Reads the condition; `digest` is set to an ETag if it is one of a module.
 * Returns false after an answer.
 */
static bool
read_condition(struct http__request *request,
               enum runtime_condition *condition,
               char digest[RUNTIME_DIGEST_SIZE])
{
    struct http__span etag;

    *condition = RUNTIME_ALWAYS;
    switch (http__request_write(request, &etag)) {
    case HTTP__WRITE_ALWAYS:
        return true;
    case HTTP__WRITE_IF_ABSENT:
        *condition = RUNTIME_IF_ABSENT;
        return true;
    case HTTP__WRITE_IF_PRESENT:
        *condition = RUNTIME_IF_PRESENT;
        return true;
    case HTTP__WRITE_IF_ETAG:
        *condition = RUNTIME_IF_DIGEST;
        if (etag.length != RUNTIME_DIGEST_SIZE - 1)
            break;
        memcpy(digest, etag.bytes, etag.length);
        digest[etag.length] = '\0';
        return true;
    case HTTP__WRITE_NEVER:
        break;
    case HTTP__WRITE_BAD:
        return false;
    }
    http__problem(request, HTTP__PROBLEM_CONDITION,
                  "If-Match is no ETag that a function can have");
    return false;
}

/* Answers with the function that is deployed now, and puts it back. */
static void
respond_deployed(struct http__request *request,
                 struct runtime_function *function, bool created)
{
    struct runtime_function_info info;

    runtime_function_info(function, &info);
    http__respond_json(request, created ? MHD_HTTP_CREATED : MHD_HTTP_OK, json,
                       describe(&info));
    http__response_etag(request, info.digest);
    if (created)
        http__response_header(request, MHD_HTTP_HEADER_LOCATION,
                              request->target.raw);
    runtime_function_put(function);
}

void
http__function_put(struct http__request *request)
{
    char digest[RUNTIME_DIGEST_SIZE];
    struct runtime_deployment deployment = {
        .namespace_ = request->namespace_,
        .name = request->name,
        .digest_expected = digest,
    };
    struct http__upload upload;
    struct runtime_function *function;
    struct runtime_error err;
    bool created;

    if (!read_condition(request, &deployment.condition, digest))
        return;
    if (http__upload_init(&upload, request)) {
        deployment.module = upload.module;
        deployment.module_bytes = upload.module_bytes;
        deployment.config = upload.config;
        enum runtime_status status =
            runtime_function_deploy(request->server->options.runtime,
                                    &deployment, &function, &created, &err);
        if (status == RUNTIME_OK)
            respond_deployed(request, function, created);
        else
            http__problem_runtime(request, status, &err);
    }
    http__upload_deinit(&upload);
}

void
http__function_delete(struct http__request *request)
{
    enum runtime_condition condition;
    char digest[RUNTIME_DIGEST_SIZE];
    struct runtime_error err;

    if (!read_condition(request, &condition, digest))
        return;
    if (condition == RUNTIME_IF_ABSENT) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "a deletion takes no If-None-Match");
        return;
    }
    enum runtime_status status = runtime_function_delete(
        request->server->options.runtime, request->namespace_, request->name,
        condition == RUNTIME_IF_DIGEST ? digest : NULL, &err);
    if (status != RUNTIME_OK)
        http__problem_runtime(request, status, &err);
    else
        http__respond_empty(request, MHD_HTTP_NO_CONTENT);
}
