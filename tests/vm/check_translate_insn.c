/*
 * check_translate_insn.c - tests of vm/translate_insn.c: accesses to memory,
 * and where traps are.
 *
 * The address of an access is computed in every way that a translator might
 * fold into it, and the trap must name the access, not what is around it.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <string.h>

#include "vm/insns.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define I(name) GVM__INSN_##name

static struct vm_guest guest;

/* Opens a guest whose "f" is `body`; returns the body's offset in it. */
static size_t
open_body(int bounds, const char *signature, struct byte_buffer *body)
{
    struct module_builder *builder = module_builder_create();
    const uint8_t *bytes;
    size_t length_bytes, offset;

    module_builder_memory(builder, 1, 2);
    module_builder_global(builder, 'i', true,
                          BYTES(I(I32_CONST), 0, I(END)));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC,
                          module_builder_func(builder, signature, "",
                                              body->bytes,
                                              body->length_bytes));
    module_builder_name(builder, 0, "the_function");
    bytes = module_builder_finish(builder, &length_bytes);
    /* One byte says that there are no locals. */
    offset = vm_guest_body_offset(bytes, length_bytes, 0) + 1;
    vm_guest_open(&guest, (enum gvm_bounds)bounds, builder, NULL);
    byte_buffer_deinit(body);
    return offset;
}

/* ---- Loads and stores ---------------------------------------------------- */

static const struct access {
    uint8_t insn;
    uint8_t bytes;
} accesses[] = {
    {I(I32_LOAD), 4},     {I(I64_LOAD), 8},     {I(F32_LOAD), 4},
    {I(F64_LOAD), 8},     {I(I32_LOAD8_S), 1},  {I(I32_LOAD8_U), 1},
    {I(I32_LOAD16_S), 2}, {I(I32_LOAD16_U), 2}, {I(I64_LOAD8_S), 1},
    {I(I64_LOAD8_U), 1},  {I(I64_LOAD16_S), 2}, {I(I64_LOAD16_U), 2},
    {I(I64_LOAD32_S), 4}, {I(I64_LOAD32_U), 4}, {I(I32_STORE), 4},
    {I(I64_STORE), 8},    {I(F32_STORE), 4},    {I(F64_STORE), 8},
    {I(I32_STORE8), 1},   {I(I32_STORE16), 2},  {I(I64_STORE8), 1},
    {I(I64_STORE16), 2},  {I(I64_STORE32), 4},
};

/* Where the address comes from; the function's parameter is its sum. */
enum shape {
    LOCAL,          /* a */
    PLUS_CONSTANT,  /* a + 40 */
    CONSTANT_PLUS,  /* 40 + a */
    MINUS_CONSTANT, /* a - 8 */
    PLUS_LOCAL,     /* a + b */
    SCALED,         /* (b << 2) + a */
    SCALED_SECOND,  /* a + (b << 3) */
    SCALED_SUM,     /* (b << 1) + a + 16 */
    TEED,           /* b = a + 4 */
    LOADED,         /* a + (what memory holds at 0: zero) */
    IMMEDIATE,      /* a constant */
    SHAPES,
};

/* What the shape adds to the parameter `a` when `b` is 5. */
static const uint32_t added[SHAPES] = {
    [PLUS_CONSTANT] = 40,  [CONSTANT_PLUS] = 40,
    [MINUS_CONSTANT] = -8u, [PLUS_LOCAL] = 5,
    [SCALED] = 20,         [SCALED_SECOND] = 40,
    [SCALED_SUM] = 26,     [TEED] = 4,
};

