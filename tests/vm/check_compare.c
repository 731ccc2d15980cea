/*
 * check_compare.c - tests of vm/compare.c: comparisons as values and as
 * branches, either way around and inverted.
 *
 * Every comparison, with its operands in locals and constants, is used in
 * every way that a translator might make one operation of. What it must say
 * is computed here, in C.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <string.h>

#include "vm/insns.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define I(name) GVM__INSN_##name
#define CONST(number) I(I32_CONST), number

/* By the type of the operands: "ilfd". */
#define VALUES 8
static const uint64_t values[4][VALUES] = {
    {0, 1, 0xffffffff, 0x80000000, 0x7fffffff, 0x80000001, 40, 39},
    {0, 1, UINT64_MAX, 1ull << 63, INT64_MAX, 0xffffffff, 1ull << 32,
     0xffffffff80000000},
    /* 0, -0, 1, -1.5, infinities, NaNs */
    {0, 0x80000000, 0x3f800000, 0xbfc00000, 0x7f800000, 0xff800000,
     0x7fc00000, 0xffa00001},
    {0, 1ull << 63, 0x3ff0000000000000, 0xbff8000000000000,
     0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
     0xfff4000000000001},
};

/* eq ne lt gt le ge of two numbers whose order C knows. */
#define ORDERED(index, a, b)                                             \
    ((index) == 0   ? (a) == (b)                                         \
     : (index) == 1 ? (a) != (b)                                         \
     : (index) == 2 ? (a) < (b)                                          \
     : (index) == 3 ? (a) > (b)                                          \
     : (index) == 4 ? (a) <= (b)                                         \
                    : (a) >= (b))

static bool
expected_integer(unsigned index, uint64_t a, uint64_t b, bool wide)
{
    /* eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u */
    unsigned order = index < 2 ? index : 2 + (index - 2) / 2;
    bool is_signed = index >= 2 && index % 2 == 0;

    if (!is_signed)
        return ORDERED(order, a, b);
    if (wide)
        return ORDERED(order, (int64_t)a, (int64_t)b);
    return ORDERED(order, (int32_t)(uint32_t)a, (int32_t)(uint32_t)b);
}

static bool
expected(uint8_t insn, uint64_t a, uint64_t b)
{
    float p, q;
    double s, t;
    uint32_t narrow_a = (uint32_t)a, narrow_b = (uint32_t)b;

    if (insn == I(I32_EQZ) || insn == I(I64_EQZ))
        return a == 0;
    if (insn <= I(I32_GE_U))
        return expected_integer(insn - I(I32_EQ), a, b, false);
    if (insn <= I(I64_GE_U))
        return expected_integer(insn - I(I64_EQ), a, b, true);
    memcpy(&p, &narrow_a, sizeof(p));
    memcpy(&q, &narrow_b, sizeof(q));
    if (insn <= I(F32_GE))
        return ORDERED(insn - I(F32_EQ), p, q);
    memcpy(&s, &a, sizeof(s));
    memcpy(&t, &b, sizeof(t));
    return ORDERED(insn - I(F64_EQ), s, t);
}

/* ---- Ways to use a comparison -------------------------------------------- */

