/*
 * check_token_file.c - tests of http/token_file.c: what an operator does to
 * the file of tokens, and what becomes of one that is damaged.
 */
#define _GNU_SOURCE /* memmem */
#include "http/token_file.h"
#include "tests/support/suite.h"
#include "tests/support/whole_file.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static char path[96];

static void
make_directory(void)
{
    strcpy(directory, "tokens.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/tokens.json", directory);
}

static void
remove_directory(void)
{
    char lock[96];

    snprintf(lock, sizeof(lock), "%s/tokens.lock", directory);
    unlink(path);
    unlink(lock);
    ck_assert_int_eq(rmdir(directory), 0);
}

static const char *const scopes[] = {"invoke", "state:r=users/"};
static const struct http_token usual = {
    .namespace_ = "a",
    .note = "for the tests",
    .expires_ms = 4102444800000,
    .scopes = scopes,
    .scope_count = 2,
};

static void
count(void *data, const struct http_token *token)
{
    ck_assert_uint_eq(strlen(token->id), 16);
    ++*(unsigned *)data;
}

static unsigned
count_tokens(void)
{
    unsigned sum = 0;

    ck_assert_int_eq(http_token_each(directory, count, &sum, NULL), HTTP_OK);
    return sum;
}

static void
expect_usual(void *data, const struct http_token *token)
{
    memcpy(data, token->id, HTTP_TOKEN_ID_SIZE);
    ck_assert_str_eq(token->namespace_, "a");
    ck_assert_str_eq(token->note, "for the tests");
    ck_assert_uint_eq(token->expires_ms, 4102444800000);
    ck_assert_uint_gt(token->created_ms, 0);
    ck_assert_uint_eq(token->scope_count, 2);
    ck_assert_str_eq(token->scopes[0], "invoke");
    ck_assert_str_eq(token->scopes[1], "state:r=users/");
}

START_TEST(a_token_that_was_created_is_listed_until_it_is_revoked)
{
    char text[HTTP_TOKEN_SIZE], id[HTTP_TOKEN_ID_SIZE] = "";
    struct http_error err;

    ck_assert_int_eq(http_token_each(directory, count, NULL, NULL),
                     HTTP_NOT_FOUND);
    ck_assert_int_eq(http_token_create(directory, &usual, text, &err),
                     HTTP_OK);
    ck_assert_int_eq(http_token_each(directory, expect_usual, id, NULL),
                     HTTP_OK);
    ck_assert_int_eq(memcmp(text + 6, id, 16), 0);
    ck_assert_int_eq(http_token_revoke(directory, "0", &err), HTTP_NOT_FOUND);
    ck_assert_uint_eq(count_tokens(), 1);
    ck_assert_int_eq(http_token_revoke(directory, id, &err), HTTP_OK);
    ck_assert_int_eq(http_token_revoke(directory, id, &err), HTTP_NOT_FOUND);
    /* An empty list is a list: nobody is let in. */
    ck_assert_uint_eq(count_tokens(), 0);
}
END_TEST

START_TEST(nobody_but_its_owner_can_read_the_file_and_the_secret_nobody)
{
    char text[HTTP_TOKEN_SIZE];
    size_t length;
    struct stat info;

    ck_assert_int_eq(http_token_create(directory, &usual, text, NULL),
                     HTTP_OK);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    char *bytes = (char *)whole_file_read(path, &length);
    ck_assert_ptr_nonnull(memmem(bytes, length, text + 6, 16));
    ck_assert_ptr_null(memmem(bytes, length, text + 23, 64));
    free(bytes);
}
END_TEST

static const char *const many[HTTP_TOKEN_SCOPES_MAX + 1] = {
    [0 ... HTTP_TOKEN_SCOPES_MAX] = "admin"};
static const char *const unknown[] = {"everything"};

static const struct {
    const char *namespace_;
    const char *const *scopes;
    size_t scope_count;
    enum http_status status;
} wanted[] = {
    {"a", many, HTTP_TOKEN_SCOPES_MAX, HTTP_OK},
    {"a", many, HTTP_TOKEN_SCOPES_MAX + 1, HTTP_INVALID},
    {"a", many, 0, HTTP_INVALID},
    {"a", unknown, 1, HTTP_INVALID},
    {"A", many, 1, HTTP_INVALID},
    {NULL, many, 1, HTTP_INVALID},
};

