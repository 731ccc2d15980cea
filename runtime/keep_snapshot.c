/*
 * keep_snapshot.c - what calls begin with, on the disk, so that a function is
 * not initialised again after a restart.
 *
 * A file is three lines of text, the snapshot as the engine saves it, and the
 * SHA-256 of all that:
 *
 *     glass snapshot 1
 *     the digest of the function's file
 *     the digest of the module
 *
 * The function's file says what the function was initialised with: module,
 * configuration, deployment. So a snapshot belongs to one deployment, and
 * whoever edits that file has the function initialised anew.
 *
 * The last digest finds damage, not malice: whoever can write here can make a
 * right one. What a snapshot holds is therefore held against the module by
 * the engine, which believes nothing (vm/snapshot_file.c).
 *
 * Nothing waits for the disk here. What a crash leaves has another digest.
 */
#include "runtime/keep.h"

#include "runtime/buffer.h"
#include "runtime/digest.h"
#include "runtime/error.h"
#include "runtime/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LINE "glass snapshot 1\n"

enum {
    digest_bytes = RUNTIME_DIGEST_SIZE - 1,
    /* Three lines. */
    head_bytes = (int)sizeof(FIRST_LINE) - 1 + 2 * (digest_bytes + 1),
    file_name_size = 2 * RUNTIME_NAME_BYTES_MAX + 2,
};

static const char *
snapshot_file(const char *namespace_, const char *name,
              char file[file_name_size])
{
    snprintf(file, file_name_size, "%s.%s", namespace_, name);
    return file;
}

static void
make_head(const struct runtime_function *function,
          char head[head_bytes + 1])
{
    snprintf(head, head_bytes + 1, FIRST_LINE "%s\n%s\n", function->record,
             function->module->digest);
}

/* ---- Writing ------------------------------------------------------------ */

struct writing {
    struct runtime__buffer buffer;
    enum runtime_status status;
};

/* Room is left for the digest in the end. */
static bool
append(void *data, const void *bytes, size_t length_bytes)
{
    struct writing *writing = data;
    size_t left_bytes = RUNTIME_SNAPSHOT_BYTES_MAX - digest_bytes -
                        writing->buffer.length_bytes;

    if (length_bytes > left_bytes)
        writing->status = RUNTIME_TOO_BIG;
    else if (!runtime__buffer_append(&writing->buffer, bytes, length_bytes))
        writing->status = RUNTIME_NO_MEMORY;
    return writing->status == RUNTIME_OK;
}

/* The whole file, in `buffer`. */
static enum runtime_status
make_file(const struct runtime_function *function,
          const struct gvm_snapshot *snapshot,
          struct runtime__buffer *buffer, struct runtime_error *err)
{
    struct writing writing = {.status = RUNTIME_OK};
    char text[head_bytes + 1];
    char digest[RUNTIME_DIGEST_SIZE];
    struct gvm_error vm_error;

    make_head(function, text);
    bool saved =
        append(&writing, text, head_bytes) &&
        gvm_snapshot_save(snapshot, append, &writing, &vm_error) == GVM_OK;
    *buffer = writing.buffer;
    if (writing.status == RUNTIME_TOO_BIG)
        return runtime__error_set(
            err, RUNTIME_TOO_BIG,
            "the snapshot is longer than %u bytes: it is not kept",
            RUNTIME_SNAPSHOT_BYTES_MAX);
    if (writing.status == RUNTIME_NO_MEMORY)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a snapshot's file");
    if (!saved)
        return runtime__error_from_vm(err, &vm_error);
    if (!runtime__digest(buffer->bytes, buffer->length_bytes, digest))
        return runtime__error_set(err, RUNTIME_SYSTEM,
                                  "SHA-256 is not to be had");
    if (!runtime__buffer_append(buffer, digest, digest_bytes))
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a snapshot's file");
    return RUNTIME_OK;
}

enum runtime_status
runtime__keep_write_snapshot(struct runtime__keep *keep,
                             const struct runtime_function *function,
                             const struct gvm_snapshot *snapshot,
                             struct runtime_error *err)
{
    struct runtime__buffer buffer = {0};
    char file[file_name_size];
    enum runtime_status status = RUNTIME_OK;