static void
put_address(struct byte_buffer *body, enum shape shape, uint32_t address)
{
    static const struct {
        uint8_t length_bytes;
        uint8_t bytes[16];
    } codes[SHAPES] = {
        [LOCAL] = {2, {I(LOCAL_GET), 0}},
        [PLUS_CONSTANT] = {5,
                           {I(LOCAL_GET), 0, I(I32_CONST), 40,
                            I(I32_ADD)}},
        [CONSTANT_PLUS] = {5,
                           {I(I32_CONST), 40, I(LOCAL_GET), 0,
                            I(I32_ADD)}},
        [MINUS_CONSTANT] = {5,
                            {I(LOCAL_GET), 0, I(I32_CONST), 8,
                             I(I32_SUB)}},
        [PLUS_LOCAL] = {5,
                        {I(LOCAL_GET), 0, I(LOCAL_GET), 1, I(I32_ADD)}},
        [SCALED] = {8,
                    {I(LOCAL_GET), 1, I(I32_CONST), 2, I(I32_SHL),
                     I(LOCAL_GET), 0, I(I32_ADD)}},
        [SCALED_SECOND] = {8,
                           {I(LOCAL_GET), 0, I(LOCAL_GET), 1, I(I32_CONST),
                            3, I(I32_SHL), I(I32_ADD)}},
        [SCALED_SUM] = {11,
                        {I(LOCAL_GET), 1, I(I32_CONST), 1, I(I32_SHL),
                         I(LOCAL_GET), 0, I(I32_ADD), I(I32_CONST), 16,
                         I(I32_ADD)}},
        [TEED] = {7,
                  {I(LOCAL_GET), 0, I(I32_CONST), 4, I(I32_ADD),
                   I(LOCAL_TEE), 1}},
        [LOADED] = {8,
                    {I(LOCAL_GET), 0, I(I32_CONST), 0, I(I32_LOAD), 2, 0,
                     I(I32_ADD)}},
    };

    if (shape == IMMEDIATE) {
        byte_buffer_put_byte(body, I(I32_CONST));
        byte_buffer_put_signed(body, (int32_t)address);
        return;
    }
    byte_buffer_put(body, codes[shape].bytes, codes[shape].length_bytes);
}

static void
put_value(struct byte_buffer *body, char type)
{
    switch (type) {
    case 'i':
        byte_buffer_put(body, BYTES(I(LOCAL_GET), 1));
        break;
    case 'l':
        byte_buffer_put(body, BYTES(I(I64_CONST), 42));
        break;
    case 'f':
        byte_buffer_put(body, BYTES(I(F32_CONST), 0, 0, 0x80, 0x3f));
        break;
    default:
        byte_buffer_put(body,
                        BYTES(I(F64_CONST), 0, 0, 0, 0, 0, 0, 0xf0, 0x3f));
        break;
    }
}

/*
 * "ii:": g = 1; the access; g = 2, with an access in between that cannot
 * trap. Returns where the access is, in the module.
 */
static uint64_t
open_access(int bounds, const struct access *access, enum shape shape,
            uint32_t address, uint32_t offset)
{
    struct byte_buffer body = {0};
    const char *signature = gvm__insn_info(access->insn)->signature;
    size_t at;

    byte_buffer_put(&body,
                    BYTES(I(I32_CONST), 1, I(GLOBAL_SET), 0, I(I32_CONST),
                          0, I(I32_CONST), 0, I(I32_STORE), 2, 0));
    put_address(&body, shape, address);
    if (signature[1] != ':')
        put_value(&body, signature[1]);
    at = body.length_bytes;
    byte_buffer_put(&body, BYTES(access->insn, 0));
    byte_buffer_put_unsigned(&body, offset);
    if (signature[1] == ':')
        byte_buffer_put_byte(&body, I(DROP));
    byte_buffer_put(&body,
                    BYTES(I(I32_CONST), 0, I(I32_LOAD), 2, 0, I(DROP),
                          I(I32_CONST), 2, I(GLOBAL_SET), 0, I(END)));
    return open_body(bounds, "ii:", &body) + at;
}

/* Static offsets; the last ones are beyond what guard pages reach. */
static const uint32_t offsets[] = {0,
                                   1,
                                   100,
                                   65535,
                                   65536,
                                   GVM_GUARD_OFFSET_BYTES - 9,
                                   GVM_GUARD_OFFSET_BYTES - 8,
                                   GVM_GUARD_OFFSET_BYTES,
                                   0x7fffffff,
                                   UINT32_MAX - 7,
                                   UINT32_MAX};

