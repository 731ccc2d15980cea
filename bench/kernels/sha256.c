/*
 * sha256.c - FIPS 180-4's SHA-256: 32-bit additions, rotations and logic on
 * eight variables that change places in every step. The constants are the
 * roots of primes that the standard says, computed here.
 */
#include "kernel.h"

enum {
    BLOCK_BYTES = 64,
    MESSAGE_BYTES = 1 << 18,
    ROUND_COUNT = 64,
};

struct sha256 {
    uint32_t state[8];
    uint32_t constants[ROUND_COUNT];
};

static uint8_t message[MESSAGE_BYTES + 2 * BLOCK_BYTES];

/* 32 bits of what is behind the point of the `degree`-th root of `number`:
 * the largest r with r^degree <= number * 2^(32 * degree), by bisection. For
 * the cube of a 35-bit number that is arithmetic on words of 32 bits. */
static bool
power_exceeds(uint64_t root, uint32_t degree, uint32_t number)
{
    uint32_t words[8] = {1}, limit[8] = {0};

    limit[degree] = number;
    for (uint32_t i = 0; i < degree; i++) {
        uint32_t product[8] = {0};

        for (uint32_t half = 0; half < 2; half++) {
            uint64_t factor = half ? root >> 32 : root & 0xffffffffu;
            uint64_t carry = 0;

            for (uint32_t j = 0; j + half < 8; j++) {
                carry += words[j] * factor + product[j + half];
                product[j + half] = (uint32_t)carry;
                carry >>= 32;
            }
        }
        memcpy(words, product, sizeof words);
    }
    for (int i = 7; i >= 0; i--)
        if (words[i] != limit[i])
            return words[i] > limit[i];
    return false;
}

static uint32_t
root_fraction(uint32_t number, uint32_t degree)
{
    uint64_t low = 0, high = (uint64_t)1 << 37;

    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;

        if (power_exceeds(middle, degree, number))
            high = middle;
        else
            low = middle;
    }
    return (uint32_t)low;
}

static void
init(struct sha256 *hash)
{
    uint32_t count = 0;

    for (uint32_t n = 2; count < ROUND_COUNT; n++) {
        bool prime = true;

        for (uint32_t d = 2; d * d <= n; d++)
            prime = prime && n % d != 0;
        if (!prime)
            continue;
        if (count < 8)
            hash->state[count] = root_fraction(n, 2);
        hash->constants[count++] = root_fraction(n, 3);
    }
}

static inline uint32_t
rotate(uint32_t x, uint32_t count)
{
    return x >> count | x << (32 - count);
}

static void
take_block(struct sha256 *hash, const uint8_t *block)
{
    uint32_t w[ROUND_COUNT];
    uint32_t a = hash->state[0], b = hash->state[1], c = hash->state[2];
    uint32_t d = hash->state[3], e = hash->state[4], f = hash->state[5];
    uint32_t g = hash->state[6], h = hash->state[7];

    for (uint32_t t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 |
               (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (uint32_t t = 16; t < ROUND_COUNT; t++) {
        uint32_t x = w[t - 15], y = w[t - 2];

        w[t] = w[t - 16] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) +
               w[t - 7] + (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
    }
    for (uint32_t t = 0; t < ROUND_COUNT; t++) {
        uint32_t first = h +
                         (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                         ((e & f) ^ (~e & g)) + hash->constants[t] + w[t];
        uint32_t second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                          ((a & b) ^ (a & c) ^ (b & c));

        h = g;
        g = f;
        f = e;
        e = d + first;
        d = c;
        c = b;
        b = a;
        a = first + second;
    }
    hash->state[0] += a;
    hash->state[1] += b;
    hash->state[2] += c;
    hash->state[3] += d;
    hash->state[4] += e;
    hash->state[5] += f;
    hash->state[6] += g;
    hash->state[7] += h;
}

/* The message's padding is written behind it. */
static void
take_message(struct sha256 *hash, size_t length)
{
    size_t padded = (length + 8) / BLOCK_BYTES * BLOCK_BYTES + BLOCK_BYTES;

    memset(message + length, 0, padded - length);
    message[length] = 0x80;
    for (uint32_t i = 0; i < 8; i++)
        message[padded - 1 - i] = (uint8_t)((uint64_t)length * 8 >> 8 * i);
    for (size_t i = 0; i < padded; i += BLOCK_BYTES)
        take_block(hash, message + i);
}

int
main(void)
{
    static struct sha256 start;
    uint64_t random = 777, sum = 6;

    init(&start);
    for (uint32_t round = kernel_opaque(24); round > 0; round--) {
        struct sha256 hash = start;

        for (size_t i = 0; i < MESSAGE_BYTES; i += 8) {
            uint64_t bytes = kernel_random(&random);

            memcpy(message + i, &bytes, sizeof bytes);
        }
        take_message(&hash, MESSAGE_BYTES - round);
        for (uint32_t i = 0; i < 8; i++)
            sum = kernel_mix(sum, hash.state[i]);
    }
    /* "abc": the standard's own example, ba7816bf... */
    memcpy(message, "abc", 3);
    take_message(&start, 3);
    sum = kernel_mix(sum, start.state[0] == 0xba7816bf);
    return kernel_report("sha256", sum);
}
