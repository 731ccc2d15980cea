/*
 * generate.c - makes the handlers from the table of operations, at build
 * time.
 *
 * Reads ops.inc as a table and writes:
 *
 *     generate handlers > handlers_made.inc   one HANDLER(...) { ... } for
 *                                             every combination of kinds,
 *                                             each row if HANDLERS_HERE
 *     generate names > names_made.inc         HANDLER_NAME(...) for each
 *     generate layouts > layouts_made.inc     HANDLER_LAYOUT(...) for each
 *     generate table > table_made.inc         OP_INFO(...) for each row
 *     generate pairs > pairs_made.inc         HANDLER_PAIR(...) for each pair
 *     generate begins > begins_made.inc       PAIRS_BEGIN(...) for each
 *                                             handler
 *
 * A second argument "plain" leaves out what keeps operands in registers, and
 * the pairs (generate_pairs.c), for the switch loop. A handler is its row's
 * body behind a prologue that fetches the operands:
 *
 *     HANDLER(i32_add_SIS)
 *     {
 *         COUNT_DISPATCH(4);
 *         {
 *             enum { SIZE = 16 };
 *             COUNT_OPERATION(0);
 *             const uint32_t a = SOURCE_w_S(8);
 *             const uint32_t b = SOURCE_w_I(12);
 *             const uint32_t to = SLOT_AT(10);
 *             RESULT_w_S(a + b);
 *             NEXT(SIZE);
 *         }
 *     }
 */
#include "vm/generate.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS "?SIKAPB" /* ORDER KIND: by enum gvm__kind */
#define TARGETS "TLH"   /* ORDER TARGET: by enum gvm__target */
/* What a table without registers has: for builds with a switch loop. */
#define PLAIN_KINDS "SIKTL"

