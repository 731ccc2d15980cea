/*
 * check_translate.c - tests of vm/translate.c: calls, blocks, and functions
 * of every size.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <string.h>

#include "vm/insns.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define I(name) GVM__INSN_##name
#define GET(local) I(LOCAL_GET), local
#define SET(local) I(LOCAL_SET), local
#define CONST(number) I(I32_CONST), number
#define ADD I(I32_ADD)
#define SUB I(I32_SUB)
#define END I(END)

static struct vm_guest guest;

/* ---- Calls --------------------------------------------------------------- */

#define BODY_MAX 64

/*
 * Function 0 is the program, "iii:i" with one local more (number 3). 1 is
 * a - b, 2 swaps its two arguments, 3 gives nothing and counts global 0 up,
 * 4 gives 1 when global 0 is odd. The table holds 1, 2, 3, 4 from entry 1.
 */
static const struct program {
    const char *what;
    uint8_t body[BODY_MAX];
    uint32_t result; /* of 100, 30, 4 */
} programs[] = {
    {"arguments in order", {GET(0), GET(1), I(CALL), 1, END}, 70},
    {"an argument that is a sum",
     {GET(0), GET(1), GET(2), ADD, I(CALL), 1, END},
     66},
    {"a call below a call",
     {GET(0), GET(1), I(CALL), 1, GET(1), GET(2), I(CALL), 1, I(CALL), 1,
      END},
     44},
    {"values that wait below a call",
     {GET(0), GET(1), GET(2), GET(1), I(CALL), 1, ADD, SUB, END},
     96},
    {"a constant that waits below a call",
     {CONST(9), GET(0), GET(1), I(CALL), 1, SUB, END},
     (uint32_t)(9 - 70)},
    {"two results as two arguments",
     {GET(0), GET(1), I(CALL), 2, I(CALL), 1, END},
     (uint32_t)-70},
    {"two results swapped twice",
     {GET(0), GET(1), I(CALL), 2, I(CALL), 2, I(CALL), 1, END},
     70},
    {"two results into locals",
     {GET(0), GET(1), I(CALL), 2, SET(0), SET(1), GET(0), GET(1), SUB, END},
     70},
    {"a result as a condition",
     {I(CALL), 3, I(CALL), 4, I(IF), 0x7f, GET(0), I(ELSE), GET(1), END,
      END},
     100},
    {"a result as a condition, inverted",
     {I(CALL), 3, I(CALL), 4, I(I32_EQZ), I(IF), 0x7f, GET(0), I(ELSE),
      GET(1), END, END},
     30},
    {"a result that a branch takes",
     {I(BLOCK), 0x7f, CONST(5), GET(0), GET(1), I(CALL), 1, I(BR), 0, END,
      END},
     70},
    {"a result that is selected",
     {GET(2), GET(0), GET(1), I(CALL), 1, CONST(0), I(SELECT), END},
     70},
    {"calls that give nothing, between operands",
     {GET(0), I(CALL), 3, GET(1), I(CALL), 3, SUB, I(GLOBAL_GET), 0, ADD,
      END},
     72},
    {"a global read before a call that changes it",
     {I(GLOBAL_GET), 0, I(CALL), 3, I(GLOBAL_GET), 0, SUB, END},
     (uint32_t)-1},
    {"by the table, at a constant index",
     {GET(0), GET(1), CONST(1), I(CALL_INDIRECT), 1, 0, END},
     70},
    {"by the table, at an index in a local",
     {CONST(1), SET(3), GET(0), GET(1), GET(3), I(CALL_INDIRECT), 1, 0,
      END},
     70},
    {"by the table, at an index that is computed",
     {GET(0), GET(1), GET(2), CONST(3), SUB, I(CALL_INDIRECT), 1, 0, END},
     70},
    {"by the table, at an index that a call gives",
     {I(CALL), 3, GET(0), GET(1), I(CALL), 4, I(CALL_INDIRECT), 1, 0, END},
     70},
    {"by the table, at an index that is compared",
     {GET(0), GET(1), GET(2), CONST(4), I(I32_EQ), I(CALL_INDIRECT), 1, 0,
      END},
     70},
    {"by the table, at an index that is an argument as well",
     {CONST(1), SET(3), GET(0), GET(3), GET(3), I(CALL_INDIRECT), 1, 0,
      END},
     99},
    {"by the table, at an index that memory holds",
     {CONST(8), CONST(1), I(I32_STORE8), 0, 0, GET(0), GET(1), CONST(8),
      I(I32_LOAD8_U), 0, 0, I(CALL_INDIRECT), 1, 0, END},
     70},
    {"by the table, two results over a value",
     {CONST(5), GET(0), GET(1), CONST(2), I(CALL_INDIRECT), 2, 0, SUB, SUB,
      END},
     (uint32_t)(5 + 70)},
    {"by a table index of five bytes",
     {GET(0), GET(1), CONST(1), I(CALL_INDIRECT), 1, 0x80, 0x80, 0x80, 0x80,
      0, END},
     70},
    {"by another table",
     {GET(0), GET(1), CONST(0), I(CALL_INDIRECT), 1, 1, END},
     70},
};

