/*
 * Listing keys in order over all shards: see listing.h.
 *
 * Keys are copied into pages. A page belongs to one shard; when its keys are
 * used up, the next page of that shard begins after its last key. All pages
 * stay until the record lets go of them, since the entries point into them.
 */
#include "state/listing.h"

#include "state/operation.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Bounds on the keys of one page, and so on the time under a shard's lock. */
#define PAGE_ENTRIES_MIN 4
#define PAGE_ENTRIES_MAX 64

/* Room for one longest key, and this much for each further one. */
#define PAGE_KEY_BYTES 48

struct page {
    struct page *next; /* of the listing, in no order */
    size_t count;
    size_t used; /* entries that have been handed out */
    bool is_last;
    size_t free_bytes;
    uint8_t *free_at;
    struct state_entry entries[];
};

/* What the record owns; the entries follow. */
struct listing {
    struct page *pages;
    struct state_entry entries[];
};

/* What does not change while a listing runs. */
struct merge {
    struct state__shard *shards;
    const struct state__namespace *namespace_;
    struct state_operation *operation;
    struct listing *listing;
    size_t page_entries;
};

static void
release_listing(void *owned)
{
    struct listing *listing = owned;

    while (listing->pages != NULL) {
        struct page *page = listing->pages;

        listing->pages = page->next;
        free(page);
    }
    free(listing);
}

static struct page *
create_page(size_t entry_count)
{
    size_t key_bytes = STATE_KEY_BYTES_MAX + PAGE_KEY_BYTES * entry_count;
    size_t entry_bytes = entry_count * sizeof(struct state_entry);
    struct page *page = malloc(sizeof *page + entry_bytes + key_bytes);

    if (page == NULL)
        return NULL;
    *page = (struct page){.free_bytes = key_bytes};
    page->free_at = (uint8_t *)page->entries + entry_bytes;
    return page;
}

/* Whether the item is in the listing's namespace and has its prefix. */
static bool
is_wanted(const struct merge *merge, const struct state__item *item)
{
    struct state_bytes prefix = merge->operation->prefix;

    return item->namespace_index == merge->namespace_->index &&
           item->key_length >= prefix.length_bytes &&
           (prefix.length_bytes == 0 ||
            memcmp(item->bytes, prefix.bytes, prefix.length_bytes) == 0);
}

static void
add_entry(struct page *page, const struct state__item *item)
{
    memcpy(page->free_at, item->bytes, item->key_length);
    page->entries[page->count++] = (struct state_entry){
        .key = {page->free_at, item->key_length},
        .version = item->version,
        .size_bytes = item->value_length,
    };
    page->free_at += item->key_length;
    page->free_bytes -= item->key_length;
}

/*
 * Copies the keys of a shard from `from` on: it itself too if `inclusive`.
 * Items that have expired since the sweep just before are passed over.
 */
static void
fill_page(const struct merge *merge, struct state__shard *shard,
          struct page *page, struct state_bytes from, bool inclusive)
{
    const struct state__namespace *namespace_ = merge->namespace_;
    struct state__item *item;

    state__shard_lock(shard);
    item = state__tree_after(shard->root, namespace_->index, from, inclusive);
    while (item != NULL && is_wanted(merge, item)) {
        if (!state__shard_is_expired(shard, item)) {
            if (page->count == merge->page_entries ||
                page->free_bytes < item->key_length)
                break;
            add_entry(page, item);
        }
        item = state__tree_after(shard->root, namespace_->index,
                                 state__item_key(item), false);
    }
    page->is_last = item == NULL || !is_wanted(merge, item);
    state__shard_unlock(shard);
}

/* The page of a shard that begins at `from`; null without memory. */
static struct page *
next_page(const struct merge *merge, unsigned shard, struct state_bytes from,
          bool inclusive)
{
    struct page *page = create_page(merge->page_entries);

    if (page == NULL)
        return NULL;
    page->next = merge->listing->pages;
    merge->listing->pages = page;
    state__shard_sweep(&merge->shards[shard]);
    fill_page(merge, &merge->shards[shard], page, from, inclusive);
    return page;
}

