/* For tests: a directory of a store's on the disk, and what is in it. */
#ifndef GLASS_TESTS_STATE_DISK_H
#define GLASS_TESTS_STATE_DISK_H

#include <stddef.h>
#include <stdint.h>

struct disk {
    char path[200]; /* of a directory that only its owner can see */
    char url[256];  /* "lmdb:" and the path */
};

/*
 * Makes a directory with a name of its own: in memory if there is such a
 * place, since a real disk only makes a test slow, otherwise where it runs.
 * $GLASS_TEST_DISK names another place.
 */
void
disk_init(struct disk *disk);

/* Removes it and the files in it. */
void
disk_deinit(struct disk *disk);

/* All bytes of a file in it, to be freed by the caller. */
uint8_t *
disk_read(const struct disk *disk, const char *name, size_t *length_bytes);

/* Writes a file in it. */
void
disk_write(const struct disk *disk, const char *name, const void *bytes,
           size_t length_bytes);

#endif
