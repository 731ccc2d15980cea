/* check_digest.c - tests of runtime/digest.c. */
#include "runtime/digest.h"
#include "tests/runtime/world.h"

#include <check.h>

START_TEST(the_digest_is_sha_256)
{
    char digest[RUNTIME_DIGEST_SIZE];

    /* The standard's own example, and the empty text. */
    ck_assert(runtime__digest("abc", 3, digest));
    ck_assert_str_eq(digest, "ba7816bf8f01cfea414140de5dae2223"
                             "b00361a396177a9cb410ff61f20015ad");
    ck_assert(runtime__digest("", 0, digest));
    ck_assert_str_eq(digest, "e3b0c44298fc1c149afbf4c8996fb924"
                             "27ae41e4649b934ca495991b7852b855");
}
END_TEST

static const struct {
    const char *text;
    bool valid;
} digests[] = {
    {"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     true},
    {"Ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     false},
    {"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
     false},
    {"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0",
     false},
    {"ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     false},
    {"../../../../../../../../../../../../../../../../../../etc/passwd",
     false},
    {"", false},
    {NULL, false},
};

START_TEST(only_64_digits_in_lower_case_are_a_digest)
{
    ck_assert_int_eq(runtime__digest_is_valid(digests[_i].text),
                     digests[_i].valid);
}
END_TEST

START_TEST(bytes_become_two_digits_each)
{
    char text[9];

    runtime__digest_to_hex((const uint8_t[]){0x00, 0x0f, 0xf0, 0xff}, 4,
                           text);
    ck_assert_str_eq(text, "000ff0ff");
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_test(tests, the_digest_is_sha_256);
    tcase_add_loop_test(tests, only_64_digits_in_lower_case_are_a_digest, 0,
                        sizeof(digests) / sizeof(digests[0]));
    tcase_add_test(tests, bytes_become_two_digits_each);
}

WORLD_MAIN("digest", add_tests)
