/*
 * keep.c - the functions on the disk. See keep.h.
 *
 * What is read here was written by another run, or by an operator with an
 * editor: nothing of it is trusted. A module is taken for what its name says
 * only when its digest is that.
 */
#include "runtime/keep.h"

#include "runtime/config.h"
#include "runtime/digest.h"
#include "runtime/error.h"
#include "runtime/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    /* The format of a function's file. */
    format_number = 1,
    file_name_size = 80, /* of a digest or a name and its ending */
};

static void
close_descriptor(int fd)
{
    if (fd >= 0)
        close(fd);
}

void
runtime__keep_close(struct runtime__keep *keep)
{
    if (!keep)
        return;
    close_descriptor(keep->snapshots);
    close_descriptor(keep->functions);
    close_descriptor(keep->modules);
    close_descriptor(keep->lock);
    close_descriptor(keep->directory);
    free(keep);
}

/* The lock goes when its descriptor does, so also when the process dies. */
static enum runtime_status
take_lock(struct runtime__keep *keep, const char *data_dir,
          struct runtime_error *err)
{
    keep->lock =
        openat(keep->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (keep->lock < 0)
        return runtime__error_set(err, RUNTIME_SYSTEM,
                                  "cannot write in the directory '%s'",
                                  data_dir);
    if (flock(keep->lock, LOCK_EX | LOCK_NB) == 0)
        return RUNTIME_OK;
    if (errno == EWOULDBLOCK)
        return runtime__error_set(err, RUNTIME_BUSY,
                                  "another process uses the directory '%s'",
                                  data_dir);
    return runtime__error_set(err, RUNTIME_SYSTEM,
                              "cannot lock the directory '%s'", data_dir);
}

enum runtime_status
runtime__keep_open(const char *data_dir, struct runtime__keep **keep,
                   struct runtime_error *err)
{
    struct runtime__keep *opened = malloc(sizeof(*opened));

    if (!opened)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a directory");
    *opened = (struct runtime__keep){-1, -1, -1, -1, -1};
    enum runtime_status status = runtime__files_open_directory(
        AT_FDCWD, data_dir, &opened->directory, err);
    if (status == RUNTIME_OK)
        status = take_lock(opened, data_dir, err);
    if (status == RUNTIME_OK)
        status = runtime__files_open_directory(opened->directory, "modules",
                                               &opened->modules, err);
    if (status == RUNTIME_OK)
        status = runtime__files_open_directory(
            opened->directory, "functions", &opened->functions, err);
    if (status == RUNTIME_OK)
        status = runtime__files_open_directory(
            opened->directory, "snapshots", &opened->snapshots, err);
    if (status != RUNTIME_OK) {
        runtime__keep_close(opened);
        return status;
    }
    *keep = opened;
    return RUNTIME_OK;
}

/* ---- Names -------------------------------------------------------------- */

static const char *
module_file(const char *digest, char name[file_name_size])
{
    snprintf(name, file_name_size, "%s.wasm", digest);
    return name;
}

static const char *
function_file(const char *function, char name[file_name_size])
{
    snprintf(name, file_name_size, "%s.json", function);
    return name;
}

static bool
ends_with(const char *text, const char *ending)
{
    size_t text_bytes = strlen(text);
    size_t ending_bytes = strlen(ending);

    return text_bytes >= ending_bytes &&
           !strcmp(text + text_bytes - ending_bytes, ending);
}

/* Whether `file` is `stem` and `ending`; the stem fits file_name_size. */
static bool
split_name(const char *file, const char *ending, char stem[file_name_size])
{
    size_t stem_bytes = strlen(file) - strlen(ending);

    if (!ends_with(file, ending) || stem_bytes >= file_name_size)
        return false;
    memcpy(stem, file, stem_bytes);
    stem[stem_bytes] = '\0';
    return true;
}

/* ---- Going through ------------------------------------------------------ */

/* A directory to read, with a descriptor of its own; NULL: errno says why. */
static DIR *
open_listing(int directory, const char *name)
{
    int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);

    if (!listing)
        close_descriptor(fd);
    return listing;
}

static bool
is_dots(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..");
}

struct visitor {
    void (*visit)(void *data, const char *namespace_, const char *name);
    void (*notice)(void *data, const char *message);
    void *data;
};

static void
tell(const struct visitor *visitor, const char *namespace_, const char *file,
     const char *what)
{
    char message[RUNTIME_MESSAGE_SIZE];

    snprintf(message, sizeof(message), "functions/%.100s%s%.100s: %s",
             namespace_, file[0] ? "/" : "", file, what);
    visitor->notice(visitor->data, message);
}

