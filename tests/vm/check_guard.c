/*
 * check_guard.c - tests of vm/guard.c: whose fault a fault is.
 *
 * Each test runs in a process of its own (check forks), so the handlers
 * that were there before may be chosen per test.
 */
#define _GNU_SOURCE 1 /* memfd_create */

#include "vm/guard.h"
#include "tests/support/vm_world.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 65536u
/* What a handler's pc would be. */
#define MARK 0x123456789abcdef0u

static struct vm_world world;
static struct gvm_memory *memory;

/* A world with a memory of one page, which may grow. */
static void
open_world(void)
{
    struct gvm_limits limits = {.min = 1};

    vm_world_open(&world, GVM_BOUNDS_GUARD, NULL);
    ck_assert_int_eq(gvm_memory_create(world.store, &limits, &memory),
                     GVM_OK);
}

/* Reads a byte while the first argument's register holds `mark`. */
static uint8_t
read_byte(uint64_t mark, const uint8_t *address)
{
    uint8_t byte;

#if defined(__x86_64__)
    __asm__ volatile("movb (%1), %0"
                     : "=q"(byte)
                     : "r"(address), "D"(mark)
                     : "memory");
#else
    register uint64_t x0 __asm__("x0") = mark;

    __asm__ volatile("ldrb %w0, [%1]"
                     : "=r"(byte)
                     : "r"(address), "r"(x0)
                     : "memory");
#endif
    return byte;
}

/* Runs a guest that reads a byte; true when the handler stopped it. */
static bool
faults(struct gvm__guard_frame *frame, const uint8_t *address)
{
    volatile bool stopped = true;

    frame->store = world.store;
    gvm__guard_enter(frame);
    if (sigsetjmp(frame->env, 0) == 0) {
        (void)read_byte(MARK, address);
        stopped = false;
    }
    gvm__guard_leave(frame);
    return stopped;
}

START_TEST(bytes_beyond_the_memory_fault_up_to_the_end_of_the_reservation)
{
    static const uint64_t beyond[] = {
        PAGE, PAGE + 4095, 2 * PAGE, UINT32_MAX, 4ull << 30,
        GVM_GUARD_RESERVATION_BYTES - 1};
    struct gvm__guard_frame frame;

    open_world();
    ck_assert(!faults(&frame, memory->data));
    ck_assert(!faults(&frame, memory->data + PAGE - 1));
    ck_assert(faults(&frame, memory->data + beyond[_i]));
    ck_assert(!frame.is_bus);
    ck_assert_uint_eq(frame.pc_register, MARK);
    /* Again: nothing is used up. */
    ck_assert(faults(&frame, memory->data + beyond[_i]));
    vm_world_close(&world);
}
END_TEST

START_TEST(a_memory_without_pages_faults_at_its_first_byte)
{
    struct gvm__guard_frame frame;
    struct gvm_limits none = {.min = 0};

    open_world();
    ck_assert_int_eq(gvm_memory_create(world.store, &none, &memory), GVM_OK);
    ck_assert(faults(&frame, memory->data));
    ck_assert_int_eq(gvm_memory_grow(memory, 1), 0);
    ck_assert(!faults(&frame, memory->data));
    vm_world_close(&world);
}
END_TEST

START_TEST(a_guarded_memory_grows_in_place)
{
    struct gvm__guard_frame frame;
    uint8_t *data;

    open_world();
    data = memory->data;
    ck_assert(faults(&frame, data + 3 * PAGE - 1));
    ck_assert_int_eq(gvm_memory_grow(memory, 2), 1);
    ck_assert_ptr_eq(memory->data, data);
    ck_assert(!faults(&frame, data + 3 * PAGE - 1));
    ck_assert(faults(&frame, data + 3 * PAGE));
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
        ck_assert_int_eq(
            gvm_memory_create(world.store, &limits, &others[i]), GVM_OK);
    ck_assert(faults(&frame, memory->data + PAGE));
    for (i = 0; i < 3; i++)
        ck_assert(faults(&frame, others[i]->data + PAGE));
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
    ck_assert(faults(&frame, memory->data + 100));
    ck_assert(frame.is_bus);
    ck_assert_uint_eq(frame.pc_register, MARK);
    ck_assert(faults(&frame, memory->data + PAGE));
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
        ck_assert(faults(&inner, memory->data + PAGE));
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
        if (!faults(&frame, memory->data + PAGE))
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
            pthread_create(&threads[i], NULL, install_in_a_thread, NULL),
            0);
    for (i = 0; i < 8; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &result), 0);
        ck_assert_ptr_eq(result, &world);
    }
    ck_assert_int_eq(sigaction(SIGSEGV, NULL, &before), 0);
    ck_assert_int_eq(gvm_guard_install(), GVM_OK);
    ck_assert_int_eq(sigaction(SIGSEGV, NULL, &after), 0);
    ck_assert(before.sa_sigaction == after.sa_sigaction);
    open_world();
    ck_assert(faults(&frame, memory->data + PAGE));
    vm_world_close(&world);
}
END_TEST

