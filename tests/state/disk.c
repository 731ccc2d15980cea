/* A directory of a store's: see disk.h. */
#include "tests/state/disk.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
disk_init(struct disk *disk)
{
    const char *parent = getenv("GLASS_TEST_DISK");

    if (parent == NULL)
        parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ".";
    snprintf(disk->path, sizeof disk->path, "%s/glass-disk-XXXXXX", parent);
    ck_assert_ptr_nonnull(mkdtemp(disk->path));
    snprintf(disk->url, sizeof disk->url, "lmdb:%s", disk->path);
}

void
disk_deinit(struct disk *disk)
{
    DIR *stream = opendir(disk->path);
    const struct dirent *entry;

    while (stream != NULL && (entry = readdir(stream)) != NULL)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(stream), entry->d_name, 0);
    if (stream != NULL)
        closedir(stream);
    rmdir(disk->path);
}

static FILE *
open_file(const struct disk *disk, const char *name, const char *mode)
{
    char path[300];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", disk->path, name);
    file = fopen(path, mode);
    ck_assert_ptr_nonnull(file);
    return file;
}

uint8_t *
disk_read(const struct disk *disk, const char *name, size_t *length_bytes)
{
    FILE *file = open_file(disk, name, "rb");
    struct stat stat;
    uint8_t *bytes;

    ck_assert_int_eq(fstat(fileno(file), &stat), 0);
    *length_bytes = (size_t)stat.st_size;
    bytes = malloc(*length_bytes + 1);
    ck_assert_uint_eq(fread(bytes, 1, *length_bytes, file), *length_bytes);
    fclose(file);
    return bytes;
}

void
disk_write(const struct disk *disk, const char *name, const void *bytes,
           size_t length_bytes)
{
    FILE *file = open_file(disk, name, "wb");

    ck_assert_uint_eq(fwrite(bytes, 1, length_bytes, file), length_bytes);
    ck_assert_int_eq(fclose(file), 0);
}
