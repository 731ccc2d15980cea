/*
 * check_translate_branch.c - tests of vm/translate_branch.c: what branches
 * take along, to labels of every height, and code that is never reached.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <stdio.h>
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
#define DROP I(DROP)
#define END I(END)

/* Types of blocks, by their index in every module here. */
static const char *const types[] = {":ii", "ii:ii", "i:i", "ii:i", "i:ii",
                                    "iii:iii", ":iiii"};
enum {
    VOID = 0x40,
    I32 = 0x7f,
    GIVES_2 = 0,
    KEEPS_2,
    KEEPS_1,
    FROM_2_TO_1,
    FROM_1_TO_2,
    KEEPS_3,
    GIVES_4,
};

static struct vm_guest guest;

/* "f" has the parameters a and b, one more local, and three results. */
static void
open_function(int bounds, const uint8_t *body, size_t body_bytes)
{
    struct module_builder *builder = module_builder_create();

    for (size_t i = 0; i < COUNT_OF(types); i++)
        module_builder_type(builder, types[i]);
    module_builder_func(builder, "ii:iii", "i", body, body_bytes);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    vm_guest_open(&guest, (enum gvm_bounds)bounds, builder, NULL);
}

#define BODY_MAX 80

static const struct program {
    const char *what;
    uint8_t body[BODY_MAX];
    uint32_t a, b;
    uint32_t results[3];
} programs[] = {
    /* ---- br ---- */
    {"br takes one value over others",
     {I(BLOCK), I32, CONST(1), CONST(2), GET(0), I(BR), 0, END, GET(1),
      CONST(3), END},
     10, 20, {10, 20, 3}},
    {"br takes a constant over others",
     {I(BLOCK), I32, GET(1), GET(1), CONST(7), I(BR), 0, END, GET(1),
      CONST(3), END},
     10, 20, {7, 20, 3}},
    {"br takes two values over others",
     {CONST(9), I(BLOCK), GIVES_2, CONST(1), CONST(2), GET(0), GET(1),
      I(BR), 0, END, END},
     10, 20, {9, 10, 20}},
    {"br takes two values that lie one above where they go",
     {CONST(9), I(BLOCK), GIVES_2, CONST(1), GET(0), CONST(1), ADD, GET(1),
      I(BR), 0, END, END},
     10, 20, {9, 11, 20}},
    {"br takes four values that overlap where they go",
     {I(BLOCK), GIVES_4, CONST(1), GET(0), GET(1), CONST(5), CONST(6),
      I(BR), 0, END, ADD, END},
     10, 20, {10, 20, 11}},
    {"br takes swapped values",
     {CONST(9), I(BLOCK), GIVES_2, GET(0), GET(1), SET(0), SET(1), GET(0),
      GET(1), I(BR), 0, END, END},
     10, 20, {9, 20, 10}},
    {"br out of two blocks",
     {CONST(1), I(BLOCK), I32, CONST(2), I(BLOCK), VOID, CONST(3), GET(0),
      I(BR), 1, END, END, GET(1), END},
     10, 20, {1, 10, 20}},
    {"br to the function is a return",
     {CONST(1), I(BLOCK), VOID, CONST(5), GET(0), GET(1), CONST(3), I(BR),
      1, END, DROP, CONST(0), CONST(0), CONST(0), END},
     10, 20, {10, 20, 3}},
    {"return takes its results over others",
     {CONST(1), CONST(2), GET(0), GET(1), CONST(3), I(RETURN), END},
     10, 20, {10, 20, 3}},
    /* ---- br_if ---- */
    {"br_if takes one value when it is taken",
     {I(BLOCK), I32, CONST(1), GET(0), GET(1), I(BR_IF), 0, DROP, DROP,
      CONST(4), END, GET(0), GET(1), END},
     10, 1, {10, 10, 1}},
    {"br_if leaves the value when it is not",
     {I(BLOCK), I32, CONST(1), GET(0), GET(1), I(BR_IF), 0, ADD, END,
      GET(0), GET(1), END},
     10, 0, {11, 10, 0}},
    {"br_if takes two values over another",
     {CONST(9), I(BLOCK), GIVES_2, CONST(1), GET(0), CONST(8), GET(1),
      I(BR_IF), 0, DROP, DROP, DROP, CONST(4), CONST(5), END, END},
     10, 1, {9, 10, 8}},
    {"br_if leaves two values over another",
     {CONST(9), I(BLOCK), GIVES_2, CONST(1), GET(0), CONST(8), GET(1),
      I(BR_IF), 0, ADD, END, END},
     10, 0, {9, 1, 18}},
    {"br_if with a value that is its condition",
     {I(BLOCK), I32, CONST(5), GET(0), TEE(2), GET(2), I(BR_IF), 0, ADD,
      END, GET(2), GET(1), END},
     10, 0, {10, 10, 0}},
    {"br_if in a row to different heights",
     {I(BLOCK), I32, CONST(1), I(BLOCK), I32, CONST(2), GET(0), GET(1),
      CONST(7), I(I32_EQ), I(BR_IF), 0, GET(1), CONST(8), I(I32_EQ),
      I(BR_IF), 1, ADD, END, ADD, END, GET(0), GET(1), END},
     10, 7, {11, 10, 7}},
    {"br_if in a row, the second",
     {I(BLOCK), I32, CONST(1), I(BLOCK), I32, CONST(2), GET(0), GET(1),
      CONST(7), I(I32_EQ), I(BR_IF), 0, GET(1), CONST(8), I(I32_EQ),
      I(BR_IF), 1, ADD, END, ADD, END, GET(0), GET(1), END},
     10, 8, {10, 10, 8}},
    {"br_if in a row, none",
     {I(BLOCK), I32, CONST(1), I(BLOCK), I32, CONST(2), GET(0), GET(1),
      CONST(7), I(I32_EQ), I(BR_IF), 0, GET(1), CONST(8), I(I32_EQ),
      I(BR_IF), 1, ADD, END, ADD, END, GET(0), GET(1), END},
     10, 9, {13, 10, 9}},
    {"br_if out of the function",
     {GET(0), GET(1), CONST(3), GET(1), I(BR_IF), 0, DROP, DROP, DROP,
      CONST(1), CONST(2), CONST(4), END},
     10, 20, {10, 20, 3}},
    /* ---- br_table ---- */
#define TABLE_OF_HEIGHTS                                                 \
    {I(BLOCK), I32, CONST(1), I(BLOCK), I32, CONST(2), I(BLOCK), I32,    \
     CONST(3), GET(1), GET(0), I(BR_TABLE), 2, 0, 1, 2, END, ADD, END,   \
     ADD, END, CONST(4), CONST(5), END}
    {"br_table to the innermost", TABLE_OF_HEIGHTS, 0, 50, {53, 4, 5}},
    {"br_table to the middle", TABLE_OF_HEIGHTS, 1, 50, {51, 4, 5}},
    {"br_table to the outermost", TABLE_OF_HEIGHTS, 2, 50, {50, 4, 5}},
    {"br_table beyond its end", TABLE_OF_HEIGHTS, UINT32_MAX, 50,
     {50, 4, 5}},
#define TABLE_OF_PAIRS                                                   \
    {CONST(9), I(BLOCK), GIVES_2, CONST(6), I(BLOCK), GIVES_2, CONST(3), \
     GET(1), CONST(7), GET(0), I(BR_TABLE), 3, 0, 1, 1, 0, END, ADD,     \
     END, END}
    {"br_table with two values, near", TABLE_OF_PAIRS, 0, 50, {9, 6, 57}},
    {"br_table with two values, far", TABLE_OF_PAIRS, 1, 50, {9, 50, 7}},
    {"br_table with two values, far again", TABLE_OF_PAIRS, 2, 50,
     {9, 50, 7}},
    {"br_table with two values, otherwise", TABLE_OF_PAIRS, 3, 50,
     {9, 6, 57}},
    {"br_table with no entry but the default",
     {I(BLOCK), I32, CONST(1), GET(1), GET(0), I(BR_TABLE), 0, 0, END,
      GET(0), GET(1), END},
     3, 50, {50, 3, 50}},
    {"br_table with a constant index",
     {I(BLOCK), I32, CONST(1), I(BLOCK), I32, GET(1), CONST(1),
      I(BR_TABLE), 2, 0, 1, 0, END, ADD, END, GET(0), GET(1), END},
     3, 50, {50, 3, 50}},
    {"br_table by a comparison",
     {I(BLOCK), I32, CONST(1), I(BLOCK), I32, GET(1), GET(0), CONST(3),
      I(I32_EQ), I(BR_TABLE), 1, 0, 1, END, ADD, END, GET(0), GET(1), END},
     3, 50, {50, 3, 50}},
    {"br_table out of the function",
     {GET(0), GET(1), CONST(3), GET(1), I(BR_TABLE), 1, 0, 0, END},
     10, 20, {10, 20, 3}},
    {"br_table to a loop and out of it",
     {I(BLOCK), VOID, I(LOOP), VOID, GET(2), CONST(1), ADD, TEE(2), GET(0),
      I(I32_EQ), I(BR_TABLE), 1, 0, 1, END, END, GET(2), GET(0), GET(1),
      END},
     10, 20, {10, 10, 20}},
    /* ---- Loops ---- */
    {"a loop with values that go around on the stack",
     {CONST(0), GET(0), I(LOOP), FROM_2_TO_1, TEE(2), ADD, GET(2), CONST(1),
      SUB, GET(2), CONST(1), SUB, I(BR_IF), 0, DROP, END, GET(0), GET(1),
      END},
     10, 20, {55, 10, 20}},
    {"a loop whose values swap as they go around",
     {GET(0), GET(1), I(LOOP), KEEPS_2, SET(0), SET(1), GET(0), GET(1),
      GET(2), CONST(1), ADD, TEE(2), CONST(3), I(I32_NE), I(BR_IF), 0, END,
      GET(2), END},
     10, 20, {20, 10, 3}},
    {"a loop that goes around from deep inside",
     {GET(0), I(LOOP), KEEPS_1, SET(2), I(BLOCK), VOID, CONST(77), CONST(78),
      GET(2), CONST(1), SUB, GET(2), CONST(2), I(I32_GT_U), I(BR_IF), 1,
      DROP, DROP, DROP, END, GET(2), END, GET(0), GET(1), END},
     10, 20, {2, 10, 20}},
    {"a loop that is never gone around gives its parameter",
     {GET(0), I(LOOP), KEEPS_1, CONST(1), ADD, END, GET(0), GET(1), END},
     10, 20, {11, 10, 20}},
    {"a loop whose counter is compared with itself",
     {I(LOOP), VOID, GET(2), CONST(1), ADD, TEE(2), GET(2), I(I32_NE),
      I(BR_IF), 0, END, GET(2), GET(0), GET(1), END},
     10, 20, {1, 10, 20}},
    {"a loop whose counter is greater than itself",
     {I(LOOP), VOID, GET(2), CONST(1), ADD, SET(2), GET(2), GET(2),
      I(I32_GT_S), I(BR_IF), 0, END, GET(2), GET(0), GET(1), END},
     10, 20, {1, 10, 20}},
    {"a loop whose counter is compared with another's copy",
     {I(LOOP), VOID, GET(2), SET(1), GET(2), CONST(1), ADD, TEE(2), GET(1),
      I(I32_LE_S), I(BR_IF), 0, END, GET(2), GET(0), GET(1), END},
     10, 20, {1, 10, 0}},
    {"a loop that counts down to what it counts",
     {I(LOOP), VOID, GET(0), CONST(1), SUB, TEE(0), GET(2), GET(0), ADD,
      SET(2), GET(2), I(I32_GT_S), I(BR_IF), 0, END, GET(0), GET(1), GET(2),
      END},
     10, 20, {9, 20, 9}},
    /* ---- If ---- */
    {"if with parameters and results",
     {CONST(9), GET(0), GET(1), GET(1), I(IF), KEEPS_2, SET(0), GET(1),
      I(ELSE), ADD, CONST(4), END, SUB, ADD, CONST(6), CONST(7), END},
     10, 0, {15, 6, 7}},
    {"if without else keeps its parameter",
     {GET(0), GET(1), I(IF), KEEPS_1, CONST(1), ADD, END, GET(0), GET(1),
      END},
     10, 0, {10, 10, 0}},
    {"if without else changes its parameter",
     {GET(0), GET(1), I(IF), KEEPS_1, CONST(1), ADD, END, GET(0), GET(1),
      END},
     10, 1, {11, 10, 1}},
    {"if keeps three constants",
     {CONST(1), CONST(2), CONST(3), GET(1), I(IF), KEEPS_3, I(ELSE), DROP,
      CONST(4), END, END},
     10, 0, {1, 2, 4}},
    {"br out of an if arm",
     {GET(1), I(IF), I32, CONST(8), GET(0), I(BR), 0, I(ELSE), CONST(5),
      END, GET(0), GET(1), END},
     10, 1, {10, 10, 1}},
    {"nested ifs give several values",
     {GET(0), I(IF), GIVES_2, GET(1), I(IF), GIVES_2, CONST(1), CONST(2),
      I(ELSE), CONST(3), CONST(4), END, I(ELSE), CONST(5), CONST(6), END,
      CONST(7), END},
     1, 0, {3, 4, 7}},
    /* ---- Conditions that are known ---- */
    {"br_if on 1",
     {I(BLOCK), I32, GET(0), CONST(1), I(BR_IF), 0, DROP, CONST(5), END,
      GET(0), GET(1), END},
     10, 20, {10, 10, 20}},
    {"br_if on 0",
     {I(BLOCK), I32, GET(0), CONST(0), I(BR_IF), 0, DROP, CONST(5), END,
      GET(0), GET(1), END},
     10, 20, {5, 10, 20}},
    {"br_if on eqz of 0, over another value",
     {I(BLOCK), I32, CONST(6), GET(0), CONST(0), I(I32_EQZ), I(BR_IF), 0,
      ADD, END, GET(0), GET(1), END},
     10, 20, {10, 10, 20}},
    {"if on 1",
     {CONST(1), I(IF), I32, GET(0), I(ELSE), GET(1), END, GET(0), GET(1),
      END},
     10, 20, {10, 10, 20}},
    {"if on 0",
     {CONST(0), I(IF), I32, GET(0), I(ELSE), GET(1), END, GET(0), GET(1),
      END},
     10, 20, {20, 10, 20}},
    {"if on 0 without else",
     {GET(0), CONST(0), I(IF), VOID, CONST(5), SET(0), END, GET(0), GET(1),
      END},
     10, 20, {10, 10, 20}},
    {"select on constants",
     {GET(0), GET(1), CONST(0), I(SELECT), CONST(3), CONST(4), CONST(1),
      I(SELECT), CONST(5), GET(0), GET(1), I(SELECT), END},
     10, 20, {20, 3, 5}},
    /* ---- Never reached ---- */
    {"behind a br in a block",
     {I(BLOCK), I32, GET(0), I(BR), 0, ADD, SUB, I(SELECT), DROP, CONST(9), END,
      GET(0), GET(1), END},
     10, 20, {10, 10, 20}},
    {"blocks behind a return",
     {GET(0), GET(1), CONST(3), I(RETURN), I(BLOCK), I32, I(LOOP), VOID,
      CONST(1), I(IF), VOID, I(BR), 1, I(ELSE), I(UNREACHABLE), END, END,
      CONST(1), END, GET(2), I(BR_TABLE), 2, 0, 0, 0, END},
     10, 20, {10, 20, 3}},
    {"behind a br in an arm, and the other arm lives",
     {GET(0), I(IF), I32, CONST(1), I(BR), 0, CONST(2), CONST(3), ADD,
      I(ELSE), CONST(4), END, GET(1), CONST(3), END},
     0, 20, {4, 20, 3}},
    {"both arms leave",
     {I(BLOCK), I32, GET(0), I(IF), I32, CONST(1), I(BR), 1, I(ELSE),
      CONST(2), I(BR), 1, END, CONST(5), ADD, END, GET(1), CONST(3), END},
     0, 20, {2, 20, 3}},
    {"behind a loop without an end",
     {I(BLOCK), I32, I(LOOP), I32, GET(2), CONST(1), ADD, TEE(2), GET(2),
      CONST(5), I(I32_EQ), I(BR_IF), 1, DROP, I(BR), 0, END, CONST(1), ADD,
      END, GET(1), CONST(3), END},
     0, 20, {5, 20, 3}},
    {"behind an endless br_table",
     {I(BLOCK), I32, GET(0), GET(1), I(BR_TABLE), 0, 0, GET(2), I(I32_EQZ),
      I(IF), I32, CONST(1), I(ELSE), CONST(2), END, END, GET(1), CONST(3),
      END},
     10, 20, {10, 20, 3}},
    {"an else behind an unreached if",
     {GET(0), GET(1), CONST(3), I(BLOCK), VOID, I(BR), 0, I(IF), VOID,
      CONST(1), SET(0), I(ELSE), CONST(2), SET(0), END, END, END},
     10, 20, {10, 20, 3}},
    {"a block that only unreached code leaves",
     {GET(0), GET(1), I(BLOCK), I32, CONST(3), I(BR), 0, GET(0), GET(1),
      I(BR_IF), 0, END, END},
     10, 20, {10, 20, 3}},
};