static void
visit_namespace(const struct runtime__keep *keep, const char *namespace_,
                const struct visitor *visitor)
{
    DIR *listing = open_listing(keep->functions, namespace_);

    if (!listing) {
        tell(visitor, namespace_, "", "cannot be read as a directory");
        return;
    }
    for (;;) {
        char name[file_name_size];
        struct dirent *entry = readdir(listing);
        if (!entry)
            break;
        if (is_dots(entry->d_name))
            continue;
        /* One that was being written when the last run ended: it was never
         * promised to anybody, and the next deployment writes over it. */
        if (ends_with(entry->d_name, RUNTIME__FILES_UNFINISHED))
            continue;
        if (split_name(entry->d_name, ".json", name) &&
            runtime_name_is_valid(name))
            visitor->visit(visitor->data, namespace_, name);
        else
            tell(visitor, namespace_, entry->d_name,
                 "is no function's file and was skipped");
    }
    closedir(listing);
}

enum runtime_status
runtime__keep_each(struct runtime__keep *keep,
                   void (*visit)(void *data, const char *namespace_,
                                 const char *name),
                   void (*notice)(void *data, const char *message),
                   void *data, struct runtime_error *err)
{
    struct visitor visitor = {visit, notice, data};
    DIR *listing = open_listing(keep->functions, ".");

    if (!listing)
        return runtime__error_set(err, RUNTIME_SYSTEM,
                                  "cannot read the directory 'functions'");
    for (;;) {
        struct dirent *entry = readdir(listing);
        if (!entry)
            break;
        if (is_dots(entry->d_name))
            continue;
        if (runtime_name_is_valid(entry->d_name))
            visit_namespace(keep, entry->d_name, &visitor);
        else
            tell(&visitor, entry->d_name, "",
                 "is no namespace and was skipped");
    }
    closedir(listing);
    return RUNTIME_OK;
}

void
runtime__keep_sweep_modules(struct runtime__keep *keep,
                            bool (*is_used)(void *data, const char *digest),
                            void *data)
{
    DIR *listing = open_listing(keep->modules, ".");

    if (!listing)
        return;
    for (;;) {
        char digest[file_name_size];
        struct dirent *entry = readdir(listing);
        if (!entry)
            break;
        bool is_module = split_name(entry->d_name, ".wasm", digest) &&
                         runtime__digest_is_valid(digest);
        if (ends_with(entry->d_name, ".wasm" RUNTIME__FILES_UNFINISHED) ||
            (is_module && !is_used(data, digest)))
            unlinkat(keep->modules, entry->d_name, 0);
    }
    closedir(listing);
}

/* ---- Functions ---------------------------------------------------------- */

static enum runtime_status
fail_damaged(struct runtime_error *err, const char *why)
{
    return runtime__error_set(err, RUNTIME_INVALID, "is damaged: %s", why);
}

static enum runtime_status
fail_no_digest(struct runtime_error *err)
{
    return runtime__error_set(err, RUNTIME_SYSTEM,
                              "SHA-256 is not to be had");
}

/* `kept` is set on success only. */
static enum runtime_status
parse_function(const json_t *root, struct runtime__kept *kept,
               struct runtime_error *err)
{
    struct runtime__kept read = {0};
    const char *digest;
    json_int_t format;
    json_int_t version;
    json_int_t deployed_ms;
    json_t *config;
    json_error_t json_error;

    if (json_unpack_ex((json_t *)(uintptr_t)root, &json_error, 0,
                       "{sI ss sI sI so}", "format", &format, "digest",
                       &digest, "version", &version, "deployed_ms",
                       &deployed_ms, "config", &config))
        return fail_damaged(err, json_error.text);
    if (format != format_number)
        return fail_damaged(err, "its format is not that of this version");
    if (!runtime__digest_is_valid(digest))
        return fail_damaged(err, "its digest is none");
    if (version < 1 || deployed_ms < 0)
        return fail_damaged(err, "its version or its time is none");
    memcpy(read.digest, digest, sizeof(read.digest));
    read.version = (uint64_t)version;
    read.deployed_ms = (uint64_t)deployed_ms;
    enum runtime_status status =
        runtime__config_from_json(config, &read.config, err);
    if (status == RUNTIME_OK)
        *kept = read;
    return status;
}

