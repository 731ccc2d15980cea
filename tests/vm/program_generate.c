/*
 * program_generate.c - random programs: functions, statements, blocks.
 *
 * Loops have the tails that compilers give them; branches take values along
 * to labels of every height; values wait on the stack while locals that they
 * were read from change.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/vm/program_generator.h"

#define FUNCTION_BUDGET 220
#define DEPTH_MAX 9u

uint32_t
generator_below(struct generator *g, uint32_t limit)
{
    return (uint32_t)((program_random(&g->random) >> 32) * limit >> 32);
}

bool
generator_once_in(struct generator *g, uint32_t times)
{
    return generator_below(g, times) == 0;
}

char
generator_type(struct generator *g)
{
    return "iiillfdd"[generator_below(g, 8)];
}

struct program_insn *
generator_put(struct generator *g, uint32_t code, uint64_t a)
{
    struct program_insn *insn = program_append(g->function, code);

    insn->a = a;
    g->budget--;
    return insn;
}

/* ---- Locals -------------------------------------------------------------- */

uint32_t
generator_new_local(struct generator *g, char type)
{
    uint32_t local = g->local_count;

    if (local == PROGRAM_LOCALS_MAX)
        return UINT32_MAX;
    g->function->locals[local] = type;
    g->protected_locals[local] = false;
    g->local_count++;
    return local;
}

/* There is one: every function begins with two of each type. */
uint32_t
generator_local(struct generator *g, char type, bool writable)
{
    for (;;) {
        uint32_t local = generator_below(g, g->local_count);

        if (g->function->locals[local] == type &&
            !(writable && g->protected_locals[local]))
            return local;
    }
}

static void
consume_all(struct generator *g, const char *types)
{
    for (size_t i = strlen(types); i > 0; i--)
        generator_consume(g, types[i - 1]);
}

/* ---- Blocks -------------------------------------------------------------- */

static void
random_types(struct generator *g, char *types, uint32_t count_max)
{
    uint32_t count = generator_below(g, count_max + 1);

    for (uint32_t i = 0; i < count; i++)
        types[i] = generator_type(g);
    types[count] = '\0';
}

static void
join_signature(char *signature, const char *parameters, const char *results)
{
    size_t count = strlen(parameters);

    memcpy(signature, parameters, count);
    signature[count] = ':';
    memcpy(signature + count + 1, results, strlen(results) + 1);
}

static void
open_block(struct generator *g, uint32_t code, const char *parameters,
           const char *results, bool branchable)
{
    struct program_insn *insn = generator_put(g, code, 0);
    struct generator_label *label = &g->labels[g->label_count++];

    join_signature(insn->signature, parameters, results);
    strcpy(label->types, code == GVM__INSN_LOOP ? parameters : results);
    label->branchable = branchable;
}

static void
close_block(struct generator *g)
{
    generator_put(g, GVM__INSN_END, 0);
    g->label_count--;
}

/* A branch's target that takes `types`, or any when NULL; -1: none. */
static int
pick_target(struct generator *g, const char *types)
{
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t depth = generator_below(g, g->label_count);
        const struct generator_label *label =
            &g->labels[g->label_count - 1 - depth];

        if (label->branchable &&
            (types == NULL || strcmp(types, label->types) == 0))
            return (int)depth;
    }
    return -1;
}

static const char *
target_types(const struct generator *g, uint32_t depth)
{
    return g->labels[g->label_count - 1 - depth].types;
}

/* The index is on the stack, what the labels take along below it. */
static void
put_table(struct generator *g, uint32_t default_depth, uint32_t count)
{
    struct program_insn *insn = generator_put(g, GVM__INSN_BR_TABLE, count);
    const char *types = target_types(g, default_depth);

    insn->label_first = g->function->label_count;
    for (uint32_t i = 0; i < count; i++) {
        int depth = pick_target(g, types);

        if (depth < 0)
            depth = (int)default_depth;
        program_append_label(g->function, (uint32_t)depth);
    }
    program_append_label(g->function, default_depth);
}

/* Code that is never reached, and need not push what it pops. */
static void
dead_code(struct generator *g, unsigned depth)
{
    if (generator_once_in(g, 3)) {
        generator_put(g, GVM__INSN_I32_ADD, 0);
        generator_put(g, GVM__INSN_DROP, 0);
    }
    if (generator_once_in(g, 3))
        generator_statements(g, 1 + generator_below(g, 2), depth + 4);
    if (generator_once_in(g, 6))
        generator_put(g, GVM__INSN_UNREACHABLE, 0);
}

