/*
 * program_expression.c - random expressions.
 *
 * Weighted towards what compilers emit and what a translator folds: locals
 * and constants as operands, comparisons, addresses of a base and an index,
 * tees that are read at once.
 */
#include <string.h>

#include "tests/vm/program_generator.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Constants ----------------------------------------------------------- */

static uint64_t
float_constant(struct generator *g, char type)
{
    static const double values[] = {0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-40,
                                    1e30, 3.25, -100.0, 65536.0, 1e300};
    static const uint32_t special32[] = {0x7f800000, 0xff800000, 0x7fc00000,
                                         0x7fa00001, 0x00000001,
                                         0x4f000000};
    static const uint64_t special64[] = {
        0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
        0x7ff4000000000001, 0x0000000000000001, 0x43e0000000000000};
    double wide = values[generator_below(g, COUNT_OF(values))];
    float narrow;
    uint64_t bits = 0;

    if (generator_once_in(g, 8)) {
        uint32_t which = generator_below(g, COUNT_OF(special32));

        return type == 'f' ? special32[which] : special64[which];
    }
    if (generator_once_in(g, 2))
        wide = (double)generator_below(g, 64) / 4 - 3;
    narrow = wide > 1e38 ? 1e30f : (float)wide;
    if (type == 'f')
        memcpy(&bits, &narrow, sizeof(narrow));
    else
        memcpy(&bits, &wide, sizeof(wide));
    return bits;
}

static uint64_t
integer_constant(struct generator *g)
{
    static const uint64_t values[] = {
        0,          1,          UINT64_MAX, 2,          63,
        64,         127,        128,        255,        65535,
        65536,      0x7fffffff, 0x80000000, UINT32_MAX, 0xffffffff80000000,
        1ull << 32, 1ull << 63, INT64_MAX,  0xffffffff7fffffff};

    switch (generator_below(g, 4)) {
    case 0:
        return values[generator_below(g, COUNT_OF(values))];
    case 1:
        return program_random(&g->random) >> generator_below(g, 64);
    default:
        return generator_below(g, 20);
    }
}

void
generator_constant(struct generator *g, char type)
{
    switch (type) {
    case 'i':
        generator_put(g, GVM__INSN_I32_CONST,
                      (uint32_t)integer_constant(g));
        break;
    case 'l':
        generator_put(g, GVM__INSN_I64_CONST, integer_constant(g));
        break;
    case 'f':
        generator_put(g, GVM__INSN_F32_CONST, float_constant(g, 'f'));
        break;
    default:
        generator_put(g, GVM__INSN_F64_CONST, float_constant(g, 'd'));
        break;
    }
}

void
generator_number(struct generator *g, char type, int64_t value)
{
    float narrow = (float)value;
    double wide = (double)value;
    uint64_t bits = 0;

    switch (type) {
    case 'i':
        generator_put(g, GVM__INSN_I32_CONST, (uint32_t)value);
        break;
    case 'l':
        generator_put(g, GVM__INSN_I64_CONST, (uint64_t)value);
        break;
    case 'f':
        memcpy(&bits, &narrow, sizeof(narrow));
        generator_put(g, GVM__INSN_F32_CONST, bits);
        break;
    default:
        memcpy(&bits, &wide, sizeof(wide));
        generator_put(g, GVM__INSN_F64_CONST, bits);
        break;
    }
}

/* ---- Leaves -------------------------------------------------------------- */

static void
leaf(struct generator *g, char type)
{
    uint32_t which = generator_below(g, 10);
    const char *globals = g->program->globals;

    if (which < 5) {
        generator_put(g, GVM__INSN_LOCAL_GET,
                      generator_local(g, type, false));
        return;
    }
    if (which == 5)
        for (uint32_t i = 0; globals[i] != '\0'; i++)
            if (globals[i] == type) {
                generator_put(g, GVM__INSN_GLOBAL_GET, i);
                return;
            }
    generator_constant(g, type);
}

/* ---- Numeric instructions ------------------------------------------------ */

