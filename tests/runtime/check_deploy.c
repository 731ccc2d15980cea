/* check_deploy.c - tests of runtime/deploy.c. */
#include "runtime/internal.h"
#include "tests/runtime/one_world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Modules that deployments of the test are made of. */
static uint8_t *modules[4];
static size_t modules_count;

static void
close_modules(void)
{
    world_close(&world);
    while (modules_count > 0)
        free(modules[--modules_count]);
}

/* A deployment of an example, whose bytes stay until the test ends. */
static struct runtime_deployment
deployment_of(const char *guest)
{
    struct runtime_deployment deployment = {.namespace_ = "default",
                                            .name = "f"};

    ck_assert_uint_lt(modules_count, 4);
    modules[modules_count] = world_guest(guest, &deployment.module_bytes);
    deployment.module = modules[modules_count++];
    return deployment;
}

static enum runtime_status
deploy(const struct runtime_deployment *deployment, bool *created,
       struct runtime_function_info *info)
{
    struct runtime_function *function = NULL;
    enum runtime_status status =
        runtime_function_deploy(world.runtime, deployment, &function, created,
                                &world.err);

    if (status == RUNTIME_OK)
        runtime_function_info(function, info);
    else
        ck_assert_ptr_null(function);
    /* The registry has it too: the info lives on. */
    runtime_function_put(function);
    return status;
}

START_TEST(a_deployment_makes_a_function)
{
    struct runtime_deployment deployment = deployment_of("hello");
    struct runtime_function_info info;
    bool created = false;

    ck_assert_int_eq(deploy(&deployment, &created, &info), RUNTIME_OK);
    ck_assert(created);
    ck_assert_str_eq(info.namespace_, "default");
    ck_assert_str_eq(info.name, "f");
    ck_assert_int_eq(info.kind, RUNTIME_FAASLET);
    ck_assert_uint_eq(strlen(info.digest), RUNTIME_DIGEST_SIZE - 1);
    ck_assert_uint_eq(info.version, 1);
    ck_assert_uint_gt(info.deployed_ms, 1700000000000);
    ck_assert_uint_eq(info.module_bytes, deployment.module_bytes);
    ck_assert_uint_eq(info.config->fuel, 0);
}
END_TEST

START_TEST(the_same_again_changes_nothing)
{
    struct runtime_deployment deployment = deployment_of("hello");
    struct runtime_function_info info;
    bool created = true;

    deploy(&deployment, NULL, &info);
    ck_assert_int_eq(deploy(&deployment, &created, &info), RUNTIME_OK);
    ck_assert(!created);
    ck_assert_uint_eq(info.version, 1);
}
END_TEST

START_TEST(another_module_or_configuration_is_another_version)
{
    struct runtime_deployment hello = deployment_of("hello");
    struct runtime_deployment echo = deployment_of("echo");
    struct runtime_config config = {.fuel = 1000000};
    struct runtime_function_info info;
    bool created = true;

    deploy(&hello, NULL, &info);
    ck_assert_int_eq(deploy(&echo, &created, &info), RUNTIME_OK);
    ck_assert(!created);
    ck_assert_uint_eq(info.version, 2);
    echo.config = &config;
    deploy(&echo, NULL, &info);
    ck_assert_uint_eq(info.version, 3);
    /* Without a configuration the last one stays. */
    deploy(&hello, NULL, &info);
    ck_assert_uint_eq(info.version, 4);
    ck_assert_uint_eq(info.config->fuel, 1000000);
}
END_TEST

static const struct {
    bool exists;
    enum runtime_condition condition;
    int digest; /* 0: none, 1: the right one, 2: another */
    enum runtime_status status;
} conditions[] = {
    {false, RUNTIME_ALWAYS, 0, RUNTIME_OK},
    {true, RUNTIME_ALWAYS, 0, RUNTIME_OK},
    {false, RUNTIME_IF_ABSENT, 0, RUNTIME_OK},
    {true, RUNTIME_IF_ABSENT, 0, RUNTIME_CONFLICT},
    {false, RUNTIME_IF_PRESENT, 0, RUNTIME_CONFLICT},
    {true, RUNTIME_IF_PRESENT, 0, RUNTIME_OK},
    {false, RUNTIME_IF_DIGEST, 1, RUNTIME_CONFLICT},
    {true, RUNTIME_IF_DIGEST, 0, RUNTIME_CONFLICT},
    {true, RUNTIME_IF_DIGEST, 1, RUNTIME_OK},
    {true, RUNTIME_IF_DIGEST, 2, RUNTIME_CONFLICT},
};