static void
add_helpers(struct module_builder *builder)
{
    static const uint32_t entries[] = {1, 2, 3, 4};

    module_builder_func(builder, "ii:i", "",
                        BYTES(GET(0), GET(1), SUB, END));
    module_builder_func(builder, "ii:ii", "", BYTES(GET(1), GET(0), END));
    module_builder_func(builder, ":", "",
                        BYTES(I(GLOBAL_GET), 0, CONST(1), ADD,
                              I(GLOBAL_SET), 0, END));
    module_builder_func(builder, ":i", "",
                        BYTES(I(GLOBAL_GET), 0, CONST(1), I(I32_AND), END));
    module_builder_global(builder, 'i', true, BYTES(CONST(0), END));
    module_builder_memory(builder, 1, 1);
    module_builder_table(builder, 'r', 8, MODULE_BUILDER_NO_MAX);
    module_builder_table(builder, 'r', 1, MODULE_BUILDER_NO_MAX);
    module_builder_elements(builder, 1, entries, 4);
    /* An active segment of table 1: function 1 at 0. */
    module_builder_elements_raw(builder,
                                BYTES(2, 1, CONST(0), END, 0, 1, 1));
}

START_TEST(calls_take_their_arguments_and_give_their_results)
{
    const struct program *program = &programs[_i];
    size_t body_bytes = BODY_MAX;

    while (program->body[body_bytes - 1] != END)
        body_bytes--;
    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        struct module_builder *builder = module_builder_create();

        module_builder_type(builder, "iii:i");
        module_builder_type(builder, "ii:i");
        module_builder_type(builder, "ii:ii");
        module_builder_func(builder, "iii:i", "i", program->body,
                            body_bytes);
        add_helpers(builder);
        module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
        vm_guest_open(&guest, (enum gvm_bounds)bounds, builder, NULL);
        vm_guest_call(&guest, "f", SLOTS(100, 30, 4));
        ck_assert_msg(guest.status == GVM_OK &&
                          vm_guest_result(&guest, 0) == program->result,
                      "%s: %s, %llu", program->what, guest.err.message,
                      (unsigned long long)vm_guest_result(&guest, 0));
        vm_guest_close(&guest);
    }
}
END_TEST

/* even(n) = n == 0 ? 1 : odd(n - 1), odd(n) = n == 0 ? 0 : even(n - 1), in
 * a module of 1.0, whatever is asked for. */
START_TEST(functions_call_each_other_at_every_level_of_features)
{
    static const uint32_t levels[] = {GVM_FEATURES_MVP, GVM_FEATURES_2_0};
    struct module_builder *builder = module_builder_create();
    struct gvm_module *module;
    struct vm_world world;

    for (uint8_t i = 0; i < 2; i++)
        module_builder_func(builder, "i:i", "",
                            BYTES(GET(0), I(I32_EQZ), I(IF), 0x7f,
                                  CONST(1 - i), I(ELSE), GET(0), CONST(1),
                                  SUB, I(CALL), 1 - i, END, END));
    module_builder_export(builder, "even", GVM_EXTERN_FUNC, 0);
    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    module = vm_world_load(&world, builder, levels[_i]);
    vm_guest_open_in(&guest, &world, module, NULL);
    for (uint32_t n = 0; n < 9; n++)
        vm_guest_expect(&guest, "even", SLOTS(n), 1, SLOTS(n % 2 == 0));
    vm_guest_expect(&guest, "even", SLOTS(20001), 1, SLOTS(0));
    gvm_call_destroy(guest.call);
    vm_world_close(&world);
}
END_TEST

/* ---- Size ---------------------------------------------------------------- */

static void
put_local(struct byte_buffer *body, uint8_t insn, uint32_t local)
{
    byte_buffer_put_byte(body, insn);
    byte_buffer_put_unsigned(body, local);
}