/* Ends a block with a branch; false when no label fits. */
static bool
leave_block(struct generator *g, unsigned depth)
{
    int target = pick_target(g, NULL);

    if (target < 0)
        return false;
    generator_expressions(g, target_types(g, (uint32_t)target), depth + 2);
    if (generator_once_in(g, 3)) {
        generator_expression(g, 'i', depth + 2);
        if (!generator_once_in(g, 4)) {
            generator_number(g, 'i', 7);
            generator_put(g, GVM__INSN_I32_AND, 0);
        }
        put_table(g, (uint32_t)target, generator_below(g, 8));
    } else if ((uint32_t)target == g->label_count - 1 &&
               generator_once_in(g, 2)) {
        generator_put(g, GVM__INSN_RETURN, 0);
    } else {
        generator_put(g, GVM__INSN_BR, (uint64_t)target);
    }
    dead_code(g, depth);
    return true;
}

/* A conditional branch; what it took along stays and is returned. */
static const char *
maybe_branch(struct generator *g, const char *types, unsigned depth)
{
    int target = pick_target(g, types);

    if (target < 0)
        return NULL;
    types = target_types(g, (uint32_t)target);
    generator_expressions(g, types, depth + 2);
    generator_condition(g, depth + 2);
    generator_put(g, GVM__INSN_BR_IF, (uint64_t)target);
    return types;
}

/* The inside of a block that has to leave `results`. */
static void
block_body(struct generator *g, const char *results, unsigned depth)
{
    generator_statements(g, generator_below(g, 3), depth + 1);
    if (generator_once_in(g, 5) && leave_block(g, depth))
        return;
    if (*results != '\0' && generator_once_in(g, 3) &&
        maybe_branch(g, results, depth) != NULL)
        return;
    generator_expressions(g, results, depth + 2);
}

void
generator_block(struct generator *g, const char *results, unsigned depth)
{
    char parameters[3] = "";
    bool chooses = generator_once_in(g, 2);

    if (g->label_count + 4 > GENERATOR_LABELS_MAX || depth > DEPTH_MAX) {
        generator_expressions(g, results, depth + 2);
        return;
    }
    if (generator_once_in(g, 3))
        random_types(g, parameters, 2);
    generator_expressions(g, parameters, depth + 1);
    if (chooses)
        generator_condition(g, depth + 1);
    open_block(g, chooses ? GVM__INSN_IF : GVM__INSN_BLOCK, parameters,
               results, true);
    consume_all(g, parameters);
    block_body(g, results, depth);
    if (chooses && (strcmp(parameters, results) != 0 ||
                    generator_once_in(g, 2))) {
        generator_put(g, GVM__INSN_ELSE, 0);
        consume_all(g, parameters);
        block_body(g, results, depth);
    }
    close_block(g);
}

/* ---- Loops --------------------------------------------------------------- */

/* Counts up by `step` to `limit`, in one of the ways that compilers do. */
static void
count_up(struct generator *g, uint32_t counter, char type, int64_t step,
         int64_t limit)
{
    static const uint16_t adds[] = {GVM__INSN_I32_ADD, GVM__INSN_I64_ADD,
                                    GVM__INSN_F32_ADD, GVM__INSN_F64_ADD};
    static const uint16_t less[] = {GVM__INSN_I32_LT_S, GVM__INSN_I64_LT_U,
                                    GVM__INSN_F32_LT, GVM__INSN_F64_LT};
    static const uint16_t not_equal[] = {
        GVM__INSN_I32_NE, GVM__INSN_I64_NE, GVM__INSN_F32_NE,
        GVM__INSN_F64_NE};
    static const uint16_t not_less[] = {
        GVM__INSN_I32_GE_U, GVM__INSN_I64_GE_S, GVM__INSN_F32_GE,
        GVM__INSN_F64_GE};
    size_t which = (size_t)(strchr("ilfd", type) - "ilfd");
    bool tees = generator_once_in(g, 2);

    generator_put(g, GVM__INSN_LOCAL_GET, counter);
    generator_number(g, type, step);
    generator_put(g, adds[which], 0);
    generator_put(g, tees ? GVM__INSN_LOCAL_TEE : GVM__INSN_LOCAL_SET,
                  counter);
    if (!tees)
        generator_put(g, GVM__INSN_LOCAL_GET, counter);
    generator_number(g, type, limit);
    switch (generator_below(g, 3)) {
    case 0:
        generator_put(g, less[which], 0);
        break;
    case 1:
        generator_put(g, not_equal[which], 0);
        break;
    default:
        generator_put(g, not_less[which], 0);
        generator_put(g, GVM__INSN_I32_EQZ, 0);
        break;
    }
}

