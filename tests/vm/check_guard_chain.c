/*
 * check_guard_chain.c - tests of vm/guard.c: faults and signals that are not
 * a guest's go to whoever handled them before, as the kernel would have them.
 */
#define _GNU_SOURCE 1 /* gettid */

#include "tests/support/suite.h"
#include "tests/vm/guard_guest.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
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
    void *page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                      0);

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
        ck_assert_int_eq(gvm_memory_create(other, &limits, &foreign), GVM_OK);
        return foreign->data + PAGE;
    case 2:
        return memory->data + PAGE;
    case 3:
        ck_assert_int_eq(
            mprotect(memory->data - GVM__MEMORY_HEADER_BYTES, 4096, PROT_NONE),
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

/* What only the kernel may say, said by somebody else. */
START_TEST(a_signal_that_was_sent_is_not_believed_its_address)
{
    struct gvm__guard_frame frame;
    siginfo_t info;

    handle_before(previous_that_returns, NULL, 0);
    open_world();
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGSEGV;
    info.si_code = SI_QUEUE;
    info.si_addr = memory->data + PAGE;
    frame.store = world.store;
    gvm__guard_enter(&frame);
    if (sigsetjmp(frame.env, 0) != 0)
        ck_abort_msg("a signal was taken for a fault");
    ck_assert_int_eq(
        syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGSEGV, &info), 0);
    gvm__guard_leave(&frame);
    ck_assert_int_eq(calls, 1);
    vm_world_close(&world);
}
END_TEST

START_TEST(each_signal_goes_to_its_own_handler_before)
{
    struct sigaction action = {.sa_handler = previous_that_returns};

    handle_before(SIG_IGN, NULL, 0);
    sigemptyset(&action.sa_mask);
    ck_assert_int_eq(sigaction(_i == 0 ? SIGSEGV : SIGBUS, &action, NULL), 0);
    open_world();
    raise(_i == 0 ? SIGBUS : SIGSEGV);
    ck_assert_int_eq(calls, 0);
    raise(_i == 0 ? SIGSEGV : SIGBUS);
    ck_assert_int_eq(calls, 1);
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
    ck_assert(faults(world.store, &frame, memory->data + PAGE));
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

START_TEST(without_guard_pages_handlers_stay_as_they_are)
{
    struct sigaction after;

    handle_before(previous_plain, NULL, 0);
    ck_assert_int_eq(gvm_guard_install(), GVM_BAD_ARGUMENT);
    ck_assert_int_eq(sigaction(SIGSEGV, NULL, &after), 0);
    ck_assert(after.sa_handler == previous_plain);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("vm/guard_chain");
    TCase *tests = tcase_create("guard_chain");

    if (!GUARD_SUPPORTED) {
        tcase_add_test(tests, without_guard_pages_handlers_stay_as_they_are);
        goto run;
    }
    tcase_add_loop_test(
        tests, a_fault_outside_any_guest_goes_to_the_handler_before, 0, 2);
    tcase_add_test(tests,
                   a_guests_memory_touched_without_a_guest_is_the_hosts_fault);
    tcase_add_loop_test(
        tests, a_fault_elsewhere_while_a_guest_runs_goes_to_the_handler_before,
        0, 4);
    tcase_add_loop_test(tests, a_signal_that_was_sent_is_not_a_guests_fault, 0,
                        2);
    tcase_add_test(tests, a_signal_that_was_sent_is_not_believed_its_address);
    tcase_add_loop_test(tests, each_signal_goes_to_its_own_handler_before, 0,
                        2);
    tcase_add_test_raise_signal(
        tests, a_fault_that_nobody_handled_ends_the_process, SIGSEGV);
    tcase_add_test_raise_signal(
        tests, a_signal_sent_that_nobody_handled_ends_the_process, SIGSEGV);
    tcase_add_test_raise_signal(
        tests, a_fault_that_was_ignored_ends_the_process_all_the_same, SIGSEGV);
    tcase_add_test(tests, a_signal_sent_that_was_ignored_is_ignored);
    tcase_add_test_raise_signal(
        tests, a_handler_for_one_signal_only_is_called_once, SIGSEGV);
run:
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
