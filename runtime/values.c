/*
 * values.c - the numbers of WebAssembly as text.
 *
 * Floats are read and written in the C locale whatever the process has
 * chosen: a decimal comma would be no JSON. The fewest digits that read back
 * as the same number are found by trying: at most 9 for f32, 17 for f64.
 */
#define _GNU_SOURCE 1 /* strtof_l, strtod_l */

#include "runtime/values.h"

#include "runtime/error.h"

#include <ctype.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Reading ------------------------------------------------------------ */

/*
 * Reads `bits` wide integers: an optional sign, then decimal digits or 0x and
 * hexadecimal ones, in the signed or the unsigned range. A negative one comes
 * as its two's complement.
 */
static bool
parse_integer(const char *text, unsigned bits, uint64_t *value)
{
    uint64_t limit = bits == 32 ? UINT32_MAX : UINT64_MAX;
    uint64_t sum = 0;
    bool negative = *text == '-';
    unsigned base = 10;

    if (*text == '-' || *text == '+')
        text++;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (!*text)
        return false;
    for (; *text; text++) {
        unsigned digit = isdigit((unsigned char)*text)
                             ? (unsigned)(*text - '0')
                             : isxdigit((unsigned char)*text)
                                 ? (unsigned)((*text | 32) - 'a' + 10)
                                 : base;
        if (digit >= base || __builtin_mul_overflow(sum, base, &sum) ||
            __builtin_add_overflow(sum, digit, &sum) || sum > limit)
            return false;
    }
    if (negative && sum > (UINT64_C(1) << (bits - 1)))
        return false;
    *value = (negative ? 0 - sum : sum) & limit;
    return true;
}

/* strtod would skip spaces; NULL when the text does not begin a number. */
static bool
begins_number(const char *text)
{
    return *text && !isspace((unsigned char)*text);
}

static bool
parse_float(const char *text, locale_t locale, union gvm_value *value)
{
    char *end;

    if (!begins_number(text))
        return false;
    value->f32 = strtof_l(text, &end, locale);
    return *end == '\0';
}

static bool
parse_double(const char *text, locale_t locale, union gvm_value *value)
{
    char *end;

    if (!begins_number(text))
        return false;
    value->f64 = strtod_l(text, &end, locale);
    return *end == '\0';
}

static bool
parse_value(const char *text, uint8_t type, locale_t locale,
            union gvm_value *value)
{
    value->slot = 0;
    switch (type) {
    case GVM_I32:
        return parse_integer(text, 32, &value->slot);
    case GVM_I64:
        return parse_integer(text, 64, &value->slot);
    case GVM_F32:
        return parse_float(text, locale, value);
    default:
        return parse_double(text, locale, value);
    }
}

/* Whether all of the types are numbers; `first_other` is one that is not. */
static bool
are_numbers(const uint8_t *types, uint32_t count, uint8_t *first_other)
{
    for (uint32_t i = 0; i < count; i++) {
        if (types[i] != GVM_I32 && types[i] != GVM_I64 &&
            types[i] != GVM_F32 && types[i] != GVM_F64) {
            *first_other = types[i];
            return false;
        }
    }
    return true;
}

static enum runtime_status
check_type(const struct gvm_func_type *type, size_t count,
           struct runtime_error *err)
{
    uint8_t other;

    if (!are_numbers(type->parameters, type->parameter_count, &other) ||
        !are_numbers(type->results, type->result_count, &other))
        return runtime__error_set(
            err, RUNTIME_INVALID,
            "the export takes or returns %s, which has no form as text",
            gvm_value_type_name((enum gvm_value_type)other));
    if (type->parameter_count != count)
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "the export takes %u arguments, not %zu",
                                  type->parameter_count, count);
    return RUNTIME_OK;
}

enum runtime_status
runtime__values_parse(const struct gvm_func_type *type,
                      const char *const *texts, size_t count,
                      union gvm_value **values, struct runtime_error *err)
{
    enum runtime_status status = check_type(type, count, err);
    locale_t locale = (locale_t)0;
    union gvm_value *read = NULL;

    if (status != RUNTIME_OK)
        return status;
    read = calloc(count + 1, sizeof(*read));
    locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!read || !locale) {
        status = runtime__error_set(err, RUNTIME_NO_MEMORY,
                                    "out of memory for %zu arguments",
                                    count);
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        if (!parse_value(texts[i], type->parameters[i], locale, &read[i])) {
            status = runtime__error_set(
                err, RUNTIME_INVALID, "argument %zu, '%.64s', is no %s",
                i + 1, texts[i],
                gvm_value_type_name(
                    (enum gvm_value_type)type->parameters[i]));
            goto done;
        }
    }
    *values = read;
    read = NULL;
done:
    free(read);
    if (locale)
        freelocale(locale);
    return status;
}

/* ---- Writing ------------------------------------------------------------ */

/* With the C locale in use. */
static void
format_float(char text[RUNTIME_VALUE_TEXT_SIZE], float value)
{
    if (isnan(value)) {
        strcpy(text, "nan");
        return;
    }
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, RUNTIME_VALUE_TEXT_SIZE, "%.*g", digits,
                 (double)value);
        if (strtof(text, NULL) == value)
            return;
    }
}

static void
format_double(char text[RUNTIME_VALUE_TEXT_SIZE], double value)
{
    if (isnan(value)) {
        strcpy(text, "nan");
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, RUNTIME_VALUE_TEXT_SIZE, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}

static void
format_value(struct runtime_value *value, uint8_t type,
             const union gvm_value *result)
{
    value->type = gvm_value_type_name((enum gvm_value_type)type);
    switch (type) {
    case GVM_I32:
        snprintf(value->text, sizeof(value->text), "%" PRId32,
                 (int32_t)result->i32);
        break;
    case GVM_I64:
        snprintf(value->text, sizeof(value->text), "%" PRId64,
                 (int64_t)result->i64);
        break;
    case GVM_F32:
        format_float(value->text, result->f32);
        break;
    default:
        format_double(value->text, result->f64);
        break;
    }
}

struct runtime_value *
runtime__values_format(const struct gvm_func_type *type,
                       const union gvm_value *results)
{
    size_t count = type->result_count;
    struct runtime_value *values = calloc(count + 1, sizeof(*values));
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    if (!values || !locale) {
        free(values);
        values = NULL;
    } else {
        /* Of this thread alone, and only for a moment. */
        locale_t before = uselocale(locale);
        for (size_t i = 0; i < count; i++)
            format_value(&values[i], type->results[i], &results[i]);
        uselocale(before);
    }
    if (locale)
        freelocale(locale);
    return values;
}