/* Those that programs are full of come again. */
static const uint16_t hot[] = {
    GVM__INSN_I32_ADD,   GVM__INSN_I32_ADD,   GVM__INSN_I32_ADD,
    GVM__INSN_I32_SUB,   GVM__INSN_I32_SHL,   GVM__INSN_I32_AND,
    GVM__INSN_I32_SHR_U, GVM__INSN_I32_MUL,   GVM__INSN_I32_XOR,
    GVM__INSN_I32_EQZ,   GVM__INSN_I32_EQ,    GVM__INSN_I32_NE,
    GVM__INSN_I32_LT_S,  GVM__INSN_I32_LT_U,  GVM__INSN_I32_GE_U,
    GVM__INSN_I64_ADD,   GVM__INSN_I64_ADD,   GVM__INSN_I64_SUB,
    GVM__INSN_I64_MUL,   GVM__INSN_I64_AND,   GVM__INSN_I64_SHR_U,
    GVM__INSN_I64_EQZ,   GVM__INSN_F64_ADD,   GVM__INSN_F64_MUL,
    GVM__INSN_F64_SUB,   GVM__INSN_F32_ADD,   GVM__INSN_F32_MUL,
    GVM__INSN_F64_LT,    GVM__INSN_F64_GE,    GVM__INSN_I32_WRAP_I64,
    GVM__INSN_I64_EXTEND_I32_U, GVM__INSN_I64_EXTEND_I32_S,
    GVM__INSN_I32_SHR_S,
};

static bool
gives(uint32_t code, char type)
{
    const struct gvm__insn_info *info = gvm__insn_info(code);

    return info != NULL && program_is_numeric(code) &&
           *program_results(info->signature) == type;
}

/* A numeric instruction with a result of the type. */
static uint32_t
pick_numeric(struct generator *g, char type)
{
    uint32_t first = GVM__INSN_I32_EQZ;
    uint32_t plain = GVM__INSN_I64_EXTEND32_S - first + 1;

    for (;;) {
        uint32_t code = first + generator_below(g, plain + 8);

        if (code >= first + plain)
            code = GVM__INSN_I32_TRUNC_SAT_F32_S + (code - first - plain);
        if (generator_once_in(g, 2))
            code = hot[generator_below(g, COUNT_OF(hot))];
        /* Most of what truncates without saturating would trap. */
        if (strstr(gvm__insn_info(code) ? gvm__insn_info(code)->text : "",
                   ".trunc_f") != NULL &&
            !generator_once_in(g, 8))
            continue;
        if (gives(code, type))
            return code;
    }
}

static bool
divides(uint32_t code)
{
    return (code >= GVM__INSN_I32_DIV_S && code <= GVM__INSN_I32_REM_U) ||
           (code >= GVM__INSN_I64_DIV_S && code <= GVM__INSN_I64_REM_U);
}

static void
numeric(struct generator *g, char type, unsigned depth)
{
    uint32_t code = pick_numeric(g, type);
    const char *signature = gvm__insn_info(code)->signature;

    generator_expression(g, signature[0], depth + 1);
    if (signature[1] != ':') {
        /* What happens between must not change the first operand. */
        if (generator_once_in(g, 12))
            generator_statements(g, 1, depth + 3);
        if (divides(code) && !generator_once_in(g, 10)) {
            generator_expression(g, signature[1], depth + 2);
            generator_number(g, signature[1], 1);
            generator_put(g,
                          signature[1] == 'i' ? GVM__INSN_I32_OR
                                              : GVM__INSN_I64_OR,
                          0);
        } else {
            generator_expression(g, signature[1], depth + 1);
        }
    }
    generator_put(g, code, 0);
}

/* ---- Memory -------------------------------------------------------------- */

/* A counter of a loop is a small number: an index without a mask. */
static uint32_t
small_local(struct generator *g)
{
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t local = generator_local(g, 'i', false);

        if (g->protected_locals[local])
            return local;
    }
    return UINT32_MAX;
}

