/*
 * generate_pairs.c - chooses which handlers to make for two operations in a
 * row, at build time.
 *
 * A pair is the two handlers' bodies one behind the other, without the jump
 * between them. All pairs would be millions, so a pair is made when it is
 * likely, by what fusion.inc and succession.inc hold, which know of no two
 * certain operations: how often operations occur and how often in which kinds
 * of operands, each by itself; how often a result in an accumulator meets a
 * use of one; and which families of operations come behind which. The
 * likeliest PAIRS_MAX are made.
 *
 * Operands that commute are in the order of ORDER below, and what is pinned
 * is read from its slot, which it is in as well: fuse.c knows both.
 */
#include "vm/generate.h"

#include <float.h>
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
/* How many pairs in all of those counted an unseen succession of families
 * stands for. */
#define FOLLOWS_UNSEEN 10.0
/* A combination of kinds that was not seen, of 1,000 in its family. */
#define KINDS_UNSEEN 1.0
#define FAMILIES_MAX 64
/* What succession.inc counts by. */
#define WHOLE 100000.0

/* What an operation leaves in an accumulator: nothing, its result (A), or
 * its result, which is in a slot as well (B); ORDER MADE. */
static const char *const made_names[] = {
    "none", "Aw", "Ax", "Af", "Ad", "Bw", "Bx", "Bf", "Bd",
};
/* What an operation takes from one; ORDER USED. */
static const char *const used_names[] = {
    "none", "w", "x", "f", "d", "several",
};
#define MADE_COUNT (sizeof made_names / sizeof *made_names)
#define USED_COUNT (sizeof used_names / sizeof *used_names)
#define USED_SEVERAL (USED_COUNT - 1)

struct op_weight {
    const char *name;
    const char *family;
    double weight;
};

static const struct op_weight op_weights[] = {
#define FUSION_OP(name, family, weight) {#name, #family, weight},
#include "vm/fusion.inc"
};

/* Of a family in certain kinds, or of two things in a row. */
struct weight_of_two {
    const char *first;
    const char *second;
    double weight;
};

static const struct weight_of_two kinds_weights[] = {
#define FUSION_KINDS(family, kinds, weight) {#family, kinds, weight},
#include "vm/fusion.inc"
};

static const struct weight_of_two link_weights[] = {
#define FUSION_LINK(made, used, weight) {#made, #used, weight},
#include "vm/succession.inc"
};

static const struct weight_of_two follows_weights[] = {
#define FUSION_FOLLOWS(family, next, weight) {#family, #next, weight},
#include "vm/succession.inc"
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* A handler that may be half of a pair. */
struct half {
    const struct row *row;
    unsigned number;
    unsigned family; /* in `families` */
    unsigned made;   /* in `made_names` */
    unsigned used;   /* in `used_names` */
    double weight;   /* of all halves together: 1 */
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

static const char *families[FAMILIES_MAX];
static unsigned family_count;
/* How much oftener than by chance one comes behind the other. */
static double link_rates[MADE_COUNT][USED_COUNT];
static double follows_rates[FAMILIES_MAX][FAMILIES_MAX];

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

/* Where both are named, or `otherwise`. */
static double
find_weight(const struct weight_of_two *weights, size_t count,
            const char *first, const char *second, double otherwise)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(weights[i].first, first) == 0 &&
            strcmp(weights[i].second, second) == 0)
            return weights[i].weight;
    return otherwise;
}

static unsigned
find_family(const char *name)
{
    for (unsigned i = 0; i < family_count; i++)
        if (strcmp(families[i], name) == 0)
            return i;
    if (family_count == FAMILIES_MAX) {
        fprintf(stderr, "generate: too many families in fusion.inc\n");
        exit(1);
    }
    families[family_count] = name;
    return family_count++;
}

/* 1 and on for the types w, x, f, d; ORDER MADE, USED. */
static unsigned
type_number(char type)
{
    return (unsigned)(strchr("wxfd", type) - "wxfd") + 1;
}

