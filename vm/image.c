/*
 * image.c - freezing memories, mapping them, and writing back what changed.
 *
 * Why reset in place: a page given back to the kernel costs a call and, when
 * it is written again, a fault, and while other threads of the process run
 * also an interrupt of theirs. Comparing and copying one that is in the cache
 * costs a fiftieth of that. So copies are kept and looked at every time,
 * unless nobody has used them for long or there are too many.
 *
 * What must hold for a reset to be complete: every page of the memory that
 * is not what the image says is in `copies`. A page becomes a copy by a fault
 * of a thread that writes; that thread is either the one that resets, and its
 * count of faults tells, or the store has moved between threads, and `copies`
 * are looked up whatever the count.
 *
 * An image may be used by any thread; a memory by its store's.
 */
#define _GNU_SOURCE 1 /* memfd_create, fallocate */

#include "vm/image.h"

#include "vm/mapping.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- What an engine has ---------------------------------------------- */

bool
gvm__image_store_init(struct gvm__image_store *store)
{
    *store = (struct gvm__image_store){.file = -1, .pagemap = -1};
    atomic_init(&store->end_bytes, 0);
    atomic_init(&store->thread_count, 0);
    if (pthread_mutex_init(&store->lock, NULL) != 0)
        return false;
    if (pthread_key_create(&store->thread_key, NULL) != 0) {
        pthread_mutex_destroy(&store->lock);
        return false;
    }
    return true;
}

void
gvm__image_store_deinit(struct gvm__image_store *store)
{
    if (store->file >= 0)
        close(store->file);
    if (store->pagemap >= 0)
        close(store->pagemap);
    pthread_key_delete(store->thread_key);
    pthread_mutex_destroy(&store->lock);
}

/* A key and not pthread_self: the number of a thread that ended must not
 * come back. 2^32 threads take a while. */
uintptr_t
gvm__image_store_thread(struct gvm__image_store *store)
{
    void *value = pthread_getspecific(store->thread_key);

    if (value == NULL) {
        value = (void *)((uintptr_t)atomic_fetch_add_explicit(
                             &store->thread_count, 1, memory_order_relaxed) +
                         1);
        /* Without memory for it the thread is another one every time. */
        pthread_setspecific(store->thread_key, value);
    }
    return (uintptr_t)value;
}

/* Opens the files when the first image is made: most engines have none. */
static bool
open_files(struct gvm__image_store *store)
{
    bool opened;

    pthread_mutex_lock(&store->lock);
    if (!store->opened) {
        store->file = memfd_create("glass-images", MFD_CLOEXEC);
        store->opened = store->file >= 0;
    }
    opened = store->opened;
    pthread_mutex_unlock(&store->lock);
    return opened;
}

/* The file tells of the process that opened it: a child opens its own. */
static int
pagemap_of(struct gvm__image_store *store)
{
    int process = (int)getpid();
    int pagemap;

    pthread_mutex_lock(&store->lock);
    if (store->pagemap_process != process) {
        if (store->pagemap >= 0)
            close(store->pagemap);
        store->pagemap = gvm__pages_open();
        store->pagemap_process = process;
    }
    pagemap = store->pagemap;
    pthread_mutex_unlock(&store->lock);
    return pagemap;
}

/* ---- Images ---------------------------------------------------------- */

/* Pages of any system are multiples of this. */
static const uint8_t zeroes[4096];

static bool
is_zero(const uint8_t *page, uint64_t page_bytes)
{
    uint64_t at;

    for (at = 0; at < page_bytes; at += sizeof(zeroes)) {
        if (memcmp(page + at, zeroes, sizeof(zeroes)) != 0)
            return false;
    }
    return true;
}

/* Those of `candidates` that are not all zero. */
static enum gvm_status
keep_content(const struct gvm_memory *memory,
             const struct gvm__page_list *candidates,
             struct gvm__page_list *content)
{
    uint64_t page_bytes = gvm__pages_size();
    uint32_t i, j;

