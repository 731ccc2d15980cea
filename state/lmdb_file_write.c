/*
 * Writing to a store's files: see lmdb_file.h. One attempt is one
 * transaction; when the map is full it grows and all of it is tried again.
 */
#include "state/lmdb_file_row.h"

#include "state/error.h"
#include "state/region.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* A disk with less room than this, beside what is written, counts as full. */
#define ROOM_BYTES_MIN (1u << 20)

static int
put_namespace(struct state__lmdb_file *file, MDB_txn *txn, const char *name,
              struct state__lmdb_known *known)
{
    struct state__lmdb_row row = {known->number, known->durability,
                                  known->version, 0};
    MDB_val key = {strlen(name), (void *)(uintptr_t)name};
    MDB_val value = {sizeof row, &row};

    row.checksum = state__lmdb_checksum_namespace(name, key.mv_size, &row);
    known->round = file->round;
    return mdb_put(txn, file->namespaces, &key, &value, 0);
}

/* The number of an entry's namespace, which gets one with its first row. */
static struct state__lmdb_known *
know(struct state__lmdb_file *file, const struct state__journal_entry *entry)
{
    struct state__lmdb_known *known = &file->known[entry->namespace_index];

    if (known->number == 0 && entry->namespace_ != NULL)
        known->number = ++file->numbers_given;
    return known;
}

static int
put_value(struct state__lmdb_file *file, MDB_txn *txn, MDB_val *key,
          const struct state__journal_entry *entry)
{
    struct state__lmdb_head head = {entry->version, entry->expires_ms, 0};
    MDB_val value = {sizeof head + entry->value_length, NULL};
    uint8_t *copy;
    int code;

    /* The one copy of a value is the one into LMDB's page. */
    code = mdb_put(txn, file->values, key, &value, MDB_RESERVE);
    if (code != 0)
        return code;
    /* What is summed is the copy: one that is mapped may change meanwhile. */
    copy = (uint8_t *)value.mv_data + sizeof head;
    if (entry->block != NULL)
        state__region_copy(entry->block, copy, entry->value_length);
    else
        memcpy(copy, entry->bytes + entry->key_length, entry->value_length);
    head.checksum = state__lmdb_checksum_value(key, &head, copy,
                                               entry->value_length);
    memcpy(value.mv_data, &head, sizeof head);
    return 0;
}

static int
write_entry(struct state__lmdb_file *file, MDB_txn *txn,
            const struct state__journal_entry *entry)
{
    struct state__lmdb_known *known = know(file, entry);
    uint8_t bytes[STATE__DISK_KEY_BYTES_MAX];
    MDB_val key = {0, bytes};
    int code = 0;

    if (entry->version > known->version)
        known->version = entry->version;
    /* The rows of namespaces come afterwards; one without has no values. */
    if (entry->is_note || known->number == 0)
        return 0;
    key.mv_size = state__lmdb_key(bytes, known->number, entry->bytes,
                                  entry->key_length);
    if (entry->is_removal)
        code = mdb_del(txn, file->values, &key, NULL);
    else
        code = put_value(file, txn, &key, entry);
    return code == MDB_NOTFOUND ? 0 : code;
}

/* The rows of the namespaces that the entries belong to, each once. */
static int
write_namespaces(struct state__lmdb_file *file, MDB_txn *txn,
                 const struct state__journal_entry *first,
                 const struct state__journal_entry *end)
{
    int code = 0;

    for (; first != end && code == 0; first = first->next) {
        struct state__lmdb_known *known = &file->known[first->namespace_index];

        if (first->namespace_ == NULL || known->round == file->round)
            continue;
        known->durability = (uint32_t)atomic_load(
            &first->namespace_->durability);
        code = put_namespace(file, txn, first->namespace_->name, known);
    }
    return code;
}

/* A change of the layout's mark into itself: all of a commit but the data. */
static int
write_probe(struct state__lmdb_file *file, MDB_txn *txn)
{
    MDB_val key = {5, (void *)(uintptr_t) "probe"};
    MDB_val value = {sizeof file->round, &file->round};

    return mdb_put(txn, file->glass, &key, &value, 0);
}

/* What one attempt writes: entries, or without any a probe. */
struct work {
    struct state__journal_entry *first;
    const struct state__journal_entry *end;
};

static int
attempt(struct state__lmdb_file *file, const struct work *work)
{
    const struct state__journal_entry *entry;
    MDB_txn *txn = NULL;
    int code;

    file->round++;
    code = mdb_txn_begin(file->env, NULL, 0, &txn);
    if (code != 0)
        return code;
    for (entry = work->first; entry != work->end && code == 0;
         entry = entry->next)
        code = write_entry(file, txn, entry);
    if (code == 0)
        code = write_namespaces(file, txn, work->first, work->end);
    if (code == 0 && work->first == work->end)
        code = write_probe(file, txn);
    if (code == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

/* Makes the map larger, if it may be; no transaction is under way. */
static int
grow(struct state__lmdb_file *file)
{
    size_t bytes = file->map_bytes * 2;
    int code;

    if (bytes > file->bytes_max)
        bytes = file->bytes_max;
    if (bytes <= file->map_bytes)
        return MDB_MAP_FULL;
    code = mdb_env_set_mapsize(file->env, bytes);
    if (code == 0)
        file->map_bytes = bytes;
    return code;
}

/*
 * LMDB says EIO of a write that was cut short, which is what a disk does that
 * becomes full meanwhile. So whether there is room for what was to be written
 * has to be asked for.
 */
static bool
is_full(const struct state__lmdb_file *file, const struct work *work)
{
    const struct state__journal_entry *entry;
    uint64_t bytes = ROOM_BYTES_MIN;
    struct rlimit limit;
    struct statvfs disk;
    struct stat data;

    for (entry = work->first; entry != work->end; entry = entry->next)
        bytes += entry->cost_bytes;
    if (fstatvfs(file->directory, &disk) == 0 &&
        disk.f_bavail * disk.f_frsize < bytes)
        return true;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           limit.rlim_cur != RLIM_INFINITY &&
           fstatat(file->directory, "data.mdb", &data, 0) == 0 &&
           limit.rlim_cur < (uint64_t)data.st_size + bytes;
}

/* Whether the environment has given up after a failed commit. */
static bool
has_given_up(struct state__lmdb_file *file)
{
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(file->env, NULL, 0, &txn);

    if (code == 0)
        mdb_txn_abort(txn);
    return code == MDB_PANIC;
}

static enum state_status
write(struct state__lmdb_file *file, const struct work *work,
      struct state_error *err)
{
    int code;

    while ((code = attempt(file, work)) == MDB_MAP_FULL) {
        code = grow(file);
        if (code != 0)
            break;
    }
    if (code == 0)
        return STATE_OK;
    if (has_given_up(file))
        return state__error_set(err, STATE_SYSTEM, "the disk failed: %s",
                                mdb_strerror(code));
    if (code == EIO && is_full(file, work))
        code = ENOSPC;
    return state__lmdb_explain(file, code, err);
}

enum state_status
state__lmdb_file_write(struct state__lmdb_file *file,
                       struct state__journal_entry *first,
                       const struct state__journal_entry *end,
                       struct state_error *err)
{
    struct work work = {first, end};

    return write(file, &work, err);
}
