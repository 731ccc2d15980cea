/* vault.c - the secrets that functions can be granted. See vault.h. */
#define _GNU_SOURCE 1 /* explicit_bzero */

#include "runtime/vault.h"

#include "runtime/error.h"
#include "runtime/files.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct runtime__vault {
    json_t *namespaces; /* of objects of strings, checked */
};

static enum runtime_status
check_secret(const char *namespace_, const char *name, const json_t *value,
             struct runtime_error *err)
{
    size_t name_bytes = strlen(name);

    if (!json_is_string(value))
        return runtime__error_set(
            err, RUNTIME_INVALID,
            "the secret '%.64s' of the namespace '%s' is no string", name,
            namespace_);
    if (name_bytes == 0)
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "a secret of the namespace '%s' has no name",
                                  namespace_);
    if (name_bytes > RUNTIME_SECRET_NAME_BYTES_MAX)
        return runtime__error_set(
            err, RUNTIME_LIMIT, "the name of a secret is longer than %d bytes",
            RUNTIME_SECRET_NAME_BYTES_MAX);
    if (json_string_length(value) > RUNTIME_SECRET_BYTES_MAX)
        return runtime__error_set(
            err, RUNTIME_LIMIT,
            "the secret '%.64s' of the namespace '%s' is longer than %d bytes",
            name, namespace_, RUNTIME_SECRET_BYTES_MAX);
    return RUNTIME_OK;
}

static enum runtime_status
check_namespaces(json_t *namespaces, struct runtime_error *err)
{
    const char *namespace_, *name;
    json_t *secrets, *value;

    if (!json_is_object(namespaces))
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "the secrets are no JSON object");
    json_object_foreach(namespaces, namespace_, secrets) {
        if (!runtime_name_is_valid(namespace_))
            return runtime__error_set(err, RUNTIME_INVALID,
                                      "'%.64s' is no namespace to have secrets",
                                      namespace_);
        if (!json_is_object(secrets))
            return runtime__error_set(
                err, RUNTIME_INVALID,
                "the secrets of the namespace '%s' are no JSON object",
                namespace_);
        json_object_foreach(secrets, name, value) {
            enum runtime_status status =
                check_secret(namespace_, name, value, err);
            if (status != RUNTIME_OK)
                return status;
        }
    }
    return RUNTIME_OK;
}

/* Jansson's texts of errors quote the file, so only the line is told. */
static enum runtime_status
fail_no_json(const json_error_t *json_error, const char *path,
             struct runtime_error *err)
{
    if (json_error_code(json_error) == json_error_out_of_memory)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for the secrets");
    return runtime__error_set(err, RUNTIME_INVALID,
                              "the secrets in '%.200s' are no JSON (line %d)",
                              path, json_error->line);
}

static void
tell_who_can_read(const char *path,
                  void (*notice)(void *notice_data, const char *message),
                  void *notice_data)
{
    char message[RUNTIME_MESSAGE_SIZE];
    struct stat info;

    if (!notice || stat(path, &info) != 0 || !(info.st_mode & 077))
        return;
    snprintf(message, sizeof(message),
             "others than its owner can read or write '%.200s' (mode %03o)",
             path, (unsigned)info.st_mode & 0777);
    notice(notice_data, message);
}

enum runtime_status
runtime__vault_open(const char *path,
                    void (*notice)(void *notice_data, const char *message),
                    void *notice_data, struct runtime__vault **vault,
                    struct runtime_error *err)
{
    json_error_t json_error;
    uint8_t *bytes;
    size_t length_bytes;

    enum runtime_status status =
        runtime__files_read(AT_FDCWD, path, RUNTIME_SECRETS_BYTES_MAX, &bytes,
                            &length_bytes, err);
    if (status != RUNTIME_OK)
        return status;
    tell_who_can_read(path, notice, notice_data);
    json_t *namespaces = json_loadb((const char *)bytes, length_bytes,
                                    JSON_REJECT_DUPLICATES, &json_error);
    explicit_bzero(bytes, length_bytes);
    free(bytes);
    if (!namespaces)
        return fail_no_json(&json_error, path, err);
    status = check_namespaces(namespaces, err);
    struct runtime__vault *opened = malloc(sizeof(*opened));
    if (status == RUNTIME_OK && !opened)
        status = runtime__error_set(err, RUNTIME_NO_MEMORY,
                                    "out of memory for the secrets");
    if (status != RUNTIME_OK) {
        free(opened);
        json_decref(namespaces);
        return status;
    }
    opened->namespaces = namespaces;
    *vault = opened;
    return RUNTIME_OK;
}

void
runtime__vault_close(struct runtime__vault *vault)
{
    if (!vault)
        return;
    json_decref(vault->namespaces);
    free(vault);
}

const char *
runtime__vault_find(const struct runtime__vault *vault,
                    const char *namespace_, const void *name,
                    size_t name_bytes)
{
    char copy[RUNTIME_SECRET_NAME_BYTES_MAX + 1];

    if (!vault || name_bytes > RUNTIME_SECRET_NAME_BYTES_MAX)
        return NULL;
    memcpy(copy, name, name_bytes);
    copy[name_bytes] = '\0';
    if (strlen(copy) != name_bytes)
        return NULL;
    return json_string_value(json_object_get(
        json_object_get(vault->namespaces, namespace_), copy));
}
