/*
 * mapping.c - files laid into linear memories.
 *
 * The idea: the memory grows, and the file is mapped over the new pages. The
 * address space is reserved (a memory made from an image never moves), so the
 * mapping takes the place of what was there, and putting anonymous pages in
 * its own place takes it away. Neither touches a page: a mapping costs two
 * calls of the system, and page tables only where it is read. Taking it away
 * costs what the kernel needs to forget them.
 *
 * A memory cannot shrink, so pages that lost their file are a *hole*: the
 * guest may use them, but not count on it, since the next mapping that fits
 * goes there. Otherwise who maps and unmaps again and again would reach the
 * memory's maximum. Mappings and holes are one list, in the memory's order;
 * holes that touch are one.
 *
 * All of it lies behind the image's pages, and what a guest leaves in a hole
 * is found by the reset like everything else that was written.
 *
 * A memory is used by its store's one thread.
 */
#define _GNU_SOURCE 1 /* MAP_ANONYMOUS, madvise */

#include "vm/mapping.h"

#include "vm/image.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

static struct gvm__mapping **
list_of(const struct gvm_memory *memory)
{
    return &memory->dirt->mappings;
}

/* ---- What the kernel does -------------------------------------------- */

static bool
lay_file(const struct gvm_memory *memory, const struct gvm__mapping *mapping,
         int file, uint64_t offset_bytes)
{
    int protection = mapping->writable ? PROT_READ | PROT_WRITE : PROT_READ;

    return mmap(memory->data + mapping->page * GVM__PAGE_BYTES,
                (size_t)(mapping->page_count * GVM__PAGE_BYTES), protection,
                MAP_SHARED | MAP_FIXED, file,
                (off_t)offset_bytes) != MAP_FAILED;
}

/* Pages as those that the memory was made of. */
static bool
lay_zeroes(const struct gvm_memory *memory,
           const struct gvm__mapping *mapping)
{
    void *address = memory->data + mapping->page * GVM__PAGE_BYTES;
    size_t length_bytes = (size_t)(mapping->page_count * GVM__PAGE_BYTES);

    if (mmap(address, length_bytes, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
             0) == MAP_FAILED)
        return false;
    /* As gvm__image_map has it, so that the kernel makes one of them again. */
    (void)madvise(address, length_bytes, MADV_NOHUGEPAGE);
    return true;
}

/* ---- The list --------------------------------------------------------- */

/* The place of a hole that is long enough, or of the list's end. */
static struct gvm__mapping **
find_place(const struct gvm_memory *memory, uint64_t page_count)
{
    struct gvm__mapping **place = list_of(memory);

    while (*place != NULL &&
           !((*place)->is_hole && (*place)->page_count >= page_count))
        place = &(*place)->next;
    return place;
}

/* Takes the front of the hole at the place for a mapping. */
static void
take_front(struct gvm__mapping **place, struct gvm__mapping *mapping)
{
    struct gvm__mapping *hole = *place;

    mapping->page = hole->page;
    mapping->next = hole;
    hole->page += mapping->page_count;
    hole->page_count -= mapping->page_count;
    if (hole->page_count == 0) {
        mapping->next = hole->next;
        free(hole);
    }
    *place = mapping;
}

/* Makes one hole of those that touch. */
static void
join_holes(struct gvm__mapping *first)
{
    while (first != NULL && first->next != NULL) {
        struct gvm__mapping *next = first->next;

        if (!first->is_hole || !next->is_hole ||
            first->page + first->page_count != next->page) {
            first = next;
            continue;
        }
        first->page_count += next->page_count;
        first->next = next->next;
        free(next);
    }
}

/* ---- For everybody ---------------------------------------------------- */

/* Whether the mapping could be there at all. */
static enum gvm_status
check(const struct gvm_memory *memory, uint64_t offset_bytes,
      uint64_t page_count, bool writable)
{
    if (memory->dirt == NULL || page_count == 0 ||
        offset_bytes % GVM__PAGE_BYTES != 0 ||
        (!writable && !memory->guarded))
        return GVM_BAD_ARGUMENT;
    return GVM_OK;
}