/* COMPARE stands for the comparison with its operands. */
#define COMPARE 0xff
#define WAY_MAX 40
static const uint8_t ways[][WAY_MAX] = {
    {COMPARE, I(END)},
    {COMPARE, I(I32_EQZ), I(I32_EQZ), I(END)},
    {CONST(1), COMPARE, I(I32_SUB), I(I32_EQZ), I(END)},
    {COMPARE, I(I32_EQZ), CONST(1), I(I32_XOR), I(END)},
    {CONST(1), CONST(0), COMPARE, I(SELECT), I(END)},
    {CONST(0), CONST(1), COMPARE, I(I32_EQZ), I(SELECT), I(END)},
    {COMPARE, I(IF), 0x7f, CONST(1), I(ELSE), CONST(0), I(END), I(END)},
    {COMPARE, I(I32_EQZ), I(IF), 0x7f, CONST(0), I(ELSE), CONST(1), I(END),
     I(END)},
    {COMPARE, I(I32_EQZ), I(I32_EQZ), I(IF), 0x7f, CONST(1), I(ELSE),
     CONST(0), I(END), I(END)},
    /* Branches without values. */
    {I(BLOCK), 0x40, COMPARE, I(BR_IF), 0, CONST(0), I(RETURN), I(END),
     CONST(1), I(END)},
    {I(BLOCK), 0x40, COMPARE, I(I32_EQZ), I(BR_IF), 0, CONST(1), I(RETURN),
     I(END), CONST(0), I(END)},
    {I(BLOCK), 0x40, COMPARE, I(I32_EQZ), I(I32_EQZ), I(BR_IF), 0, CONST(0),
     I(RETURN), I(END), CONST(1), I(END)},
    /* Branches with values that are in place, and that are not. */
    {I(BLOCK), 0x7f, CONST(1), COMPARE, I(BR_IF), 0, I(DROP), CONST(0),
     I(END), I(END)},
    {I(BLOCK), 0x7f, CONST(9), CONST(1), COMPARE, I(BR_IF), 0, I(DROP),
     I(DROP), CONST(0), I(END), I(END)},
    {I(BLOCK), 0x7f, CONST(9), CONST(0), COMPARE, I(I32_EQZ), I(BR_IF), 0,
     I(DROP), I(DROP), CONST(1), I(END), I(END)},
    /* Out of the function. */
    {CONST(1), COMPARE, I(BR_IF), 0, I(DROP), CONST(0), I(END)},
    {CONST(0), COMPARE, I(I32_EQZ), I(BR_IF), 0, I(DROP), CONST(1),
     I(END)},
    /* The tail of a loop that goes around once if it may. */
    {I(BLOCK), 0x40, I(LOOP), 0x40, I(LOCAL_GET), 2, I(BR_IF), 1, CONST(1),
     I(LOCAL_SET), 2, COMPARE, I(BR_IF), 0, CONST(0), I(RETURN), I(END),
     I(END), CONST(1), I(END)},
    {I(BLOCK), 0x40, I(LOOP), 0x40, I(LOCAL_GET), 2, I(BR_IF), 1, CONST(1),
     I(LOCAL_SET), 2, COMPARE, I(I32_EQZ), I(BR_IF), 0, CONST(1), I(RETURN),
     I(END), I(END), CONST(0), I(END)},
    /* Through a local, read twice. */
    {COMPARE, I(LOCAL_TEE), 2, I(LOCAL_GET), 2, I(I32_AND), I(END)},
    {COMPARE, I(LOCAL_SET), 2, I(LOCAL_GET), 2, I(IF), 0x7f, CONST(1),
     I(ELSE), CONST(0), I(END), I(END)},
    {I(BLOCK), 0x40, COMPARE, I(LOCAL_TEE), 2, I(BR_IF), 0, I(LOCAL_GET), 2,
     I(RETURN), I(END), I(LOCAL_GET), 2, I(END)},
    {COMPARE, I(I32_EQZ), I(LOCAL_TEE), 2, I(IF), 0x7f, I(LOCAL_GET), 2,
     CONST(1), I(I32_SUB), I(ELSE), CONST(1), I(END), I(END)},
    /* As an index of a table. */
    {I(BLOCK), 0x40, I(BLOCK), 0x40, COMPARE, I(BR_TABLE), 1, 0, 1, I(END),
     CONST(0), I(RETURN), I(END), CONST(1), I(END)},
};

enum place { BOTH_LOCAL, SECOND_CONSTANT, FIRST_CONSTANT, PLACES };

