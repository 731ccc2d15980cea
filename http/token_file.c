/*
 * tokens.json: {"tokens": [{"id", "sha256", "namespace", "note",
 * "created_ms", "expires_ms", "scopes"}, ...]}.
 *
 * It is replaced by a rename, so a reader needs no lock: it sees the old file
 * or the new one. Writers lock `tokens.lock`, which stays.
 */
#include "http/token_file.h"

#include "http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "tokens.json"
#define NEW_NAME "tokens.json.tmp"

static enum http_status
fail_system(struct http_error *err, const char *what)
{
    return http__error_set(err, HTTP_SYSTEM, "%s: %s", what, strerror(errno));
}

static void
close_all(int directory, int lock)
{
    if (lock >= 0)
        close(lock);
    if (directory >= 0)
        close(directory);
}

/* Reads what is left of a file into a block; null sets errno. */
static char *
read_all(int fd, size_t length)
{
    char *bytes = malloc(length + 1);
    size_t done = 0;

    while (bytes && done < length) {
        ssize_t count = read(fd, bytes + done, length - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            free(bytes);
            errno = count == 0 ? EIO : errno;
            return NULL;
        }
        done += (size_t)count;
    }
    return bytes;
}

static enum http_status
parse(const char *bytes, size_t length, struct http__tokens **tokens,
      struct http_error *err)
{
    json_error_t json_error;
    json_t *document =
        json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &json_error);

    if (!document)
        return http__error_set(err, HTTP_INVALID,
                               FILE_NAME " is no JSON (line %d)",
                               json_error.line);
    return http__tokens_create(document, tokens, err);
}

static enum http_status
read_file(int directory, struct http__tokens **tokens, struct http_error *err)
{
    int fd = openat(directory, FILE_NAME, O_RDONLY | O_CLOEXEC);
    enum http_status status = HTTP_OK;
    char *bytes = NULL;
    struct stat info;

    if (fd < 0 && errno == ENOENT)
        return http__error_set(err, HTTP_NOT_FOUND, "there is no " FILE_NAME);
    if (fd < 0)
        return fail_system(err, FILE_NAME);
    if (fstat(fd, &info) != 0)
        status = fail_system(err, FILE_NAME);
    else if (info.st_size > HTTP_TOKENS_BYTES_MAX)
        status = http__error_set(err, HTTP_LIMIT,
                                 FILE_NAME ": the limit is %d bytes",
                                 HTTP_TOKENS_BYTES_MAX);
    else if (!(bytes = read_all(fd, (size_t)info.st_size)))
        status = fail_system(err, FILE_NAME);
    else
        status = parse(bytes, (size_t)info.st_size, tokens, err);
    free(bytes);
    close(fd);
    return status;
}

enum http_status
http__token_file_read(const char *directory, struct http__tokens **tokens,
                      struct http_error *err)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return http__error_set(err, HTTP_NOT_FOUND,
                               "the directory is not there");
    if (fd < 0)
        return fail_system(err, directory);
    enum http_status status = read_file(fd, tokens, err);
    close(fd);
    return status;
}

