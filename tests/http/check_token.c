/*
 * check_token.c - tests of http/token.c: the text of a token, its hash and its
 * JSON.
 */
#include "http/token.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

#define ID "0123456789abcdef"
#define SECRET ID ID ID "fedcba9876543210"
#define TEXT "glass_" ID "_" SECRET
/* printf %s SECRET | sha256sum */
#define HASH                                                                  \
    "959df72d5eb8a8f663a7b7dc25be18e203c1c3f69572033d493f8faf827cbc7d"

START_TEST(a_token_that_is_drawn_has_the_form_and_is_another_each_time)
{
    char texts[2][HTTP_TOKEN_SIZE];
    struct http__token_text parts[2];

    for (int i = 0; i < 2; i++) {
        ck_assert(http__token_draw(texts[i]));
        ck_assert_uint_eq(strlen(texts[i]), HTTP_TOKEN_SIZE - 1);
        ck_assert(http__token_take_apart(texts[i], EVP_sha256(), &parts[i]));
        ck_assert_int_eq(memcmp(texts[i] + 6, parts[i].id, 16), 0);
    }
    ck_assert_str_ne(parts[0].id, parts[1].id);
    ck_assert_str_ne(parts[0].hash, parts[1].hash);
}
END_TEST

START_TEST(what_is_kept_is_the_sha256_of_the_secret)
{
    struct http__token_text parts;

    ck_assert(http__token_take_apart(TEXT, EVP_sha256(), &parts));
    ck_assert_str_eq(parts.id, ID);
    ck_assert_str_eq(parts.hash, HASH);
}
END_TEST

static const char *const formless[] = {
    "",
    "glass_",
    "glass_" ID,
    "glass_" ID "_",
    TEXT "0",
    TEXT " ",
    "glass-" ID "_" SECRET,
    "GLASS_" ID "_" SECRET,
    "glass_" ID "-" SECRET,
    "glass_0123456789ABCDEF_" SECRET,
    "glass_0123456789abcde__" SECRET,
    "glass_" ID "_" ID ID ID "fedcba987654321g",
    "glass_" ID "_" ID ID ID "fedcba987654321F",
    "glass_" ID "_" ID ID ID "fedcba987654321",
};

START_TEST(a_text_of_another_form_is_no_token)
{
    struct http__token_text parts;

    ck_assert(!http__token_take_apart(formless[_i], EVP_sha256(), &parts));
}
END_TEST

START_TEST(a_token_fits_by_all_of_its_hash_and_until_it_expires)
{
    struct http__token_text parts;
    char hash[HTTP__TOKEN_HASH_SIZE] = HASH;
    struct http__token token = {.id = ID, .hash = hash};

    ck_assert(http__token_take_apart(TEXT, EVP_sha256(), &parts));
    ck_assert(http__token_fits(&token, &parts, UINT64_MAX));
    ck_assert(!http__token_fits(NULL, &parts, 0));
    token.expires_ms = 1000;
    ck_assert(http__token_fits(&token, &parts, 999));
    ck_assert(!http__token_fits(&token, &parts, 1000));
    for (size_t i = 0; i < sizeof(HASH) - 1; i++) {
        hash[i] ^= 1;
        ck_assert(!http__token_fits(&token, &parts, 999));
        hash[i] ^= 1;
    }
}
END_TEST

#define MEMBERS(id, hash, namespace_, scopes)                                 \
    "{\"id\":\"" id "\",\"sha256\":\"" hash "\",\"namespace\":\""             \
    namespace_ "\",\"scopes\":[" scopes "]"
#define GOOD MEMBERS(ID, HASH, "a-b", "\"admin\",\"state:r=x\"")