/* The first pages: from the cursor, or from the prefix if that is later. */
static enum state_status
first_pages(const struct merge *merge, unsigned shard_count,
            struct page **heads)
{
    struct state_bytes from = merge->operation->cursor;
    struct state_bytes prefix = merge->operation->prefix;
    size_t common = from.length_bytes < prefix.length_bytes
                        ? from.length_bytes
                        : prefix.length_bytes;
    int order = common > 0 ? memcmp(from.bytes, prefix.bytes, common) : 0;
    bool inclusive = from.length_bytes == 0;

    if (order < 0 || (order == 0 && from.length_bytes < prefix.length_bytes)) {
        from = prefix;
        inclusive = true;
    }
    for (unsigned i = 0; i < shard_count; i++) {
        heads[i] = next_page(merge, i, from, inclusive);
        if (heads[i] == NULL)
            return STATE_NO_MEMORY;
    }
    return STATE_OK;
}

static const struct state_entry *
head_entry(const struct page *head)
{
    return head->used < head->count ? &head->entries[head->used] : NULL;
}

static bool
is_less(struct state_bytes a, struct state_bytes b)
{
    size_t length =
        a.length_bytes < b.length_bytes ? a.length_bytes : b.length_bytes;
    int order = memcmp(a.bytes, b.bytes, length);

    return order < 0 || (order == 0 && a.length_bytes < b.length_bytes);
}

/* The page with the smallest next key, or null when all are used up. */
static struct page **
smallest_head(struct page **heads, unsigned shard_count)
{
    struct page **smallest = NULL;

    for (unsigned i = 0; i < shard_count; i++) {
        const struct state_entry *entry = head_entry(heads[i]);

        if (entry != NULL &&
            (smallest == NULL ||
             is_less(entry->key, head_entry(*smallest)->key)))
            smallest = &heads[i];
    }
    return smallest;
}

/* Moves entries from the pages to the record until it has enough. */
static enum state_status
merge_pages(const struct merge *merge, unsigned shard_count,
            struct page **heads, size_t limit)
{
    struct state_operation *operation = merge->operation;
    struct state_entry *entries = merge->listing->entries;
    size_t count = 0;
    struct page **smallest;

    while ((smallest = smallest_head(heads, shard_count)) != NULL) {
        struct page *page = *smallest;

        if (count == limit)
            break;
        entries[count++] = page->entries[page->used++];
        if (page->used == page->count && !page->is_last) {
            *smallest = next_page(merge, (unsigned)(smallest - heads),
                                  entries[count - 1].key, false);
            if (*smallest == NULL)
                return STATE_NO_MEMORY;
        }
    }
    operation->entries = entries;
    operation->entry_count = count;
    operation->more = smallest != NULL;
    if (count > 0)
        operation->cursor_next = entries[count - 1].key;
    return STATE_OK;
}

enum state_status
state__listing_run(struct state__shard *shards, unsigned shard_count,
                   const struct state__namespace *namespace_,
                   struct state_operation *operation)
{
    struct page *heads[STATE_SHARDS_MAX];
    struct merge merge = {
        .shards = shards,
        .namespace_ = namespace_,
        .operation = operation,
    };
    size_t limit = operation->limit_count;
    enum state_status status;

    assert(shard_count <= STATE_SHARDS_MAX);
    if (limit == 0)
        limit = STATE_LIST_ITEMS_DEFAULT;
    /* A fair share of the keys and some more: mostly one page will do. */
    merge.page_entries = limit / shard_count * 5 / 4 + PAGE_ENTRIES_MIN;
    if (merge.page_entries > PAGE_ENTRIES_MAX)
        merge.page_entries = PAGE_ENTRIES_MAX;
    merge.listing =
        malloc(sizeof *merge.listing + limit * sizeof(struct state_entry));
    if (merge.listing == NULL)
        return state__operation_end(operation, STATE_NO_MEMORY);
    merge.listing->pages = NULL;
    status = first_pages(&merge, shard_count, heads);
    if (status == STATE_OK)
        status = merge_pages(&merge, shard_count, heads, limit);
    if (status == STATE_OK) {
        operation->private_.owned = merge.listing;
        operation->private_.release = release_listing;
    } else {
        release_listing(merge.listing);
    }
    return state__operation_end(operation, status);
}
