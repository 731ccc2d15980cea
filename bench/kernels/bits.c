/*
 * bits.c - tricks with bits: CRC-32 bit by bit, by a table and by slices of
 * four bytes, queens on boards of bits, knights' moves on 64-bit boards,
 * interleaved coordinates, and counts of ones, leading and trailing zeros.
 */
#include "kernel.h"

enum { BUFFER_BYTES = 1 << 15 };

static uint8_t buffer[BUFFER_BYTES];
static uint32_t tables[4][256];

static void
make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;

        for (uint32_t bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        tables[0][i] = crc;
    }
    for (uint32_t slice = 1; slice < 4; slice++)
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t crc = tables[slice - 1][i];

            tables[slice][i] = crc >> 8 ^ tables[0][crc & 255];
        }
}

static uint32_t
crc_by_bits(const uint8_t *bytes, uint32_t count)
{
    uint32_t crc = ~0u;

    for (; count > 0; count--) {
        crc ^= *bytes++;
        for (uint32_t bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & (0 - (crc & 1)));
    }
    return ~crc;
}

static uint32_t
crc_by_table(const uint8_t *bytes, uint32_t count)
{
    uint32_t crc = ~0u;

    for (; count > 0; count--)
        crc = crc >> 8 ^ tables[0][(crc ^ *bytes++) & 255];
    return ~crc;
}

static uint32_t
crc_by_slices(const uint8_t *bytes, uint32_t count)
{
    uint32_t crc = ~0u;

    for (; count >= 4; count -= 4, bytes += 4) {
        uint32_t word;

        memcpy(&word, bytes, sizeof word);
        crc ^= word;
        crc = tables[3][crc & 255] ^ tables[2][crc >> 8 & 255] ^
              tables[1][crc >> 16 & 255] ^ tables[0][crc >> 24];
    }
    return ~crc;
}

/* Where no queen of the rows before may be: columns and both diagonals. */
static uint32_t
queens(uint32_t all, uint32_t columns, uint32_t down, uint32_t up)
{
    uint32_t count = 0;

    if (columns == all)
        return 1;
    for (uint32_t left = all & ~(columns | down | up); left != 0;) {
        uint32_t queen = left & (0 - left);

        left ^= queen;
        count += queens(all, columns | queen, (down | queen) << 1,
                        (up | queen) >> 1);
    }
    return count;
}

/* All squares that knights on the given ones reach by one move. */
static uint64_t
knight_moves(uint64_t knights)
{
    uint64_t one = (knights >> 1 & 0x7f7f7f7f7f7f7f7fu) << 16 |
                   (knights << 1 & 0xfefefefefefefefeu) << 16 |
                   (knights >> 1 & 0x7f7f7f7f7f7f7f7fu) >> 16 |
                   (knights << 1 & 0xfefefefefefefefeu) >> 16;

    return one | (knights >> 2 & 0x3f3f3f3f3f3f3f3fu) << 8 |
           (knights << 2 & 0xfcfcfcfcfcfcfcfcu) << 8 |
           (knights >> 2 & 0x3f3f3f3f3f3f3f3fu) >> 8 |
           (knights << 2 & 0xfcfcfcfcfcfcfcfcu) >> 8;
}

static uint32_t
spread(uint32_t x)
{
    x = (x | x << 8) & 0x00ff00ffu;
    x = (x | x << 4) & 0x0f0f0f0fu;
    x = (x | x << 2) & 0x33333333u;
    return (x | x << 1) & 0x55555555u;
}

static uint32_t
reverse(uint32_t x)
{
    x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
    x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
    x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
    x = (x >> 8 & 0x00ff00ffu) | (x & 0x00ff00ffu) << 8;
    return x >> 16 | x << 16;
}

static uint64_t
use_words(uint64_t sum, uint32_t count)
{
    uint64_t random = 3, total = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t wide = kernel_random(&random);
        uint32_t word = (uint32_t)wide | 1;

        total += (uint32_t)__builtin_popcountll(wide);
        total += (uint32_t)__builtin_clz(word) * 3u;
        total += (uint32_t)__builtin_ctzll(wide | 1ull << 63) * 5u;
        total ^= spread(word & 0xffff) | spread(word >> 16) << 1;
        total += reverse(word ^ word >> 1);
    }
    return kernel_mix(sum, total);
}

int
main(void)
{
    uint64_t random = 802, sum = 18, squares = 1;

    make_tables();
    for (uint32_t i = 0; i < BUFFER_BYTES; i++)
        buffer[i] = (uint8_t)kernel_random(&random);
    for (uint32_t round = kernel_opaque(90); round > 0; round--) {
        uint32_t length = BUFFER_BYTES - 4 * round;

        sum = kernel_mix(sum, crc_by_table(buffer, length));
        sum = kernel_mix(sum, crc_by_slices(buffer, length));
        sum = kernel_mix(sum, crc_by_bits(buffer, length / 4));
    }
    sum = kernel_mix(sum, queens((1u << kernel_opaque(11)) - 1, 0, 0, 0));
    for (uint32_t i = kernel_opaque(1000000); i > 0; i--) {
        squares = knight_moves(squares) ^ squares << 9;
        squares |= squares == 0;
    }
    sum = kernel_mix(sum, squares);
    sum = use_words(sum, kernel_opaque(1000000));
    return kernel_report("bits", sum);
}
