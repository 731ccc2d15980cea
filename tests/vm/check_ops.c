/*
 * check_ops.c - tests of vm/ops.c: every operation and combination of kinds
 * has a handler of its own.
 */
#include "vm/ops.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

/* Counts through all combinations of kinds of all operations. */
START_TEST(handlers_are_numbered_without_gaps)
{
    uint32_t next = 0;

    for (unsigned op = 0; op < GVM__OP_COUNT; op++) {
        const struct gvm__op_info *info = &gvm__ops[op];
        unsigned count = info->source_count;
        unsigned combinations = 1;

        for (unsigned i = 0; i < count; i++)
            combinations *= GVM__KIND_COUNT;
        ck_assert_uint_eq(info->first_handler, next);
        combinations *= GVM__KIND_COUNT * GVM__TARGET_COUNT;
        for (unsigned c = 0; c < combinations; c++) {
            uint8_t kinds[GVM__SOURCES_MAX] = {0};
            enum gvm__target target = c % GVM__TARGET_COUNT;
            enum gvm__kind to = c / GVM__TARGET_COUNT % GVM__KIND_COUNT;
            unsigned rest = c / GVM__TARGET_COUNT / GVM__KIND_COUNT;
            uint16_t handler = 0;

            for (unsigned i = count; i > 0; i--) {
                kinds[i - 1] = (uint8_t)(rest % GVM__KIND_COUNT);
                rest /= GVM__KIND_COUNT;
            }
            /* Without a result or a target its kind does not matter. */
            if ((info->destination_kinds == 0 && to != GVM__KIND_NONE) ||
                (info->target_kinds == 0 && target > 0))
                continue;
            if (gvm__op_handler((enum gvm__op)op, kinds, to, target,
                                &handler))
                ck_assert_uint_eq(handler, next++);
        }
    }
    ck_assert_uint_eq(next, gvm__handler_count);
}
END_TEST

START_TEST(every_handler_is_named_after_its_operation)
{
    for (unsigned op = 0; op < GVM__OP_COUNT; op++) {
        const struct gvm__op_info *info = &gvm__ops[op];
        const char *name = gvm__handler_names[info->first_handler];
        size_t length = strlen(info->name);

        ck_assert(strncmp(name, info->name, length) == 0);
        ck_assert_int_eq(name[length], '_');
    }
}
END_TEST

START_TEST(handlers_have_different_first_words)
{
    for (uint32_t i = 1; i < gvm__handler_count; i++)
        ck_assert(gvm__handler_word((uint16_t)i) !=
                  gvm__handler_word((uint16_t)(i - 1)));
}
END_TEST

START_TEST(kinds_that_an_operation_does_not_take_are_refused)
{
    uint8_t kinds[GVM__SOURCES_MAX] = {GVM__KIND_IMMEDIATE,
                                       GVM__KIND_SLOT};
    uint16_t handler = 7;

    ck_assert(!gvm__op_handler(GVM__OP_i32_add, kinds, GVM__KIND_SLOT,
                               GVM__TARGET_FORWARD, &handler));
    kinds[0] = GVM__KIND_SLOT;
    ck_assert(!gvm__op_handler(GVM__OP_i32_add, kinds, GVM__KIND_NONE,
                               GVM__TARGET_FORWARD, &handler));
    ck_assert_uint_eq(handler, 7);
    ck_assert(gvm__op_handler(GVM__OP_i32_add, kinds, GVM__KIND_SLOT,
                              GVM__TARGET_FORWARD, &handler));
    ck_assert_str_eq(gvm__handler_names[handler], "i32_add_SSS");
}
END_TEST

START_TEST(a_branch_back_is_another_handler_than_one_forward)
{
    uint8_t kinds[GVM__SOURCES_MAX] = {GVM__KIND_SLOT, GVM__KIND_SLOT};
    uint16_t forward, back;

    ck_assert(gvm__op_handler(GVM__OP_br_i32_eq, kinds, GVM__KIND_NONE,
                              GVM__TARGET_FORWARD, &forward));
    ck_assert(gvm__op_handler(GVM__OP_br_i32_eq, kinds, GVM__KIND_NONE,
                              GVM__TARGET_LOOP, &back));
    ck_assert_str_eq(gvm__handler_names[forward], "br_i32_eq_SST");
    ck_assert_str_eq(gvm__handler_names[back], "br_i32_eq_SSL");
    /* A loop's tail only goes back. */
    ck_assert(!gvm__op_handler(GVM__OP_add_br_i32_eq, kinds, GVM__KIND_NONE,
                               GVM__TARGET_FORWARD, &forward));
}
END_TEST

static Suite *
ops_suite(void)
{
    Suite *suite = suite_create("ops");
    TCase *tcase = tcase_create("ops");

    tcase_add_test(tcase, handlers_are_numbered_without_gaps);
    tcase_add_test(tcase, every_handler_is_named_after_its_operation);
    tcase_add_test(tcase, handlers_have_different_first_words);
    tcase_add_test(tcase,
                   kinds_that_an_operation_does_not_take_are_refused);
    tcase_add_test(tcase,
                   a_branch_back_is_another_handler_than_one_forward);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(ops_suite());
}
