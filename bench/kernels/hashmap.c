/*
 * hashmap.c - strings and a hash map: words are made of syllables, counted in
 * an open-addressing map that grows and owns its keys, removed again with
 * the holes closed, and compared, copied and measured by loops of our own.
 */
#include "kernel.h"

enum {
    TEXT_WORDS = 60000,
    KEYS_BYTES_MAX = 1 << 20,
    SLOTS_MAX = 1 << 16,
    WORD_BYTES_MAX = 32,
};

struct slot {
    uint32_t key; /* where the key begins in `keys`, plus one; 0: empty */
    uint32_t hash;
    uint32_t count;
};

struct map {
    struct slot *slots;
    uint32_t slot_count; /* a power of two */
    uint32_t used;
};

static struct slot storage[2][SLOTS_MAX];
static char keys[KEYS_BYTES_MAX];
static uint32_t keys_bytes;

static uint32_t
hash_of(const char *text)
{
    uint32_t hash = 2166136261u;

    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return hash ^ hash >> 15;
}

static bool
same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* The slot of the key, or the empty one where it belongs. */
static struct slot *
find(const struct map *map, const char *key, uint32_t hash)
{
    uint32_t mask = map->slot_count - 1;

    for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
        struct slot *slot = &map->slots[i];

        if (slot->key == 0 ||
            (slot->hash == hash && same(keys + slot->key - 1, key)))
            return slot;
    }
}

static void
grow(struct map *map)
{
    struct slot *old = map->slots;
    uint32_t old_count = map->slot_count;

    map->slots = old == storage[0] ? storage[1] : storage[0];
    map->slot_count *= 2;
    memset(map->slots, 0, map->slot_count * sizeof *old);
    for (uint32_t i = 0; i < old_count; i++)
        if (old[i].key != 0) {
            uint32_t at = old[i].hash & (map->slot_count - 1);

            while (map->slots[at].key != 0)
                at = (at + 1) & (map->slot_count - 1);
            map->slots[at] = old[i];
        }
}

static void
count_word(struct map *map, const char *word)
{
    uint32_t hash = hash_of(word);
    struct slot *slot = find(map, word, hash);

    if (slot->key == 0) {
        slot->key = keys_bytes + 1;
        slot->hash = hash;
        slot->count = 0;
        do
            keys[keys_bytes++] = *word;
        while (*word++);
        map->used++;
    }
    slot->count++;
    if (map->used * 4 > map->slot_count * 3)
        grow(map);
}

/* Removes a key; what came after it in its run moves up, so that no search
 * ends early. Returns how often it was counted. */
static uint32_t
remove_word(struct map *map, const char *word)
{
    uint32_t mask = map->slot_count - 1;
    struct slot *slot = find(map, word, hash_of(word));
    uint32_t hole = (uint32_t)(slot - map->slots), count = slot->count;

    if (slot->key == 0)
        return 0;
    for (uint32_t i = (hole + 1) & mask; map->slots[i].key != 0;
         i = (i + 1) & mask) {
        uint32_t home = map->slots[i].hash & mask;

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct slot){0};
    map->used--;
    return count;
}

/* One to four syllables; short words come more often. */
static void
make_word(uint64_t *random, char *word)
{
    static const char syllables[][4] = {"ka", "ton", "re", "mi", "sol", "la",
                                        "ti", "ver", "an", "do", "gu", "she",
                                        "po", "lin", "eb", "or"};
    uint32_t left = 1 + kernel_below(random, 4) * kernel_below(random, 4) / 3;

    for (; left > 0; left--)
        for (const char *from = syllables[kernel_below(random, 16)]; *from;)
            *word++ = *from++;
    *word = '\0';
}

int
main(void)
{
    uint64_t sum = 8;

    for (uint32_t round = kernel_opaque(13); round > 0; round--) {
        struct map map = {storage[0], 64, 0};
        uint64_t random = 31 + round;
        char word[WORD_BYTES_MAX];

        keys_bytes = 0;
        memset(storage[0], 0, 64 * sizeof **storage);
        for (uint32_t i = 0; i < TEXT_WORDS; i++) {
            make_word(&random, word);
            count_word(&map, word);
        }
        sum = kernel_mix(sum, (uint64_t)map.used << 32 | keys_bytes);
        for (uint32_t i = 0; i < TEXT_WORDS / 2; i++) {
            make_word(&random, word);
            sum = kernel_mix(sum, remove_word(&map, word));
        }
        sum = kernel_mix(sum, map.used);
    }
    return kernel_report("hashmap", sum);
}