/*
 * The sum of `height` times the argument, all on the stack at once, in a
 * function of `locals` locals; the last local counts too.
 */
static enum gvm_status
load_tall(uint32_t locals, uint32_t height)
{
    struct module_builder *builder = module_builder_create();
    struct byte_buffer body = {0};
    struct vm_world world;
    struct gvm_module *module = NULL;
    struct gvm_module_options options = {.copy_bytes = true};
    enum gvm_status status;
    const uint8_t *bytes;
    size_t length_bytes;

    byte_buffer_put_byte(&body, 1);
    byte_buffer_put_unsigned(&body, locals);
    byte_buffer_put(&body, BYTES(0x7f, GET(0)));
    put_local(&body, I(LOCAL_SET), locals);
    for (uint32_t i = 0; i < height; i++)
        put_local(&body, I(LOCAL_GET), i % 2 == 0 ? 0 : locals);
    /* All of them settle in slots of their own. */
    byte_buffer_put(&body, BYTES(I(BLOCK), 0x40, END));
    for (uint32_t i = 1; i < height; i++)
        byte_buffer_put_byte(&body, ADD);
    byte_buffer_put_byte(&body, END);
    module_builder_func_raw(builder, "i:i", body.bytes, body.length_bytes);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    bytes = module_builder_finish(builder, &length_bytes);
    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    status = gvm_module_load(world.engine, &options, bytes, length_bytes,
                             &module, NULL);
    if (status == GVM_OK) {
        world.modules[world.module_count++] = module;
        vm_guest_open_in(&guest, &world, module, NULL);
        vm_guest_expect(&guest, "f", SLOTS(3), 1, SLOTS(3 * height));
        gvm_call_destroy(guest.call);
    }
    module_builder_destroy(builder);
    byte_buffer_deinit(&body);
    vm_world_close(&world);
    return status;
}

START_TEST(a_frame_may_have_as_many_slots_as_the_limit_says)
{
    /* A parameter, two links and what the engine wants. */
    uint32_t height = GVM_FRAME_SLOTS_MAX - GVM_LOCALS_MAX -
                      GVM_FRAME_SLOTS_RESERVED - 40;

    while (load_tall(GVM_LOCALS_MAX - 1, height) == GVM_OK)
        height++;
    ck_assert_int_eq(load_tall(GVM_LOCALS_MAX - 1, height), GVM_LIMIT);
    ck_assert_uint_le(height,
                      GVM_FRAME_SLOTS_MAX - GVM_LOCALS_MAX + 1);
    ck_assert_uint_gt(height, GVM_FRAME_SLOTS_MAX - GVM_LOCALS_MAX -
                                  GVM_FRAME_SLOTS_RESERVED - 3);
    ck_assert_int_eq(load_tall(1, 60000), GVM_OK);
    ck_assert_int_eq(load_tall(1, GVM_FRAME_SLOTS_MAX), GVM_LIMIT);
}
END_TEST

static const uint32_t local_counts[] = {1, 100, 5000, GVM_LOCALS_MAX};

/* Each local is set to its number; all are summed up by a loop's worth of
 * code. */
START_TEST(every_local_of_many_is_its_own)
{
    struct module_builder *builder = module_builder_create();
    struct byte_buffer body = {0};
    uint32_t count = local_counts[_i], sum = 0;

    byte_buffer_put_byte(&body, 1);
    byte_buffer_put_unsigned(&body, count);
    byte_buffer_put(&body, BYTES(0x7f));
    for (uint32_t i = 0; i < count; i += 7) {
        byte_buffer_put_byte(&body, I(I32_CONST));
        byte_buffer_put_signed(&body, (int32_t)i + 1);
        put_local(&body, I(LOCAL_SET), i);
        sum += i + 1;
    }
    byte_buffer_put(&body, BYTES(CONST(0)));
    for (uint32_t i = 0; i < count; i++) {
        put_local(&body, I(LOCAL_GET), i);
        byte_buffer_put_byte(&body, ADD);
    }
    byte_buffer_put_byte(&body, END);
    module_builder_func_raw(builder, ":i", body.bytes, body.length_bytes);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    byte_buffer_deinit(&body);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
    vm_guest_expect(&guest, "f", NULL, 1, SLOTS(sum));
    vm_guest_expect(&guest, "f", NULL, 1, SLOTS(sum));
    vm_guest_close(&guest);
}
END_TEST

/* Blocks, loops and ifs in turn, as deep as allowed; in the middle of them a
 * table that leads out of every 50th, each of which adds one. */
