/*
 * check_keep_snapshot.c - tests of runtime/keep_snapshot.c: after a restart
 * nothing is initialised again, and what is no snapshot does no harm.
 */
#include "runtime/digest.h"
#include "runtime/internal.h"
#include "tests/runtime/one_world.h"
#include "tests/support/whole_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct state_store *store; /* which a restart does not empty */
static char path[64];
static char notices[1024];

static void
notice(void *data, const char *message)
{
    (void)data;
    strcat(notices, message);
    strcat(notices, "\n");
}

static void
start_runtime(void)
{
    struct runtime_options options = {
        .data_dir = path, .store = store, .notice = notice};

    notices[0] = '\0';
    world_open(&world, &options);
}

static void
restart(void)
{
    world_close(&world);
    start_runtime();
}

static void
open_kept(void)
{
    world_directory_make(path);
    ck_assert_int_eq(state_store_open(NULL, &store, NULL), STATE_OK);
    start_runtime();
}

static void
close_kept(void)
{
    world_close(&world);
    state_store_close(store);
    world_directory_remove(path);
}

/* The body of an initialiser that counts its runs in the state. */
#define COUNT_RUN                                                             \
    0x41, 0, 0x41, 4, 0x42, 1, 0x41, 8, 0x10, 0, 0x1a

/*
 * A function with something of each kind to freeze. `runs` tells how often it
 * was initialised, whatever its own memory says; `look` adds up what the
 * initialiser has left, 7 + 35, and changes all of it.
 */
static void
deploy(const char *name, const struct runtime_config *config)
{
    static const uint32_t functions[] = {2};
    struct module_builder *builder = module_builder_create();
    uint32_t incr = module_builder_import_func(builder, "glass", "state_incr",
                                               "iili:i");
    uint32_t type = module_builder_type(builder, ":i");

    ck_assert_uint_eq(incr, 0);
    module_builder_table(builder, 'r', 2, 4);
    module_builder_memory(builder, 2, 4);
    module_builder_data(builder, 0, "runs", 4);
    module_builder_global(builder, 'i', true, BYTES(0x41, 0, 0x0b));
    /* 1: a page in the second half, global 0, table entry 1, one page more */
    uint32_t index = module_builder_func(
        builder, ":", "",
        BYTES(COUNT_RUN, 0x41, 0xa0, 0x8d, 6, 0x41, 35, 0x36, 2, 0, 0x41, 7,
              0x24, 0, 0x41, 1, 0x41, 0, 0x25, 0, 0x26, 0, 0x41, 1, 0x40, 0,
              0x1a, 0x0b));
    module_builder_export(builder, "glass_init", GVM_EXTERN_FUNC, index);
    /* 2: global 0, by table entry 1 */
    index = module_builder_func(builder, ":i", "", BYTES(0x23, 0, 0x0b));
    module_builder_elements(builder, 0, functions, 1);
    index = module_builder_func(
        builder, ":i", "",
        BYTES(0x41, 1, 0x11, (uint8_t)type, 0, 0x41, 0xa0, 0x8d, 6, 0x28, 2,
              0, 0x6a, 0x3f, 0, 0x41, 3, 0x47, 0x04, 0x40, 0x00, 0x0b, 0x41,
              0, 0x24, 0, 0x41, 1, 0xd0, 0x70, 0x26, 0, 0x41, 0xa0, 0x8d, 6,
              0x41, 0, 0x36, 2, 0, 0x0b));
    module_builder_export(builder, "look", GVM_EXTERN_FUNC, index);
    index = module_builder_func(
        builder, ":i", "",
        BYTES(0x41, 0, 0x41, 4, 0x42, 0, 0x41, 8, 0x10, 0, 0x1a, 0x41, 8,
              0x28, 2, 0, 0x0b));
    module_builder_export(builder, "runs", GVM_EXTERN_FUNC, index);
    world_deploy_as(&world, "default", name, config, builder);
}

static enum runtime_start
look(const char *name)
{
    struct runtime_call *call = world_call(&world, name, "");

    ck_assert_int_eq(runtime_call_set_export(call, "look", NULL, 0, NULL),
                     RUNTIME_OK);
    const struct runtime_result *result = world_start(call, RUNTIME_OK);
    ck_assert_str_eq(result->values[0].text, "42");
    enum runtime_start start = result->start;
    runtime_call_destroy(call);
    return start;
}

