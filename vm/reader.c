/*
 * reader.c - see reader.h.
 *
 * Functions that read more than one thing work on a copy of the cursor and
 * store it back at the end: a reader that failed has not moved, so whoever
 * looks at `at` afterwards sees the start of what was broken.
 */
#include "vm/reader.h"

#include <stdarg.h>
#include <stdio.h>

/* The text is laid out here, so that gvm__error_set takes it as it is: what
 * a module calls its things may hold a per cent sign. */
enum gvm_status
gvm__read_fail(const struct gvm__reader *reader, enum gvm_status status,
               const uint8_t *at, const char *format, ...)
{
    char message[sizeof(((struct gvm_error *)0)->message)];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    return gvm__error_set(reader->err, status,
                          (uint64_t)(at - reader->start), "%s", message);
}

enum gvm_status
gvm__read_fail_end(const struct gvm__reader *reader)
{
    return gvm__read_fail(reader, GVM_MALFORMED, reader->end,
                          "unexpected end of section or function");
}

/* ---- Failures -------------------------------------------------------- */

/* As GVM_FEATURE_MAP calls it, which is how proposals are called. */
static const char *
feature_name(enum gvm_feature feature)
{
    switch (feature) {
#define FEATURE_CASE(name, bit, text)                                    \
    case GVM_FEATURE_##name:                                             \
        return text;
        GVM_FEATURE_MAP(FEATURE_CASE)
#undef FEATURE_CASE
    }
    return "unknown";
}

enum gvm_status
gvm__read_feature(const struct gvm__reader *reader,
                  struct gvm_module *module, const uint8_t *at,
                  enum gvm_feature feature, const char *what)
{
    if (module->features & (uint32_t)feature) {
        module->features_used |= (uint32_t)feature;
        return GVM_OK;
    }
    return gvm__read_fail(reader, GVM_MALFORMED, at,
                          "%s: needs the feature %s", what,
                          feature_name(feature));
}

/* ---- Integers -------------------------------------------------------- */

/*
 * LEB128 of `bits` bits. The last byte that the width allows must not ask
 * for another one, and what it has beyond the width must be zeros or, when
 * the value is signed and negative, ones. The result is extended by sign or
 * by zeros to 64 bits.
 */
static enum gvm_status
read_leb128(struct gvm__reader *reader, unsigned bits, bool is_signed,
            uint64_t *value)
{
    const uint8_t *at = reader->at;
    unsigned shift = 0;
    uint64_t result = 0;
    uint8_t byte;

    do {
        if (at == reader->end) {
            return gvm__read_fail_end(reader);
        }
        byte = *at++;
        /* The last byte that this width allows. */
        if (shift + 7 >= bits) {
            unsigned value_bits = bits - shift;
            /* Bits of the byte that the value does not have. */
            uint8_t unused = (uint8_t)(0x7f << value_bits) & 0x7f;
            bool negative = is_signed && (byte >> (value_bits - 1) & 1);

            if (byte & 0x80) {
                return gvm__read_fail(reader, GVM_MALFORMED, reader->at,
                                      "integer representation too long");
            }
            if ((byte & unused) != (negative ? unused : 0)) {
                return gvm__read_fail(reader, GVM_MALFORMED, reader->at,
                                      "integer too large");
            }
        }
        result |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);

    /* Bit 6 of the last byte is the sign, wherever that byte comes. */
    if (is_signed && (byte & 0x40) && shift < 64) {
        result |= UINT64_MAX << shift;
    }
    *value = result;
    reader->at = at;
    return GVM_OK;
}

enum gvm_status
gvm__read_u32_long(struct gvm__reader *reader, uint32_t *value)
{
    uint64_t wide;

    GVM__TRY(read_leb128(reader, 32, false, &wide));
    *value = (uint32_t)wide;
    return GVM_OK;
}

enum gvm_status
gvm__read_s32(struct gvm__reader *reader, int32_t *value)
{
    uint64_t wide;

    GVM__TRY(read_leb128(reader, 32, true, &wide));
    *value = (int32_t)(uint32_t)wide;
    return GVM_OK;
}

enum gvm_status
gvm__read_s33(struct gvm__reader *reader, int64_t *value)
{
    uint64_t wide;

    GVM__TRY(read_leb128(reader, 33, true, &wide));
    *value = (int64_t)wide;
    return GVM_OK;
}

enum gvm_status
gvm__read_s64(struct gvm__reader *reader, int64_t *value)
{
    uint64_t wide;

    GVM__TRY(read_leb128(reader, 64, true, &wide));
    *value = (int64_t)wide;
    return GVM_OK;
}

