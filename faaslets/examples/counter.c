/*
 * counter - adds the number in its input to the state's key `counter`, 1 when
 * the input is empty, and answers the sum.
 *
 * Any number of calls may run at once: the addition is one operation of the
 * state, so none of them is lost.
 */
#include "glass.h"

enum {
    number_bytes_max = 20,               /* of "-9223372036854775808" */
    input_bytes_max = number_bytes_max + 4, /* spaces, a line's end */
};

/* What the input may hold: spaces and line ends around the number. */
static int
is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/*
 * Reads the decimal number that fills `text`. The sum is built from below
 * zero, where there is room for one number more. Returns 0 when `text` is no
 * number of 64 bits.
 */
static int
parse_number(const char *text, size_t length, int64_t *number)
{
    int64_t sum = 0;
    int negative = text[0] == '-';
    size_t index = text[0] == '-' || text[0] == '+';

    if (index == length)
        return 0;
    for (; index < length; index++) {
        if (text[index] < '0' || text[index] > '9')
            return 0;
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_sub_overflow(sum, text[index] - '0', &sum))
            return 0;
    }
    if (!negative && sum == INT64_MIN)
        return 0;
    *number = negative ? sum : -sum;
    return 1;
}

/* Writes `number` to the end of `text`; returns where it begins. */
static size_t
format_number(int64_t number, char text[number_bytes_max])
{
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    size_t begin = number_bytes_max;

    do {
        text[--begin] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        text[--begin] = '-';
    return begin;
}

static int
read_delta(int64_t *delta)
{
    char input[input_bytes_max];
    int32_t input_len = glass_input_read(0, input, sizeof(input));
    size_t begin = 0;
    size_t end = (size_t)input_len;

    if (input_len < 0 || input_len > input_bytes_max)
        return 0;
    while (begin < end && is_space(input[begin]))
        begin++;
    while (begin < end && is_space(input[end - 1]))
        end--;
    *delta = 1;
    return begin == end || parse_number(input + begin, end - begin, delta);
}

GLASS_HANDLE(void)
{
    char text[number_bytes_max];
    int64_t delta;
    int64_t sum;

    if (!read_delta(&delta)) {
        glass_fail(1, GLASS_TEXT("the input is not a 64-bit decimal number"));
        return 1;
    }
    int32_t status = glass_state_incr(GLASS_TEXT("counter"), delta, &sum);
    if (status == GLASS_INVALID) {
        glass_fail(2, GLASS_TEXT("the key 'counter' holds no number, or the "
                                 "sum does not fit 64 bits"));
        return 2;
    }
    if (status < 0) {
        glass_fail(3, GLASS_TEXT("the state did not take the addition"));
        return 3;
    }
    size_t begin = format_number(sum, text);
    glass_output_write(text + begin, sizeof(text) - begin);
    return 0;
}