static void
masked_local(struct generator *g, uint32_t mask)
{
    uint32_t local = small_local(g);

    if (local != UINT32_MAX) {
        generator_put(g, GVM__INSN_LOCAL_GET, local);
        return;
    }
    generator_put(g, GVM__INSN_LOCAL_GET, generator_local(g, 'i', false));
    generator_put(g, GVM__INSN_I32_CONST, mask);
    generator_put(g, GVM__INSN_I32_AND, 0);
}

/* base + (index << scale), or the other way around */
static void
scaled_address(struct generator *g)
{
    bool index_first = generator_once_in(g, 2);

    if (!index_first)
        masked_local(g, 0x3ff8);
    masked_local(g, 0x7ff);
    generator_put(g, GVM__INSN_I32_CONST, generator_below(g, 4));
    generator_put(g, GVM__INSN_I32_SHL, 0);
    if (index_first)
        masked_local(g, 0x3ff8);
    generator_put(g, GVM__INSN_I32_ADD, 0);
}

uint64_t
generator_address(struct generator *g, unsigned depth)
{
    static const uint32_t offsets[] = {1, 4, 8, 100, 1024, 40000};
    uint32_t local = generator_local(g, 'i', true);

    switch (generator_below(g, 12)) {
    case 0:
        generator_put(g, GVM__INSN_I32_CONST, generator_below(g, 5000));
        break;
    case 1:
    case 2:
        masked_local(g, 0x7ff8);
        break;
    case 3:
    case 4:
        masked_local(g, 0x3fff);
        generator_put(g, GVM__INSN_I32_CONST, generator_below(g, 3000));
        generator_put(g, GVM__INSN_I32_ADD, 0);
        break;
    case 5:
        masked_local(g, 0x3fff);
        masked_local(g, 0x1fff);
        generator_put(g, GVM__INSN_I32_ADD, 0);
        break;
    case 6:
    case 7:
        scaled_address(g);
        break;
    case 8:
        masked_local(g, 0x3fff);
        generator_put(g, GVM__INSN_I32_CONST, 8);
        generator_put(g, GVM__INSN_I32_ADD, 0);
        generator_put(g, GVM__INSN_LOCAL_TEE, local);
        break;
    case 9:
        if (generator_once_in(g, 4)) {
            generator_expression(g, 'i', depth + 2); /* wild */
            break;
        }
        /* fall through */
    default:
        generator_expression(g, 'i', depth + 2);
        generator_put(g, GVM__INSN_I32_CONST, 0x7fff);
        generator_put(g, GVM__INSN_I32_AND, 0);
        break;
    }
    if (generator_once_in(g, 300)) {
        /* Beyond 4 GiB, where a sum of 32 bits would be small again. */
        generator_put(g, GVM__INSN_DROP, 0);
        generator_number(g, 'i', -(int64_t)generator_below(g, 5000));
        return generator_once_in(g, 2) ? 5000 : UINT32_MAX;
    }
    return generator_once_in(g, 2)
               ? 0
               : offsets[generator_below(g, COUNT_OF(offsets))];
}

static void
load(struct generator *g, char type, unsigned depth)
{
    static const uint16_t loads_i32[] = {
        GVM__INSN_I32_LOAD,     GVM__INSN_I32_LOAD,
        GVM__INSN_I32_LOAD8_U,  GVM__INSN_I32_LOAD8_S,
        GVM__INSN_I32_LOAD16_S, GVM__INSN_I32_LOAD16_U};
    static const uint16_t loads_i64[] = {
        GVM__INSN_I64_LOAD,     GVM__INSN_I64_LOAD8_S,
        GVM__INSN_I64_LOAD8_U,  GVM__INSN_I64_LOAD16_S,
        GVM__INSN_I64_LOAD16_U, GVM__INSN_I64_LOAD32_S,
        GVM__INSN_I64_LOAD32_U};
    uint64_t offset = generator_address(g, depth);
    uint32_t code = type == 'f' ? GVM__INSN_F32_LOAD : GVM__INSN_F64_LOAD;

    if (type == 'i')
        code = loads_i32[generator_below(g, COUNT_OF(loads_i32))];
    else if (type == 'l')
        code = loads_i64[generator_below(g, COUNT_OF(loads_i64))];
    generator_put(g, code, 0)->b = offset;
}

