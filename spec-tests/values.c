/*
 * values.c - values as the suite writes them; see values.h.
 *
 * The scalar types and the lanes of vectors are two rows of the same idea:
 * a width and whether the bits are a float's, in which case the two names of
 * NaNs are allowed as well. Numbers are parsed by hand because the suite has
 * no signs, no leading blanks and no other bases, and strtoull has them all.
 */
#include "spec-tests/values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How the bits of a scalar or of one lane are read. */
struct number_kind {
    const char *name;
    enum gvm_value_type type; /* 0: only as a lane */
    unsigned bits;
    bool is_float;
};

static const struct number_kind number_kinds[] = {
    {"i8", 0, 8, false},        {"i16", 0, 16, false},
    {"i32", GVM_I32, 32, false}, {"i64", GVM_I64, 64, false},
    {"f32", GVM_F32, 32, true},  {"f64", GVM_F64, 64, true},
};

static const struct number_kind *
number_kind_find(const char *name)
{
    size_t count = sizeof number_kinds / sizeof number_kinds[0];

    for (size_t i = 0; name != NULL && i < count; i++) {
        if (strcmp(number_kinds[i].name, name) == 0)
            return &number_kinds[i];
    }
    return NULL;
}

static const char *
member_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* An unsigned decimal below 2^bits, and nothing around it. */
static bool
parse_number(const char *text, unsigned bits, uint64_t *number)
{
    uint64_t value = 0;
    uint64_t max = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;

    if (text == NULL || *text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        uint64_t digit = (uint64_t)(unsigned char)*text - '0';

        if (digit > 9 || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

static bool
parse_v128(const json_t *constant, uint8_t v128[SPEC_V128_BYTES])
{
    const struct number_kind *kind =
        number_kind_find(member_text(constant, "lane_type"));
    const json_t *lanes = json_object_get(constant, "value");

    if (kind == NULL || json_array_size(lanes) != 128 / kind->bits)
        return false;
    for (size_t i = 0; i < 128 / kind->bits; i++) {
        const char *text = json_string_value(json_array_get(lanes, i));
        uint64_t number;

        if (!parse_number(text, kind->bits, &number))
            return false;
        for (unsigned byte = 0; byte < kind->bits / 8; byte++)
            v128[i * kind->bits / 8 + byte] = (uint8_t)(number >> byte * 8);
    }
    return true;
}

/* The two types of references of WebAssembly 2.0. */
static bool
parse_reference_type(const char *name, enum gvm_value_type *type)
{
    if (strcmp(name, "funcref") == 0)
        *type = GVM_FUNCREF;
    else if (strcmp(name, "externref") == 0)
        *type = GVM_EXTERNREF;
    else
        return false;
    return true;
}

/* "null", or for references of the host a number. */
static bool
parse_reference(const char *text, struct spec_value *value)
{
    uint64_t number;

    if (text == NULL)
        return false;
    if (strcmp(text, "null") == 0)
        return true;
    if (value->type != GVM_EXTERNREF || !parse_number(text, 32, &number))
        return false;
    value->slot.externref = (void *)(uintptr_t)(number + 1);
    return true;
}

bool
spec_values_parse(const json_t *constant, struct spec_value *value)
{
    const char *type = member_text(constant, "type");
    const char *text = member_text(constant, "value");
    const struct number_kind *kind = number_kind_find(type);
    struct spec_value parsed = {.slot.slot = 0};

    if (type == NULL)
        return false;
    if (kind != NULL && kind->type != 0) {
        parsed.type = kind->type;
        if (!parse_number(text, kind->bits, &parsed.slot.slot))
            return false;
    } else if (strcmp(type, "v128") == 0) {
        parsed.type = GVM_V128;
        if (!parse_v128(constant, parsed.v128))
            return false;
    } else if (!parse_reference_type(type, &parsed.type) ||
               !parse_reference(text, &parsed)) {
        return false;
    }
    *value = parsed;
    return true;
}

/*
 * A canonical NaN has only the top bit of its payload set; an arithmetic one
 * has at least that. The sign is free for both.
 */
static bool
match_nan(const char *text, unsigned bits, uint64_t number)
{
    unsigned payload_bits = bits == 32 ? 23 : 52;
    uint64_t sign = UINT64_C(1) << (bits - 1);
    uint64_t quiet = (sign - 1) & ~((UINT64_C(1) << (payload_bits - 1)) - 1);

    if (strcmp(text, "nan:canonical") == 0)
        return (number & ~sign) == quiet;
    if (strcmp(text, "nan:arithmetic") == 0)
        return (number & quiet) == quiet;
    return false;
}

static bool
match_number(const struct number_kind *kind, const char *text,
             uint64_t number)
{
    uint64_t expected;

    if (text == NULL)
        return false;
    if (parse_number(text, kind->bits, &expected))
        return expected == number;
    return kind->is_float && match_nan(text, kind->bits, number);
}

static bool
match_v128(const json_t *expected, const uint8_t v128[SPEC_V128_BYTES])
{
    const struct number_kind *kind =
        number_kind_find(member_text(expected, "lane_type"));
    const json_t *lanes = json_object_get(expected, "value");

    if (kind == NULL || json_array_size(lanes) != 128 / kind->bits)
        return false;
    for (size_t i = 0; i < 128 / kind->bits; i++) {
        const char *text = json_string_value(json_array_get(lanes, i));
        uint64_t number = 0;

        for (unsigned byte = 0; byte < kind->bits / 8; byte++) {
            uint64_t bits = v128[i * kind->bits / 8 + byte];

            number |= bits << byte * 8;
        }
        if (!match_number(kind, text, number))
            return false;
    }
    return true;
}

static bool
match_reference(const json_t *expected, const char *type,
                const struct spec_value *actual)
{
    struct spec_value value = {.slot.slot = 0};
    bool is_null = actual->slot.externref == NULL;

    /* The third edition's null of no matter which type. */
    if (strcmp(type, "refnull") == 0) {
        return is_null && (actual->type == GVM_FUNCREF ||
                           actual->type == GVM_EXTERNREF);
    }
    if (!parse_reference_type(type, &value.type) ||
        value.type != actual->type)
        return false;
    if (json_object_get(expected, "value") == NULL)
        return !is_null;
    return parse_reference(member_text(expected, "value"), &value) &&
           value.slot.externref == actual->slot.externref;
}

/* All but "either", so that matching needs no recursion. */
static bool
match_one(const json_t *expected, const struct spec_value *actual)
{
    const char *type = member_text(expected, "type");
    const struct number_kind *kind = number_kind_find(type);

    if (type == NULL)
        return false;
    if (kind != NULL && kind->type != 0) {
        uint64_t number = actual->slot.slot;

        /* Nothing is said about the upper half of an f32's slot. */
        if (kind->type == GVM_F32)
            number = actual->slot.i32;
        return kind->type == actual->type &&
               match_number(kind, member_text(expected, "value"), number);
    }
    if (strcmp(type, "v128") == 0)
        return actual->type == GVM_V128 && match_v128(expected, actual->v128);
    return match_reference(expected, type, actual);
}

bool
spec_values_match(const json_t *expected, const struct spec_value *actual)
{
    const char *type = member_text(expected, "type");
    const json_t *values = json_object_get(expected, "values");

    if (type == NULL || strcmp(type, "either") != 0)
        return match_one(expected, actual);
    for (size_t i = 0; i < json_array_size(values); i++) {
        if (match_one(json_array_get(values, i), actual))
            return true;
    }
    return false;
}

void
spec_values_format(const struct spec_value *value, char *text,
                   size_t text_bytes)
{
    const char *name = gvm_value_type_name(value->type);
    char lanes[2 * SPEC_V128_BYTES + 1] = "";

    switch (value->type) {
    case GVM_I32:
    case GVM_I64:
        snprintf(text, text_bytes, "%s %" PRIu64, name, value->slot.i64);
        break;
    case GVM_F32:
        snprintf(text, text_bytes, "%s %" PRIu32 " (%.9g)", name,
                 value->slot.i32, (double)value->slot.f32);
        break;
    case GVM_F64:
        snprintf(text, text_bytes, "%s %" PRIu64 " (%.17g)", name,
                 value->slot.i64, value->slot.f64);
        break;
    case GVM_V128:
        for (size_t i = 0; i < SPEC_V128_BYTES; i++)
            snprintf(lanes + 2 * i, 3, "%02x", value->v128[i]);
        snprintf(text, text_bytes, "%s 0x%s (first byte first)", name, lanes);
        break;
    case GVM_FUNCREF:
    case GVM_EXTERNREF:
        if (value->slot.externref == NULL)
            snprintf(text, text_bytes, "%s null", name);
        else if (value->type == GVM_FUNCREF)
            snprintf(text, text_bytes, "%s to a function", name);
        else
            snprintf(text, text_bytes, "%s %" PRIuPTR, name,
                     (uintptr_t)value->slot.externref - 1);
        break;
    }
}

/* Appends to a text of which `*used` bytes are written; cuts it. */
static void
append(char *text, size_t text_bytes, size_t *used, const char *piece)
{
    size_t piece_bytes = strlen(piece);
    size_t room = text_bytes - *used - 1;

    if (piece_bytes > room)
        piece_bytes = room;
    memcpy(text + *used, piece, piece_bytes);
    *used += piece_bytes;
    text[*used] = '\0';
}

void
spec_values_format_expected(const json_t *expected, char *text,
                            size_t text_bytes)
{
    const char *type = member_text(expected, "type");
    const char *lane_type = member_text(expected, "lane_type");
    const json_t *value = json_object_get(expected, "value");
    size_t values = json_array_size(json_object_get(expected, "values"));
    size_t used = 0;

    if (text_bytes == 0)
        return;
    text[0] = '\0';
    if (values != 0) {
        snprintf(text, text_bytes, "one of %zu values", values);
        return;
    }
    append(text, text_bytes, &used, type != NULL ? type : "nothing sensible");
    if (lane_type != NULL) {
        append(text, text_bytes, &used, " ");
        append(text, text_bytes, &used, lane_type);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *lane = json_string_value(json_array_get(value, i));

        append(text, text_bytes, &used, " ");
        append(text, text_bytes, &used, lane != NULL ? lane : "?");
    }
    if (json_is_string(value)) {
        append(text, text_bytes, &used, " ");
        append(text, text_bytes, &used, json_string_value(value));
    } else if (value == NULL) {
        append(text, text_bytes, &used, " that is any of its type");
    }
}
