/*
 * check_guard.c - tests of vm/guard.c: which faults are a guest's. Those that
 * are not are check_guard_chain.c's subject.
 */
#define _GNU_SOURCE 1 /* memfd_create */

#include "tests/support/suite.h"
#include "tests/vm/guard_guest.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

static struct vm_world world;
static struct gvm_memory *memory;

/* A world with a memory of one page, which may grow. */
static void
open_world(void)
{
    struct gvm_limits limits = {.min = 1};

    vm_world_open(&world, GVM_BOUNDS_GUARD, NULL);
    ck_assert_int_eq(gvm_memory_create(world.store, &limits, &memory), GVM_OK);
}

START_TEST(bytes_beyond_the_memory_fault_up_to_the_end_of_the_reservation)
{
    static const uint64_t beyond[] = {
        PAGE,       PAGE + 4095, 2 * PAGE,
        UINT32_MAX, 4ull << 30,  GVM_GUARD_RESERVATION_BYTES - 1};
    struct gvm__guard_frame frame;

    open_world();
    ck_assert(!faults(world.store, &frame, memory->data));
    ck_assert(!faults(world.store, &frame, memory->data + PAGE - 1));
    ck_assert(faults(world.store, &frame, memory->data + beyond[_i]));
    ck_assert(!frame.is_bus);
    ck_assert_uint_eq(frame.pc_register, MARK);
    /* Again: nothing is used up. */
    ck_assert(faults(world.store, &frame, memory->data + beyond[_i]));
    vm_world_close(&world);
}
END_TEST

START_TEST(a_memory_without_pages_faults_at_its_first_byte)
{
    struct gvm__guard_frame frame;
    struct gvm_limits none = {.min = 0};

    open_world();
    ck_assert_int_eq(gvm_memory_create(world.store, &none, &memory), GVM_OK);
    ck_assert(faults(world.store, &frame, memory->data));
    ck_assert_int_eq(gvm_memory_grow(memory, 1), 0);
    ck_assert(!faults(world.store, &frame, memory->data));
    vm_world_close(&world);
}
END_TEST

START_TEST(a_guarded_memory_grows_in_place)
{
    struct gvm__guard_frame frame;
    uint8_t *data;

    open_world();
    data = memory->data;
    ck_assert(faults(world.store, &frame, data + 3 * PAGE - 1));
    ck_assert_int_eq(gvm_memory_grow(memory, 2), 1);
    ck_assert_ptr_eq(memory->data, data);
    ck_assert(!faults(world.store, &frame, data + 3 * PAGE - 1));
    ck_assert(faults(world.store, &frame, data + 3 * PAGE));
    vm_world_close(&world);
}
END_TEST

START_TEST(every_memory_of_the_store_is_the_guests)
{
    struct gvm_limits limits = {.min = 1};
    struct gvm_memory *others[3];
    struct gvm__guard_frame frame;
    int i;

    open_world();
    for (i = 0; i < 3; i++)
        ck_assert_int_eq(gvm_memory_create(world.store, &limits, &others[i]),
                         GVM_OK);
    ck_assert(faults(world.store, &frame, memory->data + PAGE));
    for (i = 0; i < 3; i++)
        ck_assert(faults(world.store, &frame, others[i]->data + PAGE));
    vm_world_close(&world);
}
END_TEST

/* A page whose file has been cut short: the kernel has nothing to give. */
static void
take_page_away(uint8_t *address)
{
    int file = memfd_create("page", MFD_CLOEXEC);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(ftruncate(file, PAGE), 0);
    ck_assert_ptr_eq(mmap(address, PAGE, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_FIXED, file, 0),
                     address);
    ck_assert_int_eq(ftruncate(file, 0), 0);
    close(file);
}

START_TEST(a_page_that_is_not_to_be_had_is_told_from_a_guard)
{
    struct gvm__guard_frame frame;

    open_world();
    take_page_away(memory->data);
    ck_assert(faults(world.store, &frame, memory->data + 100));
    ck_assert(frame.is_bus);
    ck_assert_uint_eq(frame.pc_register, MARK);
    ck_assert(faults(world.store, &frame, memory->data + PAGE));
    ck_assert(!frame.is_bus);
    vm_world_close(&world);
}
END_TEST

