/*
 * check_run.c - tests of vm/run.c: what a run costs, how it is stopped and
 * goes on; and of vm/numeric.h, which its handlers use.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "vm/insns.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define I(name) GVM__INSN_##name

/* ---- Numbers ------------------------------------------------------------- */

/* A guest whose "f" applies one instruction to its parameters. */
static void
open_insn(struct vm_guest *guest, uint8_t insn)
{
    struct module_builder *builder = module_builder_create();
    const struct gvm__insn_info *info = gvm__insn_info(insn);
    uint8_t body[] = {I(LOCAL_GET), 0, I(LOCAL_GET), 1, insn, I(END)};
    uint32_t function;

    if (info->signature[1] == ':') {
        body[2] = I(NOP);
        body[3] = I(NOP);
    }
    function = module_builder_func(builder, info->signature, "", body,
                                   sizeof(body));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, function);
    vm_guest_open(guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
}

static const uint8_t rounding[][2] = {
    {I(F32_CEIL), I(F64_CEIL)},
    {I(F32_FLOOR), I(F64_FLOOR)},
    {I(F32_TRUNC), I(F64_TRUNC)},
    {I(F32_NEAREST), I(F64_NEAREST)},
};

START_TEST(rounding_makes_signalling_nans_quiet)
{
    static const uint64_t narrow[] = {0x7fa00000, 0xffa00000, 0x7f800001,
                                      0xff800001, 0x7fc00000, 0xffc12345};
    static const uint64_t wide[] = {
        0x7ff4000000000000, 0xfff4000000000000, 0x7ff0000000000001,
        0xfff0000000000001, 0x7ff8000000000000, 0xfff8123456789abc};
    struct vm_guest guest;
    unsigned i;

    open_insn(&guest, rounding[_i][0]);
    for (i = 0; i < COUNT_OF(narrow); i++)
        vm_guest_expect(&guest, "f", &narrow[i], 1,
                        SLOTS(narrow[i] | 0x400000));
    vm_guest_close(&guest);
    open_insn(&guest, rounding[_i][1]);
    for (i = 0; i < COUNT_OF(wide); i++)
        vm_guest_expect(&guest, "f", &wide[i], 1,
                        SLOTS(wide[i] | 1ull << 51));
    vm_guest_close(&guest);
}
END_TEST

/* ---- Fuel ---------------------------------------------------------------- */

#define FUEL_BODY_MAX 48

/* Programs of "i:i" and what they cost, counted by hand. Function 0 is the
 * program, function 1 adds one, which costs four. */
static const struct priced {
    uint8_t body[FUEL_BODY_MAX];
    uint32_t argument;
    uint32_t result;
    uint64_t cost;
} priced[] = {
    /* local.get, end */
    {{I(LOCAL_GET), 0, I(END)}, 5, 5, 2},
    /* What folds away costs as much as what does not. */
    {{I(LOCAL_GET), 0, I(I32_CONST), 1, I(I32_ADD), I(NOP), I(BLOCK), 0x40,
      I(END), I(I32_CONST), 7, I(DROP), I(END)},
     5,
     6,
     9},
    /* Both arms, whichever is taken: get if const else const end end */
    {{I(LOCAL_GET), 0, I(IF), 0x7f, I(I32_CONST), 1, I(ELSE), I(I32_CONST),
      2, I(END), I(END)},
     0,
     2,
     7},
    {{I(LOCAL_GET), 0, I(IF), 0x7f, I(I32_CONST), 1, I(ELSE), I(I32_CONST),
      2, I(END), I(END)},
     9,
     1,
     7},
    /* Outside: loop get end; inside, ten times: get const sub tee br_if
     * end. */
    {{I(LOOP), 0x40, I(LOCAL_GET), 0, I(I32_CONST), 1, I(I32_SUB),
      I(LOCAL_TEE), 0, I(BR_IF), 0, I(END), I(LOCAL_GET), 0, I(END)},
     10,
     0,
     3 + 10 * 6},
    /* A loop that is left at once costs one round: loop get end; get
     * return end. */
    {{I(LOOP), 0x40, I(LOCAL_GET), 0, I(RETURN), I(END), I(LOCAL_GET), 0,
      I(END)},
     4,
     4,
     3 + 3},
    /* Loops in loops: outside loop get end, then three times loop get
     * const sub tee br_if end, and each time nop end. */
    {{I(LOOP), 0x40, I(LOOP), 0x40, I(NOP), I(END), I(LOCAL_GET), 0,
      I(I32_CONST), 1, I(I32_SUB), I(LOCAL_TEE), 0, I(BR_IF), 0, I(END),
      I(LOCAL_GET), 0, I(END)},
     3,
     0,
     3 + 3 * (7 + 2)},
    /* What is never reached is part of the size: get return const const
     * add end, and the loop but not what is in it. */
    {{I(LOCAL_GET), 0, I(RETURN), I(I32_CONST), 1, I(I32_CONST), 2,
      I(I32_ADD), I(LOOP), 0x40, I(NOP), I(NOP), I(END), I(END)},
     8,
     8,
     7},
    /* As above with a block that ends unreached. */
    {{I(LOCAL_GET), 0, I(RETURN), I(BLOCK), 0x40, I(LOOP), 0x40, I(LOOP),
      0x40, I(NOP), I(END), I(NOP), I(END), I(NOP), I(END), I(END)},
     8,
     8,
     7},
    /* get call call end, and twice get const add end. */
    {{I(LOCAL_GET), 0, I(CALL), 1, I(CALL), 1, I(END)}, 5, 7, 4 + 2 * 4},
};