/* NaNs of floats become 0, so that memory is the same everywhere. */
static void
stored_value(struct generator *g, char type, unsigned depth)
{
    uint32_t local = generator_local(g, type, true);

    generator_expression(g, type, depth + 1);
    if (type == 'i' || type == 'l' || generator_once_in(g, 3))
        return;
    generator_put(g, GVM__INSN_LOCAL_TEE, local);
    generator_number(g, type, 0);
    generator_put(g, GVM__INSN_LOCAL_GET, local);
    generator_put(g, GVM__INSN_LOCAL_GET, local);
    generator_put(g, type == 'f' ? GVM__INSN_F32_EQ : GVM__INSN_F64_EQ, 0);
    generator_put(g, GVM__INSN_SELECT, 0);
}

void
generator_store(struct generator *g, unsigned depth)
{
    uint32_t code =
        GVM__INSN_I32_STORE +
        generator_below(g, GVM__INSN_I64_STORE32 - GVM__INSN_I32_STORE + 1);
    uint64_t offset = generator_address(g, depth);

    stored_value(g, gvm__insn_info(code)->signature[1], depth);
    generator_put(g, code, 0)->b = offset;
}

/* ---- Calls --------------------------------------------------------------- */

bool
generator_call(struct generator *g, char keep, unsigned depth)
{
    uint32_t callee = generator_below(g, g->index);
    const char *signature = g->program->functions[callee].signature;
    const char *results = program_results(signature);
    uint32_t parameters = program_parameter_count(signature);
    uint32_t kept = keep != '\0';
    struct program_insn *insn;

    if (keep != '\0' && results[0] != keep)
        return false;
    for (uint32_t i = 0; i < parameters; i++)
        generator_expression(g, signature[i], depth + 2);
    if (generator_once_in(g, 4)) {
        if (generator_once_in(g, 20))
            generator_expression(g, 'i', depth + 3); /* any entry */
        else
            generator_put(g, GVM__INSN_I32_CONST, callee);
        insn = generator_put(g, GVM__INSN_CALL_INDIRECT, 0);
        memcpy(insn->signature, signature, sizeof(insn->signature));
    } else {
        generator_put(g, GVM__INSN_CALL, callee);
    }
    for (uint32_t i = (uint32_t)strlen(results); i > kept; i--)
        generator_consume(g, results[i - 1]);
    return true;
}

/* ---- Where values go ----------------------------------------------------- */

void
generator_stir(struct generator *g, char type)
{
    if (type == 'i')
        generator_put(g, GVM__INSN_I64_EXTEND_I32_U, 0);
    else if (type == 'f')
        generator_put(g, GVM__INSN_I64_TRUNC_SAT_F32_S, 0);
    else if (type == 'd')
        generator_put(g, GVM__INSN_I64_TRUNC_SAT_F64_S, 0);
    generator_put(g, GVM__INSN_GLOBAL_GET, 2);
    generator_put(g, GVM__INSN_I64_CONST, 0x9e3779b97f4a7c15);
    generator_put(g, GVM__INSN_I64_MUL, 0);
    generator_put(g, GVM__INSN_I64_ADD, 0);
    generator_put(g, GVM__INSN_GLOBAL_SET, 2);
}

void
generator_consume(struct generator *g, char type)
{
    const char *globals = g->program->globals;

    switch (generator_below(g, 8)) {
    case 0:
        generator_put(g, GVM__INSN_DROP, 0);
        return;
    case 1:
        for (uint32_t i = 0; globals[i] != '\0'; i++)
            if (globals[i] == type) {
                generator_put(g, GVM__INSN_GLOBAL_SET, i);
                return;
            }
        /* fall through */
    case 2:
    case 3:
        generator_stir(g, type);
        return;
    default:
        generator_put(g, GVM__INSN_LOCAL_SET,
                      generator_local(g, type, true));
        return;
    }
}