    for (i = 0; i < candidates->run_count; i++) {
        struct gvm__page_run run = candidates->runs[i];

        for (j = 0; j < run.count; j++) {
            uint64_t page = (uint64_t)run.first + j;
            enum gvm_status status;

            if (is_zero(memory->data + page * page_bytes, page_bytes))
                continue;
            status = gvm__pages_append(content, page, 1);
            if (status != GVM_OK)
                return status;
        }
    }
    return GVM_OK;
}

/* Where content may be. Of a memory that was mapped from an image itself,
 * that image's pages as well as the copies. */
static enum gvm_status
find_content(struct gvm__image_store *store,
             const struct gvm_memory *memory, struct gvm__page_list *pages)
{
    uint64_t size_bytes = gvm__memory_size(memory->data);

    return gvm__pages_find(memory->dirt == NULL ? pagemap_of(store) : -1,
                           memory->data, size_bytes, pages);
}

static bool
write_all(int file, const uint8_t *bytes, uint64_t length_bytes,
          uint64_t offset)
{
    while (length_bytes > 0) {
        ssize_t count =
            pwrite(file, bytes, (size_t)length_bytes, (off_t)offset);

        if (count <= 0)
            return false;
        bytes += count;
        length_bytes -= (uint64_t)count;
        offset += (uint64_t)count;
    }
    return true;
}

static void
discard(const struct gvm__image *image)
{
    /* Failing leaves bytes that nobody reads again. */
    if (fallocate(image->store->file,
                  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  (off_t)image->file_offset,
                  (off_t)(image->end_bytes - image->start_bytes)) != 0)
        return;
}

/* Since Linux 5.14; older kernels refuse it and fault later instead. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/*
 * Gives the image its place in the file, from the first page of its content
 * to the last, and maps it for reading. There is some content.
 */
static enum gvm_status
open_range(struct gvm__image *image)
{
    uint64_t page_bytes = gvm__pages_size();
    const struct gvm__page_run *runs = image->content.runs;
    const struct gvm__page_run *last = &runs[image->content.run_count - 1];
    uint64_t length_bytes;
    void *bytes;

    image->start_bytes = runs[0].first * page_bytes;
    image->end_bytes = ((uint64_t)last->first + last->count) * page_bytes;
    length_bytes = image->end_bytes - image->start_bytes;
    image->file_offset = atomic_fetch_add_explicit(
        &image->store->end_bytes, length_bytes, memory_order_relaxed);
    bytes = mmap(NULL, (size_t)length_bytes, PROT_READ, MAP_SHARED,
                 image->store->file, (off_t)image->file_offset);
    if (bytes == MAP_FAILED)
        return GVM_NO_MEMORY;
    image->bytes = bytes;
    return GVM_OK;
}

/* Writes a run of the content, which lies at `bytes`. */
static enum gvm_status
write_run(const struct gvm__image *image, struct gvm__page_run run,
          const uint8_t *bytes)
{
    uint64_t page_bytes = gvm__pages_size();
    uint64_t length_bytes = run.count * page_bytes;
    uint64_t place = run.first * page_bytes - image->start_bytes;

    if (!write_all(image->store->file, bytes, length_bytes,
                   image->file_offset + place))
        return GVM_NO_MEMORY;
    /* Resets read it: they should not fault the first time. */
    (void)madvise(image->bytes + place, (size_t)length_bytes,
                  MADV_POPULATE_READ);
    return GVM_OK;
}

/*
 * Writes all of the content, which is at its place in a memory at `data`, or
 * lies at `data` one page behind the other when it is `packed`.
 */
