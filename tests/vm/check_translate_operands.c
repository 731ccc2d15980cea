/*
 * check_translate_operands.c - tests of vm/translate_operands.c: values that
 * wait on the stack while locals change, and constants.
 *
 * local.get and constants cost nothing at run time, so what is on the stack
 * may still be the local. All of this must not be seen.
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
#define TEE(local) I(LOCAL_TEE), local
#define CONST(number) I(I32_CONST), number
#define ADD I(I32_ADD)
#define SUB I(I32_SUB)

static struct vm_guest guest;

/* ---- Locals that change under values ------------------------------------ */

#define BODY_MAX 64

/* Function 0 is the program, 1 adds one, 2 gives its argument twice. There
 * is one local, number 2, besides the parameters a = 10 and b = 3. */
static const struct program {
    const char *what;
    uint8_t body[BODY_MAX];
    uint32_t results[3];
} programs[] = {
    {"swap by the stack",
     {GET(0), GET(1), SET(0), SET(1), GET(0), GET(1), CONST(0), I(END)},
     {3, 10, 0}},
    {"swap by a local",
     {GET(0), SET(2), GET(1), SET(0), GET(2), SET(1), GET(0), GET(1),
      GET(2), I(END)},
     {3, 10, 10}},
    {"the old value below the new one",
     {GET(0), GET(0), CONST(1), ADD, SET(0), GET(0), CONST(0), I(END)},
     {10, 11, 0}},
    {"the old value thrice",
     {GET(0), GET(0), GET(0), GET(1), SET(0), I(END)},
     {10, 10, 10}},
    {"the old value beside a constant",
     {GET(0), CONST(5), GET(1), SET(0), GET(0), I(END)},
     {10, 5, 3}},
    {"set to itself",
     {GET(0), GET(0), SET(0), GET(0), CONST(1), I(END)},
     {10, 10, 1}},
    {"teed to itself",
     {GET(0), GET(0), TEE(0), CONST(1), I(END)},
     {10, 10, 1}},
    {"set to another and changed",
     {GET(0), SET(2), GET(0), CONST(1), ADD, SET(0), GET(2), GET(0),
      CONST(0), I(END)},
     {10, 11, 0}},
    {"a chain of tees",
     {GET(0), CONST(1), ADD, TEE(0), TEE(1), TEE(2), GET(0), GET(1), ADD,
      GET(2), I(END)},
     {11, 22, 11}},
    {"teed, read, changed, read",
     {GET(0), CONST(1), ADD, TEE(2), GET(2), CONST(7), SET(2), GET(2),
      I(END)},
     {11, 11, 7}},
    {"teed under a sum",
     {GET(0), GET(1), TEE(0), ADD, GET(0), CONST(0), I(END)},
     {13, 3, 0}},
    {"both operands of what changes it",
     {GET(0), GET(0), GET(0), ADD, SET(0), GET(0), GET(0), I(END)},
     {10, 20, 20}},
    {"a difference with itself, changed",
     {GET(0), GET(0), GET(1), SUB, TEE(0), SUB, GET(0), GET(0), I(END)},
     {3, 7, 7}},
    {"waiting across a call that cannot see it",
     {GET(0), GET(1), I(CALL), 1, SET(0), GET(0), GET(1), I(END)},
     {10, 4, 3}},
    {"waiting as an argument",
     {GET(0), CONST(1), SET(0), I(CALL), 1, GET(0), CONST(2), I(END)},
     {11, 1, 2}},
    {"results of a call into what waits",
     {GET(0), GET(1), I(CALL), 2, SET(0), SET(1), GET(0), GET(1), I(END)},
     {10, 3, 3}},
    {"waiting over a block that changes it",
     {GET(0), I(BLOCK), 0x40, CONST(5), SET(0), I(END), GET(0), GET(1),
      I(END)},
     {10, 5, 3}},
    {"waiting over an if",
     {GET(0), GET(1), I(IF), 0x40, CONST(5), SET(0), I(ELSE), CONST(6),
      SET(0), I(END), GET(0), GET(1), I(END)},
     {10, 5, 3}},
    {"waiting over a loop",
     {GET(0), I(LOOP), 0x40, GET(0), CONST(1), SUB, TEE(0), I(BR_IF), 0,
      I(END), GET(0), GET(1), I(END)},
     {10, 0, 3}},
    {"waiting over a branch that is not taken",
     {GET(0), I(BLOCK), 0x40, CONST(1), SET(0), CONST(0), I(BR_IF), 0,
      CONST(2), SET(0), I(END), GET(0), CONST(9), I(END)},
     {10, 2, 9}},
    {"dropped while it waits",
     {GET(0), GET(0), I(DROP), CONST(4), SET(0), GET(0), CONST(9), I(END)},
     {10, 4, 9}},
    {"selected between old and new",
     {GET(0), CONST(4), TEE(0), GET(1), I(SELECT), GET(0), GET(1), I(END)},
     {10, 4, 3}},
    {"selected by what is set",
     {GET(0), GET(1), CONST(0), TEE(1), I(SELECT), GET(1), GET(0), I(END)},
     {3, 0, 10}},
    {"an address that changes before the value is stored",
     {GET(0), GET(1), TEE(0), I(I32_STORE), 2, 0, CONST(10), I(I32_LOAD), 2,
      0, GET(0), GET(1), I(END)},
     {3, 3, 3}},
    {"set to what memory held at its address",
     {CONST(10), CONST(44), I(I32_STORE), 2, 0, GET(0), GET(0), I(I32_LOAD),
      2, 0, SET(0), GET(0), GET(1), I(END)},
     {10, 44, 3}},
    {"an old global below a new one",
     {CONST(6), I(GLOBAL_SET), 0, I(GLOBAL_GET), 0, CONST(7), I(GLOBAL_SET),
      0, I(GLOBAL_GET), 0, GET(0), I(END)},
     {6, 7, 10}},
    {"a load below a store to its address",
     {CONST(0), I(I32_LOAD), 2, 0, CONST(0), CONST(8), I(I32_STORE), 2, 0,
      CONST(0), I(I32_LOAD), 2, 0, GET(0), I(END)},
     {0, 8, 10}},
    {"a quotient whose local is set in between",
     {GET(0), GET(1), GET(1), CONST(5), SET(1), I(I32_DIV_U), SUB, GET(1),
      GET(0), I(END)},
     {9, 5, 10}},
};

