/*
 * Whether a directory can be opened: see lmdb_check.h.
 *
 * A file has two meta pages; the one with the later transaction counts. It
 * has the roots of two trees: the free pages, by the transaction that freed
 * them, and the main one, whose values are the roots of further trees. A
 * tree's pages are branches, which have keys and pages, and leaves, which
 * have keys and values; a long value lies on pages of its own. Visited is
 *
 *   - that a page is one, of the kind and at the depth where it should be,
 *     and belongs to one place only;
 *   - that all that it says to hold lies within it;
 *   - that keys are in order, across pages too;
 *   - that no page is both free and in use.
 */
#include "state/lmdb_check.h"

#include "state/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC         0xbeefc0deu
#define FORMAT        1u
#define NO_PAGE       UINT64_MAX
#define DEPTH_MAX     32 /* of LMDB's cursors */
#define KEY_BYTES_MAX 511
#define PAGE_HEAD     16
#define NODE_HEAD     8

enum page_kind {
    PAGE_BRANCH = 0x01,
    PAGE_LEAF = 0x02,
    PAGE_OVERFLOW = 0x04,
    PAGE_META = 0x08,
    PAGE_KINDS = 0x6f, /* with those of duplicates, which we have not */
};

enum node_flag {
    NODE_BIG = 0x01,  /* the value is on pages of its own */
    NODE_TREE = 0x02, /* the value is a tree */
};

/* A tree, as it stands in a meta page or as a value. */
struct tree {
    uint32_t page_bytes; /* in the first tree of a meta page */
    uint16_t flags;
    uint16_t depth;
    uint64_t branch_count;
    uint64_t leaf_count;
    uint64_t overflow_count;
    uint64_t entry_count;
    uint64_t root;
};

struct meta {
    uint32_t magic;
    uint32_t format;
    uint64_t address;
    uint64_t map_bytes;
    struct tree free;
    struct tree main;
    uint64_t last_page;
    uint64_t transaction;
};

struct page_head {
    uint64_t number;
    uint16_t pad;
    uint16_t flags;
    union {
        struct {
            uint16_t lower; /* the end of the nodes' places, */
            uint16_t upper; /* the begin of the nodes */
        };
        uint32_t page_count; /* of an overflow */
    };
};

struct node {
    uint16_t low;
    uint16_t high;
    uint16_t flags;
    uint16_t key_length;
};

enum tree_kind { TREE_FREE, TREE_MAIN, TREE_VALUES };

struct walk {
    const uint8_t *bytes;
    uint64_t page_bytes;
    uint64_t page_count; /* in the file */
    uint64_t last_page;  /* that LMDB has given out, in the file or not */
    uint8_t *seen;       /* a bit for each page of the file */
    struct state_error *err;
};

/* A tree being visited, and how far. */
struct visit {
    struct walk *walk;
    enum tree_kind kind;
    unsigned depth;
    struct state_bytes last_key; /* of the leaves so far */
    struct state_bytes bound;    /* what the next one is not below */
};

static bool
damaged(const struct walk *walk, const char *what, uint64_t page)
{
    state__error_set(walk->err, STATE_BACKEND,
                     "data.mdb is damaged: %s (page %llu)", what,
                     (unsigned long long)page);
    return false;
}

/* Marks pages as in use, or free; false if one is already marked. */
static bool
mark(struct walk *walk, uint64_t first, uint64_t count)
{
    for (uint64_t page = first; page < first + count; page++) {
        uint8_t bit = (uint8_t)(1u << (page % 8));

        if (walk->seen[page / 8] & bit)
            return damaged(walk, "a page has two uses", page);
        walk->seen[page / 8] |= bit;
    }
    return true;
}

/* A page, if it is in the file and of that kind; null otherwise. */
static const uint8_t *
open_page(struct walk *walk, uint64_t number, unsigned kind,
          struct page_head *head)
{
    const uint8_t *page;

    if (number < 2 || number > walk->last_page || number >= walk->page_count) {
        damaged(walk, "a page that is not there", number);
        return NULL;
    }
    page = walk->bytes + number * walk->page_bytes;
    memcpy(head, page, sizeof *head);
    if (head->number != number || (head->flags & PAGE_KINDS) != kind) {
        damaged(walk, "not the page that should be there", number);
        return NULL;
    }
    return page;
}

