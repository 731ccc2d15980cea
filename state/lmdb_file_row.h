/*
 * What the files of lmdb_file share: its struct, and the rows of layout 1.
 */
#ifndef GLASS_STATE_LMDB_FILE_ROW_H
#define GLASS_STATE_LMDB_FILE_ROW_H

#include "state/lmdb_file.h"

#include <lmdb.h>

/* A key on the disk: the namespace's number and the key. */
#define STATE__DISK_KEY_BYTES_MAX (4 + STATE_KEY_BYTES_MAX)

/* What stands before a value, and a namespace's row. */
struct state__lmdb_head {
    uint64_t version;
    uint64_t expires_ms;
    uint64_t checksum;
};

struct state__lmdb_row {
    uint32_t number;
    uint32_t durability;
    uint64_t version;
    uint64_t checksum;
};

/* What the writer knows of a namespace, by its index in memory. */
struct state__lmdb_known {
    uint32_t number; /* on the disk; 0: it has none yet */
    uint32_t durability;
    uint64_t version;
    uint64_t round; /* the last one that wrote its row */
};

struct state__lmdb_file {
    MDB_env *env;
    MDB_dbi glass;
    MDB_dbi namespaces;
    MDB_dbi values;
    MDB_txn *reading;
    int directory;
    size_t map_bytes;
    size_t bytes_max;
    uint64_t round;
    uint32_t numbers_given;
    struct state__lmdb_known
        *known; /* STATE_NAMESPACES_MAX of them, mostly untouched */
};

/* Writes a key as it is on the disk, and returns its length. */
size_t state__lmdb_key(uint8_t bytes[STATE__DISK_KEY_BYTES_MAX],
                       uint32_t number, const void *key, size_t key_length);

uint64_t state__lmdb_checksum_value(const MDB_val *key,
                                    const struct state__lmdb_head *head,
                                    const void *value, size_t length);

uint64_t state__lmdb_checksum_namespace(const void *name, size_t length,
                                        const struct state__lmdb_row *row);

/* Says in `err` what an error of LMDB's or of the system's means here. */
enum state_status state__lmdb_explain(const struct state__lmdb_file *file,
                                      int code, struct state_error *err);

#endif
