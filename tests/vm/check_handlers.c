/*
 * check_handlers.c - tests of vm/handlers.c: what lives in registers while
 * handlers run, and what happens to it where they are left.
 *
 * What is busy in a loop may be in a register, whatever else the loop does
 * with it: calls that want the registers themselves, stops in the middle,
 * other calls in between, operations that know slots alone.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <string.h>

#include "vm/insns.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define I(name) GVM__INSN_##name
#define GET(local) I(LOCAL_GET), local
#define SET(local) I(LOCAL_SET), local
#define TEE(local) I(LOCAL_TEE), local
#define CONST(number) I(I32_CONST), number
#define CONST_64(number) I(I64_CONST), number
#define ADD I(I32_ADD)
#define SUB I(I32_SUB)
#define END I(END)
#define REPEAT I(LOOP), 0x40
/* Counts local 0 down, and goes on until it is zero. */
#define UNTIL_ZERO GET(0), CONST(1), SUB, TEE(0), I(BR_IF), 0, END

#define BODY_MAX 96

/*
 * Function 0 is the program, "i:l" with locals 1 i32, 2 i64, 3 f64, 4 i32.
 * 1 is a * 3 + 1 of i32 and counts a loop of its own for it, 2 sums a loop of
 * f64 up to its argument, 3 is 2^64 - a of i64. The table holds 1.
 */
static const struct program {
    const char *what;
    uint8_t body[BODY_MAX];
    uint64_t result; /* of 20 */
} programs[] = {
    {"a counter alone",
     {REPEAT, GET(1), CONST(2), ADD, SET(1), UNTIL_ZERO, GET(1),
      I(I64_EXTEND_I32_U), END},
     40},
    {"a sum of the counter",
     {REPEAT, GET(2), GET(0), I(I64_EXTEND_I32_U), I(I64_ADD), SET(2),
      UNTIL_ZERO, GET(2), END},
     210},
    {"the counter as an argument",
     {REPEAT, GET(1), GET(0), I(CALL), 1, ADD, SET(1), UNTIL_ZERO, GET(1),
      I(I64_EXTEND_I32_U), END},
     650},
    {"the counter below a call",
     {REPEAT, GET(0), CONST(2), I(CALL), 1, ADD, GET(1), ADD, SET(1),
      UNTIL_ZERO, GET(1), I(I64_EXTEND_I32_U), END},
     210 + 20 * 7},
    {"the counter set from a call",
     {REPEAT, GET(0), I(CALL), 1, CONST(1), SUB, CONST(3), I(I32_DIV_U),
      SET(0), GET(1), GET(0), ADD, SET(1), UNTIL_ZERO, GET(1),
      I(I64_EXTEND_I32_U), END},
     210},
    {"a call by the counter's place in the table",
     {REPEAT, GET(1), GET(0), GET(0), GET(0), SUB, I(CALL_INDIRECT), 1, 0,
      ADD, SET(1), UNTIL_ZERO, GET(1), I(I64_EXTEND_I32_U), END},
     650},
    {"a wide sum through a call",
     {REPEAT, GET(2), GET(0), I(I64_EXTEND_I32_U), I(I64_SUB), I(CALL), 3,
      SET(2), UNTIL_ZERO, GET(2), END},
     /* s = i - s, from 0 on, for i = 20 ... 1 */
     (uint64_t)-10},
    {"a sum of f64",
     {REPEAT, GET(3), GET(0), I(F64_CONVERT_I32_U), I(F64_ADD), SET(3),
      UNTIL_ZERO, GET(3), I(I64_TRUNC_F64_U), END},
     210},
    {"a sum of f64 around calls that sum f64",
     {REPEAT, GET(3), GET(0), I(F64_CONVERT_I32_U), I(CALL), 2, I(F64_ADD),
      SET(3), UNTIL_ZERO, GET(3), I(I64_TRUNC_F64_U), END},
     1540},
    {"both kinds at once",
     {REPEAT, GET(3), GET(0), I(F64_CONVERT_I32_U), I(F64_ADD), TEE(3),
      GET(3), I(F64_MUL), I(I64_TRUNC_F64_U), GET(2), I(I64_ADD),
      SET(2), UNTIL_ZERO, GET(2), END},
     482734},
    {"a local that is never set",
     {REPEAT, GET(2), GET(2), I(I64_ADD), GET(1), I(I64_EXTEND_I32_U),
      I(I64_ADD), CONST_64(1), I(I64_ADD), SET(2), UNTIL_ZERO, GET(2), END},
     (1u << 20) - 1},
    {"a copy that stays behind",
     {REPEAT, GET(0), SET(4), GET(0), CONST(1), ADD, SET(0), GET(1), GET(4),
      ADD, SET(1), GET(4), SET(0), UNTIL_ZERO, GET(1), I(I64_EXTEND_I32_U),
      END},
     210},
    {"the counter as address and as value",
     {REPEAT, GET(0), GET(0), I(I32_STORE8), 0, 0, GET(1), GET(0),
      I(I32_LOAD8_U), 0, 0, ADD, SET(1), UNTIL_ZERO, GET(1),
      I(I64_EXTEND_I32_U), END},
     210},
    {"the counter over a memory that grows",
     {REPEAT, GET(1), GET(0), ADD, CONST(1), I(MEMORY_GROW), 0, I(DROP),
      SET(1), UNTIL_ZERO, GET(1), I(I64_EXTEND_I32_U), END},
     210},
    {"the counter over a filled memory",
     {REPEAT, GET(1), GET(0), ADD, SET(1), CONST(0), GET(0), GET(0), 0xfc,
      11, 0, UNTIL_ZERO, GET(1), CONST(0), I(I32_LOAD8_U), 0, 0, ADD,
      I(I64_EXTEND_I32_U), END},
     211},
    {"the counter in a table of branches",
     {REPEAT, I(BLOCK), 0x40, I(BLOCK), 0x40, GET(0), CONST(1), I(I32_AND),
      I(BR_TABLE), 1, 0, 1, END, GET(1), GET(0), ADD, SET(1), END,
      UNTIL_ZERO, GET(1), I(I64_EXTEND_I32_U), END},
     110},
    {"the counter selected",
     {REPEAT, GET(1), GET(0), CONST(5), GET(0), CONST(5), I(I32_GT_S),
      I(SELECT), ADD, SET(1), UNTIL_ZERO, GET(1), I(I64_EXTEND_I32_U), END},
     195 + 25},
    {"the counter in a global",
     {REPEAT, GET(0), I(GLOBAL_SET), 0, I(GLOBAL_GET), 0, GET(1), ADD,
      SET(1), UNTIL_ZERO, GET(1), I(I64_EXTEND_I32_U), END},
     210},
};

