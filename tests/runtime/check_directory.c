/*
 * check_directory.c - tests of runtime/directory.c: functions that read files,
 * by guests/copy.c, whose variables say which.
 */
#include "runtime/directory.h"

#include "runtime/internal.h"
#include "tests/runtime/one_world.h"
#include "tests/support/whole_file.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static void
write_file(const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    whole_file_write_text(path, text);
}

/* ROOT/site/page and ROOT/other/page, and links that leave. */
static void
set_up(void)
{
    struct runtime_options options = {.files_dir = root};
    char path[256];

    world_directory_make(root);
    snprintf(path, sizeof(path), "%s/site", root);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/other", root);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    write_file("site/page", "the page");
    write_file("other/page", "another");
    snprintf(path, sizeof(path), "%s/out", root);
    ck_assert_int_eq(symlink("..", path), 0);
    world_open(&world, &options);
}

static void
tear_down(void)
{
    world_close(&world);
    world_directory_remove(root);
}

static enum runtime_status
deploy(const char *host, const char *from, const char *to)
{
    const struct runtime_variable variables[] = {{"FROM", from}, {"TO", to}};
    const struct runtime_directory directory = {host, "/files", true};
    const struct runtime_config config = {
        .variables = variables,
        .variable_count = to ? 2 : 1,
        .directories = &directory,
        .directory_count = 1,
    };
    size_t length;
    uint8_t *module = world_guest("copy", &length);
    struct runtime_deployment deployment = {
        .namespace_ = "default",
        .name = "copy",
        .module = module,
        .module_bytes = length,
        .config = &config,
    };
    enum runtime_status status = runtime_function_deploy(
        world.runtime, &deployment, NULL, NULL, &world.err);

    free(module);
    return status;
}

static void
check_output(enum runtime_status expected, const char *output)
{
    struct runtime_call *call = world_call(&world, "copy", "");
    const struct runtime_result *result = world_start(call, expected);

    ck_assert_uint_eq(result->output_bytes, strlen(output));
    ck_assert_mem_eq(result->output, output, strlen(output));
    runtime_call_destroy(call);
}

START_TEST(a_function_reads_its_directory_in_every_call)
{
    ck_assert_int_eq(deploy("site", "/files/page", NULL), RUNTIME_OK);
    for (int i = 0; i < 3; i++)
        check_output(RUNTIME_OK, "the page");
    /* What is in its place later is there for the next call. */
    write_file("site/page", "new");
    check_output(RUNTIME_OK, "new");
    ck_assert_int_eq(deploy(".", "/files/other/page", NULL), RUNTIME_OK);
    check_output(RUNTIME_OK, "another");
}
END_TEST

/* Which is not the thread that starts them. */
START_TEST(its_calls_ask_for_files_where_that_may_block)
{
    atomic_uint ends = 0;

    ck_assert_int_eq(deploy("site", "/files/page", NULL), RUNTIME_OK);
    for (unsigned i = 0; i < 20; i++) {
        struct runtime_call *call = world_call(&world, "copy", "");
        ck_assert_int_eq(runtime_call_start(call, count_end, &ends),
                         RUNTIME_PENDING);
        wait_for(&ends, i + 1);
        ck_assert_int_eq(runtime_call_result(call)->status, RUNTIME_OK);
        runtime_call_destroy(call);
    }
}
END_TEST

START_TEST(a_function_reads_nothing_else_and_writes_nothing)
{
    ck_assert_int_eq(deploy("site", "/files/../other/page", NULL),
                     RUNTIME_OK);
    check_output(RUNTIME_EXITED, "");
    ck_assert_int_eq(deploy("site", "/files/page", "/files/new"),
                     RUNTIME_OK);
    check_output(RUNTIME_EXITED, "");
}
END_TEST

static const char *const refused[] = {
    "none", "site/page", "..", "/", "out", "site/../..", "/etc",
};

START_TEST(what_is_not_there_or_outside_is_not_deployed)
{
    ck_assert_int_eq(deploy(refused[_i], "/files/page", NULL),
                     RUNTIME_INVALID);
    ck_assert_int_eq(world.err.status, RUNTIME_INVALID);
    ck_assert_ptr_nonnull(strstr(world.err.message, refused[_i]));
}
END_TEST

START_TEST(a_directory_that_has_gone_ends_the_calls_that_want_it)
{
    char path[256];
    char moved[256];

    ck_assert_int_eq(deploy("site", "/files/page", NULL), RUNTIME_OK);
    snprintf(path, sizeof(path), "%s/site", root);
    snprintf(moved, sizeof(moved), "%s/moved", root);
    ck_assert_int_eq(rename(path, moved), 0);
    check_output(RUNTIME_SYSTEM, "");
    ck_assert_int_eq(rename(moved, path), 0);
    check_output(RUNTIME_OK, "the page");
}
END_TEST

/* One directory and a file in it, and two directories. */
START_TEST(functions_have_so_many_descriptors_and_no_more)
{
    const struct runtime_directory directories[] = {
        {"site", "/files", true}, {"other", "/other", true}};
    const struct runtime_config config = {.directories = directories,
                                          .directory_count = 2};
    struct runtime_options options = {.files_dir = root,
                                      .descriptors_max = 2};
    size_t length;
    uint8_t *module = world_guest("copy", &length);
    struct runtime_deployment deployment = {
        .namespace_ = "default",
        .name = "copy",
        .module = module,
        .module_bytes = length,
        .config = &config,
    };

    for (unsigned max = 2; max > 0; max--) {
        options.descriptors_max = max;
        world_close(&world);
        world_open(&world, &options);
        ck_assert_int_eq(deploy("site", "/files/page", NULL), RUNTIME_OK);
        for (int i = 0; i < 3; i++) {
            /* A call, the one that initialises as well, gives back what it
             * had when its sandbox is reset. */
            while (atomic_load(&world.runtime->descriptors.used) > 0)
                sched_yield();
            check_output(max == 2 ? RUNTIME_OK : RUNTIME_EXITED,
                         max == 2 ? "the page" : "");
        }
    }
    /* Initialising it is a call too. */
    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment, NULL,
                                             NULL, &world.err),
                     RUNTIME_BUSY);
    ck_assert_str_eq(world.err.limit, "descriptors");
    free(module);
}
END_TEST

START_TEST(without_a_root_there_are_no_directories)
{
    world_close(&world);
    world_open(&world, NULL);
    ck_assert_int_eq(deploy("site", "/files/page", NULL), RUNTIME_INVALID);
    ck_assert_ptr_nonnull(strstr(world.err.message, "no directories"));

    struct runtime_options options = {.files_dir = "nothing"};
    struct runtime *runtime = NULL;
    ck_assert_int_eq(runtime_create(&options, &runtime, &world.err),
                     RUNTIME_SYSTEM);
    ck_assert_ptr_nonnull(strstr(world.err.message, "nothing"));
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_function_reads_its_directory_in_every_call);
    tcase_add_test(tests, its_calls_ask_for_files_where_that_may_block);
    tcase_add_test(tests, a_function_reads_nothing_else_and_writes_nothing);
    tcase_add_loop_test(tests, what_is_not_there_or_outside_is_not_deployed,
                        0, sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tests,
                   a_directory_that_has_gone_ends_the_calls_that_want_it);
    tcase_add_test(tests, functions_have_so_many_descriptors_and_no_more);
    tcase_add_test(tests, without_a_root_there_are_no_directories);
}

WORLD_MAIN("directory", add_tests)