const struct row rows[] = {
#define ROW(name, sources, destination, immediates, words, flags, ...)   \
    {#name, sources, destination, immediates, words, #flags,             \
     #__VA_ARGS__},
#define OP(...) ROW(__VA_ARGS__)
#include "vm/ops.inc"
#undef OP
#undef ROW
};

const unsigned row_count = sizeof rows / sizeof rows[0];

static unsigned handler_count;
static int plain;

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

int
has_flag(const struct row *row, const char *flag)
{
    return strstr(row->flags, flag) != NULL;
}

int
has_target(const struct row *row)
{
    return has_flag(row, "BRANCHES") || has_flag(row, "LOOPS");
}

/* Notes the letters that this table has, in the order of ops.h. */
static void
set_kinds(struct operand *operand, const char *order, const char *kinds,
          size_t length)
{
    size_t kept = 0;

    for (; *order != '\0'; order++)
        if (memchr(kinds, *order, length) != NULL &&
            (!plain || strchr(PLAIN_KINDS, *order) != NULL))
            operand->kinds[kept++] = *order;
    operand->kinds[kept] = '\0';
}

/* Splits "w:SI w:S " into operands; returns how many there are. */
static unsigned
parse_operands(const char *text, struct operand *operands)
{
    unsigned count = 0;

    while (*text != '\0') {
        struct operand *operand = &operands[count++];
        size_t length = strcspn(text + 2, " ");

        operand->type = *text;
        set_kinds(operand, KINDS, text + 2, length);
        text += 2 + length;
        text += strspn(text, " ");
    }
    return count;
}

void
parse_row(const struct row *row, struct shape *shape)
{
    memset(shape, 0, sizeof *shape);
    shape->source_count = parse_operands(row->sources, shape->operands);
    shape->count = shape->source_count;
    shape->destination_count =
        parse_operands(row->destination, &shape->operands[shape->count]);
    shape->count += shape->destination_count;
    if (has_target(row)) {
        struct operand *target = &shape->operands[shape->count++];
        const char *targets =
            has_flag(row, "LOOPS") ? "LH" : TARGETS;

        target->type = 't';
        set_kinds(target, TARGETS, targets, strlen(targets));
    }
}

static unsigned
count_of(const char *kinds, const char *wanted)
{
    unsigned count = 0;

    for (; *kinds != '\0'; kinds++)
        count += strchr(wanted, *kinds) != NULL;
    return count;
}

/* The packing rule of ops.h: where the three groups begin, and the size. */
struct layout {
    unsigned slots;
    unsigned immediates;
    unsigned words;
    unsigned size;
};

/* Whether the cell names the slot of the result: what is pinned is in its
 * slot as well. */
static int
writes_slot(const struct shape *shape, const char *kinds)
{
    return shape->destination_count > 0 &&
           strchr("SBP", kinds[shape->source_count]) != NULL;
}

static struct layout
lay_out(const struct row *row, const struct shape *shape,
        const char *kinds)
{
    struct layout layout;
    unsigned sources = 0;

    for (unsigned i = 0; i < shape->source_count; i++)
        sources += kinds[i] == 'S';
    layout.slots = 8;
    layout.immediates =
        layout.slots +
        2 * (sources + (unsigned)writes_slot(shape, kinds));
    layout.immediates = (layout.immediates + 3) & ~3u;
    layout.words = layout.immediates +
                   4 * (count_of(kinds, "ILH") + row->immediates);
    layout.words = (layout.words + 7) & ~7u;
    layout.size =
        layout.words + 8 * (count_of(kinds, "KTL") + row->words);
    return layout;
}

/* A word of a body that depends on the kinds, and what it becomes. */
struct replacement {
    const char *word;
    char made[32];
};

static void
print_body(const char *body, const struct replacement *replacements,
           unsigned count)
{
    while (*body != '\0') {
        unsigned i;

        for (i = 0; i < count; i++) {
            size_t length = strlen(replacements[i].word);

            if (strncmp(body, replacements[i].word, length) == 0) {
                fputs(replacements[i].made, stdout);
                body += length;
                break;
            }
        }
        if (i == count)
            putchar(*body++);
    }
    putchar('\n');
}

/* RESULT( and BRANCH as the ones for the operands' kinds. */
static unsigned
make_replacements(const struct row *row, const struct shape *shape,
                  const char *kinds, struct replacement *replacements)
{
    unsigned result = has_flag(row, "UPDATES") ? 0 : shape->source_count;
    unsigned count = 0;

    if (shape->destination_count > 0 || has_flag(row, "UPDATES")) {
        replacements[count].word = "RESULT(";
        snprintf(replacements[count++].made, sizeof replacements->made,
                 "RESULT_%c_%c(", shape->operands[result].type,
                 kinds[result]);
    }
    if (has_target(row)) {
        replacements[count].word = "BRANCH";
        snprintf(replacements[count++].made, sizeof replacements->made,
                 "BRANCH_%c", kinds[shape->count - 1]);
    }
    return count;
}

/* Fetches source `i` into a variable and steps over it in the cell. */
static void
print_source(const struct row *row, const struct operand *source,
             unsigned i, char kind, struct layout *at)
{
    int updates = i == 0 && has_flag(row, "UPDATES");
    unsigned *offset = kind == 'S'   ? &at->slots
                       : kind == 'I' ? &at->immediates
                                     : &at->words;

    printf("    %s%s %c = SOURCE_%c_%c(%u);\n", updates ? "" : "const ",
           type_name(source->type), 'a' + (int)i, source->type, kind,
           *offset);
    if (strchr("SIK", kind) != NULL)
        *offset += kind == 'S' ? 2 : kind == 'I' ? 4 : 8;
}

void
print_cell(const struct row *row, const struct shape *shape,
           const char *kinds, const char *onwards)
{
    struct layout at = lay_out(row, shape, kinds);
    char target = has_target(row) ? kinds[shape->count - 1] : '-';
    struct replacement replacements[2];
    unsigned count;

    printf("{\n    enum { SIZE = %u };\n    COUNT_OPERATION(%u);\n",
           at.size, (unsigned)(row - rows));
    for (unsigned i = 0; i < shape->source_count; i++)
        print_source(row, &shape->operands[i], i, kinds[i], &at);
    if (writes_slot(shape, kinds))
        printf("    const uint32_t to = SLOT_AT(%u);\n", at.slots);
    else if (has_flag(row, "UPDATES"))
        printf("    const uint32_t to = SLOT_AT(8);\n");
    for (unsigned i = 0; i < row->immediates; i++, at.immediates += 4)
        printf("    const uint32_t I%u = IMMEDIATE_AT(%u);\n"
               "    (void)I%u;\n", i, at.immediates, i);
    if (target == 'L' || target == 'H')
        printf("    enum { COST = %u };\n", at.immediates);
    for (unsigned i = 0; i < row->words; i++, at.words += 8)
        printf("    const uint64_t W%u = WORD_AT(%u);\n", i, at.words);
    if (target == 'T' || target == 'L')
        printf("    enum { TARGET = %u };\n", at.words);
    printf("    ");
    count = make_replacements(row, shape, kinds, replacements);
    print_body(row->body, replacements, count);
    if (!has_flag(row, "CONTROL"))
        printf("    %s;\n", onwards);
    printf("}\n");
}

int
next_kinds(const struct shape *shape, unsigned *digits, char *kinds)
{
    unsigned i;

    if (kinds[0] != '?') {
        for (i = shape->count; i > 0; i--) {
            if (shape->operands[i - 1].kinds[++digits[i - 1]] != '\0')
                break;
            digits[i - 1] = 0;
        }
        if (i == 0)
            return 0;
    }
    for (i = 0; i < shape->count; i++)
        kinds[i] = shape->operands[i].kinds[digits[i]];
    kinds[shape->count] = '\0';
    return 1;
}

static void
print_layout(const struct layout *layout)
{
    printf("HANDLER_LAYOUT(%u, %u, %u)\n", layout->immediates,
           layout->words, layout->size);
}

/* For each handler of the row: itself, or its name, or its layout. */
static void
print_handlers(const struct row *row, const char *what)
{
    struct shape shape;
    struct layout layout;
    unsigned digits[OPERANDS_MAX] = {0};
    char kinds[OPERANDS_MAX + 1] = "?";
    unsigned made = 0;

    parse_row(row, &shape);
    while (next_kinds(&shape, digits, kinds)) {
        if (strcmp(what, "names") == 0) {
            printf("HANDLER_NAME(%s_%s)\n", row->name, kinds);
        } else if (strcmp(what, "layouts") == 0) {
            layout = lay_out(row, &shape, kinds);
            print_layout(&layout);
        } else {
            printf("HANDLER(%s_%s)\n{\n    COUNT_DISPATCH(%u);\n",
                   row->name, kinds, handler_count + made++);
            print_cell(row, &shape, kinds, "NEXT(SIZE)");
            printf("}\n");
        }
    }
}

static unsigned
bits_of(const char *letters, const char *kinds)
{
    unsigned bits = 0;

    for (; *kinds != '\0'; kinds++)
        bits |= 1u << (strchr(letters, *kinds) - letters);
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

static unsigned
count_handlers(const struct row *row)
{
    struct shape shape;
    unsigned combinations = 1;

    parse_row(row, &shape);
    for (unsigned i = 0; i < shape.count; i++)
        combinations *= (unsigned)strlen(shape.operands[i].kinds);
    return combinations;
}

/*
 * What each kind of operand `i` adds to the number of the first handler:
 * the last operand counts fastest. Behind the last one: nothing.
 */
static void
print_offsets(const char *letters, const struct shape *shape, unsigned i)
{
    unsigned step = 1;

    for (unsigned j = i + 1; j < shape->count; j++)
        step *= (unsigned)strlen(shape->operands[j].kinds);
    printf(", OFFSETS(");
    for (; *letters != '\0'; letters++) {
        const char *kinds = shape->operands[i].kinds;
        const char *kind = strchr(kinds, *letters);

        if (i == shape->count)
            printf("0, ");
        else if (kind == NULL)
            printf("GVM__NOT_ALLOWED, ");
        else
            printf("%u, ", (unsigned)(kind - kinds) * step);
    }
    printf(")");
}

static void
print_row(const struct row *row)
{
    struct shape shape;
    unsigned destination;

    parse_row(row, &shape);
    destination = shape.source_count;
    printf("OP_INFO(%s, %u, ", row->name, handler_count);
    print_flags(row->flags);
    printf(", %u, ", shape.source_count);
    for (unsigned i = 0; i < SOURCES_MAX; i++)
        printf("%u, ", i < shape.source_count
                           ? bits_of(KINDS, shape.operands[i].kinds)
                           : 0);
    for (unsigned i = 0; i < SOURCES_MAX; i++)
        printf("'%c', ",
               i < shape.source_count ? shape.operands[i].type : '-');
    printf("%u, '%c', %u, %u, ",
           shape.destination_count
               ? bits_of(KINDS, shape.operands[destination].kinds)
               : 0,
           shape.destination_count ? shape.operands[destination].type : '-',
           row->immediates, row->words);
    printf("%u", has_target(row)
                     ? bits_of(TARGETS,
                               shape.operands[shape.count - 1].kinds)
                     : 0);
    for (unsigned i = 0; i < SOURCES_MAX; i++)
        print_offsets(KINDS, &shape,
                      i < shape.source_count ? i : shape.count);
    print_offsets(KINDS, &shape,
                  shape.destination_count ? destination : shape.count);
    print_offsets(TARGETS, &shape,
                  has_target(row) ? shape.count - 1 : shape.count);
    printf(")\n");
}

static void
print_all(const char *what)
{
    for (unsigned i = 0; i < row_count; i++) {
        if (strcmp(what, "handlers") == 0) {
            printf("#if HANDLERS_HERE(%u)\n", i);
            print_handlers(&rows[i], what);
            printf("#endif\n");
        } else if (strcmp(what, "table") == 0) {
            print_row(&rows[i]);
        } else if (strcmp(what, "names") == 0 ||
                   strcmp(what, "layouts") == 0) {
            print_handlers(&rows[i], what);
        }
        handler_count += count_handlers(&rows[i]);
    }
}

/* The table without pairs still has a beginning for each handler. */
static void
print_no_begins(void)
{
    for (unsigned i = 0; i <= handler_count; i++)
        printf("PAIRS_BEGIN(0)\n");
}

int
main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    plain = argc > 2 && strcmp(argv[2], "plain") == 0;
    printf("/* Made by vm/generate.c from vm/ops.inc. */\n");
    print_all(what);
    if (strcmp(what, "begins") == 0 && plain)
        print_no_begins();
    else if (strcmp(what, "begins") == 0)
        print_begins(handler_count);
    else if (strcmp(what, "pairs") == 0 && !plain)
        print_pairs();
    else if (strcmp(what, "handlers") == 0 && !plain)
        print_pair_handlers(handler_count);
    return 0;
}