static enum gvm_status
fill(struct gvm__image *image, const uint8_t *data, bool packed)
{
    uint64_t page_bytes = gvm__pages_size();
    enum gvm_status status = GVM_OK;
    uint32_t i;

    if (image->content.run_count > 0)
        status = open_range(image);
    for (i = 0; i < image->content.run_count && status == GVM_OK; i++) {
        struct gvm__page_run run = image->content.runs[i];

        status = write_run(image, run,
                           packed ? data : data + run.first * page_bytes);
        if (packed)
            data += run.count * page_bytes;
    }
    return status;
}

enum gvm_status
gvm__image_create(struct gvm__image_store *store,
                  const struct gvm_memory *memory, struct gvm__image *image)
{
    struct gvm__image made = {.store = store, .pages = memory->limits.min};
    struct gvm__page_list candidates = {0};
    enum gvm_status status;

    if (!open_files(store))
        return GVM_NO_MEMORY;
    status = find_content(store, memory, &candidates);
    if (status == GVM_OK)
        status = keep_content(memory, &candidates, &made.content);
    gvm__pages_deinit(&candidates);
    if (status == GVM_OK)
        status = fill(&made, memory->data, false);
    if (status != GVM_OK) {
        gvm__image_destroy(&made);
        return status;
    }
    *image = made;
    return GVM_OK;
}

enum gvm_status
gvm__image_load(struct gvm__image_store *store, uint64_t pages,
                struct gvm__page_list *content, const uint8_t *bytes,
                struct gvm__image *image)
{
    struct gvm__image made = {
        .store = store, .pages = pages, .content = *content};
    enum gvm_status status =
        open_files(store) ? fill(&made, bytes, true) : GVM_NO_MEMORY;

    *content = (struct gvm__page_list){0};
    if (status != GVM_OK) {
        gvm__image_destroy(&made);
        return status;
    }
    *image = made;
    return GVM_OK;
}

void
gvm__image_destroy(struct gvm__image *image)
{
    if (image->bytes != NULL) {
        munmap(image->bytes,
               (size_t)(image->end_bytes - image->start_bytes));
        discard(image);
        image->bytes = NULL;
    }
    gvm__pages_deinit(&image->content);
}

/* ---- Memories made from images --------------------------------------- */

enum gvm_status
gvm__image_map(const struct gvm__image *image, struct gvm_memory *memory)
{
    struct gvm__dirt *dirt = calloc(1, sizeof(*dirt));

    if (dirt == NULL)
        return GVM_NO_MEMORY;
    /* A huge page would be 512 copies at the first touch. Where there are
     * none this fails, and nothing is lost. */
    (void)madvise(memory->data - GVM__MEMORY_HEADER_BYTES,
                  (size_t)memory->reserved_bytes, MADV_NOHUGEPAGE);
    if (image->bytes != NULL &&
        mmap(memory->data + image->start_bytes,
             (size_t)(image->end_bytes - image->start_bytes),
             PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE,
             image->store->file, (off_t)image->file_offset) == MAP_FAILED) {
        free(dirt);
        return GVM_NO_MEMORY;
    }
    dirt->image = image;
    dirt->size_bytes_max = image->pages * GVM__PAGE_BYTES;
    memory->dirt = dirt;
    return GVM_OK;
}

void
gvm__image_forget(struct gvm__dirt *dirt)
{
    if (dirt == NULL)
        return;
    gvm__pages_deinit(&dirt->copies);
    gvm__mapping_forget(dirt->mappings);
    free(dirt->used);
    free(dirt);
}

/* What the image has at a page: its bytes, or NULL for zeroes. */
static const uint8_t *
original(const struct gvm__image *image, uint64_t offset)
{
    if (offset < image->start_bytes || offset >= image->end_bytes)
        return NULL;
    return image->bytes + (offset - image->start_bytes);
}