START_TEST(the_innermost_of_nested_frames_is_jumped_to)
{
    struct gvm__guard_frame outer, inner;
    volatile int outer_stops = 0;

    open_world();
    outer.store = world.store;
    gvm__guard_enter(&outer);
    if (sigsetjmp(outer.env, 0) == 0) {
        ck_assert(faults(world.store, &inner, memory->data + PAGE));
        ck_assert_int_eq(outer_stops, 0);
        (void)read_byte(MARK + 1, memory->data + PAGE);
        ck_abort_msg("the guard let it through");
    }
    outer_stops++;
    gvm__guard_leave(&outer);
    ck_assert_uint_eq(outer.pc_register, MARK + 1);
    ck_assert_uint_eq(inner.pc_register, MARK);
    vm_world_close(&world);
}
END_TEST

/* ---- Threads ----------------------------------------------------------- */

static void *
fault_in_a_thread(void *argument)
{
    struct gvm__guard_frame frame;
    int i;

    (void)argument;
    for (i = 0; i < 200; i++) {
        if (!faults(world.store, &frame, memory->data + PAGE))
            return NULL;
    }
    return &world;
}

START_TEST(threads_fault_side_by_side)
{
    pthread_t threads[4];
    void *result;
    int i;

    open_world();
    for (i = 0; i < 4; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, fault_in_a_thread, NULL), 0);
    for (i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &result), 0);
        ck_assert_ptr_eq(result, &world);
    }
    vm_world_close(&world);
}
END_TEST

static void *
install_in_a_thread(void *argument)
{
    (void)argument;
    return gvm_guard_install() == GVM_OK && gvm__guard_installed() ? &world
                                                                   : NULL;
}

START_TEST(installing_from_many_threads_installs_once)
{
    struct sigaction before, after;
    struct gvm__guard_frame frame;
    pthread_t threads[8];
    void *result;
    int i;

    for (i = 0; i < 8; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, install_in_a_thread, NULL), 0);
    for (i = 0; i < 8; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &result), 0);
        ck_assert_ptr_eq(result, &world);
    }
    ck_assert_int_eq(sigaction(SIGSEGV, NULL, &before), 0);
    ck_assert_int_eq(gvm_guard_install(), GVM_OK);
    ck_assert_int_eq(sigaction(SIGSEGV, NULL, &after), 0);
    ck_assert(before.sa_sigaction == after.sa_sigaction);
    open_world();
    ck_assert(faults(world.store, &frame, memory->data + PAGE));
    vm_world_close(&world);
}
END_TEST

START_TEST(guard_pages_are_refused_where_they_are_not_supported)
{
    struct gvm_engine_options options = {.bounds = GVM_BOUNDS_GUARD};
    struct gvm_engine *engine = NULL;

    ck_assert_int_eq(gvm_guard_install(), GVM_BAD_ARGUMENT);
    ck_assert(!gvm__guard_installed());
    ck_assert_int_eq(gvm_engine_create(&options, &engine), GVM_BAD_ARGUMENT);
    ck_assert_ptr_null(engine);
}
END_TEST

static Suite *
guard_suite(bool supported)
{
    Suite *suite = suite_create("vm/guard");
    TCase *tests = tcase_create("guard");

    suite_add_tcase(suite, tests);
    if (!supported) {
        tcase_add_test(tests,
                       guard_pages_are_refused_where_they_are_not_supported);
        return suite;
    }
    tcase_add_loop_test(
        tests, bytes_beyond_the_memory_fault_up_to_the_end_of_the_reservation,
        0, 6);
    tcase_add_test(tests, a_memory_without_pages_faults_at_its_first_byte);
    tcase_add_test(tests, a_guarded_memory_grows_in_place);
    tcase_add_test(tests, every_memory_of_the_store_is_the_guests);
    tcase_add_test(tests, a_page_that_is_not_to_be_had_is_told_from_a_guard);
    tcase_add_test(tests, the_innermost_of_nested_frames_is_jumped_to);
    tcase_add_test(tests, threads_fault_side_by_side);
    tcase_add_test(tests, installing_from_many_threads_installs_once);
    return suite;
}

int
main(void)
{
    return suite_run(guard_suite(GUARD_SUPPORTED));
}
