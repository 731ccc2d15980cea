/*
 * mapreduce - counts the lines, words and bytes of its input in pieces, by as
 * many calls of `wordcount` at once, and adds up what they say.
 *
 * It is deployed with a grant to call `wordcount`, which knows nothing of it.
 */
#include "glass.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    piece_bytes = 65536,
    pieces_max = 256, /* 16 MiB, which is the most that an input has */
    numbers_count = 3,
};

static char piece[piece_bytes];
static int32_t handles[pieces_max + 1];

static int
fail(int code, const char *message)
{
    char text[256];
    int length = snprintf(text, sizeof(text), "%s", message);

    glass_fail(code, text, (size_t)length);
    return code;
}

/* How much of the piece ends with a word: all of it, or up to a space. */
static size_t
cut(size_t length, int is_last)
{
    while (!is_last && length > 0 && piece[length - 1] != ' ' &&
           piece[length - 1] != '\n')
        length--;
    return length;
}

/* Calls for each piece; returns how many there are, or a negative error. */
static int
map(void)
{
    int count = 0;
    size_t offset = 0;
    int32_t left;

    while ((left = glass_input_read(offset, piece, piece_bytes)) > 0) {
        size_t length = left < piece_bytes ? (size_t)left : piece_bytes;
        length = cut(length, left <= piece_bytes);
        if (length == 0 || count == pieces_max)
            return GLASS_TOO_BIG; /* a word as long as a piece */
        handles[count] =
            glass_call(GLASS_TEXT("wordcount"), piece, length, 0);
        if (handles[count] < 0)
            return handles[count];
        count++;
        offset += length;
    }
    return count;
}

/* Adds the numbers of a call that has ended; false when it has none. */
static int
add(int32_t handle, unsigned long sums[numbers_count])
{
    char text[80];
    char *next = text;
    int32_t length = glass_result_read(handle, 0, text, sizeof(text) - 1);

    if (glass_await(handle, 0) != GLASS_END_WELL || length < 0 ||
        length >= (int32_t)sizeof(text))
        return 0;
    text[length] = '\0';
    for (int i = 0; i < numbers_count; i++)
        sums[i] += strtoul(next, &next, 10);
    return 1;
}

GLASS_HANDLE(void)
{
    unsigned long sums[numbers_count] = {0};
    char text[80];
    int count = map();

    if (count == GLASS_DENIED)
        return fail(1, "calling 'wordcount' is not granted");
    if (count == GLASS_NOT_FOUND)
        return fail(1, "there is no function 'wordcount'");
    if (count == GLASS_TOO_BIG)
        return fail(2, "the input has a word that is too long");
    if (count < 0)
        return fail(3, "a limit is reached: try again");
    while (count > 0) {
        int32_t index = glass_await_any(handles, (size_t)count, -1);
        if (index < 0 || !add(handles[index], sums))
            return fail(4, "'wordcount' has failed");
        glass_cancel(handles[index]);
        handles[index] = handles[--count];
    }
    int length = snprintf(text, sizeof(text), "%lu %lu %lu\n", sums[0],
                          sums[1], sums[2]);
    glass_output_write(text, (size_t)length);
    return 0;
}
