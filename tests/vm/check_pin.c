/*
 * check_pin.c - tests of vm/pin.c: which local is kept in a register, and
 * that its slot is right wherever somebody looks at it.
 */
#include "vm/ir.h"
#include "tests/support/suite.h"

#include <check.h>

#define BASE 4u
#define LOOP_DEPTH 3

static struct gvm__ir_list list;
static const uint8_t types[BASE] = {'d', 'd', 'd', 'd'};
static const uint8_t zeroed[BASE] = {0, 0, 0, 1};

static bool
is_plain(void)
{
    return (gvm__ops[GVM__OP_move_f64].source_kinds[0] &
            1u << GVM__KIND_PINNED) == 0;
}

static struct gvm__ir *
append(enum gvm__op op, uint32_t a, uint32_t b, uint32_t to)
{
    struct gvm__ir *ir = gvm__ir_append(&list, op);

    ir->kinds[0] = ir->kinds[1] = GVM__KIND_SLOT;
    ir->sources[0] = a;
    ir->sources[1] = b;
    if (gvm__ops[op].destination_kinds != 0) {
        ir->to_kind = GVM__KIND_SLOT;
        ir->to = to;
    }
    return ir;
}

/* enter, then what the test appends at LOOP_DEPTH. */
static void
begin(void)
{
    list = (struct gvm__ir_list){0};
    gvm__ir_append(&list, GVM__OP_enter);
    list.depth = LOOP_DEPTH;
}

static void
pin(uint32_t parameter_count)
{
    gvm__pin(&list, BASE, parameter_count, types, zeroed);
}

static unsigned
count_of(enum gvm__op op, enum gvm__kind from, enum gvm__kind to)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < list.count; i++)
        count += list.irs[i].op == op && list.irs[i].kinds[0] == from &&
                 list.irs[i].to_kind == to;
    return count;
}

START_TEST(the_busiest_parameter_is_fetched_once)
{
    begin();
    append(GVM__OP_f64_add, 0, 2, 0);
    append(GVM__OP_f64_mul, 0, 0, 4);
    pin(2);
    if (!is_plain()) {
        ck_assert_uint_eq(list.count, 4);
        ck_assert_uint_eq(count_of(GVM__OP_move_f64, GVM__KIND_SLOT,
                                   GVM__KIND_PINNED), 1);
        ck_assert_int_eq(list.irs[2].kinds[0], GVM__KIND_PINNED);
        ck_assert_int_eq(list.irs[2].kinds[1], GVM__KIND_SLOT);
        ck_assert_int_eq(list.irs[2].to_kind, GVM__KIND_PINNED);
        ck_assert_int_eq(list.irs[3].kinds[1], GVM__KIND_PINNED);
    } else {
        ck_assert_uint_eq(list.count, 3);
    }
    gvm__ir_free(&list);
}
END_TEST

START_TEST(a_local_that_counts_as_zero_begins_as_zero)
{
    begin();
    append(GVM__OP_f64_add, 3, 3, 3);
    pin(0);
    if (!is_plain())
        ck_assert_uint_eq(count_of(GVM__OP_move_f64, GVM__KIND_CONSTANT,
                                   GVM__KIND_PINNED), 1);
    gvm__ir_free(&list);
}
END_TEST

START_TEST(behind_a_call_the_register_is_fetched_again)
{
    begin();
    for (int i = 0; i < 20; i++)
        append(GVM__OP_f64_add, 0, 2, 0);
    gvm__ir_append(&list, GVM__OP_call);
    pin(1);
    if (!is_plain()) {
        uint32_t call = list.count - 2;

        ck_assert_uint_eq(list.irs[call].op, GVM__OP_call);
        /* The slot was written with the register. */
        ck_assert_uint_eq(list.irs[call - 1].op, GVM__OP_f64_add);
        ck_assert_int_eq(list.irs[call - 1].to_kind, GVM__KIND_PINNED);
        ck_assert_uint_eq(gvm__ir_written(&list.irs[call - 1]), 0);
        ck_assert_int_eq(list.irs[call + 1].kinds[0], GVM__KIND_SLOT);
        ck_assert_int_eq(list.irs[call + 1].to_kind, GVM__KIND_PINNED);
    }
    gvm__ir_free(&list);
}
END_TEST

START_TEST(where_calls_are_as_busy_nothing_is_pinned)
{
    begin();
    for (int i = 0; i < 4; i++) {
        append(GVM__OP_f64_add, 0, 2, 0);
        gvm__ir_append(&list, GVM__OP_call);
    }
    pin(1);
    ck_assert_uint_eq(list.count, 9);
    gvm__ir_free(&list);
}
END_TEST

START_TEST(outside_of_loops_nothing_is_pinned)
{
    begin();
    list.depth = 0;
    append(GVM__OP_f64_add, 0, 2, 0);
    pin(1);
    ck_assert_uint_eq(list.count, 2);
    gvm__ir_free(&list);
}
END_TEST

START_TEST(an_operation_without_the_variant_reads_and_writes_the_slot)
{
    /* select on f64 goes by 64-bit slots, whatever is in them. */
    begin();
    for (int i = 0; i < 8; i++)
        append(GVM__OP_f64_add, 1, 1, 1);
    append(GVM__OP_select, 1, 1, 1)->kinds[2] = GVM__KIND_SLOT;
    pin(2);
    if (!is_plain()) {
        uint32_t select = list.count - 2;

        ck_assert_uint_eq(list.irs[select].op, GVM__OP_select);
        ck_assert_int_eq(list.irs[select].kinds[0], GVM__KIND_SLOT);
        ck_assert_uint_eq(list.irs[select - 1].op, GVM__OP_f64_add);
        ck_assert_uint_eq(list.irs[select + 1].op, GVM__OP_move_f64);
        ck_assert_int_eq(list.irs[select + 1].to_kind, GVM__KIND_PINNED);
    }
    gvm__ir_free(&list);
}
END_TEST

static Suite *
pin_suite(void)
{
    Suite *suite = suite_create("pin");
    TCase *tcase = tcase_create("pin");

    tcase_add_test(tcase, the_busiest_parameter_is_fetched_once);
    tcase_add_test(tcase, a_local_that_counts_as_zero_begins_as_zero);
    tcase_add_test(
        tcase,
        behind_a_call_the_register_is_fetched_again);
    tcase_add_test(tcase, where_calls_are_as_busy_nothing_is_pinned);
    tcase_add_test(tcase, outside_of_loops_nothing_is_pinned);
    tcase_add_test(
        tcase, an_operation_without_the_variant_reads_and_writes_the_slot);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(pin_suite());
}
