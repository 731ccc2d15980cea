/*
 * check_reader.c - tests of vm/reader.c: integers, names, counts, bounds.
 */
#include "vm/reader.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/byte_buffer.h"
#include "tests/support/suite.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A reader of a copy without room behind it, for the address sanitizer. */
static struct gvm__reader
open_reader(const uint8_t *bytes, size_t length_bytes, struct gvm_error *err)
{
    uint8_t *exact = malloc(length_bytes);

    ck_assert(exact != NULL || length_bytes == 0);
    if (length_bytes > 0) {
        memcpy(exact, bytes, length_bytes);
    }
    return (struct gvm__reader){
        .start = exact,
        .at = exact,
        .end = exact + length_bytes,
        .err = err,
    };
}

static void
close_reader(struct gvm__reader *reader)
{
    free((void *)(uintptr_t)reader->start);
}

/* ---- Integers -------------------------------------------------------- */

enum width {
    U32,
    S32,
    S33,
    S64,
};

static const char too_long[] = "integer representation too long";
static const char too_large[] = "integer too large";
static const char at_end[] = "unexpected end";

static const struct integer_case {
    enum width width;
    uint8_t length_bytes;
    uint8_t bytes[12];
    const char *message; /* NULL: it is `value` */
    int64_t value;
} integer_cases[] = {
    {U32, 1, {0x00}, NULL, 0},
    {U32, 1, {0x7f}, NULL, 127},
    {U32, 2, {0x80, 0x01}, NULL, 128},
    {U32, 2, {0x80, 0x00}, NULL, 0},
    {U32, 5, {0xff, 0xff, 0xff, 0xff, 0x0f}, NULL, UINT32_MAX},
    {U32, 5, {0x83, 0x80, 0x80, 0x80, 0x00}, NULL, 3},
    {U32, 5, {0x80, 0x80, 0x80, 0x80, 0x10}, too_large, 0},
    {U32, 5, {0xff, 0xff, 0xff, 0xff, 0x7f}, too_large, 0},
    {U32, 6, {0x83, 0x80, 0x80, 0x80, 0x80, 0x00}, too_long, 0},
    {U32, 5, {0x83, 0x80, 0x80, 0x80, 0x80}, too_long, 0},
    {U32, 0, {0}, at_end, 0},
    {U32, 4, {0x80, 0x80, 0x80, 0x80}, at_end, 0},

    {S32, 1, {0x3f}, NULL, 63},
    {S32, 1, {0x40}, NULL, -64},
    {S32, 1, {0x7f}, NULL, -1},
    {S32, 2, {0xff, 0x00}, NULL, 127},
    {S32, 2, {0xff, 0x7f}, NULL, -1},
    {S32, 5, {0xff, 0xff, 0xff, 0xff, 0x07}, NULL, INT32_MAX},
    {S32, 5, {0x80, 0x80, 0x80, 0x80, 0x78}, NULL, INT32_MIN},
    {S32, 5, {0xff, 0xff, 0xff, 0xff, 0x7f}, NULL, -1},
    {S32, 5, {0x80, 0x80, 0x80, 0x80, 0x08}, too_large, 0},
    {S32, 5, {0x80, 0x80, 0x80, 0x80, 0x70}, too_large, 0},
    {S32, 5, {0xff, 0xff, 0xff, 0xff, 0x0f}, too_large, 0},
    {S32, 6, {0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, too_long, 0},
    {S32, 1, {0xff}, at_end, 0},

    {S33, 1, {0x40}, NULL, -64},
    {S33, 5, {0xff, 0xff, 0xff, 0xff, 0x0f}, NULL, UINT32_MAX},
    {S33, 5, {0x80, 0x80, 0x80, 0x80, 0x70}, NULL, -4294967296},
    {S33, 5, {0x80, 0x80, 0x80, 0x80, 0x10}, too_large, 0},
    {S33, 5, {0x80, 0x80, 0x80, 0x80, 0x30}, too_large, 0},
    {S33, 6, {0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, too_long, 0},

    {S64, 1, {0x7f}, NULL, -1},
    {S64,
     10,
     {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00},
     NULL,
     INT64_MAX},
    {S64,
     10,
     {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f},
     NULL,
     INT64_MIN},
    {S64,
     10,
     {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
     too_large,
     0},
    {S64,
     10,
     {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7e},
     too_large,
     0},
    {S64,
     11,
     {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00},
     too_long,
     0},
    {S64,
     9,
     {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
     at_end,
     0},
};

static enum gvm_status
read_integer(struct gvm__reader *reader, enum width width, int64_t *value)
{
    enum gvm_status status;
    uint32_t u32 = 0;
    int32_t s32 = 0;

    switch (width) {
    case U32:
        status = gvm__read_u32(reader, &u32);
        *value = u32;
        return status;
    case S32:
        status = gvm__read_s32(reader, &s32);
        *value = s32;
        return status;
    case S33:
        return gvm__read_s33(reader, value);
    case S64:
        return gvm__read_s64(reader, value);
    }
    abort();
}

START_TEST(an_integer_fits_its_width_or_is_malformed)
{
    const struct integer_case *row = &integer_cases[_i];
    struct gvm_error err;
    struct gvm__reader reader =
        open_reader(row->bytes, row->length_bytes, &err);
    int64_t value = 0;

    if (row->message == NULL) {
        ck_assert_int_eq(read_integer(&reader, row->width, &value), GVM_OK);
        ck_assert_int_eq(value, row->value);
        ck_assert(reader.at == reader.end);
    } else {
        ck_assert_int_eq(read_integer(&reader, row->width, &value),
                         GVM_MALFORMED);
        ck_assert(reader.at == reader.start);
        ck_assert_msg(strncmp(err.message, row->message,
                              strlen(row->message)) == 0,
                      "%s: %s", row->message, err.message);
        ck_assert_uint_eq(err.offset,
                          row->message == at_end ? row->length_bytes : 0);
        ck_assert_uint_eq(err.function, GVM_NO_FUNCTION);
    }
    close_reader(&reader);
}
END_TEST

START_TEST(every_value_reads_back_as_it_was_written)
{
    static const int64_t values[] = {
        0,         1,         -1,         63,         64,        -64,
        -65,       8191,      8192,       -8192,      -8193,     INT32_MAX,
        INT32_MIN, INT64_MAX, INT64_MIN,  UINT32_MAX, INT32_MAX / 3,
    };

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct byte_buffer buffer = {0};
        struct gvm__reader reader;
        int64_t value = 0;

        byte_buffer_put_signed(&buffer, values[i]);
        reader = open_reader(buffer.bytes, buffer.length_bytes, NULL);
        ck_assert_int_eq(gvm__read_s64(&reader, &value), GVM_OK);
        ck_assert_int_eq(value, values[i]);
        ck_assert(reader.at == reader.end);
        close_reader(&reader);
        byte_buffer_deinit(&buffer);
    }
}
END_TEST

START_TEST(fixed_integers_are_little_endian)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 0x88, 9, 10, 11};
    struct gvm__reader reader = open_reader(bytes, sizeof(bytes), NULL);
    uint64_t value = 0;

    ck_assert_int_eq(gvm__read_fixed(&reader, 8, &value), GVM_OK);
    ck_assert_uint_eq(value, 0x8807060504030201u);
    /* Three bytes are left. */
    ck_assert_int_eq(gvm__read_fixed(&reader, 4, &value), GVM_MALFORMED);
    ck_assert_uint_eq(gvm__reader_left(&reader), 3);
    close_reader(&reader);
}
END_TEST

/* ---- Names ----------------------------------------------------------- */

static const struct utf8_case {
    const char *bytes;
    bool is_valid;
} utf8_cases[] = {
    {"", true},
    {"plain", true},
    {"\x7f", true},
    {"\x80", false},
    {"\xbf", false},
    {"\xc0\x80", false}, /* NUL in two bytes */
    {"\xc1\xbf", false},
    {"\xc2\x80", true},
    {"\xdf\xbf", true},
    {"\xc2", false},
    {"\xc2\x7f", false},
    {"\xc2\xc0", false},
    {"\xe0\x9f\xbf", false}, /* would fit two bytes */
    {"\xe0\xa0\x80", true},
    {"\xe0\xa0", false},
    {"\xe1\x80\x80", true},
    {"\xe1\x80\x7f", false},
    {"\xed\x9f\xbf", true},
    {"\xed\xa0\x80", false}, /* the first surrogate */
    {"\xed\xbf\xbf", false},
    {"\xee\x80\x80", true},
    {"\xef\xbf\xbf", true},
    {"\xf0\x8f\xbf\xbf", false}, /* would fit three bytes */
    {"\xf0\x90\x80\x80", true},
    {"\xf0\x90\x80", false},
    {"\xf0\x90\x80\xc0", false},
    {"\xf3\xbf\xbf\xbf", true},
    {"\xf4\x8f\xbf\xbf", true}, /* the last character */
    {"\xf4\x90\x80\x80", false},
    {"\xf5\x80\x80\x80", false},
    {"\xff", false},
    {"good, then \xfe", false},
};

START_TEST(names_are_utf8)
{
    const struct utf8_case *row = &utf8_cases[_i];
    struct byte_buffer buffer = {0};
    struct gvm__reader reader;
    struct gvm_error err;
    const char *name = NULL;
    size_t name_bytes = 0;
    enum gvm_status status;

    byte_buffer_put_vector(&buffer, row->bytes, strlen(row->bytes));
    reader = open_reader(buffer.bytes, buffer.length_bytes, &err);
    status = gvm__read_name(&reader, &name, &name_bytes);
    if (row->is_valid) {
        ck_assert_int_eq(status, GVM_OK);
        ck_assert_uint_eq(name_bytes, strlen(row->bytes));
        ck_assert(memcmp(name, row->bytes, name_bytes) == 0);
        ck_assert(reader.at == reader.end);
    } else {
        ck_assert_int_eq(status, GVM_MALFORMED);
        ck_assert_str_eq(err.message, "malformed UTF-8 encoding");
        ck_assert(reader.at == reader.start);
    }
    close_reader(&reader);
    byte_buffer_deinit(&buffer);
}
END_TEST

START_TEST(a_name_may_hold_nul)
{
    static const uint8_t bytes[] = {3, 'a', 0, 'b'};
    struct gvm__reader reader = open_reader(bytes, sizeof(bytes), NULL);
    const char *name = NULL;
    size_t name_bytes = 0;

    ck_assert_int_eq(gvm__read_name(&reader, &name, &name_bytes), GVM_OK);
    ck_assert_uint_eq(name_bytes, 3);
    ck_assert(memcmp(name, "a\0b", 3) == 0);
    close_reader(&reader);
}
END_TEST

START_TEST(a_name_one_byte_longer_than_the_limit_is_refused)
{
    struct byte_buffer buffer = {0};
    struct gvm__reader reader;
    struct gvm_error err;
    const char *name;
    size_t name_bytes = GVM_NAME_BYTES_MAX + (unsigned)_i;
    char *text = malloc(name_bytes);

    ck_assert_ptr_nonnull(text);
    memset(text, 'n', name_bytes);
    byte_buffer_put_vector(&buffer, text, name_bytes);
    reader = open_reader(buffer.bytes, buffer.length_bytes, &err);
    if (_i == 0) {
        ck_assert_int_eq(gvm__read_name(&reader, &name, &name_bytes),
                         GVM_OK);
        ck_assert_uint_eq(name_bytes, GVM_NAME_BYTES_MAX);
    } else {
        ck_assert_int_eq(gvm__read_name(&reader, &name, &name_bytes),
                         GVM_LIMIT);
        ck_assert_ptr_nonnull(
            strstr(err.message, "GVM_NAME_BYTES_MAX is 100000"));
    }
    close_reader(&reader);
    byte_buffer_deinit(&buffer);
    free(text);
}
END_TEST

/* ---- Bounds ---------------------------------------------------------- */

START_TEST(bytes_end_where_the_reader_does)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct gvm_error err;
    struct gvm__reader reader = open_reader(bytes, sizeof(bytes), &err);
    const uint8_t *found = NULL;

    ck_assert_int_eq(gvm__read_bytes(&reader, 4, &found), GVM_MALFORMED);
    ck_assert_str_eq(err.message, "length out of bounds");
    ck_assert_int_eq(gvm__read_bytes(&reader, UINT64_MAX, &found),
                     GVM_MALFORMED);
    ck_assert_int_eq(gvm__read_bytes(&reader, 3, &found), GVM_OK);
    ck_assert(found == reader.start);
    ck_assert_int_eq(gvm__read_bytes(&reader, 0, &found), GVM_OK);
    ck_assert_int_eq(gvm__read_bytes(&reader, 1, &found), GVM_MALFORMED);
    close_reader(&reader);
}
END_TEST