static void
open_program(int bounds, const uint8_t *body, size_t body_bytes)
{
    struct module_builder *builder = module_builder_create();

    module_builder_memory(builder, 1, 1);
    module_builder_global(builder, 'i', true,
                          BYTES(I(I32_CONST), 0, I(END)));
    module_builder_func(builder, "ii:iii", "i", body, body_bytes);
    module_builder_func(builder, "i:i", "",
                        BYTES(GET(0), CONST(1), ADD, I(END)));
    module_builder_func(builder, "i:ii", "", BYTES(GET(0), GET(0), I(END)));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    vm_guest_open(&guest, (enum gvm_bounds)bounds, builder, NULL);
}

START_TEST(a_value_on_the_stack_stays_what_it_was)
{
    const struct program *program = &programs[_i];
    size_t body_bytes = BODY_MAX;

    while (program->body[body_bytes - 1] != I(END))
        body_bytes--;
    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        open_program(bounds, program->body, body_bytes);
        vm_guest_call(&guest, "f", SLOTS(10, 3));
        ck_assert_msg(guest.status == GVM_OK, "%s: %s", program->what,
                      guest.err.message);
        for (unsigned i = 0; i < 3; i++)
            ck_assert_msg(
                vm_guest_result(&guest, i) == program->results[i],
                "%s: result %u is %llu", program->what, i,
                (unsigned long long)vm_guest_result(&guest, i));
        vm_guest_close(&guest);
    }
}
END_TEST

/* ---- Deep stacks --------------------------------------------------------- */

static void
put_local(struct byte_buffer *body, uint8_t insn, uint32_t local)
{
    byte_buffer_put_byte(body, insn);
    byte_buffer_put_unsigned(body, local);
}

/*
 * `count` locals rotated by the stack: all are read, then all are set, each
 * to what the next one was. "f" gives local `which` afterwards.
 */