static void
add_half(const struct row *row, const struct shape *shape,
         const char *kinds, unsigned number, const struct op_weight *op)
{
    struct half *half;

    halves = grow(halves, half_count, sizeof *halves);
    half = &halves[half_count++];
    memset(half, 0, sizeof *half);
    half->row = row;
    half->number = number;
    half->family = find_family(op->family);
    half->weight = op->weight * find_weight(kinds_weights,
                                            COUNT_OF(kinds_weights),
                                            op->family, kinds, KINDS_UNSEEN);
    strcpy(half->kinds, kinds);
    for (unsigned i = 0; i < shape->source_count; i++) {
        unsigned used = type_number(shape->operands[i].type);

        if (kinds[i] == 'A')
            half->used =
                half->used == 0 || half->used == used ? used : USED_SEVERAL;
    }
    if (shape->destination_count > 0 &&
        strchr("AB", kinds[shape->source_count]) != NULL)
        half->made = type_number(shape->operands[shape->source_count].type) +
                     (kinds[shape->source_count] == 'B' ? 4 : 0);
}

static void
find_halves(void)
{
    unsigned number = 0;
    double sum = 0;

    for (unsigned i = 0; i < row_count; i++) {
        const struct op_weight *op = find_op(rows[i].name);
        unsigned digits[OPERANDS_MAX] = {0};
        char kinds[OPERANDS_MAX + 1] = "?";
        struct shape shape;

        parse_row(&rows[i], &shape);
        for (; next_kinds(&shape, digits, kinds); number++)
            if (op != NULL && in_order(&rows[i], kinds))
                add_half(&rows[i], &shape, kinds, number, op);
    }
    for (unsigned i = 0; i < half_count; i++)
        sum += halves[i].weight;
    for (unsigned i = 0; i < half_count; i++)
        halves[i].weight /= sum;
}

/* What was seen in a row, against what is if nothing depends on anything:
 * first for accumulators, then, given those, for families. */
static void
find_rates(void)
{
    double made[FAMILIES_MAX][MADE_COUNT] = {{0}};
    double used[FAMILIES_MAX][USED_COUNT] = {{0}};
    double all_made[MADE_COUNT] = {0}, all_used[USED_COUNT] = {0};

    for (unsigned i = 0; i < half_count; i++) {
        made[halves[i].family][halves[i].made] += halves[i].weight;
        used[halves[i].family][halves[i].used] += halves[i].weight;
        all_made[halves[i].made] += halves[i].weight;
        all_used[halves[i].used] += halves[i].weight;
    }
    for (unsigned i = 0; i < MADE_COUNT; i++)
        for (unsigned j = 0; j < USED_COUNT; j++)
            link_rates[i][j] =
                find_weight(link_weights, COUNT_OF(link_weights),
                            made_names[i], used_names[j], 0) /
                (WHOLE * all_made[i] * all_used[j] + DBL_MIN);
    for (unsigned i = 0; i < family_count; i++)
        for (unsigned j = 0; j < family_count; j++) {
            double chance = 0;

            for (unsigned k = 0; k < MADE_COUNT * USED_COUNT; k++)
                chance += made[i][k / USED_COUNT] * used[j][k % USED_COUNT] *
                          link_rates[k / USED_COUNT][k % USED_COUNT];
            follows_rates[i][j] =
                (find_weight(follows_weights, COUNT_OF(follows_weights),
                             families[i], families[j], 0) +
                 FOLLOWS_UNSEEN) /
                (WHOLE * chance + FOLLOWS_UNSEEN);
        }
}

static double
find_likelihood(const struct half *first, const struct half *second)
{
    return first->weight * second->weight *
           link_rates[first->made][second->used] *
           follows_rates[first->family][second->family];
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
    find_halves();
    find_rates();
    for (unsigned i = 0; i < half_count; i++) {
        if (has_flag(halves[i].row, "CONTROL"))
            continue;
        for (unsigned j = 0; j < half_count; j++) {
            double likelihood = find_likelihood(&halves[i], &halves[j]);

            if (likelihood == 0)
                continue;
            pairs = grow(pairs, pair_count, sizeof *pairs);
            pairs[pair_count++] = (struct pair){i, j, likelihood};
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
