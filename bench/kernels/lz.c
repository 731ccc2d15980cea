/*
 * lz.c - a compressor after Lempel and Ziv's idea of 1977: matches are found
 * by chains of hashed positions and written as tokens of a length of
 * literals, an offset and a length of a match; what comes out is decompressed
 * and compared.
 */
#include "kernel.h"

enum {
    TEXT_BYTES = 1 << 17,
    PACKED_BYTES_MAX = TEXT_BYTES + TEXT_BYTES / 8,
    HASH_BITS = 13,
    WINDOW_BYTES = 1 << 15,
    MATCH_BYTES_MIN = 4,
    CHAIN_MAX = 12,
    NIBBLE_MAX = 15,
};

static uint8_t text[TEXT_BYTES], packed[PACKED_BYTES_MAX];
static uint8_t unpacked[TEXT_BYTES];
/* The last position of each hash, and before each position the previous one
 * with its hash; -1: none. */
static int32_t heads[1 << HASH_BITS], previous[WINDOW_BYTES];

static uint32_t
hash_at(const uint8_t *bytes)
{
    uint32_t word = bytes[0] | (uint32_t)bytes[1] << 8 |
                    (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;

    return word * 2654435761u >> (32 - HASH_BITS);
}

static void
remember(int32_t position)
{
    uint32_t hash = hash_at(text + position);

    previous[position % WINDOW_BYTES] = heads[hash];
    heads[hash] = position;
}

/* The longest match of what stands at `position`; 0 when there is none. */
static int32_t
find_match(int32_t position, int32_t *offset)
{
    int32_t best = MATCH_BYTES_MIN - 1, chain = CHAIN_MAX;
    int32_t at = heads[hash_at(text + position)];

    for (; at >= 0 && position - at < WINDOW_BYTES && chain > 0; chain--) {
        int32_t length = 0;

        if (position + best < TEXT_BYTES &&
            text[at + best] == text[position + best])
            while (position + length < TEXT_BYTES &&
                   text[at + length] == text[position + length])
                length++;
        if (length > best) {
            best = length;
            *offset = position - at;
        }
        at = previous[at % WINDOW_BYTES];
    }
    return best < MATCH_BYTES_MIN ? 0 : best;
}

/* What does not fit the token's four bits follows in bytes of up to 255. */
static uint8_t *
put_length(uint8_t *to, int32_t length)
{
    if (length < NIBBLE_MAX)
        return to;
    for (length -= NIBBLE_MAX; length >= 255; length -= 255)
        *to++ = 255;
    *to++ = (uint8_t)length;
    return to;
}

static uint8_t *
put_sequence(uint8_t *to, const uint8_t *literals, int32_t literal_count,
             int32_t offset, int32_t match)
{
    int32_t rest = match ? match - MATCH_BYTES_MIN : 0;
    int32_t high = literal_count < NIBBLE_MAX ? literal_count : NIBBLE_MAX;
    int32_t low = rest < NIBBLE_MAX ? rest : NIBBLE_MAX;

    *to++ = (uint8_t)(high << 4 | low);
    to = put_length(to, literal_count);
    for (; literal_count > 0; literal_count--)
        *to++ = *literals++;
    *to++ = (uint8_t)offset;
    *to++ = (uint8_t)(offset >> 8);
    return put_length(to, rest);
}

static size_t
compress(void)
{
    uint8_t *to = packed;
    int32_t start = 0, position = 0;

    for (uint32_t i = 0; i < 1 << HASH_BITS; i++)
        heads[i] = -1;
    while (position < TEXT_BYTES - MATCH_BYTES_MIN) {
        int32_t offset = 0, match = find_match(position, &offset);

        if (match == 0) {
            remember(position++);
            continue;
        }
        to = put_sequence(to, text + start, position - start, offset, match);
        for (start = position + match; position < start; position++)
            if (position < TEXT_BYTES - MATCH_BYTES_MIN)
                remember(position);
    }
    /* An offset of 0 ends the text. */
    to = put_sequence(to, text + start, TEXT_BYTES - start, 0, 0);
    return (size_t)(to - packed);
}

static uint32_t
get_length(const uint8_t **from, uint32_t length)
{
    uint8_t byte;

    if (length < NIBBLE_MAX)
        return length;
    do {
        byte = *(*from)++;
        length += byte;
    } while (byte == 255);
    return length;
}

static size_t
decompress(const uint8_t *from)
{
    uint8_t *to = unpacked;

    for (;;) {
        uint32_t token = *from++, length = get_length(&from, token >> 4);
        uint32_t offset;

        for (; length > 0; length--)
            *to++ = *from++;
        offset = from[0] | (uint32_t)from[1] << 8;
        from += 2;
        if (offset == 0)
            return (size_t)(to - unpacked);
        length = get_length(&from, token & NIBBLE_MAX) + MATCH_BYTES_MIN;
        /* Byte by byte: a match may reach into what it writes. */
        for (; length > 0; length--, to++)
            *to = *(to - offset);
    }
}

/* Sentences of a small vocabulary, as compressible as a log. */
static void
make_text(uint64_t *random)
{
    static const char words[][8] = {"the", "glass", "of", "a", "request",
                                    "took", "ms", "from", "state", "to",
                                    "GET /", "200", "404", "worker", "is",
                                    "done"};
    size_t length = 0;

    while (length < TEXT_BYTES) {
        uint32_t choice = kernel_below(random, 20);

        if (choice >= 16) {
            for (uint32_t i = choice - 14; i > 0 && length < TEXT_BYTES; i--)
                text[length++] = (uint8_t)('0' + kernel_below(random, 10));
        } else {
            for (const char *c = words[choice];
                 *c && length < TEXT_BYTES; c++)
                text[length++] = (uint8_t)*c;
        }
        if (length < TEXT_BYTES)
            text[length++] = kernel_below(random, 8) ? ' ' : '\n';
    }
}

int
main(void)
{
    uint64_t random = 1977, sum = 11;

    for (uint32_t round = kernel_opaque(12); round > 0; round--) {
        make_text(&random);
        size_t length = compress();
        uint32_t wrong = decompress(packed) != TEXT_BYTES;

        for (size_t i = 0; i < TEXT_BYTES; i++)
            wrong += text[i] != unpacked[i];
        for (size_t i = 0; i < length; i++)
            sum = (sum ^ packed[i]) * 0x100000001b3u;
        sum = kernel_mix(sum, (uint64_t)length << 32 | wrong);
    }
    return kernel_report("lz", sum);
}
