/*
 * region.c - a guest that tests the imports state_map, state_unmap,
 * region_wait and region_notify: each export is a test. What happens between
 * two calls is the host's part, in check_host_region.c.
 */
#include "check.h"

#include <string.h>

#define KEY   GLASS_TEXT("key")
#define PAGE  65536
#define LARGE (64 << 20)

#define WASI(name)                                                            \
    __attribute__((import_module("wasi_snapshot_preview1"),                   \
                   import_name(#name))) int32_t                               \
    wasi_##name
WASI(random_get)(void *bytes, size_t length);
WASI(clock_time_get)(int32_t clock, int64_t precision, void *time);
WASI(args_sizes_get)(void *count, void *bytes);
WASI(fd_fdstat_get)(int32_t fd, void *status);
WASI(fd_read)(int32_t fd, const void *ranges, size_t count, void *moved);
WASI(fd_write)(int32_t fd, const void *ranges, size_t count, void *moved);
enum { wasi_ok = 0, wasi_efault = 21 };

static char buffer[64];

/* Maps all of the key, or makes it so long first; NULL: an error. */
static char *
map(int64_t size, enum glass_map_flags flags)
{
    int64_t address = glass_state_map(KEY, 0, size, flags);

    return address > 0 ? (char *)(intptr_t)address : NULL;
}

TEST(the_value_and_the_memory_are_the_same)
{
    size_t pages = __builtin_wasm_memory_size(0);
    char *region = map(100, GLASS_MAP_WRITABLE);

    CHECK(region == (char *)(pages * PAGE));
    CHECK(__builtin_wasm_memory_size(0) == pages + 1);
    CHECK(glass_state_len(KEY) == 100);
    memcpy(region + 10, "stored", 6);
    CHECK(glass_state_get_range(KEY, 10, buffer, 6) == 90);
    CHECK(memcmp(buffer, "stored", 6) == 0);
    CHECK(glass_state_put_range(KEY, 12, GLASS_TEXT("ARE")) == 100);
    CHECK(memcmp(region + 10, "stARE", 5) == 0);
    int64_t version = glass_state_version(KEY);
    CHECK(glass_state_unmap(region) == 0);
    CHECK(glass_state_version(KEY) > version);
    CHECK(region[10] == 0);
    CHECK(glass_state_get_range(KEY, 10, buffer, 6) == 90);
    CHECK(memcmp(buffer, "stAREd", 6) == 0);
    /* The place serves again. */
    for (int i = 0; i < 50; i++) {
        CHECK(map(0, GLASS_MAP_WRITABLE) == region);
        CHECK(region[10] == 's');
        CHECK(glass_state_unmap(region) == 0);
    }
}

TEST(parts_are_mapped)
{
    char *whole = map(3 * PAGE, GLASS_MAP_WRITABLE);
    int64_t part = glass_state_map(KEY, PAGE, 10, GLASS_MAP_WRITABLE);

    CHECK(whole && part > 0);
    whole[PAGE + 5] = 'x';
    CHECK(((char *)(intptr_t)part)[5] == 'x');
    /* What is long enough is not made shorter, nor is it a write. */
    int64_t version = glass_state_version(KEY);
    CHECK(map(PAGE, GLASS_MAP_WRITABLE));
    CHECK(glass_state_version(KEY) == version);
    CHECK(glass_state_len(KEY) == 3 * PAGE);
    /* While it is mapped it cannot be made longer. */
    CHECK(glass_state_map(KEY, 0, 3 * PAGE + 1, GLASS_MAP_WRITABLE) ==
          GLASS_TOO_BIG);
}

TEST(what_makes_no_sense_is_refused)
{
    static char long_key[481];

    CHECK(glass_state_map(KEY, 0, 0, GLASS_MAP_WRITABLE) == GLASS_NOT_FOUND);
    CHECK(glass_state_put(KEY, "", 0, 0, 0) > 0);
    CHECK(glass_state_map(KEY, 0, 0, GLASS_MAP_WRITABLE) == GLASS_INVALID);
    CHECK(glass_state_put(KEY, GLASS_TEXT("0123456789"), 0, 0) > 0);
    CHECK(glass_state_map(KEY, 1, 1, GLASS_MAP_WRITABLE) == GLASS_INVALID);
    CHECK(glass_state_map(KEY, 4096, 1, GLASS_MAP_WRITABLE) ==
          GLASS_INVALID);
    CHECK(glass_state_map(KEY, PAGE, 0, GLASS_MAP_WRITABLE) ==
          GLASS_INVALID);
    CHECK(glass_state_map(KEY, 0, 1, 2) == GLASS_INVALID);
    CHECK(glass_state_map(KEY, 0, 1, -1) == GLASS_INVALID);
    CHECK(glass_state_map("", 0, 0, 1, GLASS_MAP_WRITABLE) == GLASS_INVALID);
    CHECK(glass_state_map(long_key, 481, 0, 1, GLASS_MAP_WRITABLE) ==
          GLASS_TOO_BIG);
    CHECK(glass_state_map(KEY, 0, -1, GLASS_MAP_WRITABLE) == GLASS_TOO_BIG);
    CHECK(glass_state_map(KEY, -PAGE, 1, GLASS_MAP_WRITABLE) ==
          GLASS_TOO_BIG);
    CHECK(glass_state_map(KEY, 0, LARGE + 1, GLASS_MAP_WRITABLE) ==
          GLASS_TOO_BIG);
    CHECK(glass_state_len(KEY) == 10);

    char *region = map(0, GLASS_MAP_WRITABLE);
    CHECK(region);
    CHECK(glass_state_unmap(0) == GLASS_INVALID);
    CHECK(glass_state_unmap(region + 1) == GLASS_INVALID);
    CHECK(glass_state_unmap(region + PAGE) == GLASS_INVALID);
    CHECK(glass_state_unmap(region) == 0);
    CHECK(glass_state_unmap(region) == GLASS_INVALID);
}

TEST(a_call_has_so_many_regions_and_no_more)
{
    char *regions[16];

    for (int i = 0; i < 16; i++)
        CHECK((regions[i] = map(1, GLASS_MAP_WRITABLE)));
    CHECK(glass_state_map(KEY, 0, 0, GLASS_MAP_WRITABLE) == GLASS_LIMIT);
    CHECK(glass_state_unmap(regions[7]) == 0);
    CHECK(map(0, GLASS_MAP_WRITABLE) == regions[7]);
}

TEST(words_are_waited_for)
{
    char *region = map(8, GLASS_MAP_WRITABLE);
    uint32_t *words = (uint32_t *)(void *)region;

    CHECK(region);
    words[1] = 7;
    CHECK(glass_region_wait(&words[1], 6, -1) == GLASS_CONFLICT);
    CHECK(glass_region_wait(&words[1], 7, 0) == GLASS_TIMEOUT);
    CHECK(glass_region_wait(&words[1], 7, 2000000) == GLASS_TIMEOUT);
    CHECK(glass_region_notify(&words[1], 1) == 0);
    CHECK(glass_region_wait(region + 2, 0, 0) == GLASS_INVALID);
    CHECK(glass_region_notify(region + 2, 1) == GLASS_INVALID);
    CHECK(glass_region_wait(region - 4, 0, 0) == GLASS_INVALID);
    CHECK(glass_region_wait(region + PAGE - 4, 0, 0) == GLASS_TIMEOUT);
    CHECK(glass_region_wait(region + PAGE, 0, 0) == GLASS_INVALID);
    CHECK(glass_region_notify(region + PAGE, 1) == GLASS_INVALID);
    CHECK(glass_state_unmap(region) == 0);
    CHECK(glass_region_wait(region, 0, 0) == GLASS_INVALID);
    CHECK(glass_region_notify(region, 1) == GLASS_INVALID);
}

/* ---- Only for reading -------------------------------------------------- */

static char *
map_for_reading(void)
{
    if (glass_state_put(KEY, GLASS_TEXT("readable"), 0, 0) <= 0)
        return NULL;
    return map(0, GLASS_MAP_READ_ONLY);
}

TEST(read_it)
{
    char *region = map_for_reading();

    CHECK(region);
    CHECK(memcmp(region, "readable", 9) == 0);
    int64_t version = glass_state_version(KEY);
    CHECK(glass_state_put(region, 8, region, 8, 0, 0) > 0);
    CHECK(glass_output_write(region, 8) == 0);
    /* Nothing is made longer for it, and its end is no write. */
    CHECK(glass_state_map(KEY, 0, 9, GLASS_MAP_READ_ONLY) == GLASS_INVALID);
    CHECK(glass_state_unmap(region) == 0);
    CHECK(glass_state_version(KEY) == version);
}

TEST(store_into_it)
{
    char *region = map_for_reading();

    *(volatile char *)region = 'x';
}

TEST(have_the_host_store_into_it)
{
    char *region = map_for_reading();

    glass_state_get(KEY, region, 8);
}

TEST(wasi_stores_nothing_into_it)
{
    char *region = map_for_reading();
    char status[24], moved[4];
    struct {
        void *bytes;
        size_t length;
    } in = {region, 4}, out = {region, 8}, own = {buffer, 4};

    CHECK(region);
    CHECK(wasi_random_get(region, 4) == wasi_efault);
    CHECK(wasi_random_get(region - 1, 2) == wasi_efault);
    CHECK(wasi_random_get(region, 0) == wasi_ok);
    CHECK(wasi_clock_time_get(1, 0, region) == wasi_efault);
    CHECK(wasi_args_sizes_get(buffer, region) == wasi_efault);
    CHECK(wasi_fd_fdstat_get(0, region) == wasi_efault);
    CHECK(wasi_fd_read(0, &in, 1, moved) == wasi_efault);
    CHECK(wasi_fd_read(0, &own, 1, region) == wasi_efault);
    CHECK(wasi_fd_write(1, &out, 1, region) == wasi_efault);
    CHECK(wasi_fd_write(1, &out, 1, moved) == wasi_ok);
    CHECK(wasi_fd_fdstat_get(0, status) == wasi_ok);
    CHECK(memcmp(region, "readable", 9) == 0);
}

/* ---- Between calls ----------------------------------------------------- */

TEST(map_and_leave)
{
    char *region = map(100, GLASS_MAP_WRITABLE);

    CHECK(region);
    memcpy(region, "left", 4);
    buffer[0] = 'x';
}

TEST(map_and_trap)
{
    map_and_leave();
    __builtin_trap();
}

TEST(find_nothing_of_it)
{
    size_t pages = __builtin_wasm_memory_size(0);

    CHECK(buffer[0] == 0);
    CHECK(__builtin_wasm_memory_grow(0, 1) == pages);
    for (size_t i = 0; i < PAGE; i++)
        CHECK(((char *)(pages * PAGE))[i] == 0);
    CHECK(glass_state_get(KEY, buffer, 4) == 100);
    CHECK(memcmp(buffer, "left", 4) == 0);
}

TEST(map_much)
{
    char *region = map(LARGE, GLASS_MAP_WRITABLE);

    CHECK(region);
    for (size_t i = 0; i < LARGE; i += 4096)
        region[i] = 1;
    CHECK(glass_state_unmap(region) == 0);
    CHECK(region[0] == 0 && region[LARGE - 1] == 0);
    CHECK((region = map(0, GLASS_MAP_WRITABLE)));
    CHECK(region[0] == 1 && region[LARGE - 4096] == 1);
}

/* ---- Many at once: see check_region_memory.c ----------------------------- */

#define GATE   GLASS_TEXT("gate")
#define SHARED GLASS_TEXT("shared")

/* Two words: whether to map, and whether to go. */
static uint32_t *
find_gate(void)
{
    return (void *)(intptr_t)glass_state_map(GATE, 0, 8, GLASS_MAP_WRITABLE);
}

TEST(make_the_shared_region)
{
    char *region = (void *)(intptr_t)glass_state_map(SHARED, 0, LARGE,
                                                     GLASS_MAP_WRITABLE);

    CHECK((intptr_t)region > 0);
    for (size_t i = 0; i < LARGE; i++)
        region[i] = (char)(i >> 12);
    CHECK(glass_state_unmap(region) == 0);
}

/* Writes how long each of a hundred mappings took, in nanoseconds. */
TEST(time_mappings)
{
    for (int i = 0; i < 100; i++) {
        int64_t begun_ns = glass_now_ns();
        int64_t address =
            glass_state_map(SHARED, 0, 0, GLASS_MAP_READ_ONLY);
        int64_t mapped_ns = glass_now_ns() - begun_ns;

        CHECK(address > 0);
        CHECK(*(volatile char *)(intptr_t)address == 0);
        CHECK(glass_state_unmap((void *)(intptr_t)address) == 0);
        CHECK(glass_output_write(&mapped_ns, sizeof(mapped_ns)) == 0);
    }
}

TEST(open_the_gate)
{
    uint32_t *gate = find_gate();
    uint32_t *word = gate[0] == 0 ? &gate[0] : &gate[1];

    *word = 1;
    glass_region_notify(word, UINT32_MAX);
}

/* Says when it is there, maps at a sign, and goes at another. */
TEST(read_with_others)
{
    uint32_t *gate = find_gate();
    int64_t count;

    CHECK(glass_state_incr(GLASS_TEXT("waiting"), 1, &count) == 0);
    while (*(volatile uint32_t *)&gate[0] == 0)
        glass_region_wait(&gate[0], 0, -1);
    volatile char *region = (void *)(intptr_t)glass_state_map(
        SHARED, 0, 0, GLASS_MAP_READ_ONLY);
    CHECK((intptr_t)region > 0);
    for (size_t i = 0; i < LARGE; i += 4096)
        CHECK(region[i] == (char)(i >> 12));
    CHECK(glass_state_incr(GLASS_TEXT("reading"), 1, &count) == 0);
    while (*(volatile uint32_t *)&gate[1] == 0)
        glass_region_wait(&gate[1], 0, -1);
}

TEST(map_too_much)
{
    CHECK(glass_state_map(KEY, 0, 1 << 20, GLASS_MAP_WRITABLE) ==
          GLASS_LIMIT);
    CHECK(map(PAGE, GLASS_MAP_WRITABLE));
}

TEST(wait_for_ever)
{
    void *region = map(4, GLASS_MAP_WRITABLE);

    CHECK(region);
    glass_output_write(GLASS_TEXT("waits"));
    glass_region_wait(region, 0, -1);
}

TEST(find_nobody_waiting)
{
    void *region = map(4, GLASS_MAP_WRITABLE);

    CHECK(region);
    CHECK(glass_region_notify(region, 1000) == 0);
}

TEST(may_only_read)
{
    CHECK(glass_state_map(KEY, 0, 1, GLASS_MAP_WRITABLE) == GLASS_DENIED);
    CHECK(glass_state_map(GLASS_TEXT("other"), 0, 0, GLASS_MAP_READ_ONLY) ==
          GLASS_DENIED);
    CHECK(map(0, GLASS_MAP_READ_ONLY));
}

/*
 * Adds 1 as often as it can to a word that all such calls share: each has its
 * turn, which is the word's remainder by their number, and waits for it.
 */
GLASS_HANDLE(void)
{
    uint32_t turns[3]; /* whose it is, of how many, and how often */
    volatile uint32_t *word = (void *)map(4, GLASS_MAP_WRITABLE);

    if (!word || glass_input_read(0, turns, sizeof(turns)) != sizeof(turns))
        return 1;
    for (uint32_t i = 0; i < turns[2]; i++) {
        uint32_t seen;

        while ((seen = *word) % turns[1] != turns[0]) {
            int32_t result = glass_region_wait((void *)word, seen, -1);

            if (result != 0 && result != GLASS_CONFLICT)
                return 2;
        }
        *word = seen + 1;
        glass_region_notify((void *)word, UINT32_MAX);
    }
    return 0;
}
