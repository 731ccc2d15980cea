/*
 * pages.h - which pages of a mapping are private copies.
 *
 * A page that a snapshot's image or the kernel's zeroes still stand for costs
 * nothing to keep and nothing to reset. A page that was written has become a
 * copy of the mapping's own, and stays one until it is given back. So dirt is
 * found by two questions to the kernel: did this thread fault at all since
 * the last time (getrusage), and if so, which pages are copies now
 * (/proc/self/pagemap). docs/snapshots.md has the measurements.
 */
#ifndef GLASS_VM_PAGES_H
#define GLASS_VM_PAGES_H

#include "vm/vm.h"

/* Pages of the system, counted from a mapping's start. */
struct gvm__page_run {
    uint32_t first;
    uint32_t count;
};

/* Ascending runs with gaps between them. All zero: none. */
struct gvm__page_list {
    struct gvm__page_run *runs;
    uint32_t run_count;
    uint32_t run_capacity;
    uint64_t page_count;
};

/* Bytes of a page of the system. */
uint64_t gvm__pages_size(void);

/* /proc/self/pagemap, or -1 where there is none. Belongs to the process that
 * opened it: a child that was forked has to open its own. */
int gvm__pages_open(void);

/*
 * Replaces `list` by the private copies among the pages of `length_bytes`
 * bytes at `base`, both multiples of a page. Pages that were swapped out are
 * copies too. Where the kernel does not tell (`pagemap` is -1), it is all of
 * them. After GVM_NO_MEMORY the list is good for nothing but deinit.
 */
enum gvm_status gvm__pages_find(int pagemap, const uint8_t *base,
                                uint64_t length_bytes,
                                struct gvm__page_list *list);

/* One more run, behind the others; may extend the last. */
enum gvm_status gvm__pages_append(struct gvm__page_list *list,
                                  uint64_t first, uint64_t count);
void gvm__pages_deinit(struct gvm__page_list *list);

/*
 * Faults of the calling thread since it began. The first write to a page
 * that is no copy yet is always one, also when the kernel writes there on
 * behalf of the thread.
 */
uint64_t gvm__pages_faults(void);

#endif