static const char *
runs(void)
{
    return world_ask(&world, "f", "runs", "", RUNTIME_OK);
}

static const char *
file_path(const char *name)
{
    static char file[256];

    snprintf(file, sizeof(file), "%s/snapshots/%s", path, name);
    return file;
}

static bool
exists(const char *name)
{
    return access(file_path(name), F_OK) == 0;
}

static void
write_file(const char *name, const void *bytes, size_t length_bytes)
{
    whole_file_write(file_path(name), bytes, length_bytes);
}

/* ---- Restarting --------------------------------------------------------- */

START_TEST(a_restarted_runtime_is_warm)
{
    deploy("f", NULL);
    for (int times = 0; times < 3; times++) {
        ck_assert_int_eq(look("f"), RUNTIME_START_SNAPSHOT);
        ck_assert_int_eq(look("f"), RUNTIME_START_SNAPSHOT);
        ck_assert_str_eq(runs(), "1");
        restart();
        ck_assert_str_eq(notices, "");
    }
}
END_TEST

/* As after an upgrade from a version that kept none. */
START_TEST(without_its_snapshot_a_function_is_initialised_once_more)
{
    deploy("f", NULL);
    ck_assert_int_eq(unlink(file_path("default.f")), 0);
    restart();
    ck_assert_str_eq(notices, "");
    ck_assert_int_eq(look("f"), RUNTIME_START_COLD);
    ck_assert_int_eq(look("f"), RUNTIME_START_SNAPSHOT);
    ck_assert_str_eq(runs(), "2");
    restart();
    ck_assert_int_eq(look("f"), RUNTIME_START_SNAPSHOT);
    ck_assert_str_eq(runs(), "2");
}
END_TEST

START_TEST(the_snapshot_of_another_deployment_is_none)
{
    struct runtime_config config = {.fuel = 100000};
    size_t length_bytes;

    deploy("f", NULL);
    uint8_t *first = whole_file_read(file_path("default.f"), &length_bytes);
    deploy("f", &config);
    ck_assert_str_eq(runs(), "2");
    restart();
    ck_assert_int_eq(look("f"), RUNTIME_START_SNAPSHOT);
    ck_assert_str_eq(runs(), "2");
    /* As if the process had ended between the two files. */
    write_file("default.f", first, length_bytes);
    free(first);
    restart();
    ck_assert_str_eq(notices, "");
    ck_assert_int_eq(look("f"), RUNTIME_START_COLD);
    ck_assert_str_eq(runs(), "3");
}
END_TEST

START_TEST(an_edited_configuration_is_initialised_with)
{
    char file[256];
    size_t length_bytes;

    deploy("f", NULL);
    world_close(&world);
    snprintf(file, sizeof(file), "%s/functions/default/f.json", path);
    char *text = (char *)whole_file_read(file, &length_bytes);
    char *fuel = strstr(text, "\"fuel\": 0");
    ck_assert_ptr_nonnull(fuel);
    fuel[strlen("\"fuel\": ")] = '9';
    whole_file_write(file, text, length_bytes);
    free(text);
    start_runtime();
    struct runtime_call *call = world_call(&world, "f", "");
    ck_assert_int_eq(runtime_call_set_export(call, "look", NULL, 0, NULL),
                     RUNTIME_OK);
    world_start(call, RUNTIME_OUT_OF_FUEL);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_snapshot_goes_with_its_function)
{
    deploy("f", NULL);
    ck_assert(exists("default.f"));
    ck_assert_int_eq(runtime_function_delete(world.runtime, "default", "f",
                                             NULL, NULL),
                     RUNTIME_OK);
    ck_assert(!exists("default.f"));
}
END_TEST

START_TEST(what_a_crash_left_is_swept_and_nothing_else)
{
    deploy("f", NULL);
    deploy("tmp", NULL);
    write_file("default.g", "x", 1);
    write_file("default.f.tmp", "x", 1);
    write_file("default.tmp.tmp", "x", 1);
    write_file("notes", "x", 1);
    write_file("Notes.txt.old", "x", 1);
    restart();
    ck_assert(exists("default.f"));
    ck_assert(exists("default.tmp"));
    ck_assert(exists("notes"));
    ck_assert(exists("Notes.txt.old"));
    ck_assert(!exists("default.g"));
    ck_assert(!exists("default.f.tmp"));
    ck_assert(!exists("default.tmp.tmp"));
}
END_TEST