/* ---- Whoever was there before ------------------------------------------ */

static sigjmp_buf escape;
static volatile int calls;
static volatile int signal_seen;
static const void *volatile address_seen;
static volatile bool was_blocked;

static bool
is_blocked(int signal_number)
{
    sigset_t mask;

    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    return sigismember(&mask, signal_number) == 1;
}

static void
previous_with_info(int signal_number, siginfo_t *info, void *context)
{
    calls++;
    signal_seen = signal_number;
    address_seen = context != NULL ? info->si_addr : NULL;
    was_blocked = is_blocked(signal_number);
    siglongjmp(escape, 1);
}

static void
previous_plain(int signal_number)
{
    calls++;
    signal_seen = signal_number;
    siglongjmp(escape, 1);
}

static void
previous_that_returns(int signal_number)
{
    calls++;
    signal_seen = signal_number;
}

/* Must come before the guard is installed. */
static void
handle_before(void (*plain)(int), void (*info)(int, siginfo_t *, void *),
              int flags)
{
    struct sigaction action = {.sa_flags = flags};

    sigemptyset(&action.sa_mask);
    if (info != NULL) {
        action.sa_sigaction = info;
        action.sa_flags |= SA_SIGINFO;
    } else {
        action.sa_handler = plain;
    }
    ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
    ck_assert_int_eq(sigaction(SIGBUS, &action, NULL), 0);
}

/* A page of the host's that nobody may touch. */
static uint8_t *
forbidden_page(void)
{
    void *page =
        mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(page, MAP_FAILED);
    return page;
}

START_TEST(a_fault_outside_any_guest_goes_to_the_handler_before)
{
    uint8_t *page = forbidden_page();

    if (_i == 0)
        handle_before(NULL, previous_with_info, 0);
    else
        handle_before(previous_plain, NULL, 0);
    open_world();
    if (sigsetjmp(escape, 1) == 0) {
        (void)read_byte(MARK, page);
        ck_abort_msg("it did not fault");
    }
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(signal_seen, SIGSEGV);
    if (_i == 0) {
        ck_assert_ptr_eq(address_seen, page);
        /* As the kernel would have: not while it runs. */
        ck_assert(was_blocked);
    }
    ck_assert(!is_blocked(SIGSEGV));
    vm_world_close(&world);
}
END_TEST

START_TEST(a_guests_memory_touched_without_a_guest_is_the_hosts_fault)
{
    handle_before(NULL, previous_with_info, 0);
    open_world();
    if (sigsetjmp(escape, 1) == 0) {
        (void)read_byte(MARK, memory->data + PAGE);
        ck_abort_msg("it did not fault");
    }
    ck_assert_int_eq(calls, 1);
    ck_assert_ptr_eq(address_seen, memory->data + PAGE);
    vm_world_close(&world);
}
END_TEST

/* Whom the fault goes to: 0, an address that is not the store's; 1, one of
 * another store's memory; 2, the store's own while the frame is paused; 3,
 * the header below a memory of the store. */
static const uint8_t *
foreign_address(int kind, struct gvm_store *other)
{
    struct gvm_limits limits = {.min = 1};
    struct gvm_memory *foreign;

    switch (kind) {
    case 1:
        ck_assert_int_eq(gvm_memory_create(other, &limits, &foreign),
                         GVM_OK);
        return foreign->data + PAGE;
    case 2:
        return memory->data + PAGE;
    case 3:
        ck_assert_int_eq(mprotect(memory->data - GVM__MEMORY_HEADER_BYTES,
                                  4096, PROT_NONE),
                         0);
        return memory->data - GVM__MEMORY_HEADER_BYTES;
    default:
        return forbidden_page();
    }
}

/* A guest reads the byte, and the fault must go to previous_with_info. */
static void
fault_past_the_guest(const uint8_t *address, bool paused)
{
    static struct gvm__guard_frame frame;

    if (sigsetjmp(escape, 1) == 0) {
        frame.store = world.store;
        gvm__guard_enter(&frame);
        if (sigsetjmp(frame.env, 0) != 0)
            ck_abort_msg("the host's fault was taken for the guest's");
        frame.paused = paused;
        (void)read_byte(MARK, address);
        ck_abort_msg("it did not fault");
    }
    gvm__guard_leave(&frame);
}

START_TEST(a_fault_elsewhere_while_a_guest_runs_goes_to_the_handler_before)
{
    struct gvm_store *other = NULL;
    const uint8_t *address;

    handle_before(NULL, previous_with_info, 0);
    open_world();
    ck_assert_int_eq(gvm_store_create(world.engine, NULL, &other), GVM_OK);
    address = foreign_address(_i, other);
    fault_past_the_guest(address, _i == 2);
    ck_assert_int_eq(calls, 1);
    ck_assert_ptr_eq(address_seen, address);
    gvm_store_destroy(other);
    if (_i != 3) /* its header cannot be read any more */
        vm_world_close(&world);
}
END_TEST

