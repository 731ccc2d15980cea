/*
 * program.h - random programs, and what they must compute.
 *
 * The net under the translator: program_generate.c makes a valid module of a
 * few functions from a seed, program_evaluate.c runs it by the letter of the
 * specification, and check_program.c holds the engine against that: results,
 * memory, globals, traps with their places, and fuel.
 *
 * The evaluator shares nothing with the engine but the list of instructions.
 * It knows no slots, no cells and no folding: a stack of values, a stack of
 * labels, and C's recursion for calls.
 *
 * Types are letters as in module_builder.h. All programs have the same
 * shape: function 0 is imported (host_bump), memory 0 begins with random
 * bytes, table 0 holds all functions in order and then null entries.
 */
#ifndef GLASS_TESTS_VM_PROGRAM_H
#define GLASS_TESTS_VM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vm/insns.h"
#include "vm/vm.h"

#define PROGRAM_FUNCTIONS_MAX 8u
#define PROGRAM_GLOBALS_MAX 8u
#define PROGRAM_SIGNATURE_MAX 16u
#define PROGRAM_LOCALS_MAX 120u
#define PROGRAM_PAGES_MIN 1u
#define PROGRAM_PAGES_MAX 3u
#define PROGRAM_PAGE_BYTES 65536u
#define PROGRAM_DATA_BYTES 4096u
#define PROGRAM_NULL_ENTRIES 2u
#define PROGRAM_ARGUMENTS_MAX 8u

struct program_insn {
    uint32_t code;  /* as in insns.inc */
    uint64_t a, b;  /* immediates as in the binary; a constant's bits */
    char signature[PROGRAM_SIGNATURE_MAX]; /* of a block */
    uint32_t label_first; /* br_table: a + 1 labels, the last the default */
    uint32_t other; /* of an if: its else, or its end */
    uint32_t end;   /* of block, loop, if */
    uint32_t cost;  /* of a loop: instructions in it, inner loops excepted */
    uint32_t offset; /* in the body, declarations of locals included */
};

struct program_function {
    char signature[PROGRAM_SIGNATURE_MAX];
    char locals[PROGRAM_LOCALS_MAX + 1]; /* parameters included */
    uint32_t parameter_count;
    struct program_insn *insns;
    uint32_t insn_count;
    uint32_t insn_capacity;
    uint32_t *labels;
    uint32_t label_count;
    uint32_t label_capacity;
    uint32_t cost; /* instructions outside of loops, and locals */
    uint32_t body_offset; /* in the module */
};

/* functions[0] is the host's; the last is the one to call, "main". */
struct program {
    uint64_t seed;
    struct program_function functions[PROGRAM_FUNCTIONS_MAX];
    uint32_t function_count;
    char globals[PROGRAM_GLOBALS_MAX + 1];
    uint64_t global_inits[PROGRAM_GLOBALS_MAX];
    uint8_t data[PROGRAM_DATA_BYTES];
    uint8_t *bytes; /* the module */
    size_t length_bytes;
};

/* A source of numbers; equal seeds give equal numbers everywhere. */
uint64_t program_random(uint64_t *state);

/* program_generate.c; aborts when memory runs out. */
void program_generate(struct program *program, uint64_t seed);
/* program.c */
void program_destroy(struct program *program);
/* Fills in what insns know of each other, and makes `bytes`. */
void program_finish(struct program *program);
struct program_insn *program_append(struct program_function *function,
                                    uint32_t code);
void program_append_label(struct program_function *function,
                          uint32_t label);
uint32_t program_parameter_count(const char *signature);
/* The letters behind the colon. */
const char *program_results(const char *signature);

/* What the imported function does: "il:l". */
#define PROGRAM_HOST_SIGNATURE "il:l"
uint64_t program_host_bump(uint32_t a, uint64_t b);

/* ---- Evaluating ---------------------------------------------------------- */

/*
 * A slot. `vague`: a NaN that an arithmetic instruction made, whose sign and
 * payload the specification leaves open.
 */
struct program_value {
    uint64_t bits;
    bool vague;
};

enum program_end {
    PROGRAM_RETURNED,
    PROGRAM_TRAPPED,
    /* Too long, or the bits of a vague NaN came to matter. */
    PROGRAM_ABANDONED,
};

struct program_outcome {
    enum program_end end;
    struct program_value results[PROGRAM_SIGNATURE_MAX];
    uint64_t fuel;
    enum gvm_trap trap;
    uint32_t trap_function;
    uint64_t trap_offset; /* in the module */
    uint32_t pages;
    uint8_t *memory;
    struct program_value globals[PROGRAM_GLOBALS_MAX];
};

void program_evaluate(const struct program *program,
                      const uint64_t *arguments,
                      struct program_outcome *outcome);
void program_outcome_deinit(struct program_outcome *outcome);

/* program_numeric.c: the instructions of insns.inc that have a signature
 * and touch no memory. `operands` are by its letters; the first one becomes
 * the result. */
enum program_end program_numeric(uint32_t code,
                                 struct program_value *operands,
                                 enum gvm_trap *trap);
/* False when an instruction is not among them. */
bool program_is_numeric(uint32_t code);

#endif
