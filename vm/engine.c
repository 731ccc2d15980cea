/*
 * engine.c - what modules and stores share: options, type identities, and
 * what images need (image.h).
 *
 * Function types are interned: equal types of one engine have one number,
 * so that call_indirect and import matching compare numbers. The table is
 * chained by a hash whose key is secret, a polynomial over the prime field
 * of 2^61 - 1 at a random point: for any two different types of n bytes the
 * probability of a collision is n / 2^61, whoever made the types.
 *
 * Any thread may call what is here; one lock guards the table.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "vm/guard.h"
#include "vm/image.h"

#define HASH_PRIME ((1ull << 61) - 1)
#define NO_ENTRY UINT32_MAX
#define ENTRIES_MIN 16u

/* A type; its number is its index. Free entries are chained by `next`. */
struct entry {
    uint8_t *types; /* parameters, then results; never NULL when in use */
    uint64_t hash;
    uint32_t parameter_count;
    uint32_t result_count;
    uint64_t reference_count; /* 0: free */
    uint32_t next;
};

struct gvm_engine {
    enum gvm_bounds bounds;
    uint32_t techniques; /* bits of enum gvm_technique that are on */
    uint64_t hash_key;
    struct gvm__image_store images;
    pthread_mutex_t lock;
    struct entry *entries;
    uint32_t *buckets;   /* first entry or NO_ENTRY; as many as entries */
    uint32_t entry_size; /* a power of two or 0 */
    uint32_t free_entry;
};

/* ---- Engines --------------------------------------------------------- */

/* A point of the field other than zero. */
static uint64_t
random_key(void)
{
    uint64_t key;

    if (getrandom(&key, sizeof(key), GRND_NONBLOCK) !=
        (ssize_t)sizeof(key)) {
        struct timespec now;

        /* Early at boot: weaker, yet not known to whoever made a module. */
        clock_gettime(CLOCK_MONOTONIC, &now);
        key = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^
              (uint64_t)(uintptr_t)&now;
    }
    return key % (HASH_PRIME - 1) + 1;
}

#define TECHNIQUE_BIT(name, bit, text) | GVM_TECHNIQUE_##name
static const uint32_t all_techniques = 0 GVM_TECHNIQUE_MAP(TECHNIQUE_BIT);
#undef TECHNIQUE_BIT

enum gvm_status
gvm_engine_create(const struct gvm_engine_options *options,
                  struct gvm_engine **engine)
{
    struct gvm_engine *created;
    enum gvm_bounds bounds =
        options != NULL ? options->bounds : GVM_BOUNDS_EXPLICIT;
    uint32_t off = options != NULL ? options->techniques_off : 0;

    if ((off & ~all_techniques) != 0) {
        return GVM_BAD_ARGUMENT;
    }
    if (bounds != GVM_BOUNDS_EXPLICIT &&
        !(bounds == GVM_BOUNDS_GUARD && gvm__guard_installed())) {
        return GVM_BAD_ARGUMENT;
    }
    created = calloc(1, sizeof(*created));
    if (created == NULL) {
        return GVM_NO_MEMORY;
    }
    if (pthread_mutex_init(&created->lock, NULL) != 0) {
        free(created);
        return GVM_NO_MEMORY;
    }
    if (!gvm__image_store_init(&created->images)) {
        pthread_mutex_destroy(&created->lock);
        free(created);
        return GVM_NO_MEMORY;
    }
    created->bounds = bounds;
    created->techniques = all_techniques & ~off;
    created->hash_key = random_key();
    created->free_entry = NO_ENTRY;
    *engine = created;
    return GVM_OK;
}

