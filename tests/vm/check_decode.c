/*
 * check_decode.c - tests of vm/decode.c: header, sections and their order.
 */
#include <check.h>
#include <string.h>

#include "tests/support/load_case.h"
#include "tests/support/suite.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MVP GVM_FEATURES_MVP
#define ALL GVM_FEATURES_2_0
#define HEADER 0, 'a', 's', 'm', 1, 0, 0, 0

/* Rows for modules that are bytes as a whole. */
struct bytes_case {
    uint32_t features;
    enum gvm_status status;
    const char *message;
    uint64_t offset;
    uint8_t length_bytes;
    uint8_t bytes[40];
};

static void
check_bytes(const struct bytes_case *row)
{
    struct gvm_error err =
        load_case_bytes(row->bytes, row->length_bytes, row->features,
                        row->status, row->message);

    if (row->status != GVM_OK) {
        ck_assert_uint_eq(err.offset, row->offset);
    }
}

/* ---- Header ---------------------------------------------------------- */

static const struct bytes_case headers[] = {
    {MVP, GVM_OK, "", 0, 8, {HEADER}},
    {MVP, GVM_MALFORMED, "unexpected end", 0, 0, {0}},
    {MVP, GVM_MALFORMED, "unexpected end", 3, 3, {0, 'a', 's'}},
    {MVP, GVM_MALFORMED, "unexpected end", 4, 4, {0, 'a', 's', 'm'}},
    {MVP, GVM_MALFORMED, "unexpected end", 7, 7, {HEADER}},
    {MVP,
     GVM_MALFORMED,
     "magic header not detected",
     0,
     8,
     {'a', 's', 'm', 0, 1, 0, 0, 0}},
    {MVP,
     GVM_MALFORMED,
     "unknown binary version",
     4,
     8,
     {0, 'a', 's', 'm', 2, 0, 0, 0}},
    {MVP,
     GVM_MALFORMED,
     "unknown binary version",
     4,
     8,
     {0, 'a', 's', 'm', 1, 0, 1, 0}}, /* a component */
};

START_TEST(a_module_begins_with_its_header)
{
    check_bytes(&headers[_i]);
}
END_TEST

/* ---- Sections -------------------------------------------------------- */

static const struct bytes_case sections[] = {
    {MVP, GVM_OK, "", 0, 11, {HEADER, 1, 1, 0}},
    {MVP, GVM_OK, "", 0, 16, {HEADER, 1, 0x84, 0x80, 0, 1, 0x60, 0, 0}},
    {MVP, GVM_MALFORMED, "malformed section id 13", 8, 10, {HEADER, 13, 0}},
    {MVP, GVM_MALFORMED, "malformed section id 255", 8, 9, {HEADER, 0xff}},
    {MVP, GVM_MALFORMED, "unexpected end", 9, 9, {HEADER, 1}},
    {MVP, GVM_MALFORMED, "length out of bounds", 10, 10, {HEADER, 1, 1}},
    {MVP, GVM_MALFORMED, "unexpected end", 10, 10, {HEADER, 1, 0}},
    {MVP,
     GVM_MALFORMED,
     "length out of bounds",
     14,
     14,
     {HEADER, 1, 0xff, 0xff, 0xff, 0xff, 0x0f}},
    {MVP,
     GVM_MALFORMED,
     "section size mismatch: section 1 has 1 bytes too many",
     11,
     12,
     {HEADER, 1, 2, 0, 0}},
    /* Twice, and behind a later one. */
    {MVP,
     GVM_MALFORMED,
     "unexpected content after last section",
     11,
     14,
     {HEADER, 1, 1, 0, 1, 1, 0}},
    {MVP,
     GVM_MALFORMED,
     "unexpected content after last section",
     11,
     14,
     {HEADER, 5, 1, 0, 4, 1, 0}},
    /* The data count stands before the code, though its id is the highest. */
    {ALL, GVM_OK, "", 0, 17, {HEADER, 12, 1, 0, 10, 1, 0, 11, 1, 0}},
    {ALL,
     GVM_MALFORMED,
     "unexpected content after last section",
     11,
     14,
     {HEADER, 10, 1, 0, 12, 1, 0}},
    {ALL,
     GVM_MALFORMED,
     "unexpected content after last section",
     11,
     14,
     {HEADER, 12, 1, 0, 9, 1, 0}},
    {MVP,
     GVM_MALFORMED,
     "malformed section id 12: needs the feature bulk-memory",
     8,
     11,
     {HEADER, 12, 1, 0}},
};

