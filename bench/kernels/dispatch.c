/*
 * dispatch.c - calls through tables of function pointers, as in a small
 * virtual machine whose instructions are functions and in objects with
 * methods: one call_indirect for every few instructions of work.
 */
#include "kernel.h"

enum {
    REGISTER_COUNT = 8,
    SHAPE_COUNT = 64,
};

struct machine {
    uint32_t registers[REGISTER_COUNT];
    uint32_t pc;
    bool halted;
};

struct insn {
    uint8_t op;
    uint8_t a, b, c;
    int32_t immediate;
};

enum op { SET, ADD, SUB, MUL, XOR, SHR, ADD_IMMEDIATE, JUMP_NOT_ZERO,
          JUMP_BELOW, HALT };

static void
do_set(struct machine *m, const struct insn *i)
{
    m->registers[i->a] = (uint32_t)i->immediate;
}

static void
do_add(struct machine *m, const struct insn *i)
{
    m->registers[i->a] = m->registers[i->b] + m->registers[i->c];
}

static void
do_sub(struct machine *m, const struct insn *i)
{
    m->registers[i->a] = m->registers[i->b] - m->registers[i->c];
}

static void
do_mul(struct machine *m, const struct insn *i)
{
    m->registers[i->a] = m->registers[i->b] * m->registers[i->c];
}

static void
do_xor(struct machine *m, const struct insn *i)
{
    m->registers[i->a] = m->registers[i->b] ^ m->registers[i->c];
}

static void
do_shr(struct machine *m, const struct insn *i)
{
    m->registers[i->a] = m->registers[i->b] >> (i->immediate & 31);
}

static void
do_add_immediate(struct machine *m, const struct insn *i)
{
    m->registers[i->a] = m->registers[i->b] + (uint32_t)i->immediate;
}

static void
do_jump_not_zero(struct machine *m, const struct insn *i)
{
    if (m->registers[i->a] != 0)
        m->pc += (uint32_t)i->immediate;
}

static void
do_jump_below(struct machine *m, const struct insn *i)
{
    if (m->registers[i->a] < m->registers[i->b])
        m->pc += (uint32_t)i->immediate;
}

static void
do_halt(struct machine *m, const struct insn *i)
{
    (void)i;
    m->halted = true;
}

typedef void action(struct machine *m, const struct insn *i);

static action *const actions[] = {
    [SET] = do_set,
    [ADD] = do_add,
    [SUB] = do_sub,
    [MUL] = do_mul,
    [XOR] = do_xor,
    [SHR] = do_shr,
    [ADD_IMMEDIATE] = do_add_immediate,
    [JUMP_NOT_ZERO] = do_jump_not_zero,
    [JUMP_BELOW] = do_jump_below,
    [HALT] = do_halt,
};

static void
run(struct machine *machine, const struct insn *program)
{
    while (!machine->halted) {
        const struct insn *insn = &program[machine->pc++];

        actions[insn->op](machine, insn);
    }
}

/* Registers: 0 counts up to 1, 2 and 3 are a hash, 4 and 5 a sum of
 * what an inner loop of 3 rounds makes of it. */
static const struct insn program[] = {
    {SET, 0, 0, 0, 0},
    {SET, 1, 0, 0, 20000},
    {SET, 2, 0, 0, 0x1234567},
    {SET, 4, 0, 0, 0},
    {MUL, 3, 2, 0, 0},              /* 4: the outer loop */
    {XOR, 2, 2, 3, 0},
    {ADD_IMMEDIATE, 2, 2, 0, 77},
    {SET, 6, 0, 0, 3},
    {SHR, 5, 2, 0, 3},              /* 8: the inner loop */
    {ADD, 4, 4, 5, 0},
    {SUB, 2, 2, 4, 0},
    {ADD_IMMEDIATE, 6, 6, 0, -1},
    {JUMP_NOT_ZERO, 6, 0, 0, -5},
    {ADD_IMMEDIATE, 0, 0, 0, 1},
    {JUMP_BELOW, 0, 1, 0, -11},
    {HALT, 0, 0, 0, 0},
};

/* Objects with methods: what each does depends on its kind only. */
struct shape;

struct methods {
    uint32_t (*area)(const struct shape *shape);
    void (*scale)(struct shape *shape, uint32_t percent);
};

struct shape {
    const struct methods *methods;
    uint32_t width, height;
};

static uint32_t
rectangle_area(const struct shape *shape)
{
    return shape->width * shape->height;
}

static uint32_t
triangle_area(const struct shape *shape)
{
    return shape->width * shape->height / 2;
}

static uint32_t
ellipse_area(const struct shape *shape)
{
    return shape->width * shape->height / 4 * 355 / 113;
}

static void
scale_both(struct shape *shape, uint32_t percent)
{
    shape->width = (shape->width * percent / 100) % 1000 + 1;
    shape->height = (shape->height * percent / 100) % 1000 + 1;
}

static void
scale_height(struct shape *shape, uint32_t percent)
{
    shape->height = (shape->height * percent / 100) % 1000 + 1;
}

static const struct methods kinds[] = {
    {rectangle_area, scale_both},
    {triangle_area, scale_height},
    {ellipse_area, scale_both},
    {rectangle_area, scale_height},
};

static uint64_t
measure_shapes(uint32_t rounds)
{
    struct shape shapes[SHAPE_COUNT];
    uint64_t random = 99, sum = 0;

    for (uint32_t i = 0; i < SHAPE_COUNT; i++)
        shapes[i] = (struct shape){&kinds[kernel_below(&random, 4)],
                                   10 + i, 300 - i};
    for (uint32_t round = 0; round < rounds; round++)
        for (uint32_t i = 0; i < SHAPE_COUNT; i++) {
            struct shape *shape = &shapes[i];

            sum += shape->methods->area(shape);
            shape->methods->scale(shape, 90 + round % 25);
        }
    return sum;
}

int
main(void)
{
    uint64_t sum = 2;

    for (uint32_t round = 0; round < 18; round++) {
        struct machine machine = {.pc = 0};

        run(&machine, program);
        sum = kernel_mix(sum, machine.registers[4] + round);
    }
    sum = kernel_mix(sum, measure_shapes(kernel_opaque(16000)));
    return kernel_report("dispatch", sum);
}