START_TEST(blocks_nest_as_deep_as_the_limit_says)
{
    enum { DEPTH = GVM_NESTING_MAX - 10, STEP = 50 };
    static const uint8_t kinds[] = {I(BLOCK), I(LOOP), I(IF)};
    struct module_builder *builder = module_builder_create();
    struct byte_buffer body = {0};

    for (unsigned i = 0; i < DEPTH; i++) {
        if (kinds[i % 3] == I(IF))
            byte_buffer_put(&body, BYTES(CONST(1)));
        byte_buffer_put(&body, BYTES(kinds[i % 3], 0x40));
    }
    byte_buffer_put(&body, BYTES(GET(0), I(BR_TABLE)));
    byte_buffer_put_unsigned(&body, DEPTH / STEP);
    for (unsigned i = 0; i <= DEPTH / STEP; i++) {
        /* Not to a loop, which would be for ever. */
        unsigned depth = i * STEP < DEPTH ? i * STEP : DEPTH - 1;

        if (kinds[(DEPTH - 1 - depth) % 3] == I(LOOP))
            depth++;
        byte_buffer_put_unsigned(&body, depth);
    }
    for (unsigned i = 0; i < DEPTH; i++)
        byte_buffer_put(&body,
                        BYTES(END, GET(1), CONST(1), ADD, SET(1)));
    byte_buffer_put(&body, BYTES(GET(1), END));
    module_builder_func(builder, "i:i", "i", body.bytes, body.length_bytes);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    byte_buffer_deinit(&body);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
    for (unsigned i = 0; i < DEPTH / STEP; i += 13) {
        unsigned depth = i * STEP;

        if (kinds[(DEPTH - 1 - depth) % 3] == I(LOOP))
            depth++;
        vm_guest_expect(&guest, "f", SLOTS(i), 1, SLOTS(DEPTH - depth));
    }
    vm_guest_close(&guest);
}
END_TEST

/*
 * 40,000 times: if bit i % 32 of the argument is set, the sum grows by i;
 * all in one body, beyond what is translated at a first call.
 */
START_TEST(a_body_of_a_megabyte_does_what_it_says)
{
    enum { COUNT = 40000 };
    struct module_builder *builder = module_builder_create();
    struct byte_buffer body = {0};
    static const uint32_t arguments[] = {0, UINT32_MAX, 0x12345678};

    for (int32_t i = 0; i < COUNT; i++) {
        byte_buffer_put(&body, BYTES(GET(0), CONST((uint8_t)(i & 31)),
                                     I(I32_SHR_U), CONST(1), I(I32_AND),
                                     I(IF), 0x40, GET(1), I(I32_CONST)));
        byte_buffer_put_signed(&body, i);
        byte_buffer_put(&body, BYTES(ADD, SET(1), END));
    }
    byte_buffer_put(&body, BYTES(GET(1), END));
    ck_assert_uint_gt(body.length_bytes, 10 * GVM_LAZY_BODY_BYTES_MAX);
    module_builder_func(builder, "i:i", "i", body.bytes, body.length_bytes);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    byte_buffer_deinit(&body);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
    for (size_t i = 0; i < COUNT_OF(arguments); i++) {
        uint32_t sum = 0;

        for (uint32_t j = 0; j < COUNT; j++)
            if (arguments[i] >> j % 32 & 1)
                sum += j;
        vm_guest_expect(&guest, "f", SLOTS(arguments[i]), 1, SLOTS(sum));
    }
    vm_guest_close(&guest);
}
END_TEST

static Suite *
translate_suite(void)
{
    Suite *suite = suite_create("translate");
    TCase *calls = tcase_create("calls");
    TCase *size = tcase_create("size");

    tcase_add_loop_test(calls,
                        calls_take_their_arguments_and_give_their_results,
                        0, (int)COUNT_OF(programs));
    tcase_add_loop_test(
        calls, functions_call_each_other_at_every_level_of_features, 0, 2);
    tcase_add_test(size, a_frame_may_have_as_many_slots_as_the_limit_says);
    tcase_add_loop_test(size, every_local_of_many_is_its_own, 0,
                        (int)COUNT_OF(local_counts));
    tcase_add_test(size, blocks_nest_as_deep_as_the_limit_says);
    tcase_add_test(size, a_body_of_a_megabyte_does_what_it_says);
    suite_add_tcase(suite, calls);
    suite_add_tcase(suite, size);
    return suite;
}

int
main(void)
{
    return suite_run(translate_suite());
}
