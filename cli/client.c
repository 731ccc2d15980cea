/*
 * Requests by libcurl: one at a time, each on a connection of its own, since
 * a command makes one and ends.
 */
#include "cli/client.h"

#include "cli/base64.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URL_SIZE (CLIENT_TARGET_SIZE + 1024)

/* Answers larger than this are not taken: no output or value is. */
#define ANSWER_BYTES_MAX ((size_t)1 << 30)

void
client_append(struct client_request *request, const char *text)
{
    size_t length = strlen(request->target);

    if (strlen(text) >= sizeof(request->target) - length) {
        request->too_long = true;
        return;
    }
    strcpy(request->target + length, text);
}

void
client_append_encoded(struct client_request *request, const void *bytes,
                      size_t length)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    const unsigned char *byte = bytes;

    for (; length > 0; length--, byte++) {
        char text[4] = {(char)*byte};
        if (*byte == 0 || !strchr(plain, *byte))
            snprintf(text, sizeof(text), "%%%02X", *byte);
        client_append(request, text);
    }
}

bool
client_append_base64(struct client_request *request, const char *text)
{
    size_t length;
    unsigned char *bytes =
        text ? base64_decode(text, strlen(text), &length) : NULL;

    if (!bytes)
        return false;
    client_append_encoded(request, bytes, length);
    free(bytes);
    return true;
}

void
client_append_parameter(struct client_request *request, const char *name,
                        const char *value)
{
    client_append(request, strchr(request->target, '?') ? "&" : "?");
    client_append(request, name);
    client_append(request, "=");
    client_append_encoded(request, value, strlen(value));
}

void
client_add_header(struct client_request *request, const char *header)
{
    if (request->header_count < CLIENT_HEADERS_MAX)
        request->headers[request->header_count++] = header;
}

/* An exchange: an answer that is kept, or followed line by line. */
struct exchange {
    CURL *curl;
    struct client_answer *answer;
    bool (*take_line)(void *data, const char *line, size_t length);
    void *data;
    bool has_enough;
};

/*
 * Hands over the lines that are whole and keeps the rest; false when there are
 * to be no more.
 */
static bool
hand_over(struct exchange *exchange)
{
    struct client_answer *answer = exchange->answer;
    char *line = answer->body;
    char *end = line + answer->body_length;
    char *next;

    while ((next = memchr(line, '\n', (size_t)(end - line)))) {
        if (!exchange->take_line(exchange->data, line,
                                 (size_t)(next - line))) {
            exchange->has_enough = true;
            return false;
        }
        line = next + 1;
    }
    answer->body_length = (size_t)(end - line);
    memmove(answer->body, line, answer->body_length + 1);
    return true;
}

/* libcurl hands over a piece of the body; 0 stops it. */
static size_t
take_body(char *bytes, size_t size, size_t count, void *data)
{
    struct exchange *exchange = data;
    struct client_answer *answer = exchange->answer;
    size_t length = size * count;
    long status = 0;

    if (length > ANSWER_BYTES_MAX - answer->body_length)
        return 0;
    /* curl hands over some KiB at a time; the allocator does the doubling. */
    char *grown = realloc(answer->body, answer->body_length + length + 1);
    if (!grown)
        return 0;
    answer->body = grown;
    memcpy(grown + answer->body_length, bytes, length);
    answer->body_length += length;
    grown[answer->body_length] = '\0';
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
    if (exchange->take_line && status < 300 && !hand_over(exchange))
        return 0;
    return length;
}

/* Copies the value of the header `name` if the line is one, unquoted. */
static void
take_value(const char *line, size_t length, const char *name, char *value,
           size_t capacity)
{
    size_t name_length = strlen(name);

    if (length <= name_length || strncasecmp(line, name, name_length) != 0)
        return;
    line += name_length;
    length -= name_length;
    while (length > 0 && strchr(" \t\"", *line)) {
        line++;
        length--;
    }
    while (length > 0 && strchr(" \t\r\n\"", line[length - 1]))
        length--;
    if (length < capacity) {
        memcpy(value, line, length);
        value[length] = '\0';
    }
}

/* libcurl hands over a line of the head; those of 100 Continue as well. */
static size_t
take_header(char *line, size_t size, size_t count, void *data)
{
    struct exchange *exchange = data;
    struct client_answer *answer = exchange->answer;
    size_t length = size * count;

    take_value(line, length, "ETag:", answer->etag, sizeof(answer->etag));
    take_value(line, length, "X-Call-Id:", answer->call_id,
               sizeof(answer->call_id));
    take_value(line, length, "Glass-Fuel-Used:", answer->fuel_used,
               sizeof(answer->fuel_used));
    return length;
}

/* An option that is not given may be in the environment. */
static const char *
choose(const char *given, const char *variable, const char *otherwise)
{
    const char *value = given ? given : getenv(variable);

    return value && *value ? value : otherwise;
}