static void
open_rotation(uint32_t count, uint32_t rounds)
{
    struct module_builder *builder = module_builder_create();
    struct byte_buffer body = {0};

    byte_buffer_put_byte(&body, 1);
    byte_buffer_put_unsigned(&body, count);
    byte_buffer_put_byte(&body, GVM_I32);
    for (uint32_t i = 0; i < count; i++) {
        byte_buffer_put_byte(&body, I(I32_CONST));
        byte_buffer_put_signed(&body, (int32_t)i);
        put_local(&body, I(LOCAL_SET), 1 + i);
    }
    for (uint32_t round = 0; round < rounds; round++) {
        put_local(&body, I(LOCAL_GET), 1);
        for (uint32_t i = 0; i < count; i++)
            put_local(&body, I(LOCAL_GET), 1 + (i + 1) % count);
        for (uint32_t i = count; i > 0; i--)
            put_local(&body, I(LOCAL_SET), i);
        byte_buffer_put_byte(&body, I(DROP));
    }
    for (uint32_t i = 0; i < count; i += count / 2) {
        put_local(&body, I(LOCAL_GET), 1 + i);
        byte_buffer_put(&body, BYTES(GET(0), SUB, SET(0)));
    }
    byte_buffer_put(&body, BYTES(GET(0), I(END)));
    module_builder_func_raw(builder, "i:i", body.bytes, body.length_bytes);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    byte_buffer_deinit(&body);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
}

static const struct rotation {
    uint32_t count, rounds;
} rotations[] = {{2, 1}, {2, 2}, {16, 5}, {1000, 3}, {30000, 1}};

START_TEST(locals_rotate_by_the_stack_however_deep)
{
    uint32_t count = rotations[_i].count, rounds = rotations[_i].rounds;
    uint32_t first = rounds % count;
    uint32_t middle = (count / 2 + rounds) % count;

    open_rotation(count, rounds);
    /* middle - (first - argument) */
    vm_guest_expect(&guest, "f", SLOTS(5), 1,
                    SLOTS((uint32_t)(middle - (first - 5))));
    vm_guest_close(&guest);
}
END_TEST

/*
 * Locals at the bottom of a deep stack, set one by one while a mountain of
 * constants lies on them: looking for each from the top would take the
 * square of the size.
 */
START_TEST(setting_locals_below_a_deep_stack_takes_no_square_of_its_depth)
{
    enum { LOCALS = 15000, CONSTANTS = 35000, FUNCTIONS = 60 };
    struct module_builder *builder = module_builder_create();
    struct byte_buffer body = {0};

    byte_buffer_put(&body, BYTES(1));
    byte_buffer_put_unsigned(&body, LOCALS);
    byte_buffer_put(&body, BYTES(GVM_I32, I(BLOCK), 0x40));
    for (uint32_t i = 0; i < LOCALS; i++)
        put_local(&body, I(LOCAL_GET), i);
    for (uint32_t i = 0; i < CONSTANTS; i++)
        byte_buffer_put(&body, BYTES(CONST(1)));
    for (uint32_t i = 0; i < LOCALS; i++) {
        byte_buffer_put(&body, BYTES(CONST(2)));
        put_local(&body, I(LOCAL_SET), i);
    }
    byte_buffer_put(&body, BYTES(I(BR), 0, I(END)));
    put_local(&body, I(LOCAL_GET), LOCALS - 1);
    byte_buffer_put_byte(&body, I(END));
    for (unsigned i = 0; i < FUNCTIONS; i++)
        module_builder_func_raw(builder, ":i", body.bytes,
                                body.length_bytes);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, FUNCTIONS - 1);
    byte_buffer_deinit(&body);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
    vm_guest_expect(&guest, "f", NULL, 1, SLOTS(2));
    vm_guest_close(&guest);
}
END_TEST

/* ---- Constants ----------------------------------------------------------- */

/* Of every size class: what fits an immediate, a sign extended, neither. */
static const uint64_t constants[] = {
    0,
    1,
    63,
    64,
    UINT64_MAX,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0x100000000,
    0xffffffff80000000,
    0xffffffff7fffffff,
    0x7fffffffffffffff,
    0x8000000000000000,
    0x3ff0000000000000,
    0x7fa00001,
    0x7ff4000000000001,
};

/* The constant: returned, through a local, as an operand of every place, in
 * a global, in a branch, as an argument, and selected. */
