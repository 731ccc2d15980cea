/*
 * Regions as blocks of memory, and who waits for their words: see region.h.
 *
 * In this process a region is one range of addresses: a page of its own, and
 * behind it the file. The structures lie at the end of that page, so that the
 * bytes of the block begin where the file does. The file has its final length
 * from the start and is sealed: nobody can make it shorter under the others.
 */
#define _GNU_SOURCE 1 /* memfd_create */

#include "state/region.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* What lies in front of the file; any system's page divides it. */
#define HEAD_BYTES STATE_REGION_PAGE_BYTES

struct head {
    struct state__region region;
    struct state__value value;
};

static_assert(offsetof(struct state__value, bytes) ==
                  sizeof(struct state__value),
              "the bytes begin where the head ends");
static_assert(offsetof(struct head, value) + sizeof(struct state__value) ==
                  sizeof(struct head),
              "and the value is the last of it");
static_assert(HEAD_BYTES % alignof(struct head) == 0 &&
                  sizeof(struct head) % alignof(struct head) == 0,
              "the head is aligned");

struct state__region_files *
state__region_files_create(void)
{
    struct state__region_files *files = malloc(sizeof *files);

    if (files == NULL)
        return NULL;
    atomic_init(&files->reference_count, 1);
    atomic_init(&files->open_count, 0);
    return files;
}

void
state__region_files_release(struct state__region_files *files)
{
    if (files != NULL && atomic_fetch_sub(&files->reference_count, 1) == 1)
        free(files);
}

static struct head *
head_of(struct state__value *block)
{
    return (struct head *)(void *)(block->bytes - sizeof(struct head));
}

struct state__region *
state__region_of(struct state__value *block)
{
    return block != NULL && block->is_region ? &head_of(block)->region : NULL;
}

bool
state__region_is_used(const struct state__item *item)
{
    struct state__region *region = state__region_of(state__item_block(item));

    /* Acquire: what was stored through the last mapping is there. */
    return region != NULL &&
           atomic_load_explicit(&region->mapping_count,
                                memory_order_acquire) > 0;
}

/* ---- From beginning to end ---- */

