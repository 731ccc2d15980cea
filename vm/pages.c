/*
 * pages.c - asking the kernel which pages are private copies.
 *
 * PAGEMAP_SCAN (Linux 6.7) skips what was never touched, page tables at a
 * time, and answers in runs. Before that there is only the file: eight bytes
 * a page, touched or not. Both tell the same, and where neither can be asked
 * every page counts as a copy: slow, and still right.
 *
 * No state is kept here; any thread may call.
 */
#define _GNU_SOURCE 1 /* RUSAGE_THREAD */

#include "vm/pages.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* From linux/fs.h, which may be older than the kernel. */
struct scan_region {
    uint64_t start, end, categories;
};
struct scan {
    uint64_t size, flags, start, end, walk_end;
    uint64_t regions, region_count, pages_max;
    uint64_t category_inverted, category_mask, category_anyof_mask;
    uint64_t return_mask;
};
#define SCAN_IOCTL    _IOWR('f', 16, struct scan)
#define SCAN_FILE     (1u << 2)
#define SCAN_PRESENT  (1u << 3)
#define SCAN_SWAPPED  (1u << 4)
#define SCAN_ZERO_PFN (1u << 5)

/* What one question is answered with, at most. */
#define REGIONS_MAX 64
#define ENTRIES_MAX 512

/* Bits of an entry of the file. */
#define ENTRY_PRESENT (1ull << 63)
#define ENTRY_SWAPPED (1ull << 62)
#define ENTRY_FILE    (1ull << 61)

#define RUNS_MIN 8u

uint64_t
gvm__pages_size(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

int
gvm__pages_open(void)
{
    return open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

enum gvm_status
gvm__pages_append(struct gvm__page_list *list, uint64_t first, uint64_t count)
{
    struct gvm__page_run *last;

    if (count == 0)
        return GVM_OK;
    last = list->run_count > 0 ? &list->runs[list->run_count - 1] : NULL;
    list->page_count += count;
    if (last != NULL && (uint64_t)last->first + last->count == first) {
        last->count += (uint32_t)count;
        return GVM_OK;
    }
    if (list->run_count == list->run_capacity) {
        uint32_t capacity = list->run_capacity * 2 + RUNS_MIN;
        struct gvm__page_run *runs =
            realloc(list->runs, capacity * sizeof(*runs));

        if (runs == NULL) {
            list->page_count -= count;
            return GVM_NO_MEMORY;
        }
        list->runs = runs;
        list->run_capacity = capacity;
    }
    list->runs[list->run_count++] =
        (struct gvm__page_run){(uint32_t)first, (uint32_t)count};
    return GVM_OK;
}

void
gvm__pages_deinit(struct gvm__page_list *list)
{
    free(list->runs);
    *list = (struct gvm__page_list){0};
}

/* By the ioctl. `*known` becomes false when the kernel has none. */
static enum gvm_status
find_by_scan(int pagemap, const uint8_t *base, uint64_t length_bytes,
             struct gvm__page_list *list, bool *known)
{
    uint64_t page_bytes = gvm__pages_size();
    struct scan_region regions[REGIONS_MAX];
    struct scan scan = {
        .size = sizeof(scan),
        .start = (uint64_t)(uintptr_t)base,
        .end = (uint64_t)(uintptr_t)base + length_bytes,
        .regions = (uint64_t)(uintptr_t)regions,
        .region_count = REGIONS_MAX,
        /* Neither a file's page nor the zeroes that stand for untouched
         * ones, and there, in memory or swapped out. */
        .category_inverted = SCAN_FILE | SCAN_ZERO_PFN,
        .category_mask = SCAN_FILE | SCAN_ZERO_PFN,
        .category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
        .return_mask = SCAN_PRESENT,
    };

    while (scan.start < scan.end) {
        int count = ioctl(pagemap, SCAN_IOCTL, &scan);
        int i;

        if (count < 0) {
            *known = false;
            return GVM_OK;
        }
        for (i = 0; i < count; i++) {
            uint64_t offset =
                regions[i].start - (uint64_t)(uintptr_t)base;

            if (gvm__pages_append(list, offset / page_bytes,
                                  (regions[i].end - regions[i].start) /
                                      page_bytes) != GVM_OK)
                return GVM_NO_MEMORY;
        }
        scan.start = scan.walk_end;
    }
    return GVM_OK;
}

/*
 * By reading the file. It does not tell the kernel's zeroes from a copy, so
 * pages that were only read count as copies here.
 */
static enum gvm_status
find_by_reading(int pagemap, const uint8_t *base, uint64_t length_bytes,
                struct gvm__page_list *list, bool *known)
{
    uint64_t page_bytes = gvm__pages_size();
    uint64_t base_page = (uint64_t)(uintptr_t)base / page_bytes;
    uint64_t page_count = length_bytes / page_bytes;
    uint64_t entries[ENTRIES_MAX];
    uint64_t page, i, count;

    for (page = 0; page < page_count; page += count) {
        count = page_count - page;
        if (count > ENTRIES_MAX)
            count = ENTRIES_MAX;
        if (pread(pagemap, entries, count * sizeof(entries[0]),
                  (off_t)((base_page + page) * sizeof(entries[0]))) !=
            (ssize_t)(count * sizeof(entries[0]))) {
            *known = false;
            return GVM_OK;
        }
        for (i = 0; i < count; i++) {
            if ((entries[i] & (ENTRY_PRESENT | ENTRY_SWAPPED)) == 0 ||
                (entries[i] & ENTRY_FILE) != 0)
                continue;
            if (gvm__pages_append(list, page + i, 1) != GVM_OK)
                return GVM_NO_MEMORY;
        }
    }
    return GVM_OK;
}

static void
clear(struct gvm__page_list *list)
{
    list->run_count = 0;
    list->page_count = 0;
}

enum gvm_status
gvm__pages_find(int pagemap, const uint8_t *base, uint64_t length_bytes,
                struct gvm__page_list *list)
{
    enum gvm_status status;
    bool known = pagemap >= 0;

    clear(list);
    if (known) {
        status = find_by_scan(pagemap, base, length_bytes, list, &known);
        if (known)
            return status;
        known = true;
        clear(list);
        status = find_by_reading(pagemap, base, length_bytes, list, &known);
        if (known)
            return status;
        clear(list);
    }
    return gvm__pages_append(list, 0, length_bytes / gvm__pages_size());
}

uint64_t
gvm__pages_faults(void)
{
    struct rusage usage = {0};

    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
}
