/*
 * program.c - programs as lists of instructions, and as modules.
 */
#include "tests/vm/program.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/module_builder.h"
#include "tests/support/vm_guest.h"

uint64_t
program_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint64_t
program_host_bump(uint32_t a, uint64_t b)
{
    return b * 3 + a + 1;
}

uint32_t
program_parameter_count(const char *signature)
{
    return (uint32_t)(strchr(signature, ':') - signature);
}

const char *
program_results(const char *signature)
{
    return strchr(signature, ':') + 1;
}

void
program_destroy(struct program *program)
{
    for (uint32_t i = 0; i < program->function_count; i++) {
        free(program->functions[i].insns);
        free(program->functions[i].labels);
    }
    free(program->bytes);
}

static void *
grow(void *items, uint32_t *capacity, size_t item_bytes)
{
    *capacity = *capacity * 2 + 64;
    items = realloc(items, *capacity * item_bytes);
    if (items == NULL)
        abort();
    return items;
}

struct program_insn *
program_append(struct program_function *function, uint32_t code)
{
    struct program_insn *insn;

    if (function->insn_count == function->insn_capacity)
        function->insns = grow(function->insns, &function->insn_capacity,
                               sizeof(*function->insns));
    insn = &function->insns[function->insn_count++];
    memset(insn, 0, sizeof(*insn));
    insn->code = code;
    return insn;
}

void
program_append_label(struct program_function *function, uint32_t label)
{
    if (function->label_count == function->label_capacity)
        function->labels = grow(function->labels, &function->label_capacity,
                                sizeof(*function->labels));
    function->labels[function->label_count++] = label;
}

/* ---- What instructions know of each other ------------------------------- */

/* Matches blocks with their ends, and counts what fuel is charged for. */
static void
match_blocks(struct program_function *function)
{
    struct open {
        uint32_t index;
        uint32_t *cost;
    } opened[64];
    uint32_t depth = 0;
    uint32_t *cost = &function->cost;

    /* One for every 64 locals, which have to be zeroed. */
    function->cost =
        (uint32_t)(strlen(function->locals) - function->parameter_count) /
        64;
    for (uint32_t i = 0; i < function->insn_count; i++) {
        struct program_insn *insn = &function->insns[i];

        ++*cost;
        if (insn->code == GVM__INSN_BLOCK ||
            insn->code == GVM__INSN_LOOP || insn->code == GVM__INSN_IF) {
            opened[depth++] = (struct open){i, cost};
            insn->other = 0;
            insn->cost = 0;
            if (insn->code == GVM__INSN_LOOP)
                cost = &insn->cost;
        } else if (insn->code == GVM__INSN_ELSE) {
            function->insns[opened[depth - 1].index].other = i;
        } else if (insn->code == GVM__INSN_END && depth > 0) {
            struct program_insn *block =
                &function->insns[opened[--depth].index];

            block->end = i;
            if (block->other == 0)
                block->other = i;
            cost = opened[depth].cost;
        }
    }
}

/* ---- Modules ------------------------------------------------------------- */

static void
put_block_type(struct byte_buffer *body, struct module_builder *builder,
               const char *signature)
{
    const char *results = program_results(signature);

    if (signature[0] != ':' || strlen(results) > 1) {
        byte_buffer_put_signed(body,
                               module_builder_type(builder, signature));
        return;
    }
    switch (results[0]) {
    case 'i':
        byte_buffer_put_byte(body, GVM_I32);
        break;
    case 'l':
        byte_buffer_put_byte(body, GVM_I64);
        break;
    case 'f':
        byte_buffer_put_byte(body, GVM_F32);
        break;
    case 'd':
        byte_buffer_put_byte(body, GVM_F64);
        break;
    default:
        byte_buffer_put_byte(body, 0x40);
        break;
    }
}

static void
put_immediates(struct byte_buffer *body, struct module_builder *builder,
               const struct program_function *function,
               const struct program_insn *insn)
{
    switch (gvm__insn_info(insn->code)->immediate) {
    case GVM__IMMEDIATE_NONE:
        break;
    case GVM__IMMEDIATE_BLOCK:
        put_block_type(body, builder, insn->signature);
        break;
    case GVM__IMMEDIATE_BR_TABLE:
        byte_buffer_put_unsigned(body, insn->a);
        for (uint32_t i = 0; i <= insn->a; i++)
            byte_buffer_put_unsigned(
                body, function->labels[insn->label_first + i]);
        break;
    case GVM__IMMEDIATE_CALL_INDIRECT:
        byte_buffer_put_unsigned(
            body, module_builder_type(builder, insn->signature));
        byte_buffer_put_byte(body, 0);
        break;
    case GVM__IMMEDIATE_MEMORY:
    case GVM__IMMEDIATE_MEMORY_COPY:
        byte_buffer_put_unsigned(body, insn->a);
        byte_buffer_put_unsigned(body, insn->b);
        break;
    case GVM__IMMEDIATE_I32:
        byte_buffer_put_signed(body, (int32_t)(uint32_t)insn->a);
        break;
    case GVM__IMMEDIATE_I64:
        byte_buffer_put_signed(body, (int64_t)insn->a);
        break;
    case GVM__IMMEDIATE_F32:
        byte_buffer_put(body, &insn->a, 4);
        break;
    case GVM__IMMEDIATE_F64:
        byte_buffer_put(body, &insn->a, 8);
        break;
    default:
        byte_buffer_put_unsigned(body, insn->a);
        break;
    }
}