START_TEST(a_signal_that_was_sent_is_not_a_guests_fault)
{
    struct gvm__guard_frame frame;

    handle_before(previous_that_returns, NULL, 0);
    open_world();
    frame.store = world.store;
    gvm__guard_enter(&frame);
    if (sigsetjmp(frame.env, 0) != 0)
        ck_abort_msg("a signal was taken for a fault");
    raise(_i == 0 ? SIGSEGV : SIGBUS);
    gvm__guard_leave(&frame);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(signal_seen, _i == 0 ? SIGSEGV : SIGBUS);
    vm_world_close(&world);
}
END_TEST

START_TEST(a_fault_that_nobody_handled_ends_the_process)
{
    handle_before(SIG_DFL, NULL, 0);
    open_world();
    (void)read_byte(MARK, forbidden_page());
}
END_TEST

START_TEST(a_signal_sent_that_nobody_handled_ends_the_process)
{
    handle_before(SIG_DFL, NULL, 0);
    open_world();
    raise(SIGSEGV);
}
END_TEST

START_TEST(a_fault_that_was_ignored_ends_the_process_all_the_same)
{
    handle_before(SIG_IGN, NULL, 0);
    open_world();
    (void)read_byte(MARK, forbidden_page());
}
END_TEST

START_TEST(a_signal_sent_that_was_ignored_is_ignored)
{
    struct gvm__guard_frame frame;

    handle_before(SIG_IGN, NULL, 0);
    open_world();
    raise(SIGSEGV);
    raise(SIGBUS);
    /* And the guard is still there. */
    ck_assert(faults(&frame, memory->data + PAGE));
    vm_world_close(&world);
}
END_TEST

START_TEST(a_handler_for_one_signal_only_is_called_once)
{
    handle_before(previous_that_returns, NULL, (int)SA_RESETHAND);
    open_world();
    /* It returns, the access is repeated, and the default ends it. */
    (void)read_byte(MARK, forbidden_page());
}
END_TEST

static void
add_tests_of_the_handler_before(TCase *tests)
{
    tcase_add_loop_test(
        tests, a_fault_outside_any_guest_goes_to_the_handler_before, 0, 2);
    tcase_add_test(
        tests, a_guests_memory_touched_without_a_guest_is_the_hosts_fault);
    tcase_add_loop_test(
        tests,
        a_fault_elsewhere_while_a_guest_runs_goes_to_the_handler_before, 0,
        4);
    tcase_add_loop_test(tests, a_signal_that_was_sent_is_not_a_guests_fault,
                        0, 2);
    tcase_add_test_raise_signal(
        tests, a_fault_that_nobody_handled_ends_the_process, SIGSEGV);
    tcase_add_test_raise_signal(
        tests, a_signal_sent_that_nobody_handled_ends_the_process, SIGSEGV);
    tcase_add_test_raise_signal(
        tests, a_fault_that_was_ignored_ends_the_process_all_the_same,
        SIGSEGV);
    tcase_add_test(tests, a_signal_sent_that_was_ignored_is_ignored);
    tcase_add_test_raise_signal(
        tests, a_handler_for_one_signal_only_is_called_once, SIGSEGV);
}

START_TEST(guard_pages_are_refused_where_they_are_not_supported)
{
    struct gvm_engine_options options = {.bounds = GVM_BOUNDS_GUARD};
    struct gvm_engine *engine = NULL;

    ck_assert_int_eq(gvm_guard_install(), GVM_BAD_ARGUMENT);
    ck_assert(!gvm__guard_installed());
    ck_assert_int_eq(gvm_engine_create(&options, &engine),
                     GVM_BAD_ARGUMENT);
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
        tests,
        bytes_beyond_the_memory_fault_up_to_the_end_of_the_reservation, 0,
        6);
    tcase_add_test(tests, a_memory_without_pages_faults_at_its_first_byte);
    tcase_add_test(tests, a_guarded_memory_grows_in_place);
    tcase_add_test(tests, every_memory_of_the_store_is_the_guests);
    tcase_add_test(tests, a_page_that_is_not_to_be_had_is_told_from_a_guard);
    tcase_add_test(tests, the_innermost_of_nested_frames_is_jumped_to);
    tcase_add_test(tests, threads_fault_side_by_side);
    tcase_add_test(tests, installing_from_many_threads_installs_once);
    add_tests_of_the_handler_before(tests);
    return suite;
}

#if defined(__SANITIZE_THREAD__)
#define SUPPORTED false
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SUPPORTED false
#endif
#endif
#ifndef SUPPORTED
#define SUPPORTED true
#endif

int
main(void)
{
    SRunner *runner = srunner_create(guard_suite(SUPPORTED));
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
