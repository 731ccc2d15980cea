/* check_grants.c - tests of runtime/grants.c, some by guests/grants.c. */
#include "runtime/config.h"
#include "runtime/grants.h"
#include "tests/runtime/one_world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Lists -------------------------------------------------------------- */

static const struct {
    const char *json;
    enum runtime_status status;
    const char *message; /* a part of it */
} texts[] = {
    {"{}", RUNTIME_OK, NULL},
    {"{\"state_read\": []}", RUNTIME_OK, NULL},
    {"{\"state_read\": [\"\"]}", RUNTIME_OK, NULL},
    {"{\"state_write\": [\"a/\", \"b\"]}", RUNTIME_OK, NULL},
    {"{\"functions\": [\"hello\"], \"secrets\": [\"A b\"]}", RUNTIME_OK,
     NULL},
    {"[]", RUNTIME_INVALID, "'grants'"},
    {"null", RUNTIME_INVALID, "'grants'"},
    {"{\"state\": []}", RUNTIME_INVALID, "another member"},
    {"{\"state_read\": [], \"more\": []}", RUNTIME_INVALID,
     "another member"},
    {"{\"state_read\": \"\"}", RUNTIME_INVALID, "'state_read'"},
    {"{\"state_read\": null}", RUNTIME_INVALID, "'state_read'"},
    {"{\"state_write\": [1]}", RUNTIME_INVALID, "'state_write'"},
    {"{\"functions\": [\"\"]}", RUNTIME_INVALID, "'functions'"},
    {"{\"functions\": [\"Hello\"]}", RUNTIME_INVALID, "'Hello'"},
    {"{\"functions\": [\"a/b\"]}", RUNTIME_INVALID, "'a/b'"},
    {"{\"secrets\": [\"\"]}", RUNTIME_INVALID, "'secrets'"},
    {"{\"secrets\": [{}]}", RUNTIME_INVALID, "'secrets'"},
};

static enum runtime_status
parse(const char *grants, struct runtime_config **config,
      struct runtime_error *err)
{
    char json[4096];

    snprintf(json, sizeof(json), "{\"grants\": %s}", grants);
    return runtime_config_parse(json, strlen(json), config, err);
}

START_TEST(grants_are_read_from_json_and_go_back)
{
    struct runtime_config *config = NULL, *again;
    struct runtime_error err;
    enum runtime_status status = parse(texts[_i].json, &config, &err);

    ck_assert_int_eq(status, texts[_i].status);
    if (status != RUNTIME_OK) {
        ck_assert_msg(strstr(err.message, texts[_i].message) != NULL, "%s",
                      err.message);
        return;
    }
    json_t *expected = json_loads(texts[_i].json, 0, NULL);
    json_t *written = runtime__grants_to_json(&config->grants);
    ck_assert(json_equal(written, expected));
    json_decref(written);
    json_decref(expected);
    written = runtime__config_to_json(config);
    ck_assert_int_eq(runtime__config_from_json(written, &again, NULL),
                     RUNTIME_OK);
    ck_assert(runtime__config_equals(config, again));
    json_decref(written);
    free(again);
    free(config);
}
END_TEST

START_TEST(two_grants_differ_by_any_text)
{
    static const char *const all[] = {
        "{}",
        "{\"state_read\": []}",
        "{\"state_read\": [\"\"]}",
        "{\"state_read\": [\"a\"]}",
        "{\"state_read\": [\"a\", \"b\"]}",
        "{\"state_read\": [\"b\", \"a\"]}",
        "{\"state_write\": [\"a\"]}",
        "{\"functions\": [\"a\"]}",
        "{\"secrets\": [\"a\"]}",
    };
    enum { count = sizeof(all) / sizeof(all[0]) };
    struct runtime_config *configs[count];

    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(parse(all[i], &configs[i], NULL), RUNTIME_OK);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++)
            ck_assert_int_eq(
                runtime__config_equals(configs[i], configs[j]), i == j);
    }
    for (size_t i = 0; i < count; i++)
        free(configs[i]);
}
END_TEST

/* One list with `count` texts of `length` letters each. */
static enum runtime_status
check_list(size_t which, size_t count, size_t length,
           struct runtime_error *err)
{
    char *text = malloc(length + 1);
    const char **names = calloc(count, sizeof(*names));
    struct runtime_names list = {names, count};
    struct runtime_grants grants = {
        .state_read = which == 0 ? &list : NULL,
        .state_write = which == 1 ? &list : NULL,
        .functions = which == 2 ? &list : NULL,
        .secrets = which == 3 ? &list : NULL,
    };

    memset(text, 'x', length);
    text[length] = '\0';
    for (size_t i = 0; i < count; i++)
        names[i] = text;
    enum runtime_status status = runtime__grants_check(&grants, err);
    free(names);
    free(text);
    return status;
}

