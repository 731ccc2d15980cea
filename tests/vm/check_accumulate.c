/*
 * check_accumulate.c - tests of vm/accumulate.c: which results travel in an
 * accumulator, and which must not.
 *
 * Lists are written in letters: an operation's sources and its result are
 * slots, of which those from BASE on are operands. The switch loop has no
 * accumulators: there the lists must stay as they are.
 */
#include "vm/ir.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BASE 4
#define NO 255

/* A row of a list: `to` NO is no result; slot NO ends the sources. */
struct row {
    uint16_t op;
    uint8_t sources[2];
    uint8_t to;
    /* The letters of sources and result afterwards, as in ops.inc. */
    char kinds[4];
};

#define LABEL GVM__IR_LABEL

static const struct list_case {
    const char *what;
    struct row rows[6];
} cases[] = {
    {"an operand that the next operation uses needs no slot",
     {{GVM__OP_i32_add, {0, 1}, 4, "SSA"},
      {GVM__OP_i32_mul, {4, 2}, 0, "ASS"}}},
    {"a local goes to its slot as well",
     {{GVM__OP_i32_add, {0, 1}, 2, "SSB"},
      {GVM__OP_i32_mul, {2, 2}, 4, "AAS"},
      {LABEL, {0, 0}, 0, ""},
      {GVM__OP_i32_mul, {2, 2}, 4, "SSS"}}},
    {"a local that nothing else reads needs no slot",
     {{GVM__OP_i32_add, {0, 1}, 2, "SSA"},
      {GVM__OP_i32_mul, {2, 2}, 4, "AAS"},
      {LABEL, {0, 0}, 0, ""},
      {GVM__OP_i32_mul, {0, 1}, 2, "SSS"}}},
    {"a branch may go where the local is read",
     {{GVM__OP_i32_add, {0, 1}, 2, "SSB"},
      {GVM__OP_br_i32_eq, {0, 1}, NO, "SS"},
      {GVM__OP_i32_mul, {2, 2}, 3, "AAS"},
      {GVM__OP_return_0, {NO, NO}, NO, ""},
      {LABEL, {0, 0}, 0, ""},
      {GVM__OP_i32_mul, {2, 2}, 3, "SSS"}}},
    {"a read as another class needs the slot",
     {{GVM__OP_f64_add, {0, 1}, 2, "SSB"},
      {GVM__OP_move, {2, NO}, 4, "SS"},
      {GVM__OP_f64_mul, {2, 2}, 3, "AAS"}}},
    {"nothing is passed on over a label",
     {{GVM__OP_i32_add, {0, 1}, 4, "SSS"},
      {LABEL, {0, 0}, 0, ""},
      {GVM__OP_i32_mul, {4, 2}, 0, "SSS"}}},
    {"nothing is passed on over a call",
     {{GVM__OP_i32_add, {0, 1}, 2, "SSS"},
      {GVM__OP_call, {NO, NO}, NO, ""},
      {GVM__OP_i32_mul, {2, 2}, 0, "SSS"}}},
    {"a branch may take an operand along in its slot",
     {{GVM__OP_i32_add, {0, 1}, 4, "SSS"},
      {GVM__OP_br_i32_eq, {0, 1}, NO, "SS"},
      {GVM__OP_i32_mul, {4, 2}, 0, "SSS"}}},
    {"a branch on an operand uses it",
     {{GVM__OP_i32_add, {0, 1}, 4, "SSA"},
      {GVM__OP_br_i32_eq, {4, 1}, NO, "AS"}}},
    {"a local that is set anew is another value",
     {{GVM__OP_i32_add, {0, 1}, 2, "SSS"},
      {GVM__OP_i32_sub, {0, 1}, 2, "SSA"},
      {GVM__OP_i32_mul, {2, 1}, 0, "ASS"}}},
    {"an accumulator in use is not overwritten",
     {{GVM__OP_i32_add, {0, 1}, 2, "SSA"},
      {GVM__OP_i32_sub, {0, 1}, 3, "SSS"},
      {GVM__OP_i32_mul, {2, 1}, 0, "ASS"},
      {GVM__OP_i32_xor, {3, 1}, 4, "SSS"}}},
    {"classes have accumulators of their own",
     {{GVM__OP_i32_add, {0, 1}, 4, "SSA"},
      {GVM__OP_f64_convert_i32_s, {4, NO}, 4, "AA"},
      {GVM__OP_f64_add, {2, 4}, 3, "SAS"}}},
    {"a class does not read another's",
     {{GVM__OP_f64_add, {0, 1}, 4, "SSS"},
      {GVM__OP_i64_add, {4, 2}, 0, "SSS"}}},
};

static void
append(struct gvm__ir_list *list, const struct row *row)
{
    struct gvm__ir *ir;

    if (row->op == LABEL) {
        gvm__ir_place_label(list, gvm__ir_new_label(list));
        return;
    }
    ir = gvm__ir_append(list, (enum gvm__op)row->op);
    ir->label = 0; /* of a branch: the first label there will be */
    for (unsigned i = 0; i < gvm__ops[row->op].source_count; i++) {
        ir->kinds[i] = GVM__KIND_SLOT;
        ir->sources[i] = row->sources[i];
    }
    if (row->to != NO) {
        ir->to_kind = GVM__KIND_SLOT;
        ir->to = row->to;
    }
}

static void
expect(const struct gvm__ir *ir, const struct row *row, const char *what)
{
    static const char letters[] = "?SIKAPB";
    unsigned count = row->op == LABEL ? 0 : gvm__ops[row->op].source_count;
    char kinds[5] = "";
    unsigned length = 0;

    for (unsigned i = 0; i < count; i++)
        kinds[length++] = letters[ir->kinds[i]];
    if (row->op != LABEL && row->to != NO)
        kinds[length++] = letters[ir->to_kind];
    ck_assert_msg(strncmp(kinds, row->kinds, 4) == 0, "%s: %s, not %.4s",
                  what, kinds, row->kinds);
}

START_TEST(a_result_goes_where_it_is_used)
{
    const struct list_case *test = &cases[_i];
    bool plain = (gvm__ops[GVM__OP_move].source_kinds[0] &
                  1u << GVM__KIND_ACCUMULATOR) == 0;
    struct gvm__ir_list list = {0};
    uint32_t count = 0;

    while (count < COUNT_OF(test->rows) &&
           (test->rows[count].kinds[0] != '\0' ||
            test->rows[count].op == LABEL ||
            test->rows[count].op == GVM__OP_return_0 ||
            test->rows[count].op == GVM__OP_call))
        append(&list, &test->rows[count++]);
    ck_assert_uint_gt(count, 1);
    gvm__accumulate(&list, BASE);
    ck_assert_uint_eq(list.count, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!plain)
            expect(&list.irs[i], &test->rows[i], test->what);
        else if (test->rows[i].to != NO && test->rows[i].op != LABEL)
            ck_assert_int_eq(list.irs[i].to_kind, GVM__KIND_SLOT);
    }
    gvm__ir_free(&list);
}
END_TEST

static Suite *
accumulate_suite(void)
{
    Suite *suite = suite_create("accumulate");
    TCase *tcase = tcase_create("accumulate");

    tcase_add_loop_test(tcase, a_result_goes_where_it_is_used, 0,
                        (int)COUNT_OF(cases));
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(accumulate_suite());
}
