/* check_config.c - tests of runtime/config.c. */
#include "runtime/config.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *json;
    enum runtime_status status;
    const char *message; /* a part of it */
} texts[] = {
    {"{}", RUNTIME_OK, NULL},
    {"{\"timeout_ms\": 0}", RUNTIME_OK, NULL},
    {"{\"timeout_ms\": 9223372036854775807}", RUNTIME_OK, NULL},
    {"{\"timeout_ms\": 9223372036854775808}", RUNTIME_INVALID, "no JSON"},
    {"{\"timeout_ms\": -1}", RUNTIME_INVALID, "timeout_ms"},
    {"{\"timeout_ms\": 1.5}", RUNTIME_INVALID, "timeout_ms"},
    {"{\"fuel\": \"1\"}", RUNTIME_INVALID, "fuel"},
    {"{\"memory_bytes\": null}", RUNTIME_INVALID, "memory_bytes"},
    {"{\"concurrency\": -1}", RUNTIME_INVALID, "concurrency"},
    {"{\"queue\": 1.5}", RUNTIME_INVALID, "queue"},
    {"{\"queue_ms\": \"1\"}", RUNTIME_INVALID, "queue_ms"},
    {"{\"memory_max\": 1}", RUNTIME_INVALID, "memory_max"},
    {"{\"fuel\": 1, \"fuel\": 2}", RUNTIME_INVALID, "no JSON"},
    {"{\"reuse\": \"fresh\"}", RUNTIME_OK, NULL},
    {"{\"reuse\": \"warm\"}", RUNTIME_OK, NULL},
    {"{\"reuse\": \"hot\"}", RUNTIME_INVALID, "reuse"},
    {"{\"reuse\": 1}", RUNTIME_INVALID, "reuse"},
    {"{\"dirs\": {}}", RUNTIME_OK, NULL},
    {"{\"dirs\": {\"/a\": \"b\", \"/b\": \"b\"}}", RUNTIME_OK, NULL},
    {"{\"dirs\": [\"a\"]}", RUNTIME_INVALID, "'dirs'"},
    {"{\"dirs\": {\"/a\": 1}}", RUNTIME_INVALID, "'/a'"},
    {"{\"dirs\": {\"/a\": \"\"}}", RUNTIME_INVALID, "empty"},
    {"{\"dirs\": {\"\": \"a\"}}", RUNTIME_INVALID, "empty"},
    {"{\"env\": []}", RUNTIME_INVALID, "env"},
    {"{\"env\": {}}", RUNTIME_OK, NULL},
    {"{\"env\": {\"A\": 1}}", RUNTIME_INVALID, "'A'"},
    {"{\"env\": {\"A\": \"\"}}", RUNTIME_OK, NULL},
    {"{\"env\": {\"\": \"x\"}}", RUNTIME_INVALID, "name"},
    {"{\"env\": {\"A=B\": \"x\"}}", RUNTIME_INVALID, "name"},
    {"{\"env\": {\"A\": \"x\\u0000y\"}}", RUNTIME_INVALID, "no JSON"},
    {"[]", RUNTIME_INVALID, "object"},
    {"", RUNTIME_INVALID, "no JSON"},
    {"{} x", RUNTIME_INVALID, "no JSON"},
};

START_TEST(a_configuration_is_read_from_json)
{
    struct runtime_config *config = NULL;
    struct runtime_error err;
    enum runtime_status status = runtime_config_parse(
        texts[_i].json, strlen(texts[_i].json), &config, &err);

    ck_assert_int_eq(status, texts[_i].status);
    if (status == RUNTIME_OK)
        ck_assert_ptr_nonnull(config);
    else
        ck_assert_msg(strstr(err.message, texts[_i].message) != NULL, "%s",
                      err.message);
    free(config);
}
END_TEST