START_TEST(each_list_holds_at_its_limits_and_not_past_them)
{
    static const size_t longest[] = {
        RUNTIME_GRANT_PREFIX_BYTES_MAX, RUNTIME_GRANT_PREFIX_BYTES_MAX,
        RUNTIME_NAME_BYTES_MAX, RUNTIME_SECRET_NAME_BYTES_MAX};
    struct runtime_error err;
    size_t which = (size_t)_i;

    ck_assert_int_eq(check_list(which, RUNTIME_GRANTS_MAX, 1, &err),
                     RUNTIME_OK);
    ck_assert_int_eq(check_list(which, RUNTIME_GRANTS_MAX + 1, 1, &err),
                     RUNTIME_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "256"));
    ck_assert_int_eq(check_list(which, 1, longest[which], &err), RUNTIME_OK);
    ck_assert_int_eq(check_list(which, 1, longest[which] + 1, &err),
                     RUNTIME_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "longer"));
}
END_TEST

START_TEST(a_list_in_json_has_so_many_texts_and_no_more)
{
    char json[4096] = "{\"state_read\": [\"\"";
    struct runtime_config *config;
    struct runtime_error err;

    for (int i = 1; i < RUNTIME_GRANTS_MAX; i++)
        strcat(json, ",\"\"");
    size_t length = strlen(json);
    strcat(json, "]}");
    ck_assert_int_eq(parse(json, &config, NULL), RUNTIME_OK);
    ck_assert_uint_eq(config->grants.state_read->count, RUNTIME_GRANTS_MAX);
    free(config);
    strcpy(json + length, ",\"\"]}");
    ck_assert_int_eq(parse(json, &config, &err), RUNTIME_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "257 texts in 'state_read'"));
}
END_TEST

START_TEST(a_prefix_is_compared_as_bytes)
{
    static const struct {
        const char *key;
        size_t key_bytes;
        bool allowed;
    } rows[] = {
        {"ab/", 3, true},  {"ab/x", 4, true},    {"ab", 2, false},
        {"", 0, false},    {"ab\0/", 4, false},  {"ab/\0\xff", 5, true},
        {"AB/", 3, false}, {"xab/", 4, false},   {"c", 1, true},
    };
    static const char *const prefixes[] = {"ab/", "c"};
    static const struct runtime_names list = {prefixes, 2};
    static const struct runtime_names none = {prefixes, 0};
    const struct runtime_grants grants = {.state_read = &list,
                                          .state_write = &none};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_int_eq(
            runtime__grants_allow_state(&grants, RUNTIME__READ, rows[i].key,
                                        rows[i].key_bytes),
            rows[i].allowed);
        ck_assert(!runtime__grants_allow_state(
            &grants, RUNTIME__READ | RUNTIME__WRITE, rows[i].key,
            rows[i].key_bytes));
    }
    ck_assert(runtime__grants_has(&list, "ab/more", 3));
    ck_assert(!runtime__grants_has(&list, "ab/", 2));
    ck_assert(!runtime__grants_has(NULL, "c", 1));
}
END_TEST

/* ---- Enforcing ---------------------------------------------------------- */

static char secrets_path[64];
static char notices[256];

static void
notice(void *data, const char *message)
{
    (void)data;
    strcat(notices, message);
}

static void
open_secrets(void)
{
    struct runtime_options options = {.secrets_file = secrets_path,
                                      .notice = notice};
    FILE *file;

    strcpy(secrets_path, "secrets.XXXXXX");
    file = fdopen(mkstemp(secrets_path), "w");
    ck_assert_ptr_nonnull(file);
    fputs("{\"default\": {\"a\": \"first a\", \"b\": \"first b\"},"
          "\"other\": {\"c\": \"of another's\"}}",
          file);
    fclose(file);
    notices[0] = '\0';
    world_open(&world, &options);
    ck_assert_str_eq(notices, "");
}

static void
close_secrets(void)
{
    world_close(&world);
    remove(secrets_path);
}

static void
deploy(const char *grants)
{
    size_t length_bytes;
    uint8_t *bytes = world_guest("grants", &length_bytes);
    struct runtime_config *config;

    ck_assert_int_eq(parse(grants, &config, &world.err), RUNTIME_OK);
    struct runtime_deployment deployment = {
        "default", "grants", bytes, length_bytes, config, RUNTIME_ALWAYS,
        NULL};
    enum runtime_status status = runtime_function_deploy(
        world.runtime, &deployment, NULL, NULL, &world.err);
    ck_assert_msg(status == RUNTIME_OK, "%s", world.err.message);
    free(config);
    free(bytes);
}

/* The output of an export (NULL: of the handler); its log is in `log`. */
static char log_text[8192];

static const char *
ask(const char *export_name, const char *input)
{
    static char output[256];
    struct runtime_call *call = world_call(&world, "grants", input);

    if (export_name)
        ck_assert_int_eq(
            runtime_call_set_export(call, export_name, NULL, 0, &world.err),
            RUNTIME_OK);
    const struct runtime_result *result = world_start(call, RUNTIME_OK);
    snprintf(output, sizeof(output), "%.*s", (int)result->output_bytes,
             (const char *)result->output);
    snprintf(log_text, sizeof(log_text), "%.*s", (int)result->log_bytes,
             result->log);
    runtime_call_destroy(call);
    return output;
}