/* False: the page was as it should be. */
static bool
restore_page(const struct gvm__image *image, uint8_t *data, uint64_t offset,
             uint64_t page_bytes)
{
    const uint8_t *bytes = original(image, offset);
    uint8_t *page = data + offset;

    if (bytes == NULL) {
        if (is_zero(page, page_bytes))
            return false;
        memset(page, 0, (size_t)page_bytes);
        return true;
    }
    if (memcmp(page, bytes, (size_t)page_bytes) == 0)
        return false;
    memcpy(page, bytes, (size_t)page_bytes);
    return true;
}

/* The copies below the present end. What was fenced off again by an earlier
 * reset was emptied by it. */
static void
restore_copies(struct gvm_memory *memory)
{
    struct gvm__dirt *dirt = memory->dirt;
    uint64_t page_bytes = gvm__pages_size();
    uint64_t size_bytes = gvm__memory_size(memory->data);
    uint8_t *used = dirt->used;
    uint32_t i, j;

    for (i = 0; i < dirt->copies.run_count; i++) {
        struct gvm__page_run run = dirt->copies.runs[i];
        uint64_t offset = run.first * page_bytes;

        for (j = 0; j < run.count; j++, offset += page_bytes, used++) {
            if (offset >= size_bytes)
                return;
            if (restore_page(dirt->image, memory->data, offset, page_bytes))
                *used = 1;
        }
    }
}

/* Gives pages back to the kernel; the image or zeroes stand for them again. */
static enum gvm_status
give_back(struct gvm_memory *memory, struct gvm__page_run run)
{
    uint64_t page_bytes = gvm__pages_size();

    if (run.count == 0)
        return GVM_OK;
    return madvise(memory->data + run.first * page_bytes,
                   (size_t)(run.count * page_bytes), MADV_DONTNEED) == 0
               ? GVM_OK
               : GVM_NO_MEMORY;
}

/*
 * Gives back the copies that no reset had to restore since the last sweep,
 * and the topmost ones of those that are too many; begins to count anew. All
 * of them have been restored.
 */
static enum gvm_status
sweep(struct gvm_memory *memory)
{
    struct gvm__dirt *dirt = memory->dirt;
    uint64_t kept_max = GVM_RESET_KEPT_BYTES_MAX / gvm__pages_size();
    struct gvm__page_list kept = {0};
    struct gvm__page_run left = {0}; /* to be given back at once */
    enum gvm_status status = GVM_OK;
    const uint8_t *used = dirt->used;
    uint32_t i, page;

    for (i = 0; i < dirt->copies.run_count; i++) {
        struct gvm__page_run run = dirt->copies.runs[i];

        for (page = run.first; page - run.first < run.count; page++, used++) {
            if (*used != 0 && kept.page_count < kept_max) {
                status = gvm__pages_append(&kept, page, 1);
            } else if (left.count > 0 && left.first + left.count == page) {
                left.count++;
            } else {
                status = give_back(memory, left);
                left = (struct gvm__page_run){page, 1};
            }
            if (status != GVM_OK)
                goto fail;
        }
    }
    status = give_back(memory, left);
    if (status != GVM_OK)
        goto fail;
    gvm__pages_deinit(&dirt->copies);
    dirt->copies = kept;
    dirt->resets = 0;
    if (kept.page_count > 0)
        memset(dirt->used, 0, (size_t)kept.page_count);
    return GVM_OK;

fail:
    gvm__pages_deinit(&kept);
    return status;
}

/* ---- Resetting ------------------------------------------------------- */

/* What `used` said of the pages in `found`; new ones count as used. */
static void
carry_used(const struct gvm__dirt *dirt, const struct gvm__page_list *found,
           uint8_t *used)
{
    const uint8_t *old_used = dirt->used;
    uint32_t old = 0; /* the run of the old list, and a page in it */
    uint32_t old_page = 0;
    uint32_t i, j;

    memset(used, 1, (size_t)found->page_count);
    for (i = 0; i < found->run_count; i++) {
        for (j = 0; j < found->runs[i].count; j++, used++) {
            uint32_t page = found->runs[i].first + j;

            while (old < dirt->copies.run_count &&
                   dirt->copies.runs[old].first + old_page < page) {
                old_used++;
                if (++old_page == dirt->copies.runs[old].count) {
                    old++;
                    old_page = 0;
                }
            }
            if (old < dirt->copies.run_count &&
                dirt->copies.runs[old].first + old_page == page)
                *used = *old_used;
        }
    }
}