/* ---- Damage ------------------------------------------------------------- */

START_TEST(a_damaged_snapshot_is_told_and_made_anew)
{
    size_t length_bytes;

    deploy("f", NULL);
    uint8_t *bytes = whole_file_read(file_path("default.f"), &length_bytes);
    bytes[length_bytes / 2] ^= 1;
    write_file("default.f", bytes, length_bytes);
    free(bytes);
    restart();
    ck_assert_msg(strstr(notices, "snapshots/default.f: is damaged") != NULL,
                  "%s", notices);
    ck_assert_int_eq(look("f"), RUNTIME_START_COLD);
    restart();
    ck_assert_str_eq(notices, "");
    ck_assert_int_eq(look("f"), RUNTIME_START_SNAPSHOT);
}
END_TEST

/* Reads the file again for the function `f`. */
static enum runtime_status
read_again(struct gvm_snapshot **snapshot)
{
    const struct gvm_store_options totals = {.memory_bytes_max = 4 << 16};
    struct runtime_function *function;

    ck_assert_int_eq(runtime_function_get(world.runtime, "default", "f",
                                          &function, NULL),
                     RUNTIME_OK);
    enum runtime_status status = runtime__keep_read_snapshot(
        world.runtime->keep, function, &totals, snapshot, &world.err);
    runtime_function_put(function);
    return status;
}

START_TEST(files_cut_short_or_with_one_more_are_damaged)
{
    struct gvm_snapshot *snapshot = NULL;
    size_t length_bytes;

    deploy("f", NULL);
    uint8_t *bytes = whole_file_read(file_path("default.f"), &length_bytes);
    for (size_t cut = 0; cut < length_bytes; cut += cut < 600 ? 1 : 61) {
        write_file("default.f", bytes, cut);
        ck_assert_int_eq(read_again(&snapshot), RUNTIME_INVALID);
    }
    /* whole_file_read puts a zero behind. */
    write_file("default.f", bytes, length_bytes + 1);
    ck_assert_int_eq(read_again(&snapshot), RUNTIME_INVALID);
    write_file("default.f", bytes, length_bytes);
    ck_assert_int_eq(read_again(&snapshot), RUNTIME_OK);
    gvm_snapshot_destroy(snapshot);
    free(bytes);
}
END_TEST

