/*
 * program_generator.h - what program_generate.c and program_expression.c
 * share: the state of a generator in the middle of a function.
 *
 * Every generated function is valid, and ends by construction: loops count
 * down locals that nothing else writes (*protected* ones), and only labels
 * that cannot make a loop endless are `branchable`.
 */
#ifndef GLASS_TESTS_VM_PROGRAM_GENERATOR_H
#define GLASS_TESTS_VM_PROGRAM_GENERATOR_H

#include "tests/vm/program.h"

#define GENERATOR_LABELS_MAX 24u

struct generator_label {
    char types[PROGRAM_SIGNATURE_MAX]; /* that a branch takes along */
    bool branchable;
};

struct generator {
    uint64_t random;
    struct program *program;
    struct program_function *function;
    uint32_t index; /* the function's */
    uint32_t local_count;
    bool protected_locals[PROGRAM_LOCALS_MAX];
    struct generator_label labels[GENERATOR_LABELS_MAX];
    uint32_t label_count;
    int budget; /* instructions left */
};

/* A number below `limit`, and true once in `times`. */
uint32_t generator_below(struct generator *g, uint32_t limit);
bool generator_once_in(struct generator *g, uint32_t times);
char generator_type(struct generator *g);

struct program_insn *generator_put(struct generator *g, uint32_t code,
                                   uint64_t a);
uint32_t generator_new_local(struct generator *g, char type);
/* A local of the type, or UINT32_MAX; writable ones are not protected. */
uint32_t generator_local(struct generator *g, char type, bool writable);
void generator_constant(struct generator *g, char type);
void generator_number(struct generator *g, char type, int64_t value);

/*
 * program_expression.c. Stirs the topmost value into global 2, so that it
 * shows at the end whether it was right. Saturating truncation makes 0 of
 * any NaN.
 */
void generator_stir(struct generator *g, char type);
/* Pops a value: stirs it, sets a local or a global, or drops it. */
void generator_consume(struct generator *g, char type);
/* A statement: x = x + (what is computed), x = x + constant, x = y. */
void generator_accumulate(struct generator *g, unsigned depth);
/* Pushes one value. */
void generator_expression(struct generator *g, char type, unsigned depth);
/* Pushes values of all the types. */
void generator_expressions(struct generator *g, const char *types,
                           unsigned depth);
/* An i32 that is often 0 and often not, as conditions are. */
void generator_condition(struct generator *g, unsigned depth);
/* Pushes an address; returns the offset to use with it. */
uint64_t generator_address(struct generator *g, unsigned depth);
void generator_store(struct generator *g, unsigned depth);
/* A call whose results are consumed, but the first, if that is `keep`.
 * False when there is nothing such to call. */
bool generator_call(struct generator *g, char keep, unsigned depth);

/* program_generate.c */
void generator_statements(struct generator *g, uint32_t count,
                          unsigned depth);
/* A block or if that leaves values of these types. */
void generator_block(struct generator *g, const char *results,
                     unsigned depth);

#endif
