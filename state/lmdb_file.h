/*
 * The files of a durable store: an LMDB environment in a directory, with
 * what the journal holds written to it and read back when it is opened.
 *
 * The directory has one owner at a time, who holds a lock on it that ends
 * with the process. All transactions are made by one thread, the store's
 * writer (by the opening thread before that), which is why the map can grow
 * between two of them while everybody else goes on.
 *
 * Layout 1, three databases:
 *   glass       "layout" -> "1"
 *   namespaces  name -> number, durability, last version, checksum
 *   values      number (4 bytes, big-endian), key ->
 *               version, expiry (ms since 1970; 0: none), checksum, value
 * Numbers are 64 bits in the machine's order, as LMDB's own are. A checksum
 * is the XXH3 of all else in its row, the key included.
 */
#ifndef GLASS_STATE_LMDB_FILE_H
#define GLASS_STATE_LMDB_FILE_H

#include "state/journal.h"

struct state__lmdb_file;

/* A namespace and a value, as they are on the disk. */
struct state__lmdb_namespace {
    char name[STATE_NAMESPACE_BYTES_MAX + 1];
    uint32_t number;
    enum state_durability durability;
    uint64_t version;
};

struct state__lmdb_value {
    uint64_t version;
    uint64_t expires_ms;
    struct state_bytes value;
};

/* Who is told of what there is; each returns a status and may set `err`. */
struct state__lmdb_reader {
    /* Sets `index`, which the values of the namespace will be told with. */
    enum state_status (*read_namespace)(
        void *data, struct state__lmdb_namespace *namespace_, uint32_t *index,
        struct state_error *err);
    enum state_status (*read_value)(void *data, uint32_t index,
                                    struct state_bytes key,
                                    const struct state__lmdb_value *value,
                                    struct state_error *err);
    void *data;
};

/*
 * Opens a directory, which is made if it is not there, and locks it. The
 * files may grow to `bytes_max`.
 *
 * Returns STATE_UNAVAILABLE when somebody has it open, STATE_BACKEND when it
 * is damaged or not a store's, STATE_LIMIT when the disk is full,
 * STATE_SYSTEM or STATE_NO_MEMORY; `err` says more.
 */
enum state_status
state__lmdb_file_open(const char *path, size_t bytes_max,
                      struct state__lmdb_file **file, struct state_error *err);

/* Unlocks the directory. Null does nothing. */
void state__lmdb_file_close(struct state__lmdb_file *file);

/*
 * Tells of all namespaces and then of all values. A namespace whose version
 * the reader has raised is written again.
 */
enum state_status state__lmdb_file_read(struct state__lmdb_file *file,
                                        const struct state__lmdb_reader *reader,
                                        struct state_error *err);

/*
 * Writes entries, from `first` until before `end`, in one transaction; it is
 * on the disk when this returns STATE_OK. Otherwise none of them is:
 *
 *   STATE_LIMIT        the disk is full, or the files are as large as may be
 *   STATE_NO_MEMORY
 *   STATE_UNAVAILABLE  the disk failed; it may work again
 *   STATE_SYSTEM       it failed so that nobody knows whether they are, and
 *                      nothing can be read or written any more
 *
 * `err` says more. No entries at all: sees whether the disk works.
 */
enum state_status state__lmdb_file_write(struct state__lmdb_file *file,
                                         struct state__journal_entry *first,
                                         const struct state__journal_entry *end,
                                         struct state_error *err);

/*
 * Begins to look at what is on the disk, and ends it; between them nothing
 * may be written. Returns false when it cannot be read.
 */
bool state__lmdb_file_begin_reading(struct state__lmdb_file *file);

void state__lmdb_file_end_reading(struct state__lmdb_file *file);

/*
 * The value that the disk has for an entry's key. Returns STATE_OK, with
 * bytes that stay until the end of reading, or STATE_NOT_FOUND, or
 * STATE_SYSTEM.
 */
enum state_status
state__lmdb_file_find(struct state__lmdb_file *file,
                      const struct state__journal_entry *entry,
                      struct state__lmdb_value *value);

#endif
