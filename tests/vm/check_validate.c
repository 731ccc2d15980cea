/*
 * check_validate.c - tests of vm/validate.c: locals, operands, frames and
 * where an error says that it is.
 */
#include "vm/validate.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/load_case.h"
#include "tests/support/suite.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MVP GVM_FEATURES_MVP
#define ALL GVM_FEATURES_2_0

/* A body with its declarations of locals. */
static struct gvm_error
load_raw(const char *signature, const struct byte_buffer *body,
         uint32_t features, enum gvm_status status, const char *message)
{
    struct module_builder *builder = module_builder_create();

    module_builder_func_raw(builder, signature, body->bytes,
                            body->length_bytes);
    return load_case_builder(builder, features, status, message);
}

/* ---- Locals ---------------------------------------------------------- */

static const struct locals_case {
    uint32_t features;
    enum gvm_status status;
    const char *message;
    uint8_t length_bytes;
    uint8_t bytes[20];
} declarations[] = {
    {MVP, GVM_OK, "", 2, {0, 0x0b}},
    {MVP, GVM_OK, "", 10,
     {4, 1, 0x7f, 2, 0x7e, 3, 0x7d, 4, 0x7c, 0x0b}},
    {MVP, GVM_OK, "", 6, {2, 0, 0x7f, 0, 0x7f, 0x0b}},
    {ALL, GVM_OK, "", 6, {2, 1, 0x70, 1, 0x6f, 0x0b}},
    {MVP, GVM_MALFORMED,
     "malformed value type: needs the feature reference-types", 4,
     {1, 1, 0x70, 0x0b}},
    {ALL, GVM_MALFORMED, "malformed value type 0x7b", 4,
     {1, 1, 0x7b, 0x0b}},
    {ALL, GVM_MALFORMED, "malformed value type 0x40", 4,
     {1, 0, 0x40, 0x0b}},
    {MVP, GVM_MALFORMED, "length out of bounds", 4, {2, 1, 0x7f, 0x0b}},
    {MVP, GVM_MALFORMED, "length out of bounds", 0, {0}},
    {MVP, GVM_MALFORMED, "unexpected end", 1, {0}},
    {MVP, GVM_OK, "", 6, {1, 0xd0, 0x86, 0x03, 0x7f, 0x0b}},
    {MVP, GVM_LIMIT, "too many locals: 50001, GVM_LOCALS_MAX is 50000", 6,
     {1, 0xd1, 0x86, 0x03, 0x7f, 0x0b}},
    {MVP, GVM_LIMIT, "too many locals: 50001", 8,
     {2, 1, 0x7e, 0xd0, 0x86, 0x03, 0x7f, 0x0b}},
    {MVP, GVM_LIMIT, "too many locals: 4294967295", 8,
     {1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 0x0b}},
    /* More than 32 bits can count is malformed. */
    {MVP, GVM_MALFORMED, "too many locals", 10,
     {2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 1, 0x7e, 0x0b}},
};

START_TEST(locals_are_declared_in_runs)
{
    const struct locals_case *row = &declarations[_i];
    struct module_builder *builder = module_builder_create();

    module_builder_func_raw(builder, ":", row->bytes, row->length_bytes);
    load_case_builder(builder, row->features, row->status, row->message);
}
END_TEST

/* Runs on both sides of GVM__LOCALS_DIRECT, parameters in front. */
static const struct {
    uint32_t count;
    uint8_t type;
} runs[] = {
    {1, GVM_I32},   {1, GVM_F32},  {1, GVM_I32},     {1, GVM_F32},
    {1, GVM_I32},   {1, GVM_F32},  {1, GVM_I32},     {1, GVM_F32},
    {100, GVM_I32}, {0, GVM_F32},  {1, GVM_FUNCREF}, {250, GVM_F64},
    {1, GVM_F32},   {2, GVM_I32},  {0, GVM_F64},     {30, GVM_FUNCREF},
    {40000, GVM_F32},
};

/* The local is told by its type where an i64 is wanted. */
static void
check_local_type(uint32_t index, uint8_t type)
{
    struct byte_buffer body = {0};
    char message[64];

    byte_buffer_put_unsigned(&body, COUNT_OF(runs));
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        byte_buffer_put_unsigned(&body, runs[i].count);
        byte_buffer_put_byte(&body, runs[i].type);
    }
    byte_buffer_put_byte(&body, GVM__INSN_LOCAL_GET);
    byte_buffer_put_unsigned(&body, index);
    byte_buffer_put(&body, BYTES(0x50, 0x1a, 0x0b)); /* i64.eqz, drop */
    snprintf(message, sizeof(message),
             "type mismatch: i64.eqz expects i64, found %s",
             gvm_value_type_name((enum gvm_value_type)type));
    load_raw("dl:", &body, ALL, type == GVM_I64 ? GVM_OK : GVM_INVALID,
             message);
    byte_buffer_deinit(&body);
}