static struct vm_guest guest;

static void
open_priced(int bounds, const struct priced *program, bool fuel_off)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_module_options options = {.fuel_off = fuel_off,
                                         .copy_bytes = true};
    struct vm_world world;
    struct gvm_module *module;
    size_t length_bytes = FUEL_BODY_MAX;
    const uint8_t *bytes;

    while (program->body[length_bytes - 1] != I(END))
        length_bytes--;
    module_builder_func(builder, "i:i", "", program->body, length_bytes);
    module_builder_func(builder, "i:i", "",
                        BYTES(I(LOCAL_GET), 0, I(I32_CONST), 1, I(I32_ADD),
                              I(END)));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    bytes = module_builder_finish(builder, &length_bytes);
    vm_world_open(&world, (enum gvm_bounds)bounds, NULL);
    ck_assert_int_eq(gvm_module_load(world.engine, &options, bytes,
                                     length_bytes, &module, NULL),
                     GVM_OK);
    world.modules[world.module_count++] = module;
    module_builder_destroy(builder);
    vm_guest_open_in(&guest, &world, module, NULL);
}

START_TEST(a_run_costs_what_its_instructions_are)
{
    const struct priced *program = &priced[_i];

    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        open_priced(bounds, program, false);
        gvm_call_set_fuel(guest.call, 1000);
        vm_guest_expect(&guest, "f", SLOTS(program->argument), 1,
                        SLOTS(program->result));
        ck_assert_uint_eq(1000 - gvm_call_fuel(guest.call), program->cost);
        vm_guest_close(&guest);
    }
}
END_TEST

START_TEST(the_last_unit_of_fuel_makes_the_difference)
{
    const struct priced *program = &priced[_i];

    open_priced(GVM_BOUNDS_EXPLICIT, program, false);
    gvm_call_set_fuel(guest.call, program->cost - 1);
    ck_assert_int_eq(
        vm_guest_call(&guest, "f", SLOTS(program->argument)),
        GVM_SUSPENDED);
    gvm_call_set_fuel(guest.call, program->cost);
    vm_guest_expect(&guest, "f", SLOTS(program->argument), 1,
                    SLOTS(program->result));
    ck_assert_uint_eq(gvm_call_fuel(guest.call), 0);
    vm_guest_close(&guest);
}
END_TEST

/* Grants `grant` units whenever the fuel is out; returns what was spent. */
static uint64_t
run_in_slices(const struct priced *program, uint64_t grant)
{
    uint64_t granted = grant;

    gvm_call_set_fuel(guest.call, grant);
    vm_guest_call(&guest, "f", SLOTS(program->argument));
    while (guest.status == GVM_SUSPENDED) {
        ck_assert_int_eq(gvm_call_suspension(guest.call),
                         GVM_SUSPENSION_FUEL);
        granted += grant;
        gvm_call_set_fuel(guest.call, gvm_call_fuel(guest.call) + grant);
        vm_guest_resume(&guest);
    }
    ck_assert_int_eq(guest.status, GVM_OK);
    ck_assert_uint_eq(vm_guest_result(&guest, 0), program->result);
    return granted - gvm_call_fuel(guest.call);
}

