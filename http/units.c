/*
 * Reading numbers and durations.
 *
 * Functions of their arguments alone: any thread may call them.
 */
#include "http/units.h"

#include <string.h>

bool
http__units_number(const char *text, size_t length, uint64_t *number)
{
    uint64_t sum = 0;

    if (length == 0)
        return false;
    for (size_t index = 0; index < length; index++) {
        if (text[index] < '0' || text[index] > '9' ||
            __builtin_mul_overflow(sum, 10u, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(text[index] - '0'), &sum))
            return false;
    }
    *number = sum;
    return true;
}

static bool
is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool
http__units_signed(const char *text, size_t length, int64_t *number)
{
    uint64_t magnitude;

    while (length > 0 && is_space(*text)) {
        text++;
        length--;
    }
    while (length > 0 && is_space(text[length - 1]))
        length--;
    bool negative = length > 0 && *text == '-';
    if (length > 0 && (*text == '-' || *text == '+')) {
        text++;
        length--;
    }
    if (!http__units_number(text, length, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    /* The negation wraps exactly where INT64_MIN needs it. */
    *number = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

static const struct unit {
    const char *name;
    uint64_t ms;
} units[] = {
    {"", 1000},
    {"ms", 1},
    {"s", 1000},
    {"m", 60 * 1000},
    {"h", 3600 * 1000},
    {"d", 24 * 3600 * 1000},
};

bool
http__units_duration_ms(const char *text, size_t length, uint64_t *ms)
{
    size_t digits = 0;
    uint64_t number;

    while (digits < length && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    if (!http__units_number(text, digits, &number))
        return false;
    for (size_t index = 0; index < sizeof(units) / sizeof(*units); index++) {
        size_t name_length = strlen(units[index].name);
        if (name_length == length - digits &&
            memcmp(units[index].name, text + digits, name_length) == 0)
            return !__builtin_mul_overflow(number, units[index].ms, ms);
    }
    return false;
}
