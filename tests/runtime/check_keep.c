/* check_keep.c - tests of runtime/keep.c. */
#include "runtime/keep.h"
#include "runtime/digest.h"
#include "tests/runtime/world.h"
#include "tests/support/whole_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];
static struct runtime__keep *keep;

static void
open_keep(void)
{
    world_directory_make(path);
    ck_assert_int_eq(runtime__keep_open(path, &keep, NULL), RUNTIME_OK);
}

static void
close_keep(void)
{
    runtime__keep_close(keep);
    world_directory_remove(path);
}

/* The bytes "abc" as a module, under their digest. */
static struct runtime__module module_abc = {
    .bytes = (const uint8_t *)"abc",
    .length_bytes = 3,
};

static void
write_abc(const char *namespace_, const char *name)
{
    static const struct runtime_variable variables[] = {{"A", "x"}};
    struct runtime_config config = {
        .fuel = 7, .variables = variables, .variable_count = 1};
    struct runtime_function function = {
        .module = &module_abc,
        .config = &config,
        .version = 3,
        .deployed_ms = 1234567890123,
    };

    strcpy(function.namespace_, namespace_);
    strcpy(function.name, name);
    ck_assert(runtime__digest("abc", 3, module_abc.digest));
    ck_assert_int_eq(runtime__keep_write_module(keep, &module_abc, NULL),
                     RUNTIME_OK);
    ck_assert_int_eq(runtime__keep_write_function(keep, &function, NULL),
                     RUNTIME_OK);
}

START_TEST(a_function_is_read_as_it_was_written)
{
    struct runtime__kept kept;
    uint8_t *bytes;
    size_t length_bytes;

    write_abc("ns", "f");
    ck_assert_int_eq(
        runtime__keep_read_function(keep, "ns", "f", &kept, NULL),
        RUNTIME_OK);
    ck_assert_str_eq(kept.digest, module_abc.digest);
    ck_assert_uint_eq(kept.version, 3);
    ck_assert_uint_eq(kept.deployed_ms, 1234567890123);
    ck_assert_uint_eq(kept.config->fuel, 7);
    ck_assert_str_eq(kept.config->variables[0].value, "x");
    free(kept.config);
    ck_assert_int_eq(runtime__keep_read_module(keep, module_abc.digest, 3,
                                               &bytes, &length_bytes, NULL),
                     RUNTIME_OK);
    ck_assert_uint_eq(length_bytes, 3);
    ck_assert_mem_eq(bytes, "abc", 3);
    free(bytes);
    ck_assert_int_eq(runtime__keep_read_module(keep, module_abc.digest, 2,
                                               &bytes, &length_bytes, NULL),
                     RUNTIME_TOO_BIG);
}
END_TEST

START_TEST(what_was_removed_is_gone)
{
    struct runtime__kept kept;
    uint8_t *bytes;
    size_t length_bytes;

    write_abc("ns", "f");
    ck_assert_int_eq(runtime__keep_remove_function(keep, "ns", "f", NULL),
                     RUNTIME_OK);
    runtime__keep_remove_module(keep, module_abc.digest);
    ck_assert_int_eq(
        runtime__keep_read_function(keep, "ns", "f", &kept, NULL),
        RUNTIME_NOT_FOUND);
    ck_assert_int_eq(runtime__keep_read_module(keep, module_abc.digest, 3,
                                               &bytes, &length_bytes, NULL),
                     RUNTIME_NOT_FOUND);
}
END_TEST

START_TEST(a_module_that_was_changed_is_damaged)
{
    char file[256];
    uint8_t *bytes;
    size_t length_bytes;
    struct runtime_error err;

    write_abc("ns", "f");
    snprintf(file, sizeof(file), "%s/modules/%s.wasm", path,
             module_abc.digest);
    FILE *stream = fopen(file, "r+b");
    fputc('x', stream);
    fclose(stream);
    ck_assert_int_eq(runtime__keep_read_module(keep, module_abc.digest, 9,
                                               &bytes, &length_bytes, &err),
                     RUNTIME_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "digest"));
}
END_TEST

#define DIGEST                                                                \
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const char *const damaged[] = {
    "",
    "{",
    "[]",
    "{\"format\": 1}",
    /* Each of these differs by one thing from what is right. */
    "{\"format\":2,\"digest\":\"" DIGEST
    "\",\"version\":1,\"deployed_ms\":1,\"config\":{}}",
    "{\"format\":1,\"digest\":\"../etc\",\"version\":1,\"deployed_ms\":1,"
    "\"config\":{}}",
    "{\"format\":1,\"digest\":\"" DIGEST
    "\",\"version\":0,\"deployed_ms\":1,\"config\":{}}",
    "{\"format\":1,\"digest\":\"" DIGEST
    "\",\"version\":1,\"deployed_ms\":-1,\"config\":{}}",
    "{\"format\":1,\"digest\":\"" DIGEST
    "\",\"version\":\"1\",\"deployed_ms\":1,\"config\":{}}",
    "{\"format\":1,\"digest\":\"" DIGEST
    "\",\"version\":1,\"deployed_ms\":1,\"config\":[]}",
    "{\"format\":1,\"digest\":\"" DIGEST
    "\",\"version\":1,\"deployed_ms\":1,\"config\":{\"no\":1}}",
    "{\"format\":1,\"digest\":\"" DIGEST
    "\",\"version\":1,\"deployed_ms\":1,\"config\":{},\"format\":1}",
};

static void
write_text(const char *file, const char *text)
{
    char whole[256];

    snprintf(whole, sizeof(whole), "%s/%s", path, file);
    whole_file_write_text(whole, text);
}