START_TEST(a_branch_takes_along_what_its_label_wants)
{
    const struct program *program = &programs[_i];
    size_t body_bytes = BODY_MAX;

    while (program->body[body_bytes - 1] != END)
        body_bytes--;
    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        open_function(bounds, program->body, body_bytes);
        /* Enough for all, unless one goes around for ever. */
        gvm_call_set_fuel(guest.call, 10000);
        vm_guest_call(&guest, "f", SLOTS(program->a, program->b));
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

/* ---- Large tables -------------------------------------------------------- */

#define HEIGHTS 64

/*
 * HEIGHTS blocks, each over one more value on the stack, and a br_table of
 * `count` entries that go to them in turn; block d adds its value, so that
 * label d gives b + (d + 1) + ... + HEIGHTS.
 */
static void
open_large_table(uint32_t count)
{
    struct module_builder *builder = module_builder_create();
    struct byte_buffer body = {0};

    for (unsigned i = 0; i < HEIGHTS; i++)
        byte_buffer_put(&body, BYTES(CONST(HEIGHTS - 1), CONST(1), SUB,
                                     I(BLOCK), I32));
    byte_buffer_put(&body, BYTES(GET(1), GET(0), I(BR_TABLE)));
    byte_buffer_put_unsigned(&body, count);
    for (uint32_t i = 0; i <= count; i++)
        byte_buffer_put_unsigned(&body, i % HEIGHTS);
    for (unsigned i = 0; i < HEIGHTS; i++)
        byte_buffer_put(&body, BYTES(END, ADD));
    byte_buffer_put_byte(&body, END);
    module_builder_func(builder, "ii:i", "", body.bytes, body.length_bytes);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    byte_buffer_deinit(&body);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
}

static const uint32_t table_sizes[] = {1, 63, 64, 1000, GVM_BR_TABLE_MAX};

START_TEST(tables_of_any_size_find_every_label)
{
    uint32_t count = table_sizes[_i];
    const uint32_t indexes[] = {0,         1,         62,        63,
                                64,        500,       count / 2, count - 1,
                                count,     count + 1, 1u << 31,  UINT32_MAX};

    open_large_table(count);
    for (size_t i = 0; i < COUNT_OF(indexes); i++) {
        uint32_t entry = indexes[i] < count ? indexes[i] : count;
        /* As many values are added as blocks are left by their ends. */
        uint32_t adds = HEIGHTS - entry % HEIGHTS;

        vm_guest_expect(&guest, "f", SLOTS(indexes[i], 1000), 1,
                        SLOTS(1000 + adds * (HEIGHTS - 2)));
    }
    vm_guest_close(&guest);
}
END_TEST

/* ---- Many values --------------------------------------------------------- */

/*
 * A block of 900 results over 100 values; a br_if to it in the middle of 300
 * more values. All results are summed up with weights.
 */
START_TEST(hundreds_of_values_move_at_once)
{
    enum { RESULTS = 900, BELOW = 100, JUNK = 300 };
    struct module_builder *builder = module_builder_create();
    struct byte_buffer body = {0};
    char signature[RESULTS + 2] = ":";
    uint32_t type;

    memset(signature + 1, 'i', RESULTS);
    type = module_builder_type(builder, signature);
    for (unsigned i = 0; i < BELOW; i++)
        byte_buffer_put(&body, BYTES(GET(1)));
    byte_buffer_put_byte(&body, I(BLOCK));
    byte_buffer_put_signed(&body, (int32_t)type);
    for (unsigned i = 0; i < JUNK; i++)
        byte_buffer_put(&body, BYTES(CONST(33)));
    for (int32_t i = 0; i < RESULTS; i++) {
        byte_buffer_put_byte(&body, I(I32_CONST));
        byte_buffer_put_signed(&body, i * i);
    }
    byte_buffer_put(&body, BYTES(GET(0), I(BR_IF), 0));
    for (unsigned i = 0; i < RESULTS; i++)
        byte_buffer_put_byte(&body, DROP);
    for (unsigned i = JUNK; i < RESULTS; i++)
        byte_buffer_put(&body, BYTES(CONST(1)));
    byte_buffer_put_byte(&body, END);
    for (unsigned i = 1; i < RESULTS + BELOW; i++)
        byte_buffer_put(&body, BYTES(SET(2), CONST(3), I(I32_MUL), GET(2),
                                     ADD));
    byte_buffer_put_byte(&body, END);
    module_builder_func(builder, "ii:i", "i", body.bytes,
                        body.length_bytes);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    byte_buffer_deinit(&body);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
    for (uint32_t taken = 0; taken < 2; taken++) {
        uint32_t values[RESULTS + BELOW];
        uint32_t sum;

        for (uint32_t i = 0; i < RESULTS + BELOW; i++)
            values[i] = i < BELOW             ? 5
                        : taken               ? (i - BELOW) * (i - BELOW)
                        : i < BELOW + JUNK ? 33
                                           : 1;
        /* From the top: below * 3 + top, again and again. */
        sum = values[RESULTS + BELOW - 1];
        for (uint32_t i = RESULTS + BELOW - 1; i > 0; i--)
            sum = values[i - 1] * 3 + sum;
        vm_guest_expect(&guest, "f", SLOTS(taken, 5), 1, SLOTS(sum));
    }
    vm_guest_close(&guest);
}
END_TEST

#define PARAMETERS_MAX 8

/* Arguments 1, 2, ... for a call of `function`. */
static void
put_call(struct byte_buffer *body, int parameter_count, uint8_t function)
{
    for (int i = 0; i < parameter_count; i++)
        byte_buffer_put(body, BYTES(CONST((uint8_t)(i + 1))));
    byte_buffer_put(body, BYTES(I(CALL), function));
}

/*
 * 0 gives the last of its parameters (or 0), from a local; 1 a constant; 2
 * nothing, but counts global 0 up. "f" calls each, with a value below.
 */
START_TEST(functions_of_any_number_of_parameters_find_their_way_back)
{
    static const char letters[PARAMETERS_MAX + 1] = "iiiiiiii";
    struct module_builder *builder = module_builder_create();
    struct byte_buffer body = {0};
    char gives[PARAMETERS_MAX + 3], keeps[PARAMETERS_MAX + 3];
    uint8_t last = _i > 0 ? (uint8_t)(_i - 1) : 0;

    snprintf(gives, sizeof(gives), "%.*s:i", _i, letters);
    snprintf(keeps, sizeof(keeps), "%.*s:", _i, letters);
    module_builder_func(builder, gives, "i",
                        BYTES(GET(last), TEE((uint8_t)_i), GET((uint8_t)_i),
                              I(DROP), END));
    module_builder_func(builder, gives, "", BYTES(CONST(50), END));
    module_builder_func(builder, keeps, "",
                        BYTES(I(GLOBAL_GET), 0, CONST(1), ADD,
                              I(GLOBAL_SET), 0, END));
    byte_buffer_put(&body, BYTES(CONST(7)));
    put_call(&body, _i, 0);
    put_call(&body, _i, 1);
    put_call(&body, _i, 2);
    byte_buffer_put(&body, BYTES(ADD, ADD, I(GLOBAL_GET), 0, ADD, END));
    module_builder_func(builder, ":i", "", body.bytes, body.length_bytes);
    byte_buffer_deinit(&body);
    module_builder_global(builder, 'i', true, BYTES(CONST(0), END));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 3);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
    vm_guest_expect(&guest, "f", NULL, 1, SLOTS(7u + (uint32_t)_i + 50 + 1));
    vm_guest_expect(&guest, "f", NULL, 1, SLOTS(7u + (uint32_t)_i + 50 + 2));
    vm_guest_close(&guest);
}
END_TEST

static Suite *
translate_branch_suite(void)
{
    Suite *suite = suite_create("translate_branch");
    TCase *tcase = tcase_create("branch");

    tcase_add_loop_test(tcase, a_branch_takes_along_what_its_label_wants, 0,
                        (int)COUNT_OF(programs));
    tcase_add_loop_test(tcase, tables_of_any_size_find_every_label, 0,
                        (int)COUNT_OF(table_sizes));
    tcase_add_test(tcase, hundreds_of_values_move_at_once);
    tcase_add_loop_test(
        tcase, functions_of_any_number_of_parameters_find_their_way_back, 0,
        PARAMETERS_MAX + 1);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(translate_branch_suite());
}