static uint64_t
denied_count(void)
{
    struct runtime_statistics statistics;

    runtime_statistics(world.runtime, &statistics);
    return statistics.denied_count;
}

/* For the keys a/1 and b/1: what reads, what writes, what does both. */
static const struct {
    const char *grants;
    const char *report;
} reports[] = {
    {"{}", "..... ....... . ..... ....... . "},
    {"{\"secrets\": []}", "..... ....... . ..... ....... . "},
    {"{\"state_read\": [\"a/\"]}", "..... ....... . DDDDD ....... D "},
    {"{\"state_write\": [\"a/\"]}", "..... ....... . ..... DDDDDDD D "},
    {"{\"state_read\": []}", "DDDDD ....... D DDDDD ....... D "},
    {"{\"state_write\": []}", "..... DDDDDDD D ..... DDDDDDD D "},
    {"{\"state_read\": [\"a\"], \"state_write\": [\"b\", \"c\"]}",
     "..... DDDDDDD D DDDDD ....... D "},
    {"{\"state_read\": [\"a/1\"], \"state_write\": [\"a/1\"]}",
     "..... ....... . DDDDD DDDDDDD D "},
    {"{\"state_read\": [\"a/11\"], \"state_write\": [\"\"]}",
     "DDDDD ....... D DDDDD ....... D "},
};

START_TEST(every_access_of_the_state_is_held_against_the_grants)
{
    uint64_t denied = 1; /* the secret, when it was initialised */

    deploy(reports[_i].grants);
    ck_assert_str_eq(ask(NULL, ""), reports[_i].report);
    denied++; /* and at the start */
    for (const char *at = reports[_i].report; *at; at++)
        denied += *at == 'D';
    ck_assert_uint_eq(denied_count(), denied);
}
END_TEST

START_TEST(a_list_is_granted_by_its_prefix)
{
    deploy("{\"state_read\": [\"ab\"]}");
    ck_assert_str_eq(ask("list", "ab"), ".");
    ck_assert_str_eq(ask("list", "abc"), ".");
    ck_assert_str_eq(ask("list", "a"), "D");
    ck_assert_str_eq(ask("list", ""), "D");
}
END_TEST

START_TEST(a_refusal_is_in_the_log_and_prints)
{
    deploy("{\"state_read\": []}");
    ask("list", "key\n\x1b\xff.");
    ck_assert_msg(
        strstr(log_text, "warning: denied: to read 'key???.'\n") != NULL,
        "%s", log_text);
    ask(NULL, "");
    ck_assert_ptr_nonnull(
        strstr(log_text, "warning: denied: to read and write 'a/1'\n"));
}
END_TEST

START_TEST(a_secret_is_given_to_whom_it_is_granted)
{
    deploy("{\"secrets\": [\"b\", \"c\", \"missing\"]}");
    ck_assert_str_eq(ask(NULL, "b"), "first b");
    ck_assert_ptr_null(strstr(log_text, "first"));
    ck_assert_str_eq(ask(NULL, "a"), "denied");
    ck_assert_ptr_nonnull(
        strstr(log_text, "warning: denied: to get the secret 'a'\n"));
    /* Another namespace's is as one that there is not. */
    ck_assert_str_eq(ask(NULL, "c"), "none");
    ck_assert_str_eq(ask(NULL, "missing"), "none");
    ck_assert_str_eq(ask(NULL, "missin"), "denied");
}
END_TEST

START_TEST(a_secret_is_not_there_while_a_function_is_initialised)
{
    deploy("{\"secrets\": [\"a\"]}");
    ck_assert_uint_eq(denied_count(), 1);
    ask("secrets_come_at_the_start_and_not_before", "");
    ck_assert_uint_eq(denied_count(), 1);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_secrets, close_secrets);
    tcase_add_loop_test(tests, grants_are_read_from_json_and_go_back, 0,
                        sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(tests, two_grants_differ_by_any_text);
    tcase_add_loop_test(tests, each_list_holds_at_its_limits_and_not_past_them,
                        0, 4);
    tcase_add_test(tests, a_list_in_json_has_so_many_texts_and_no_more);
    tcase_add_test(tests, a_prefix_is_compared_as_bytes);
    tcase_add_loop_test(
        tests, every_access_of_the_state_is_held_against_the_grants, 0,
        sizeof(reports) / sizeof(reports[0]));
    tcase_add_test(tests, a_list_is_granted_by_its_prefix);
    tcase_add_test(tests, a_refusal_is_in_the_log_and_prints);
    tcase_add_test(tests, a_secret_is_given_to_whom_it_is_granted);
    tcase_add_test(tests,
                   a_secret_is_not_there_while_a_function_is_initialised);
}

WORLD_MAIN("grants", add_tests)