START_TEST(every_local_has_the_type_of_its_run)
{
    uint32_t first = 2;

    check_local_type(0, GVM_F64);
    check_local_type(1, GVM_I64);
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        if (runs[i].count > 0) {
            check_local_type(first, runs[i].type);
            check_local_type(first + runs[i].count / 2, runs[i].type);
            check_local_type(first + runs[i].count - 1, runs[i].type);
        }
        first += runs[i].count;
    }
}
END_TEST

START_TEST(the_local_behind_the_last_is_unknown)
{
    struct byte_buffer body = {0};

    byte_buffer_put(&body, BYTES(1, 3, 0x7f, 0x20, 4, 0x1a, 0x0b));
    load_raw("i:", &body, MVP, GVM_INVALID, "unknown local 4");
    body.bytes[4] = 3;
    load_raw("i:", &body, MVP, GVM_OK, "");
    byte_buffer_deinit(&body);
}
END_TEST

/* ---- Frames ---------------------------------------------------------- */

/* A body that pushes `count` operands, then drops them. */
static void
put_pushes(struct byte_buffer *body, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        byte_buffer_put(body, BYTES(0x41, 0));
    }
    for (uint32_t i = 0; i < count; i++) {
        byte_buffer_put_byte(body, 0x1a);
    }
    byte_buffer_put_byte(body, 0x0b);
}

START_TEST(operands_fill_what_locals_leave_of_a_frame)
{
    static const struct {
        const char *signature;
        uint32_t local_count;
        uint32_t slots_taken;
    } rows[] = {
        {":", 0, 0},
        {"iil:", 0, 3},
        {"i:", GVM_LOCALS_MAX, GVM_LOCALS_MAX + 1},
    };
    uint32_t room = GVM_FRAME_SLOTS_MAX - GVM_FRAME_SLOTS_RESERVED;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (uint32_t extra = 0; extra < 2; extra++) {
            struct byte_buffer body = {0};

            byte_buffer_put_byte(&body, 1);
            byte_buffer_put_unsigned(&body, rows[i].local_count);
            byte_buffer_put_byte(&body, GVM_I32);
            put_pushes(&body, room - rows[i].slots_taken + extra);
            if (extra == 0) {
                load_raw(rows[i].signature, &body, MVP, GVM_OK, "");
            } else {
                load_raw(rows[i].signature, &body, MVP, GVM_LIMIT,
                         "the frame has no room for more operands, "
                         "GVM_FRAME_SLOTS_MAX is 65535");
            }
            byte_buffer_deinit(&body);
        }
    }
}
END_TEST

START_TEST(results_of_calls_need_room_too)
{
    uint32_t room = GVM_FRAME_SLOTS_MAX - GVM_FRAME_SLOTS_RESERVED;

    for (uint32_t extra = 0; extra < 2; extra++) {
        struct module_builder *builder = module_builder_create();
        struct byte_buffer body = {0};

        module_builder_import_func(builder, "m", "f", "i:lll");
        byte_buffer_put_byte(&body, 0);
        /* One operand is taken, three are given. */
        for (uint32_t i = 0; i < room - 2 + extra; i++) {
            byte_buffer_put(&body, BYTES(0x41, 0));
        }
        byte_buffer_put(&body, BYTES(0x10, 0, 0x00, 0x0b));
        module_builder_func_raw(builder, ":", body.bytes,
                                body.length_bytes);
        byte_buffer_deinit(&body);
        load_case_builder(builder, ALL, extra == 0 ? GVM_OK : GVM_LIMIT,
                          "the frame has no room");
    }
}
END_TEST

/* ---- Bodies ---------------------------------------------------------- */