enum gvm_status
gvm__read_fixed(struct gvm__reader *reader, unsigned length_bytes,
                uint64_t *value)
{
    uint64_t result = 0;

    if (gvm__reader_left(reader) < length_bytes) {
        return gvm__read_fail_end(reader);
    }
    for (unsigned i = 0; i < length_bytes; i++) {
        result |= (uint64_t)reader->at[i] << (8 * i);
    }
    reader->at += length_bytes;
    *value = result;
    return GVM_OK;
}

/* ---- Bytes and names ------------------------------------------------- */

enum gvm_status
gvm__read_bytes(struct gvm__reader *reader, uint64_t length_bytes,
                const uint8_t **bytes)
{
    if (gvm__reader_left(reader) < length_bytes) {
        return gvm__read_fail(reader, GVM_MALFORMED, reader->at,
                              "length out of bounds");
    }
    *bytes = reader->at;
    reader->at += length_bytes;
    return GVM_OK;
}

/*
 * How many bytes the character at `bytes` takes; 0 when it is not one. The
 * first two bytes decide whether a form is the shortest, is no surrogate and
 * lies below U+110000; the others only have to continue it.
 */
static size_t
utf8_character_bytes(const uint8_t *bytes, size_t left_bytes)
{
    static const struct {
        uint8_t first_min, first_max, second_min, second_max, length_bytes;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, /* no surrogates */
        {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t length_bytes = forms[i].length_bytes;

        if (bytes[0] < forms[i].first_min || bytes[0] > forms[i].first_max) {
            continue;
        }
        if (length_bytes > left_bytes) {
            return 0;
        }
        if (length_bytes > 1 && (bytes[1] < forms[i].second_min ||
                                 bytes[1] > forms[i].second_max)) {
            return 0;
        }
        for (size_t k = 2; k < length_bytes; k++) {
            if ((bytes[k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return length_bytes;
    }
    return 0;
}

bool
gvm__utf8_is_valid(const uint8_t *bytes, size_t length_bytes)
{
    size_t at = 0;

    while (at < length_bytes) {
        size_t character_bytes =
            utf8_character_bytes(bytes + at, length_bytes - at);

        if (character_bytes == 0) {
            return false;
        }
        at += character_bytes;
    }
    return true;
}

enum gvm_status
gvm__read_name(struct gvm__reader *reader, const char **name,
               size_t *length_bytes)
{
    struct gvm__reader from = *reader;
    const uint8_t *bytes = NULL;
    uint32_t length;

    /* A length past the end is malformed whatever the limit says. */
    GVM__TRY(gvm__read_u32(&from, &length));
    GVM__TRY(gvm__read_bytes(&from, length, &bytes));
    if (length > GVM_NAME_BYTES_MAX) {
        return gvm__read_fail(
            reader, GVM_LIMIT, reader->at,
            "a name has %u bytes, GVM_NAME_BYTES_MAX is %u", length,
            GVM_NAME_BYTES_MAX);
    }
    if (!gvm__utf8_is_valid(bytes, length)) {
        return gvm__read_fail(reader, GVM_MALFORMED, bytes,
                              "malformed UTF-8 encoding");
    }
    *name = (const char *)bytes;
    *length_bytes = length;
    *reader = from;
    return GVM_OK;
}

/* ---- Vectors and parts ----------------------------------------------- */

enum gvm_status
gvm__read_count(struct gvm__reader *reader, uint32_t item_bytes_min,
                uint32_t max, const char *limit, uint32_t *count)
{
    struct gvm__reader from = *reader;
    uint32_t result;

    GVM__TRY(gvm__read_u32(&from, &result));
    /* Divided, as a product of what the module says could wrap around. */
    if (result > gvm__reader_left(&from) / item_bytes_min) {
        return gvm__read_fail(reader, GVM_MALFORMED, reader->at,
                              "length out of bounds: %u items", result);
    }
    if (result > max) {
        return gvm__read_fail(reader, GVM_LIMIT, reader->at,
                              "a vector of %u items, %s is %u", result,
                              limit, max);
    }
    *count = result;
    *reader = from;
    return GVM_OK;
}

enum gvm_status
gvm__read_part(struct gvm__reader *reader, uint32_t length_bytes,
               struct gvm__reader *part)
{
    const uint8_t *bytes = NULL;

    GVM__TRY(gvm__read_bytes(reader, length_bytes, &bytes));
    *part = *reader;
    part->at = bytes;
    part->end = bytes + length_bytes;
    return GVM_OK;
}
