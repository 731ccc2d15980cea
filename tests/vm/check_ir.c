/*
 * check_ir.c - tests of vm/ir.c: the list that functions are translated
 * into.
 */
#include "vm/ir.h"
#include "tests/support/suite.h"

#include <check.h>

static struct gvm__ir_list list;

static void
reset(void)
{
    gvm__ir_free(&list);
    list = (struct gvm__ir_list){0};
}

START_TEST(what_is_appended_is_empty_but_for_its_place)
{
    struct gvm__ir *ir;

    reset();
    list.insn_offset = 77;
    for (unsigned i = 0; i < 1000; i++) {
        ir = gvm__ir_append(&list, GVM__OP_move);
        ck_assert_uint_eq(ir->op, GVM__OP_move);
        ck_assert_uint_eq(ir->insn_offset, 77);
        ck_assert_uint_eq(ir->label, GVM__NO_LABEL);
        ck_assert_uint_eq(ir->to, 0);
        ck_assert_int_eq(ir->to_kind, GVM__KIND_NONE);
        /* What it becomes must not shine through in a later one. */
        ir->to = ir->label = i;
        ir->to_kind = GVM__KIND_SLOT;
        if (i % 3 == 0)
            list.count--;
    }
    ck_assert_uint_eq(list.count, 1000 - 334);
    ck_assert(!list.failed);
    reset();
}
END_TEST

START_TEST(nothing_before_a_label_may_be_changed)
{
    uint32_t label;

    reset();
    ck_assert_ptr_null(gvm__ir_last(&list));
    gvm__ir_append(&list, GVM__OP_move)->to = 5;
    ck_assert_uint_eq(gvm__ir_last(&list)->to, 5);
    label = gvm__ir_new_label(&list);
    ck_assert_uint_eq(gvm__ir_new_label(&list), label + 1);
    gvm__ir_place_label(&list, label);
    ck_assert_ptr_null(gvm__ir_last(&list));
    gvm__ir_append(&list, GVM__OP_move)->to = 6;
    ck_assert_uint_eq(gvm__ir_last(&list)->to, 6);
    list.count--;
    ck_assert_ptr_null(gvm__ir_last(&list));
    reset();
}
END_TEST

START_TEST(labels_of_tables_stay_in_order)
{
    reset();
    for (uint32_t i = 0; i < 1000; i++)
        gvm__ir_append_table(&list, i * 3);
    ck_assert_uint_eq(list.table_count, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(list.table[i], i * 3);
    reset();
}
END_TEST

static Suite *
ir_suite(void)
{
    Suite *suite = suite_create("ir");
    TCase *tcase = tcase_create("ir");

    tcase_add_test(tcase, what_is_appended_is_empty_but_for_its_place);
    tcase_add_test(tcase, nothing_before_a_label_may_be_changed);
    tcase_add_test(tcase, labels_of_tables_stay_in_order);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(ir_suite());
}