START_TEST(an_error_has_the_function_and_the_instruction_s_offset)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_error err;
    size_t length_bytes;

    module_builder_import_func(builder, "m", "f", ":");
    module_builder_func(builder, ":", "", BYTES(0x01, 0x0b));
    module_builder_func(builder, ":", "",
                        BYTES(0x01, 0x41, 0, 0x45, 0x6a, 0x1a, 0x0b));
    module_builder_finish(builder, &length_bytes);
    err = load_case_builder(builder, MVP, GVM_INVALID,
                            "type mismatch: i32.add expects i32, found "
                            "nothing");
    ck_assert_uint_eq(err.function, 2);
    ck_assert_uint_eq(err.offset, length_bytes - 3);
}
END_TEST

static const struct body_case {
    const char *signature;
    enum gvm_status status;
    const char *message;
    uint8_t length_bytes;
    uint8_t bytes[16];
} bodies[] = {
    {":", GVM_OK, "", 1, {0x0b}},
    {":i", GVM_OK, "", 3, {0x41, 0, 0x0b}},
    {":il", GVM_OK, "", 5, {0x41, 0, 0x42, 0, 0x0b}},
    {":li", GVM_INVALID, "type mismatch: end expects i32, found i64", 5,
     {0x41, 0, 0x42, 0, 0x0b}},
    {":i", GVM_INVALID, "type mismatch: end expects i32, found nothing", 1,
     {0x0b}},
    {":", GVM_INVALID, "type mismatch: 1 values too many", 3,
     {0x41, 0, 0x0b}},
    {":i", GVM_INVALID, "type mismatch: 2 values too many", 7,
     {0x41, 0, 0x41, 0, 0x41, 0, 0x0b}},
    {":", GVM_MALFORMED, "unexpected end", 1, {0x01}},
    {":", GVM_MALFORMED, "section size mismatch", 2, {0x0b, 0x0b}},
    {":", GVM_MALFORMED, "unexpected end", 3, {0x02, 0x40, 0x0b}},
    /* Behind unreachable anything may be taken from below. */
    {":i", GVM_OK, "", 2, {0x00, 0x0b}},
    {":il", GVM_OK, "", 4, {0x00, 0x42, 0, 0x0b}},
    {":il", GVM_INVALID, "type mismatch: end expects i64, found i32", 4,
     {0x00, 0x41, 0, 0x0b}},
    {":i", GVM_OK, "", 3, {0x00, 0x6a, 0x0b}},
    {":i", GVM_OK, "", 5, {0x00, 0x41, 0, 0x6a, 0x0b}},
    {":i", GVM_INVALID, "type mismatch: i32.add expects i32, found i64", 5,
     {0x00, 0x42, 0, 0x6a, 0x0b}},
    {":l", GVM_INVALID, "type mismatch: end expects i64, found i32", 3,
     {0x00, 0x6a, 0x0b}},
    {":", GVM_INVALID, "type mismatch: 1 values too many", 3,
     {0x00, 0x6a, 0x0b}},
};

START_TEST(a_body_leaves_its_results_and_nothing_else)
{
    const struct body_case *row = &bodies[_i];

    load_case_body(NULL, row->signature, "", row->bytes, row->length_bytes,
                   ALL, row->status, row->message);
}
END_TEST

START_TEST(all_bodies_are_checked)
{
    for (unsigned broken = 0; broken < 4; broken++) {
        struct module_builder *builder = module_builder_create();
        struct gvm_error err;

        for (unsigned i = 0; i < 3; i++) {
            module_builder_func(builder, ":", "",
                                BYTES(i == broken ? 0x1a : 0x01, 0x0b));
        }
        err = load_case_builder(builder, MVP,
                                broken < 3 ? GVM_INVALID : GVM_OK,
                                "type mismatch: drop expects a value");
        if (broken < 3) {
            ck_assert_uint_eq(err.function, broken);
        }
    }
}
END_TEST

static Suite *
validate_suite(void)
{
    Suite *suite = suite_create("vm/validate");
    TCase *tests = tcase_create("validate");

    tcase_add_loop_test(tests, locals_are_declared_in_runs, 0,
                        (int)COUNT_OF(declarations));
    tcase_add_test(tests, every_local_has_the_type_of_its_run);
    tcase_add_test(tests, the_local_behind_the_last_is_unknown);
    tcase_add_test(tests, operands_fill_what_locals_leave_of_a_frame);
    tcase_add_test(tests, results_of_calls_need_room_too);
    tcase_add_test(tests,
                   an_error_has_the_function_and_the_instruction_s_offset);
    tcase_add_loop_test(tests, a_body_leaves_its_results_and_nothing_else,
                        0, (int)COUNT_OF(bodies));
    tcase_add_test(tests, all_bodies_are_checked);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(validate_suite());
}