static void
put_operand(struct byte_buffer *body, char type, uint8_t local,
            bool constant, uint64_t value)
{
    if (!constant) {
        byte_buffer_put(body, BYTES(I(LOCAL_GET), local));
        return;
    }
    switch (type) {
    case 'i':
        byte_buffer_put_byte(body, I(I32_CONST));
        byte_buffer_put_signed(body, (int32_t)(uint32_t)value);
        break;
    case 'l':
        byte_buffer_put_byte(body, I(I64_CONST));
        byte_buffer_put_signed(body, (int64_t)value);
        break;
    case 'f':
        byte_buffer_put_byte(body, I(F32_CONST));
        byte_buffer_put(body, &value, 4);
        break;
    default:
        byte_buffer_put_byte(body, I(F64_CONST));
        byte_buffer_put(body, &value, 8);
        break;
    }
}

struct comparison {
    uint8_t insn;
    char type;
    bool unary;
    uint64_t a, b;
};

/* Function "f" of the way, with the operands where `place` has them. */
static void
add_way(struct module_builder *builder, const struct comparison *c,
        enum place place, unsigned way)
{
    char signature[] = {c->type, c->type, ':', 'i', '\0'};
    struct byte_buffer body = {0};
    size_t length_bytes = WAY_MAX;

    while (ways[way][length_bytes - 1] != I(END))
        length_bytes--;
    for (size_t i = 0; i < length_bytes; i++) {
        if (ways[way][i] != COMPARE) {
            byte_buffer_put_byte(&body, ways[way][i]);
            continue;
        }
        put_operand(&body, c->type, 0, place == FIRST_CONSTANT, c->a);
        if (!c->unary)
            put_operand(&body, c->type, 1, place == SECOND_CONSTANT, c->b);
        byte_buffer_put_byte(&body, c->insn);
    }
    module_builder_func(builder, signature, "i", body.bytes,
                        body.length_bytes);
    byte_buffer_deinit(&body);
}

static void
try_comparison(const struct comparison *c)
{
    struct module_builder *builder = module_builder_create();
    bool should = expected(c->insn, c->a, c->b);
    struct vm_guest guest;

    for (unsigned i = 0; i < PLACES * COUNT_OF(ways); i++) {
        char name[] = {(char)('a' + i / COUNT_OF(ways)),
                       (char)('a' + i % COUNT_OF(ways)), '\0'};

        add_way(builder, c, (enum place)(i / COUNT_OF(ways)),
                i % (unsigned)COUNT_OF(ways));
        module_builder_export(builder, name, GVM_EXTERN_FUNC, i);
    }
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
    for (unsigned i = 0; i < PLACES * COUNT_OF(ways); i++) {
        char name[] = {(char)('a' + i / COUNT_OF(ways)),
                       (char)('a' + i % COUNT_OF(ways)), '\0'};

        vm_guest_call(&guest, name, SLOTS(c->a, c->b));
        ck_assert_msg(guest.status == GVM_OK &&
                          vm_guest_result(&guest, 0) == should,
                      "%s of 0x%llx and 0x%llx, place %u, way %u, is %llu",
                      gvm__insn_info(c->insn)->text,
                      (unsigned long long)c->a, (unsigned long long)c->b,
                      i / (unsigned)COUNT_OF(ways),
                      i % (unsigned)COUNT_OF(ways),
                      (unsigned long long)vm_guest_result(&guest, 0));
    }
    vm_guest_close(&guest);
}

START_TEST(a_comparison_says_the_same_however_it_is_used)
{
    uint8_t insn = (uint8_t)(I(I32_EQZ) + _i);
    const char *signature = gvm__insn_info(insn)->signature;
    const uint64_t *row = values[strchr("ilfd", signature[0]) - "ilfd"];
    struct comparison c = {.insn = insn,
                           .type = signature[0],
                           .unary = signature[1] == ':'};

    for (unsigned i = 0; i < VALUES; i++)
        for (unsigned j = 0; j < (c.unary ? 1 : VALUES); j++) {
            c.a = row[i];
            c.b = row[j];
            try_comparison(&c);
        }
}
END_TEST

static Suite *
compare_suite(void)
{
    Suite *suite = suite_create("compare");
    TCase *tcase = tcase_create("compare");

    tcase_add_loop_test(tcase,
                        a_comparison_says_the_same_however_it_is_used, 0,
                        I(F64_GE) - I(I32_EQZ) + 1);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(compare_suite());
}
