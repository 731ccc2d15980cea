/* check_vault.c - tests of runtime/vault.c. */
#include "runtime/vault.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];
static struct runtime__vault *vault;
static struct runtime_error err;
static char notices[512];

static void
make_file(void)
{
    strcpy(path, "secrets.XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    vault = NULL;
    notices[0] = '\0';
}

static void
remove_file(void)
{
    runtime__vault_close(vault);
    remove(path);
}

static void
notice(void *data, const char *message)
{
    ck_assert_ptr_eq(data, notices);
    strcat(notices, message);
}

static enum runtime_status
open_vault(const char *text)
{
    FILE *file = fopen(path, "w");

    fputs(text, file);
    fclose(file);
    return runtime__vault_open(path, notice, notices, &vault, &err);
}

static const char *
find(const char *namespace_, const char *name)
{
    return runtime__vault_find(vault, namespace_, name, strlen(name));
}

START_TEST(a_secret_is_found_by_namespace_and_name)
{
    ck_assert_int_eq(open_vault("{\"a\": {\"x\": \"1\", \"y z\": \"\"},"
                                "\"b\": {\"x\": \"2\\n\"}, \"c\": {}}"),
                     RUNTIME_OK);
    ck_assert_str_eq(notices, "");
    ck_assert_str_eq(find("a", "x"), "1");
    ck_assert_str_eq(find("a", "y z"), "");
    ck_assert_str_eq(find("b", "x"), "2\n");
    ck_assert_ptr_null(find("b", "y z"));
    ck_assert_ptr_null(find("c", "x"));
    ck_assert_ptr_null(find("d", "x"));
    ck_assert_ptr_null(find("a", ""));
    /* The name need not end, and a zero in it is a part of it. */
    ck_assert_str_eq(runtime__vault_find(vault, "a", "xyz", 1), "1");
    ck_assert_ptr_null(runtime__vault_find(vault, "a", "x\0y", 2));
    ck_assert_ptr_null(runtime__vault_find(NULL, "a", "x", 1));
}
END_TEST

static const struct {
    const char *text;
    const char *message;
} refused[] = {
    {"", "no JSON (line 1)"},
    {"{\n\"a\": {\"x\": hunter2}}", "no JSON (line 2)"},
    {"{\"a\": {\"x\": \"1\", \"x\": \"2\"}}", "no JSON"},
    {"[]", "no JSON object"},
    {"{\"A\": {}}", "'A'"},
    {"{\"a\": \"hunter2\"}", "namespace 'a'"},
    {"{\"a\": {\"x\": 1}}", "'x'"},
    {"{\"a\": {\"x\": [\"hunter2\"]}}", "'x'"},
    {"{\"a\": {\"\": \"hunter2\"}}", "no name"},
    {"{\"a\": {\"x\": \"hunter2\\u0000\"}}", "no JSON"},
};

START_TEST(what_makes_no_sense_is_refused_and_not_quoted)
{
    ck_assert_int_eq(open_vault(refused[_i].text), RUNTIME_INVALID);
    ck_assert_msg(strstr(err.message, refused[_i].message) != NULL, "%s",
                  err.message);
    ck_assert_ptr_null(strstr(err.message, "hunter2"));
    ck_assert_ptr_null(vault);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_not_found)
{
    ck_assert_int_eq(
        runtime__vault_open("no-such-file", NULL, NULL, &vault, &err),
        RUNTIME_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "no-such-file"));
}
END_TEST

/* A secret whose name and value have so many bytes. */
static enum runtime_status
open_long(size_t name_bytes, size_t value_bytes)
{
    char *text = malloc(name_bytes + value_bytes + 32);

    memset(text, 'x', name_bytes + value_bytes + 32);
    memcpy(text, "{\"a\":{\"", 7);
    memcpy(text + 7 + name_bytes, "\":\"", 3);
    strcpy(text + 7 + name_bytes + 3 + value_bytes, "\"}}");
    enum runtime_status status = open_vault(text);
    free(text);
    return status;
}

START_TEST(names_and_secrets_hold_at_their_limits_and_not_past_them)
{
    ck_assert_int_eq(
        open_long(RUNTIME_SECRET_NAME_BYTES_MAX, RUNTIME_SECRET_BYTES_MAX),
        RUNTIME_OK);
    runtime__vault_close(vault);
    vault = NULL;
    ck_assert_int_eq(open_long(RUNTIME_SECRET_NAME_BYTES_MAX + 1, 1),
                     RUNTIME_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "256"));
    ck_assert_int_eq(open_long(1, RUNTIME_SECRET_BYTES_MAX + 1),
                     RUNTIME_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "65536"));
}
END_TEST

START_TEST(a_file_has_a_limit)
{
    char *text = malloc(RUNTIME_SECRETS_BYTES_MAX + 2);

    memset(text, ' ', RUNTIME_SECRETS_BYTES_MAX + 1);
    memcpy(text, "{}", 2);
    text[RUNTIME_SECRETS_BYTES_MAX + 1] = '\0';
    ck_assert_int_eq(open_vault(text), RUNTIME_TOO_BIG);
    text[RUNTIME_SECRETS_BYTES_MAX] = '\0';
    ck_assert_int_eq(open_vault(text), RUNTIME_OK);
    free(text);
}
END_TEST

START_TEST(a_file_that_others_can_read_is_told)
{
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(open_vault("{}"), RUNTIME_OK);
    ck_assert_msg(strstr(notices, "mode 640") != NULL, "%s", notices);
    runtime__vault_close(vault);
    vault = NULL;
    ck_assert_int_eq(runtime__vault_open(path, NULL, NULL, &vault, &err),
                     RUNTIME_OK);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, make_file, remove_file);
    tcase_add_test(tests, a_secret_is_found_by_namespace_and_name);
    tcase_add_loop_test(tests, what_makes_no_sense_is_refused_and_not_quoted,
                        0, sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tests, a_file_that_is_not_there_is_not_found);
    tcase_add_test(tests,
                   names_and_secrets_hold_at_their_limits_and_not_past_them);
    tcase_add_test(tests, a_file_has_a_limit);
    tcase_add_test(tests, a_file_that_others_can_read_is_told);
}

WORLD_MAIN("vault", add_tests)
