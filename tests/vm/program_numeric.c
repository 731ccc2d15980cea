/*
 * program_numeric.c - the numeric instructions, by the letter.
 *
 * Written for being right at a glance, with the C library's functions and
 * wider types where the engine has tricks.
 */
#include <math.h>
#include <string.h>

#include "tests/vm/program.h"

/* The operands and the result in every dress. */
struct machine {
    uint32_t a, b, i;
    uint64_t x, y, l;
    float p, q, f;
    double s, t, d;
    enum gvm_trap trap;
};

#define IS(name, assignment)                                             \
    case GVM__INSN_##name:                                               \
        assignment;                                                      \
        return true;

/* Divisions: what traps, and only then the quotient. */
#define DIVIDES(name, zero, overflows, assignment)                       \
    case GVM__INSN_##name:                                               \
        if (zero)                                                        \
            m->trap = GVM_TRAP_DIVIDE_BY_ZERO;                           \
        else if (overflows)                                              \
            m->trap = GVM_TRAP_INTEGER_OVERFLOW;                         \
        else                                                             \
            assignment;                                                  \
        return true;

static bool
compare_integers(uint32_t code, struct machine *m)
{
    switch (code) {
        IS(I32_EQZ, m->i = m->a == 0)
        IS(I32_EQ, m->i = m->a == m->b)
        IS(I32_NE, m->i = m->a != m->b)
        IS(I32_LT_S, m->i = (int32_t)m->a < (int32_t)m->b)
        IS(I32_LT_U, m->i = m->a < m->b)
        IS(I32_GT_S, m->i = (int32_t)m->a > (int32_t)m->b)
        IS(I32_GT_U, m->i = m->a > m->b)
        IS(I32_LE_S, m->i = (int32_t)m->a <= (int32_t)m->b)
        IS(I32_LE_U, m->i = m->a <= m->b)
        IS(I32_GE_S, m->i = (int32_t)m->a >= (int32_t)m->b)
        IS(I32_GE_U, m->i = m->a >= m->b)
        IS(I64_EQZ, m->i = m->x == 0)
        IS(I64_EQ, m->i = m->x == m->y)
        IS(I64_NE, m->i = m->x != m->y)
        IS(I64_LT_S, m->i = (int64_t)m->x < (int64_t)m->y)
        IS(I64_LT_U, m->i = m->x < m->y)
        IS(I64_GT_S, m->i = (int64_t)m->x > (int64_t)m->y)
        IS(I64_GT_U, m->i = m->x > m->y)
        IS(I64_LE_S, m->i = (int64_t)m->x <= (int64_t)m->y)
        IS(I64_LE_U, m->i = m->x <= m->y)
        IS(I64_GE_S, m->i = (int64_t)m->x >= (int64_t)m->y)
        IS(I64_GE_U, m->i = m->x >= m->y)
    default:
        return false;
    }
}

static bool
compare_floats(uint32_t code, struct machine *m)
{
    switch (code) {
        IS(F32_EQ, m->i = m->p == m->q)
        IS(F32_NE, m->i = m->p != m->q)
        IS(F32_LT, m->i = m->p < m->q)
        IS(F32_GT, m->i = m->p > m->q)
        IS(F32_LE, m->i = m->p <= m->q)
        IS(F32_GE, m->i = m->p >= m->q)
        IS(F64_EQ, m->i = m->s == m->t)
        IS(F64_NE, m->i = m->s != m->t)
        IS(F64_LT, m->i = m->s < m->t)
        IS(F64_GT, m->i = m->s > m->t)
        IS(F64_LE, m->i = m->s <= m->t)
        IS(F64_GE, m->i = m->s >= m->t)
    default:
        return false;
    }
}

/* Counting bits one by one, from the top or the bottom. */
static unsigned
leading_zeros(uint64_t value, unsigned width)
{
    unsigned count = 0;

    while (count < width && (value >> (width - 1 - count) & 1) == 0)
        count++;
    return count;
}

static unsigned
trailing_zeros(uint64_t value, unsigned width)
{
    unsigned count = 0;

    while (count < width && (value >> count & 1) == 0)
        count++;
    return count;
}

static unsigned
ones(uint64_t value)
{
    unsigned count = 0;

    for (; value != 0; value >>= 1)
        count += value & 1;
    return count;
}

/* By one bit at a time, to the left. */
static uint64_t
rotate(uint64_t value, uint64_t count, unsigned width)
{
    uint64_t mask = width == 64 ? UINT64_MAX : (1ull << width) - 1;

    for (count %= width; count > 0; count--)
        value = (value << 1 | value >> (width - 1)) & mask;
    return value;
}

/* Arithmetic shift without relying on C's. */
static uint64_t
shift_signed(uint64_t value, uint64_t count, unsigned width)
{
    for (count %= width; count > 0; count--)
        value = value >> 1 | (value & 1ull << (width - 1));
    return value;
}

