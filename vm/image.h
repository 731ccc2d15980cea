/*
 * image.h - the frozen content of a memory, and memories made from it.
 *
 * An image reaches from the first page to the last that is not all zero. It
 * lies in one file in memory per engine, each image in a range of its own,
 * with holes where pages are zero. A memory made from an image maps that range
 * copy-on-write, so its pages are shared until they are written; beyond the
 * range it is anonymous.
 *
 * Resetting such a memory compares the pages that are copies with the image
 * and writes back those that differ, in place: no page table changes and
 * nobody faults. A copy stays a copy, so the next reset knows where to look;
 * new ones are looked for only when the thread has faulted since (pages.h).
 */
#ifndef GLASS_VM_IMAGE_H
#define GLASS_VM_IMAGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "vm/instance.h"
#include "vm/pages.h"

/* Resets after which copies that none of them had to restore are given back
 * to the kernel: looking at one that often costs as much as a fault. */
#define GVM__RESETS_PER_SWEEP 64u

/* What the images of one engine share. */
struct gvm__image_store {
    pthread_mutex_t lock; /* for opening */
    bool opened;
    int file;    /* -1: none yet */
    int pagemap; /* -1: none */
    int pagemap_process; /* whose it is */
    /* Where the next image goes. Places are not used twice: the file has
     * holes where images were. */
    atomic_ullong end_bytes;
    /* Numbers for threads, so that two of them are never taken for one. */
    pthread_key_t thread_key;
    atomic_uint thread_count;
};

struct gvm__image {
    struct gvm__image_store *store;
    uint64_t pages;       /* of WebAssembly: the memory's size */
    uint64_t start_bytes; /* of the memory: what lies outside */
    uint64_t end_bytes;   /* from start to end is all zero */
    uint64_t file_offset;
    uint8_t *bytes; /* from start to end, mapped for reading; or NULL */
    /* Of the memory: the pages that are not all zero. */
    struct gvm__page_list content;
};

/* What is known of the copies in a memory made from an image. */
struct gvm__dirt {
    const struct gvm__image *image;
    struct gvm__page_list copies;
    /* By place in `copies`: whether a reset restored it since the sweep. */
    uint8_t *used;
    /* The memory was never longer. */
    uint64_t size_bytes_max;
    /* `copies` were all when this thread had faulted so often, and the store
     * had moved between threads so often. Thread 0: they may not be all. */
    uintptr_t thread;
    uint64_t faults;
    uint64_t changes;
    uint32_t resets; /* since the last sweep */
    struct gvm__mapping *mappings; /* mapping.h; in the memory's order */
};

/* False: no memory, or too many keys of threads in the process. */
bool gvm__image_store_init(struct gvm__image_store *store);
void gvm__image_store_deinit(struct gvm__image_store *store);
/* A number of the calling thread's own, never 0. */
uintptr_t gvm__image_store_thread(struct gvm__image_store *store);

/*
 * Copies the memory. Returns GVM_NO_MEMORY, also when the kernel has no file
 * in memory to give; the image is empty then.
 */
enum gvm_status gvm__image_create(struct gvm__image_store *store,
                                  const struct gvm_memory *memory,
                                  struct gvm__image *image);
/*
 * The same of a memory of `pages` pages from elsewhere, which is zero outside
 * of `content`, whose pages lie at `bytes` one behind the other. They are
 * inside the memory; the list is taken over, also on failure.
 */
enum gvm_status gvm__image_load(struct gvm__image_store *store,
                                uint64_t pages,
                                struct gvm__page_list *content,
                                const uint8_t *bytes,
                                struct gvm__image *image);
/* Memories made from it must be gone. */
void gvm__image_destroy(struct gvm__image *image);

/* Puts the image into a new memory that is as long, all zero, and knows of
 * no image yet. GVM_NO_MEMORY. */
enum gvm_status gvm__image_map(const struct gvm__image *image,
                               struct gvm_memory *memory);
/*
 * Makes the memory what it was when gvm__image_map had been called.
 * GVM_NO_MEMORY: it is neither, and may only be tried again or destroyed.
 */
enum gvm_status gvm__image_reset(struct gvm_memory *memory);
/* Whether it is so, by looking at everything. */
bool gvm__image_matches(const struct gvm_memory *memory);
/* Frees what gvm__image_map attached; NULL is fine. */
void gvm__image_forget(struct gvm__dirt *dirt);

/* engine.c */
struct gvm__image_store *gvm__engine_images(struct gvm_engine *engine);

#endif
