/*
 * check_slow_call.c - tests of vm/slow_call.c: calls to the host and back.
 * check_slow_call_across.c has those to other instances.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <string.h>

#include "vm/insns.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define I(name) GVM__INSN_##name
#define FILLER "0123456789012345678901234567890123456789012345678901"

/* What the host function is to do, and what it saw. */
struct host {
    enum gvm_status statuses[4]; /* call by call */
    enum gvm_trap trap;
    const char *format; /* of gvm_call_trap, when it is called */
    bool says_why;
    uint64_t fuel; /* to set; 0: none */
    unsigned calls;
    uint64_t seen[4][2];
    struct gvm_instance *instance;
};

static struct vm_world world;
static struct vm_guest guest;
static struct host host;

/* "il:l": a + b + 1. */
static enum gvm_status
answer(struct gvm_call *call, void *data, union gvm_value *slots)
{
    struct host *h = data;
    unsigned which = h->calls++;

    ck_assert_uint_lt(which, COUNT_OF(h->statuses));
    h->seen[which][0] = slots[0].slot;
    h->seen[which][1] = slots[1].slot;
    h->instance = gvm_call_instance(call);
    if (h->says_why) {
        enum gvm_status status =
            h->format == NULL
                ? gvm_call_trap(call, h->trap, NULL)
                : gvm_call_trap(call, h->trap, "%s", h->format);

        ck_assert_int_eq(status, GVM_TRAP);
    }
    if (h->fuel != 0)
        gvm_call_set_fuel(call, h->fuel);
    if (h->statuses[which] == GVM_OK)
        slots[0].i64 = slots[0].i32 + slots[1].i64 + 1;
    return h->statuses[which];
}

/*
 * "direct", "indirect": bump(a, b) and 1 more; "f": what is left when `a`
 * divides 6, behind the call.
 */
static void
open_host(int bounds)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_module *module;
    struct gvm_extern import;
    static const uint32_t zero[] = {0};

    vm_world_open(&world, (enum gvm_bounds)bounds, NULL);
    import = vm_guest_host(&world, "il:l", answer, &host);
    module_builder_import_func(builder, "host", "answer", "il:l");
    module_builder_func(builder, "il:l", "",
                        BYTES(I(LOCAL_GET), 0, I(LOCAL_GET), 1, I(CALL), 0,
                              I(I64_CONST), 1, I(I64_ADD), I(END)));
    module_builder_func(builder, "il:l", "",
                        BYTES(I(LOCAL_GET), 0, I(LOCAL_GET), 1,
                              I(I32_CONST), 0, I(CALL_INDIRECT), 0, 0,
                              I(I64_CONST), 1, I(I64_ADD), I(END)));
    module_builder_func(builder, "i:i", "",
                        BYTES(I(LOCAL_GET), 0, I(I64_CONST), 0, I(CALL), 0,
                              I(DROP), I(I32_CONST), 6, I(LOCAL_GET), 0,
                              I(I32_DIV_U), I(END)));
    module_builder_table(builder, 'r', 2, MODULE_BUILDER_NO_MAX);
    module_builder_elements(builder, 0, zero, 1);
    module_builder_export(builder, "direct", GVM_EXTERN_FUNC, 1);
    module_builder_export(builder, "indirect", GVM_EXTERN_FUNC, 2);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 3);
    module_builder_export(builder, "host", GVM_EXTERN_FUNC, 0);
    module_builder_export(builder, "table", GVM_EXTERN_TABLE, 0);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    vm_guest_open_in(&guest, &world, module, &import);
}

static void
close_all(void)
{
    gvm_call_destroy(guest.call);
    vm_world_close(&world);
    memset(&host, 0, sizeof(host));
}

static const char *const ways[] = {"direct", "indirect", "host"};

/* ---- The host ------------------------------------------------------------ */

START_TEST(a_host_function_is_called_however_it_is_reached)
{
    static const uint64_t plus[] = {1, 1, 0};

    open_host(_i % 2 % vm_world_bounds_count());
    vm_guest_expect(&guest, ways[_i / 2], SLOTS(5, 1ull << 40), 1,
                    SLOTS((1ull << 40) + 6 + plus[_i / 2]));
    ck_assert_uint_eq(host.calls, 1);
    ck_assert_uint_eq(host.seen[0][0], 5);
    ck_assert_uint_eq(host.seen[0][1], 1ull << 40);
    /* Started directly, no instance's code has called it. */
    ck_assert_ptr_eq(host.instance,
                     _i / 2 == 2 ? NULL : guest.instance);
    close_all();
}
END_TEST