START_TEST(a_part_has_its_own_end_and_the_whole_goes_on_behind_it)
{
    static const uint8_t bytes[] = {1, 2, 3, 4};
    struct gvm_error err;
    struct gvm__reader reader = open_reader(bytes, sizeof(bytes), &err);
    struct gvm__reader part;
    uint8_t byte = 0;

    ck_assert_int_eq(gvm__read_part(&reader, 5, &part), GVM_MALFORMED);
    ck_assert_int_eq(gvm__read_byte(&reader, &byte), GVM_OK);
    ck_assert_int_eq(gvm__read_part(&reader, 1, &part), GVM_OK);
    ck_assert_int_eq(gvm__read_byte(&part, &byte), GVM_OK);
    ck_assert_uint_eq(byte, 2);
    ck_assert_int_eq(gvm__read_byte(&part, &byte), GVM_MALFORMED);
    /* Offsets of a part count from the start of all. */
    ck_assert_uint_eq(err.offset, 2);
    ck_assert_int_eq(gvm__read_byte(&reader, &byte), GVM_OK);
    ck_assert_uint_eq(byte, 3);
    close_reader(&reader);
}
END_TEST

static const struct count_case {
    uint32_t count;
    uint32_t item_bytes_min;
    uint32_t left_bytes;
    uint32_t max;
    enum gvm_status status;
} count_cases[] = {
    {0, 1, 0, 10, GVM_OK},
    {1, 1, 0, 10, GVM_MALFORMED},
    {5, 2, 10, 10, GVM_OK},
    {5, 2, 9, 10, GVM_MALFORMED},
    {10, 1, 20, 10, GVM_OK},
    {11, 1, 20, 10, GVM_LIMIT},
    {UINT32_MAX, 4, 20, 10, GVM_MALFORMED}, /* times four would wrap */
    {0x40000001, 4, 20, 10, GVM_MALFORMED},
};