enum runtime_status
runtime__keep_read_function(struct runtime__keep *keep,
                            const char *namespace_, const char *name,
                            struct runtime__kept *kept,
                            struct runtime_error *err)
{
    char file[file_name_size];
    uint8_t *bytes = NULL;
    size_t length_bytes;
    int directory;
    json_error_t json_error;

    enum runtime_status status = runtime__files_open_directory(
        keep->functions, namespace_, &directory, err);
    if (status != RUNTIME_OK)
        return status;
    status = runtime__files_read(directory, function_file(name, file),
                                 RUNTIME_CONFIG_BYTES_MAX, &bytes,
                                 &length_bytes, err);
    close(directory);
    if (status != RUNTIME_OK)
        return status;
    char record[RUNTIME_DIGEST_SIZE];
    json_t *root = json_loadb((const char *)bytes, length_bytes,
                              JSON_REJECT_DUPLICATES, &json_error);
    bool digested = runtime__digest(bytes, length_bytes, record);
    free(bytes);
    if (!root && json_error_code(&json_error) == json_error_out_of_memory)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a function's file");
    if (!root)
        return fail_damaged(err, "it is no JSON");
    if (digested)
        status = parse_function(root, kept, err);
    else
        status = fail_no_digest(err);
    json_decref(root);
    if (status == RUNTIME_OK)
        memcpy(kept->record, record, sizeof(kept->record));
    return status;
}

/* The file's text, to be freed; NULL: out of memory. */
static char *
function_to_text(const struct runtime_function *function)
{
    char *text = NULL;
    json_t *config = runtime__config_to_json(function->config);
    json_t *root =
        json_pack("{sI ss ss ss sI sI sO}", "format",
                  (json_int_t)format_number, "namespace",
                  function->namespace_, "name", function->name, "digest",
                  function->module->digest, "version",
                  (json_int_t)function->version, "deployed_ms",
                  (json_int_t)function->deployed_ms, "config", config);

    if (config && root)
        text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    json_decref(config);
    return text;
}

enum runtime_status
runtime__keep_write_function(struct runtime__keep *keep,
                             struct runtime_function *function,
                             struct runtime_error *err)
{
    char file[file_name_size];
    int directory;
    enum runtime_status status;
    char *text = function_to_text(function);

    if (!text)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a function's file");
    if (runtime__digest(text, strlen(text), function->record))
        status = runtime__files_open_directory(
            keep->functions, function->namespace_, &directory, err);
    else
        status = fail_no_digest(err);
    if (status == RUNTIME_OK) {
        status = runtime__files_write(directory,
                                      function_file(function->name, file),
                                      text, strlen(text), err);
        close(directory);
    }
    free(text);
    return status;
}

enum runtime_status
runtime__keep_remove_function(struct runtime__keep *keep,
                              const char *namespace_, const char *name,
                              struct runtime_error *err)
{
    char file[file_name_size];
    int directory;

    enum runtime_status status = runtime__files_open_directory(
        keep->functions, namespace_, &directory, err);
    if (status != RUNTIME_OK)
        return status;
    status =
        runtime__files_remove(directory, function_file(name, file), err);
    close(directory);
    if (status == RUNTIME_OK)
        runtime__keep_remove_snapshot(keep, namespace_, name);
    return status;
}

/* ---- Modules ------------------------------------------------------------ */

enum runtime_status
runtime__keep_read_module(struct runtime__keep *keep, const char *digest,
                          size_t bytes_max, uint8_t **bytes,
                          size_t *length_bytes, struct runtime_error *err)
{
    char file[file_name_size];
    char found[RUNTIME_DIGEST_SIZE];
    uint8_t *read;
    size_t read_bytes;

    enum runtime_status status =
        runtime__files_read(keep->modules, module_file(digest, file),
                            bytes_max, &read, &read_bytes, err);
    if (status != RUNTIME_OK)
        return status;
    if (!runtime__digest(read, read_bytes, found) ||
        strcmp(found, digest) != 0) {
        free(read);
        return fail_damaged(err, "its module has another digest");
    }
    *bytes = read;
    *length_bytes = read_bytes;
    return RUNTIME_OK;
}

enum runtime_status
runtime__keep_write_module(struct runtime__keep *keep,
                           const struct runtime__module *module,
                           struct runtime_error *err)
{
    char file[file_name_size];

    return runtime__files_write(keep->modules,
                                module_file(module->digest, file),
                                module->bytes, module->length_bytes, err);
}

void
runtime__keep_remove_module(struct runtime__keep *keep, const char *digest)
{
    char file[file_name_size];

    unlinkat(keep->modules, module_file(digest, file), 0);
}