START_TEST(a_host_function_that_waits_is_called_again_with_its_arguments)
{
    static const uint64_t plus[] = {1, 1, 0};

    host.statuses[0] = GVM_SUSPENDED;
    host.statuses[1] = GVM_SUSPENDED;
    open_host(_i % 2 % vm_world_bounds_count());
    ck_assert_int_eq(vm_guest_call(&guest, ways[_i / 2], SLOTS(7, 8)),
                     GVM_SUSPENDED);
    ck_assert_int_eq(gvm_call_suspension(guest.call), GVM_SUSPENSION_HOST);
    ck_assert_int_eq(vm_guest_resume(&guest), GVM_SUSPENDED);
    ck_assert_int_eq(gvm_call_suspension(guest.call), GVM_SUSPENSION_HOST);
    ck_assert_int_eq(vm_guest_resume(&guest), GVM_OK);
    ck_assert_uint_eq(host.calls, 3);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(host.seen[i][0], 7);
        ck_assert_uint_eq(host.seen[i][1], 8);
    }
    ck_assert_uint_eq(vm_guest_result(&guest, 0), 16 + plus[_i / 2]);
    close_all();
}
END_TEST

/* What waits is that function, whatever the table holds meanwhile. */
START_TEST(a_host_function_that_waits_is_the_one_that_is_called_again)
{
    union gvm_value null = {.slot = 0};

    host.statuses[0] = GVM_SUSPENDED;
    open_host(_i);
    ck_assert_int_eq(vm_guest_call(&guest, "indirect", SLOTS(7, 8)),
                     GVM_SUSPENDED);
    ck_assert(gvm_table_set(vm_world_export(guest.instance, "table").table,
                            0, null));
    ck_assert_int_eq(vm_guest_resume(&guest), GVM_OK);
    ck_assert_uint_eq(host.calls, 2);
    vm_guest_expect_trap(&guest, "indirect", SLOTS(7, 8),
                         GVM_TRAP_UNINITIALIZED_ELEMENT);
    close_all();
}
END_TEST

/* get, get, call, const, add, end are paid for before it waits. */
START_TEST(a_call_that_waits_needs_no_more_fuel_to_go_on)
{
    host.statuses[0] = GVM_SUSPENDED;
    open_host(_i);
    gvm_call_set_fuel(guest.call, 5);
    ck_assert_int_eq(vm_guest_call(&guest, "direct", SLOTS(7, 8)),
                     GVM_SUSPENDED);
    gvm_call_set_fuel(guest.call, 6);
    ck_assert_int_eq(vm_guest_resume(&guest), GVM_SUSPENDED);
    ck_assert_int_eq(gvm_call_suspension(guest.call), GVM_SUSPENSION_HOST);
    ck_assert_uint_eq(gvm_call_fuel(guest.call), 0);
    ck_assert_int_eq(vm_guest_resume(&guest), GVM_OK);
    ck_assert_uint_eq(vm_guest_result(&guest, 0), 17);
    close_all();
}
END_TEST

START_TEST(a_call_that_waits_may_end_in_another_way)
{
    host.statuses[0] = GVM_SUSPENDED;
    host.statuses[1] = (enum gvm_status[]){GVM_TRAP, GVM_EXITED,
                                           GVM_NO_MEMORY}[_i];
    open_host(GVM_BOUNDS_EXPLICIT);
    ck_assert_int_eq(vm_guest_call(&guest, "direct", SLOTS(7, 8)),
                     GVM_SUSPENDED);
    ck_assert_int_eq(vm_guest_resume(&guest), host.statuses[1]);
    ck_assert_uint_eq(guest.err.function, 1);
    ck_assert_int_eq(gvm_call_suspension(guest.call), GVM_SUSPENSION_NONE);
    vm_guest_expect(&guest, "direct", SLOTS(1, 1), 1, SLOTS(4));
    close_all();
}
END_TEST

START_TEST(exit_ends_a_call_without_a_trap)
{
    host.statuses[0] = GVM_EXITED;
    open_host(_i % 2 % vm_world_bounds_count());
    ck_assert_int_eq(vm_guest_call(&guest, ways[_i / 2], SLOTS(1, 2)),
                     GVM_EXITED);
    ck_assert_int_eq(guest.err.status, GVM_EXITED);
    ck_assert_int_eq(guest.err.trap, GVM_TRAP_NONE);
    close_all();
}
END_TEST

START_TEST(a_host_function_without_memory_ends_the_call_so)
{
    host.statuses[0] = GVM_NO_MEMORY;
    open_host(_i);
    ck_assert_int_eq(vm_guest_call(&guest, "direct", SLOTS(1, 2)),
                     GVM_NO_MEMORY);
    close_all();
}
END_TEST

