/*
 * check_validate_insn.c - tests of vm/validate_insn.c: every instruction
 * with a signature, from the table, and those with rules of their own.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/load_case.h"
#include "tests/support/suite.h"
#include "vm/insns.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MVP GVM_FEATURES_MVP
#define ALL GVM_FEATURES_2_0
#define NO_MAX MODULE_BUILDER_NO_MAX

static const uint32_t codes[] = {
#define INSN(code, name, text, immediate, signature, feature) code,
#include "vm/insns.inc"
#undef INSN
};

/*
 * A module with one of everything: table 0 of funcref, in 2.0 table 1 of
 * externref; memory 0; globals 0 (i32), 1 (mutable i64); segments 0.
 * Function 0 is declared for ref.func, function 1 is not; function 2 will be
 * the one with the body.
 */
static struct module_builder *
whole_module(uint32_t features)
{
    struct module_builder *builder = module_builder_create();

    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    module_builder_table(builder, 'r', 1, NO_MAX);
    module_builder_memory(builder, 1, NO_MAX);
    module_builder_global(builder, 'i', false, BYTES(0x41, 0, 0x0b));
    module_builder_global(builder, 'l', true, BYTES(0x42, 0, 0x0b));
    module_builder_elements_raw(builder, BYTES(0, 0x41, 0, 0x0b, 0));
    module_builder_data(builder, 0, "d", 1);
    if (features & GVM_FEATURE_REFERENCE_TYPES) {
        module_builder_table(builder, 'x', 1, NO_MAX);
        module_builder_elements_raw(builder, BYTES(7, 0x6f, 0));
    }
    if (features & GVM_FEATURE_BULK_MEMORY) {
        module_builder_data_count(builder);
    }
    return builder;
}

/* ---- Signatures ------------------------------------------------------ */

/* The instruction with zeros for everything that follows its opcode. */
static void
put_insn(struct byte_buffer *body, uint32_t code)
{
    static const uint8_t zeros[8];
    static const uint8_t immediate_bytes[] = {
        [GVM__IMMEDIATE_NONE] = 0,         [GVM__IMMEDIATE_MEMORY] = 2,
        [GVM__IMMEDIATE_MEMORY_INDEX] = 1, [GVM__IMMEDIATE_I32] = 1,
        [GVM__IMMEDIATE_I64] = 1,          [GVM__IMMEDIATE_F32] = 4,
        [GVM__IMMEDIATE_F64] = 8,          [GVM__IMMEDIATE_TABLE] = 1,
        [GVM__IMMEDIATE_MEMORY_INIT] = 2,  [GVM__IMMEDIATE_DATA] = 1,
        [GVM__IMMEDIATE_MEMORY_COPY] = 2,  [GVM__IMMEDIATE_TABLE_INIT] = 2,
        [GVM__IMMEDIATE_ELEMENT] = 1,      [GVM__IMMEDIATE_TABLE_COPY] = 2,
    };

    if (code > 0xff) {
        byte_buffer_put_byte(body, (uint8_t)(code >> 8));
    }
    byte_buffer_put_byte(body, (uint8_t)code);
    byte_buffer_put(body, zeros,
                    immediate_bytes[gvm__insn_info(code)->immediate]);
}

/* Loads a function of the type `signature` that hands its parameters to the
 * instruction. */
static void
load_insn(uint32_t code, const char *signature, uint32_t features,
          enum gvm_status status, const char *message)
{
    struct byte_buffer body = {0};
    size_t parameter_count = strcspn(signature, ":");

    for (size_t i = 0; i < parameter_count; i++) {
        byte_buffer_put_byte(&body, GVM__INSN_LOCAL_GET);
        byte_buffer_put_unsigned(&body, i);
    }
    put_insn(&body, code);
    byte_buffer_put_byte(&body, GVM__INSN_END);
    load_case_body(whole_module(features), signature, "", body.bytes,
                   body.length_bytes, features, status, message);
    byte_buffer_deinit(&body);
}

START_TEST(instructions_take_and_give_what_their_signature_says)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        const char *signature = gvm__insn_info(codes[i])->signature;

        if (signature[0] != '*') {
            load_insn(codes[i], signature, ALL, GVM_OK, "");
        }
    }
}
END_TEST

