/*
 * memory.c - linear memories.
 *
 * Each is one mapping: a header, whose last word is the size in bytes, and
 * the pages. With explicit bounds the mapping is as long as the memory and
 * may move when it grows; `data` changes then. With guard pages it is
 * GVM_GUARD_RESERVATION_BYTES long from the start, inaccessible beyond the
 * present size, and never moves (guard.h says who catches the fault).
 *
 * A memory made from an image (image.h) does not move either: with explicit
 * bounds it reserves what it may ever become, since a mapping of several
 * parts cannot be moved at once. It may shrink again, when it is reset.
 *
 * The size is kept twice, in the header for handlers and in `limits.min` for
 * linking; set_size writes both. The store's total counts accessible pages,
 * not reservations.
 *
 * A store's memories are used by the store's one thread.
 */
#define _GNU_SOURCE 1 /* mremap */

#include "vm/image.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

/*
 * What one page of page tables covers, here and on most machines. Reservations
 * are multiples of it: Linux then puts their start at a multiple as well, and
 * the header shares such a page with the first pages of the memory.
 */
#define TABLE_BYTES (2ull << 20)

static_assert((uint64_t)GVM_MEMORY_PAGES_MAX * GVM__PAGE_BYTES <=
                  GVM_GUARD_RESERVATION_BYTES,
              "the largest memory fits its reservation");

static void
set_size(struct gvm_memory *memory, uint64_t pages)
{
    ((uint64_t *)(void *)memory->data)[-1] = pages * GVM__PAGE_BYTES;
    memory->limits.min = pages;
}

/* Whether the store's total leaves room for that many more pages. */
static bool
store_allows(const struct gvm_store *store, uint64_t pages)
{
    return pages <=
           (store->memory_bytes_max - store->memory_bytes) / GVM__PAGE_BYTES;
}