static const struct complaint {
    enum gvm_status status;
    bool says_why;
    enum gvm_trap trap;
    const char *format;
    enum gvm_trap got;
    const char *text; /* that the message begins with */
} complaints[] = {
    {GVM_TRAP, true, GVM_TRAP_HOST, "no such key", GVM_TRAP_HOST,
     "no such key in function 1"},
    {GVM_TRAP, true, GVM_TRAP_UNREACHABLE, NULL, GVM_TRAP_UNREACHABLE,
     "unreachable in function 1"},
    {GVM_TRAP, true, GVM_TRAP_HOST, NULL, GVM_TRAP_HOST,
     "host function failed in function 1"},
    {GVM_TRAP, true, GVM_TRAP_HOST, "", GVM_TRAP_HOST, " in function 1"},
    {GVM_TRAP, true, GVM_TRAP_HOST, FILLER FILLER FILLER FILLER FILLER,
     GVM_TRAP_HOST, FILLER FILLER FILLER},
    /* It did not say why, or is not to return what it returned. */
    {GVM_TRAP, false, GVM_TRAP_NONE, NULL, GVM_TRAP_HOST,
     "host function failed in function 1"},
    {GVM_EXHAUSTED, false, GVM_TRAP_NONE, NULL, GVM_TRAP_HOST,
     "host function failed in function 1"},
    {GVM_BAD_ARGUMENT, false, GVM_TRAP_NONE, NULL, GVM_TRAP_HOST,
     "host function failed in function 1"},
};

START_TEST(a_host_function_traps_and_says_why)
{
    const struct complaint *complaint = &complaints[_i];

    host.statuses[0] = complaint->status;
    host.says_why = complaint->says_why;
    host.trap = complaint->trap;
    host.format = complaint->format;
    open_host(GVM_BOUNDS_EXPLICIT);
    vm_guest_expect_trap(&guest, "direct", SLOTS(1, 2), complaint->got);
    ck_assert_uint_eq(guest.err.function, 1);
    ck_assert_msg(strncmp(guest.err.message, complaint->text,
                          strlen(complaint->text)) == 0,
                  "%s", guest.err.message);
    close_all();
}
END_TEST

START_TEST(a_host_function_started_directly_traps_nowhere)
{
    host.statuses[0] = GVM_TRAP;
    open_host(GVM_BOUNDS_EXPLICIT);
    vm_guest_expect_trap(&guest, "host", SLOTS(1, 2), GVM_TRAP_HOST);
    ck_assert_uint_eq(guest.err.function, GVM_NO_FUNCTION);
    ck_assert_uint_eq(guest.err.offset, GVM_NO_OFFSET);
    ck_assert_str_eq(guest.err.message, "host function failed");
    close_all();
}
END_TEST

START_TEST(what_a_host_function_took_back_is_not_the_text_of_a_later_trap)
{
    host.says_why = true;
    host.trap = GVM_TRAP_HOST;
    host.format = "never mind";
    open_host(_i);
    vm_guest_expect_trap(&guest, "f", SLOTS(0), GVM_TRAP_DIVIDE_BY_ZERO);
    ck_assert_ptr_null(strstr(guest.err.message, "never mind"));
    ck_assert_ptr_nonnull(
        strstr(guest.err.message, "integer divide by zero"));
    close_all();
}
END_TEST

START_TEST(what_a_host_function_said_is_not_the_text_of_the_next_call)
{
    union gvm_value null = {.slot = 0};

    host.statuses[0] = GVM_TRAP;
    host.says_why = true;
    host.trap = GVM_TRAP_HOST;
    host.format = "once only";
    open_host(_i);
    vm_guest_expect_trap(&guest, "direct", SLOTS(1, 2), GVM_TRAP_HOST);
    ck_assert(gvm_table_set(vm_world_export(guest.instance, "table").table,
                            0, null));
    vm_guest_expect_trap(&guest, "indirect", SLOTS(1, 2),
                         GVM_TRAP_UNINITIALIZED_ELEMENT);
    ck_assert_ptr_null(strstr(guest.err.message, "once only"));
    close_all();
}
END_TEST

START_TEST(a_host_function_may_set_the_fuel)
{
    host.fuel = 5000;
    open_host(_i);
    gvm_call_set_fuel(guest.call, 100);
    vm_guest_expect(&guest, "direct", SLOTS(1, 2), 1, SLOTS(5));
    /* What "direct" costs was paid before. */
    ck_assert_uint_eq(gvm_call_fuel(guest.call), 5000);
    close_all();
}
END_TEST

/* ---- Calls within calls -------------------------------------------------- */

/* "i:i": the host calls "count" of the same instance on a call of its own,
 * with one less, until there is nothing left. */