/* The bytes of a long value. */
static bool
open_overflow(struct walk *walk, uint64_t number, uint64_t length,
              const uint8_t **value)
{
    struct page_head head;
    const uint8_t *page = open_page(walk, number, PAGE_OVERFLOW, &head);
    uint64_t count = (PAGE_HEAD + length + walk->page_bytes - 1) /
                     walk->page_bytes;

    if (page == NULL)
        return false;
    if (head.page_count < count || head.page_count > walk->page_count ||
        number + head.page_count > walk->page_count ||
        number + head.page_count - 1 > walk->last_page)
        return damaged(walk, "a long value that is cut off", number);
    *value = page + PAGE_HEAD;
    return mark(walk, number, head.page_count);
}

static int
compare(const struct visit *visit, struct state_bytes a, struct state_bytes b)
{
    size_t length = a.length_bytes < b.length_bytes ? a.length_bytes
                                                    : b.length_bytes;
    uint64_t number_a, number_b;
    int order;

    if (visit->kind == TREE_FREE) {
        memcpy(&number_a, a.bytes, sizeof number_a);
        memcpy(&number_b, b.bytes, sizeof number_b);
        return (number_a > number_b) - (number_a < number_b);
    }
    order = memcmp(a.bytes, b.bytes, length);
    if (order != 0)
        return order;
    return (a.length_bytes > b.length_bytes) -
           (a.length_bytes < b.length_bytes);
}

/* The free pages of a transaction, the last ones first. */
static bool
visit_free_pages(struct walk *walk, const uint8_t *value, uint64_t length,
                 uint64_t page)
{
    uint64_t count, number, before = NO_PAGE;

    if (length < 8 || length % 8 != 0)
        return damaged(walk, "a list of free pages", page);
    memcpy(&count, value, sizeof count);
    if (count > length / 8 - 1)
        return damaged(walk, "a list of free pages", page);
    for (uint64_t i = 1; i <= count; i++) {
        memcpy(&number, value + i * 8, sizeof number);
        if (number < 2 || number > walk->last_page || number >= before)
            return damaged(walk, "a list of free pages", page);
        before = number;
        /* One that was never written may lie behind the file's end. */
        if (number < walk->page_count && !mark(walk, number, 1))
            return false;
    }
    return true;
}

static bool
visit_tree(struct walk *walk, const struct tree *tree, enum tree_kind kind);

/* What a leaf has for a key. */
static bool
visit_value(struct visit *visit, const struct node *node, const uint8_t *value,
            uint64_t length, uint64_t page)
{
    struct walk *walk = visit->walk;
    struct tree tree;
    uint64_t number;

    if (node->flags & NODE_BIG) {
        memcpy(&number, value, sizeof number);
        if (!open_overflow(walk, number, length, &value))
            return false;
    }
    if (visit->kind == TREE_FREE)
        return visit_free_pages(walk, value, length, page);
    if (visit->kind == TREE_VALUES && node->flags & NODE_TREE)
        return damaged(walk, "a tree among values", page);
    if (visit->kind != TREE_MAIN || !(node->flags & NODE_TREE))
        return true;
    if (length != sizeof tree)
        return damaged(walk, "a tree's root", page);
    memcpy(&tree, value, sizeof tree);
    return visit_tree(walk, &tree, TREE_VALUES);
}

/*
 * A node at a place of the page, with its key, if it lies within. `size` is
 * what follows the key within the page.
 */
static bool
open_node(const struct visit *visit, const uint8_t *page, unsigned index,
          struct node *node, struct state_bytes *key)
{
    struct walk *walk = visit->walk;
    struct page_head head;
    uint64_t length;
    uint16_t place;

