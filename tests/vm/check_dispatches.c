/*
 * check_dispatches.c - tests of vm/dispatches.c: what a build that counts
 * says, and that others have nothing to say.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <string.h>

#include "vm/insns.h"

#define I(name) GVM__INSN_##name
#define GET(local) I(LOCAL_GET), local

#ifdef GVM_COUNT_DISPATCHES

#define ROUNDS 1000

static struct vm_guest guest;

static bool
is_of(const char *name, const char *op)
{
    return strncmp(name, op, strlen(op)) == 0 && name[strlen(op)] == '_';
}

/* The sum of what all handlers of an operation count, those of pairs too. */
static uint64_t
handlers_of(const char *op)
{
    uint64_t sum = 0, count;
    const char *name;

    for (uint32_t i = 0; gvm_dispatches_of_handler(i, &name, &count); i++)
        if (is_of(name, op) ||
            (strstr(name, "__") != NULL &&
             is_of(strstr(name, "__") + 2, op)))
            sum += count;
    return sum;
}

static uint64_t
pairs_of(const char *wanted_first, const char *wanted_second)
{
    const char *first, *second;
    uint64_t count;

    for (uint32_t i = 0; gvm_dispatches_of_pair(i, &first, &second, &count);
         i++)
        if (strcmp(first, wanted_first) == 0 &&
            strcmp(second, wanted_second) == 0)
            return count;
    ck_abort_msg("no pair %s %s", wanted_first, wanted_second);
    return 0;
}

START_TEST(every_operation_is_counted_with_the_one_before_it)
{
    struct module_builder *builder = module_builder_create();
    uint64_t divisions, products, pairs;

    module_builder_func(builder, "ii:i", "",
                        BYTES(GET(0), GET(1), I(I32_DIV_U), GET(1),
                              I(I32_MUL), I(END)));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
    divisions = handlers_of("i32_div_u");
    products = handlers_of("i32_mul");
    pairs = pairs_of("i32_div_u", "i32_mul");
    for (unsigned i = 0; i < ROUNDS; i++)
        vm_guest_expect(&guest, "f", SLOTS(7, 2), 1, SLOTS(6));
    ck_assert_uint_eq(handlers_of("i32_div_u") - divisions, ROUNDS);
    ck_assert_uint_eq(handlers_of("i32_mul") - products, ROUNDS);
    ck_assert_uint_eq(pairs_of("i32_div_u", "i32_mul") - pairs, ROUNDS);
    vm_guest_close(&guest);
}
END_TEST

#else

START_TEST(a_build_that_does_not_count_says_so)
{
    const char *first, *second;
    uint64_t count;

    ck_assert(!gvm_dispatches_of_handler(0, &first, &count));
    ck_assert(!gvm_dispatches_of_pair(0, &first, &second, &count));
}
END_TEST

#endif

START_TEST(there_is_an_end_of_counters)
{
    const char *first, *second;
    uint64_t count;

    ck_assert(!gvm_dispatches_of_handler(UINT32_MAX, &first, &count));
    ck_assert(!gvm_dispatches_of_pair(UINT32_MAX, &first, &second, &count));
}
END_TEST

static Suite *
dispatches_suite(void)
{
    Suite *suite = suite_create("dispatches");
    TCase *tests = tcase_create("counts");

#ifdef GVM_COUNT_DISPATCHES
    tcase_add_test(tests, every_operation_is_counted_with_the_one_before_it);
#else
    tcase_add_test(tests, a_build_that_does_not_count_says_so);
#endif
    tcase_add_test(tests, there_is_an_end_of_counters);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(dispatches_suite());
}
