/*
 * sort.c - quicksort of numbers, heapsort, and a stable merge sort of
 * pointers to records by a comparison function: compares, swaps and branches
 * that nothing predicts.
 */
#include "kernel.h"

enum {
    NUMBER_COUNT = 60000,
    RECORD_COUNT = 12000,
    INSERTION_MAX = 12,
};

struct record {
    uint32_t group;
    int32_t weight;
    char name[8];
};

static uint32_t numbers[NUMBER_COUNT];
static struct record records[RECORD_COUNT];
static const struct record *sorted[RECORD_COUNT], *spare[RECORD_COUNT];

static void
swap(uint32_t *a, uint32_t *b)
{
    uint32_t kept = *a;

    *a = *b;
    *b = kept;
}

static void
insertion_sort(uint32_t *values, int32_t count)
{
    for (int32_t i = 1; i < count; i++) {
        uint32_t value = values[i];
        int32_t at = i;

        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

/* Hoare's partition around the median of three; the longer side by the
 * loop, so that the depth stays logarithmic. */
static void
quicksort(uint32_t *values, int32_t count)
{
    while (count > INSERTION_MAX) {
        int32_t low = -1, high = count;
        uint32_t *middle = &values[count / 2], *last = &values[count - 1];

        if (*middle < values[0])
            swap(middle, values);
        if (*last < *middle) {
            swap(last, middle);
            if (*middle < values[0])
                swap(middle, values);
        }
        uint32_t pivot = *middle;

        for (;;) {
            while (values[++low] < pivot)
                ;
            while (values[--high] > pivot)
                ;
            if (low >= high)
                break;
            swap(&values[low], &values[high]);
        }
        high++;
        if (high < count - high) {
            quicksort(values, high);
            values += high;
            count -= high;
        } else {
            quicksort(values + high, count - high);
            count = high;
        }
    }
    insertion_sort(values, count);
}

static void
sift_down(uint32_t *values, uint32_t at, uint32_t count)
{
    uint32_t value = values[at];

    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && values[child] < values[child + 1])
            child++;
        if (values[child] <= value)
            break;
        values[at] = values[child];
    }
    values[at] = value;
}

static void
heapsort(uint32_t *values, uint32_t count)
{
    for (uint32_t i = count / 2; i-- > 0;)
        sift_down(values, i, count);
    while (count > 1) {
        swap(&values[0], &values[--count]);
        sift_down(values, 0, count);
    }
}

static int
by_group(const struct record *a, const struct record *b)
{
    return (a->group > b->group) - (a->group < b->group);
}

static int
by_weight(const struct record *a, const struct record *b)
{
    return (a->weight > b->weight) - (a->weight < b->weight);
}

static int
by_name(const struct record *a, const struct record *b)
{
    for (uint32_t i = 0; i < sizeof a->name; i++)
        if (a->name[i] != b->name[i])
            return a->name[i] - b->name[i];
    return 0;
}

typedef int order(const struct record *a, const struct record *b);

/* Runs of 1, 2, 4... are merged to the other array and copied back. */
static void
merge_sort(order *compare)
{
    for (uint32_t run = 1; run < RECORD_COUNT; run *= 2) {
        for (uint32_t start = 0; start < RECORD_COUNT; start += 2 * run) {
            uint32_t middle = start + run, end = start + 2 * run;
            uint32_t a, b, to = start;

            middle = middle < RECORD_COUNT ? middle : RECORD_COUNT;
            end = end < RECORD_COUNT ? end : RECORD_COUNT;
            for (a = start, b = middle; to < end; to++)
                if (a < middle &&
                    (b == end || compare(sorted[a], sorted[b]) <= 0))
                    spare[to] = sorted[a++];
                else
                    spare[to] = sorted[b++];
        }
        for (uint32_t i = 0; i < RECORD_COUNT; i++)
            sorted[i] = spare[i];
    }
}

static uint64_t
sort_numbers(uint64_t sum, bool heap)
{
    uint64_t random = 321;

    for (uint32_t i = 0; i < NUMBER_COUNT; i++)
        numbers[i] = (uint32_t)kernel_random(&random);
    if (heap)
        heapsort(numbers, NUMBER_COUNT);
    else
        quicksort(numbers, NUMBER_COUNT);
    for (uint32_t i = 1; i < NUMBER_COUNT; i++)
        sum += numbers[i] >= numbers[i - 1] ? numbers[i] * i : 1;
    return kernel_mix(sum, numbers[NUMBER_COUNT / 3]);
}

static uint64_t
sort_records(uint64_t sum)
{
    static order *const orders[] = {by_name, by_weight, by_group};
    uint64_t random = 654;

    for (uint32_t i = 0; i < RECORD_COUNT; i++) {
        records[i].group = kernel_below(&random, 30);
        records[i].weight = (int32_t)kernel_below(&random, 2000) - 1000;
        for (uint32_t j = 0; j < sizeof records[i].name; j++)
            records[i].name[j] = (char)('a' + kernel_below(&random, 3));
        sorted[i] = &records[i];
    }
    /* Being stable, it leaves the records sorted by all three. */
    for (uint32_t i = 0; i < sizeof orders / sizeof *orders; i++)
        merge_sort(orders[i]);
    for (uint32_t i = 0; i < RECORD_COUNT; i += 100)
        sum = kernel_mix(sum, (uint64_t)(sorted[i] - records));
    return sum;
}

int
main(void)
{
    uint64_t sum = 9;

    for (uint32_t round = kernel_opaque(4); round > 0; round--) {
        sum = sort_numbers(sum, false);
        sum = sort_numbers(sum, true);
        sum = sort_records(sum);
    }
    return kernel_report("sort", sum);
}