START_TEST(every_member_arrives_and_goes_back)
{
    const char *json = "{\"timeout_ms\": 1, \"fuel\": 2, \"memory_bytes\": 3,"
                       "\"concurrency\": 4, \"queue\": 5, \"queue_ms\": 6,"
                       "\"stack_bytes\": 7, \"table_entries\": 8,"
                       "\"output_bytes\": 9, \"log_bytes_per_s\": 10,"
                       "\"reuse\": \"warm\","
                       "\"env\": {\"A\": \"x\", \"LONG\": \"y=z\"},"
                       "\"dirs\": {\"/a\": \"b/c\", \"d\": \".\"}}";
    struct runtime_config *config, *again;

    ck_assert_int_eq(
        runtime_config_parse(json, strlen(json), &config, NULL), RUNTIME_OK);
    ck_assert_uint_eq(config->timeout_ms, 1);
    ck_assert_uint_eq(config->fuel, 2);
    ck_assert_uint_eq(config->memory_bytes, 3);
    ck_assert_uint_eq(config->concurrency, 4);
    ck_assert_uint_eq(config->queue, 5);
    ck_assert_uint_eq(config->queue_ms, 6);
    ck_assert_uint_eq(config->stack_bytes, 7);
    ck_assert_uint_eq(config->table_entries, 8);
    ck_assert_uint_eq(config->output_bytes, 9);
    ck_assert_uint_eq(config->log_bytes_per_s, 10);
    ck_assert_int_eq(config->reuse, RUNTIME_REUSE_WARM);
    ck_assert_uint_eq(config->variable_count, 2);
    ck_assert_str_eq(config->variables[1].name, "LONG");
    ck_assert_str_eq(config->variables[1].value, "y=z");
    ck_assert_uint_eq(config->directory_count, 2);
    ck_assert_str_eq(config->directories[0].guest, "/a");
    ck_assert_str_eq(config->directories[0].host, "b/c");
    ck_assert(config->directories[1].read_only);
    json_t *written = runtime__config_to_json(config);
    ck_assert_int_eq(runtime__config_from_json(written, &again, NULL),
                     RUNTIME_OK);
    ck_assert(runtime__config_equals(config, again));
    json_decref(written);
    free(config);
    free(again);
}
END_TEST

START_TEST(two_configurations_differ_by_any_member)
{
    static const struct runtime_variable a[] = {{"A", "x"}};
    static const struct runtime_variable b[] = {{"B", "x"}};
    static const struct runtime_variable y[] = {{"A", "y"}};
    static const struct runtime_directory in[] = {{"a", "/a", true}};
    static const struct runtime_directory at[] = {{"b", "/a", true}};
    static const struct runtime_directory as[] = {{"a", "/b", true}};
    static const struct runtime_config configs[] = {
        {0},
        {.timeout_ms = 1},
        {.fuel = 1},
        {.memory_bytes = 1},
        {.concurrency = 1},
        {.queue = 1},
        {.queue_ms = 1},
        {.stack_bytes = 1},
        {.table_entries = 1},
        {.output_bytes = 1},
        {.log_bytes_per_s = 1},
        {.reuse = RUNTIME_REUSE_WARM},
        {.variables = a, .variable_count = 1},
        {.variables = b, .variable_count = 1},
        {.variables = y, .variable_count = 1},
        {.directories = in, .directory_count = 1},
        {.directories = at, .directory_count = 1},
        {.directories = as, .directory_count = 1},
    };

    const size_t count = sizeof(configs) / sizeof(configs[0]);

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++)
            ck_assert_int_eq(
                runtime__config_equals(&configs[i], &configs[j]), i == j);
    }
}
END_TEST

START_TEST(a_variable_is_found_by_its_whole_name)
{
    static const struct runtime_variable variables[] = {{"AB", "1"},
                                                        {"A", "2"}};
    static const struct runtime_config config = {.variables = variables,
                                                 .variable_count = 2};

    ck_assert_str_eq(runtime__config_find(&config, "A", 1), "2");
    ck_assert_str_eq(runtime__config_find(&config, "AB", 2), "1");
    ck_assert_str_eq(runtime__config_find(&config, "ABC", 2), "1");
    ck_assert_ptr_null(runtime__config_find(&config, "ABC", 3));
    ck_assert_ptr_null(runtime__config_find(&config, "", 0));
}
END_TEST

/* A text of so many letters, to be freed. */
static char *
letters(size_t count)
{
    char *text = malloc(count + 1);

    memset(text, 'x', count);
    text[count] = '\0';
    return text;
}

/* Whether there may be such a configuration. */
static enum runtime_status
copy(const struct runtime_config *config)
{
    struct runtime_config *made = NULL;
    enum runtime_status status = runtime__config_copy(config, &made, NULL);

    free(made);
    return status;
}

static enum runtime_status
copy_variables(const struct runtime_variable *variables, size_t count)
{
    return copy(&(struct runtime_config){.variables = variables,
                                         .variable_count = count});
}