START_TEST(a_condition_is_looked_at)
{
    struct runtime_deployment hello = deployment_of("hello");
    struct runtime_deployment echo = deployment_of("echo");
    struct runtime_function_info info;
    char digest[RUNTIME_DIGEST_SIZE] = "";
    char other[RUNTIME_DIGEST_SIZE];

    memset(other, '0', sizeof(other) - 1);
    other[sizeof(other) - 1] = '\0';
    if (conditions[_i].exists) {
        deploy(&hello, NULL, &info);
        strcpy(digest, info.digest);
    }
    echo.condition = conditions[_i].condition;
    const char *digests[] = {NULL, digest, other};
    echo.digest_expected = digests[conditions[_i].digest];
    ck_assert_int_eq(deploy(&echo, NULL, &info), conditions[_i].status);
}
END_TEST

START_TEST(names_and_limits_are_checked)
{
    struct runtime_deployment deployment = deployment_of("hello");
    struct runtime_function_info info;
    struct runtime_config config = {0};

    deployment.name = "F";
    ck_assert_int_eq(deploy(&deployment, NULL, &info), RUNTIME_INVALID);
    deployment.name = "f";
    deployment.namespace_ = "";
    ck_assert_int_eq(deploy(&deployment, NULL, &info), RUNTIME_INVALID);
    deployment.namespace_ = "default";
    deployment.config = &config;
    config.timeout_ms = RUNTIME_TIMEOUT_MS_CEILING;
    config.fuel = RUNTIME_FUEL_CEILING;
    config.memory_bytes = RUNTIME_MEMORY_BYTES_CEILING;
    ck_assert_int_eq(deploy(&deployment, NULL, &info), RUNTIME_OK);
    config.timeout_ms++;
    ck_assert_int_eq(deploy(&deployment, NULL, &info), RUNTIME_LIMIT);
    ck_assert_ptr_nonnull(strstr(world.err.message, "timeout_ms"));
    config = (struct runtime_config){.fuel = RUNTIME_FUEL_CEILING + 1};
    ck_assert_int_eq(deploy(&deployment, NULL, &info), RUNTIME_LIMIT);
    config = (struct runtime_config){.memory_bytes =
                                         RUNTIME_MEMORY_BYTES_CEILING + 1};
    ck_assert_int_eq(deploy(&deployment, NULL, &info), RUNTIME_LIMIT);
}
END_TEST

START_TEST(a_module_may_be_as_long_as_the_limit)
{
    struct runtime_deployment deployment = deployment_of("hello");
    struct runtime_function_info info;
    struct runtime_options options = {
        .module_bytes_max = deployment.module_bytes};

    world_close(&world);
    world_open(&world, &options);
    ck_assert_int_eq(deploy(&deployment, NULL, &info), RUNTIME_OK);
    world_close(&world);
    options.module_bytes_max--;
    world_open(&world, &options);
    ck_assert_int_eq(deploy(&deployment, NULL, &info), RUNTIME_TOO_BIG);
}
END_TEST