void
gvm_engine_destroy(struct gvm_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    for (uint32_t i = 0; i < engine->entry_size; i++) {
        free(engine->entries[i].types);
    }
    free(engine->entries);
    free(engine->buckets);
    gvm__image_store_deinit(&engine->images);
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

enum gvm_bounds
gvm__engine_bounds(const struct gvm_engine *engine)
{
    return engine->bounds;
}

bool
gvm__engine_uses(const struct gvm_engine *engine,
                 enum gvm_technique technique)
{
    return (engine->techniques & (uint32_t)technique) != 0;
}

struct gvm__image_store *
gvm__engine_images(struct gvm_engine *engine)
{
    return &engine->images;
}

const char *
gvm_version(void)
{
    return GVM_VERSION;
}

/* ---- Types ----------------------------------------------------------- */

/* hash * key + value in the field. As 2^61 is 1 there, what overflows is
 * added at the bottom. */
static uint64_t
hash_step(uint64_t hash, uint64_t key, uint64_t value)
{
    __extension__ unsigned __int128 wide =
        (unsigned __int128)hash * key + value;
    uint64_t folded =
        (uint64_t)(wide & HASH_PRIME) + (uint64_t)(wide >> 61);

    return folded >= HASH_PRIME ? folded - HASH_PRIME : folded;
}

/* The polynomial begins with the number of parameters, so that moving a
 * type from the parameters to the results makes another one. */
static uint64_t
hash_type(const struct gvm_engine *engine, const struct gvm_func_type *type)
{
    uint64_t hash = type->parameter_count + 1;

    for (uint32_t i = 0; i < type->parameter_count; i++) {
        hash = hash_step(hash, engine->hash_key, type->parameters[i]);
    }
    for (uint32_t i = 0; i < type->result_count; i++) {
        hash = hash_step(hash, engine->hash_key, type->results[i]);
    }
    /* Short types would all be small numbers without this step. */
    return hash_step(hash, engine->hash_key, type->result_count + 1);
}

/* Equal hashes are not enough. */
static bool
entry_is(const struct entry *entry, const struct gvm_func_type *type)
{
    return entry->parameter_count == type->parameter_count &&
           entry->result_count == type->result_count &&
           (type->parameter_count == 0 ||
            memcmp(entry->types, type->parameters,
                   type->parameter_count) == 0) &&
           (type->result_count == 0 ||
            memcmp(entry->types + type->parameter_count, type->results,
                   type->result_count) == 0);
}

/* The head of the chain; there are buckets. */
static uint32_t *
bucket_of(struct gvm_engine *engine, uint64_t hash)
{
    return &engine->buckets[hash & (engine->entry_size - 1)];
}

/* Twice the entries and buckets; nothing changes when that fails. */
static enum gvm_status
grow_entries(struct gvm_engine *engine)
{
    uint32_t old_size = engine->entry_size;
    uint32_t size = old_size == 0 ? ENTRIES_MIN : old_size * 2;
    struct entry *entries;
    uint32_t *buckets;

    if (size == 0) {
        return GVM_NO_MEMORY; /* numbers have 32 bits */
    }
    buckets = malloc(size * sizeof(*buckets));
    if (buckets == NULL) {
        return GVM_NO_MEMORY;
    }
    entries = realloc(engine->entries, size * sizeof(*entries));
    if (entries == NULL) {
        free(buckets);
        return GVM_NO_MEMORY;
    }
    memset(entries + old_size, 0, (size - old_size) * sizeof(*entries));
    memset(buckets, 0xff, size * sizeof(*buckets)); /* all NO_ENTRY */
    free(engine->buckets);
    engine->entries = entries;
    engine->buckets = buckets;
    engine->entry_size = size;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t *head = i < old_size ? bucket_of(engine, entries[i].hash)
                                      : &engine->free_entry;

        /* Growing happens when none is free: the old ones are in use. */
        entries[i].next = *head;
        *head = i;
    }
    return GVM_OK;
}

/* Takes a free entry and fills it; the lock is held. */
static enum gvm_status
add_entry(struct gvm_engine *engine, const struct gvm_func_type *type,
          uint64_t hash, uint32_t *id)
{
    size_t types_bytes = (size_t)type->parameter_count + type->result_count;
    uint8_t *types = malloc(types_bytes + 1);
    uint32_t *head;
    struct entry *entry;

    if (types == NULL) {
        return GVM_NO_MEMORY;
    }
    if (engine->free_entry == NO_ENTRY) {
        enum gvm_status status = grow_entries(engine);

        if (status != GVM_OK) {
            free(types);
            return status;
        }
    }
    if (type->parameter_count > 0) {
        memcpy(types, type->parameters, type->parameter_count);
    }
    if (type->result_count > 0) {
        memcpy(types + type->parameter_count, type->results,
               type->result_count);
    }
    *id = engine->free_entry;
    entry = &engine->entries[*id];
    engine->free_entry = entry->next;
    head = bucket_of(engine, hash);
    *entry = (struct entry){
        .types = types,
        .hash = hash,
        .parameter_count = type->parameter_count,
        .result_count = type->result_count,
        .reference_count = 1,
        .next = *head,
    };
    *head = *id;
    return GVM_OK;
}

enum gvm_status
gvm__engine_type_acquire(struct gvm_engine *engine,
                         const struct gvm_func_type *type, uint32_t *id)
{
    uint64_t hash = hash_type(engine, type);
    enum gvm_status status = GVM_OK;
    uint32_t found = NO_ENTRY;

    pthread_mutex_lock(&engine->lock);
    if (engine->entry_size > 0) {
        found = *bucket_of(engine, hash);
    }
    while (found != NO_ENTRY && !(engine->entries[found].hash == hash &&
                                  entry_is(&engine->entries[found], type))) {
        found = engine->entries[found].next;
    }
    /* A count of 64 bits cannot be made to wrap around by loading. */
    if (found != NO_ENTRY) {
        engine->entries[found].reference_count++;
        *id = found;
    } else {
        status = add_entry(engine, type, hash, id);
    }
    pthread_mutex_unlock(&engine->lock);
    return status;
}

void
gvm__engine_type_release(struct gvm_engine *engine, uint32_t id)
{
    struct entry *entry;

    pthread_mutex_lock(&engine->lock);
    entry = &engine->entries[id];
    if (--entry->reference_count == 0) {
        uint32_t *link = bucket_of(engine, entry->hash);

        while (*link != id) {
            link = &engine->entries[*link].next;
        }
        *link = entry->next;
        free(entry->types);
        entry->types = NULL;
        entry->next = engine->free_entry;
        engine->free_entry = id;
    }
    pthread_mutex_unlock(&engine->lock);
}
