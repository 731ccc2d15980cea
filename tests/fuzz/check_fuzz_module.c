/*
 * check_fuzz_module.c - modules cut short and modules with flipped bytes are
 * refused, or run to an end under fuel.
 *
 * Environment:
 *     GLASS_FAASLETS     a directory with more modules to start from
 *     GLASS_FUZZ_FLIPS   how many mutations to try, 5,000 by default
 *     GLASS_FUZZ_SEED    where their random numbers begin, 1 by default
 *
 * What was tried last is kept in memory that the parent of the test shares,
 * so that it is known after a crash.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/fuzz/examples.h"
#include "tests/fuzz/fuzz_module.h"
#include "tests/support/suite.h"
#include "tests/support/vm_world.h"

#define EVERY_TRUNCATION_BYTES 8192u
#define SPACED_TRUNCATIONS 5000u
#define FLIPS_DEFAULT 5000u
#define FLIPPED_BYTES_MAX 4u

/* Shared with the parent. */
static char *last_tried;
enum { LAST_TRIED_BYTES = 4096 };

static struct examples examples;
static struct gvm_engine *engines[2]; /* by enum gvm_bounds */
static struct fuzz_module_counts counts;

static void
open_world(void)
{
    memset(&counts, 0, sizeof(counts));
    examples_init(&examples, getenv("GLASS_FAASLETS"));
    for (int i = 0; i < vm_world_bounds_count(); i++) {
        struct gvm_engine_options options = {.bounds = (enum gvm_bounds)i};

        if (options.bounds == GVM_BOUNDS_GUARD) {
            ck_assert_int_eq(gvm_guard_install(), GVM_OK);
        }
        ck_assert_int_eq(gvm_engine_create(&options, &engines[i]), GVM_OK);
    }
}

static void
close_world(void)
{
    for (int i = 0; i < vm_world_bounds_count(); i++) {
        gvm_engine_destroy(engines[i]);
    }
    examples_deinit(&examples);
}

static uint64_t
number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text != NULL && *text != '\0' ? strtoull(text, NULL, 0)
                                         : otherwise;
}

static void
try(uint64_t number, const uint8_t *bytes, size_t length_bytes)
{
    int bounds = (int)(number % (unsigned)vm_world_bounds_count());

    fuzz_module_try(engines[bounds], bytes, length_bytes,
                    GVM_FEATURES_DEFAULT, &counts);
}

START_TEST(the_examples_themselves_run)
{
    for (unsigned i = 0; i < examples.count; i++) {
        const struct example *example = &examples.list[i];
        struct fuzz_module_counts before = counts;

        snprintf(last_tried, LAST_TRIED_BYTES, "%s", example->name);
        try(i, example->bytes, example->length_bytes);
        ck_assert_msg(counts.instantiated == before.instantiated + 1,
                      "%s does not come to life", example->name);
        ck_assert_msg(counts.calls > before.calls, "%s has nothing to run",
                      example->name);
        /* What is made here is made to return. */
        if (i < 2) {
            ck_assert_uint_eq(counts.calls_returned - before.calls_returned,
                              counts.calls - before.calls);
        }
    }
}
END_TEST

START_TEST(modules_cut_short_are_refused_or_end)
{
    for (unsigned i = 0; i < examples.count; i++) {
        const struct example *example = &examples.list[i];
        size_t length = example->length_bytes;
        size_t tries =
            length <= EVERY_TRUNCATION_BYTES ? length : SPACED_TRUNCATIONS;

        for (size_t k = 0; k < tries; k++) {
            size_t cut = length * k / tries;

            snprintf(last_tried, LAST_TRIED_BYTES, "%s cut to %zu bytes",
                     example->name, cut);
            try(k, example->bytes, cut);
        }
    }
    ck_assert_uint_gt(counts.tried, 0);
    /* Only cuts between sections can leave a module. */
    ck_assert_uint_lt(counts.loaded, 20 * examples.count);
}
END_TEST

/* xorshift64*: the numbers only need to be the same on every machine. */
static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1du;
}

