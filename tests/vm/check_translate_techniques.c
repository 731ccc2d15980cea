/*
 * check_translate_techniques.c - tests of what translation leaves out when
 * an engine has a technique switched off, by the handlers that it chose.
 * That results are the same is shown by check_program.c and the official
 * suite.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm/code.h"
#include "vm/insns.h"
#include "vm/ops.h"

#define I(name) GVM__INSN_##name
#define GET(local) I(LOCAL_GET), local
#define SET(local) I(LOCAL_SET), local
#define CONST(number) I(I32_CONST), number

/*
 * The sum of the words at p + 4 * i for i = n - 1 down to 0, scaled: what a
 * loop of a real program looks like. Locals: p, n, the sum.
 */
static const uint8_t sum_body[] = {
    I(LOOP), 0x40,
    GET(1), CONST(1), I(I32_SUB), SET(1),
    GET(2), GET(0), GET(1), CONST(2), I(I32_SHL), I(I32_ADD),
    I(I32_LOAD), 2, 0, CONST(3), I(I32_MUL), I(I32_ADD), SET(2),
    GET(1), CONST(0), I(I32_NE), I(BR_IF), 0,
    I(END), GET(2), I(END),
};
/* The same counting up with the addition at the end. */
static const uint8_t tail_body[] = {
    I(LOOP), 0x40,
    GET(2), GET(0), I(I32_LOAD), 2, 0, I(I32_ADD), SET(2),
    GET(0), CONST(4), I(I32_ADD), SET(0),
    GET(1), CONST(0x7f), I(I32_ADD), I(LOCAL_TEE), 1, I(BR_IF), 0,
    I(END), GET(2), I(END),
};

static struct vm_guest guest;

static void
open_guest(uint32_t techniques_off)
{
    static const uint8_t words[] = {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0};
    struct gvm_engine_options options = {.techniques_off = techniques_off};
    struct module_builder *builder = module_builder_create();
    struct vm_world world = {0};
    struct gvm_module *module;

    module_builder_memory(builder, 1, 1);
    module_builder_data(builder, 8, words, sizeof(words));
    module_builder_func(builder, "ii:i", "i", sum_body, sizeof(sum_body));
    module_builder_func(builder, "ii:i", "i", tail_body, sizeof(tail_body));
    module_builder_export(builder, "sum", GVM_EXTERN_FUNC, 0);
    module_builder_export(builder, "tail", GVM_EXTERN_FUNC, 1);
    ck_assert_int_eq(gvm_engine_create(&options, &world.engine), GVM_OK);
    ck_assert_int_eq(gvm_store_create(world.engine, NULL, &world.store),
                     GVM_OK);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    vm_guest_open_in(&guest, &world, module, NULL);
    vm_guest_expect(&guest, "sum", SLOTS(8, 3), 1, SLOTS(18));
    vm_guest_expect(&guest, "tail", SLOTS(8, 3), 1, SLOTS(6));
}

static uint16_t
handler_of_word(uint64_t word)
{
    for (uint16_t i = 0; i < gvm__handler_count + gvm__pair_count; i++)
        if (gvm__handler_word(i) == word)
            return i;
    ck_abort_msg("a cell without a handler");
    return 0;
}

/* The names of a function's handlers, each behind a blank; of a pair the
 * names of both, with a plus in front. */
static void
list_handlers(const struct gvm__function *function, char *text,
              size_t text_bytes)
{
    const uint64_t *entry =
        atomic_load_explicit(&function->entry, memory_order_acquire);
    struct gvm__code *code = (struct gvm__code *)(uintptr_t)(
        (const uint8_t *)entry - offsetof(struct gvm__code, cells));
    const struct gvm__place *places = gvm__code_places(code);
    size_t used = 0;

    for (uint32_t i = 0; i < code->place_count; i++) {
        uint16_t first = handler_of_word(
            entry[places[i].cell_offset / sizeof(*entry)]);
        uint16_t second = first;
        bool paired = gvm__op_halves(first, &first, &second);
        int length = snprintf(text + used, text_bytes - used, " %s%s %s",
                              paired ? "+ " : "",
                              gvm__handler_names[first],
                              gvm__handler_names[second]);

        ck_assert_int_gt(length, 0);
        used += (size_t)length;
        ck_assert_uint_lt(used, text_bytes);
    }
}

/* Whether a letter is among the operands of a listed handler. */
static bool
has_letter(const char *text, const char *letters)
{
    char copy[2000];

    snprintf(copy, sizeof(copy), "%s", text);
    for (char *name = strtok(copy, " +"); name != NULL;
         name = strtok(NULL, " +"))
        if (strpbrk(strrchr(name, '_'), letters) != NULL)
            return true;
    return false;
}

static void
list_both(uint32_t techniques_off, char *text, size_t text_bytes)
{
    open_guest(techniques_off);
    list_handlers(&guest.module->functions[0], text, text_bytes);
    list_handlers(&guest.module->functions[1], text + strlen(text),
                  text_bytes - strlen(text));
    vm_guest_close(&guest);
}

START_TEST(without_registers_all_operands_are_in_slots_and_cells)
{
    /* The table of a build with a switch loop has no others. */
    bool has_registers = (gvm__ops[GVM__OP_move].source_kinds[0] &
                          1u << GVM__KIND_ACCUMULATOR) != 0;
    char text[2000];

    list_both(0, text, sizeof(text));
    ck_assert_msg(has_letter(text, "APB") == has_registers, "%s", text);
    list_both(GVM_TECHNIQUE_REGISTERS, text, sizeof(text));
    ck_assert_msg(!has_letter(text, "APBQ"), "%s", text);
    ck_assert_msg(strstr(text, "loop_head") == NULL, "%s", text);
}
END_TEST

START_TEST(without_fusion_an_instruction_is_an_operation)
{
    char text[2000];

    list_both(0, text, sizeof(text));
    ck_assert_msg((strstr(text, " + ") != NULL) == (gvm__pair_count > 0),
                  "%s", text);
    ck_assert_msg(strstr(text, "add_br_") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "_scaled_") != NULL, "%s", text);
    list_both(GVM_TECHNIQUE_FUSION, text, sizeof(text));
    ck_assert_msg(strstr(text, " + ") == NULL, "%s", text);
    ck_assert_msg(strstr(text, "add_br_") == NULL, "%s", text);
    ck_assert_msg(strstr(text, "_scaled") == NULL, "%s", text);
    ck_assert_msg(strstr(text, "_indexed") == NULL, "%s", text);
    ck_assert_msg(strstr(text, " i32_shl_") != NULL, "%s", text);
    ck_assert_msg(strstr(text, " i32_ne_") != NULL, "%s", text);
}
END_TEST

static Suite *
techniques_suite(void)
{
    Suite *suite = suite_create("translate_techniques");
    TCase *tests = tcase_create("off");

    tcase_add_test(tests,
                   without_registers_all_operands_are_in_slots_and_cells);
    tcase_add_test(tests, without_fusion_an_instruction_is_an_operation);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(techniques_suite());
}