/* Replaces the file: it is on the disk, the old one or this one whole. */
static enum http_status
write_file(int directory, json_t *list, struct http_error *err)
{
    json_t *document = json_pack("{s:O}", "tokens", list);
    int fd = openat(directory, NEW_NAME,
                    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = document && fd >= 0 &&
                   json_dumpfd(document, fd, JSON_INDENT(1)) == 0 &&
                   fsync(fd) == 0 &&
                   renameat(directory, NEW_NAME, directory, FILE_NAME) == 0 &&
                   fsync(directory) == 0;
    enum http_status status =
        written ? HTTP_OK : fail_system(err, "writing " FILE_NAME);

    if (fd >= 0)
        close(fd);
    json_decref(document);
    return status;
}

/* What the file has as JSON; a file that is not there is an empty one. */
static enum http_status
list_file(int directory, json_t **list, struct http_error *err)
{
    struct http__tokens *tokens = NULL;
    enum http_status status = read_file(directory, &tokens, err);

    if (status != HTTP_OK && status != HTTP_NOT_FOUND)
        return status;
    *list = json_array();
    for (size_t index = 0; tokens; index++) {
        const struct http__token *token = http__tokens_at(tokens, index);
        if (!token)
            break;
        json_array_append_new(*list, http__token_to_json(token));
    }
    http__tokens_release(tokens);
    return HTTP_OK;
}

/* What is to happen to the list, with what it is about. */
typedef enum http_status
change_list(json_t *list, const void *data, struct http_error *err);

/* Reads, changes and writes the file, while nobody else does. */
static enum http_status
change_file(const char *path, change_list *change, const void *data,
            struct http_error *err)
{
    json_t *list = NULL;
    int lock = -1;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum http_status status = HTTP_OK;

    if (directory >= 0)
        lock = openat(directory, "tokens.lock", O_RDWR | O_CREAT | O_CLOEXEC,
                      0600);
    if (lock < 0 || flock(lock, LOCK_EX) != 0)
        status = fail_system(err, path);
    if (status == HTTP_OK)
        status = list_file(directory, &list, err);
    if (status == HTTP_OK)
        status = change(list, data, err);
    if (status == HTTP_OK)
        status = write_file(directory, list, err);
    json_decref(list);
    close_all(directory, lock);
    return status;
}

static enum http_status
add(json_t *list, const void *data, struct http_error *err)
{
    struct http__token read;
    json_t *json = http__token_to_json(data);

    if (!json || !http__token_from_json(json, &read)) {
        json_decref(json);
        return http__error_set(err, HTTP_INVALID,
                               "the namespace, a scope or the note is none");
    }
    if (json_array_size(list) >= HTTP_TOKENS_MAX) {
        json_decref(json);
        return http__error_set(err, HTTP_LIMIT, "the limit is %d tokens",
                               HTTP_TOKENS_MAX);
    }
    return json_array_append_new(list, json) == 0
               ? HTTP_OK
               : http__error_set(err, HTTP_NO_MEMORY, "out of memory");
}

enum http_status
http_token_create(const char *directory, const struct http_token *token,
                  char text[HTTP_TOKEN_SIZE], struct http_error *err)
{
    char drawn[HTTP_TOKEN_SIZE];
    struct http__token_text parts;
    struct http__token created = {
        .namespace_ = token->namespace_ ? token->namespace_ : "",
        .note = token->note ? token->note : "",
        .created_ms = http__token_now_ms(),
        .expires_ms = token->expires_ms,
        .scope_count = token->scope_count,
    };

    if (token->scope_count > HTTP_TOKEN_SCOPES_MAX)
        return http__error_set(err, HTTP_INVALID, "the limit is %d scopes",
                               HTTP_TOKEN_SCOPES_MAX);
    for (size_t index = 0; index < token->scope_count; index++)
        created.scope_texts[index] = token->scopes[index];
    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return fail_system(err, directory);
    if (!http__token_draw(drawn) ||
        !http__token_take_apart(drawn, EVP_sha256(), &parts))
        return http__error_set(err, HTTP_SYSTEM, "no random bytes");
    created.id = parts.id;
    created.hash = parts.hash;
    enum http_status status = change_file(directory, add, &created, err);
    if (status == HTTP_OK)
        memcpy(text, drawn, HTTP_TOKEN_SIZE);
    explicit_bzero(drawn, sizeof(drawn));
    return status;
}

static enum http_status
take_out(json_t *list, const void *data, struct http_error *err)
{
    const char *id = data;
    json_t *json;
    size_t index;

    json_array_foreach(list, index, json)
        if (strcmp(json_string_value(json_object_get(json, "id")), id) == 0) {
            json_array_remove(list, index);
            return HTTP_OK;
        }
    return http__error_set(err, HTTP_NOT_FOUND, "there is no token '%.32s'",
                           id);
}

enum http_status
http_token_revoke(const char *directory, const char *id,
                  struct http_error *err)
{
    return change_file(directory, take_out, id, err);
}

enum http_status
http_token_each(const char *directory,
                void (*visit)(void *data, const struct http_token *token),
                void *data, struct http_error *err)
{
    struct http__tokens *tokens = NULL;
    enum http_status status = http__token_file_read(directory, &tokens, err);
    const struct http__token *token;

    for (size_t index = 0;
         status == HTTP_OK && (token = http__tokens_at(tokens, index));
         index++) {
        const struct http_token shown = {
            .id = token->id,
            .namespace_ = token->namespace_,
            .note = token->note,
            .created_ms = token->created_ms,
            .expires_ms = token->expires_ms,
            .scopes = token->scope_texts,
            .scope_count = token->scope_count,
        };
        visit(data, &shown);
    }
    http__tokens_release(tokens);
    return status;
}
