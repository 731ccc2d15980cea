/*
 * check_fuse.c - tests of vm/fuse.c: which handlers operations get, and that
 * pairs leave the cells as they are.
 */
#include "vm/ir.h"
#include "tests/support/suite.h"

#include <check.h>

static struct gvm__ir_list list;

static struct gvm__ir *
append(enum gvm__op op, enum gvm__kind a, enum gvm__kind b)
{
    struct gvm__ir *ir = gvm__ir_append(&list, op);

    ir->kinds[0] = (uint8_t)a;
    ir->kinds[1] = (uint8_t)b;
    ir->sources[0] = 1;
    ir->sources[1] = 2;
    if (gvm__ops[op].destination_kinds != 0)
        ir->to_kind = GVM__KIND_SLOT;
    return ir;
}

/* An addition of a constant to a slot, which nothing is as common as. */
static void
append_sum(void)
{
    append(GVM__OP_i32_add, GVM__KIND_SLOT, GVM__KIND_IMMEDIATE);
}

static uint16_t
own_handler(uint32_t index)
{
    return gvm__ir_find_handler(&list.irs[index]);
}

static bool
is_pair(uint32_t index)
{
    return list.irs[index].entry >= gvm__handler_count;
}

/* How many jumps it takes to get through all operations. */
static unsigned
jumps(void)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < list.count; i++) {
        if (list.irs[i].op == GVM__IR_LABEL)
            continue;
        count++;
        if (!is_pair(i))
            continue;
        do
            i++;
        while (list.irs[i].op == GVM__IR_LABEL);
    }
    return count;
}

static bool
has_pairs(void)
{
    return gvm__pair_count > 0;
}

static void
begin(void)
{
    list = (struct gvm__ir_list){0};
}

START_TEST(two_in_a_row_are_one_handler_and_the_second_keeps_its_own)
{
    uint16_t first, second;

    begin();
    append_sum();
    append_sum();
    gvm__fuse(&list, true);
    ck_assert(is_pair(0) == has_pairs());
    if (has_pairs()) {
        ck_assert(gvm__op_halves(list.irs[0].entry, &first, &second));
        ck_assert_uint_eq(first, own_handler(0));
        ck_assert_uint_eq(second, own_handler(1));
    }
    ck_assert_uint_eq(list.irs[1].entry, own_handler(1));
    gvm__ir_free(&list);
}
END_TEST

START_TEST(without_fusion_each_has_its_own)
{
    begin();
    append_sum();
    append_sum();
    gvm__fuse(&list, false);
    for (uint32_t i = 0; i < list.count; i++)
        ck_assert_uint_eq(list.irs[i].entry, own_handler(i));
    gvm__ir_free(&list);
}
END_TEST

START_TEST(the_way_with_the_fewest_jumps_is_taken)
{
    /* A trap between them pairs with nothing: 1 + 2 + 1 + 1 + 1. */
    begin();
    append(GVM__OP_i64_div_s, GVM__KIND_SLOT, GVM__KIND_SLOT);
    for (int i = 0; i < 4; i++)
        append_sum();
    append(GVM__OP_i64_div_s, GVM__KIND_SLOT, GVM__KIND_SLOT);
    append_sum();
    append_sum();
    append_sum();
    gvm__fuse(&list, true);
    ck_assert_uint_eq(jumps(), has_pairs() ? 6 : 9);
    gvm__ir_free(&list);
}
END_TEST

START_TEST(a_label_does_not_keep_two_apart)
{
    begin();
    append_sum();
    gvm__ir_place_label(&list, gvm__ir_new_label(&list));
    append_sum();
    gvm__fuse(&list, true);
    ck_assert_uint_eq(jumps(), has_pairs() ? 1 : 2);
    ck_assert_uint_eq(list.irs[2].entry, own_handler(2));
    gvm__ir_free(&list);
}
END_TEST

START_TEST(behind_what_goes_elsewhere_nothing_is_done)
{
    begin();
    gvm__ir_append(&list, GVM__OP_return_0);
    append_sum();
    gvm__fuse(&list, true);
    ck_assert_uint_eq(jumps(), 2);
    gvm__ir_free(&list);
}
END_TEST

START_TEST(operands_that_commute_are_put_in_order)
{
    if (!has_pairs())
        return;
    begin();
    append(GVM__OP_i32_add, GVM__KIND_ACCUMULATOR, GVM__KIND_SLOT);
    append(GVM__OP_i32_sub, GVM__KIND_ACCUMULATOR, GVM__KIND_SLOT);
    gvm__fuse(&list, true);
    ck_assert_int_eq(list.irs[0].kinds[0], GVM__KIND_SLOT);
    ck_assert_uint_eq(list.irs[0].sources[0], 2);
    ck_assert_int_eq(list.irs[0].kinds[1], GVM__KIND_ACCUMULATOR);
    ck_assert_uint_eq(list.irs[0].sources[1], 1);
    ck_assert_int_eq(list.irs[1].kinds[0], GVM__KIND_ACCUMULATOR);
    gvm__ir_free(&list);
}
END_TEST

/* In the table every pair is found again, and its halves fit together. */
START_TEST(each_pair_is_found_by_its_halves)
{
    for (unsigned i = 0; i < gvm__pair_count; i++) {
        uint16_t handler = (uint16_t)(gvm__handler_count + i);
        uint16_t first, second;

        ck_assert(gvm__op_halves(handler, &first, &second));
        ck_assert_uint_lt(first, gvm__handler_count);
        ck_assert_uint_lt(second, gvm__handler_count);
        ck_assert_uint_eq(gvm__op_pair(first, second), handler);
    }
    ck_assert_uint_eq(
        gvm__op_pair((uint16_t)(gvm__handler_count - 1), 0),
        GVM__NO_HANDLER);
}
END_TEST

static Suite *
fuse_suite(void)
{
    Suite *suite = suite_create("fuse");
    TCase *tcase = tcase_create("fuse");

    tcase_add_test(
        tcase, two_in_a_row_are_one_handler_and_the_second_keeps_its_own);
    tcase_add_test(tcase, without_fusion_each_has_its_own);
    tcase_add_test(tcase, the_way_with_the_fewest_jumps_is_taken);
    tcase_add_test(tcase, a_label_does_not_keep_two_apart);
    tcase_add_test(tcase, behind_what_goes_elsewhere_nothing_is_done);
    tcase_add_test(tcase, operands_that_commute_are_put_in_order);
    tcase_add_test(tcase, each_pair_is_found_by_its_halves);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(fuse_suite());
}
