/*
 * check_tokens.c - tests of http/tokens.c: reading many, and finding one by a
 * header.
 */
#include "http/tokens.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* A list of tokens with the identities and secrets of these texts. */
static json_t *
document_of(const char (*texts)[HTTP_TOKEN_SIZE], size_t count)
{
    json_t *list = json_array();

    for (size_t index = 0; index < count; index++) {
        struct http__token_text parts;
        struct http__token token = {.namespace_ = "a",
                                    .note = "",
                                    .created_ms = 1,
                                    .scope_count = 1,
                                    .scope_texts = {"admin"}};
        ck_assert(http__token_take_apart(texts[index], EVP_sha256(), &parts));
        token.id = parts.id;
        token.hash = parts.hash;
        json_array_append_new(list, http__token_to_json(&token));
    }
    return json_pack("{s:o}", "tokens", list);
}

static const char *const senseless[] = {
    "[]",
    "{}",
    "{\"tokens\": {}}",
    "{\"tokens\": null}",
    "{\"tokens\": [{}]}",
};

START_TEST(a_document_of_another_form_is_refused)
{
    struct http_error err;
    struct http__tokens *tokens;

    ck_assert_int_eq(http__tokens_create(json_loads(senseless[_i], 0, NULL),
                                         &tokens, &err),
                     HTTP_INVALID);
    ck_assert_str_ne(err.message, "");
}
END_TEST

START_TEST(one_bad_token_among_good_ones_spoils_them_all)
{
    char texts[2][HTTP_TOKEN_SIZE];
    struct http_error err;
    struct http__tokens *tokens;

    ck_assert(http__token_draw(texts[0]) && http__token_draw(texts[1]));
    json_t *document = document_of(texts, 2);
    json_object_del(json_array_get(json_object_get(document, "tokens"), 1),
                    "namespace");
    ck_assert_int_eq(http__tokens_create(document, &tokens, &err),
                     HTTP_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "token 2"));
    memcpy(texts[1], texts[0], HTTP_TOKEN_SIZE);
    ck_assert_int_eq(http__tokens_create(document_of(texts, 2), &tokens,
                                         &err),
                     HTTP_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "twice"));
}
END_TEST

START_TEST(there_may_be_as_many_as_the_limit_and_each_is_found)
{
    static char texts[HTTP_TOKENS_MAX + 1][HTTP_TOKEN_SIZE];
    struct http__tokens *tokens = NULL;
    char header[HTTP_TOKEN_SIZE + 16];

    for (size_t i = 0; i < HTTP_TOKENS_MAX + 1; i++)
        ck_assert(http__token_draw(texts[i]));
    ck_assert_int_eq(
        http__tokens_create(document_of(texts, HTTP_TOKENS_MAX + 1), &tokens,
                            NULL),
        HTTP_LIMIT);
    ck_assert_int_eq(http__tokens_create(document_of(texts, HTTP_TOKENS_MAX),
                                         &tokens, NULL),
                     HTTP_OK);
    for (size_t i = 0; i < HTTP_TOKENS_MAX + 1; i++) {
        snprintf(header, sizeof(header), "Bearer %.*s",
                 HTTP_TOKEN_SIZE - 1, texts[i]);
        const struct http__token *token =
            http__tokens_find(tokens, header, 1);
        if ((token != NULL) != (i < HTTP_TOKENS_MAX) ||
            (token && memcmp(token->id, texts[i] + 6, 16) != 0))
            ck_abort_msg("token %zu", i);
    }
    for (size_t i = 1; i < HTTP_TOKENS_MAX; i++)
        if (strcmp(http__tokens_at(tokens, i - 1)->id,
                   http__tokens_at(tokens, i)->id) >= 0)
            ck_abort_msg("token %zu is not in order", i);
    ck_assert_ptr_null(http__tokens_at(tokens, HTTP_TOKENS_MAX));
    http__tokens_release(tokens);
}
END_TEST

/* What is in front of the token and behind it. */
static const struct {
    const char *before;
    const char *after;
    bool found;
} headers[] = {
    {"Bearer ", "", true},    {"bearer ", "", true},
    {"BEARER   ", "", true},  {"Bearer", "", false},
    {"Bearer\t", "", false},  {"Basic ", "", false},
    {"", "", false},          {" Bearer ", "", false},
    {"Bearer ", " ", false},  {"Bearer ", ",", false},
    {"Bearer \"", "\"", false},
};

START_TEST(a_header_is_the_scheme_and_the_token)
{
    char text[1][HTTP_TOKEN_SIZE];
    char header[HTTP_TOKEN_SIZE + 16];
    struct http__tokens *tokens;

    ck_assert(http__token_draw(text[0]));
    ck_assert_int_eq(
        http__tokens_create(document_of(text, 1), &tokens, NULL), HTTP_OK);
    snprintf(header, sizeof(header), "%s%s%s", headers[_i].before, text[0],
             headers[_i].after);
    ck_assert_int_eq(http__tokens_find(tokens, header, 1) != NULL,
                     headers[_i].found);
    ck_assert_ptr_null(http__tokens_find(tokens, NULL, 1));
    ck_assert_ptr_null(http__tokens_find(tokens, "", 1));
    ck_assert_ptr_null(http__tokens_find(tokens, "Bearer ", 1));
    http__tokens_release(tokens);
}
END_TEST

START_TEST(tokens_live_as_long_as_somebody_holds_them)
{
    char text[1][HTTP_TOKEN_SIZE];
    struct http__tokens *tokens;

    ck_assert(http__token_draw(text[0]));
    ck_assert_int_eq(
        http__tokens_create(document_of(text, 1), &tokens, NULL), HTTP_OK);
    struct http__tokens *held = http__tokens_hold(tokens);
    http__tokens_release(tokens);
    ck_assert_str_eq(http__tokens_at(held, 0)->namespace_, "a");
    http__tokens_release(held);
    http__tokens_release(NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/tokens");
    TCase *tests = tcase_create("tokens");

    tcase_add_loop_test(tests, a_document_of_another_form_is_refused, 0,
                        COUNT(senseless));
    tcase_add_test(tests, one_bad_token_among_good_ones_spoils_them_all);
    tcase_add_test(tests,
                   there_may_be_as_many_as_the_limit_and_each_is_found);
    tcase_add_loop_test(tests, a_header_is_the_scheme_and_the_token, 0,
                        COUNT(headers));
    tcase_add_test(tests, tokens_live_as_long_as_somebody_holds_them);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