static int
create_file(size_t length_bytes)
{
    int file = memfd_create("glass-region", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (file < 0)
        return -1;
    if (ftruncate(file, (off_t)length_bytes) == 0 &&
        fcntl(file, F_ADD_SEALS,
              F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return file;
    close(file);
    return -1;
}

/* Maps head and file; null: the system refused. */
static uint8_t *
map(int file, size_t length_bytes)
{
    uint8_t *start = mmap(NULL, HEAD_BYTES + length_bytes,
                          PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (start == MAP_FAILED)
        return NULL;
    if (mmap(start + HEAD_BYTES, length_bytes, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED)
        return start + HEAD_BYTES;
    munmap(start, HEAD_BYTES + length_bytes);
    return NULL;
}

enum state_status
state__region_create(struct state__region_files *files, size_t length_bytes,
                     struct state__value **block)
{
    struct head *head;
    uint8_t *bytes;
    int file;

    if (atomic_fetch_add(&files->open_count, 1) >= STATE_REGIONS_MAX) {
        atomic_fetch_sub(&files->open_count, 1);
        return STATE_LIMIT;
    }
    file = create_file(length_bytes);
    bytes = file >= 0 ? map(file, length_bytes) : NULL;
    if (bytes == NULL) {
        atomic_fetch_sub(&files->open_count, 1);
        if (file < 0)
            return STATE_SYSTEM;
        close(file);
        return STATE_NO_MEMORY;
    }
    atomic_fetch_add(&files->reference_count, 1);
    head = (struct head *)(void *)(bytes - sizeof *head);
    pthread_mutex_init(&head->region.lock, NULL);
    pthread_mutex_init(&head->region.wait_lock, NULL);
    head->region.waiters.end = &head->region.waiters.first;
    atomic_init(&head->region.mapping_count, 0);
    head->region.file = file;
    head->region.files = files;
    atomic_init(&head->value.reference_count, 1);
    head->value.capacity_bytes = (uint32_t)length_bytes & INT32_MAX;
    head->value.is_region = true;
    *block = &head->value;
    return STATE_OK;
}

void
state__region_destroy(struct state__value *block)
{
    struct state__region *region = state__region_of(block);
    struct state__region_files *files = region->files;

    assert(region->waiters.first == NULL);
    if (region->file >= 0) {
        close(region->file);
        atomic_fetch_sub(&files->open_count, 1);
    }
    pthread_mutex_destroy(&region->lock);
    pthread_mutex_destroy(&region->wait_lock);
    munmap(block->bytes - HEAD_BYTES, HEAD_BYTES + block->capacity_bytes);
    state__region_files_release(files);
}

/* ---- Waiting ---- */

/* The word's place in the region, whichever part of it is mapped. */
static enum state_status
find_word(const struct state_mapping *mapping, uint64_t offset_bytes,
          uint64_t *place)
{
    if (offset_bytes % 4 != 0 || offset_bytes >= mapping->length_bytes)
        return STATE_INVALID;
    *place = mapping->offset_bytes + offset_bytes;
    return STATE_OK;
}

enum state_status
state_region_wait(struct state_mapping *mapping, uint64_t offset_bytes,
                  uint32_t expected, struct state_region_waiter *waiter)
{
    struct state__region *region = state__region_of(mapping->block);
    enum state_status status;
    uint64_t place;

    status = find_word(mapping, offset_bytes, &place);
    if (status)
        return status;
    pthread_mutex_lock(&region->wait_lock);
    /* Whoever stores, and then notifies, needs the lock in between. */
    if (__atomic_load_n(
            (const uint32_t *)(const void *)(mapping->block->bytes + place),
            __ATOMIC_SEQ_CST) == expected) {
        status = STATE_PENDING;
        waiter->private_.offset_bytes = place;
        waiter->private_.next = NULL;
        waiter->private_.is_waiting = true;
        waiter->private_.was_woken = false;
        *region->waiters.end = waiter;
        region->waiters.end = &waiter->private_.next;
    } else {
        status = STATE_CONFLICT;
    }
    pthread_mutex_unlock(&region->wait_lock);
    return status;
}

/* Takes the waiter at a place of the list out of it. */
static void
take_out(struct state__region *region, struct state_region_waiter **place)
{
    struct state_region_waiter *waiter = *place;

    *place = waiter->private_.next;
    if (*place == NULL)
        region->waiters.end = place;
    waiter->private_.is_waiting = false;
}

bool
state_region_leave(struct state_mapping *mapping,
                   struct state_region_waiter *waiter)
{
    struct state__region *region = state__region_of(mapping->block);
    bool was_woken;

    pthread_mutex_lock(&region->wait_lock);
    if (waiter->private_.is_waiting) {
        struct state_region_waiter **place = &region->waiters.first;

        while (*place != waiter)
            place = &(*place)->private_.next;
        take_out(region, place);
    }
    was_woken = waiter->private_.was_woken;
    waiter->private_.was_woken = false;
    pthread_mutex_unlock(&region->wait_lock);
    return was_woken;
}

enum state_status
state_region_notify(struct state_mapping *mapping, uint64_t offset_bytes,
                    uint32_t count_max, uint32_t *count)
{
    struct state__region *region = state__region_of(mapping->block);
    struct state_region_waiter **place;
    enum state_status status;
    uint64_t word;

    status = find_word(mapping, offset_bytes, &word);
    if (status)
        return status;
    *count = 0;
    pthread_mutex_lock(&region->wait_lock);
    place = &region->waiters.first;
    while (*place != NULL && *count < count_max) {
        struct state_region_waiter *waiter = *place;

        if (waiter->private_.offset_bytes != word) {
            place = &waiter->private_.next;
            continue;
        }
        take_out(region, place);
        waiter->private_.was_woken = true;
        /* Under the lock: he cannot leave, and be gone, before it is over. */
        waiter->wake(waiter);
        ++*count;
    }
    pthread_mutex_unlock(&region->wait_lock);
    return STATE_OK;
}
