/*
 * check_translate_access.c - tests of vm/translate_access.c: addresses that
 * the access adds up itself are the addresses that the instructions say.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <string.h>

#include "vm/insns.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define I(name) GVM__INSN_##name
#define GET(local) I(LOCAL_GET), local
#define SET(local) I(LOCAL_SET), local
#define CONST(number) I(I32_CONST), number
#define MINUS_4 I(I32_CONST), 0x7c
#define ADD I(I32_ADD)
#define SHL I(I32_SHL)
#define LOAD(offset) I(I32_LOAD), 2, offset
#define STORE(offset) I(I32_STORE), 2, offset
#define END I(END)

#define PAGE 65536u
#define TRAPS UINT64_MAX

/* The word at address n holds n, but for what a program stores. */
static const struct program {
    const char *what;
    uint8_t body[40];
    uint32_t a, b;
    uint64_t result;
} programs[] = {
    {"base", {GET(0), LOAD(0), END}, 64, 0, 64},
    {"base and offset", {GET(0), LOAD(8), END}, 64, 0, 72},
    {"base + constant", {GET(0), CONST(12), ADD, LOAD(0), END}, 64, 0, 76},
    {"base - constant", {GET(0), MINUS_4, ADD, LOAD(0), END}, 64, 0, 60},
    {"base + constant and offset",
     {GET(0), CONST(12), ADD, LOAD(8), END}, 64, 0, 84},
    {"base + constant wraps at 32 bits",
     {GET(0), CONST(12), ADD, LOAD(0), END}, UINT32_MAX - 7, 0, 4},
    {"the offset does not wrap",
     {GET(0), CONST(12), ADD, LOAD(8), END}, UINT32_MAX - 15, 0, TRAPS},
    {"a constant place", {CONST(40), LOAD(8), END}, 0, 0, 48},
    {"base + index", {GET(0), GET(1), ADD, LOAD(4), END}, 64, 100, 168},
    {"base + index wraps, the offset does not",
     {GET(0), GET(1), ADD, LOAD(4), END}, UINT32_MAX - 3, 8, 8},
    {"base + index * 4",
     {GET(0), GET(1), CONST(2), SHL, ADD, LOAD(4), END}, 64, 3, 80},
    {"index * 4 + base",
     {GET(1), CONST(2), SHL, GET(0), ADD, LOAD(4), END}, 64, 3, 80},
    {"base + index * 4, wrapping twice",
     {GET(0), GET(1), CONST(2), SHL, ADD, LOAD(0), END},
     UINT32_MAX - 3, 0x40000004, 12},
    {"a scale that is not the access's",
     {GET(0), GET(1), CONST(3), SHL, ADD, LOAD(4), END}, 64, 3, 92},
    {"a shift by more than 31 counts modulo 32",
     {GET(0), GET(1), CONST(34), SHL, ADD, LOAD(4), END}, 64, 3, 80},
    {"a base that is set in between keeps its old value",
     {GET(0), GET(1), ADD, CONST(0), SET(0), LOAD(0), END}, 64, 100, 164},
    {"an index that is set in between keeps its old value",
     {GET(0), GET(1), CONST(2), SHL, ADD, CONST(0), SET(1), LOAD(0), END},
     64, 3, 76},
    {"the last word of the memory",
     {GET(0), GET(1), ADD, LOAD(0), END}, PAGE - 8, 4, PAGE - 4},
    {"one byte past it", {GET(0), GET(1), ADD, LOAD(0), END}, PAGE - 8, 5,
     TRAPS},
    {"a store to base + index * 4 whose value is an operand",
     {GET(0), GET(1), CONST(2), SHL, ADD, GET(0), GET(1), ADD, STORE(0),
      GET(0), GET(1), CONST(2), SHL, ADD, LOAD(0), END},
     64, 3, 67},
};

/* Operands of the address are above the stored value's own slot. */
START_TEST(a_wide_constant_does_not_overwrite_a_folded_index)
{
    static const uint8_t body[] = {
        GET(0), CONST(8), I(I32_MUL), GET(1), CONST(8), I(I32_MUL), ADD,
        I(I64_CONST), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f,
        I(I64_STORE), 3, 0,
        GET(0), GET(1), ADD, CONST(8), I(I32_MUL), LOAD(4), END};
    struct module_builder *builder = module_builder_create();
    struct vm_guest guest;

    module_builder_memory(builder, 1, 1);
    module_builder_func(builder, "ii:i", "", body, sizeof body);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    vm_guest_open(&guest, (enum gvm_bounds)_i, builder, NULL);
    vm_guest_expect(&guest, "f", SLOTS(2, 5), 1, SLOTS(0x3fff));
    vm_guest_close(&guest);
}
END_TEST

static void
fill(struct gvm_memory *memory)
{
    for (uint32_t n = 0; n + 4 <= PAGE; n += 4)
        memcpy(gvm_memory_data(memory) + n, &n, sizeof n);
}

static void
run(const struct program *program, enum gvm_bounds bounds)
{
    struct module_builder *builder = module_builder_create();
    size_t body_bytes = sizeof program->body;
    struct vm_guest guest;

    module_builder_memory(builder, 1, 1);
    while (program->body[body_bytes - 1] == 0)
        body_bytes--;
    module_builder_func(builder, "ii:i", "", program->body, body_bytes);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    vm_guest_open(&guest, bounds, builder, NULL);
    fill(gvm_instance_memory(guest.instance));
    if (program->result == TRAPS)
        vm_guest_expect_trap(&guest, "f", SLOTS(program->a, program->b),
                             GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    else
        vm_guest_expect(&guest, "f", SLOTS(program->a, program->b), 1,
                        SLOTS(program->result));
    vm_guest_close(&guest);
}

START_TEST(an_access_adds_up_its_address_as_the_instructions_do)
{
    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++)
        run(&programs[_i], (enum gvm_bounds)bounds);
}
END_TEST

static Suite *
translate_access_suite(void)
{
    Suite *suite = suite_create("translate_access");
    TCase *tcase = tcase_create("access");

    tcase_add_loop_test(tcase,
                        an_access_adds_up_its_address_as_the_instructions_do,
                        0, (int)COUNT_OF(programs));
    tcase_add_loop_test(tcase,
                        a_wide_constant_does_not_overwrite_a_folded_index, 0,
                        vm_world_bounds_count());
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(translate_access_suite());
}