/* Each operand and each result with every other type. */
static void
check_other_types(uint32_t code)
{
    char signature[8];
    char message[64];
    const struct gvm__insn_info *info = gvm__insn_info(code);

    for (size_t k = 0; info->signature[k] != '\0'; k++) {
        bool is_result = k > strcspn(info->signature, ":");

        for (const char *other = "ilfdrx"; *other != '\0'; other++) {
            if (info->signature[k] == ':' || info->signature[k] == *other) {
                continue;
            }
            snprintf(signature, sizeof(signature), "%s", info->signature);
            signature[k] = *other;
            snprintf(message, sizeof(message), "type mismatch: %s expects",
                     is_result ? "end" : info->text);
            load_insn(code, signature, ALL, GVM_INVALID, message);
        }
    }
}

START_TEST(no_operand_may_have_another_type)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        if (gvm__insn_info(codes[i])->signature[0] != '*') {
            check_other_types(codes[i]);
        }
    }
}
END_TEST

START_TEST(instructions_beyond_1_0_need_their_feature)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        const struct gvm__insn_info *info = gvm__insn_info(codes[i]);
        char message[64];

        if (info->feature == 0 || info->signature[0] == '*') {
            continue;
        }
        snprintf(message, sizeof(message), "%s: needs the feature ",
                 info->text);
        load_insn(codes[i], info->signature,
                  ALL & ~(uint32_t)info->feature, GVM_MALFORMED, message);
        load_insn(codes[i], info->signature, info->feature, GVM_OK, "");
    }
}
END_TEST

START_TEST(instructions_on_memory_need_one)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        const struct gvm__insn_info *info = gvm__insn_info(codes[i]);
        struct byte_buffer body = {0};

        if (info->immediate != GVM__IMMEDIATE_MEMORY &&
            info->immediate != GVM__IMMEDIATE_MEMORY_INDEX &&
            info->immediate != GVM__IMMEDIATE_MEMORY_COPY) {
            continue;
        }
        byte_buffer_put_byte(&body, GVM__INSN_UNREACHABLE);
        put_insn(&body, codes[i]);
        byte_buffer_put(&body, BYTES(0x00, 0x0b));
        load_case_body(NULL, ":", "", body.bytes, body.length_bytes, ALL,
                       GVM_INVALID, "unknown memory 0");
        byte_buffer_deinit(&body);
    }
}
END_TEST

START_TEST(an_alignment_is_at_most_natural)
{
    /* By opcode from i32.load on: the exponent of the access's size. */
    static const uint8_t sizes[] = {2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1,
                                    2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2};

    for (uint8_t i = 0; i < COUNT_OF(sizes); i++) {
        uint8_t body[] = {0x00, (uint8_t)(0x28 + i), sizes[i], 0, 0x00,
                          0x0b};

        load_case_body(whole_module(MVP), ":", "", body, sizeof(body), MVP,
                       GVM_OK, "");
        body[2]++;
        load_case_body(whole_module(MVP), ":", "", body, sizeof(body), MVP,
                       GVM_INVALID,
                       "alignment must not be larger than natural");
        body[2] = 31;
        load_case_body(whole_module(MVP), ":", "", body, sizeof(body), MVP,
                       GVM_INVALID,
                       "alignment must not be larger than natural");
        body[2] = 32;
        load_case_body(whole_module(MVP), ":", "", body, sizeof(body), MVP,
                       GVM_MALFORMED, "malformed memop flags");
    }
}
END_TEST

/* ---- Rules of their own ---------------------------------------------- */