START_TEST(what_is_no_module_is_malformed_and_nothing_has_changed)
{
    struct runtime_deployment deployment = deployment_of("hello");
    struct runtime_function_info info;

    deploy(&deployment, NULL, &info);
    for (deployment.module_bytes = 0; deployment.module_bytes < 100;
         deployment.module_bytes++) {
        /* The header alone is a module, but of no kind. */
        enum runtime_status expected = deployment.module_bytes == 8
                                           ? RUNTIME_INVALID
                                           : RUNTIME_MALFORMED;
        enum runtime_status status = deploy(&deployment, NULL, &info);
        ck_assert_msg(status == expected ||
                          (status == RUNTIME_INVALID &&
                           deployment.module_bytes > 8),
                      "%zu bytes: %s", deployment.module_bytes,
                      runtime_status_name(status));
    }
    struct runtime_call *call = world_call(&world, "f", "");
    world_start(call, RUNTIME_OK);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(an_import_that_there_is_not_is_named)
{
    struct module_builder *builder = module_builder_create();
    struct runtime_deployment deployment = {.namespace_ = "default",
                                            .name = "f"};
    struct runtime_function_info info;

    module_builder_import_func(builder, "glass", "state_guess", "iil:i");
    deployment.module =
        module_builder_finish(builder, &deployment.module_bytes);
    ck_assert_int_eq(deploy(&deployment, NULL, &info), RUNTIME_UNLINKABLE);
    ck_assert_ptr_nonnull(strstr(world.err.message, "glass.state_guess"));
    module_builder_destroy(builder);
}
END_TEST

/* ---- The trial ---------------------------------------------------------- */

/* Deploys a plain export beside an initialiser with that body. */
static enum runtime_status
deploy_initialiser(const char *name, const char *signature,
                   const uint8_t *body, size_t body_bytes)
{
    struct module_builder *builder = module_builder_create();
    struct runtime_config config = {.fuel = 100000, .timeout_ms = 30000};
    struct runtime_deployment deployment = {
        .namespace_ = "default", .name = "f", .config = &config};
    struct runtime_function_info info;

    uint32_t plain = module_builder_func(builder, ":", "", BYTES(0x0b));
    uint32_t initialiser =
        module_builder_func(builder, signature, "", body, body_bytes);
    module_builder_export(builder, "plain", GVM_EXTERN_FUNC, plain);
    if (name)
        module_builder_export(builder, name, GVM_EXTERN_FUNC, initialiser);
    else
        module_builder_start(builder, initialiser);
    deployment.module =
        module_builder_finish(builder, &deployment.module_bytes);
    enum runtime_status status = deploy(&deployment, NULL, &info);
    module_builder_destroy(builder);
    return status;
}

START_TEST(an_initialisation_that_fails_is_told_when_deploying)
{
    static const char *const names[] = {NULL, "_initialize", "glass_init",
                                        "_faasm_zygote"};

    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(
            deploy_initialiser(names[i], ":", BYTES(0x0b)), RUNTIME_OK);
        ck_assert_int_eq(
            deploy_initialiser(names[i], ":", BYTES(0x00, 0x0b)),
            RUNTIME_TRAP);
        ck_assert_str_eq(world.err.trap, "unreachable");
        /* loop br 0 end */
        ck_assert_int_eq(
            deploy_initialiser(names[i], ":",
                               BYTES(0x03, 0x40, 0x0c, 0, 0x0b, 0x0b)),
            RUNTIME_OUT_OF_FUEL);
    }
    ck_assert_int_eq(deploy_initialiser("glass_init", ":i",
                                        BYTES(0x41, 3, 0x0b)),
                     RUNTIME_FAILED);
    ck_assert_str_eq(world.err.message, "glass_init returned 3");
    ck_assert_int_eq(deploy_initialiser("glass_init", ":i",
                                        BYTES(0x41, 0, 0x0b)),
                     RUNTIME_OK);
}
END_TEST

START_TEST(a_memory_above_the_limit_is_told_when_deploying)
{
    struct module_builder *builder = module_builder_create();
    struct runtime_config config = {.memory_bytes = 2 * 65536};
    struct runtime_deployment deployment = {
        .namespace_ = "default", .name = "f", .config = &config};
    struct runtime_function_info info;

    uint32_t plain = module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_export(builder, "plain", GVM_EXTERN_FUNC, plain);
    module_builder_memory(builder, 2, 10);
    deployment.module =
        module_builder_finish(builder, &deployment.module_bytes);
    ck_assert_int_eq(deploy(&deployment, NULL, &info), RUNTIME_OK);
    config.memory_bytes--;
    ck_assert_int_eq(deploy(&deployment, NULL, &info),
                     RUNTIME_OUT_OF_MEMORY);
    module_builder_destroy(builder);
}
END_TEST