static void
add_helpers(struct module_builder *builder)
{
    module_builder_func(
        builder, "i:i", "i",
        BYTES(REPEAT, GET(1), CONST(1), ADD, TEE(1), CONST(3), I(I32_LT_S),
              I(BR_IF), 0, END, GET(0), GET(1), I(I32_MUL), CONST(1), ADD,
              END));
    module_builder_func(
        builder, "d:d", "d",
        BYTES(REPEAT, GET(1), GET(0), I(F64_ADD), SET(1), GET(0), CONST(1),
              I(F64_CONVERT_I32_S), I(F64_SUB), TEE(0), CONST(0),
              I(F64_CONVERT_I32_S), I(F64_GT), I(BR_IF), 0, END, GET(1),
              END));
    module_builder_func(builder, "l:l", "",
                        BYTES(CONST_64(0), GET(0), I(I64_SUB), END));
}

static void
open_program(struct vm_guest *guest, int bounds, unsigned which)
{
    struct module_builder *builder = module_builder_create();
    const struct program *program = &programs[which];
    size_t body_bytes = BODY_MAX;

    while (program->body[body_bytes - 1] != END)
        body_bytes--;
    module_builder_type(builder, "i:l");
    module_builder_type(builder, "i:i");
    module_builder_func(builder, "i:l", "ildi", program->body, body_bytes);
    add_helpers(builder);
    module_builder_memory(builder, 1, 50);
    module_builder_global(builder, 'i', true, BYTES(CONST(0), END));
    module_builder_table(builder, 'r', 1, MODULE_BUILDER_NO_MAX);
    module_builder_elements(builder, 0, (const uint32_t[]){1}, 1);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    vm_guest_open(guest, (enum gvm_bounds)bounds, builder, NULL);
}

START_TEST(a_busy_local_is_what_it_is_everywhere)
{
    struct vm_guest guest;

    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        open_program(&guest, bounds, (unsigned)_i);
        vm_guest_call(&guest, "f", SLOTS(20));
        ck_assert_msg(guest.status == GVM_OK &&
                          vm_guest_result(&guest, 0) ==
                              programs[_i].result,
                      "%s: %s, %llu", programs[_i].what, guest.err.message,
                      (unsigned long long)vm_guest_result(&guest, 0));
        vm_guest_close(&guest);
    }
}
END_TEST