    memcpy(&head, page, sizeof head);
    memcpy(&place, page + PAGE_HEAD + index * 2, sizeof place);
    if (place < head.upper || place % 2 != 0 ||
        place + (uint64_t)NODE_HEAD > walk->page_bytes)
        return damaged(walk, "a node outside its page", head.number);
    memcpy(node, page + place, sizeof *node);
    length = node->key_length;
    if (head.flags & PAGE_LEAF) {
        if (node->flags & ~(NODE_BIG | NODE_TREE) || length == 0)
            return damaged(walk, "a node of no kind", head.number);
        length += node->flags & NODE_BIG
                      ? 8
                      : (uint64_t)(node->low | (uint32_t)node->high << 16);
    }
    if (node->key_length > KEY_BYTES_MAX ||
        (visit->kind == TREE_FREE && node->key_length != 8 &&
         (node->key_length != 0 || head.flags & PAGE_LEAF)) ||
        place + NODE_HEAD + length > walk->page_bytes)
        return damaged(walk, "a node past its page", head.number);
    *key = (struct state_bytes){page + place + NODE_HEAD, node->key_length};
    return true;
}

static bool
visit_leaf(struct visit *visit, const uint8_t *page, uint64_t number,
           unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct state_bytes key;
        struct node node;

        if (!open_node(visit, page, i, &node, &key))
            return false;
        if ((visit->last_key.bytes != NULL &&
             compare(visit, visit->last_key, key) >= 0) ||
            (visit->bound.bytes != NULL &&
             compare(visit, visit->bound, key) > 0))
            return damaged(visit->walk, "keys out of order", number);
        visit->last_key = key;
        visit->bound.bytes = NULL;
        if (!visit_value(visit, &node,
                         (const uint8_t *)key.bytes + key.length_bytes,
                         node.low | (uint32_t)node.high << 16, number))
            return false;
    }
    return true;
}

static bool visit_page(struct visit *visit, uint64_t number, unsigned level);

static bool
visit_branch(struct visit *visit, const uint8_t *page, uint64_t number,
             unsigned level, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct state_bytes key;
        struct node node;

        if (!open_node(visit, page, i, &node, &key))
            return false;
        /* The first key of a branch stands for all that are below. */
        if (i > 0 && (key.length_bytes == 0 ||
                      compare(visit, visit->last_key, key) >= 0))
            return damaged(visit->walk, "keys out of order", number);
        if (i > 0)
            visit->bound = key;
        if (!visit_page(visit,
                        node.low | (uint64_t)node.high << 16 |
                            (uint64_t)node.flags << 32,
                        level + 1))
            return false;
    }
    return true;
}

/* Recursion is as deep as the tree, which is bounded. */
static bool
visit_page(struct visit *visit, uint64_t number, unsigned level)
{
    struct walk *walk = visit->walk;
    bool is_leaf = level == visit->depth;
    struct page_head head;
    const uint8_t *page;
    unsigned count;

    page = open_page(walk, number, is_leaf ? PAGE_LEAF : PAGE_BRANCH, &head);
    if (page == NULL || !mark(walk, number, 1))
        return false;
    if (head.lower < PAGE_HEAD || head.lower % 2 != 0 ||
        head.lower > head.upper || head.upper > walk->page_bytes)
        return damaged(walk, "a page's bounds", number);
    count = (head.lower - PAGE_HEAD) / 2u;
    if (count < (is_leaf ? 1 : 2))
        return damaged(walk, "a page with too little", number);
    if (is_leaf)
        return visit_leaf(visit, page, number, count);
    return visit_branch(visit, page, number, level, count);
}

static bool
visit_tree(struct walk *walk, const struct tree *tree, enum tree_kind kind)
{
    struct visit visit = {.walk = walk, .kind = kind, .depth = tree->depth};

    if (tree->root == NO_PAGE)
        return tree->depth == 0 ||
               damaged(walk, "a tree without a root", tree->root);
    /* The free pages' has the flag for numbers as keys, and the file's. */
    if (kind == TREE_FREE ? !(tree->flags & 0x08) : tree->flags != 0)
        return damaged(walk, "a tree of no known kind", tree->root);
    if (tree->depth == 0 || tree->depth > DEPTH_MAX)
        return damaged(walk, "a tree's depth", tree->root);
    return visit_page(&visit, tree->root, 1);
}

/* The meta page that counts, if both are what they should be. */
static bool
choose_meta(const uint8_t *bytes, uint64_t length, struct meta *chosen,
            struct state_error *err)
{
    long page_bytes = sysconf(_SC_PAGESIZE);
    struct page_head head;
    struct meta metas[2];

