/*
 * json.c - a parser of RFC 8259's JSON: a document is made, then split into
 * tokens, checked and added up by recursive descent, with escapes in strings
 * and with numbers read into doubles.
 */
#include "kernel.h"

enum {
    TEXT_BYTES_MAX = 1 << 18,
    DEPTH_MAX = 32,
};

static char text[TEXT_BYTES_MAX];

struct writer {
    size_t length;
    uint64_t random;
};

static void
put(struct writer *writer, const char *piece)
{
    while (*piece)
        text[writer->length++] = *piece++;
}

static void
put_number(struct writer *writer, uint32_t number)
{
    char digits[12];
    uint32_t at = sizeof digits;

    digits[--at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    put(writer, digits + at);
}

static void
put_value(struct writer *writer, uint32_t depth)
{
    static const char *const texts[] = {"\"glass\"", "\"a\\tb \\\"c\\\"\"",
                                        "\"\\u00e4\\u20ac\"", "\"\"",
                                        "true", "false", "null", "\"/x/y\""};
    uint32_t choice = kernel_below(&writer->random, depth < 6 ? 12 : 9);
    uint32_t count = kernel_below(&writer->random, 7) + 1;

    if (choice < 4) {
        put(writer, texts[kernel_below(&writer->random, 8)]);
    } else if (choice < 9) {
        put(writer, choice == 4 ? "-" : "");
        put_number(writer, kernel_below(&writer->random, 100000));
        put(writer, choice < 6 ? "." : choice == 8 ? "e" : "");
        if (choice < 6 || choice == 8)
            put_number(writer, kernel_below(&writer->random, 20));
    } else if (choice == 9) {
        put(writer, "[ ");
        for (; count > 0; count--) {
            put_value(writer, depth + 1);
            put(writer, count > 1 ? ", " : " ]");
        }
    } else {
        put(writer, "{\n");
        for (; count > 0; count--) {
            put(writer, "  \"key");
            put_number(writer, count * 3);
            put(writer, "\": ");
            put_value(writer, depth + 1);
            put(writer, count > 1 ? ",\n" : "\n}");
        }
    }
}

struct parser {
    const char *at;
    const char *end; /* there is a zero byte at it */
    uint64_t sum;
    uint32_t depth;
    uint32_t tokens;
};

static void
skip_space(struct parser *parser)
{
    while (*parser->at == ' ' || *parser->at == '\n' ||
           *parser->at == '\t' || *parser->at == '\r')
        parser->at++;
}

static bool
take_word(struct parser *parser, const char *word)
{
    for (; *word; word++)
        if (*parser->at++ != *word)
            return false;
    parser->tokens++;
    return true;
}

static bool
take_hex(struct parser *parser, uint32_t *code)
{
    *code = 0;
    for (uint32_t i = 0; i < 4; i++) {
        char c = *parser->at++;

        if (c >= '0' && c <= '9')
            *code = *code * 16 + (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *code = *code * 16 + (uint32_t)(c - 'a') + 10;
        else
            return false;
    }
    return true;
}

static bool
take_string(struct parser *parser)
{
    uint32_t hash = 5381;

    parser->at++;
    while (*parser->at != '"') {
        uint32_t code = (uint8_t)*parser->at++;

        if (code < 0x20)
            return false;
        if (code == '\\') {
            switch (*parser->at++) {
            case '"': code = '"'; break;
            case '\\': code = '\\'; break;
            case '/': code = '/'; break;
            case 'b': code = '\b'; break;
            case 'f': code = '\f'; break;
            case 'n': code = '\n'; break;
            case 'r': code = '\r'; break;
            case 't': code = '\t'; break;
            case 'u':
                if (!take_hex(parser, &code))
                    return false;
                break;
            default: return false;
            }
        }
        hash = hash * 33 ^ code;
    }
    parser->at++;
    parser->tokens++;
    parser->sum += hash;
    return true;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
take_number(struct parser *parser)
{
    bool negative = *parser->at == '-';
    double value = 0, scale = 1;

    parser->at += negative;
    if (!is_digit(*parser->at))
        return false;
    while (is_digit(*parser->at))
        value = value * 10 + (*parser->at++ - '0');
    if (*parser->at == '.') {
        parser->at++;
        while (is_digit(*parser->at)) {
            scale *= 10;
            value = value * 10 + (*parser->at++ - '0');
        }
        value /= scale;
    }
    if (*parser->at == 'e') {
        int32_t exponent = 0;

        parser->at++;
        while (is_digit(*parser->at))
            exponent = exponent * 10 + (*parser->at++ - '0');
        for (; exponent > 0; exponent--)
            value *= 10;
    }
    parser->tokens++;
    parser->sum ^= kernel_bits(negative ? -value : value);
    return true;
}

static bool take_value(struct parser *parser);

/* The members of an array, or an object's. `end` closes it. */
static bool
take_members(struct parser *parser, char end)
{
    if (++parser->depth > DEPTH_MAX)
        return false;
    do {
        parser->at++;
        skip_space(parser);
        if (end == '}') {
            if (*parser->at != '"' || !take_string(parser))
                return false;
            skip_space(parser);
            if (*parser->at++ != ':')
                return false;
        }
        if (!take_value(parser))
            return false;
        skip_space(parser);
    } while (*parser->at == ',');
    parser->depth--;
    parser->tokens++;
    return *parser->at++ == end;
}

static bool
take_value(struct parser *parser)
{
    skip_space(parser);
    switch (*parser->at) {
    case '{': return take_members(parser, '}');
    case '[': return take_members(parser, ']');
    case '"': return take_string(parser);
    case 't': return take_word(parser, "true");
    case 'f': return take_word(parser, "false");
    case 'n': return take_word(parser, "null");
    default: return take_number(parser);
    }
}

int
main(void)
{
    struct writer writer = {.random = 8259};
    uint64_t sum = 17;

    put(&writer, "[");
    while (writer.length < TEXT_BYTES_MAX / 2) {
        put_value(&writer, 0);
        put(&writer, ",\n");
    }
    put(&writer, "null]");
    for (uint32_t round = kernel_opaque(80); round > 0; round--) {
        struct parser parser = {.at = text, .end = text + writer.length};

        sum = kernel_mix(sum, take_value(&parser) && parser.at == parser.end);
        sum = kernel_mix(sum, parser.sum + parser.tokens);
    }
    return kernel_report("json", sum);
}