START_TEST(a_token_that_makes_no_sense_is_not_created)
{
    const struct http_token token = {
        .namespace_ = wanted[_i].namespace_,
        .scopes = wanted[_i].scopes,
        .scope_count = wanted[_i].scope_count,
    };
    char text[HTTP_TOKEN_SIZE] = "untouched";
    struct http_error err = {""};

    ck_assert_int_eq(http_token_create(directory, &token, text, &err),
                     wanted[_i].status);
    if (wanted[_i].status == HTTP_OK)
        return;
    ck_assert_str_eq(text, "untouched");
    ck_assert_str_ne(err.message, "");
    ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

#define THREADS 4
#define TOKENS 10

static void *
create_many(void *data)
{
    char text[HTTP_TOKEN_SIZE];
    size_t failures = 0;

    (void)data;
    for (int i = 0; i < TOKENS; i++)
        failures += http_token_create(directory, &usual, text, NULL) !=
                    HTTP_OK;
    return (void *)failures;
}

START_TEST(tokens_that_are_created_at_once_are_all_there)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, create_many, NULL),
                         0);
    for (int i = 0; i < THREADS; i++) {
        void *failures;
        pthread_join(threads[i], &failures);
        ck_assert_ptr_null(failures);
    }
    ck_assert_uint_eq(count_tokens(), THREADS * TOKENS);
}
END_TEST

static const char *const damaged[] = {
    "", "{", "{}", "{\"tokens\": [], \"tokens\": []}", "{\"tokens\": [1]}",
};

START_TEST(a_file_that_makes_no_sense_is_refused_and_left_alone)
{
    char text[HTTP_TOKEN_SIZE];
    struct http_error err = {""};
    size_t length;

    whole_file_write_text(path, damaged[_i]);
    ck_assert_int_eq(http_token_create(directory, &usual, text, &err),
                     HTTP_INVALID);
    ck_assert_str_ne(err.message, "");
    ck_assert_int_eq(http_token_revoke(directory, "0", &err), HTTP_INVALID);
    ck_assert_int_eq(http_token_each(directory, count, NULL, &err),
                     HTTP_INVALID);
    char *bytes = (char *)whole_file_read(path, &length);
    ck_assert_uint_eq(length, strlen(damaged[_i]));
    ck_assert_mem_eq(bytes, damaged[_i], length);
    free(bytes);
}
END_TEST

START_TEST(a_file_has_a_limit_and_a_directory_is_one)
{
    struct http__tokens *tokens;

    whole_file_write_text(path, "{\"tokens\": []}");
    ck_assert_int_eq(truncate(path, HTTP_TOKENS_BYTES_MAX + 1), 0);
    ck_assert_int_eq(http__token_file_read(directory, &tokens, NULL),
                     HTTP_LIMIT);
    /* What is behind the text is no JSON. */
    ck_assert_int_eq(truncate(path, HTTP_TOKENS_BYTES_MAX), 0);
    ck_assert_int_eq(http__token_file_read(directory, &tokens, NULL),
                     HTTP_INVALID);
    ck_assert_int_eq(http__token_file_read(path, &tokens, NULL), HTTP_SYSTEM);
    ck_assert_int_eq(http__token_file_read("not-there", &tokens, NULL),
                     HTTP_NOT_FOUND);
    ck_assert_int_eq(http_token_revoke("not-there", "0", NULL), HTTP_SYSTEM);
}
END_TEST

START_TEST(a_directory_that_cannot_be_written_to_is_a_systems_error)
{
    char text[HTTP_TOKEN_SIZE];
    char unfinished[128];

    snprintf(unfinished, sizeof(unfinished), "%s.tmp", path);
    ck_assert_int_eq(mkdir(unfinished, 0700), 0);
    ck_assert_int_eq(http_token_create(directory, &usual, text, NULL),
                     HTTP_SYSTEM);
    ck_assert_int_eq(access(path, F_OK), -1);
    rmdir(unfinished);
    ck_assert_int_eq(http_token_create(directory, &usual, text, NULL),
                     HTTP_OK);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/token_file");
    TCase *tests = tcase_create("token_file");

    tcase_add_checked_fixture(tests, make_directory, remove_directory);
    tcase_add_test(tests,
                   a_token_that_was_created_is_listed_until_it_is_revoked);
    tcase_add_test(
        tests, nobody_but_its_owner_can_read_the_file_and_the_secret_nobody);
    tcase_add_loop_test(tests, a_token_that_makes_no_sense_is_not_created, 0,
                        COUNT(wanted));
    tcase_add_test(tests, tokens_that_are_created_at_once_are_all_there);
    tcase_add_loop_test(
        tests, a_file_that_makes_no_sense_is_refused_and_left_alone, 0,
        COUNT(damaged));
    tcase_add_test(tests, a_file_has_a_limit_and_a_directory_is_one);
    tcase_add_test(tests,
                   a_directory_that_cannot_be_written_to_is_a_systems_error);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
