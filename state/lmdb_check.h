/*
 * Whether a directory can be opened: LMDB trusts its file, and a damaged one
 * makes it crash or overwrite what it should not. So before LMDB sees a file,
 * every page that it could come to is visited, in the format of LMDB 0.9 on
 * machines of 64 bits. The values themselves have checksums; see lmdb_file.h.
 *
 * Called by the thread that opens a store, which has locked the directory.
 */
#ifndef GLASS_STATE_LMDB_CHECK_H
#define GLASS_STATE_LMDB_CHECK_H

#include "state/state.h"

/*
 * Sets the length of the data file, 0 when the directory is to be a new
 * store's. Returns STATE_BACKEND when it is something else's or damaged, or
 * STATE_SYSTEM; `err` says more.
 */
enum state_status
state__lmdb_check(int directory, uint64_t *file_bytes, struct state_error *err);

/* The same for the bytes of a data file, which is at least one byte long. */
enum state_status
state__lmdb_check_bytes(const uint8_t *bytes, uint64_t length_bytes,
                        struct state_error *err);

#endif