/* Asks the kernel for the copies, of everything that was ever accessible:
 * what was fenced off may be accessible again without a fault. */
static enum gvm_status
find_copies(struct gvm_memory *memory)
{
    struct gvm__dirt *dirt = memory->dirt;
    struct gvm__page_list found = {0};
    enum gvm_status status =
        gvm__pages_find(pagemap_of(gvm__engine_images(memory->store->engine)),
                        memory->data, dirt->size_bytes_max, &found);
    uint8_t *used = NULL;

    if (status == GVM_OK) {
        used = malloc((size_t)found.page_count + 1);
        status = used != NULL ? GVM_OK : GVM_NO_MEMORY;
    }
    if (status != GVM_OK) {
        gvm__pages_deinit(&found);
        return status;
    }
    carry_used(dirt, &found, used);
    gvm__pages_deinit(&dirt->copies);
    free(dirt->used);
    dirt->copies = found;
    dirt->used = used;
    return GVM_OK;
}

/* Whether `copies` cannot have become more since the last reset. */
static bool
is_certain(const struct gvm_memory *memory, uintptr_t thread, uint64_t faults)
{
    const struct gvm__dirt *dirt = memory->dirt;
    const struct gvm_store *store = memory->store;

    return dirt->thread == thread && dirt->faults == faults &&
           store->thread == thread && store->thread_changes == dirt->changes;
}

enum gvm_status
gvm__image_reset(struct gvm_memory *memory)
{
    struct gvm__dirt *dirt = memory->dirt;
    struct gvm_store *store = memory->store;
    uint64_t size_bytes = gvm__memory_size(memory->data);
    uintptr_t thread =
        gvm__image_store_thread(gvm__engine_images(store->engine));
    /* Before the search: a fault during it is one that the next reset sees. */
    uint64_t faults = gvm__pages_faults();
    enum gvm_status status = gvm__mapping_clear(memory);

    if (status != GVM_OK)
        return status;
    if (size_bytes > dirt->size_bytes_max)
        dirt->size_bytes_max = size_bytes;
    if (!is_certain(memory, thread, faults)) {
        dirt->thread = 0; /* of no thread, if something fails here */
        store->may_have_grown = true;
        status = find_copies(memory);
        if (status != GVM_OK)
            return status;
    }
    restore_copies(memory);
    if (memory->limits.min > dirt->image->pages)
        status = gvm__memory_shrink(memory, dirt->image->pages);
    if (status == GVM_OK &&
        (++dirt->resets >= GVM__RESETS_PER_SWEEP ||
         dirt->copies.page_count * gvm__pages_size() >
             GVM_RESET_KEPT_BYTES_MAX))
        status = sweep(memory);
    dirt->thread = status == GVM_OK ? thread : 0;
    dirt->faults = faults;
    dirt->changes = store->thread_changes;
    return status;
}

bool
gvm__image_matches(const struct gvm_memory *memory)
{
    const struct gvm__image *image = memory->dirt->image;
    uint64_t page_bytes = gvm__pages_size();
    uint64_t size_bytes = gvm__memory_size(memory->data);
    uint64_t offset;

    for (offset = 0; offset < size_bytes; offset += page_bytes) {
        const uint8_t *bytes = original(image, offset);
        const uint8_t *page = memory->data + offset;

        if (bytes == NULL ? !is_zero(page, page_bytes)
                          : memcmp(page, bytes, (size_t)page_bytes) != 0)
            return false;
    }
    return size_bytes == image->pages * GVM__PAGE_BYTES;
}