static enum gvm_status
nest(struct gvm_call *call, void *data, union gvm_value *slots)
{
    struct gvm_instance *instance = gvm_call_instance(call);
    struct gvm_extern function = vm_world_export(instance, "count");
    struct gvm_memory *memory = gvm_instance_memory(instance);
    union gvm_value argument = {.i32 = slots[0].i32};
    struct gvm_call *inner;
    enum gvm_status status;

    (void)data;
    ck_assert_int_ge(gvm_memory_grow(memory, 1), 0);
    ck_assert_int_eq(gvm_call_create(world.store, &inner), GVM_OK);
    status = gvm_call_start(inner, function.func, &argument, NULL);
    slots[0] = gvm_call_results(inner)[0];
    gvm_call_destroy(inner);
    return status;
}

/*
 * count(n) = n == 0 ? 0 : nest(n - 1) + 1; afterwards it calls "self" (a
 * function of its own instance), divides by the last byte of the memory that
 * grew meanwhile, which traps unless it was set, and stores into it.
 */
static void
open_nest(int bounds)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_module *module;
    struct gvm_extern import;

    vm_world_open(&world, (enum gvm_bounds)bounds, NULL);
    import = vm_guest_host(&world, "i:i", nest, NULL);
    module_builder_import_func(builder, "host", "nest", "i:i");
    module_builder_func(
        builder, "i:i", "",
        BYTES(I(LOCAL_GET), 0, I(I32_EQZ), I(IF), 0x40, I(I32_CONST), 0,
              I(RETURN), I(END), I(LOCAL_GET), 0, I(I32_CONST), 1,
              I(I32_SUB), I(CALL), 0, I(I32_CONST), 1, I(I32_ADD),
              I(LOCAL_SET), 0, I(MEMORY_SIZE), 0, I(I32_CONST), 16,
              I(I32_SHL), I(I32_CONST), 4, I(I32_SUB), I(LOCAL_GET), 0,
              I(I32_STORE), 0, 0, I(CALL), 2, I(DROP), I(LOCAL_GET), 0,
              I(END)));
    module_builder_func(builder, ":i", "",
                        BYTES(I(MEMORY_SIZE), 0, I(I32_CONST), 16,
                              I(I32_SHL), I(I32_CONST), 4, I(I32_SUB),
                              I(I32_LOAD), 0, 0, I(END)));
    module_builder_memory(builder, 1, 100);
    module_builder_export(builder, "count", GVM_EXTERN_FUNC, 1);
    module_builder_export(builder, "last", GVM_EXTERN_FUNC, 2);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    vm_guest_open_in(&guest, &world, module, &import);
}

START_TEST(the_host_calls_back_into_the_instance_that_called_it)
{
    open_nest(_i);
    vm_guest_expect(&guest, "count", SLOTS(20), 1, SLOTS(20));
    /* All twenty levels stored at the memory's new end, the first last. */
    vm_guest_expect(&guest, "last", NULL, 1, SLOTS(20));
    ck_assert_uint_eq(
        gvm_memory_size_bytes(gvm_instance_memory(guest.instance)),
        21 * 65536);
    close_all();
}
END_TEST

static Suite *
slow_call_suite(void)
{
    Suite *suite = suite_create("slow_call");
    TCase *to_host = tcase_create("host");
    const int bounds = vm_world_bounds_count();

    tcase_add_loop_test(to_host,
                        a_host_function_is_called_however_it_is_reached, 0,
                        6);
    tcase_add_loop_test(
        to_host,
        a_host_function_that_waits_is_called_again_with_its_arguments, 0,
        6);
    tcase_add_loop_test(
        to_host, a_host_function_that_waits_is_the_one_that_is_called_again,
        0, bounds);
    tcase_add_loop_test(to_host,
                        a_call_that_waits_needs_no_more_fuel_to_go_on, 0,
                        bounds);
    tcase_add_loop_test(to_host, a_call_that_waits_may_end_in_another_way,
                        0, 3);
    tcase_add_loop_test(to_host, exit_ends_a_call_without_a_trap, 0, 6);
    tcase_add_loop_test(to_host,
                        a_host_function_without_memory_ends_the_call_so, 0,
                        bounds);
    tcase_add_loop_test(to_host, a_host_function_traps_and_says_why, 0,
                        (int)COUNT_OF(complaints));
    tcase_add_test(to_host,
                   a_host_function_started_directly_traps_nowhere);
    tcase_add_loop_test(
        to_host,
        what_a_host_function_took_back_is_not_the_text_of_a_later_trap, 0,
        bounds);
    tcase_add_loop_test(
        to_host, what_a_host_function_said_is_not_the_text_of_the_next_call,
        0, bounds);
    tcase_add_loop_test(to_host, a_host_function_may_set_the_fuel, 0,
                        bounds);
    tcase_add_loop_test(
        to_host, the_host_calls_back_into_the_instance_that_called_it, 0,
        bounds);
    suite_add_tcase(suite, to_host);
    return suite;
}

int
main(void)
{
    return suite_run(slow_call_suite());
}