const char *
client_namespace(const struct client_options *options)
{
    return choose(options->namespace_, "GLASS_NAMESPACE", "default");
}

/* The headers as libcurl wants them; the caller frees the list. */
static struct curl_slist *
list_headers(const struct client_options *options,
             const struct client_request *request)
{
    char text[128];
    struct curl_slist *list = NULL;
    const char *token = choose(NULL, "GLASS_TOKEN", NULL);
    /* A token has a namespace: to be sent is what was asked for. */
    const char *namespace_ = choose(options->namespace_, "GLASS_NAMESPACE",
                                    token ? NULL : "default");

    if (namespace_) {
        snprintf(text, sizeof(text), "Glass-Namespace: %s", namespace_);
        list = curl_slist_append(list, text);
    }
    if (token) {
        snprintf(text, sizeof(text), "Authorization: Bearer %s", token);
        list = curl_slist_append(list, text);
    }
    /* Whoever answers within a machine need not be asked first. */
    list = curl_slist_append(list, "Expect:");
    bool typed = false;
    for (size_t index = 0; index < request->header_count; index++) {
        typed |= !strncmp(request->headers[index], "Content-Type:", 13);
        list = curl_slist_append(list, request->headers[index]);
    }
    if (request->body && !typed)
        list = curl_slist_append(list,
                                 "Content-Type: application/octet-stream");
    return list;
}

/* Sets everything that differs from libcurl's defaults, and sends. */
static CURLcode
perform(struct exchange *exchange, const struct client_request *request,
        const char *url, struct curl_slist *headers)
{
    CURL *curl = exchange->curl;

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    /* Keys may look like `..`, and a proxy has no business here. */
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    if (request->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)request->body_length);
    }
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE,
                      &exchange->answer->status);
    return exchange->has_enough ? CURLE_OK : code;
}

/* Says what a problem document says, in one line. */
static void
report_problem(const struct command *command,
               const struct client_answer *answer, bool json)
{
    json_t *problem = json_loadb(answer->body ? answer->body : "",
                                 answer->body_length, 0, NULL);
    const char *title =
        json_string_value(json_object_get(problem, "title"));
    const char *detail =
        json_string_value(json_object_get(problem, "detail"));

    if (json && problem)
        fprintf(stderr, "%s", answer->body);
    else
        command_fail(command, "%ld %s%s%s", answer->status,
                     title ? title : "", detail ? ": " : "",
                     detail ? detail : "");
    json_decref(problem);
}

/* Sends a request and receives all of its answer. */
static bool
carry_out(const struct command *command, const struct client_options *options,
          const struct client_request *request, struct exchange *exchange)
{
    struct client_answer *answer = exchange->answer;
    char url[URL_SIZE];
    const char *server =
        choose(options->server, "GLASS_SERVER", "http://127.0.0.1:8080");
    size_t server_length = strlen(server);

    memset(answer, 0, sizeof(*answer));
    while (server_length > 0 && server[server_length - 1] == '/')
        server_length--;
    if (request->too_long ||
        server_length >= sizeof(url) - CLIENT_TARGET_SIZE) {
        command_fail(command, "the names and arguments are too long");
        return false;
    }
    snprintf(url, sizeof(url), "%.*s%s", (int)server_length, server,
             request->target);
    exchange->curl = curl_easy_init();
    struct curl_slist *headers = list_headers(options, request);
    CURLcode code = exchange->curl ? perform(exchange, request, url, headers)
                                   : CURLE_OUT_OF_MEMORY;
    curl_easy_cleanup(exchange->curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        command_fail(command, "%s: %s", server, curl_easy_strerror(code));
    else if (answer->status >= 300 &&
             !(request->may_be_absent && answer->status == 404))
        report_problem(command, answer, options->json);
    else
        return true;
    client_answer_free(answer);
    return false;
}

bool
client_send(const struct command *command,
            const struct client_options *options,
            const struct client_request *request,
            struct client_answer *answer)
{
    struct exchange exchange = {.answer = answer};

    return carry_out(command, options, request, &exchange);
}

bool
client_follow(const struct command *command,
              const struct client_options *options,
              const struct client_request *request,
              bool (*take_line)(void *data, const char *line, size_t length),
              void *data)
{
    struct client_answer answer;
    struct exchange exchange = {
        .answer = &answer, .take_line = take_line, .data = data};

    if (!carry_out(command, options, request, &exchange))
        return false;
    client_answer_free(&answer);
    return true;
}

void
client_set_bytes(json_t *object, const char *name, const void *bytes,
                 size_t length)
{
    json_t *string = json_stringn(bytes ? bytes : "", length);

    if (string) {
        json_object_set_new(object, name, string);
        return;
    }
    char member[64];
    char *text = base64_encode(bytes, length);
    snprintf(member, sizeof(member), "%s_base64", name);
    json_object_set_new(object, member, json_string(text));
    free(text);
}

void
client_answer_free(struct client_answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}
