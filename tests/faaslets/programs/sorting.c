/*
 * sorting - sorts the lines of its standard input and says how often each
 * occurs: memory that grows, calls through pointers, strings of any length.
 * Exit code 3 when there was no line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lines {
    char **items;
    size_t count;
    size_t capacity;
};

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void *
checked(void *memory)
{
    if (memory == NULL) {
        fputs("sorting: out of memory\n", stderr);
        exit(4);
    }
    return memory;
}

/* Reads one line without its end; returns NULL at the end of the input. */
static char *
read_line(void)
{
    size_t length = 0;
    size_t capacity = 8;
    char *line = checked(malloc(capacity));
    int byte = getchar();

    if (byte == EOF) {
        free(line);
        return NULL;
    }
    for (; byte != EOF && byte != '\n'; byte = getchar()) {
        if (length + 1 == capacity)
            line = checked(realloc(line, capacity *= 2));
        line[length++] = (char)byte;
    }
    line[length] = '\0';
    return line;
}

int
main(void)
{
    struct lines lines = {NULL, 0, 0};
    char *line;

    while ((line = read_line()) != NULL) {
        if (lines.count == lines.capacity) {
            lines.capacity = lines.capacity == 0 ? 4 : lines.capacity * 2;
            lines.items = checked(realloc(
                lines.items, lines.capacity * sizeof(lines.items[0])));
        }
        lines.items[lines.count++] = line;
    }
    if (lines.count == 0)
        return 3;
    qsort(lines.items, lines.count, sizeof(lines.items[0]), compare_lines);
    for (size_t begin = 0, end; begin < lines.count; begin = end) {
        for (end = begin; end < lines.count; end++)
            if (strcmp(lines.items[begin], lines.items[end]) != 0)
                break;
        printf("%7zu %s\n", end - begin, lines.items[begin]);
    }
    for (size_t index = 0; index < lines.count; index++)
        free(lines.items[index]);
    free(lines.items);
    return 0;
}
