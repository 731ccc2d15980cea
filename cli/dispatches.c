/*
 * What the engine did: the counters of vm.h, sorted.
 */
#include "cli/dispatches.h"

#include "vm/vm.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* A handler (no second name) or a pair of operations. */
struct line {
    const char *first;
    const char *second;
    uint64_t count;
};

static bool
read_line(bool pairs, uint32_t index, struct line *line)
{
    line->second = NULL;
    if (pairs)
        return gvm_dispatches_of_pair(index, &line->first, &line->second,
                                      &line->count);
    return gvm_dispatches_of_handler(index, &line->first, &line->count);
}

static int
more_first(const void *left, const void *right)
{
    uint64_t a = ((const struct line *)left)->count;
    uint64_t b = ((const struct line *)right)->count;

    return (a < b) - (a > b);
}

/* All lines, sorted; null when there is no memory. */
static struct line *
sort_lines(bool pairs, size_t *length, uint64_t *total)
{
    struct line line;
    struct line *lines;
    uint32_t count = 0;

    while (read_line(pairs, count, &line))
        count++;
    lines = calloc(count + 1, sizeof(*lines));
    *total = 0;
    *length = count;
    for (uint32_t index = 0; lines && index < count; index++) {
        read_line(pairs, index, &lines[index]);
        *total += lines[index].count;
    }
    if (lines)
        qsort(lines, count, sizeof(*lines), more_first);
    return lines;
}

void
dispatches_print(uint64_t fuel_used, size_t count)
{
    for (int pairs = 0; pairs < 2; pairs++) {
        uint64_t total;
        size_t length;
        struct line *lines = sort_lines(pairs, &length, &total);

        if (!pairs)
            fprintf(stderr,
                    "dispatches %" PRIu64 " fuel %" PRIu64 "\n", total,
                    fuel_used);
        for (size_t index = 0; lines && index < length && index < count &&
                               lines[index].count > 0;
             index++)
            fprintf(stderr, "%s %6.2f %% %s%s%s\n",
                    pairs ? "pair   " : "handler",
                    100.0 * (double)lines[index].count / (double)total,
                    lines[index].first, pairs ? " " : "",
                    pairs ? lines[index].second : "");
        free(lines);
    }
}
