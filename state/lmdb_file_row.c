/* Rows of layout 1, and what errors mean: see lmdb_file_row.h. */
#include "state/lmdb_file_row.h"

#include "state/error.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static_assert(STATE__DISK_KEY_BYTES_MAX <= 511, "LMDB's keys have 511 bytes");

/* What an error of LMDB's or the system's is to the store. */
static enum state_status
status_of(int code)
{
    switch (code) {
    case 0:
        return STATE_OK;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
        return STATE_LIMIT;
    case ENOMEM:
        return STATE_NO_MEMORY;
    case MDB_PANIC:
        return STATE_SYSTEM;
    default:
        return STATE_UNAVAILABLE;
    }
}

enum state_status
state__lmdb_explain(const struct state__lmdb_file *file, int code,
                    struct state_error *err)
{
    if (code == MDB_MAP_FULL)
        return state__error_set(err, STATE_LIMIT,
                                "the files may have at most %zu bytes "
                                "(disk_bytes_max)",
                                file->bytes_max);
    if (status_of(code) == STATE_LIMIT)
        return state__error_set(err, STATE_LIMIT, "the disk is full: %s",
                                mdb_strerror(code));
    return state__error_set(err, status_of(code), "the disk: %s",
                            mdb_strerror(code));
}

size_t
state__lmdb_key(uint8_t bytes[STATE__DISK_KEY_BYTES_MAX], uint32_t number,
                const void *key, size_t key_length)
{
    /* Big-endian, so that a namespace's keys lie beside each other. */
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(number >> (24 - 8 * i));
    memcpy(bytes + 4, key, key_length);
    return 4 + key_length;
}

uint64_t
state__lmdb_checksum_value(const MDB_val *key,
                           const struct state__lmdb_head *head,
                           const void *value, size_t length)
{
    uint64_t words[3] = {head->version, head->expires_ms,
                         XXH3_64bits(key->mv_data, key->mv_size)};
    uint64_t seed = XXH3_64bits(words, sizeof words);

    return XXH3_64bits_withSeed(value, length, seed);
}

uint64_t
state__lmdb_checksum_namespace(const void *name, size_t length,
                               const struct state__lmdb_row *row)
{
    uint64_t words[3] = {row->number, row->durability, row->version};

    return XXH3_64bits_withSeed(name, length, XXH3_64bits(words, sizeof words));
}