/* Starts or goes on with a little fuel; false when it has ended. */
static bool
run_slice(struct vm_guest *guest, bool start)
{
    gvm_call_set_fuel(guest->call, gvm_call_fuel(guest->call) + 7);
    if (start)
        vm_guest_call(guest, "f", SLOTS(20));
    else
        vm_guest_resume(guest);
    return guest->status == GVM_SUSPENDED;
}

/* Two calls take turns; what one has in registers is not the other's. */
START_TEST(calls_that_take_turns_do_not_see_each_other)
{
    unsigned other = ((unsigned)_i * 7 + 3) % (unsigned)COUNT_OF(programs);
    struct vm_guest a, b;
    bool a_runs, b_runs;

    open_program(&a, GVM_BOUNDS_EXPLICIT, (unsigned)_i);
    open_program(&b, GVM_BOUNDS_EXPLICIT, other);
    gvm_call_set_fuel(a.call, 0);
    gvm_call_set_fuel(b.call, 0);
    a_runs = run_slice(&a, true);
    b_runs = run_slice(&b, true);
    while (a_runs || b_runs) {
        a_runs = a_runs && run_slice(&a, false);
        b_runs = b_runs && run_slice(&b, false);
    }
    ck_assert_int_eq(a.status, GVM_OK);
    ck_assert_int_eq(b.status, GVM_OK);
    ck_assert_uint_eq(vm_guest_result(&a, 0), programs[_i].result);
    ck_assert_uint_eq(vm_guest_result(&b, 0), programs[other].result);
    vm_guest_close(&b);
    vm_guest_close(&a);
}
END_TEST

/* ---- The host in between ------------------------------------------------- */

struct interloper {
    struct vm_world *world;
    struct gvm_extern function;
    unsigned calls;
};

/* ":": runs another busy loop of the same instance, and waits now and then. */
static enum gvm_status
interlope(struct gvm_call *call, void *data, union gvm_value *slots)
{
    struct interloper *interloper = data;
    union gvm_value argument = {.i32 = 30};
    struct gvm_call *inner;

    (void)call;
    (void)slots;
    if (interloper->calls++ % 3 == 1)
        return GVM_SUSPENDED;
    ck_assert_int_eq(gvm_call_create(interloper->world->store, &inner),
                     GVM_OK);
    ck_assert_int_eq(gvm_call_start(inner, interloper->function.func,
                                    &argument, NULL),
                     GVM_OK);
    ck_assert_uint_eq(gvm_call_results(inner)->i64, 465);
    gvm_call_destroy(inner);
    return GVM_OK;
}

START_TEST(the_host_may_use_the_registers_in_between)
{
    struct module_builder *builder = module_builder_create();
    struct interloper interloper = {0};
    struct vm_world world;
    struct vm_guest guest;
    struct gvm_module *module;
    struct gvm_extern import;

    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    import = vm_guest_host(&world, ":", interlope, &interloper);
    module_builder_import_func(builder, "host", "interlope", ":");
    module_builder_func(builder, "i:l", "l",
                        BYTES(REPEAT, GET(1), GET(0),
                              I(I64_EXTEND_I32_U), I(I64_ADD), SET(1),
                              UNTIL_ZERO, GET(1), END));
    module_builder_func(builder, "i:ld", "ld",
                        BYTES(REPEAT, GET(1), GET(0),
                              I(I64_EXTEND_I32_U), I(I64_ADD), SET(1),
                              GET(2), GET(0), I(F64_CONVERT_I32_U),
                              I(CALL), 0, I(F64_ADD), SET(2), UNTIL_ZERO,
                              GET(1), GET(2), END));
    module_builder_export(builder, "sum", GVM_EXTERN_FUNC, 1);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 2);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    vm_guest_open_in(&guest, &world, module, &import);
    interloper.world = &world;
    interloper.function = vm_world_export(guest.instance, "sum");
    vm_guest_call(&guest, "f", SLOTS(20));
    while (guest.status == GVM_SUSPENDED)
        vm_guest_resume(&guest);
    ck_assert_int_eq(guest.status, GVM_OK);
    ck_assert_uint_gt(interloper.calls, 20);
    ck_assert_uint_eq(vm_guest_result(&guest, 0), 210);
    ck_assert_uint_eq(vm_guest_result(&guest, 1), 0x406a400000000000);
    gvm_call_destroy(guest.call);
    vm_world_close(&world);
}
END_TEST

