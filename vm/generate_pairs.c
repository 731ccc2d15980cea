/*
 * generate_pairs.c - chooses which handlers to make for two operations in a
 * row, at build time.
 *
 * A pair is the two handlers' bodies one behind the other, without the jump
 * between them. All pairs would be millions, so a pair is made when it is
 * likely: fusion.inc holds how often operations occur, and how often in
 * which kinds of operands, each by itself; nothing is known of which follow
 * each other. The likelihood of a pair is the product, over what can follow:
 * a result in an accumulator is used by the second, which uses no other.
 * The likeliest PAIRS_MAX are made.
 *
 * Operands that commute are in the order of ORDER below, and what is pinned
 * is read from its slot, which it is in as well: fuse.c knows both.
 */
#include "vm/generate.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PAIRS_MAX
#error "the build says how many pairs to make: GLASS_VM_PAIRS"
#endif
/* Handlers are numbered with 16 bits. */
_Static_assert(PAIRS_MAX <= 50000, "GLASS_VM_PAIRS is at most 50000");
/* How many chunks the handlers are spread in over the parts of the build. */
#define CHUNK 64
/* Of operands that commute; ORDER ORDER: fuse.c. */
#define ORDER "SPAIK"
/* Nothing, or the class of an accumulator: integers, f64, f32. */
#define LINKS 4

struct op_weight {
    const char *name;
    const char *family;
    double weight;
};

static const struct op_weight op_weights[] = {
#define FUSION_OP(name, family, weight) {#name, #family, weight},
#define FUSION_KINDS(family, kinds, weight)
#include "vm/fusion.inc"
#undef FUSION_OP
#undef FUSION_KINDS
};

struct kinds_weight {
    const char *family;
    const char *kinds;
    double weight;
};

static const struct kinds_weight kinds_weights[] = {
#define FUSION_OP(name, family, weight)
#define FUSION_KINDS(family, kinds, weight) {#family, kinds, weight},
#include "vm/fusion.inc"
#undef FUSION_OP
#undef FUSION_KINDS
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* A handler that may be half of a pair. */
struct half {
    const struct row *row;
    unsigned number;
    unsigned makes; /* the link to what follows */
    unsigned uses;  /* the link to what was before; LINKS: several */
    double weight;
    char kinds[OPERANDS_MAX + 1];
};

struct pair {
    unsigned first;
    unsigned second;
    double likelihood;
};

static struct half *halves;
static unsigned half_count;
static struct pair *pairs;
static size_t pair_count;

static void *
grow(void *items, size_t count, size_t bytes)
{
    if ((count & (count - 1)) == 0)
        items = realloc(items, (count == 0 ? 1 : 2 * count) * bytes);
    if (items == NULL) {
        fprintf(stderr, "generate: no memory\n");
        exit(1);
    }
    return items;
}

static unsigned
link_of(char type)
{
    return type == 'd' ? 2 : type == 'f' ? 3 : 1;
}

static int
in_order(const struct row *row, const char *kinds)
{
    return !has_flag(row, "COMMUTES") ||
           strchr(ORDER, kinds[0]) <= strchr(ORDER, kinds[1]);
}

static const struct op_weight *
find_op(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(op_weights); i++)
        if (strcmp(op_weights[i].name, name) == 0)
            return &op_weights[i];
    return NULL;
}

static double
find_kinds(const char *family, const char *kinds)
{
    for (size_t i = 0; i < COUNT_OF(kinds_weights); i++)
        if (strcmp(kinds_weights[i].family, family) == 0 &&
            strcmp(kinds_weights[i].kinds, kinds) == 0)
            return kinds_weights[i].weight;
    return 0;
}

static void
add_half(const struct row *row, const struct shape *shape,
         const char *kinds, unsigned number, double weight)
{
    struct half *half;

    halves = grow(halves, half_count, sizeof *halves);
    half = &halves[half_count++];
    memset(half, 0, sizeof *half);
    half->row = row;
    half->number = number;
    half->weight = weight;
    strcpy(half->kinds, kinds);
    for (unsigned i = 0; i < shape->source_count; i++) {
        unsigned link = link_of(shape->operands[i].type);

        if (kinds[i] == 'A')
            half->uses =
                half->uses == 0 || half->uses == link ? link : LINKS;
    }
    if (shape->destination_count > 0 &&
        strchr("AB", kinds[shape->source_count]) != NULL)
        half->makes = link_of(shape->operands[shape->source_count].type);
}

