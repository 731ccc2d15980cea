/*
 * csv.c - text, byte by byte: a table in RFC 4180's format is made, with
 * quoted fields and letters of up to four bytes, then parsed by a state
 * machine; fields are checked to be UTF-8, or read as numbers and summed.
 */
#include "kernel.h"

enum {
    ROW_COUNT = 4000,
    TEXT_BYTES_MAX = 1 << 19,
    FIELD_BYTES_MAX = 256,
};

static uint8_t text[TEXT_BYTES_MAX];

struct writer {
    size_t length;
    uint64_t random;
};

static void
put(struct writer *writer, uint32_t byte)
{
    text[writer->length++] = (uint8_t)byte;
}

static void
put_code_point(struct writer *writer, uint32_t code)
{
    if (code < 0x80) {
        put(writer, code);
    } else if (code < 0x800) {
        put(writer, 0xc0 | code >> 6);
        put(writer, 0x80 | (code & 63));
    } else if (code < 0x10000) {
        put(writer, 0xe0 | code >> 12);
        put(writer, 0x80 | (code >> 6 & 63));
        put(writer, 0x80 | (code & 63));
    } else {
        put(writer, 0xf0 | code >> 18);
        put(writer, 0x80 | (code >> 12 & 63));
        put(writer, 0x80 | (code >> 6 & 63));
        put(writer, 0x80 | (code & 63));
    }
}

static void
put_number(struct writer *writer, uint32_t number)
{
    char digits[12];
    uint32_t count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (count > 0)
        put(writer, (uint8_t)digits[--count]);
}

/* A quoted field of letters, commas, line ends and doubled quotes. */
static void
put_quoted(struct writer *writer)
{
    put(writer, '"');
    for (uint32_t i = kernel_below(&writer->random, 16) + 4; i > 0; i--) {
        uint32_t choice = kernel_below(&writer->random, 16);

        if (choice == 0) {
            put(writer, '"');
            put(writer, '"');
        } else if (choice == 1) {
            put(writer, kernel_below(&writer->random, 2) ? ',' : '\n');
        } else if (choice == 2) {
            put_code_point(writer,
                           0x1f300 + kernel_below(&writer->random, 256));
        } else if (choice == 3) {
            put_code_point(writer, 0xe0 + kernel_below(&writer->random, 31));
        } else if (choice == 4) {
            put_code_point(writer,
                           0x3040 + kernel_below(&writer->random, 96));
        } else {
            put(writer, 'a' + kernel_below(&writer->random, 26));
        }
    }
    put(writer, '"');
}

static void
put_row(struct writer *writer, uint32_t row)
{
    put_number(writer, row);
    put(writer, ',');
    for (uint32_t i = kernel_below(&writer->random, 10) + 3; i > 0; i--)
        put(writer, 'A' + kernel_below(&writer->random, 26));
    put(writer, ',');
    put_quoted(writer);
    put(writer, ',');
    if (kernel_below(&writer->random, 4) == 0)
        put(writer, '-');
    put_number(writer, kernel_below(&writer->random, 1000000));
    put(writer, '.');
    put_number(writer, 10 + kernel_below(&writer->random, 90));
    put(writer, '\r');
    put(writer, '\n');
}

/* The number of code points, or UINT32_MAX when it is not UTF-8. */
static uint32_t
count_code_points(const uint8_t *bytes, size_t length)
{
    uint32_t count = 0;

    for (size_t i = 0; i < length; count++) {
        uint32_t lead = bytes[i++], code, more;

        if (lead < 0x80)
            continue;
        if (lead < 0xc2 || lead > 0xf4)
            return UINT32_MAX;
        more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
        code = lead & (0x3fu >> more);
        if (length - i < more)
            return UINT32_MAX;
        for (uint32_t left = more; left > 0; left--) {
            if ((bytes[i] & 0xc0) != 0x80)
                return UINT32_MAX;
            code = code << 6 | (bytes[i++] & 0x3fu);
        }
        /* Nothing longer than needed, no surrogates, nothing above. */
        if ((more == 2 && code < 0x800) || (more == 3 && code < 0x10000) ||
            code >> 11 == 0x1b || code > 0x10ffff)
            return UINT32_MAX;
    }
    return count;
}

/* A number with two places after the point, in hundredths. */
static bool
read_hundredths(const uint8_t *bytes, size_t length, int64_t *value)
{
    int64_t number = 0;
    size_t i = length > 0 && bytes[0] == '-', places = 0;
    bool after_point = false;

    if (i == length)
        return false;
    for (; i < length; i++) {
        if (bytes[i] == '.' && !after_point) {
            after_point = true;
            continue;
        }
        if (bytes[i] < '0' || bytes[i] > '9')
            return false;
        number = number * 10 + (bytes[i] - '0');
        places += after_point;
    }
    for (; places < 2; places++)
        number *= 10;
    *value = bytes[0] == '-' ? -number : number;
    return true;
}

struct totals {
    int64_t hundredths;
    uint64_t code_points;
    uint32_t rows, fields, numbers, wrong;
};

static void
take_field(struct totals *totals, const uint8_t *field, size_t length)
{
    int64_t value;
    uint32_t count;

    totals->fields++;
    if (read_hundredths(field, length, &value)) {
        totals->numbers++;
        totals->hundredths += value;
        return;
    }
    count = count_code_points(field, length);
    if (count == UINT32_MAX)
        totals->wrong++;
    else
        totals->code_points += count;
}

static void
parse(struct totals *totals, size_t length)
{
    enum { START, PLAIN, QUOTED, QUOTE } state = START;
    uint8_t field[FIELD_BYTES_MAX];
    size_t used = 0;

    for (size_t i = 0; i < length; i++) {
        uint8_t byte = text[i];

        if (state == QUOTED) {
            if (byte == '"')
                state = QUOTE;
            else
                field[used++] = byte;
        } else if (byte == '"') {
            /* Behind a quote it is a quote of the text. */
            if (state == QUOTE)
                field[used++] = byte;
            state = QUOTED;
        } else if (byte == ',' || byte == '\n') {
            take_field(totals, field, used);
            totals->rows += byte == '\n';
            used = 0;
            state = START;
        } else if (byte != '\r') {
            field[used++] = byte;
            state = PLAIN;
        }
    }
}

int
main(void)
{
    struct writer writer = {.random = 12345};
    struct totals totals = {0};
    uint64_t sum = 5;

    for (uint32_t row = 0; row < ROW_COUNT; row++)
        put_row(&writer, row);
    for (uint32_t round = kernel_opaque(24); round > 0; round--)
        parse(&totals, writer.length);
    sum = kernel_mix(sum, (uint64_t)totals.hundredths);
    sum = kernel_mix(sum, totals.code_points);
    sum = kernel_mix(sum, (uint64_t)totals.rows << 32 | totals.fields);
    sum = kernel_mix(sum, (uint64_t)totals.numbers << 32 | totals.wrong);
    return kernel_report("csv", sum);
}
