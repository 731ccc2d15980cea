/*
 * wasi_table.c - the descriptors of a program.
 *
 * The idea: the table is made when a descriptor is first asked for, so that a
 * function which never asks pays nothing, and a zeroed struct is complete.
 *
 * The thread of the call uses it, nobody else.
 */
#include "runtime/wasi_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Places at first; they double, and so meet the limit. */
enum { places_first = 8 };

static_assert(RUNTIME_WASI_DESCRIPTORS_MAX % places_first == 0 &&
                  (RUNTIME_WASI_DESCRIPTORS_MAX &
                   (RUNTIME_WASI_DESCRIPTORS_MAX - 1)) == 0,
              "doubling the places meets the limit");

static bool
is_host(const struct runtime__wasi_descriptor *descriptor)
{
    return descriptor->kind == RUNTIME__WASI_FILE ||
           descriptor->kind == RUNTIME__WASI_DIRECTORY;
}

static struct runtime__wasi_descriptor
stream_of(const struct runtime__wasi *wasi, int number)
{
    bool terminal = wasi->streams.terminals & (1u << number);

    return (struct runtime__wasi_descriptor){
        .kind = RUNTIME__WASI_STREAM,
        .number = number,
        /* A C library takes a character device without the right to seek for
         * a terminal and then writes line by line: so only terminals say
         * that they are one. */
        .filetype = terminal ? RUNTIME__FILETYPE_CHARACTER_DEVICE
                             : RUNTIME__FILETYPE_UNKNOWN,
        .rights = (number == 0 ? RUNTIME__RIGHT_FD_READ
                               : RUNTIME__RIGHT_FD_WRITE) |
                  RUNTIME__RIGHT_FD_FDSTAT_SET_FLAGS |
                  RUNTIME__RIGHT_FD_FILESTAT_GET |
                  RUNTIME__RIGHT_POLL_FD_READWRITE,
    };
}

/* Makes more places, `count` in all. */
static bool
make_places(struct runtime__wasi *wasi, uint32_t count)
{
    struct runtime__wasi_descriptor *places =
        realloc(wasi->descriptors, count * sizeof(*places));

    if (!places)
        return false;
    memset(places + wasi->descriptor_count, 0,
           (count - wasi->descriptor_count) * sizeof(*places));
    wasi->descriptors = places;
    wasi->descriptor_count = count;
    return true;
}

/* The table with the three streams in it. */
static bool
prepare(struct runtime__wasi *wasi)
{
    if (wasi->descriptors)
        return true;
    if (!make_places(wasi, places_first))
        return false;
    for (int number = 0; number < 3; number++)
        wasi->descriptors[number] = stream_of(wasi, number);
    return true;
}

enum runtime__wasi_errno
runtime__wasi_table_get(struct runtime__wasi *wasi, uint32_t fd,
                        uint64_t rights,
                        struct runtime__wasi_descriptor **descriptor)
{
    if (!prepare(wasi))
        return RUNTIME__WASI_ENOMEM;
    if (fd >= wasi->descriptor_count ||
        wasi->descriptors[fd].kind == RUNTIME__WASI_FREE)
        return RUNTIME__WASI_EBADF;
    if (rights & ~wasi->descriptors[fd].rights)
        return RUNTIME__WASI_ENOTCAPABLE;
    *descriptor = &wasi->descriptors[fd];
    return RUNTIME__WASI_SUCCESS;
}

enum runtime__wasi_errno
runtime__wasi_table_reserve(struct runtime__wasi *wasi, uint32_t *fd)
{
    uint32_t place = 0;

    if (!prepare(wasi))
        return RUNTIME__WASI_ENOMEM;
    while (place < wasi->descriptor_count &&
           wasi->descriptors[place].kind != RUNTIME__WASI_FREE)
        place++;
    if (place >= RUNTIME_WASI_DESCRIPTORS_MAX ||
        runtime__wasi_table_has_spent(wasi))
        return RUNTIME__WASI_EMFILE;
    if (place == wasi->descriptor_count && !make_places(wasi, 2 * place))
        return RUNTIME__WASI_ENOMEM;
    *fd = place;
    return RUNTIME__WASI_SUCCESS;
}

void
runtime__wasi_table_put(struct runtime__wasi *wasi, uint32_t fd,
                        const struct runtime__wasi_descriptor *descriptor)
{
    assert(wasi->descriptors[fd].kind == RUNTIME__WASI_FREE);
    wasi->descriptors[fd] = *descriptor;
    if (wasi->budget && is_host(descriptor))
        atomic_fetch_add_explicit(&wasi->budget->used, 1,
                                  memory_order_relaxed);
}

bool
runtime__wasi_table_has_spent(const struct runtime__wasi *wasi)
{
    const struct runtime__wasi_budget *budget = wasi->budget;

    return budget && atomic_load_explicit(&budget->used,
                                          memory_order_relaxed) >= budget->max;
}

bool
runtime__wasi_table_is_host(const struct runtime__wasi *wasi, uint32_t fd)
{
    return wasi->descriptors && fd < wasi->descriptor_count &&
           is_host(&wasi->descriptors[fd]);
}

void
runtime__wasi_table_close(struct runtime__wasi *wasi,
                          struct runtime__wasi_descriptor *descriptor)
{
    /* A stream is its owner's, who may have more to say on it. */
    if (is_host(descriptor)) {
        close(descriptor->number);
        if (wasi->budget)
            atomic_fetch_sub_explicit(&wasi->budget->used, 1,
                                      memory_order_relaxed);
    }
    free(descriptor->preopen);
    *descriptor = (struct runtime__wasi_descriptor){0};
}

void
runtime__wasi_deinit(struct runtime__wasi *wasi)
{
    for (uint32_t i = 0; i < wasi->descriptor_count; i++)
        runtime__wasi_table_close(wasi, &wasi->descriptors[i]);
    free(wasi->descriptors);
    wasi->descriptors = NULL;
    wasi->descriptor_count = 0;
    free(wasi->poll);
    wasi->poll = NULL;
}

enum runtime__wasi_filetype
runtime__wasi_filetype_of_mode(unsigned mode)
{
    switch (mode & S_IFMT) {
    case S_IFBLK:
        return RUNTIME__FILETYPE_BLOCK_DEVICE;
    case S_IFCHR:
        return RUNTIME__FILETYPE_CHARACTER_DEVICE;
    case S_IFDIR:
        return RUNTIME__FILETYPE_DIRECTORY;
    case S_IFREG:
        return RUNTIME__FILETYPE_REGULAR_FILE;
    case S_IFSOCK:
        return RUNTIME__FILETYPE_SOCKET_STREAM;
    case S_IFLNK:
        return RUNTIME__FILETYPE_SYMBOLIC_LINK;
    default:
        return RUNTIME__FILETYPE_UNKNOWN; /* WASI has no word for a pipe */
    }
}
