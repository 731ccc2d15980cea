/*
 * check_live.c - tests of vm/live.c: which reads of locals are the last.
 */
#include "vm/ir.h"
#include "tests/support/suite.h"

#include <check.h>

#define BASE 70 /* six more than are looked at */

static struct gvm__ir_list list;

static void
begin(void)
{
    list = (struct gvm__ir_list){0};
}

/* to = a + b, all of them slots. */
static uint32_t
append_sum(uint32_t a, uint32_t b, uint32_t to)
{
    struct gvm__ir *ir = gvm__ir_append(&list, GVM__OP_i32_add);

    ir->kinds[0] = ir->kinds[1] = GVM__KIND_SLOT;
    ir->sources[0] = a;
    ir->sources[1] = b;
    ir->to_kind = GVM__KIND_SLOT;
    ir->to = to;
    return list.count - 1;
}

static void
append_branch(uint32_t label, enum gvm__target target)
{
    struct gvm__ir *ir = gvm__ir_append(&list, GVM__OP_br_i32_eq);

    ir->kinds[0] = GVM__KIND_SLOT;
    ir->sources[0] = 0;
    ir->kinds[1] = GVM__KIND_IMMEDIATE;
    ir->label = label;
    ir->target = (uint8_t)target;
}

START_TEST(the_last_read_is_the_one_before_the_end_or_a_write)
{
    uint32_t first, second, third;

    begin();
    first = append_sum(1, 2, 3);
    second = append_sum(1, 2, 2);
    third = append_sum(2, 3, 4);
    ck_assert(gvm__live(&list, BASE));
    ck_assert_uint_eq(list.irs[first].dies, 0);
    ck_assert_uint_eq(list.irs[second].dies, 3);
    ck_assert_uint_eq(list.irs[third].dies, 3);
    gvm__ir_free(&list);
}
END_TEST

START_TEST(a_local_is_live_where_a_branch_goes)
{
    uint32_t label, read;

    begin();
    label = gvm__ir_new_label(&list);
    read = append_sum(1, 2, 3);
    append_branch(label, GVM__TARGET_FORWARD);
    gvm__ir_append(&list, GVM__OP_return_0);
    gvm__ir_place_label(&list, label);
    append_sum(2, 2, 3);
    ck_assert(gvm__live(&list, BASE));
    ck_assert_uint_eq(list.irs[read].dies, 1);
    gvm__ir_free(&list);
}
END_TEST

START_TEST(nothing_behind_a_return_counts)
{
    uint32_t read;

    begin();
    read = append_sum(1, 2, 3);
    gvm__ir_append(&list, GVM__OP_return_0);
    append_sum(1, 2, 3);
    ck_assert(gvm__live(&list, BASE));
    ck_assert_uint_eq(list.irs[read].dies, 3);
    gvm__ir_free(&list);
}
END_TEST

START_TEST(what_a_loop_reads_first_is_live_at_its_end)
{
    uint32_t head, inner, first, last;

    begin();
    head = gvm__ir_new_label(&list);
    inner = gvm__ir_new_label(&list);
    gvm__ir_place_label(&list, head);
    first = append_sum(1, 1, 2);
    gvm__ir_place_label(&list, inner);
    last = append_sum(2, 3, 3);
    append_branch(inner, GVM__TARGET_LOOP);
    append_branch(head, GVM__TARGET_LOOP);
    ck_assert(gvm__live(&list, BASE));
    /* 1 and 3 come round again, and 2 does inside. */
    ck_assert_uint_eq(list.irs[first].dies, 0);
    ck_assert_uint_eq(list.irs[last].dies, 2);
    gvm__ir_free(&list);
}
END_TEST

START_TEST(slots_from_the_sixty_fifth_on_count_as_live)
{
    uint32_t read;

    begin();
    read = append_sum(63, 64, 1);
    ck_assert(gvm__live(&list, BASE));
    ck_assert_uint_eq(list.irs[read].dies, 1);
    gvm__ir_free(&list);
}
END_TEST

static Suite *
live_suite(void)
{
    Suite *suite = suite_create("live");
    TCase *tcase = tcase_create("live");

    tcase_add_test(tcase,
                   the_last_read_is_the_one_before_the_end_or_a_write);
    tcase_add_test(tcase, a_local_is_live_where_a_branch_goes);
    tcase_add_test(tcase, nothing_behind_a_return_counts);
    tcase_add_test(tcase, what_a_loop_reads_first_is_live_at_its_end);
    tcase_add_test(tcase, slots_from_the_sixty_fifth_on_count_as_live);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(live_suite());
}