/* ---- Deleting, finding, listing ----------------------------------------- */

START_TEST(a_function_is_deleted_and_what_is_gone_is_not_found)
{
    struct runtime_function *function;
    struct runtime_call *call;

    world_deploy_guest(&world, "hello");
    struct runtime_call *before = world_call(&world, "hello", "x");
    ck_assert_int_eq(runtime_function_delete(world.runtime, "default",
                                             "hello", NULL, &world.err),
                     RUNTIME_OK);
    ck_assert_int_eq(runtime_function_delete(world.runtime, "default",
                                             "hello", NULL, &world.err),
                     RUNTIME_NOT_FOUND);
    ck_assert_int_eq(runtime_function_get(world.runtime, "default", "hello",
                                          &function, &world.err),
                     RUNTIME_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(world.err.message, "'hello'"));
    ck_assert_int_eq(runtime_call_create(world.runtime, "default", "hello",
                                         &call, &world.err),
                     RUNTIME_NOT_FOUND);
    /* A call that had begun is not disturbed. */
    world_start(before, RUNTIME_OK);
    runtime_call_destroy(before);
}
END_TEST

START_TEST(a_deletion_may_depend_on_the_digest)
{
    struct runtime_deployment deployment = deployment_of("hello");
    struct runtime_function_info info;
    char digest[RUNTIME_DIGEST_SIZE];

    deploy(&deployment, NULL, &info);
    strcpy(digest, info.digest);
    ck_assert_int_eq(runtime_function_delete(world.runtime, "default", "f",
                                             "other", &world.err),
                     RUNTIME_CONFLICT);
    ck_assert_int_eq(runtime_function_delete(world.runtime, "default", "f",
                                             digest, &world.err),
                     RUNTIME_OK);
    ck_assert_int_eq(runtime_function_delete(world.runtime, "default", "F",
                                             NULL, &world.err),
                     RUNTIME_INVALID);
}
END_TEST

START_TEST(a_listing_comes_in_pages)
{
    struct runtime_function_page page = {0};
    struct runtime_function_info info;
    char name[16];

    for (int i = 0; i < 105; i++) {
        struct module_builder *builder =
            world_handler("", BYTES(0x41, 0, 0x0b));
        snprintf(name, sizeof(name), "f%03d", i);
        world_deploy_built(&world, name, builder);
    }
    ck_assert_int_eq(runtime_function_list(world.runtime, "default", NULL,
                                           NULL, 0, &page, NULL),
                     RUNTIME_OK);
    ck_assert_uint_eq(page.count, RUNTIME_LIST_ITEMS_DEFAULT);
    ck_assert(page.more);
    runtime_function_info(page.functions[page.count - 1], &info);
    ck_assert_str_eq(info.name, "f099");
    struct runtime_function_page next;
    ck_assert_int_eq(runtime_function_list(world.runtime, "default", "f",
                                           info.name, RUNTIME_LIST_ITEMS_MAX,
                                           &next, NULL),
                     RUNTIME_OK);
    ck_assert_uint_eq(next.count, 5);
    ck_assert(!next.more);
    runtime_function_page_deinit(&page);
    runtime_function_page_deinit(&next);
    runtime_function_page_deinit(&next);
    ck_assert_int_eq(runtime_function_list(world.runtime, "nobody", NULL,
                                           NULL, 1, &page, NULL),
                     RUNTIME_OK);
    ck_assert_uint_eq(page.count, 0);
    runtime_function_page_deinit(&page);
    ck_assert_int_eq(runtime_function_list(world.runtime, "default", NULL,
                                           NULL, RUNTIME_LIST_ITEMS_MAX + 1,
                                           &page, NULL),
                     RUNTIME_INVALID);
    ck_assert_int_eq(runtime_function_list(world.runtime, "Nobody", NULL,
                                           NULL, 1, &page, NULL),
                     RUNTIME_INVALID);
}
END_TEST

