/*
 * many.c - a faaslet that does one operation many times, over 10,000 keys that
 * lie ready in its memory. Its input is a letter and a number: p puts the
 * values of bench-state there, q numbers; g gets and i increments so often; n
 * does nothing.
 */
#include "glass.h"

enum { hot_count = 10000, key_bytes = 16, value_bytes = 64 };

static char keys[hot_count][key_bytes];
static char value[value_bytes];

/* Instead of a shuffle: 7919 and the count have no common divisor. */
static void
make_keys(void)
{
    for (int i = 0; i < hot_count; i++) {
        unsigned number = (unsigned)i * 7919u % hot_count;
        for (int k = 0; k < 10; k++)
            keys[i][k] = "user:0000:"[k];
        for (int k = 15; k >= 10; k--, number >>= 4)
            keys[i][k] = "0123456789abcdef"[number & 15];
    }
}

static int
put_all(const char *bytes, size_t length)
{
    for (int i = 0; i < hot_count; i++)
        if (glass_state_put(keys[i], key_bytes, bytes, length, 0, 0) < 0)
            return 1;
    return 0;
}

GLASS_HANDLE(void)
{
    char text[16] = "";
    char target[value_bytes];
    int64_t sum;
    int failed = 0;
    int count = 0;

    glass_input_read(0, text, sizeof(text) - 1);
    for (const char *digit = text + 1; *digit; digit++)
        count = count * 10 + (*digit - '0');
    make_keys();
    for (int i = 0; i < value_bytes; i++)
        value[i] = 'v';
    if (text[0] == 'p' || text[0] == 'q')
        return put_all(text[0] == 'p' ? value : "1000",
                       text[0] == 'p' ? value_bytes : 4);
    for (int i = 0, at = 0; i < count && !failed; i++) {
        if (text[0] == 'g')
            failed = glass_state_get(keys[at], key_bytes, target,
                                     sizeof(target)) != value_bytes;
        else if (text[0] == 'i')
            failed = glass_state_incr(keys[at], key_bytes, 1, &sum) != 0;
        if (++at == hot_count)
            at = 0;
    }
    return failed;
}