static void
find_halves(void)
{
    unsigned number = 0;

    for (unsigned i = 0; i < row_count; i++) {
        const struct op_weight *op = find_op(rows[i].name);
        unsigned digits[OPERANDS_MAX] = {0};
        char kinds[OPERANDS_MAX + 1] = "?";
        struct shape shape;

        parse_row(&rows[i], &shape);
        for (; next_kinds(&shape, digits, kinds); number++) {
            double weight =
                op == NULL ? 0
                           : op->weight * find_kinds(op->family, kinds);

            if (weight > 0 && in_order(&rows[i], kinds))
                add_half(&rows[i], &shape, kinds, number, weight);
        }
    }
}

static int
by_likelihood(const void *a, const void *b)
{
    double left = ((const struct pair *)a)->likelihood;
    double right = ((const struct pair *)b)->likelihood;

    return (left < right) - (left > right);
}

static int
by_number(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;

    if (left->first != right->first)
        return left->first < right->first ? -1 : 1;
    return (left->second > right->second) - (left->second < right->second);
}

static void
find_pairs(void)
{
    double mass[LINKS + 1] = {0};

    find_halves();
    for (unsigned i = 0; i < half_count; i++)
        mass[halves[i].uses] += halves[i].weight;
    for (unsigned i = 0; i < half_count; i++) {
        if (has_flag(halves[i].row, "CONTROL"))
            continue;
        for (unsigned j = 0; j < half_count; j++) {
            unsigned link = halves[i].makes;

            if (halves[j].uses != link)
                continue;
            pairs = grow(pairs, pair_count, sizeof *pairs);
            pairs[pair_count++] = (struct pair){
                i, j, halves[i].weight * halves[j].weight / mass[link]};
        }
    }
    qsort(pairs, pair_count, sizeof *pairs, by_likelihood);
    if (pair_count > PAIRS_MAX)
        pair_count = PAIRS_MAX;
    qsort(pairs, pair_count, sizeof *pairs, by_number);
}

static void
print_half(const struct half *half, const char *onwards)
{
    struct shape shape;

    parse_row(half->row, &shape);
    print_cell(half->row, &shape, half->kinds, onwards);
}

void
print_pair_handlers(unsigned handler_count)
{
    find_pairs();
    for (size_t i = 0; i < pair_count; i++) {
        const struct half *first = &halves[pairs[i].first];
        const struct half *second = &halves[pairs[i].second];

        if (i % CHUNK == 0)
            printf("#if HANDLERS_HERE(%zu)\n", i / CHUNK);
        printf("HANDLER(%s_%s__%s_%s)\n{\n    COUNT_DISPATCH(%zu);\n",
               first->row->name, first->kinds, second->row->name,
               second->kinds, handler_count + i);
        print_half(first, has_flag(second->row, "ACCESSES")
                              ? "STEP(SIZE)"
                              : "pc += SIZE");
        print_half(second, "NEXT(SIZE)");
        printf("}\n");
        if (i % CHUNK == CHUNK - 1 || i == pair_count - 1)
            printf("#endif\n");
    }
}

void
print_pairs(void)
{
    find_pairs();
    for (size_t i = 0; i < pair_count; i++) {
        const struct half *first = &halves[pairs[i].first];
        const struct half *second = &halves[pairs[i].second];

        printf("HANDLER_PAIR(%s_%s__%s_%s, %u, %u)\n", first->row->name,
               first->kinds, second->row->name, second->kinds,
               first->number, second->number);
    }
}

/* For each handler, and one past the last, where its pairs begin. */
void
print_begins(unsigned handler_count)
{
    size_t at = 0;

    find_pairs();
    for (unsigned number = 0; number <= handler_count; number++) {
        while (at < pair_count && halves[pairs[at].first].number < number)
            at++;
        printf("PAIRS_BEGIN(%zu)\n", at);
    }
}