/*
 * Instance A's busy loop calls "triple" of instance B, which is a busy loop
 * itself: 3 * a, added up one by one.
 */
START_TEST(another_instance_may_use_the_registers_in_between)
{
    struct module_builder *builder = module_builder_create();
    struct module_builder *caller = module_builder_create();
    struct vm_world world;
    struct vm_guest guest;
    struct gvm_module *module;
    struct gvm_extern import;

    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    module_builder_func(builder, "id:id", "id",
                        BYTES(REPEAT, GET(2), CONST(3), ADD, SET(2), GET(3),
                              GET(1), I(F64_ADD), SET(3), UNTIL_ZERO, GET(2),
                              GET(3), END));
    module_builder_export(builder, "triple", GVM_EXTERN_FUNC, 0);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    import = vm_world_export(vm_world_instantiate(&world, module, NULL),
                             "triple");
    module_builder_import_func(caller, "", "triple", "id:id");
    module_builder_func(
        caller, "i:id", "id",
        BYTES(REPEAT, GET(1), GET(0), ADD, GET(0), SUB, GET(0), ADD, SET(1),
              GET(2), GET(0), I(F64_CONVERT_I32_U), I(F64_ADD), SET(2),
              GET(0), GET(2), I(CALL), 0, I(DROP), GET(1), ADD, SET(1),
              UNTIL_ZERO, GET(1), GET(2), END));
    module_builder_export(caller, "f", GVM_EXTERN_FUNC, 1);
    module = vm_world_load(&world, caller, GVM_FEATURES_DEFAULT);
    vm_guest_open_in(&guest, &world, module, &import);
    vm_guest_expect(&guest, "f", SLOTS(20), 2,
                    SLOTS(4 * 210, 0x406a400000000000));
    gvm_call_destroy(guest.call);
    vm_world_close(&world);
}
END_TEST

/* ---- The caller's own registers ------------------------------------------ */

/* As many values as there are registers that a call has to leave alone. */
static uint64_t __attribute__((noinline))
sum_around_a_call(struct vm_guest *guest, const volatile uint64_t *values,
                  uint64_t argument)
{
    uint64_t a = values[0], b = values[1], c = values[2], d = values[3];
    uint64_t e = values[4], f = values[5], g = values[6], h = values[7];

    vm_guest_call(guest, "f", &argument);
    return a + 3 * b + 5 * c + 7 * d + 11 * e + 13 * f + 17 * g + 19 * h;
}

START_TEST(a_run_leaves_its_caller_the_registers)
{
    static const volatile uint64_t values[8] = {
        1ull << 40, 2ull << 40, 3ull << 40, 4ull << 40,
        5ull << 40, 6ull << 40, 7ull << 40, 8ull << 40};
    uint64_t expected = (1 + 6 + 15 + 28 + 55 + 78 + 119 + 152ull) << 40;
    struct vm_guest guest;

    /* The thirteenth program stores at its counter: a trap far outside. */
    open_program(&guest, _i, 12);
    ck_assert_uint_eq(sum_around_a_call(&guest, values, 20), expected);
    ck_assert_int_eq(guest.status, GVM_OK);
    ck_assert_uint_eq(sum_around_a_call(&guest, values, 1u << 30),
                      expected);
    ck_assert_int_eq(guest.status, GVM_TRAP);
    vm_guest_close(&guest);
}
END_TEST

static Suite *
handlers_suite(void)
{
    Suite *suite = suite_create("handlers");
    TCase *tcase = tcase_create("registers");
    const int bounds = vm_world_bounds_count();

    tcase_add_loop_test(tcase, a_busy_local_is_what_it_is_everywhere, 0,
                        (int)COUNT_OF(programs));
    tcase_add_loop_test(tcase, calls_that_take_turns_do_not_see_each_other,
                        0, (int)COUNT_OF(programs));
    tcase_add_loop_test(tcase, the_host_may_use_the_registers_in_between, 0,
                        bounds);
    tcase_add_loop_test(
        tcase, another_instance_may_use_the_registers_in_between, 0,
        bounds);
    tcase_add_loop_test(tcase, a_run_leaves_its_caller_the_registers, 0,
                        bounds);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(handlers_suite());
}