    if (length < sizeof(struct meta) + PAGE_HEAD) {
        state__error_set(err, STATE_BACKEND, "data.mdb is cut off");
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (length < (uint64_t)page_bytes * (i + 1)) {
            state__error_set(err, STATE_BACKEND, "data.mdb is cut off");
            return false;
        }
        memcpy(&head, bytes + i * (size_t)page_bytes, sizeof head);
        memcpy(&metas[i], bytes + i * (size_t)page_bytes + PAGE_HEAD,
               sizeof metas[i]);
        if (metas[i].magic != MAGIC || metas[i].format != FORMAT ||
            (head.flags & PAGE_KINDS) != PAGE_META ||
            metas[i].free.page_bytes != page_bytes) {
            state__error_set(err, STATE_BACKEND,
                             "data.mdb is damaged, or not LMDB's, or of "
                             "another machine");
            return false;
        }
    }
    *chosen = metas[metas[1].transaction > metas[0].transaction];
    return true;
}

enum state_status
state__lmdb_check_bytes(const uint8_t *bytes, uint64_t length_bytes,
                        struct state_error *err)
{
    struct walk walk = {.bytes = bytes, .err = err};
    struct meta meta;
    bool is_sound;

    if (!choose_meta(bytes, length_bytes, &meta, err))
        return STATE_BACKEND;
    walk.page_bytes = meta.free.page_bytes;
    walk.page_count = length_bytes / walk.page_bytes;
    walk.last_page = meta.last_page;
    if (meta.last_page < 1 || meta.last_page > UINT64_MAX / 65536) {
        damaged(&walk, "the number of pages", meta.last_page);
        return STATE_BACKEND;
    }
    walk.seen = calloc(walk.page_count / 8 + 1, 1);
    if (walk.seen == NULL)
        return state__error_set(err, STATE_NO_MEMORY, "out of memory");
    is_sound = visit_tree(&walk, &meta.main, TREE_MAIN) &&
               visit_tree(&walk, &meta.free, TREE_FREE);
    free(walk.seen);
    return is_sound ? STATE_OK : STATE_BACKEND;
}

/* Whether nothing lies in the directory but what may lie in a new one. */
static bool
is_new(int directory)
{
    static const char *const names[] = {".", "..", "lock.mdb", "data.mdb",
                                        "lost+found"};
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
    const struct dirent *entry;
    bool has_others = stream == NULL;

    if (stream == NULL && copy >= 0)
        close(copy);
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        bool is_known = false;

        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            is_known |= strcmp(entry->d_name, names[i]) == 0;
        has_others |= !is_known;
    }
    if (stream != NULL)
        closedir(stream);
    return !has_others;
}

static enum state_status
check_file(int file, uint64_t length_bytes, struct state_error *err)
{
    enum state_status status;
    void *bytes = mmap(NULL, length_bytes, PROT_READ, MAP_SHARED, file, 0);

    if (bytes == MAP_FAILED)
        return state__error_set(err, STATE_SYSTEM, "data.mdb: %s",
                                strerror(errno));
    status = state__lmdb_check_bytes(bytes, length_bytes, err);
    munmap(bytes, length_bytes);
    return status;
}

enum state_status
state__lmdb_check(int directory, uint64_t *file_bytes, struct state_error *err)
{
    int file = openat(directory, "data.mdb", O_RDONLY | O_CLOEXEC);
    enum state_status status = STATE_OK;
    struct stat stat = {0};

    if (file < 0 && errno != ENOENT)
        return state__error_set(err, STATE_SYSTEM, "data.mdb: %s",
                                strerror(errno));
    if (file >= 0 && (fstat(file, &stat) != 0 || !S_ISREG(stat.st_mode)))
        status = state__error_set(err, STATE_BACKEND, "data.mdb is not a file");
    else if (stat.st_size > 0)
        status = check_file(file, (uint64_t)stat.st_size, err);
    else if (!is_new(directory))
        status = state__error_set(err, STATE_BACKEND,
                                  "the directory has other files, and no "
                                  "data.mdb");
    if (file >= 0)
        close(file);
    if (status == STATE_OK)
        *file_bytes = (uint64_t)stat.st_size;
    return status;
}