static uint8_t
type_code(char letter)
{
    switch (letter) {
    case 'i':
        return GVM_I32;
    case 'l':
        return GVM_I64;
    case 'f':
        return GVM_F32;
    default:
        return GVM_F64;
    }
}

static void
add_function(struct module_builder *builder,
             struct program_function *function)
{
    struct byte_buffer body = {0};
    const char *locals = function->locals + function->parameter_count;

    byte_buffer_put_unsigned(&body, strlen(locals));
    for (; *locals != '\0'; locals++) {
        byte_buffer_put_byte(&body, 1);
        byte_buffer_put_byte(&body, type_code(*locals));
    }
    for (uint32_t i = 0; i < function->insn_count; i++) {
        struct program_insn *insn = &function->insns[i];

        insn->offset = (uint32_t)body.length_bytes;
        if (insn->code > 0xff) {
            byte_buffer_put_byte(&body, (uint8_t)(insn->code >> 8));
            byte_buffer_put_unsigned(&body, insn->code & 0xff);
        } else {
            byte_buffer_put_byte(&body, (uint8_t)insn->code);
        }
        put_immediates(&body, builder, function, insn);
    }
    module_builder_func_raw(builder, function->signature, body.bytes,
                            body.length_bytes);
    byte_buffer_deinit(&body);
}

static void
add_globals(struct module_builder *builder, const struct program *program)
{
    for (uint32_t i = 0; program->globals[i] != '\0'; i++) {
        struct byte_buffer init = {0};
        char letter = program->globals[i];
        uint64_t bits = program->global_inits[i];
        char name[] = {'g', (char)('0' + i), '\0'};

        byte_buffer_put_byte(&init, letter == 'i'   ? GVM__INSN_I32_CONST
                                    : letter == 'l' ? GVM__INSN_I64_CONST
                                    : letter == 'f' ? GVM__INSN_F32_CONST
                                                    : GVM__INSN_F64_CONST);
        if (letter == 'i')
            byte_buffer_put_signed(&init, (int32_t)(uint32_t)bits);
        else if (letter == 'l')
            byte_buffer_put_signed(&init, (int64_t)bits);
        else
            byte_buffer_put(&init, &bits, letter == 'f' ? 4 : 8);
        byte_buffer_put_byte(&init, GVM__INSN_END);
        module_builder_global(builder, letter, true, init.bytes,
                              init.length_bytes);
        module_builder_export(builder, name, GVM_EXTERN_GLOBAL, i);
        byte_buffer_deinit(&init);
    }
}

void
program_finish(struct program *program)
{
    struct module_builder *builder = module_builder_create();
    uint32_t count = program->function_count;
    uint32_t all[PROGRAM_FUNCTIONS_MAX];
    const uint8_t *bytes;

    module_builder_import_func(builder, "host", "bump",
                               PROGRAM_HOST_SIGNATURE);
    for (uint32_t i = 1; i < count; i++) {
        match_blocks(&program->functions[i]);
        add_function(builder, &program->functions[i]);
    }
    module_builder_memory(builder, PROGRAM_PAGES_MIN, PROGRAM_PAGES_MAX);
    module_builder_table(builder, 'r', count + PROGRAM_NULL_ENTRIES,
                         MODULE_BUILDER_NO_MAX);
    for (uint32_t i = 0; i < count; i++)
        all[i] = i;
    module_builder_elements(builder, 0, all, count);
    module_builder_data(builder, 0, program->data, PROGRAM_DATA_BYTES);
    add_globals(builder, program);
    module_builder_export(builder, "memory", GVM_EXTERN_MEMORY, 0);
    module_builder_export(builder, "main", GVM_EXTERN_FUNC, count - 1);
    bytes = module_builder_finish(builder, &program->length_bytes);
    program->bytes = malloc(program->length_bytes);
    if (program->bytes == NULL)
        abort();
    memcpy(program->bytes, bytes, program->length_bytes);
    for (uint32_t i = 1; i < count; i++)
        program->functions[i].body_offset = (uint32_t)vm_guest_body_offset(
            bytes, program->length_bytes, i - 1);
    module_builder_destroy(builder);
}