/* Makes the memory longer; what memory.grow does not tell apart, this does. */
static enum gvm_status
extend(struct gvm_memory *memory, uint64_t page_count)
{
    const struct gvm_store *store = memory->store;
    uint64_t left_bytes = store->memory_bytes_max - store->memory_bytes;

    if (page_count > memory->pages_max - memory->limits.min)
        return GVM_BAD_ARGUMENT;
    if (page_count > left_bytes / GVM__PAGE_BYTES)
        return GVM_LIMIT;
    return gvm_memory_grow(memory, page_count) >= 0 ? GVM_OK : GVM_NO_MEMORY;
}

enum gvm_status
gvm_mapping_create(struct gvm_memory *memory, int file, uint64_t offset_bytes,
                   uint64_t page_count, bool writable, uint64_t *address)
{
    enum gvm_status status = check(memory, offset_bytes, page_count, writable);
    struct gvm__mapping *mapping, **place;

    if (status != GVM_OK)
        return status;
    mapping = calloc(1, sizeof(*mapping));
    if (mapping == NULL)
        return GVM_NO_MEMORY;
    mapping->page_count = page_count;
    mapping->writable = writable;
    place = find_place(memory, page_count);
    mapping->page = *place != NULL ? (*place)->page : memory->limits.min;
    if (*place == NULL)
        status = extend(memory, page_count);
    if (status == GVM_OK && !lay_file(memory, mapping, file, offset_bytes)) {
        status = GVM_NO_MEMORY;
        /* What it grew by is a hole like any other, if it cannot go. */
        if (*place == NULL && gvm__memory_shrink(memory, mapping->page) !=
                                  GVM_OK) {
            mapping->is_hole = true;
            *place = mapping;
            return status;
        }
    }
    if (status != GVM_OK) {
        free(mapping);
        return status;
    }
    if (*place != NULL)
        take_front(place, mapping);
    else
        *place = mapping;
    *address = mapping->page * GVM__PAGE_BYTES;
    return GVM_OK;
}

enum gvm_status
gvm_mapping_destroy(struct gvm_memory *memory, uint64_t address)
{
    struct gvm__mapping *mapping =
        memory->dirt != NULL ? *list_of(memory) : NULL;

    while (mapping != NULL &&
           (mapping->is_hole || mapping->page * GVM__PAGE_BYTES != address))
        mapping = mapping->next;
    if (mapping == NULL)
        return GVM_BAD_ARGUMENT;
    if (!lay_zeroes(memory, mapping))
        return GVM_NO_MEMORY;
    mapping->is_hole = true;
    join_holes(*list_of(memory));
    return GVM_OK;
}

bool
gvm_mapping_permits_write(const struct gvm_memory *memory, uint64_t offset,
                          uint64_t length_bytes)
{
    const struct gvm__mapping *mapping =
        memory->dirt != NULL ? *list_of(memory) : NULL;

    for (; mapping != NULL; mapping = mapping->next) {
        uint64_t start = mapping->page * GVM__PAGE_BYTES;
        uint64_t end = start + mapping->page_count * GVM__PAGE_BYTES;

        if (!mapping->is_hole && !mapping->writable && length_bytes > 0 &&
            offset < end && offset + length_bytes > start)
            return false;
    }
    return true;
}

/* ---- For the engine ---------------------------------------------------- */

bool
gvm__mapping_is_any(const struct gvm_memory *memory)
{
    const struct gvm__mapping *mapping =
        memory->dirt != NULL ? *list_of(memory) : NULL;

    while (mapping != NULL && mapping->is_hole)
        mapping = mapping->next;
    return mapping != NULL;
}

enum gvm_status
gvm__mapping_clear(struct gvm_memory *memory)
{
    struct gvm__mapping **first = list_of(memory), *mapping;

    while ((mapping = *first) != NULL) {
        if (!mapping->is_hole && !lay_zeroes(memory, mapping))
            return GVM_NO_MEMORY;
        *first = mapping->next;
        free(mapping);
    }
    return GVM_OK;
}

void
gvm__mapping_forget(struct gvm__mapping *first)
{
    while (first != NULL) {
        struct gvm__mapping *next = first->next;

        free(first);
        first = next;
    }
}