START_TEST(a_damaged_file_is_no_function)
{
    struct runtime__kept kept = {.version = 99};

    write_abc("ns", "f");
    write_text("functions/ns/f.json", damaged[_i]);
    ck_assert_int_eq(
        runtime__keep_read_function(keep, "ns", "f", &kept, NULL),
        RUNTIME_INVALID);
    ck_assert_uint_eq(kept.version, 99);
}
END_TEST

START_TEST(the_right_file_that_those_are_not_is_a_function)
{
    struct runtime__kept kept;

    write_abc("ns", "f");
    write_text("functions/ns/f.json",
               "{\"format\":1,\"digest\":\"" DIGEST
               "\",\"version\":1,\"deployed_ms\":1,\"config\":{}}");
    ck_assert_int_eq(
        runtime__keep_read_function(keep, "ns", "f", &kept, NULL),
        RUNTIME_OK);
    free(kept.config);
}
END_TEST

/* What keep_each has said, sorted by nothing: names, then notices. */
struct heard {
    char names[256];
    int notice_count;
};

static void
hear_name(void *data, const char *namespace_, const char *name)
{
    struct heard *heard = data;

    strcat(heard->names, namespace_);
    strcat(heard->names, "/");
    strcat(heard->names, name);
    strcat(heard->names, ";");
}

static void
hear_notice(void *data, const char *message)
{
    struct heard *heard = data;

    ck_assert_msg(strstr(message, "strange") || strstr(message, "Strange"),
                  "%s", message);
    heard->notice_count++;
}

START_TEST(each_function_is_visited_and_what_is_none_is_told)
{
    struct heard heard = {0};
    char name[128];

    write_abc("ns", "f");
    write_abc("other", "g");
    write_text("functions/ns/strange", "");
    write_text("functions/ns/Strange.json", "");
    write_text("functions/strange-file", "");
    write_text("functions/ns/h.json" ".tmp", "{");
    snprintf(name, sizeof(name), "%s/functions/Strange", path);
    ck_assert_int_eq(mkdir(name, 0700), 0);
    ck_assert_int_eq(
        runtime__keep_each(keep, hear_name, hear_notice, &heard, NULL),
        RUNTIME_OK);
    ck_assert_ptr_nonnull(strstr(heard.names, "ns/f;"));
    ck_assert_ptr_nonnull(strstr(heard.names, "other/g;"));
    ck_assert_uint_eq(strlen(heard.names), strlen("ns/f;other/g;"));
    ck_assert_int_eq(heard.notice_count, 4);
}
END_TEST

static bool
is_used(void *data, const char *digest)
{
    return !strcmp(digest, data);
}

static bool
exists(const char *file)
{
    char whole[256];

    snprintf(whole, sizeof(whole), "%s/modules/%s", path, file);
    return access(whole, F_OK) == 0;
}

START_TEST(modules_that_nobody_uses_are_swept_and_nothing_else)
{
    static const char other[] = "0000000000000000000000000000000000000000"
                                "000000000000000000000000";

    write_abc("ns", "f");
    write_text("modules/0000000000000000000000000000000000000000000000000000"
               "000000000000.wasm",
               "x");
    write_text("modules/half.wasm.tmp", "x");
    write_text("modules/notes.txt", "x");
    runtime__keep_sweep_modules(keep, is_used, module_abc.digest);
    char file[128];
    snprintf(file, sizeof(file), "%s.wasm", module_abc.digest);
    ck_assert(exists(file));
    snprintf(file, sizeof(file), "%s.wasm", other);
    ck_assert(!exists(file));
    ck_assert(!exists("half.wasm.tmp"));
    ck_assert(exists("notes.txt"));
}
END_TEST

START_TEST(a_directory_has_one_user_at_a_time)
{
    struct runtime__keep *second = NULL;
    struct runtime_error err;

    ck_assert_int_eq(runtime__keep_open(path, &second, &err), RUNTIME_BUSY);
    ck_assert_ptr_null(second);
    ck_assert_ptr_nonnull(strstr(err.message, path));
    runtime__keep_close(keep);
    keep = NULL;
    ck_assert_int_eq(runtime__keep_open(path, &second, &err), RUNTIME_OK);
    runtime__keep_close(second);
}
END_TEST

START_TEST(what_is_no_directory_is_refused)
{
    struct runtime__keep *second = NULL;
    char file[128];

    write_text("file", "");
    snprintf(file, sizeof(file), "%s/file", path);
    ck_assert_int_eq(runtime__keep_open(file, &second, NULL),
                     RUNTIME_SYSTEM);
    ck_assert_int_eq(runtime__keep_open("no/such/place", &second, NULL),
                     RUNTIME_SYSTEM);
    ck_assert_ptr_null(second);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_keep, close_keep);
    tcase_add_test(tests, a_function_is_read_as_it_was_written);
    tcase_add_test(tests, what_was_removed_is_gone);
    tcase_add_test(tests, a_module_that_was_changed_is_damaged);
    tcase_add_loop_test(tests, a_damaged_file_is_no_function, 0,
                        sizeof(damaged) / sizeof(damaged[0]));
    tcase_add_test(tests, the_right_file_that_those_are_not_is_a_function);
    tcase_add_test(tests,
                   each_function_is_visited_and_what_is_none_is_told);
    tcase_add_test(tests,
                   modules_that_nobody_uses_are_swept_and_nothing_else);
    tcase_add_test(tests, a_directory_has_one_user_at_a_time);
    tcase_add_test(tests, what_is_no_directory_is_refused);
}

WORLD_MAIN("keep", add_tests)
