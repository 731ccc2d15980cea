/*
 * program_evaluate.c - runs a program by the letter of the specification.
 *
 * One stack of values for all, one stack of labels for each function, C's
 * recursion for calls. Slow and plain on purpose: what is checked against
 * this must not be able to share its mistakes.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/vm/program.h"

#define STEPS_MAX 300000u
#define DEPTH_MAX 40u
#define LABELS_MAX 64u
#define STACK_MAX 20000u
/* What the engine's documents say of bulk operations. */
#define BULK_PIECE_BYTES 65536u
#define BULK_BYTES_PER_FUEL 64u

struct machine {
    const struct program *program;
    struct program_outcome *outcome;
    struct program_value *stack;
    uint32_t height;
    uint32_t depth;
    uint32_t steps;
};

struct label {
    const struct program_insn *block; /* NULL: the function itself */
    uint32_t height; /* below the block's parameters */
    uint32_t arity;
};

struct activation {
    struct machine *machine;
    const struct program_function *function;
    struct program_value locals[PROGRAM_LOCALS_MAX];
    struct label labels[LABELS_MAX];
    uint32_t label_count;
    uint32_t at; /* the next instruction */
};

/* ---- The stack ----------------------------------------------------------- */

static void
push(struct machine *m, struct program_value value)
{
    if (m->height == STACK_MAX)
        abort();
    m->stack[m->height++] = value;
}

static void
push_bits(struct machine *m, uint64_t bits)
{
    push(m, (struct program_value){bits, false});
}

static struct program_value
pop(struct machine *m)
{
    return m->stack[--m->height];
}

static uint32_t
pop_i32(struct machine *m)
{
    return (uint32_t)pop(m).bits;
}

/* Moves the topmost `count` values down to `height`. */
static void
unwind(struct machine *m, uint32_t height, uint32_t count)
{
    memmove(m->stack + height, m->stack + m->height - count,
            count * sizeof(*m->stack));
    m->height = height + count;
}

static enum program_end
trap(struct activation *f, enum gvm_trap kind)
{
    struct program_outcome *outcome = f->machine->outcome;

    outcome->trap = kind;
    outcome->trap_function =
        (uint32_t)(f->function - f->machine->program->functions);
    outcome->trap_offset = (uint64_t)f->function->body_offset +
                           f->function->insns[f->at - 1].offset;
    return PROGRAM_TRAPPED;
}

/* ---- Memory -------------------------------------------------------------- */

static unsigned
access_width(uint32_t code)
{
    switch (code) {
    case GVM__INSN_I32_LOAD8_S:
    case GVM__INSN_I32_LOAD8_U:
    case GVM__INSN_I64_LOAD8_S:
    case GVM__INSN_I64_LOAD8_U:
    case GVM__INSN_I32_STORE8:
    case GVM__INSN_I64_STORE8:
        return 1;
    case GVM__INSN_I32_LOAD16_S:
    case GVM__INSN_I32_LOAD16_U:
    case GVM__INSN_I64_LOAD16_S:
    case GVM__INSN_I64_LOAD16_U:
    case GVM__INSN_I32_STORE16:
    case GVM__INSN_I64_STORE16:
        return 2;
    case GVM__INSN_I64_LOAD:
    case GVM__INSN_F64_LOAD:
    case GVM__INSN_I64_STORE:
    case GVM__INSN_F64_STORE:
        return 8;
    default:
        return 4;
    }
}

static uint64_t
sign_extended(uint32_t code, uint64_t value)
{
    switch (code) {
    case GVM__INSN_I32_LOAD8_S:
        return (uint32_t)((value ^ 0x80) - 0x80);
    case GVM__INSN_I32_LOAD16_S:
        return (uint32_t)((value ^ 0x8000) - 0x8000);
    case GVM__INSN_I64_LOAD8_S:
        return (value ^ 0x80) - 0x80;
    case GVM__INSN_I64_LOAD16_S:
        return (value ^ 0x8000) - 0x8000;
    case GVM__INSN_I64_LOAD32_S:
        return (value ^ 0x80000000) - 0x80000000;
    default:
        return value;
    }
}