START_TEST(each_limit_holds_at_and_past_it)
{
    static char names[RUNTIME_VARIABLES_MAX + 1][8];
    static struct runtime_variable many[RUNTIME_VARIABLES_MAX + 1];
    char *name = letters(RUNTIME_VARIABLE_NAME_BYTES_MAX + 1);
    char *value = letters(RUNTIME_VARIABLE_VALUE_BYTES_MAX + 1);

    for (size_t i = 0; i <= RUNTIME_VARIABLES_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "N%zu", i);
        many[i] = (struct runtime_variable){names[i], ""};
    }
    ck_assert_int_eq(copy_variables(many, RUNTIME_VARIABLES_MAX), RUNTIME_OK);
    ck_assert_int_eq(copy_variables(many, RUNTIME_VARIABLES_MAX + 1),
                     RUNTIME_LIMIT);
    struct runtime_variable one = {name, ""};
    ck_assert_int_eq(copy_variables(&one, 1), RUNTIME_LIMIT);
    one.name++;
    ck_assert_int_eq(copy_variables(&one, 1), RUNTIME_OK);
    one = (struct runtime_variable){"N", value};
    ck_assert_int_eq(copy_variables(&one, 1), RUNTIME_LIMIT);
    one.value++;
    ck_assert_int_eq(copy_variables(&one, 1), RUNTIME_OK);
    free(name);
    free(value);
}
END_TEST

static enum runtime_status
copy_directories(const struct runtime_directory *directories, size_t count)
{
    return copy(&(struct runtime_config){.directories = directories,
                                         .directory_count = count});
}

START_TEST(directories_have_their_limits_too)
{
    static char names[RUNTIME_DIRECTORIES_MAX + 1][8];
    static struct runtime_directory many[RUNTIME_DIRECTORIES_MAX + 1];
    char *name = letters(RUNTIME_DIRECTORY_NAME_BYTES_MAX + 1);

    for (size_t i = 0; i <= RUNTIME_DIRECTORIES_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "/%zu", i);
        many[i] = (struct runtime_directory){"a", names[i], true};
    }
    ck_assert_int_eq(copy_directories(many, RUNTIME_DIRECTORIES_MAX),
                     RUNTIME_OK);
    ck_assert_int_eq(copy_directories(many, RUNTIME_DIRECTORIES_MAX + 1),
                     RUNTIME_LIMIT);
    struct runtime_directory one = {name, "a", true};
    ck_assert_int_eq(copy_directories(&one, 1), RUNTIME_LIMIT);
    one.host++;
    ck_assert_int_eq(copy_directories(&one, 1), RUNTIME_OK);
    one = (struct runtime_directory){"a", name, true};
    ck_assert_int_eq(copy_directories(&one, 1), RUNTIME_LIMIT);
    one.guest++;
    ck_assert_int_eq(copy_directories(&one, 1), RUNTIME_OK);
    one = (struct runtime_directory){"a", "a", false};
    ck_assert_int_eq(copy_directories(&one, 1), RUNTIME_INVALID);
    one = (struct runtime_directory){"\xff", "a", true};
    ck_assert_int_eq(copy_directories(&one, 1), RUNTIME_INVALID);
    one = (struct runtime_directory){"a", NULL, true};
    ck_assert_int_eq(copy_directories(&one, 1), RUNTIME_INVALID);
    many[1].guest = many[0].guest;
    ck_assert_int_eq(copy_directories(many, 2), RUNTIME_INVALID);
    free(name);
}
END_TEST

START_TEST(what_no_file_could_hold_is_refused)
{
    static const struct runtime_variable broken[] = {
        {"A", "\xff"}, {"\xff", "a"}, {NULL, "a"}, {"A", NULL}};
    static const struct runtime_variable twice[] = {{"A", "1"}, {"A", "2"}};

    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(copy_variables(&broken[i], 1), RUNTIME_INVALID);
    ck_assert_int_eq(copy_variables(twice, 2), RUNTIME_INVALID);
}
END_TEST

START_TEST(a_configuration_that_is_too_long_is_not_even_read)
{
    struct runtime_config *config = NULL;
    char *text = letters(RUNTIME_CONFIG_BYTES_MAX + 1);

    memset(text, ' ', RUNTIME_CONFIG_BYTES_MAX + 1);
    memcpy(text, "{}", 2);
    ck_assert_int_eq(runtime_config_parse(text, RUNTIME_CONFIG_BYTES_MAX,
                                          &config, NULL),
                     RUNTIME_OK);
    free(config);
    ck_assert_int_eq(runtime_config_parse(text, RUNTIME_CONFIG_BYTES_MAX + 1,
                                          &config, NULL),
                     RUNTIME_TOO_BIG);
    free(text);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_configuration_is_read_from_json, 0,
                        sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(tests, every_member_arrives_and_goes_back);
    tcase_add_test(tests, two_configurations_differ_by_any_member);
    tcase_add_test(tests, a_variable_is_found_by_its_whole_name);
    tcase_add_test(tests, each_limit_holds_at_and_past_it);
    tcase_add_test(tests, directories_have_their_limits_too);
    tcase_add_test(tests, what_no_file_could_hold_is_refused);
    tcase_add_test(tests, a_configuration_that_is_too_long_is_not_even_read);
}

WORLD_MAIN("config", add_tests)