static void
try_constant(int bounds, char type, uint64_t value)
{
    static const uint8_t consts[] = {I(I32_CONST), I(I64_CONST),
                                     I(F32_CONST), I(F64_CONST)};
    static const uint8_t codes[] = {GVM_I32, GVM_I64, GVM_F32, GVM_F64};
    struct module_builder *builder = module_builder_create();
    size_t which = (size_t)(strchr("ilfd", type) - "ilfd");
    char identity[] = {type, ':', type, '\0'};
    char give[] = {'i', ':', type, type, type, type, type, type, '\0'};
    char locals[] = {type, '\0'};
    struct byte_buffer constant = {0}, body = {0};

    byte_buffer_put_byte(&constant, consts[which]);
    if (type == 'i')
        byte_buffer_put_signed(&constant, (int32_t)value);
    else if (type == 'l')
        byte_buffer_put_signed(&constant, (int64_t)value);
    else
        byte_buffer_put(&constant, &value, type == 'f' ? 4 : 8);
    byte_buffer_put_byte(&constant, I(END));
#define PUT_CONSTANT                                                     \
    byte_buffer_put(&body, constant.bytes, constant.length_bytes - 1)
    PUT_CONSTANT; /* as it is */
    PUT_CONSTANT; /* through a local */
    byte_buffer_put(&body, BYTES(I(LOCAL_SET), 1, I(LOCAL_GET), 1));
    PUT_CONSTANT; /* through a global */
    byte_buffer_put(&body, BYTES(I(GLOBAL_SET), 0, I(GLOBAL_GET), 0));
    PUT_CONSTANT; /* as an argument */
    byte_buffer_put(&body, BYTES(I(CALL), 0));
    byte_buffer_put(&body, BYTES(I(BLOCK), codes[which]));
    PUT_CONSTANT; /* with a branch */
    byte_buffer_put(&body, BYTES(I(LOCAL_GET), 0, I(BR_IF), 0, I(DROP)));
    PUT_CONSTANT;
    byte_buffer_put(&body, BYTES(I(END)));
    PUT_CONSTANT; /* selected */
    PUT_CONSTANT;
    byte_buffer_put(&body, BYTES(I(LOCAL_GET), 0, I(SELECT), I(END)));
#undef PUT_CONSTANT
    module_builder_global(builder, type, true, constant.bytes,
                          constant.length_bytes);
    module_builder_func(builder, identity, "",
                        BYTES(I(LOCAL_GET), 0, I(END)));
    module_builder_func(builder, give, locals, body.bytes,
                        body.length_bytes);
    module_builder_func(builder, identity + 1, "", constant.bytes,
                        constant.length_bytes);
    module_builder_export(builder, "give", GVM_EXTERN_FUNC, 1);
    module_builder_export(builder, "alone", GVM_EXTERN_FUNC, 2);
    byte_buffer_deinit(&constant);
    byte_buffer_deinit(&body);
    vm_guest_open(&guest, (enum gvm_bounds)bounds, builder, NULL);
    for (uint32_t argument = 0; argument < 2; argument++)
        vm_guest_expect(
            &guest, "give", SLOTS(argument), 6,
            SLOTS(value, value, value, value, value, value));
    vm_guest_expect(&guest, "alone", NULL, 1, SLOTS(value));
    vm_guest_close(&guest);
}

START_TEST(constants_of_every_size_arrive_everywhere)
{
    uint64_t value = constants[_i];

    try_constant(GVM_BOUNDS_EXPLICIT, 'i', (uint32_t)value);
    try_constant(GVM_BOUNDS_EXPLICIT, 'l', value);
    try_constant(GVM_BOUNDS_EXPLICIT, 'f', (uint32_t)value);
    try_constant(GVM_BOUNDS_EXPLICIT, 'd', value);
}
END_TEST

static Suite *
translate_operands_suite(void)
{
    Suite *suite = suite_create("translate_operands");
    TCase *locals = tcase_create("locals");
    TCase *deep = tcase_create("deep");
    TCase *values = tcase_create("constants");

    tcase_add_loop_test(locals, a_value_on_the_stack_stays_what_it_was, 0,
                        (int)COUNT_OF(programs));
    tcase_add_loop_test(deep, locals_rotate_by_the_stack_however_deep, 0,
                        (int)COUNT_OF(rotations));
    tcase_add_test(
        deep,
        setting_locals_below_a_deep_stack_takes_no_square_of_its_depth);
    tcase_add_loop_test(values, constants_of_every_size_arrive_everywhere,
                        0, (int)COUNT_OF(constants));
    suite_add_tcase(suite, locals);
    suite_add_tcase(suite, deep);
    suite_add_tcase(suite, values);
    return suite;
}

int
main(void)
{
    return suite_run(translate_operands_suite());
}