/* Counts an integer down to zero. */
static void
count_down(struct generator *g, uint32_t counter, char type)
{
    bool wide = type == 'l';

    generator_put(g, GVM__INSN_LOCAL_GET, counter);
    if (generator_once_in(g, 2)) {
        generator_number(g, type, 1);
        generator_put(g, wide ? GVM__INSN_I64_SUB : GVM__INSN_I32_SUB, 0);
    } else {
        generator_number(g, type, -1);
        generator_put(g, wide ? GVM__INSN_I64_ADD : GVM__INSN_I32_ADD, 0);
    }
    generator_put(g, GVM__INSN_LOCAL_TEE, counter);
    if (wide) {
        generator_put(g, GVM__INSN_I64_EQZ, 0);
        generator_put(g, GVM__INSN_I32_EQZ, 0);
    }
}

static uint32_t
new_counter(struct generator *g, char type, int64_t start)
{
    uint32_t counter = generator_new_local(g, type);

    if (counter == UINT32_MAX)
        return counter;
    g->protected_locals[counter] = true;
    generator_number(g, type, start);
    generator_put(g, GVM__INSN_LOCAL_SET, counter);
    return counter;
}

/* The condition at the bottom; values may go around on the stack. */
static void
loop_with_tail(struct generator *g, unsigned depth)
{
    int64_t times = 1 + generator_below(g, 9);
    int64_t step = 1 << generator_below(g, 4); /* as of a pointer */
    bool down = generator_once_in(g, 3);
    char type = down ? "il"[generator_below(g, 2)] : generator_type(g);
    uint32_t counter = new_counter(g, type, down ? times : 0);
    char carried[4] = "";

    if (counter == UINT32_MAX)
        return;
    if (generator_once_in(g, 3))
        random_types(g, carried, 3);
    generator_expressions(g, carried, depth + 2);
    open_block(g, GVM__INSN_LOOP, carried, carried, false);
    consume_all(g, carried);
    generator_statements(g, 1 + generator_below(g, 3), depth + 1);
    generator_expressions(g, carried, depth + 2);
    if (down)
        count_down(g, counter, type);
    else
        count_up(g, counter, type, step, step * times);
    generator_put(g, GVM__INSN_BR_IF, 0);
    close_block(g);
    consume_all(g, carried);
}

/* The condition at the top; the body may go back from anywhere. */
static void
loop_with_head(struct generator *g, unsigned depth)
{
    uint32_t counter = new_counter(g, 'i', 2 + generator_below(g, 8));

    if (counter == UINT32_MAX)
        return;
    open_block(g, GVM__INSN_BLOCK, "", "", true);
    open_block(g, GVM__INSN_LOOP, "", "", true);
    count_down(g, counter, 'i');
    generator_put(g, GVM__INSN_I32_EQZ, 0);
    generator_put(g, GVM__INSN_BR_IF, 1);
    generator_statements(g, 1 + generator_below(g, 3), depth + 1);
    generator_put(g, GVM__INSN_BR, 0);
    dead_code(g, depth);
    close_block(g);
    close_block(g);
}

/* ---- Statements ---------------------------------------------------------- */

/* A switch as compilers make it: a case behind every block. */
static void
switch_statement(struct generator *g, unsigned depth)
{
    uint32_t count = 2 + generator_below(g, 3);
    struct program_insn *insn;

    if (g->label_count + count + 2 > GENERATOR_LABELS_MAX)
        return;
    for (uint32_t i = 0; i < count; i++)
        open_block(g, GVM__INSN_BLOCK, "", "", true);
    generator_expression(g, 'i', depth + 2);
    generator_number(g, 'i', 7);
    generator_put(g, GVM__INSN_I32_AND, 0);
    insn = generator_put(g, GVM__INSN_BR_TABLE, count - 1);
    insn->label_first = g->function->label_count;
    for (uint32_t i = 0; i < count; i++)
        program_append_label(g->function, i);
    for (uint32_t i = 0; i < count; i++) {
        close_block(g);
        generator_statements(g, 1, depth + 2);
        if (i + 1 < count && generator_once_in(g, 2))
            generator_put(g, GVM__INSN_BR, count - 2 - i);
    }
}

/* Reads several values first, and then sets locals from all of them. */
static void
shuffle_statement(struct generator *g, unsigned depth)
{
    char types[9];
    uint32_t count = 2 + generator_below(g, 6);

    for (uint32_t i = 0; i < count; i++) {
        types[i] = generator_type(g);
        if (generator_once_in(g, 4))
            generator_expression(g, types[i], depth + 3);
        else
            generator_put(g, GVM__INSN_LOCAL_GET,
                          generator_local(g, types[i], false));
    }
    types[count] = '\0';
    if (generator_once_in(g, 3))
        generator_statements(g, 1, depth + 3);
    for (uint32_t i = count; i > 0; i--)
        generator_put(g, GVM__INSN_LOCAL_SET,
                      generator_local(g, types[i - 1], true));
}