/* Bodies in the whole module. */
static const struct body_case {
    uint32_t features;
    const char *signature;
    enum gvm_status status;
    const char *message;
    uint8_t length_bytes;
    uint8_t bytes[16];
} bodies[] = {
    /* drop, select */
    {ALL, "x:", GVM_OK, "", 4, {0x20, 0, 0x1a, 0x0b}},
    {ALL, ":", GVM_INVALID, "type mismatch: drop expects a value", 2,
     {0x1a, 0x0b}},
    {ALL, "lli:l", GVM_OK, "", 8,
     {0x20, 0, 0x20, 1, 0x20, 2, 0x1b, 0x0b}},
    {ALL, "lfi:l", GVM_INVALID, "type mismatch: select expects i64, found "
     "f32", 8, {0x20, 0, 0x20, 1, 0x20, 2, 0x1b, 0x0b}},
    {ALL, "lll:l", GVM_INVALID, "type mismatch: select expects i32", 8,
     {0x20, 0, 0x20, 1, 0x20, 2, 0x1b, 0x0b}},
    {ALL, "xxi:x", GVM_INVALID, "type mismatch: select without a type", 8,
     {0x20, 0, 0x20, 1, 0x20, 2, 0x1b, 0x0b}},
    {ALL, "xxi:x", GVM_OK, "", 10,
     {0x20, 0, 0x20, 1, 0x20, 2, 0x1c, 1, 0x6f, 0x0b}},
    {ALL, "lli:x", GVM_INVALID, "type mismatch: select expects externref",
     10, {0x20, 0, 0x20, 1, 0x20, 2, 0x1c, 1, 0x6f, 0x0b}},
    {ALL, "lli:l", GVM_INVALID, "invalid result arity: select gives 0", 9,
     {0x20, 0, 0x20, 1, 0x20, 2, 0x1c, 0, 0x0b}},
    {ALL, "lli:l", GVM_INVALID, "invalid result arity: select gives 2", 11,
     {0x20, 0, 0x20, 1, 0x20, 2, 0x1c, 2, 0x7e, 0x7e, 0x0b}},
    {ALL, "lli:l", GVM_MALFORMED, "malformed value type 0x40", 10,
     {0x20, 0, 0x20, 1, 0x20, 2, 0x1c, 1, 0x40, 0x0b}},
    {MVP, "lli:l", GVM_MALFORMED, "select: needs the feature", 10,
     {0x20, 0, 0x20, 1, 0x20, 2, 0x1c, 1, 0x7e, 0x0b}},
    /* Unknown operands take the type of the other, or none. */
    {ALL, ":l", GVM_OK, "", 3, {0x00, 0x1b, 0x0b}},
    {ALL, ":l", GVM_INVALID, "type mismatch: end expects i64, found i32", 7,
     {0x00, 0x41, 0, 0x41, 0, 0x1b, 0x0b}},
    {ALL, ":", GVM_OK, "", 6, {0x00, 0x1b, 0x45, 0x1b, 0x1a, 0x0b}},
    {ALL, ":", GVM_INVALID, "type mismatch: select without a type", 8,
     {0x00, 0xd0, 0x6f, 0x41, 0, 0x1b, 0x1a, 0x0b}},
    /* locals, globals */
    {MVP, "i:l", GVM_INVALID, "type mismatch: end expects i64", 3,
     {0x20, 0, 0x0b}},
    {MVP, "il:", GVM_INVALID, "type mismatch: local.set expects i64", 5,
     {0x20, 0, 0x21, 1, 0x0b}},
    {MVP, "i:i", GVM_OK, "", 5, {0x20, 0, 0x22, 0, 0x0b}},
    {MVP, "i:", GVM_INVALID, "type mismatch: 1 values too many", 5,
     {0x20, 0, 0x22, 0, 0x0b}},
    {MVP, "i:", GVM_INVALID, "unknown local 1", 4, {0x20, 1, 0x1a, 0x0b}},
    {MVP, ":i", GVM_OK, "", 3, {0x23, 0, 0x0b}},
    {MVP, ":l", GVM_OK, "", 3, {0x23, 1, 0x0b}},
    {MVP, ":", GVM_INVALID, "unknown global 2", 4, {0x23, 2, 0x1a, 0x0b}},
    {MVP, "l:", GVM_OK, "", 5, {0x20, 0, 0x24, 1, 0x0b}},
    {MVP, "i:", GVM_INVALID, "type mismatch: global.set expects i64", 5,
     {0x20, 0, 0x24, 1, 0x0b}},
    {MVP, "i:", GVM_INVALID, "global is immutable: 0", 5,
     {0x20, 0, 0x24, 0, 0x0b}},
    /* references */
    {ALL, ":r", GVM_OK, "", 3, {0xd0, 0x70, 0x0b}},
    {ALL, ":x", GVM_OK, "", 3, {0xd0, 0x6f, 0x0b}},
    {ALL, ":x", GVM_INVALID, "type mismatch", 3, {0xd0, 0x70, 0x0b}},
    {ALL, ":r", GVM_MALFORMED, "malformed reference type 0x7f", 3,
     {0xd0, 0x7f, 0x0b}},
    {ALL, "x:i", GVM_OK, "", 4, {0x20, 0, 0xd1, 0x0b}},
    {ALL, ":i", GVM_OK, "", 3, {0x00, 0xd1, 0x0b}},
    {ALL, "i:i", GVM_INVALID, "type mismatch: ref.is_null expects a value, "
     "found i32", 4, {0x20, 0, 0xd1, 0x0b}},
    {ALL, ":r", GVM_OK, "", 3, {0xd2, 0, 0x0b}},
    {ALL, ":r", GVM_INVALID, "undeclared function reference 1", 3,
     {0xd2, 1, 0x0b}},
    {ALL, ":r", GVM_INVALID, "unknown function 3", 3, {0xd2, 3, 0x0b}},
    /* tables */
    {ALL, "i:r", GVM_OK, "", 5, {0x20, 0, 0x25, 0, 0x0b}},
    {ALL, "i:x", GVM_OK, "", 5, {0x20, 0, 0x25, 1, 0x0b}},
    {ALL, "i:r", GVM_INVALID, "unknown table 2", 5,
     {0x20, 0, 0x25, 2, 0x0b}},
    {ALL, "ix:", GVM_OK, "", 7, {0x20, 0, 0x20, 1, 0x26, 1, 0x0b}},
    {ALL, "ix:", GVM_INVALID, "type mismatch: table.set expects funcref", 7,
     {0x20, 0, 0x20, 1, 0x26, 0, 0x0b}},
    {ALL, "ri:i", GVM_OK, "", 8, {0x20, 0, 0x20, 1, 0xfc, 15, 0, 0x0b}},
    {ALL, "xi:i", GVM_INVALID, "type mismatch: table.grow expects funcref",
     8, {0x20, 0, 0x20, 1, 0xfc, 15, 0, 0x0b}},
    {ALL, "ixi:", GVM_OK, "", 10,
     {0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 17, 1, 0x0b}},
    {ALL, "iri:", GVM_INVALID, "type mismatch: table.fill expects externref",
     10, {0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 17, 1, 0x0b}},
    {ALL, ":", GVM_INVALID, "type mismatch: table.copy expects funcref, "
     "found externref", 6, {0x00, 0xfc, 14, 0, 1, 0x0b}},
    {ALL, ":", GVM_OK, "", 6, {0x00, 0xfc, 14, 1, 1, 0x0b}},
    {ALL, ":", GVM_INVALID, "type mismatch: table.init expects externref, "
     "found funcref", 6, {0x00, 0xfc, 12, 0, 1, 0x0b}},
    {ALL, ":", GVM_OK, "", 6, {0x00, 0xfc, 12, 1, 1, 0x0b}},
    {ALL, ":", GVM_INVALID, "unknown elem segment 2", 6,
     {0x00, 0xfc, 12, 2, 0, 0x0b}},
    {ALL, ":", GVM_INVALID, "unknown elem segment 2", 4,
     {0xfc, 13, 2, 0x0b}},
    /* memories */
    {ALL, ":", GVM_INVALID, "unknown data segment 1", 6,
     {0x00, 0xfc, 8, 1, 0, 0x0b}},
    {ALL, ":", GVM_INVALID, "unknown data segment 1", 4,
     {0xfc, 9, 1, 0x0b}},
    {ALL, ":", GVM_MALFORMED, "zero byte expected", 6,
     {0x00, 0xfc, 8, 0, 1, 0x0b}},
    {ALL, ":", GVM_MALFORMED, "zero byte expected", 6,
     {0x00, 0xfc, 10, 0, 1, 0x0b}},
    {ALL, ":", GVM_MALFORMED, "zero byte expected", 6,
     {0x00, 0xfc, 10, 1, 0, 0x0b}},
    {MVP, ":i", GVM_MALFORMED, "zero byte expected", 3, {0x3f, 1, 0x0b}},
    {MVP, ":i", GVM_MALFORMED, "zero byte expected", 4,
     {0x3f, 0x80, 0, 0x0b}},
    /* opcodes */
    {ALL, ":", GVM_MALFORMED, "illegal opcode 0x06", 2, {0x06, 0x0b}},
    {ALL, ":", GVM_MALFORMED, "illegal opcode 0xfd", 3, {0xfd, 0, 0x0b}},
    {ALL, ":", GVM_MALFORMED, "illegal opcode 0xfc 18", 3,
     {0xfc, 18, 0x0b}},
    {ALL, ":", GVM_MALFORMED, "illegal opcode 0xfc 256", 4,
     {0xfc, 0x80, 2, 0x0b}},
    {ALL, ":", GVM_MALFORMED, "unexpected end", 1, {0xfc}},
    {ALL, "f:i", GVM_OK, "", 7, {0x20, 0, 0xfc, 0x80, 0x80, 0, 0x0b}},
};