static uint8_t *
map(uint64_t size_bytes, int protection, int flags)
{
    void *mapping = mmap(NULL, (size_t)size_bytes, protection,
                         MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

    return mapping != MAP_FAILED ? mapping : NULL;
}

static void
unmap(uint8_t *mapping, uint64_t size_bytes)
{
    int failed = munmap(mapping, (size_t)size_bytes);

    /* It fails for mappings that are not ours. */
    assert(!failed);
    (void)failed;
}

/* The length of a reservation for header and so many bytes. */
static uint64_t
reservation_bytes(uint64_t size_bytes)
{
    return (GVM__MEMORY_HEADER_BYTES + size_bytes + TABLE_BYTES - 1) &
           ~(TABLE_BYTES - 1);
}

/* Maps header and pages, and at least `reserved_pages` of address space;
 * false: the kernel refused. */
static bool
map_memory(struct gvm_memory *memory, uint64_t pages, uint64_t reserved_pages)
{
    uint64_t used_bytes = GVM__MEMORY_HEADER_BYTES + pages * GVM__PAGE_BYTES;
    uint8_t *mapping;

    if (!memory->guarded) {
        memory->reserved_bytes =
            reserved_pages > pages
                ? reservation_bytes(reserved_pages * GVM__PAGE_BYTES)
                : used_bytes;
        mapping = map(memory->reserved_bytes, PROT_READ | PROT_WRITE,
                      reserved_pages > pages ? MAP_NORESERVE : 0);
        if (mapping == NULL)
            return false;
    } else {
        memory->reserved_bytes =
            reservation_bytes(GVM_GUARD_RESERVATION_BYTES);
        /* A reservation is no promise of pages: do not account for it. */
        mapping = map(memory->reserved_bytes, PROT_NONE, MAP_NORESERVE);
        if (mapping == NULL)
            return false;
        if (mprotect(mapping, (size_t)used_bytes, PROT_READ | PROT_WRITE)) {
            unmap(mapping, memory->reserved_bytes);
            return false;
        }
    }
    memory->data = mapping + GVM__MEMORY_HEADER_BYTES;
    return true;
}

/* What a memory may ever grow to. */
static uint64_t
reachable_pages(const struct gvm_memory *memory)
{
    uint64_t store_pages = memory->store->memory_bytes_max / GVM__PAGE_BYTES;

    return memory->pages_max < store_pages ? memory->pages_max : store_pages;
}

/* `image` may be NULL: all zero. */
static enum gvm_status
create(struct gvm_store *store, const struct gvm_limits *limits,
       const struct gvm__image *image, struct gvm_memory **memory)
{
    struct gvm_memory *created;

    if (limits->has_max && limits->min > limits->max)
        return GVM_BAD_ARGUMENT;
    if (limits->min > GVM_MEMORY_PAGES_MAX ||
        (limits->has_max && limits->max > GVM_MEMORY_PAGES_MAX) ||
        !store_allows(store, limits->min))
        return GVM_LIMIT;
    created = gvm__store_allocate(store, sizeof(*created));
    if (created == NULL)
        return GVM_NO_MEMORY;
    created->store = store;
    created->limits = *limits;
    created->pages_max = limits->has_max ? limits->max : GVM_MEMORY_PAGES_MAX;
    created->guarded = gvm__engine_bounds(store->engine) == GVM_BOUNDS_GUARD;
    if (!map_memory(created, limits->min,
                    image != NULL ? reachable_pages(created) : 0))
        return GVM_NO_MEMORY;
    if (image != NULL && gvm__image_map(image, created) != GVM_OK) {
        unmap(created->data - GVM__MEMORY_HEADER_BYTES,
              created->reserved_bytes);
        return GVM_NO_MEMORY;
    }
    set_size(created, limits->min);
    store->memory_bytes += limits->min * GVM__PAGE_BYTES;
    created->next = store->memories;
    store->memories = created;
    *memory = created;
    return GVM_OK;
}

enum gvm_status
gvm_memory_create(struct gvm_store *store, const struct gvm_limits *limits,
                  struct gvm_memory **memory)
{
    return create(store, limits, NULL, memory);
}

enum gvm_status
gvm__memory_create_from(struct gvm_store *store,
                        const struct gvm_limits *limits,
                        const struct gvm__image *image,
                        struct gvm_memory **memory)
{
    struct gvm_limits now = *limits;

    now.min = image->pages;
    return create(store, &now, image, memory);
}

void
gvm__memories_release(struct gvm_store *store, const struct gvm_memory *stop)
{
    struct gvm_memory *memory;

    while ((memory = store->memories) != stop) {
        store->memories = memory->next;
        store->memory_bytes -= gvm_memory_size_bytes(memory);
        unmap(memory->data - GVM__MEMORY_HEADER_BYTES, memory->reserved_bytes);
        gvm__image_forget(memory->dirt);
    }
}

uint8_t *
gvm_memory_data(const struct gvm_memory *memory)
{
    return gvm__memory_size(memory->data) > 0 ? memory->data : NULL;
}

uint64_t
gvm_memory_size_bytes(const struct gvm_memory *memory)
{
    return gvm__memory_size(memory->data);
}

uint8_t *
gvm_memory_range(const struct gvm_memory *memory, uint64_t offset,
                 uint64_t length_bytes)
{
    uint64_t size_bytes = gvm__memory_size(memory->data);

    if (offset > size_bytes || length_bytes > size_bytes - offset)
        return NULL;
    return memory->data + offset;
}

/* Makes a mapping longer, anywhere; NULL: the kernel refused. */
static uint8_t *
remap(uint8_t *mapping, uint64_t old_bytes, uint64_t new_bytes)
{
    void *moved;
#ifdef GVM_STRESS
    /* Always to another place, so that pointers kept too long are found. */
    uint8_t *place = map(new_bytes, PROT_NONE, MAP_NORESERVE);

    if (place == NULL)
        return NULL;
    moved = mremap(mapping, (size_t)old_bytes, (size_t)new_bytes,
                   MREMAP_MAYMOVE | MREMAP_FIXED, place);
    if (moved == MAP_FAILED)
        unmap(place, new_bytes);
#else
    moved = mremap(mapping, (size_t)old_bytes, (size_t)new_bytes,
                   MREMAP_MAYMOVE);
#endif
    return moved != MAP_FAILED ? moved : NULL;
}

/* Makes the memory `pages` long, which is more than it is. */
static bool
extend(struct gvm_memory *memory, uint64_t pages)
{
    uint64_t old_bytes = gvm__memory_size(memory->data);
    uint64_t new_bytes = pages * GVM__PAGE_BYTES;
    uint8_t *mapping;

    if (memory->guarded)
        return mprotect(memory->data + old_bytes,
                        (size_t)(new_bytes - old_bytes),
                        PROT_READ | PROT_WRITE) == 0;
    new_bytes += GVM__MEMORY_HEADER_BYTES;
    if (new_bytes <= memory->reserved_bytes)
        return true;
    /* It has reserved what it may become, in parts that do not move. */
    assert(memory->dirt == NULL);
    mapping = remap(memory->data - GVM__MEMORY_HEADER_BYTES,
                    memory->reserved_bytes, new_bytes);
    if (mapping == NULL)
        return false;
    memory->data = mapping + GVM__MEMORY_HEADER_BYTES;
    memory->reserved_bytes = new_bytes;
    return true;
}

int64_t
gvm_memory_grow(struct gvm_memory *memory, uint64_t pages)
{
    struct gvm_store *store = memory->store;
    uint64_t pages_before = memory->limits.min;

    if (pages == 0)
        return (int64_t)pages_before;
    if (pages > memory->pages_max - pages_before ||
        !store_allows(store, pages) || !extend(memory, pages_before + pages))
        return -1;
    set_size(memory, pages_before + pages);
    store->memory_bytes += pages * GVM__PAGE_BYTES;
    return (int64_t)pages_before;
}

enum gvm_status
gvm__memory_shrink(struct gvm_memory *memory, uint64_t pages)
{
    uint64_t size_bytes = gvm__memory_size(memory->data);
    uint64_t fenced_bytes = size_bytes - pages * GVM__PAGE_BYTES;

    if (memory->guarded &&
        mprotect(memory->data + pages * GVM__PAGE_BYTES, (size_t)fenced_bytes,
                 PROT_NONE) != 0)
        return GVM_NO_MEMORY;
    set_size(memory, pages);
    memory->store->memory_bytes -= fenced_bytes;
    return GVM_OK;
}

enum gvm_trap
gvm__memory_init(struct gvm_instance *instance, uint32_t memory, uint32_t data,
                 uint32_t to, uint32_t from, uint32_t count)
{
    const struct gvm__data_segment *segment = &instance->module->datas[data];
    uint64_t segment_bytes = gvm__data_is_dropped(instance, data)
                                 ? 0
                                 : segment->length_bytes;
    uint8_t *target = gvm_memory_range(instance->memories[memory], to, count);

    if (target == NULL || (uint64_t)from + count > segment_bytes)
        return GVM_TRAP_MEMORY_OUT_OF_BOUNDS;
    if (count > 0)
        memcpy(target, segment->bytes + from, count);
    return GVM_TRAP_NONE;
}