static void
bulk_statement(struct generator *g, unsigned depth)
{
    bool copies = generator_once_in(g, 2);
    uint32_t mask = generator_once_in(g, 10) ? 0xffff : 0x1ff;

    for (uint32_t i = 0; i < 3; i++) {
        generator_expression(g, 'i', depth + 3);
        generator_put(g, GVM__INSN_I32_CONST, i == 2 ? mask : 0x7fff);
        generator_put(g, GVM__INSN_I32_AND, 0);
    }
    generator_put(g, copies ? GVM__INSN_MEMORY_COPY : GVM__INSN_MEMORY_FILL,
                  0);
}

static void
statement(struct generator *g, unsigned depth)
{
    char results[4] = "";
    const char *left;
    char type;

    switch (generator_below(g, 19)) {
    case 16:
    case 17:
    case 18:
        generator_accumulate(g, depth);
        break;
    case 0:
    case 1:
    case 2:
        generator_store(g, depth);
        break;
    case 3:
        random_types(g, results, 3);
        generator_block(g, results, depth + 1);
        consume_all(g, results);
        break;
    case 4:
    case 5:
        if (g->label_count + 4 < GENERATOR_LABELS_MAX) {
            if (generator_once_in(g, 3))
                loop_with_head(g, depth);
            else
                loop_with_tail(g, depth);
        }
        break;
    case 6:
    case 7:
        left = maybe_branch(g, NULL, depth);
        if (left != NULL)
            consume_all(g, left);
        break;
    case 8:
        switch_statement(g, depth);
        break;
    case 9:
    case 10:
        shuffle_statement(g, depth);
        break;
    case 11:
        generator_call(g, '\0', depth);
        break;
    case 12:
        if (generator_once_in(g, 3))
            bulk_statement(g, depth);
        break;
    case 13:
        generator_put(g, GVM__INSN_NOP, 0);
        break;
    default:
        type = generator_type(g);
        generator_expression(g, type, depth + 1);
        generator_consume(g, type);
        break;
    }
}

void
generator_statements(struct generator *g, uint32_t count, unsigned depth)
{
    for (uint32_t i = 0; i < count && g->budget > 0 && depth <= DEPTH_MAX;
         i++)
        statement(g, depth);
}

/* ---- Functions ----------------------------------------------------------- */

static void
generate_function(struct generator *g)
{
    struct program_function *function = g->function;
    char parameters[PROGRAM_ARGUMENTS_MAX];
    char results[4];

    random_types(g, parameters, PROGRAM_ARGUMENTS_MAX - 2);
    random_types(g, results, 3);
    join_signature(function->signature, parameters, results);
    function->parameter_count = (uint32_t)strlen(parameters);
    strcpy(function->locals, parameters);
    g->local_count = function->parameter_count;
    memset(g->protected_locals, 0, sizeof(g->protected_locals));
    for (uint32_t i = 0; i < 8; i++)
        generator_new_local(g, "ilfd"[i % 4]);
    g->label_count = 1;
    g->labels[0].branchable = true;
    strcpy(g->labels[0].types, results);
    g->budget = FUNCTION_BUDGET / 2 +
                (int)generator_below(g, FUNCTION_BUDGET);
    while (g->budget > 40)
        generator_statements(g, 1, 0);
    for (uint32_t i = 0; i < g->local_count; i++) {
        generator_put(g, GVM__INSN_LOCAL_GET, i);
        generator_stir(g, function->locals[i]);
    }
    if (!generator_once_in(g, 6) || !leave_block(g, 0))
        generator_expressions(g, results, 1);
    generator_put(g, GVM__INSN_END, 0);
    function->locals[g->local_count] = '\0';
}

void
program_generate(struct program *program, uint64_t seed)
{
    struct generator g = {.random = seed, .program = program};

    memset(program, 0, sizeof(*program));
    program->seed = seed;
    strcpy(program->functions[0].signature, PROGRAM_HOST_SIGNATURE);
    strcpy(program->globals, "iilfd");
    for (uint32_t i = 0; i < 5; i++) {
        program->global_inits[i] = generator_below(&g, 100);
        if (program->globals[i] == 'd')
            program->global_inits[i] <<= 56;
    }
    for (uint32_t i = 0; i < PROGRAM_DATA_BYTES; i++)
        program->data[i] = (uint8_t)program_random(&g.random);
    program->function_count =
        3 + generator_below(&g, PROGRAM_FUNCTIONS_MAX - 3);
    for (g.index = 1; g.index < program->function_count; g.index++) {
        g.function = &program->functions[g.index];
        generate_function(&g);
    }
    program_finish(program);
}