static uint64_t
extend(uint64_t value, unsigned width)
{
    uint64_t sign = 1ull << (width - 1);

    value &= (sign << 1) - 1;
    return (value ^ sign) - sign;
}

static bool
compute_i32(uint32_t code, struct machine *m)
{
    const uint32_t lowest = 0x80000000u;
    int64_t a = (int32_t)m->a, b = (int32_t)m->b;

    switch (code) {
        IS(I32_CLZ, m->i = leading_zeros(m->a, 32))
        IS(I32_CTZ, m->i = trailing_zeros(m->a, 32))
        IS(I32_POPCNT, m->i = ones(m->a))
        IS(I32_ADD, m->i = m->a + m->b)
        IS(I32_SUB, m->i = m->a - m->b)
        IS(I32_MUL, m->i = m->a * m->b)
        IS(I32_AND, m->i = m->a & m->b)
        IS(I32_OR, m->i = m->a | m->b)
        IS(I32_XOR, m->i = m->a ^ m->b)
        IS(I32_SHL, m->i = m->a << m->b % 32)
        IS(I32_SHR_S, m->i = (uint32_t)shift_signed(m->a, m->b, 32))
        IS(I32_SHR_U, m->i = m->a >> m->b % 32)
        IS(I32_ROTL, m->i = (uint32_t)rotate(m->a, m->b % 32, 32))
        IS(I32_ROTR, m->i = (uint32_t)rotate(m->a, 32 - m->b % 32, 32))
        DIVIDES(I32_DIV_S, b == 0, m->a == lowest && b == -1,
                m->i = (uint32_t)(a / b))
        DIVIDES(I32_DIV_U, b == 0, false, m->i = m->a / m->b)
        DIVIDES(I32_REM_S, b == 0, false, m->i = (uint32_t)(a % b))
        DIVIDES(I32_REM_U, b == 0, false, m->i = m->a % m->b)
        IS(I32_EXTEND8_S, m->i = (uint32_t)extend(m->a, 8))
        IS(I32_EXTEND16_S, m->i = (uint32_t)extend(m->a, 16))
        IS(I32_WRAP_I64, m->i = (uint32_t)m->x)
    default:
        return false;
    }
}

static bool
compute_i64(uint32_t code, struct machine *m)
{
    const uint64_t lowest = 1ull << 63;
    int64_t x = (int64_t)m->x, y = (int64_t)m->y;

    switch (code) {
        IS(I64_CLZ, m->l = leading_zeros(m->x, 64))
        IS(I64_CTZ, m->l = trailing_zeros(m->x, 64))
        IS(I64_POPCNT, m->l = ones(m->x))
        IS(I64_ADD, m->l = m->x + m->y)
        IS(I64_SUB, m->l = m->x - m->y)
        IS(I64_MUL, m->l = m->x * m->y)
        IS(I64_AND, m->l = m->x & m->y)
        IS(I64_OR, m->l = m->x | m->y)
        IS(I64_XOR, m->l = m->x ^ m->y)
        IS(I64_SHL, m->l = m->x << m->y % 64)
        IS(I64_SHR_S, m->l = shift_signed(m->x, m->y, 64))
        IS(I64_SHR_U, m->l = m->x >> m->y % 64)
        IS(I64_ROTL, m->l = rotate(m->x, m->y % 64, 64))
        IS(I64_ROTR, m->l = rotate(m->x, 64 - m->y % 64, 64))
        DIVIDES(I64_DIV_S, y == 0, m->x == lowest && y == -1,
                m->l = (uint64_t)(x / y))
        DIVIDES(I64_DIV_U, y == 0, false, m->l = m->x / m->y)
        DIVIDES(I64_REM_S, y == 0, false,
                m->l = y == -1 ? 0 : (uint64_t)(x % y))
        DIVIDES(I64_REM_U, y == 0, false, m->l = m->x % m->y)
        IS(I64_EXTEND8_S, m->l = extend(m->x, 8))
        IS(I64_EXTEND16_S, m->l = extend(m->x, 16))
        IS(I64_EXTEND32_S, m->l = extend(m->x, 32))
        IS(I64_EXTEND_I32_S, m->l = extend(m->a, 32))
        IS(I64_EXTEND_I32_U, m->l = m->a)
    default:
        return false;
    }
}

static double
minimum(double a, double b)
{
    if (isnan(a) || isnan(b))
        return NAN;
    if (a == 0 && b == 0)
        return signbit(a) ? a : b;
    return a < b ? a : b;
}

static double
maximum(double a, double b)
{
    if (isnan(a) || isnan(b))
        return NAN;
    if (a == 0 && b == 0)
        return signbit(a) ? b : a;
    return a > b ? a : b;
}