START_TEST(sections_come_once_in_order_and_fill_their_size)
{
    check_bytes(&sections[_i]);
}
END_TEST

static const struct bytes_case customs[] = {
    {MVP, GVM_OK, "", 0, 11, {HEADER, 0, 1, 0}},
    {MVP, GVM_OK, "", 0, 14, {HEADER, 0, 4, 1, 'x', 1, 2}},
    /* Anywhere, any number of them. */
    {MVP,
     GVM_OK,
     "",
     0,
     23,
     {HEADER, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 2, 1, 0}},
    {MVP, GVM_MALFORMED, "unexpected end", 10, 10, {HEADER, 0, 0}},
    {MVP, GVM_MALFORMED, "length out of bounds", 11, 11, {HEADER, 0, 1, 1}},
    {MVP,
     GVM_MALFORMED,
     "malformed UTF-8 encoding",
     11,
     12,
     {HEADER, 0, 2, 1, 0x80}},
};

START_TEST(custom_sections_stand_anywhere_and_have_a_name)
{
    check_bytes(&customs[_i]);
}
END_TEST

START_TEST(custom_sections_stand_between_any_two_others)
{
    for (uint8_t before = 0; before <= 12; before++) {
        struct module_builder *builder = module_builder_create();
        uint32_t function =
            module_builder_func(builder, ":", "", BYTES(0x0b));

        module_builder_import_table(builder, "m", "t", 'r', 1, 1);
        module_builder_memory(builder, 1, 1);
        module_builder_global(builder, 'i', true, BYTES(0x41, 1, 0x0b));
        module_builder_export(builder, "f", GVM_EXTERN_FUNC, function);
        module_builder_start(builder, function);
        module_builder_elements(builder, 0, &function, 1);
        module_builder_data(builder, 0, "d", 1);
        module_builder_data_count(builder);
        module_builder_custom(builder, before, "note", BYTES(0xff, 0xff));
        load_case_builder(builder, ALL, GVM_OK, "");
    }
}
END_TEST

/* ---- Counts that belong together ------------------------------------- */

static const struct bytes_case pairs[] = {
    {MVP,
     GVM_OK,
     "",
     0,
     24,
     {HEADER, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 4, 1, 2, 0, 0x0b}},
    /* A function without code, code without a function. */
    {MVP,
     GVM_MALFORMED,
     "function and code section have inconsistent lengths",
     18,
     18,
     {HEADER, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0}},
    {MVP,
     GVM_MALFORMED,
     "function and code section have inconsistent lengths",
     10,
     14,
     {HEADER, 10, 4, 1, 2, 0, 0x0b}},
    {MVP,
     GVM_MALFORMED,
     "function and code section have inconsistent lengths",
     20,
     28,
     {HEADER, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 7, 2, 2, 0, 0x0b, 2, 0,
      0x0b}},
    /* Empty sections are as good as none. */
    {MVP, GVM_OK, "", 0, 11, {HEADER, 3, 1, 0}},
    {MVP, GVM_OK, "", 0, 11, {HEADER, 10, 1, 0}},
    {ALL, GVM_OK, "", 0, 11, {HEADER, 12, 1, 0}},
    {ALL,
     GVM_MALFORMED,
     "data count and data section have inconsistent lengths",
     11,
     11,
     {HEADER, 12, 1, 1}},
    {ALL,
     GVM_MALFORMED,
     "data count and data section have inconsistent lengths",
     14,
     14,
     {HEADER, 12, 1, 1, 11, 1, 0}},
    {ALL, GVM_OK, "", 0, 16, {HEADER, 12, 1, 1, 11, 3, 1, 1, 0}},
};

START_TEST(counts_of_sections_that_belong_together_agree)
{
    check_bytes(&pairs[_i]);
}
END_TEST

static Suite *
decode_suite(void)
{
    Suite *suite = suite_create("vm/decode");
    TCase *tests = tcase_create("decode");

    tcase_add_loop_test(tests, a_module_begins_with_its_header, 0,
                        (int)COUNT_OF(headers));
    tcase_add_loop_test(tests,
                        sections_come_once_in_order_and_fill_their_size, 0,
                        (int)COUNT_OF(sections));
    tcase_add_loop_test(tests,
                        custom_sections_stand_anywhere_and_have_a_name, 0,
                        (int)COUNT_OF(customs));
    tcase_add_test(tests, custom_sections_stand_between_any_two_others);
    tcase_add_loop_test(tests,
                        counts_of_sections_that_belong_together_agree, 0,
                        (int)COUNT_OF(pairs));
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(decode_suite());
}