/* Changes 1..FLIPPED_BYTES_MAX bytes, most often by one bit. */
static void
flip(uint8_t *bytes, size_t length_bytes, uint64_t *state, char *note,
     size_t note_bytes)
{
    uint64_t count = next_random(state) % FLIPPED_BYTES_MAX + 1;

    for (uint64_t i = 0; i < count; i++) {
        size_t at = (size_t)(next_random(state) % length_bytes);
        uint64_t choice = next_random(state);
        int used;

        if (choice % 4 != 0) {
            bytes[at] ^= (uint8_t)(1u << (choice >> 8 & 7));
        } else {
            bytes[at] = (uint8_t)(choice >> 8);
        }
        used = snprintf(note, note_bytes, " %zu=0x%02x", at, bytes[at]);
        note += used;
        note_bytes -= (size_t)used;
    }
}

START_TEST(modules_with_flipped_bytes_are_refused_or_end)
{
    uint64_t seed = number_from("GLASS_FUZZ_SEED", 1);
    uint64_t flips = number_from("GLASS_FUZZ_FLIPS", FLIPS_DEFAULT);
    uint64_t state = seed * 0x9e3779b97f4a7c15u | 1;

    for (uint64_t i = 0; i < flips; i++) {
        const struct example *example =
            &examples.list[i % examples.count];
        uint8_t *bytes = malloc(example->length_bytes);
        int used = snprintf(last_tried, LAST_TRIED_BYTES,
                            "%s, seed %" PRIu64 ", number %" PRIu64 ":",
                            example->name, seed, i);

        ck_assert_ptr_nonnull(bytes);
        memcpy(bytes, example->bytes, example->length_bytes);
        flip(bytes, example->length_bytes, &state, last_tried + used,
             LAST_TRIED_BYTES - (size_t)used);
        try(i / examples.count, bytes, example->length_bytes);
        free(bytes);
    }
    printf("fuzz_module: seed %" PRIu64 ", %" PRIu64 " tried, %" PRIu64
           " loaded, %" PRIu64 " instantiated, %" PRIu64 " calls, %" PRIu64
           " returned\n",
           seed, counts.tried, counts.loaded, counts.instantiated,
           counts.calls, counts.calls_returned);
    /* Flips that nothing survives would test the header alone. */
    ck_assert(counts.loaded > 0 || flips < 100);
}
END_TEST

START_TEST(the_corpus_of_findings_is_refused_or_ends)
{
    const char *root = getenv("GLASS_SOURCE_DIR");
    struct examples corpus;
    char directory[4096];

    ck_assert_ptr_nonnull(root);
    snprintf(directory, sizeof(directory), "%s/tests/fuzz/corpus", root);
    examples_init(&corpus, directory);
    for (unsigned i = 0; i < corpus.count; i++) {
        snprintf(last_tried, LAST_TRIED_BYTES, "corpus/%s",
                 corpus.list[i].name);
        for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
            try((uint64_t)bounds, corpus.list[i].bytes,
                corpus.list[i].length_bytes);
        }
    }
    examples_deinit(&corpus);
}
END_TEST

static Suite *
fuzz_suite(void)
{
    Suite *suite = suite_create("fuzz/module");
    TCase *tests = tcase_create("module");

    tcase_add_checked_fixture(tests, open_world, close_world);
    /* The soak asks for more flips than fit the usual minute. */
    tcase_set_timeout(tests, 3600);
    tcase_add_test(tests, the_examples_themselves_run);
    tcase_add_test(tests, modules_cut_short_are_refused_or_end);
    tcase_add_test(tests, modules_with_flipped_bytes_are_refused_or_end);
    tcase_add_test(tests, the_corpus_of_findings_is_refused_or_ends);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    last_tried = mmap(NULL, LAST_TRIED_BYTES, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (last_tried == MAP_FAILED) {
        perror("mmap");
        return EXIT_FAILURE;
    }

    int status = suite_run(fuzz_suite());

    if (status != EXIT_SUCCESS)
        printf("last tried: %s\n", last_tried);
    return status;
}
