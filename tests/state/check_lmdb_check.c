/*
 * Tests of state/lmdb_check.c: a data file of a store, damaged in many ways,
 * is refused or opens; it never crashes the program. The seed is printed and
 * can be given as GLASS_TEST_SEED, the number of damages as
 * GLASS_LMDB_DAMAGES.
 */
#include "state/lmdb_check.h"
#include "tests/state/await.h"
#include "tests/state/disk.h"
#include "tests/state/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u

static struct disk disk;
static uint8_t *sound;
static size_t sound_length;

static uint64_t
next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *state >> 33;
}

/* A store with trees of some depth, long values, and free pages. */
static void
make_store(void)
{
    struct state_store *store;
    struct state_operation operation = {0};
    char *bytes = malloc(20000);
    char key[40];

    memset(bytes, 'v', 20000);
    disk_init(&disk);
    store = open_store(disk.url);
    for (int i = 0; i < 700; i++) {
        snprintf(key, sizeof key, "a-key-of-some-length-%d", i * 7919 % 1000);
        operation.kind = i % 5 == 4 ? STATE_DELETE : STATE_PUT;
        operation.namespace_ = i % 3 ? "one" : "other";
        operation.key = text(key);
        operation.value = (struct state_bytes){
            bytes, i % 40 == 0 ? 20000u : (size_t)i % 200};
        await(store, &operation);
    }
    state_operation_deinit(&operation);
    state_store_close(store);
    free(bytes);
    sound = disk_read(&disk, "data.mdb", &sound_length);
    ck_assert_uint_gt(sound_length, 40 * PAGE);
}

static void
end_store(void)
{
    free(sound);
    disk_deinit(&disk);
}

START_TEST(a_sound_file_is_found_sound)
{
    struct state_error err = {""};

    ck_assert_msg(state__lmdb_check_bytes(sound, sound_length, &err) ==
                      STATE_OK,
                  "%s", err.message);
}
END_TEST

START_TEST(a_file_cut_off_anywhere_is_refused_or_missed_nothing)
{
    struct state_error err;
    uint8_t *copy;

    for (size_t length = 1; length < sound_length;
         length += length < 2 * PAGE + 9 ? 97 : PAGE / 2) {
        /* A copy of that length, so that reading behind it is noticed. */
        copy = malloc(length);
        memcpy(copy, sound, length);
        if (length < sound_length / 2)
            ck_assert_int_eq(state__lmdb_check_bytes(copy, length, &err),
                             STATE_BACKEND);
        else
            state__lmdb_check_bytes(copy, length, &err);
        free(copy);
    }
}
END_TEST

/* The meta page that counts. */
static size_t
meta_offset(void)
{
    uint64_t first, second;

    memcpy(&first, sound + 16 + 128, 8);
    memcpy(&second, sound + PAGE + 16 + 128, 8);
    return (second > first ? PAGE : 0) + 16;
}

START_TEST(each_part_of_the_meta_page_is_looked_at)
{
    static const struct {
        size_t offset;
        uint8_t change;
    } changes[] = {
        {0, 1},            /* the magic number */
        {4, 2},            /* the format */
        {24, 1},           /* the size of a page */
        {24 + 6, 7},       /* the depth of the tree of free pages */
        {72 + 4, 4},       /* that the main tree has duplicates */
        {72 + 6, 1},       /* its depth */
        {72 + 40, 0x7f},   /* its root */
        {72 + 47, 0x80},   /* far away */
        {120 + 7, 0x80},   /* the last page */
    };
    struct state_error err;

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        size_t offset = meta_offset() + changes[i].offset;

        sound[offset] ^= changes[i].change;
        ck_assert_msg(state__lmdb_check_bytes(sound, sound_length, &err) ==
                          STATE_BACKEND,
                      "change %zu", i);
        ck_assert_ptr_nonnull(strstr(err.message, "data.mdb"));
        sound[offset] ^= changes[i].change;
    }
}
END_TEST