static bool
compute_f32(uint32_t code, struct machine *m)
{
    switch (code) {
        IS(F32_CEIL, m->f = ceilf(m->p))
        IS(F32_FLOOR, m->f = floorf(m->p))
        IS(F32_TRUNC, m->f = truncf(m->p))
        IS(F32_NEAREST, m->f = nearbyintf(m->p))
        IS(F32_SQRT, m->f = sqrtf(m->p))
        IS(F32_ADD, m->f = m->p + m->q)
        IS(F32_SUB, m->f = m->p - m->q)
        IS(F32_MUL, m->f = m->p * m->q)
        IS(F32_DIV, m->f = m->p / m->q)
        IS(F32_MIN, m->f = (float)minimum((double)m->p, (double)m->q))
        IS(F32_MAX, m->f = (float)maximum((double)m->p, (double)m->q))
        IS(F32_CONVERT_I32_S, m->f = (float)(int32_t)m->a)
        IS(F32_CONVERT_I32_U, m->f = (float)m->a)
        IS(F32_CONVERT_I64_S, m->f = (float)(int64_t)m->x)
        IS(F32_CONVERT_I64_U, m->f = (float)m->x)
        IS(F32_DEMOTE_F64, m->f = (float)m->s)
    default:
        return false;
    }
}

static bool
compute_f64(uint32_t code, struct machine *m)
{
    switch (code) {
        IS(F64_CEIL, m->d = ceil(m->s))
        IS(F64_FLOOR, m->d = floor(m->s))
        IS(F64_TRUNC, m->d = trunc(m->s))
        IS(F64_NEAREST, m->d = nearbyint(m->s))
        IS(F64_SQRT, m->d = sqrt(m->s))
        IS(F64_ADD, m->d = m->s + m->t)
        IS(F64_SUB, m->d = m->s - m->t)
        IS(F64_MUL, m->d = m->s * m->t)
        IS(F64_DIV, m->d = m->s / m->t)
        IS(F64_MIN, m->d = minimum(m->s, m->t))
        IS(F64_MAX, m->d = maximum(m->s, m->t))
        IS(F64_CONVERT_I32_S, m->d = (double)(int32_t)m->a)
        IS(F64_CONVERT_I32_U, m->d = (double)m->a)
        IS(F64_CONVERT_I64_S, m->d = (double)(int64_t)m->x)
        IS(F64_CONVERT_I64_U, m->d = (double)m->x)
        IS(F64_PROMOTE_F32, m->d = (double)m->p)
    default:
        return false;
    }
}

/* Those that look at bits alone, NaNs or not. */
static bool
compute_bits(uint32_t code, struct machine *m)
{
    const uint32_t sign = 0x80000000u;
    const uint64_t wide = 1ull << 63;

    switch (code) {
        IS(F32_ABS, m->i = m->a & ~sign)
        IS(F32_NEG, m->i = m->a ^ sign)
        IS(F32_COPYSIGN, m->i = (m->a & ~sign) | (m->b & sign))
        IS(F64_ABS, m->l = m->x & ~wide)
        IS(F64_NEG, m->l = m->x ^ wide)
        IS(F64_COPYSIGN, m->l = (m->x & ~wide) | (m->y & wide))
        IS(I32_REINTERPRET_F32, m->i = m->a)
        IS(I64_REINTERPRET_F64, m->l = m->x)
        IS(F32_REINTERPRET_I32, m->i = m->a)
        IS(F64_REINTERPRET_I64, m->l = m->x)
    default:
        return false;
    }
}

/*
 * Truncation of a float (every float is a double) to [low, high]; both are
 * powers of two or one less, so that they are doubles with room around them.
 */
static bool
truncates(struct machine *m, double value, double below, double above,
          bool saturates)
{
    if (isnan(value)) {
        if (!saturates)
            m->trap = GVM_TRAP_INVALID_CONVERSION;
        return false;
    }
    value = trunc(value);
    if (value > below && value < above)
        return true;
    if (!saturates)
        m->trap = GVM_TRAP_INTEGER_OVERFLOW;
    return false;
}

#define TO_31 2147483648.0
#define TO_32 4294967296.0
#define TO_63 9223372036854775808.0
#define TO_64 18446744073709551616.0

/* `result` is m->i or m->l; NaN gives zero, and others the nearest end. */
#define TRUNCATE(name, saturates, value, below, above, result, cast,     \
                 lowest, highest)                                        \
    case GVM__INSN_##name:                                               \
        if (truncates(m, value, below, above, saturates))                \
            result = cast(value);                                        \
        else                                                             \
            result = isnan(value) ? 0 : value < 0 ? lowest : highest;    \
        return true;