static const struct {
    const char *json;
    bool makes_sense;
} documents[] = {
    {GOOD "}", true},
    {GOOD ",\"note\":\"for you\",\"created_ms\":1,\"expires_ms\":2}", true},
    {GOOD ",\"expires_ms\":0}", false},
    {GOOD ",\"expires_ms\":-1}", false},
    {GOOD ",\"expires_ms\":1.5}", false},
    {GOOD ",\"expires_ms\":null}", false},
    {GOOD ",\"note\":1}", false},
    {MEMBERS("0", HASH, "a", "\"admin\"") "}", false},
    {MEMBERS("0123456789abcdeF", HASH, "a", "\"admin\"") "}", false},
    {MEMBERS(ID, ID, "a", "\"admin\"") "}", false},
    {MEMBERS(ID, HASH, "A", "\"admin\"") "}", false},
    {MEMBERS(ID, HASH, "", "\"admin\"") "}", false},
    {MEMBERS(ID, HASH, "a", "") "}", false},
    {MEMBERS(ID, HASH, "a", "\"admin\",\"all\"") "}", false},
    {MEMBERS(ID, HASH, "a", "1") "}", false},
    {"[]", false},
    {"{}", false},
};

START_TEST(a_token_comes_out_of_json_as_it_went_in_or_not_at_all)
{
    json_t *json = json_loads(documents[_i].json, 0, NULL);
    struct http__token token;

    ck_assert_ptr_nonnull(json);
    ck_assert_int_eq(http__token_from_json(json, &token),
                     documents[_i].makes_sense);
    if (documents[_i].makes_sense) {
        struct http__token again;
        json_t *written = http__token_to_json(&token);
        ck_assert(http__token_from_json(written, &again));
        ck_assert_str_eq(again.id, ID);
        ck_assert_str_eq(again.hash, HASH);
        ck_assert_str_eq(again.namespace_, "a-b");
        ck_assert_str_eq(again.note, token.note);
        ck_assert_uint_eq(again.created_ms, token.created_ms);
        ck_assert_uint_eq(again.expires_ms, token.expires_ms);
        ck_assert_uint_eq(again.scope_count, 2);
        ck_assert_str_eq(again.scope_texts[1], "state:r=x");
        ck_assert_uint_eq(again.scopes[1].bit, HTTP__SCOPE_STATE_READ);
        json_decref(written);
    }
    json_decref(json);
}
END_TEST

START_TEST(scopes_and_the_note_have_limits)
{
    char note[HTTP_TOKEN_NOTE_BYTES_MAX + 2] = "";
    struct http__token token = {.id = ID, .hash = HASH, .namespace_ = "a"};
    struct http__token read;

    for (int over = 0; over < 2; over++) {
        memset(note, 'n', HTTP_TOKEN_NOTE_BYTES_MAX + (size_t)over);
        token.note = note;
        token.scope_count = 1;
        token.scope_texts[0] = "admin";
        json_t *json = http__token_to_json(&token);
        ck_assert_int_eq(http__token_from_json(json, &read), !over);
        json_object_set_new(json, "note", json_string(""));
        json_t *scopes = json_object_get(json, "scopes");
        while (json_array_size(scopes) < HTTP_TOKEN_SCOPES_MAX + (size_t)over)
            json_array_append_new(scopes, json_string("admin"));
        ck_assert_int_eq(http__token_from_json(json, &read), !over);
        json_decref(json);
    }
    token.note = "\xff";
    ck_assert_ptr_null(http__token_to_json(&token));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/token");
    TCase *tests = tcase_create("token");

    tcase_add_test(
        tests, a_token_that_is_drawn_has_the_form_and_is_another_each_time);
    tcase_add_test(tests, what_is_kept_is_the_sha256_of_the_secret);
    tcase_add_loop_test(tests, a_text_of_another_form_is_no_token, 0,
                        COUNT(formless));
    tcase_add_test(tests,
                   a_token_fits_by_all_of_its_hash_and_until_it_expires);
    tcase_add_loop_test(
        tests, a_token_comes_out_of_json_as_it_went_in_or_not_at_all, 0,
        COUNT(documents));
    tcase_add_test(tests, scopes_and_the_note_have_limits);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
