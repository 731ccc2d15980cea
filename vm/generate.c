/*
 * generate.c - makes the handlers from the table of operations, at build
 * time.
 *
 * Reads ops.inc as a table and writes:
 *
 *     generate handlers > handlers_made.inc   one HANDLER(...) { ... } for
 *                                             every combination of kinds
 *     generate names > names_made.inc         HANDLER_NAME(...) for each
 *     generate table > table_made.inc         OP_INFO(...) for each row
 *
 * A handler is its row's body behind a prologue that fetches the operands:
 *
 *     HANDLER(i32_add_SI_S)
 *     {
 *         enum { SIZE = 16 };
 *         const uint32_t a = SOURCE_w_S(8);
 *         const uint32_t b = SOURCE_w_I(12);
 *         const uint32_t to = SLOT_AT(10);
 *         RESULT_w_S(a + b);
 *         NEXT(SIZE);
 *     }
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCES_MAX 3
#define LETTERS "?SIK" /* ORDER KIND: by enum gvm__kind */

struct operand {
    char type;
    char kinds[8];
};

struct row {
    const char *name;
    const char *sources;
    const char *destination;
    unsigned immediates;
    unsigned words;
    const char *flags;
    const char *body;
};

static const struct row rows[] = {
#define ROW(name, sources, destination, immediates, words, flags, ...)   \
    {#name, sources, destination, immediates, words, #flags,             \
     #__VA_ARGS__},
#define OP(...) ROW(__VA_ARGS__)
#include "vm/ops.inc"
#undef OP
#undef ROW
};

#define ROW_COUNT (sizeof rows / sizeof rows[0])

static unsigned handler_count;

static const char *
type_name(char type)
{
    switch (type) {
    case 'w':
        return "uint32_t";
    case 'x':
        return "uint64_t";
    case 'f':
        return "float";
    default:
        return "double";
    }
}

/* Splits "w:SI w:S " into operands; returns how many there are. */
static unsigned
parse_operands(const char *text, struct operand *operands)
{
    unsigned count = 0;

    while (*text != '\0') {
        struct operand *operand = &operands[count++];
        size_t length;

        operand->type = *text;
        text += 2;
        length = strcspn(text, " ");
        memcpy(operand->kinds, text, length);
        operand->kinds[length] = '\0';
        text += length;
        text += strspn(text, " ");
    }
    return count;
}

static unsigned
count_of(const char *kinds, char kind)
{
    unsigned count = 0;

    for (; *kinds != '\0'; kinds++)
        count += *kinds == kind;
    return count;
}

/* The packing rule of ops.h: where the three groups begin, and the size. */
struct layout {
    unsigned slots;
    unsigned immediates;
    unsigned words;
    unsigned size;
};

static struct layout
lay_out(const struct row *row, const char *kinds)
{
    struct layout layout;

    layout.slots = 8;
    layout.immediates = layout.slots + 2 * count_of(kinds, 'S');
    layout.immediates = (layout.immediates + 3) & ~3u;
    layout.words = layout.immediates +
                   4 * (count_of(kinds, 'I') + row->immediates);
    layout.words = (layout.words + 7) & ~7u;
    layout.size =
        layout.words + 8 * (count_of(kinds, 'K') + row->words);
    return layout;
}

/* Prints the body with RESULT( as the destination's own setter. */
static void
print_body(const char *body, char type, char kind)
{
    const char *found;

    while ((found = strstr(body, "RESULT(")) != NULL) {
        printf("%.*sRESULT_%c_%c(", (int)(found - body), body, type, kind);
        body = found + strlen("RESULT(");
    }
    printf("%s\n", body);
}

/*
 * One handler. `kinds` holds the letters of the sources and, where there is
 * a result, of the destination.
 */
static void
print_handler(const struct row *row, const struct operand *sources,
              unsigned source_count, const struct operand *destination,
              const char *kinds)
{
    struct layout at = lay_out(row, kinds);
    unsigned size = at.size;

    printf("HANDLER(%s_%s)\n{\n    enum { SIZE = %u };\n", row->name, kinds,
           size);
    for (unsigned i = 0; i < source_count; i++) {
        unsigned *offset = kinds[i] == 'S'   ? &at.slots
                           : kinds[i] == 'I' ? &at.immediates
                                             : &at.words;

        printf("    const %s %c = SOURCE_%c_%c(%u);\n",
               type_name(sources[i].type), 'a' + (int)i, sources[i].type,
               kinds[i], *offset);
        *offset += kinds[i] == 'S' ? 2 : kinds[i] == 'I' ? 4 : 8;
    }
    if (destination != NULL)
        printf("    const uint32_t to = SLOT_AT(%u);\n", at.slots);
    for (unsigned i = 0; i < row->immediates; i++)
        printf("    const uint32_t I%u = IMMEDIATE_AT(%u);\n", i,
               at.immediates + 4 * i);
    for (unsigned i = 0; i < row->words; i++)
        printf("    const uint64_t W%u = WORD_AT(%u);\n", i,
               at.words + 8 * i);
    for (unsigned i = 0; i < row->immediates; i++)
        printf("    (void)I%u;\n", i);
    printf("    ");
    print_body(row->body, destination ? destination->type : '?',
               kinds[source_count]);
    if (strstr(row->flags, "CONTROL") == NULL)
        printf("    NEXT(SIZE);\n");
    printf("}\n");
}

/* Every combination of kinds, the last operand counting fastest. */
static void
print_handlers(const struct row *row, int names_only)
{
    struct operand operands[SOURCES_MAX + 1];
    unsigned source_count = parse_operands(row->sources, operands);
    unsigned count = source_count + parse_operands(row->destination,
                                                   &operands[source_count]);
    unsigned digits[SOURCES_MAX + 1] = {0};
    char kinds[SOURCES_MAX + 2];

    for (;;) {
        unsigned i;

        for (i = 0; i < count; i++)
            kinds[i] = operands[i].kinds[digits[i]];
        kinds[count] = '\0';
        handler_count++;
        if (names_only)
            printf("HANDLER_NAME(%s_%s)\n", row->name, kinds);
        else
            print_handler(row, operands, source_count,
                          count > source_count ? &operands[source_count]
                                               : NULL,
                          kinds);
        for (i = count; i > 0; i--) {
            if (operands[i - 1].kinds[++digits[i - 1]] != '\0')
                break;
            digits[i - 1] = 0;
        }
        if (i == 0)
            return;
    }
}

static unsigned
kind_bits(const char *kinds)
{
    unsigned bits = 0;

    for (; *kinds != '\0'; kinds++)
        bits |= 1u << (strchr(LETTERS, *kinds) - LETTERS);
    return bits;
}

/* "COMMUTES | BRANCHES" as the enumerators of ops.h. */
static void
print_flags(const char *flags)
{
    char copy[128];
    char *name;

    snprintf(copy, sizeof copy, "%s", flags);
    printf("0");
    for (name = strtok(copy, " |"); name != NULL; name = strtok(NULL, " |"))
        if (strcmp(name, "0") != 0)
            printf(" | GVM__OP_%s", name);
}

static void
print_row(const struct row *row)
{
    struct operand operands[SOURCES_MAX + 1] = {{0, {0}}};
    struct operand destination[1] = {{0, {0}}};
    unsigned count = parse_operands(row->sources, operands);
    unsigned combinations = 1;

    parse_operands(row->destination, destination);
    printf("OP_INFO(%s, %u, ", row->name, handler_count);
    print_flags(row->flags);
    printf(", %u, ", count);
    for (unsigned i = 0; i < SOURCES_MAX; i++)
        printf("%u, ", i < count ? kind_bits(operands[i].kinds) : 0);
    for (unsigned i = 0; i < SOURCES_MAX; i++)
        printf("'%c', ", i < count ? operands[i].type : '-');
    printf("%u, %u, %u)\n", kind_bits(destination->kinds), row->immediates,
           row->words);
    for (unsigned i = 0; i < count; i++)
        combinations *= (unsigned)strlen(operands[i].kinds);
    if (destination->type != 0)
        combinations *= (unsigned)strlen(destination->kinds);
    handler_count += combinations;
}

int
main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";

    printf("/* Made by vm/generate.c from vm/ops.inc. */\n");
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(what, "handlers") == 0) {
            print_handlers(&rows[i], 0);
        } else if (strcmp(what, "names") == 0) {
            print_handlers(&rows[i], 1);
        } else if (strcmp(what, "table") == 0) {
            print_row(&rows[i]);
        } else {
            fprintf(stderr, "usage: generate handlers|names|table\n");
            return 2;
        }
    }
    return 0;
}