START_TEST(stopping_anywhere_changes_neither_result_nor_cost)
{
    const struct priced *program = &priced[_i];

    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        open_priced(bounds, program, false);
        for (uint64_t grant = 1; grant <= program->cost; grant++)
            ck_assert_uint_eq(run_in_slices(program, grant),
                              program->cost);
        vm_guest_close(&guest);
    }
}
END_TEST

START_TEST(without_fuel_nothing_is_charged_and_nothing_stops)
{
    const struct priced *program = &priced[_i];

    open_priced(GVM_BOUNDS_EXPLICIT, program, true);
    gvm_call_set_fuel(guest.call, 0);
    vm_guest_expect(&guest, "f", SLOTS(program->argument), 1,
                    SLOTS(program->result));
    ck_assert_uint_eq(gvm_call_fuel(guest.call), 0);
    vm_guest_close(&guest);
}
END_TEST

static const struct zeroed {
    uint32_t locals;
    uint64_t cost;
} zeroed[] = {{0, 2},  {63, 2},  {64, 3},
              {127, 3}, {128, 4}, {GVM_LOCALS_MAX, 2 + 781}};

/* Parameters come free; local.get, end. */
START_TEST(locals_that_have_to_be_zeroed_cost_fuel)
{
    struct module_builder *builder = module_builder_create();
    struct byte_buffer body = {0};

    byte_buffer_put_byte(&body, 1);
    byte_buffer_put_unsigned(&body, zeroed[_i].locals);
    byte_buffer_put(&body, BYTES(0x7e, I(LOCAL_GET), 0, I(END)));
    module_builder_func_raw(builder, "iii:i", body.bytes,
                            body.length_bytes);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
    gvm_call_set_fuel(guest.call, 1000);
    vm_guest_expect(&guest, "f", SLOTS(5, 6, 7), 1, SLOTS(5));
    ck_assert_uint_eq(1000 - gvm_call_fuel(guest.call), zeroed[_i].cost);
    vm_guest_close(&guest);
    byte_buffer_deinit(&body);
}
END_TEST

/* More instructions in a row than a call spends between two looks. */
START_TEST(a_charge_may_be_larger_than_a_slice)
{
    enum { NOPS = GVM_INTERRUPT_FUEL + 50000 };
    struct module_builder *builder = module_builder_create();
    struct byte_buffer body = {0};

    for (unsigned i = 0; i < NOPS; i++)
        byte_buffer_put_byte(&body, I(NOP));
    byte_buffer_put(&body, BYTES(I(LOCAL_GET), 0, I(END)));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC,
                          module_builder_func(builder, "i:i", "",
                                              body.bytes,
                                              body.length_bytes));
    vm_guest_open(&guest, (enum gvm_bounds)_i, builder, NULL);
    gvm_call_set_fuel(guest.call, NOPS + 1);
    ck_assert_int_eq(vm_guest_call(&guest, "f", SLOTS(3)), GVM_SUSPENDED);
    ck_assert_uint_eq(gvm_call_fuel(guest.call), NOPS + 1);
    ck_assert_int_eq(vm_guest_resume(&guest), GVM_SUSPENDED);
    gvm_call_set_fuel(guest.call, NOPS + 2);
    ck_assert_int_eq(vm_guest_resume(&guest), GVM_OK);
    ck_assert_uint_eq(vm_guest_result(&guest, 0), 3);
    ck_assert_uint_eq(gvm_call_fuel(guest.call), 0);
    vm_guest_close(&guest);
    byte_buffer_deinit(&body);
}
END_TEST

/* ---- Interrupts and threads ---------------------------------------------- */

START_TEST(an_interrupt_stops_a_call_once)
{
    open_priced(_i, &priced[4], false);
    gvm_call_interrupt(guest.call);
    gvm_call_interrupt(guest.call);
    ck_assert_int_eq(vm_guest_call(&guest, "f", SLOTS(10)), GVM_SUSPENDED);
    ck_assert_int_eq(gvm_call_suspension(guest.call),
                     GVM_SUSPENSION_INTERRUPT);
    ck_assert_int_eq(vm_guest_resume(&guest), GVM_OK);
    vm_guest_close(&guest);
}
END_TEST

START_TEST(a_call_without_fuel_does_not_hear_interrupts_on_its_way)
{
    open_priced(_i, &priced[4], true);
    vm_guest_expect(&guest, "f", SLOTS(1000000), 1, SLOTS(0));
    vm_guest_close(&guest);
}
END_TEST

static enum gvm_status
tell(struct gvm_call *call, void *data, union gvm_value *slots)
{
    (void)call;
    (void)slots;
    ck_assert_int_eq(sem_post(data), 0);
    return GVM_OK;
}

