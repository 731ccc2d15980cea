/*
 * bytecode.c - an interpreter of bytes by one big switch, with a stack, locals
 * and calls, running three programs: interpreters inside an interpreter are
 * what scripting languages compiled to WebAssembly are.
 */
#include "kernel.h"

enum {
    STACK_SIZE = 256,
    CELL_COUNT = 1024,
};

enum op {
    PUSH,      /* a byte follows */
    PUSH_WIDE, /* two bytes follow, the lower first */
    LOCAL,     /* a local's number follows, from the frame's start */
    SET_LOCAL,
    ADD,
    SUB,
    MUL,
    MOD,
    AND,
    XOR,
    SHIFT_RIGHT,
    LESS,
    EQUAL,
    LOAD,  /* of the address on the stack */
    STORE, /* address, value */
    JUMP,  /* a signed byte follows, counted from behind it */
    JUMP_IF_ZERO,
    CALL,   /* an address and the number of arguments follow */
    RETURN, /* the value on the stack, to the caller's */
    END,
};

struct machine {
    int32_t stack[STACK_SIZE];
    int32_t cells[CELL_COUNT];
};

static int32_t
interpret(struct machine *machine, const uint8_t *code)
{
    const uint8_t *pc = code;
    int32_t *sp = machine->stack, *frame = sp, value;

#define BINARY(expression) \
    value = (expression); \
    sp--; \
    sp[-1] = value; \
    break
    for (;;) {
        switch ((enum op)*pc++) {
        case PUSH: *sp++ = *pc++; break;
        case PUSH_WIDE: *sp++ = pc[0] | pc[1] << 8; pc += 2; break;
        case LOCAL: *sp++ = frame[*pc++]; break;
        case SET_LOCAL: frame[*pc++] = *--sp; break;
        case ADD: BINARY((int32_t)((uint32_t)sp[-2] + (uint32_t)sp[-1]));
        case SUB: BINARY((int32_t)((uint32_t)sp[-2] - (uint32_t)sp[-1]));
        case MUL: BINARY((int32_t)((uint32_t)sp[-2] * (uint32_t)sp[-1]));
        case MOD: BINARY(sp[-2] % (sp[-1] | 1));
        case AND: BINARY(sp[-2] & sp[-1]);
        case XOR: BINARY(sp[-2] ^ sp[-1]);
        case SHIFT_RIGHT: BINARY(sp[-2] >> (sp[-1] & 31));
        case LESS: BINARY(sp[-2] < sp[-1]);
        case EQUAL: BINARY(sp[-2] == sp[-1]);
        case LOAD:
            sp[-1] = machine->cells[sp[-1] & (CELL_COUNT - 1)];
            break;
        case STORE:
            machine->cells[sp[-2] & (CELL_COUNT - 1)] = sp[-1];
            sp -= 2;
            break;
        case JUMP: pc += (int8_t)*pc + 1; break;
        case JUMP_IF_ZERO:
            value = *--sp;
            pc += value == 0 ? (int8_t)*pc + 1 : 1;
            break;
        case CALL: /* the frame: arguments, return address, old frame */
            sp[0] = (int32_t)(pc + 2 - code);
            sp[1] = (int32_t)(frame - machine->stack);
            frame = sp - pc[1];
            pc = code + pc[0];
            sp += 2;
            break;
        case RETURN: {
            int32_t argument_count = *pc;

            value = sp[-1];
            pc = code + frame[argument_count];
            sp = frame;
            frame = machine->stack + sp[argument_count + 1];
            *sp++ = value;
            break;
        }
        case END: return sp[-1];
        }
    }
#undef BINARY
}

/* The Fibonacci number of the byte behind the first PUSH. */
static const uint8_t fibonacci[] = {
    PUSH, 21, CALL, 6, 1, END,
    LOCAL, 0, PUSH, 2, LESS, JUMP_IF_ZERO, 4,     /* 6: the function */
    LOCAL, 0, RETURN, 1,
    LOCAL, 0, PUSH, 1, SUB, CALL, 6, 1,
    LOCAL, 0, PUSH, 2, SUB, CALL, 6, 1,
    ADD, RETURN, 1,
};

/* How many primes are below 1000: the sieve in cells. Locals: the number,
 * its multiple, the count. */
static const uint8_t sieve[] = {
    PUSH, 2, PUSH, 0, PUSH, 0,
    LOCAL, 0, PUSH_WIDE, 232, 3, LESS, JUMP_IF_ZERO, 52,       /* 6 */
    LOCAL, 0, LOAD, JUMP_IF_ZERO, 2, JUMP, 36,
    LOCAL, 2, PUSH, 1, ADD, SET_LOCAL, 2,
    LOCAL, 0, LOCAL, 0, ADD, SET_LOCAL, 1,
    LOCAL, 1, PUSH_WIDE, 232, 3, LESS, JUMP_IF_ZERO, 14,       /* 35 */
    LOCAL, 1, PUSH, 1, STORE,
    LOCAL, 1, LOCAL, 0, ADD, SET_LOCAL, 1, JUMP, 256 - 22,
    LOCAL, 0, PUSH, 1, ADD, SET_LOCAL, 0, JUMP, 256 - 60,      /* 57 */
    LOCAL, 2, END,                                             /* 66 */
};

/* 20,000 steps of a generator, mixed. Locals: the counter, the state. */
static const uint8_t mixer[] = {
    PUSH, 0, PUSH, 77,
    LOCAL, 0, PUSH_WIDE, 32, 78, LESS, JUMP_IF_ZERO, 31,       /* 4 */
    LOCAL, 1, PUSH_WIDE, 109, 78, MUL, PUSH_WIDE, 57, 48, ADD,
    LOCAL, 1, PUSH, 13, SHIFT_RIGHT, XOR, PUSH_WIDE, 255, 255, AND,
    SET_LOCAL, 1,
    LOCAL, 0, PUSH, 1, ADD, SET_LOCAL, 0, JUMP, 256 - 39,
    LOCAL, 1, END,
};

int
main(void)
{
    static struct machine machine;
    uint64_t sum = 19;

    for (uint32_t round = kernel_opaque(18); round > 0; round--) {
        sum = kernel_mix(sum, (uint32_t)interpret(&machine, fibonacci));
        memset(machine.cells, 0, sizeof machine.cells);
        sum = kernel_mix(sum, (uint32_t)interpret(&machine, sieve));
        sum = kernel_mix(sum, (uint32_t)interpret(&machine, mixer));
    }
    return kernel_report("bytecode", sum);
}