void
generator_accumulate(struct generator *g, unsigned depth)
{
    char type = generator_type(g);
    size_t which = (size_t)(strchr("ilfd", type) - "ilfd");
    uint32_t local = generator_local(g, type, true);
    static const uint16_t operations[][4] = {
        {GVM__INSN_I32_ADD, GVM__INSN_I32_ADD, GVM__INSN_I32_XOR,
         GVM__INSN_I32_SUB},
        {GVM__INSN_I64_ADD, GVM__INSN_I64_ADD, GVM__INSN_I64_XOR,
         GVM__INSN_I64_SUB},
        {GVM__INSN_F32_ADD, GVM__INSN_F32_ADD, GVM__INSN_F32_MUL,
         GVM__INSN_F32_SUB},
        {GVM__INSN_F64_ADD, GVM__INSN_F64_ADD, GVM__INSN_F64_MUL,
         GVM__INSN_F64_SUB}};

    if (generator_once_in(g, 4)) {
        generator_put(g, GVM__INSN_LOCAL_GET,
                      generator_local(g, type, false));
    } else {
        generator_put(g, GVM__INSN_LOCAL_GET, local);
        if (generator_once_in(g, 3))
            generator_constant(g, type);
        else
            generator_expression(g, type, depth + 3);
        generator_put(g, operations[which][generator_below(g, 4)], 0);
    }
    if (!generator_once_in(g, 5)) {
        generator_put(g, GVM__INSN_LOCAL_SET, local);
        return;
    }
    generator_put(g, GVM__INSN_LOCAL_TEE, local);
    generator_consume(g, type);
}

/* ---- All of them --------------------------------------------------------- */

void
generator_condition(struct generator *g, unsigned depth)
{
    uint32_t code =
        GVM__INSN_I32_EQZ +
        generator_below(g, GVM__INSN_F64_GE - GVM__INSN_I32_EQZ + 1);
    const char *signature = gvm__insn_info(code)->signature;

    switch (generator_below(g, 6)) {
    case 0:
        generator_expression(g, 'i', depth + 1);
        break;
    case 1:
        generator_expression(g, 'i', depth + 1);
        generator_number(g, 'i', 1);
        generator_put(g, GVM__INSN_I32_AND, 0);
        break;
    default:
        generator_expression(g, signature[0], depth + 2);
        if (signature[1] != ':')
            generator_expression(g, signature[1], depth + 2);
        generator_put(g, code, 0);
        break;
    }
    while (generator_once_in(g, 3))
        generator_put(g, GVM__INSN_I32_EQZ, 0);
}

static void
grow_or_size(struct generator *g)
{
    if (!generator_once_in(g, 3)) {
        generator_put(g, GVM__INSN_MEMORY_SIZE, 0);
        return;
    }
    generator_put(g, GVM__INSN_I32_CONST, generator_below(g, 3));
    generator_put(g, GVM__INSN_MEMORY_GROW, 0);
}

void
generator_expression(struct generator *g, char type, unsigned depth)
{
    char one[2] = {type, '\0'};

    if (g->budget <= 0 || depth > 7 || generator_once_in(g, 4)) {
        leaf(g, type);
        return;
    }
    switch (generator_below(g, 20)) {
    case 0:
    case 1:
    case 2:
        load(g, type, depth);
        break;
    case 3:
        generator_expression(g, type, depth + 1);
        generator_expression(g, type, depth + 1);
        generator_condition(g, depth + 1);
        generator_put(g, GVM__INSN_SELECT, 0);
        break;
    case 4:
    case 5:
        generator_expression(g, type, depth + 1);
        generator_put(g, GVM__INSN_LOCAL_TEE,
                      generator_local(g, type, true));
        break;
    case 6:
    case 7:
        generator_block(g, one, depth + 1);
        break;
    case 8:
        if (!generator_call(g, type, depth))
            leaf(g, type);
        break;
    case 9:
        if (type == 'i' && generator_once_in(g, 4))
            grow_or_size(g);
        else
            leaf(g, type);
        break;
    default:
        numeric(g, type, depth);
        break;
    }
}

void
generator_expressions(struct generator *g, const char *types,
                      unsigned depth)
{
    for (; *types != '\0'; types++)
        generator_expression(g, *types, depth);
}
