/*
 * glass/state/state_region.h - values as memory that many share. Part of
 * glass/state.h, which includes it where all that it needs is known, and whose
 * rules hold here.
 *
 * A value that is *mapped* lies in a file in memory, its *region*, whose pages
 * everybody who maps it has in his own addresses: what one stores there the
 * others see at once, and it is the key's value. There are no versions for
 * such stores, nor is anything about them atomic beyond what the processor
 * makes so; whoever needs an order has state_region_wait, or locks.
 *
 * Operations go on as for any key, one after another while it is mapped:
 * reads copy what is there; writes lay their bytes into the region, make the
 * version grow, and what a shorter value leaves over becomes zeros. A value
 * cannot outgrow its region, which is as long as the value was when it was
 * first mapped, in whole pages: that is STATE_TOO_BIG. Batches that are all or
 * nothing neither read nor write it: STATE_UNSUPPORTED. A key that is deleted,
 * expires or is evicted is gone, and so it is when the disk takes a write
 * back; its region stays with those who have it mapped, and has nothing to do
 * with a key that comes to be there later.
 *
 * The end of a use that may have stored something is a write of the value: its
 * version grows, those who watch are told, and a durable namespace gets the
 * bytes. So does a PUT_RANGE of no bytes at any time. In between, what was
 * stored is in memory only.
 */
#ifndef GLASS_STATE_STATE_REGION_H
#define GLASS_STATE_STATE_REGION_H

#ifdef __cplusplus
extern "C" {
#endif

/* A page of a region, in bytes: that of WebAssembly. */
#define STATE_REGION_PAGE_BYTES 65536u

/* A use of a region, or of a part of it, from mapping to unmapping. */
struct state_mapping;

struct state_mapping_options {
    const char *namespace_;
    struct state_bytes key;

    /* A multiple of a page. */
    uint64_t offset_bytes;

    /* Rounded up to pages; zero: as far as the value reaches. */
    uint64_t length_bytes;

    /*
     * Whether the value may be copied into its region now, which takes tens of
     * milliseconds for the longest. That is when it is first mapped after it
     * was put.
     */
    bool may_copy;
};

/*
 * Begins to use the region of a value that is there, and makes it first if it
 * has none. Returns STATE_NOT_FOUND; STATE_PENDING, where nothing has happened
 * and nothing is pending, when more than STATE_REGION_COPY_BYTES would have to
 * be copied and may not be; STATE_INVALID for a part that is empty, does not
 * begin at a page, or reaches behind the value's end; STATE_LIMIT when there
 * are STATE_REGIONS_MAX regions, or STATE_MAPPINGS_MAX uses of this one, or
 * when a value of more than STATE_REGION_COPY_BYTES, or of ever another number
 * of pages, is put anew each time that it has been copied;
 * STATE_NO_MEMORY; STATE_SYSTEM when the system has no file to give; or
 * STATE_UNSUPPORTED on Redis.
 */
enum state_status
state_store_map(struct state_store *store,
                const struct state_mapping_options *options,
                struct state_mapping **mapping);

/*
 * The file, to be mapped (MAP_SHARED) from `offset_bytes` on by whoever has
 * the mapping, before it ends; it does not become shorter.
 */
int
state_mapping_file(const struct state_mapping *mapping);
uint64_t
state_mapping_offset_bytes(const struct state_mapping *mapping);
/* In whole pages. */
uint64_t
state_mapping_length_bytes(const struct state_mapping *mapping);

/*
 * Ends a use, when nobody stores through it any more and before the store is
 * closed. Nobody may wait by it any more. `may_have_written` says that it is
 * a write of the value. Null does nothing.
 */
void
state_mapping_end(struct state_mapping *mapping, bool may_have_written);

/* Somebody who waits: the caller's, zero at first. */
struct state_region_waiter {
    /*
     * Called once, on any thread, when he is woken; not when he leaves. It
     * must not block, nor call anything of this library.
     */
    void (*wake)(struct state_region_waiter *waiter);
    void *data;

    struct {
        uint64_t offset_bytes;
        struct state_region_waiter *next;
        bool is_waiting;
        bool was_woken;
    } private_;
};

/*
 * Waits for a state_region_notify of the aligned 32-bit word at an offset of
 * the mapping, if the word is `expected` (as it lies there: least byte first
 * on all machines that this runs on). Between the look and the wait no notify
 * gets lost. Returns STATE_PENDING; STATE_CONFLICT when the word is another;
 * or STATE_INVALID when it is not aligned, or not inside.
 */
enum state_status
state_region_wait(struct state_mapping *mapping, uint64_t offset_bytes,
                  uint32_t expected, struct state_region_waiter *waiter);

/* Ends the wait, if it has not ended; returns whether he had been woken. */
bool
state_region_leave(struct state_mapping *mapping,
                   struct state_region_waiter *waiter);

/*
 * Wakes those who wait for the word, through whatever mapping, at most
 * `count_max` of them, who came first first; sets how many. STATE_INVALID as
 * above.
 */
enum state_status
state_region_notify(struct state_mapping *mapping, uint64_t offset_bytes,
                    uint32_t count_max, uint32_t *count);

#ifdef __cplusplus
}
#endif

#endif
