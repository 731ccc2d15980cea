/*
 * sqlite.c - a shell of SQLite for bench/run: runs the SQL on stdin on a
 * database in memory, and prints a checksum of all rows that came out.
 *
 * No file is ever opened, so the library is built without its layer for an
 * operating system (SQLITE_OS_OTHER), and has this one, which has no files.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite3.h"

static int
open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
          int *flags_out)
{
    (void)vfs, (void)name, (void)flags, (void)flags_out;
    file->pMethods = NULL;
    return SQLITE_CANTOPEN;
}

static int
delete_file(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs, (void)name, (void)sync;
    return SQLITE_OK;
}

static int
access_file(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
    (void)vfs, (void)name, (void)flags;
    *result = 0;
    return SQLITE_OK;
}

static int
full_name(sqlite3_vfs *vfs, const char *name, int length, char *full)
{
    (void)vfs;
    snprintf(full, (size_t)length, "%s", name);
    return SQLITE_OK;
}

/* The same everywhere: nothing that is measured may depend on chance. */
static int
give_randomness(sqlite3_vfs *vfs, int length, char *bytes)
{
    (void)vfs;
    memset(bytes, 7, (size_t)length);
    return length;
}

static int
pass_time(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int
current_time(sqlite3_vfs *vfs, double *days)
{
    (void)vfs;
    *days = 2460000.5;
    return SQLITE_OK;
}

int
sqlite3_os_init(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 1,
        .szOsFile = (int)sizeof(sqlite3_file),
        .mxPathname = 100,
        .zName = "none",
        .xOpen = open_file,
        .xDelete = delete_file,
        .xAccess = access_file,
        .xFullPathname = full_name,
        .xRandomness = give_randomness,
        .xSleep = pass_time,
        .xCurrentTime = current_time,
    };

    return sqlite3_vfs_register(&vfs, 1);
}

int
sqlite3_os_end(void)
{
    return SQLITE_OK;
}

static int
add_row(void *data, int count, char **values, char **names)
{
    uint64_t *sum = data;

    (void)names;
    for (int i = 0; i < count; i++) {
        const char *text = values[i] != NULL ? values[i] : "NULL";

        do {
            *sum = (*sum ^ (unsigned char)*text) * 0x100000001b3u;
        } while (*text++ != '\0');
    }
    return 0;
}

static char *
read_input(void)
{
    size_t size = 1 << 16, used = 0, got;
    char *text = malloc(size);

    while (text != NULL &&
           (got = fread(text + used, 1, size - used - 1, stdin)) > 0) {
        used += got;
        if (used + 1 == size)
            text = realloc(text, size *= 2);
    }
    if (text != NULL)
        text[used] = '\0';
    return text;
}

int
main(void)
{
    char *script = read_input();
    char *message = NULL;
    uint64_t sum = 0xcbf29ce484222325u;
    sqlite3 *database;

    if (script == NULL || sqlite3_open(":memory:", &database) != SQLITE_OK)
        return 1;
    if (sqlite3_exec(database, script, add_row, &sum, &message) !=
        SQLITE_OK) {
        fprintf(stderr, "sqlite: %s\n", message);
        return 1;
    }
    sqlite3_close(database);
    printf("sqlite %016llx\n", (unsigned long long)sum);
    return 0;
}
