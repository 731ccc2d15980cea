/* Reading all of a store's files: see lmdb_file.h. */
#include "state/lmdb_file_row.h"

#include "state/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Index by number, for the values. */
struct loading {
    struct state__lmdb_file *file;
    const struct state__lmdb_reader *reader;
    struct state_error *err;
    uint32_t *index_of; /* plus one; 0: there is no such number */
    bool is_raised;     /* some namespace's version */
};

static enum state_status
damaged(struct loading *loading, const char *what)
{
    return state__error_set(loading->err, STATE_BACKEND,
                            "the directory is damaged: %s", what);
}

static enum state_status
read_namespace(struct loading *loading, const MDB_val *key,
               const MDB_val *value)
{
    struct state__lmdb_namespace namespace_ = {.name = ""};
    struct state__lmdb_row row;
    struct state__lmdb_known *known;
    enum state_status status;
    uint32_t index = 0;

    if (value->mv_size != sizeof row ||
        key->mv_size > STATE_NAMESPACE_BYTES_MAX)
        return damaged(loading, "a namespace's row has a wrong size");
    memcpy(&row, value->mv_data, sizeof row);
    memcpy(namespace_.name, key->mv_data, key->mv_size);
    if (row.checksum !=
            state__lmdb_checksum_namespace(key->mv_data, key->mv_size, &row) ||
        row.number == 0 || row.number > STATE_NAMESPACES_MAX ||
        row.durability < STATE_DURABILITY_NONE ||
        row.durability > STATE_DURABILITY_SYNC ||
        !state_namespace_is_valid(namespace_.name) ||
        loading->index_of[row.number] != 0)
        return damaged(loading, "a namespace's row is wrong");
    namespace_.number = row.number;
    namespace_.durability = (enum state_durability)row.durability;
    namespace_.version = row.version;
    status = loading->reader->read_namespace(loading->reader->data, &namespace_,
                                             &index, loading->err);
    if (status)
        return status;
    assert(index < STATE_NAMESPACES_MAX);
    loading->index_of[row.number] = index + 1;
    known = &loading->file->known[index];
    *known = (struct state__lmdb_known){row.number, row.durability,
                                        namespace_.version, 0};
    loading->is_raised |= namespace_.version != row.version;
    if (row.number > loading->file->numbers_given)
        loading->file->numbers_given = row.number;
    return STATE_OK;
}

static enum state_status
read_value(struct loading *loading, const MDB_val *key, const MDB_val *value)
{
    const uint8_t *bytes = key->mv_data;
    struct state__lmdb_head head;
    struct state__lmdb_value found;
    uint32_t number = 0;
    size_t length;

    if (key->mv_size < 5 || key->mv_size > STATE__DISK_KEY_BYTES_MAX ||
        value->mv_size < sizeof head)
        return damaged(loading, "a value's row has a wrong size");
    for (int i = 0; i < 4; i++)
        number = number << 8 | bytes[i];
    memcpy(&head, value->mv_data, sizeof head);
    length = value->mv_size - sizeof head;
    if (length > STATE_VALUE_BYTES_CEILING || number > STATE_NAMESPACES_MAX ||
        loading->index_of[number] == 0 ||
        head.checksum !=
            state__lmdb_checksum_value(
                key, &head, (uint8_t *)value->mv_data + sizeof head, length))
        return damaged(loading, "a value's checksum is wrong");
    found = (struct state__lmdb_value){
        .version = head.version,
        .expires_ms = head.expires_ms,
        .value = {(uint8_t *)value->mv_data + sizeof head, length},
    };
    return loading->reader->read_value(
        loading->reader->data, loading->index_of[number] - 1,
        (struct state_bytes){bytes + 4, key->mv_size - 4}, &found,
        loading->err);
}

/* Reads one database, row by row. */
static enum state_status
read_rows(struct loading *loading, MDB_txn *txn, MDB_dbi database,
          enum state_status (*read)(struct loading *loading, const MDB_val *key,
                                    const MDB_val *value))
{
    enum state_status status = STATE_OK;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int code;

    code = mdb_cursor_open(txn, database, &cursor);
    if (code != 0)
        return state__lmdb_explain(loading->file, code, loading->err);
    while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0 &&
           status == STATE_OK)
        status = read(loading, &key, &value);
    mdb_cursor_close(cursor);
    if (status == STATE_OK && code != MDB_NOTFOUND)
        return state__lmdb_explain(loading->file, code, loading->err);
    return status;
}

/* Writes the rows of all namespaces, whose versions have been raised. */
static int
write_raised(struct loading *loading)
{
    struct state__lmdb_file *file = loading->file;
    struct state__lmdb_row row;
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int code;

    code = mdb_txn_begin(file->env, NULL, 0, &txn);
    if (code != 0)
        return code;
    code = mdb_cursor_open(txn, file->namespaces, &cursor);
    while (code == 0 &&
           (code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        memcpy(&row, value.mv_data, sizeof row);
        row.version = file->known[loading->index_of[row.number] - 1].version;
        row.checksum = state__lmdb_checksum_namespace(key.mv_data, key.mv_size,
                                                      &row);
        value.mv_data = &row;
        code = mdb_cursor_put(cursor, &key, &value, MDB_CURRENT);
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    if (code == MDB_NOTFOUND)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

/* All rows, in a transaction that sees one state of the file. */
static enum state_status
read_all(struct loading *loading)
{
    struct state__lmdb_file *file = loading->file;
    enum state_status status;
    MDB_txn *txn = NULL;
    int code;

    code = mdb_txn_begin(file->env, NULL, MDB_RDONLY, &txn);
    if (code != 0)
        return state__lmdb_explain(file, code, loading->err);
    status = read_rows(loading, txn, file->namespaces, read_namespace);
    if (status == STATE_OK)
        status = read_rows(loading, txn, file->values, read_value);
    mdb_txn_abort(txn);
    return status;
}

enum state_status
state__lmdb_file_read(struct state__lmdb_file *file,
                      const struct state__lmdb_reader *reader,
                      struct state_error *err)
{
    struct loading loading = {.file = file, .reader = reader, .err = err};
    enum state_status status;
    int code = 0;

    loading.index_of = calloc(STATE_NAMESPACES_MAX + 1,
                              sizeof *loading.index_of);
    if (loading.index_of == NULL)
        return state__error_set(err, STATE_NO_MEMORY, "out of memory");
    status = read_all(&loading);
    if (status == STATE_OK && loading.is_raised)
        code = write_raised(&loading);
    free(loading.index_of);
    return code != 0 ? state__lmdb_explain(file, code, err) : status;
}