/* Damages a copy somewhere; returns whether anything is different. */
static bool
damage(uint8_t *copy, uint64_t *seed)
{
    size_t offset = next_random(seed) % sound_length;
    size_t page = offset / PAGE * PAGE;

    switch (next_random(seed) % 5) {
    case 0: /* a bit, */
        copy[offset] ^= (uint8_t)(1u << next_random(seed) % 8);
        break;
    case 1: /* a byte in what every page begins with, */
        copy[page + next_random(seed) % 64] = (uint8_t)next_random(seed);
        break;
    case 2: /* a page of zeros, */
        memset(copy + page, 0, PAGE);
        break;
    case 3: /* a page of another place, */
        memcpy(copy + page,
               sound + next_random(seed) % (sound_length / PAGE) * PAGE, PAGE);
        break;
    default: /* a few bytes of anything */
        for (int i = 0; i < 8; i++)
            copy[(offset + (size_t)i) % sound_length] =
                (uint8_t)next_random(seed);
    }
    return memcmp(copy, sound, sound_length) != 0;
}

/*
 * Opens what looks sound, reads all of it and writes to it, in a process of
 * its own. Returns whether that ended by itself.
 */
static bool
use_directory(void)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct state_options options = {.url = disk.url};
        struct state_store *store = NULL;
        struct state_operation operation = {.kind = STATE_PUT,
                                            .namespace_ = "one",
                                            .key = {"key", 3}};
        char key[40];

        if (state_store_open(&options, &store, NULL) != STATE_OK)
            _exit(0);
        for (int i = 0; i < 300; i++) {
            snprintf(key, sizeof key, "a-key-of-some-length-%d", i);
            operation.kind = i % 2 ? STATE_DELETE : STATE_PUT;
            operation.key = text(key);
            await(store, &operation);
        }
        state_operation_deinit(&operation);
        state_store_close(store);
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

START_TEST(a_damaged_file_is_refused_or_opens)
{
    const char *seed_text = getenv("GLASS_TEST_SEED");
    const char *count_text = getenv("GLASS_LMDB_DAMAGES");
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10)
                              : (uint64_t)time(NULL);
    unsigned count = count_text ? (unsigned)atoi(count_text) : 2000;
    unsigned refused_count = 0, opened_count = 0;
    uint8_t *copy = malloc(sound_length);
    struct state_error err;

    printf("GLASS_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    for (unsigned i = 0; i < count; i++) {
        uint64_t before = seed;

        memcpy(copy, sound, sound_length);
        if (!damage(copy, &seed))
            continue;
        if (state__lmdb_check_bytes(copy, sound_length, &err) != STATE_OK) {
            refused_count++;
            continue;
        }
        /* A process each: not for all of them, but for the first ones. */
        if (opened_count++ >= count / 20)
            continue;
        disk_write(&disk, "data.mdb", copy, sound_length);
        ck_assert_msg(use_directory(), "damage %u, GLASS_TEST_SEED=%llu", i,
                      (unsigned long long)before);
    }
    ck_assert_uint_gt(refused_count, count / 10);
    ck_assert_uint_gt(opened_count, 0);
    free(copy);
}
END_TEST

START_TEST(a_value_that_was_changed_is_refused_by_its_checksum)
{
    struct state_options options = {.url = disk.url};
    struct state_store *store = NULL;
    struct state_error err;

    ck_assert_int_eq(state__lmdb_check_bytes(sound, sound_length, &err),
                     STATE_OK);
    for (uint8_t *byte = sound; byte + 64 < sound + sound_length; byte++)
        if (byte[0] == 'v' && byte[1] == 'v')
            byte[0] = 'w';
    disk_write(&disk, "data.mdb", sound, sound_length);
    ck_assert_int_eq(state_store_open(&options, &store, &err), STATE_BACKEND);
    ck_assert_ptr_nonnull(strstr(err.message, "checksum"));
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_sound_file_is_found_sound,
        a_file_cut_off_anywhere_is_refused_or_missed_nothing,
        each_part_of_the_meta_page_is_looked_at,
        a_damaged_file_is_refused_or_opens,
        a_value_that_was_changed_is_refused_by_its_checksum,
        NULL,
    };

    return run_suite_between("lmdb check", tests, make_store, end_store);
}
