/*
 * The files of a durable store: see lmdb_file.h.
 *
 * LMDB never writes over a page that the last commit refers to, and a commit
 * is the write of one of two meta pages after all else has reached the disk.
 * So whatever moment the process dies at, the directory opens with the last
 * commit that ended, or the one that was just ending.
 */
#include "state/lmdb_file_row.h"

#include "state/error.h"
#include "state/lmdb_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAYOUT "1"

/* The map begins with this many bytes, or twice what there is. */
#define MAP_BYTES_MIN (16u << 20)

/* Opens the directory and takes its lock, which a fork does not inherit. */
static enum state_status
lock_directory(const char *path, int *directory, struct state_error *err)
{
    int fd;

    if (mkdir(path, 0750) != 0 && errno != EEXIST)
        return state__error_set(err, STATE_SYSTEM, "cannot make %s: %s", path,
                                strerror(errno));
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return state__error_set(err, STATE_SYSTEM, "cannot open %s: %s", path,
                                strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int code = errno;

        close(fd);
        if (code == EWOULDBLOCK)
            return state__error_set(err, STATE_UNAVAILABLE,
                                    "another process has %s open", path);
        return state__error_set(err, STATE_SYSTEM, "cannot lock %s: %s", path,
                                strerror(code));
    }
    *directory = fd;
    return STATE_OK;
}

static size_t
first_map_bytes(uint64_t file_bytes, size_t bytes_max)
{
    uint64_t bytes = file_bytes * 2;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (bytes < MAP_BYTES_MIN)
        bytes = MAP_BYTES_MIN;
    if (bytes > bytes_max)
        bytes = bytes_max;
    return (size_t)bytes / page * page;
}

/* Makes the layout's mark in a fresh file, or looks whether it is there. */
static int
check_layout(struct state__lmdb_file *file, MDB_txn *txn, bool is_fresh)
{
    MDB_val key = {6, (void *)(uintptr_t) "layout"};
    MDB_val value = {sizeof LAYOUT - 1, (void *)(uintptr_t)LAYOUT}, found;
    int code;

    if (is_fresh)
        return mdb_put(txn, file->glass, &key, &value, MDB_NOOVERWRITE);
    code = mdb_get(txn, file->glass, &key, &found);
    if (code == 0 && (found.mv_size != value.mv_size ||
                      memcmp(found.mv_data, value.mv_data, value.mv_size)))
        return MDB_VERSION_MISMATCH;
    return code;
}

/* Opens the three databases; in an empty file, makes them. */
static int
open_databases(struct state__lmdb_file *file)
{
    MDB_txn *txn = NULL;
    MDB_stat stat;
    MDB_dbi main_dbi;
    unsigned flags = 0;
    int code;

    code = mdb_txn_begin(file->env, NULL, 0, &txn);
    if (code != 0)
        return code;
    if ((code = mdb_dbi_open(txn, NULL, 0, &main_dbi)) != 0 ||
        (code = mdb_stat(txn, main_dbi, &stat)) != 0)
        goto fail;
    if (stat.ms_entries == 0)
        flags = MDB_CREATE;
    if ((code = mdb_dbi_open(txn, "glass", flags, &file->glass)) != 0 ||
        (code = mdb_dbi_open(txn, "namespaces", flags, &file->namespaces)) !=
            0 ||
        (code = mdb_dbi_open(txn, "values", flags, &file->values)) != 0 ||
        (code = check_layout(file, txn, flags != 0)) != 0)
        goto fail;
    return mdb_txn_commit(txn);
fail:
    mdb_txn_abort(txn);
    return code;
}

/* The environment, once the file is known to be sound. */
static enum state_status
open_environment(struct state__lmdb_file *file, const char *path,
                 uint64_t file_bytes, struct state_error *err)
{
    int code, dead_count;

    file->map_bytes = first_map_bytes(file_bytes, file->bytes_max);
    if ((code = mdb_env_create(&file->env)) != 0 ||
        (code = mdb_env_set_maxdbs(file->env, 3)) != 0 ||
        (code = mdb_env_set_mapsize(file->env, file->map_bytes)) != 0 ||
        (code = mdb_env_open(file->env, path, 0, 0640)) != 0 ||
        (code = mdb_reader_check(file->env, &dead_count)) != 0 ||
        (code = open_databases(file)) != 0) {
        if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE)
            return state__error_set(err, STATE_BACKEND,
                                    "%s holds the data of another program",
                                    path);
        if (code == MDB_VERSION_MISMATCH)
            return state__error_set(err, STATE_BACKEND,
                                    "%s has a layout that this version does "
                                    "not know",
                                    path);
        return state__lmdb_explain(file, code, err);
    }
    return STATE_OK;
}

enum state_status
state__lmdb_file_open(const char *path, size_t bytes_max,
                      struct state__lmdb_file **file, struct state_error *err)
{
    struct state__lmdb_file *opened = calloc(1, sizeof *opened);
    enum state_status status = STATE_NO_MEMORY;
    uint64_t file_bytes = 0;

    if (opened == NULL)
        return state__error_set(err, STATE_NO_MEMORY, "out of memory");
    opened->directory = -1;
    opened->bytes_max = bytes_max;
    opened->known = calloc(STATE_NAMESPACES_MAX, sizeof *opened->known);
    if (opened->known == NULL) {
        state__error_set(err, STATE_NO_MEMORY, "out of memory");
        goto fail;
    }
    status = lock_directory(path, &opened->directory, err);
    if (status == STATE_OK)
        status = state__lmdb_check(opened->directory, &file_bytes, err);
    if (status == STATE_OK)
        status = open_environment(opened, path, file_bytes, err);
    if (status)
        goto fail;
    *file = opened;
    return STATE_OK;
fail:
    state__lmdb_file_close(opened);
    return status;
}

void
state__lmdb_file_close(struct state__lmdb_file *file)
{
    if (file == NULL)
        return;
    if (file->env != NULL)
        mdb_env_close(file->env);
    if (file->directory >= 0)
        close(file->directory);
    free(file->known);
    free(file);
}

/* ---- Looking ---- */

bool
state__lmdb_file_begin_reading(struct state__lmdb_file *file)
{
    return mdb_txn_begin(file->env, NULL, MDB_RDONLY, &file->reading) == 0;
}

void
state__lmdb_file_end_reading(struct state__lmdb_file *file)
{
    mdb_txn_abort(file->reading);
    file->reading = NULL;
}

enum state_status
state__lmdb_file_find(struct state__lmdb_file *file,
                      const struct state__journal_entry *entry,
                      struct state__lmdb_value *value)
{
    uint32_t number = file->known[entry->namespace_index].number;
    uint8_t bytes[STATE__DISK_KEY_BYTES_MAX];
    MDB_val key = {0, bytes}, found;
    struct state__lmdb_head head;
    int code;

    if (number == 0)
        return STATE_NOT_FOUND;
    key.mv_size = state__lmdb_key(bytes, number, entry->bytes,
                                  entry->key_length);
    code = mdb_get(file->reading, file->values, &key, &found);
    if (code != 0)
        return code == MDB_NOTFOUND ? STATE_NOT_FOUND : STATE_SYSTEM;
    memcpy(&head, found.mv_data, sizeof head);
    *value = (struct state__lmdb_value){
        .version = head.version,
        .expires_ms = head.expires_ms,
        .value = {(uint8_t *)found.mv_data + sizeof head,
                  found.mv_size - sizeof head},
    };
    return STATE_OK;
}