START_TEST(every_flipped_bit_is_seen)
{
    struct gvm_snapshot *snapshot = NULL;
    size_t length_bytes;

    deploy("f", NULL);
    uint8_t *bytes = whole_file_read(file_path("default.f"), &length_bytes);
    for (size_t at = 0; at < length_bytes; at += at < 600 ? 1 : 61) {
        bytes[at] ^= (uint8_t)(1u << at % 8);
        write_file("default.f", bytes, length_bytes);
        ck_assert_int_eq(read_again(&snapshot), RUNTIME_INVALID);
        bytes[at] ^= (uint8_t)(1u << at % 8);
    }
    free(bytes);
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

/*
 * Somebody who can write there writes what he likes, with the right digest:
 * it is refused, or the function runs on what it finds, inside its sandbox.
 */
START_TEST(a_forged_snapshot_stays_inside_the_sandbox)
{
    enum { head_bytes = 17 + 65 + 65, tail_bytes = 64, flipped_bytes = 140 };
    uint64_t state = 0x9e3779b97f4a7c15u | 1;
    size_t length_bytes;
    int read_count = 0;

    deploy("f", NULL);
    uint8_t *whole = whole_file_read(file_path("default.f"), &length_bytes);
    uint8_t *bytes = malloc(length_bytes);
    for (int i = 0; i < flipped_bytes * 8 + 500; i++) {
        struct gvm_snapshot *snapshot = NULL;
        char digest[RUNTIME_DIGEST_SIZE];

        memcpy(bytes, whole, length_bytes);
        if (i < flipped_bytes * 8) {
            bytes[head_bytes + i / 8] ^= (uint8_t)(1 << i % 8);
        } else {
            for (uint64_t n = next_random(&state) % 4 + 1; n > 0; n--)
                bytes[head_bytes + next_random(&state) % flipped_bytes] =
                    (uint8_t)(next_random(&state) >> 32);
        }
        ck_assert(
            runtime__digest(bytes, length_bytes - tail_bytes, digest));
        memcpy(bytes + length_bytes - tail_bytes, digest, tail_bytes);
        write_file("default.f", bytes, length_bytes);
        if (read_again(&snapshot) != RUNTIME_OK) {
            ck_assert(world.err.status == RUNTIME_INVALID ||
                      world.err.status == RUNTIME_LIMIT);
            continue;
        }
        gvm_snapshot_destroy(snapshot);
        if (++read_count % 16 != 0)
            continue;
        /* Whatever the call ends with: a trap, or another sum. */
        restart();
        struct runtime_call *call = world_call(&world, "f", "");
        ck_assert_int_eq(
            runtime_call_set_export(call, "look", NULL, 0, NULL),
            RUNTIME_OK);
        runtime_call_run(call);
        ck_assert_int_eq(runtime_call_result(call)->start,
                         RUNTIME_START_SNAPSHOT);
        runtime_call_destroy(call);
    }
    ck_assert_int_gt(read_count, 100);
    free(bytes);
    free(whole);
}
END_TEST

/* ---- The limit ---------------------------------------------------------- */

/*
 * Deploys a function whose file has `length_bytes` bytes: as many pages as
 * fit, then entries of a table, then bytes with a bit for each of eight
 * segments.
 */
static void
deploy_long(size_t length_bytes)
{
    struct module_builder *builder = module_builder_create();
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    /* Lines and digest; the engine's head; sizes; one run of pages. */
    size_t left = length_bytes - (17 + 65 + 65 + 64) - 32 - 8 - 12 - 8;
    uint32_t filled_bytes = (uint32_t)(left / page * page);
    uint8_t body[64] = {0x41, 0, 0x41, 1, 0x41};
    size_t used = 5;

    left %= page;
    module_builder_memory(builder, (filled_bytes + 65535) / 65536, 1024);
    module_builder_table(builder, 'r', left / 4, left / 4);
    for (size_t i = 0; i < left % 4 * 8; i++)
        module_builder_data_passive(builder, "", 0);
    for (uint32_t value = filled_bytes;; value >>= 7) {
        bool last = value < 64;
        body[used++] = (uint8_t)((value & 0x7f) | (last ? 0 : 0x80));
        if (last)
            break;
    }
    memcpy(body + used, (const uint8_t[]){0xfc, 11, 0, 0x0b}, 4);
    uint32_t index =
        module_builder_func(builder, ":", "", body, used + 4);
    module_builder_export(builder, "glass_init", GVM_EXTERN_FUNC, index);
    world_deploy_built(&world, "long", builder);
}

START_TEST(a_snapshot_is_kept_up_to_the_limit)
{
    size_t length_bytes;

    deploy_long(RUNTIME_SNAPSHOT_BYTES_MAX);
    free(whole_file_read(file_path("default.long"), &length_bytes));
    ck_assert_uint_eq(length_bytes, RUNTIME_SNAPSHOT_BYTES_MAX);
    restart();
    ck_assert_str_eq(notices, "");
    struct runtime_function *function;
    ck_assert_int_eq(runtime_function_get(world.runtime, "default", "long",
                                          &function, NULL),
                     RUNTIME_OK);
    ck_assert_ptr_nonnull(runtime__pool_snapshot(&function->pool));
    runtime_function_put(function);
    /* One more: and the file of the deployment before goes. */
    deploy_long(RUNTIME_SNAPSHOT_BYTES_MAX + 1);
    ck_assert(!exists("default.long"));
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_kept, close_kept);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_restarted_runtime_is_warm);
    tcase_add_test(tests,
                   without_its_snapshot_a_function_is_initialised_once_more);
    tcase_add_test(tests, the_snapshot_of_another_deployment_is_none);
    tcase_add_test(tests, an_edited_configuration_is_initialised_with);
    tcase_add_test(tests, a_snapshot_goes_with_its_function);
    tcase_add_test(tests, what_a_crash_left_is_swept_and_nothing_else);
    tcase_add_test(tests, a_damaged_snapshot_is_told_and_made_anew);
    tcase_add_test(tests, files_cut_short_or_with_one_more_are_damaged);
    tcase_add_test(tests, every_flipped_bit_is_seen);
    tcase_add_test(tests, a_forged_snapshot_stays_inside_the_sandbox);
    tcase_add_test(tests, a_snapshot_is_kept_up_to_the_limit);
}

WORLD_MAIN("keep_snapshot", add_tests)