    snapshot_file(function->namespace_, function->name, file);
    if (snapshot)
        status = make_file(function, snapshot, &buffer, err);
    if (snapshot && status == RUNTIME_OK)
        status = runtime__files_write_unsynced(keep->snapshots, file,
                                               buffer.bytes,
                                               buffer.length_bytes, err);
    else
        unlinkat(keep->snapshots, file, 0);
    runtime__buffer_deinit(&buffer);
    return status;
}

void
runtime__keep_remove_snapshot(struct runtime__keep *keep,
                              const char *namespace_, const char *name)
{
    char file[file_name_size];

    unlinkat(keep->snapshots, snapshot_file(namespace_, name, file), 0);
}

/* ---- Reading ------------------------------------------------------------ */

static enum runtime_status
fail_damaged(struct runtime_error *err, const char *why)
{
    return runtime__error_set(err, RUNTIME_INVALID, "is damaged: %s", why);
}

/* Whether the file is whole and of this deployment. */
static enum runtime_status
check_file(const struct runtime_function *function, const uint8_t *bytes,
           size_t length_bytes, struct runtime_error *err)
{
    char head[head_bytes + 1];
    char digest[RUNTIME_DIGEST_SIZE];
    size_t sealed_bytes = length_bytes - digest_bytes;

    if (length_bytes < head_bytes + digest_bytes)
        return fail_damaged(err, "it is too short");
    if (!runtime__digest(bytes, sealed_bytes, digest) ||
        memcmp(bytes + sealed_bytes, digest, digest_bytes) != 0)
        return fail_damaged(err, "it has another digest than it says");
    make_head(function, head);
    if (memcmp(bytes, head, head_bytes) != 0)
        return runtime__error_set(err, RUNTIME_NOT_FOUND,
                                  "is of another deployment");
    return RUNTIME_OK;
}

enum runtime_status
runtime__keep_read_snapshot(struct runtime__keep *keep,
                            const struct runtime_function *function,
                            const struct gvm_store_options *totals,
                            struct gvm_snapshot **snapshot,
                            struct runtime_error *err)
{
    char file[file_name_size];
    struct gvm_error vm_error;
    uint8_t *bytes;
    size_t length_bytes;

    enum runtime_status status = runtime__files_read(
        keep->snapshots,
        snapshot_file(function->namespace_, function->name, file),
        RUNTIME_SNAPSHOT_BYTES_MAX, &bytes, &length_bytes, err);
    if (status != RUNTIME_OK)
        return status;
    status = check_file(function, bytes, length_bytes, err);
    if (status == RUNTIME_OK &&
        gvm_snapshot_load(function->module->vm_module, totals,
                          bytes + head_bytes,
                          length_bytes - head_bytes - digest_bytes, snapshot,
                          &vm_error) != GVM_OK)
        status = vm_error.status == GVM_MALFORMED
                     ? fail_damaged(err, vm_error.message)
                     : runtime__error_from_vm(err, &vm_error);
    free(bytes);
    return status;
}

/* ---- Sweeping ----------------------------------------------------------- */

/* Splits NAMESPACE.NAME, in place; false: it is named otherwise. */
static bool
split_name(char *file, const char **namespace_, const char **name)
{
    char *dot = strchr(file, '.');

    if (!dot)
        return false;
    *dot = '\0';
    *namespace_ = file;
    *name = dot + 1;
    return runtime_name_is_valid(*namespace_) && runtime_name_is_valid(*name);
}

/* Whether nobody will need the file any more. */
static bool
is_left_over(char *file,
             bool (*is_function)(void *data, const char *namespace_,
                                 const char *name),
             void *data)
{
    const char *namespace_, *name;
    /* NAMESPACE.tmp is the snapshot of a function of that name. */
    char *ending = strrchr(file, '.');
    bool unfinished = ending && ending != strchr(file, '.') &&
                      !strcmp(ending, RUNTIME__FILES_UNFINISHED);

    if (unfinished)
        *ending = '\0';
    return split_name(file, &namespace_, &name) &&
           (unfinished || !is_function(data, namespace_, name));
}

void
runtime__keep_sweep_snapshots(struct runtime__keep *keep,
                              bool (*is_function)(void *data,
                                                  const char *namespace_,
                                                  const char *name),
                              void *data)
{
    int fd = openat(keep->snapshots, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!listing) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(listing))) {
        char file[NAME_MAX + 1];
        snprintf(file, sizeof(file), "%s", entry->d_name);
        if (is_left_over(file, is_function, data))
            unlinkat(keep->snapshots, entry->d_name, 0);
    }
    closedir(listing);
}
