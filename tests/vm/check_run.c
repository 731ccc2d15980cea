/*
 * check_run.c - tests of vm/run.c and of vm/numeric.h, which its handlers
 * use: what the numeric instructions compute where C has no operator.
 */
#include "tests/support/vm_guest.h"

#include <check.h>
#include <stdlib.h>

#include "vm/insns.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define I(name) GVM__INSN_##name

/* A guest whose "f" applies one instruction to its parameters. */
static void
open_insn(struct vm_guest *guest, uint8_t insn)
{
    struct module_builder *builder = module_builder_create();
    const struct gvm__insn_info *info = gvm__insn_info(insn);
    uint8_t body[] = {I(LOCAL_GET), 0, I(LOCAL_GET), 1, insn, I(END)};
    uint32_t function;

    if (info->signature[1] == ':') {
        body[2] = I(NOP);
        body[3] = I(NOP);
    }
    function = module_builder_func(builder, info->signature, "", body,
                                   sizeof(body));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, function);
    vm_guest_open(guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
}

static const uint8_t rounding[][2] = {
    {I(F32_CEIL), I(F64_CEIL)},
    {I(F32_FLOOR), I(F64_FLOOR)},
    {I(F32_TRUNC), I(F64_TRUNC)},
    {I(F32_NEAREST), I(F64_NEAREST)},
};

START_TEST(rounding_makes_signalling_nans_quiet)
{
    static const uint64_t narrow[] = {0x7fa00000, 0xffa00000, 0x7f800001,
                                      0xff800001, 0x7fc00000, 0xffc12345};
    static const uint64_t wide[] = {
        0x7ff4000000000000, 0xfff4000000000000, 0x7ff0000000000001,
        0xfff0000000000001, 0x7ff8000000000000, 0xfff8123456789abc};
    struct vm_guest guest;
    unsigned i;

    open_insn(&guest, rounding[_i][0]);
    for (i = 0; i < COUNT_OF(narrow); i++)
        vm_guest_expect(&guest, "f", &narrow[i], 1,
                        SLOTS(narrow[i] | 0x400000));
    vm_guest_close(&guest);
    open_insn(&guest, rounding[_i][1]);
    for (i = 0; i < COUNT_OF(wide); i++)
        vm_guest_expect(&guest, "f", &wide[i], 1,
                        SLOTS(wide[i] | 1ull << 51));
    vm_guest_close(&guest);
}
END_TEST

static Suite *
run_suite(void)
{
    Suite *suite = suite_create("run");
    TCase *numeric = tcase_create("numeric");

    tcase_add_loop_test(numeric, rounding_makes_signalling_nans_quiet, 0,
                        (int)COUNT_OF(rounding));
    suite_add_tcase(suite, numeric);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(run_suite());
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