START_TEST(other_instructions_have_rules_of_their_own)
{
    const struct body_case *row = &bodies[_i];

    load_case_body(whole_module(row->features), row->signature, "",
                   row->bytes, row->length_bytes, row->features, row->status,
                   row->message);
}
END_TEST

START_TEST(data_instructions_need_the_data_count)
{
    static const uint8_t bodies_of[][6] = {
        {0x00, 0xfc, 8, 0, 0, 0x0b},
        {0x00, 0xfc, 9, 0, 0x1a, 0x0b},
    };

    for (size_t i = 0; i < COUNT_OF(bodies_of); i++) {
        struct module_builder *builder = module_builder_create();

        module_builder_memory(builder, 1, NO_MAX);
        module_builder_data(builder, 0, "d", 1);
        load_case_body(builder, ":", "", bodies_of[i], 6, ALL,
                       GVM_MALFORMED, "data count section required");
    }
}
END_TEST

START_TEST(a_function_is_declared_by_exports_elements_and_globals)
{
    for (unsigned way = 0; way < 5; way++) {
        struct module_builder *builder = module_builder_create();

        module_builder_func(builder, ":", "", BYTES(0x0b));
        switch (way) {
        case 0:
            module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
            break;
        case 1:
            module_builder_elements_raw(builder, BYTES(3, 0, 1, 0));
            break;
        case 2:
            module_builder_elements_raw(builder,
                                        BYTES(5, 0x70, 1, 0xd2, 0, 0x0b));
            break;
        case 3:
            module_builder_global(builder, 'r', false, BYTES(0xd2, 0, 0x0b));
            break;
        default: /* not by being the start function */
            module_builder_start(builder, 0);
            break;
        }
        load_case_body(builder, ":", "", BYTES(0xd2, 0, 0x1a, 0x0b), ALL,
                       way < 4 ? GVM_OK : GVM_INVALID,
                       "undeclared function reference 0");
    }
}
END_TEST

static Suite *
validate_insn_suite(void)
{
    Suite *suite = suite_create("vm/validate_insn");
    TCase *tests = tcase_create("validate_insn");

    tcase_add_test(tests,
                   instructions_take_and_give_what_their_signature_says);
    tcase_add_test(tests, no_operand_may_have_another_type);
    tcase_add_test(tests, instructions_beyond_1_0_need_their_feature);
    tcase_add_test(tests, instructions_on_memory_need_one);
    tcase_add_test(tests, an_alignment_is_at_most_natural);
    tcase_add_loop_test(tests, other_instructions_have_rules_of_their_own, 0,
                        (int)COUNT_OF(bodies));
    tcase_add_test(tests, data_instructions_need_the_data_count);
    tcase_add_test(tests,
                   a_function_is_declared_by_exports_elements_and_globals);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(validate_insn_suite());
}