/* Loads and stores, a byte at a time. */
static enum program_end
access_memory(struct activation *f, const struct program_insn *insn)
{
    struct machine *m = f->machine;
    bool stores = insn->code >= GVM__INSN_I32_STORE &&
                  insn->code <= GVM__INSN_I64_STORE32;
    struct program_value value = {0, false};
    unsigned width = access_width(insn->code);
    uint64_t address;

    if (stores)
        value = pop(m);
    address = (uint64_t)pop_i32(m) + insn->b;
    if (address + width > (uint64_t)m->outcome->pages * PROGRAM_PAGE_BYTES)
        return trap(f, GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    if (value.vague)
        return PROGRAM_ABANDONED;
    for (unsigned i = 0; i < width; i++) {
        uint8_t *byte = &m->outcome->memory[address + i];

        if (stores)
            *byte = (uint8_t)(value.bits >> 8 * i);
        else
            value.bits |= (uint64_t)*byte << 8 * i;
    }
    if (!stores)
        push_bits(m, sign_extended(insn->code, value.bits));
    return PROGRAM_RETURNED;
}

static void
charge_bulk(struct machine *m, uint32_t bytes)
{
    while (bytes > 0) {
        uint32_t piece = bytes < BULK_PIECE_BYTES ? bytes : BULK_PIECE_BYTES;

        m->outcome->fuel += piece / BULK_BYTES_PER_FUEL;
        bytes -= piece;
    }
}

/* memory.fill and memory.copy. */
static enum program_end
bulk(struct activation *f, const struct program_insn *insn)
{
    struct machine *m = f->machine;
    uint64_t size = (uint64_t)m->outcome->pages * PROGRAM_PAGE_BYTES;
    uint32_t count = pop_i32(m);
    uint32_t from = pop_i32(m); /* or the byte to fill with */
    uint32_t to = pop_i32(m);
    bool copies = insn->code == GVM__INSN_MEMORY_COPY;
    uint8_t *memory = m->outcome->memory;

    if ((uint64_t)to + count > size ||
        (copies && (uint64_t)from + count > size))
        return trap(f, GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    charge_bulk(m, count);
    for (uint32_t i = 0; i < count; i++) {
        /* As if all was read first. */
        uint32_t k = copies && to > from ? count - 1 - i : i;

        memory[to + k] = copies ? memory[from + k] : (uint8_t)from;
    }
    return PROGRAM_RETURNED;
}

static void
grow_memory(struct machine *m)
{
    uint32_t pages = pop_i32(m);
    uint32_t before = m->outcome->pages;

    if (pages > PROGRAM_PAGES_MAX - before) {
        push_bits(m, UINT32_MAX);
        return;
    }
    m->outcome->pages += pages;
    push_bits(m, before);
}

/* ---- Control ------------------------------------------------------------- */

static enum program_end call(struct machine *m, uint32_t index);

static void
open_label(struct activation *f, const struct program_insn *block)
{
    struct machine *m = f->machine;
    uint32_t parameters = 0;
    uint32_t results;

    if (f->label_count == LABELS_MAX)
        abort();
    if (block != NULL) {
        parameters = program_parameter_count(block->signature);
        results = (uint32_t)strlen(program_results(block->signature));
    } else {
        results =
            (uint32_t)strlen(program_results(f->function->signature));
    }
    f->labels[f->label_count++] = (struct label){
        .block = block,
        .height = m->height - parameters,
        .arity = block != NULL && block->code == GVM__INSN_LOOP
                     ? parameters
                     : results,
    };
}

static void
branch(struct activation *f, uint64_t depth)
{
    uint32_t index = f->label_count - 1 - (uint32_t)depth;
    struct label label = f->labels[index];

    unwind(f->machine, label.height, label.arity);
    f->label_count = index;
    if (label.block == NULL) {
        f->at = f->function->insn_count;
    } else if (label.block->code == GVM__INSN_LOOP) {
        f->label_count = index + 1;
        f->at = (uint32_t)(label.block - f->function->insns) + 1;
        f->machine->outcome->fuel += label.block->cost;
    } else {
        f->at = label.block->end + 1;
    }
}

static void
branch_table(struct activation *f, const struct program_insn *insn)
{
    uint64_t index = pop_i32(f->machine);

    if (index > insn->a)
        index = insn->a;
    branch(f, f->function->labels[insn->label_first + index]);
}

static enum program_end
call_indirect(struct activation *f, const struct program_insn *insn)
{
    struct machine *m = f->machine;
    uint32_t index = pop_i32(m);
    uint32_t count = m->program->function_count;

    if (index >= count + PROGRAM_NULL_ENTRIES)
        return trap(f, GVM_TRAP_UNDEFINED_ELEMENT);
    if (index >= count)
        return trap(f, GVM_TRAP_UNINITIALIZED_ELEMENT);
    if (strcmp(m->program->functions[index].signature, insn->signature) != 0)
        return trap(f, GVM_TRAP_INDIRECT_CALL_TYPE_MISMATCH);
    return call(m, index);
}

static enum program_end
step_control(struct activation *f, const struct program_insn *insn)
{
    struct machine *m = f->machine;

    switch (insn->code) {
    case GVM__INSN_UNREACHABLE:
        return trap(f, GVM_TRAP_UNREACHABLE);
    case GVM__INSN_BLOCK:
        open_label(f, insn);
        break;
    case GVM__INSN_LOOP:
        open_label(f, insn);
        m->outcome->fuel += insn->cost;
        break;
    case GVM__INSN_IF:
        if (pop_i32(m) != 0)
            open_label(f, insn);
        else if (insn->other == insn->end)
            f->at = insn->end + 1;
        else {
            open_label(f, insn);
            f->at = insn->other + 1;
        }
        break;
    case GVM__INSN_ELSE: /* the end of the first arm */
        f->at = f->labels[--f->label_count].block->end + 1;
        break;
    case GVM__INSN_END:
        f->label_count--;
        break;
    case GVM__INSN_BR:
        branch(f, insn->a);
        break;
    case GVM__INSN_BR_IF:
        if (pop_i32(m) != 0)
            branch(f, insn->a);
        break;
    case GVM__INSN_BR_TABLE:
        branch_table(f, insn);
        break;
    case GVM__INSN_RETURN:
        branch(f, f->label_count - 1);
        break;
    case GVM__INSN_CALL:
        return call(m, (uint32_t)insn->a);
    default:
        return call_indirect(f, insn);
    }
    return PROGRAM_RETURNED;
}

/* ---- Everything else ----------------------------------------------------- */

static enum program_end
step_plain(struct activation *f, const struct program_insn *insn)
{
    struct machine *m = f->machine;
    struct program_value value;

    switch (insn->code) {
    case GVM__INSN_NOP:
        break;
    case GVM__INSN_DROP:
        pop(m);
        break;
    case GVM__INSN_SELECT:
        if (pop_i32(m) == 0)
            m->stack[m->height - 2] = m->stack[m->height - 1];
        m->height--;
        break;
    case GVM__INSN_LOCAL_GET:
        push(m, f->locals[insn->a]);
        break;
    case GVM__INSN_LOCAL_SET:
        f->locals[insn->a] = pop(m);
        break;
    case GVM__INSN_LOCAL_TEE:
        f->locals[insn->a] = m->stack[m->height - 1];
        break;
    case GVM__INSN_GLOBAL_GET:
        push(m, m->outcome->globals[insn->a]);
        break;
    case GVM__INSN_GLOBAL_SET:
        value = pop(m);
        m->outcome->globals[insn->a] = value;
        break;
    case GVM__INSN_I32_CONST:
    case GVM__INSN_I64_CONST:
    case GVM__INSN_F32_CONST:
    case GVM__INSN_F64_CONST:
        push_bits(m, insn->a);
        break;
    case GVM__INSN_MEMORY_SIZE:
        push_bits(m, m->outcome->pages);
        break;
    case GVM__INSN_MEMORY_GROW:
        grow_memory(m);
        break;
    case GVM__INSN_MEMORY_FILL:
    case GVM__INSN_MEMORY_COPY:
        return bulk(f, insn);
    default:
        if (insn->code >= GVM__INSN_I32_LOAD &&
            insn->code <= GVM__INSN_I64_STORE32)
            return access_memory(f, insn);
        return step_control(f, insn);
    }
    return PROGRAM_RETURNED;
}

static enum program_end
step(struct activation *f, const struct program_insn *insn)
{
    struct machine *m = f->machine;
    const char *signature = gvm__insn_info(insn->code)->signature;
    enum gvm_trap kind = GVM_TRAP_NONE;
    enum program_end end;
    uint32_t parameters;

    if (!program_is_numeric(insn->code))
        return step_plain(f, insn);
    parameters = program_parameter_count(signature);
    m->height -= parameters;
    end = program_numeric(insn->code, &m->stack[m->height], &kind);
    m->height++;
    return end == PROGRAM_TRAPPED ? trap(f, kind) : end;
}

/* Takes the arguments from the stack and leaves the results there. */
static enum program_end
call(struct machine *m, uint32_t index)
{
    const struct program_function *function = &m->program->functions[index];
    struct activation f = {.machine = m, .function = function};
    enum program_end end = PROGRAM_RETURNED;

    if (index == 0) {
        uint64_t b = pop(m).bits;

        push_bits(m, program_host_bump(pop_i32(m), b));
        return PROGRAM_RETURNED;
    }
    if (m->depth == DEPTH_MAX)
        return PROGRAM_ABANDONED;
    m->depth++;
    m->outcome->fuel += function->cost;
    for (uint32_t i = function->parameter_count; i > 0; i--)
        f.locals[i - 1] = pop(m);
    open_label(&f, NULL);
    while (end == PROGRAM_RETURNED && f.at < function->insn_count) {
        if (m->steps++ == STEPS_MAX)
            return PROGRAM_ABANDONED;
        end = step(&f, &function->insns[f.at++]);
    }
    m->depth--;
    return end;
}

void
program_evaluate(const struct program *program, const uint64_t *arguments,
                 struct program_outcome *outcome)
{
    uint32_t last = program->function_count - 1;
    const char *signature = program->functions[last].signature;
    struct machine m = {.program = program, .outcome = outcome};

    memset(outcome, 0, sizeof(*outcome));
    outcome->pages = PROGRAM_PAGES_MIN;
    outcome->memory = calloc(PROGRAM_PAGES_MAX, PROGRAM_PAGE_BYTES);
    m.stack = calloc(STACK_MAX, sizeof(*m.stack));
    if (outcome->memory == NULL || m.stack == NULL)
        abort();
    memcpy(outcome->memory, program->data, PROGRAM_DATA_BYTES);
    for (uint32_t i = 0; program->globals[i] != '\0'; i++)
        outcome->globals[i].bits = program->global_inits[i];
    for (uint32_t i = 0; i < program_parameter_count(signature); i++)
        push_bits(&m, arguments[i]);
    outcome->end = call(&m, last);
    if (outcome->end == PROGRAM_RETURNED)
        memcpy(outcome->results, m.stack, m.height * sizeof(*m.stack));
    free(m.stack);
}

void
program_outcome_deinit(struct program_outcome *outcome)
{
    free(outcome->memory);
}
