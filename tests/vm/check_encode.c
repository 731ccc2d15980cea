/*
 * check_encode.c - tests of vm/encode.c: cells one behind the other, and the
 * map from them to the module's bytes.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>

#include "vm/code.h"

#define I(name) GVM__INSN_##name
#define GET(local) I(LOCAL_GET), local
#define CONST(number) I(I32_CONST), number

static struct vm_guest guest;

/* The code of a function that has been called. */
static struct gvm__code *
code_of(uint32_t defined)
{
    const uint64_t *entry =
        atomic_load(&guest.module->functions[defined].entry);

    return (struct gvm__code *)(void *)((uint8_t *)(uintptr_t)entry -
                                        offsetof(struct gvm__code, cells));
}

/* Operands of all kinds, branches both ways, a table, calls, accesses. */
static const uint8_t body[] = {
    I(BLOCK), 0x40, I(LOOP), 0x40, GET(0), CONST(1), I(I32_SUB),
    I(LOCAL_TEE), 0, CONST(3), I(I32_GT_S), I(BR_IF), 0, I(BLOCK), 0x40,
    GET(0), I(BR_TABLE), 2, 0, 1, 2, I(END), GET(0), CONST(1), I(I32_ADD),
    I(LOCAL_SET), 0, I(END), I(END), CONST(0), GET(0), I(I32_STORE), 2, 0,
    CONST(0), I(F64_LOAD), 0, 0, I(F64_CONST), 0, 0, 0, 0, 0, 0, 0xf0, 0x3f,
    I(F64_ADD), I(DROP), CONST(0), I(I32_LOAD), 2, 0, I(CALL), 1,
    I(I64_CONST), 0xff, 0xff, 0xff, 0xff, 0xff, 0, I(I32_WRAP_I64),
    I(I32_ADD), I(END)};

START_TEST(cells_lie_in_order_and_lead_back_to_their_instructions)
{
    struct module_builder *builder = module_builder_create();
    const struct gvm__place *places;
    struct gvm__code *code;

    module_builder_memory(builder, 1, 1);
    module_builder_func(builder, "i:i", "", body, sizeof(body));
    module_builder_func(builder, "i:i", "", BYTES(GET(0), I(END)));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
    vm_guest_expect(&guest, "f", SLOTS(9), 1, SLOTS(2));
    code = code_of(0);
    ck_assert_uint_eq(code->function, 0);
    ck_assert_uint_gt(code->place_count, 5);
    ck_assert_uint_eq(code->cells_bytes % 8, 0);
    places = gvm__code_places(code);
    ck_assert_uint_eq(places[0].cell_offset, 0);
    for (uint32_t i = 0; i < code->place_count; i++) {
        uint32_t end = i + 1 < code->place_count
                           ? places[i + 1].cell_offset
                           : code->cells_bytes;

        ck_assert_uint_eq(places[i].cell_offset % 8, 0);
        ck_assert_uint_ge(end, places[i].cell_offset + 8);
        /* The byte for the locals, then the body. */
        ck_assert_uint_le(places[i].insn_offset, sizeof(body));
    }
    vm_guest_close(&guest);
}
END_TEST

static Suite *
encode_suite(void)
{
    Suite *suite = suite_create("encode");
    TCase *tcase = tcase_create("encode");

    tcase_add_test(tcase,
                   cells_lie_in_order_and_lead_back_to_their_instructions);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(encode_suite());
}
