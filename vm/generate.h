/*
 * generate.h - what the two halves of the generator share: the rows of
 * ops.inc as text, and one cell's part of a handler.
 */
#ifndef GLASS_VM_GENERATE_H
#define GLASS_VM_GENERATE_H

#define SOURCES_MAX 3
#define OPERANDS_MAX (SOURCES_MAX + 2)

struct row {
    const char *name;
    const char *sources;
    const char *destination;
    unsigned immediates;
    unsigned words;
    const char *flags;
    const char *body;
};

struct operand {
    char type;
    char kinds[8];
};

/* A row's operands: sources, destination, target. */
struct shape {
    struct operand operands[OPERANDS_MAX];
    unsigned source_count;
    unsigned destination_count;
    unsigned count;
};

extern const struct row rows[];
extern const unsigned row_count;

int has_flag(const struct row *row, const char *flag);
int has_target(const struct row *row);
void parse_row(const struct row *row, struct shape *shape);
/* The next combination of kinds, the last operand counting fastest. Begins
 * with "?" in `kinds` and zeros in `digits`; 0 behind the last. */
int next_kinds(const struct shape *shape, unsigned *digits, char *kinds);
/* A block that does one cell, then the statement `onwards`. */
void print_cell(const struct row *row, const struct shape *shape,
                const char *kinds, const char *onwards);

/* generate_pairs.c */
/* Their numbers follow those of `handler_count` single ones. */
void print_pair_handlers(unsigned handler_count);
void print_pairs(void);
void print_begins(unsigned handler_count);

#endif