/* ---- The files ---------------------------------------------------------- */

START_TEST(a_module_stays_as_long_as_a_function_has_it)
{
    struct runtime_deployment hello = deployment_of("hello");
    struct runtime_deployment echo = deployment_of("echo");
    struct runtime_function_info info;
    char path[64], file[256];
    struct runtime_options options = {.data_dir = path};

    world_directory_make(path);
    world_close(&world);
    world_open(&world, &options);
    deploy(&hello, NULL, &info);
    snprintf(file, sizeof(file), "%s/modules/%s.wasm", path, info.digest);
    hello.name = "second";
    deploy(&hello, NULL, &info);
    ck_assert_int_eq(access(file, F_OK), 0);
    deploy(&echo, NULL, &info);
    ck_assert_int_eq(access(file, F_OK), 0);
    runtime_function_delete(world.runtime, "default", "second", NULL, NULL);
    ck_assert_int_ne(access(file, F_OK), 0);
    snprintf(file, sizeof(file), "%s/modules/%s.wasm", path, info.digest);
    ck_assert_int_eq(access(file, F_OK), 0);
    hello.name = "f";
    deploy(&hello, NULL, &info);
    ck_assert_int_ne(access(file, F_OK), 0);
    world_close(&world);
    world_directory_remove(path);
    world_open(&world, NULL);
}
END_TEST

START_TEST(a_disk_that_refuses_changes_nothing)
{
    struct runtime_deployment hello = deployment_of("hello");
    struct runtime_deployment echo = deployment_of("echo");
    struct runtime_function_info info;
    char path[64], file[256];
    struct runtime_options options = {.data_dir = path};

    world_directory_make(path);
    world_close(&world);
    world_open(&world, &options);
    ck_assert_int_eq(deploy(&hello, NULL, &info), RUNTIME_OK);
    /* The place of the unfinished file is taken. */
    snprintf(file, sizeof(file), "%s/functions/default/f.json.tmp", path);
    ck_assert_int_eq(mkdir(file, 0700), 0);
    ck_assert_int_eq(deploy(&echo, NULL, &info), RUNTIME_SYSTEM);
    struct runtime_function *function;
    ck_assert_int_eq(runtime_function_get(world.runtime, "default", "f",
                                          &function, NULL),
                     RUNTIME_OK);
    runtime_function_info(function, &info);
    ck_assert_uint_eq(info.version, 1);
    ck_assert_uint_eq(info.module_bytes, hello.module_bytes);
    runtime_function_put(function);
    world_close(&world);
    world_directory_remove(path);
    world_open(&world, NULL);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_world, close_modules);
    tcase_add_test(tests, a_deployment_makes_a_function);
    tcase_add_test(tests, the_same_again_changes_nothing);
    tcase_add_test(tests, another_module_or_configuration_is_another_version);
    tcase_add_loop_test(tests, a_condition_is_looked_at, 0,
                        sizeof(conditions) / sizeof(conditions[0]));
    tcase_add_test(tests, names_and_limits_are_checked);
    tcase_add_test(tests, a_module_may_be_as_long_as_the_limit);
    tcase_add_test(tests,
                   what_is_no_module_is_malformed_and_nothing_has_changed);
    tcase_add_test(tests, an_import_that_there_is_not_is_named);
    tcase_add_test(tests, an_initialisation_that_fails_is_told_when_deploying);
    tcase_add_test(tests, a_memory_above_the_limit_is_told_when_deploying);
    tcase_add_test(tests,
                   a_function_is_deleted_and_what_is_gone_is_not_found);
    tcase_add_test(tests, a_deletion_may_depend_on_the_digest);
    tcase_add_test(tests, a_listing_comes_in_pages);
    tcase_add_test(tests, a_module_stays_as_long_as_a_function_has_it);
    tcase_add_test(tests, a_disk_that_refuses_changes_nothing);
}

WORLD_MAIN("deploy", add_tests)