static void
try_access(int bounds, const struct access *access, enum shape shape,
           uint64_t sum, uint32_t offset)
{
    /* The parameter with which address and offset make `sum`. */
    uint32_t a = (uint32_t)(sum - offset) - added[shape];
    bool fits = sum + access->bytes <= 65536;
    uint64_t where;

    if (sum < offset || sum - offset > UINT32_MAX)
        return;
    where = open_access(bounds, access, shape, (uint32_t)(sum - offset),
                        offset);
    if (fits) {
        vm_guest_expect(&guest, "f", SLOTS(a, 5), 0, NULL);
    } else {
        vm_guest_expect_trap(&guest, "f", SLOTS(a, 5),
                             GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
        ck_assert_uint_eq(guest.err.function, 0);
        ck_assert_msg(guest.err.offset == where,
                      "insn 0x%x shape %d offset %u: at 0x%llx, not 0x%llx",
                      access->insn, (int)shape, offset,
                      (unsigned long long)guest.err.offset,
                      (unsigned long long)where);
        ck_assert_ptr_nonnull(strstr(guest.err.message, "(the_function)"));
        /* The next call works as if nothing had been. */
        if (shape != IMMEDIATE && offset < 60000)
            vm_guest_expect(&guest, "f",
                            SLOTS((uint32_t)(64 - added[shape]), 5), 0,
                            NULL);
    }
    vm_guest_close(&guest);
}

START_TEST(an_access_traps_where_it_leaves_the_memory)
{
    const struct access *access = &accesses[_i];
    const uint64_t sums[] = {65536 - access->bytes,
                             65537 - access->bytes,
                             65535,
                             65536,
                             131072,
                             UINT32_MAX,
                             1ull << 32,
                             (1ull << 32) + 4,
                             2 * (uint64_t)UINT32_MAX};

    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++)
        for (size_t j = 0; j < COUNT_OF(offsets); j++) {
            /* As far as an index reaches, beyond any reservation. */
            try_access(bounds, access, LOCAL,
                       (uint64_t)UINT32_MAX + offsets[j], offsets[j]);
            for (size_t i = 0; i < COUNT_OF(sums); i++)
                try_access(bounds, access, LOCAL, sums[i], offsets[j]);
        }
}
END_TEST

START_TEST(a_trap_names_the_access_however_its_address_is_made)
{
    const struct access *access = &accesses[_i];

    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++)
        for (int shape = 0; shape < SHAPES; shape++)
            for (uint32_t offset = 0; offset < 200; offset += 68) {
                enum shape s = (enum shape)shape;

                try_access(bounds, access, s, 65536 - access->bytes,
                           offset);
                try_access(bounds, access, s, 65537 - access->bytes,
                           offset);
                try_access(bounds, access, s, UINT32_MAX, offset);
            }
}
END_TEST