#define TRUNCATE_BOTH(to, from, suffix, ...)                             \
    TRUNCATE(to##_TRUNC_##from##_##suffix, false, __VA_ARGS__)           \
    TRUNCATE(to##_TRUNC_SAT_##from##_##suffix, true, __VA_ARGS__)

static bool
truncate_floats(uint32_t code, struct machine *m)
{
    double p = (double)m->p;
    double s = m->s;
    /* Below -2^63 the next double is 2048 away. */
    const double below_63 = -TO_63 - 2048;

    switch (code) {
        TRUNCATE_BOTH(I32, F32, S, p, -TO_31 - 1, TO_31, m->i,
                      (uint32_t)(int32_t), 0x80000000u, 0x7fffffffu)
        TRUNCATE_BOTH(I32, F64, S, s, -TO_31 - 1, TO_31, m->i,
                      (uint32_t)(int32_t), 0x80000000u, 0x7fffffffu)
        TRUNCATE_BOTH(I32, F32, U, p, -1, TO_32, m->i, (uint32_t), 0,
                      UINT32_MAX)
        TRUNCATE_BOTH(I32, F64, U, s, -1, TO_32, m->i, (uint32_t), 0,
                      UINT32_MAX)
        TRUNCATE_BOTH(I64, F32, S, p, below_63, TO_63, m->l,
                      (uint64_t)(int64_t), 1ull << 63, INT64_MAX)
        TRUNCATE_BOTH(I64, F64, S, s, below_63, TO_63, m->l,
                      (uint64_t)(int64_t), 1ull << 63, INT64_MAX)
        TRUNCATE_BOTH(I64, F32, U, p, -1, TO_64, m->l, (uint64_t), 0,
                      UINT64_MAX)
        TRUNCATE_BOTH(I64, F64, U, s, -1, TO_64, m->l, (uint64_t), 0,
                      UINT64_MAX)
    default:
        return false;
    }
}

/* ---- All of them --------------------------------------------------------- */

/* One of m->f, m->d that is a NaN of its type leaves the bits open. */
static void
take_float(struct machine *m, char type, struct program_value *result)
{
    if (type == 'f') {
        memcpy(&m->i, &m->f, sizeof(m->i));
        result->bits = m->i;
        result->vague = isnan(m->f);
    } else {
        memcpy(&result->bits, &m->d, sizeof(m->d));
        result->vague = isnan(m->d);
    }
}

static bool
compute(uint32_t code, struct machine *m, char type,
        struct program_value *result)
{
    if (compute_bits(code, m)) {
        /* Of vague ones they are vague. */
        result->bits = type == 'i' || type == 'f' ? m->i : m->l;
        return true;
    }
    if (compute_f32(code, m) || compute_f64(code, m)) {
        take_float(m, type, result);
        return true;
    }
    if (!compare_integers(code, m) && !compare_floats(code, m) &&
        !compute_i32(code, m) && !compute_i64(code, m) &&
        !truncate_floats(code, m))
        return false;
    result->bits = type == 'i' ? m->i : m->l;
    result->vague = false;
    return true;
}

bool
program_is_numeric(uint32_t code)
{
    return (code >= GVM__INSN_I32_EQZ &&
            code <= GVM__INSN_I64_EXTEND32_S) ||
           (code >= GVM__INSN_I32_TRUNC_SAT_F32_S &&
            code <= GVM__INSN_I64_TRUNC_SAT_F64_U);
}

enum program_end
program_numeric(uint32_t code, struct program_value *operands,
                enum gvm_trap *trap)
{
    const char *signature = gvm__insn_info(code)->signature;
    const char *type = program_results(signature);
    bool binary = signature[1] != ':';
    struct machine m = {
        .a = (uint32_t)operands[0].bits,
        .x = operands[0].bits,
        .b = binary ? (uint32_t)operands[1].bits : 0,
        .y = binary ? operands[1].bits : 0,
    };

    if (operands[0].vague && (code == GVM__INSN_I32_REINTERPRET_F32 ||
                              code == GVM__INSN_I64_REINTERPRET_F64))
        return PROGRAM_ABANDONED;
    if (binary && operands[1].vague &&
        (code == GVM__INSN_F32_COPYSIGN || code == GVM__INSN_F64_COPYSIGN))
        return PROGRAM_ABANDONED;
    memcpy(&m.p, &m.a, sizeof(m.p));
    memcpy(&m.q, &m.b, sizeof(m.q));
    memcpy(&m.s, &m.x, sizeof(m.s));
    memcpy(&m.t, &m.y, sizeof(m.t));
    if (!compute(code, &m, *type, &operands[0]))
        return PROGRAM_ABANDONED;
    *trap = m.trap;
    return m.trap == GVM_TRAP_NONE ? PROGRAM_RETURNED : PROGRAM_TRAPPED;
}