/* Runs "f" on a thread; it tells the semaphore, then loops for ever. */
static void *
run_endlessly(void *unused)
{
    vm_guest_call(&guest, "f", NULL);
    return unused;
}

static void *
resume_once(void *unused)
{
    vm_guest_resume(&guest);
    return unused;
}

START_TEST(another_thread_interrupts_an_endless_loop_and_resumes_it)
{
    struct module_builder *builder = module_builder_create();
    struct vm_world world;
    struct gvm_extern import;
    struct gvm_module *module;
    pthread_t thread;
    sem_t running;

    ck_assert_int_eq(sem_init(&running, 0, 0), 0);
    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    import = vm_guest_host(&world, ":", tell, &running);
    module_builder_import_func(builder, "host", "tell", ":");
    module_builder_func(builder, ":", "",
                        BYTES(I(CALL), 0, I(LOOP), 0x40, I(BR), 0, I(END),
                              I(END)));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 1);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    vm_guest_open_in(&guest, &world, module, &import);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_endlessly, NULL), 0);
    ck_assert_int_eq(sem_wait(&running), 0);
    gvm_call_interrupt(guest.call);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(guest.status, GVM_SUSPENDED);
    ck_assert_int_eq(gvm_call_suspension(guest.call),
                     GVM_SUSPENSION_INTERRUPT);
    /* It goes on where it was, on a thread of its own, until told. */
    ck_assert_int_eq(pthread_create(&thread, NULL, resume_once, NULL), 0);
    gvm_call_interrupt(guest.call);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(guest.status, GVM_SUSPENDED);
    ck_assert_int_eq(sem_trywait(&running), -1);
    gvm_call_destroy(guest.call);
    vm_world_close(&world);
    sem_destroy(&running);
}
END_TEST

START_TEST(a_call_goes_on_on_another_thread)
{
    pthread_t thread;

    open_priced(_i, &priced[4], false);
    gvm_call_set_fuel(guest.call, 20);
    vm_guest_call(&guest, "f", SLOTS(10));
    while (guest.status == GVM_SUSPENDED) {
        gvm_call_set_fuel(guest.call, gvm_call_fuel(guest.call) + 13);
        ck_assert_int_eq(pthread_create(&thread, NULL, resume_once, NULL),
                         0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    }
    ck_assert_int_eq(guest.status, GVM_OK);
    ck_assert_uint_eq(vm_guest_result(&guest, 0), 0);
    vm_guest_close(&guest);
}
END_TEST

static Suite *
run_suite(void)
{
    Suite *suite = suite_create("run");
    TCase *numeric = tcase_create("numeric");
    TCase *fuel = tcase_create("fuel");
    TCase *threads = tcase_create("threads");
    const int bounds = vm_world_bounds_count();
    const int programs = (int)COUNT_OF(priced);

    tcase_add_loop_test(numeric, rounding_makes_signalling_nans_quiet, 0,
                        (int)COUNT_OF(rounding));
    tcase_add_loop_test(fuel, a_run_costs_what_its_instructions_are, 0,
                        programs);
    tcase_add_loop_test(fuel, the_last_unit_of_fuel_makes_the_difference, 0,
                        programs);
    tcase_add_loop_test(fuel,
                        stopping_anywhere_changes_neither_result_nor_cost,
                        0, programs);
    tcase_add_loop_test(fuel,
                        without_fuel_nothing_is_charged_and_nothing_stops,
                        0, programs);
    tcase_add_loop_test(fuel, locals_that_have_to_be_zeroed_cost_fuel, 0,
                        (int)COUNT_OF(zeroed));
    tcase_add_loop_test(fuel, a_charge_may_be_larger_than_a_slice, 0,
                        bounds);
    tcase_add_loop_test(threads, an_interrupt_stops_a_call_once, 0, bounds);
    tcase_add_loop_test(
        threads, a_call_without_fuel_does_not_hear_interrupts_on_its_way, 0,
        bounds);
    tcase_add_loop_test(
        threads, another_thread_interrupts_an_endless_loop_and_resumes_it,
        0, bounds);
    tcase_add_loop_test(threads, a_call_goes_on_on_another_thread, 0,
                        bounds);
    suite_add_tcase(suite, numeric);
    suite_add_tcase(suite, fuel);
    suite_add_tcase(suite, threads);
    return suite;
}

int
main(void)
{
    return suite_run(run_suite());
}