/* The sum of an i32.add wraps; that of address and static offset does not. */
START_TEST(addresses_wrap_where_the_program_adds_and_nowhere_else)
{
    struct access load = {I(I32_LOAD), 4};
    uint64_t where;

    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        where = open_access(bounds, &load, PLUS_CONSTANT, 0, 0);
        vm_guest_expect(&guest, "f", SLOTS(UINT32_MAX - 39 + 8, 5), 0,
                        NULL);
        vm_guest_expect_trap(&guest, "f", SLOTS(UINT32_MAX - 40, 5),
                             GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
        ck_assert_uint_eq(guest.err.offset, where);
        vm_guest_close(&guest);
        open_access(bounds, &load, LOCAL, 0, 40);
        vm_guest_expect_trap(&guest, "f", SLOTS(UINT32_MAX - 39 + 8, 5),
                             GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
        vm_guest_close(&guest);
        open_access(bounds, &load, PLUS_CONSTANT, 0, 16);
        vm_guest_expect(&guest, "f", SLOTS(UINT32_MAX - 39 + 8, 5), 0,
                        NULL);
        vm_guest_expect_trap(&guest, "f", SLOTS(UINT32_MAX - 40, 5),
                             GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
        vm_guest_close(&guest);
        open_access(bounds, &load, MINUS_CONSTANT, 0, 0);
        vm_guest_expect(&guest, "f", SLOTS(8, 5), 0, NULL);
        vm_guest_expect_trap(&guest, "f", SLOTS(7, 5),
                             GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
        vm_guest_close(&guest);
        open_access(bounds, &load, MINUS_CONSTANT, 0, 8);
        vm_guest_expect_trap(&guest, "f", SLOTS(0, 5),
                             GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
        vm_guest_close(&guest);
    }
}
END_TEST

/* What a store did before the trap stays, what is behind it is not done. */
START_TEST(a_trap_comes_between_what_is_before_and_behind_it)
{
    struct byte_buffer body = {0};

    byte_buffer_put(
        &body,
        BYTES(I(I32_CONST), 8, I(I32_CONST), 17, I(I32_STORE), 2, 0,
              I(LOCAL_GET), 0, I(I32_CONST), 1, I(I32_STORE), 2, 0,
              I(I32_CONST), 8, I(I32_CONST), 18, I(I32_STORE), 2, 0,
              I(END)));
    open_body(_i, "i:", &body);
    vm_guest_expect_trap(&guest, "f", SLOTS(65533),
                         GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    ck_assert_uint_eq(
        gvm_memory_data(gvm_instance_memory(guest.instance))[8], 17);
    vm_guest_close(&guest);
}
END_TEST

/* ---- The other traps ----------------------------------------------------- */

#define ADDS_ONE I(I32_CONST), 1, I(I32_ADD)

/* `at` is the place in the body of what traps. */
static const struct trapping {
    const char *signature;
    uint8_t body[40];
    uint8_t at;
    uint64_t arguments[2];
    enum gvm_trap trap;
} trapping[] = {
    {":", {I(NOP), I(UNREACHABLE), I(END)}, 1, {0}, GVM_TRAP_UNREACHABLE},
    {"i:",
     {I(LOCAL_GET), 0, I(IF), 0x40, I(UNREACHABLE), I(END), I(END)},
     4,
     {1},
     GVM_TRAP_UNREACHABLE},
    {"ii:i",
     {I(LOCAL_GET), 0, ADDS_ONE, I(LOCAL_GET), 1, I(I32_DIV_S), ADDS_ONE,
      I(END)},
     7,
     {7, 0},
     GVM_TRAP_DIVIDE_BY_ZERO},
    {"ii:i",
     {I(LOCAL_GET), 0, I(LOCAL_GET), 1, I(I32_DIV_S), ADDS_ONE, I(END)},
     4,
     {0x80000000, 0xffffffff},
     GVM_TRAP_INTEGER_OVERFLOW},
    {"i:i",
     {I(LOCAL_GET), 0, I(I32_CONST), 0, I(I32_REM_U), ADDS_ONE, I(END)},
     4,
     {7},
     GVM_TRAP_DIVIDE_BY_ZERO},
    {"ii:",
     {I(LOCAL_GET), 0, I(LOCAL_GET), 1, I(I32_REM_S), I(DROP), I(END)},
     4,
     {7, 0},
     GVM_TRAP_DIVIDE_BY_ZERO},
    {"ll:l",
     {I(LOCAL_GET), 0, I(LOCAL_GET), 1, I(I64_DIV_U), I(END)},
     4,
     {7, 0},
     GVM_TRAP_DIVIDE_BY_ZERO},
    {"ll:l",
     {I(LOCAL_GET), 0, I(LOCAL_GET), 1, I(I64_DIV_S), I(END)},
     4,
     {1ull << 63, UINT64_MAX},
     GVM_TRAP_INTEGER_OVERFLOW},
    {"l:l",
     {I(LOCAL_GET), 0, I(I64_CONST), 0x7f, I(I64_DIV_S), I(END)},
     4,
     {1ull << 63},
     GVM_TRAP_INTEGER_OVERFLOW},
    {"f:i",
     {I(LOCAL_GET), 0, I(I32_TRUNC_F32_S), ADDS_ONE, I(END)},
     2,
     {0x7fc00000},
     GVM_TRAP_INVALID_CONVERSION},
    {"f:i",
     {I(LOCAL_GET), 0, I(I32_TRUNC_F32_U), ADDS_ONE, I(END)},
     2,
     {0xbf800000},
     GVM_TRAP_INTEGER_OVERFLOW},
    {"d:l",
     {I(LOCAL_GET), 0, I(I64_TRUNC_F64_S), I(END)},
     2,
     {0x43e0000000000000},
     GVM_TRAP_INTEGER_OVERFLOW},
    {"d:l",
     {I(LOCAL_GET), 0, I(I64_TRUNC_F64_U), I(END)},
     2,
     {0xfff8000000000000},
     GVM_TRAP_INVALID_CONVERSION},
    {"i:",
     {I(LOCAL_GET), 0, ADDS_ONE, I(CALL_INDIRECT), 1, 0, I(END)},
     5,
     {9},
     GVM_TRAP_UNDEFINED_ELEMENT},
    {"i:",
     {I(LOCAL_GET), 0, I(CALL_INDIRECT), 1, 0, I(END)},
     2,
     {UINT32_MAX},
     GVM_TRAP_UNDEFINED_ELEMENT},
    {"i:",
     {I(NOP), I(LOCAL_GET), 0, I(CALL_INDIRECT), 1, 0, I(END)},
     3,
     {1},
     GVM_TRAP_UNINITIALIZED_ELEMENT},
    {"i:",
     {I(LOCAL_GET), 0, I(CALL_INDIRECT), 1, 0, I(END)},
     2,
     {0},
     GVM_TRAP_INDIRECT_CALL_TYPE_MISMATCH},
    {"i:r",
     {I(NOP), I(LOCAL_GET), 0, I(TABLE_GET), 0, I(END)},
     3,
     {10},
     GVM_TRAP_TABLE_OUT_OF_BOUNDS},
    {"i:",
     {I(LOCAL_GET), 0, I(LOCAL_GET), 0, I(LOCAL_GET), 0, 0xfc, 11, 0,
      I(END)},
     6,
     {40000},
     GVM_TRAP_MEMORY_OUT_OF_BOUNDS},
};

static void
try_trapping(int bounds, const struct trapping *t)
{
    struct module_builder *builder = module_builder_create();
    size_t length_bytes = sizeof(t->body);
    const uint8_t *bytes;
    size_t where;

    while (t->body[length_bytes - 1] != I(END))
        length_bytes--;
    module_builder_type(builder, "i:");
    module_builder_type(builder, ":"); /* type 1: not that of entry 0 */
    module_builder_memory(builder, 1, 1);
    module_builder_table(builder, 'r', 10, MODULE_BUILDER_NO_MAX);
    module_builder_func(builder, t->signature, "", t->body, length_bytes);
    module_builder_elements(builder, 0, (const uint32_t[]){0}, 1);
    module_builder_name(builder, 0, "trapper");
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    bytes = module_builder_finish(builder, &length_bytes);
    where = vm_guest_body_offset(bytes, length_bytes, 0) + 1 + t->at;
    vm_guest_open(&guest, (enum gvm_bounds)bounds, builder, NULL);
    vm_guest_expect_trap(&guest, "f", t->arguments, t->trap);
    ck_assert_uint_eq(guest.err.function, 0);
    ck_assert_uint_eq(guest.err.offset, where);
    ck_assert_ptr_nonnull(
        strstr(guest.err.message, gvm_trap_text(t->trap)));
    ck_assert_ptr_nonnull(strstr(guest.err.message, "(trapper)"));
    vm_guest_close(&guest);
}

START_TEST(every_trap_says_where_it_is)
{
    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++)
        try_trapping(bounds, &trapping[_i]);
}
END_TEST

static Suite *
translate_insn_suite(void)
{
    Suite *suite = suite_create("translate_insn");
    TCase *access = tcase_create("access");
    TCase *traps = tcase_create("traps");

    tcase_add_loop_test(access, an_access_traps_where_it_leaves_the_memory,
                        0, (int)COUNT_OF(accesses));
    tcase_add_loop_test(
        access, a_trap_names_the_access_however_its_address_is_made, 0,
        (int)COUNT_OF(accesses));
    tcase_add_test(access,
                   addresses_wrap_where_the_program_adds_and_nowhere_else);
    tcase_add_loop_test(access,
                        a_trap_comes_between_what_is_before_and_behind_it,
                        0, vm_world_bounds_count());
    tcase_add_loop_test(traps, every_trap_says_where_it_is, 0,
                        (int)COUNT_OF(trapping));
    suite_add_tcase(suite, access);
    suite_add_tcase(suite, traps);
    return suite;
}

int
main(void)
{
    return suite_run(translate_insn_suite());
}