START_TEST(a_count_is_checked_against_what_is_left_and_then_a_limit)
{
    const struct count_case *row = &count_cases[_i];
    static const uint8_t zeros[32];
    struct byte_buffer buffer = {0};
    struct gvm__reader reader;
    struct gvm_error err;
    uint32_t count = 77;

    byte_buffer_put_unsigned(&buffer, row->count);
    byte_buffer_put(&buffer, zeros, row->left_bytes);
    reader = open_reader(buffer.bytes, buffer.length_bytes, &err);
    ck_assert_int_eq(gvm__read_count(&reader, row->item_bytes_min, row->max,
                                     "SOME_LIMIT", &count),
                     row->status);
    ck_assert_uint_eq(count, row->status == GVM_OK ? row->count : 77);
    if (row->status == GVM_LIMIT) {
        ck_assert_str_eq(err.message,
                         "a vector of 11 items, SOME_LIMIT is 10");
    }
    close_reader(&reader);
    byte_buffer_deinit(&buffer);
}
END_TEST

START_TEST(features_are_noted_when_used_and_named_when_missing)
{
    struct gvm_module module = {.features = GVM_FEATURE_MULTI_VALUE};
    struct gvm_error err;
    static const uint8_t bytes[4];
    struct gvm__reader reader = {bytes, bytes, bytes + 4, &err};

    ck_assert_int_eq(gvm__read_feature(&reader, &module, bytes + 3,
                                       GVM_FEATURE_BULK_MEMORY, "thing"),
                     GVM_MALFORMED);
    ck_assert_str_eq(err.message, "thing: needs the feature bulk-memory");
    ck_assert_uint_eq(err.offset, 3);
    ck_assert_uint_eq(module.features_used, 0);
    ck_assert_int_eq(gvm__read_feature(&reader, &module, bytes,
                                       GVM_FEATURE_MULTI_VALUE, "thing"),
                     GVM_OK);
    ck_assert_uint_eq(module.features_used, GVM_FEATURE_MULTI_VALUE);
}
END_TEST

static Suite *
reader_suite(void)
{
    Suite *suite = suite_create("vm/reader");
    TCase *tests = tcase_create("reader");

    tcase_add_loop_test(tests, an_integer_fits_its_width_or_is_malformed, 0,
                        (int)COUNT_OF(integer_cases));
    tcase_add_test(tests, every_value_reads_back_as_it_was_written);
    tcase_add_test(tests, fixed_integers_are_little_endian);
    tcase_add_loop_test(tests, names_are_utf8, 0,
                        (int)COUNT_OF(utf8_cases));
    tcase_add_test(tests, a_name_may_hold_nul);
    tcase_add_loop_test(
        tests, a_name_one_byte_longer_than_the_limit_is_refused, 0, 2);
    tcase_add_test(tests, bytes_end_where_the_reader_does);
    tcase_add_test(tests,
                   a_part_has_its_own_end_and_the_whole_goes_on_behind_it);
    tcase_add_loop_test(
        tests, a_count_is_checked_against_what_is_left_and_then_a_limit, 0,
        (int)COUNT_OF(count_cases));
    tcase_add_test(tests,
                   features_are_noted_when_used_and_named_when_missing);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(reader_suite());
}
