/* check_scheduler.c - tests of runtime/scheduler.c, with tasks that are none
 * of a guest. */
#include "runtime/scheduler.h"

#include "runtime/wait.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

#define SECOND UINT64_C(1000000000)

enum { task_count_max = 64, blocking_count = 3 };

/* A task that takes some slices, then waits as it is told, then ends. */
struct fake {
    struct runtime__task task;
    unsigned slices;   /* left */
    uint64_t until_ns; /* 0: it does not wait */
    bool has_waited;
    bool blocks; /* until `gate` is opened */
    struct runtime__waste waste;
    atomic_uint step_count;
    atomic_uint finish_count;
    atomic_uint clear_count;
    enum runtime__end end;
};

static struct runtime__scheduler scheduler;
static struct fake fakes[task_count_max];
static struct runtime__queue_node levels[2];
static atomic_int worker_nice;
static atomic_bool gate;
static atomic_int blocked_count;

static struct fake *
fake_of(struct runtime__task *task)
{
    return (struct fake *)(void *)task;
}

static enum runtime__step
advance(struct runtime__task *task)
{
    struct fake *fake = fake_of(task);

    atomic_store(&worker_nice, getpriority(PRIO_PROCESS, 0));
    atomic_fetch_add(&fake->step_count, 1);
    if (fake->blocks && !task->may_block)
        return RUNTIME__STEP_BLOCK;
    if (fake->blocks) {
        fake->blocks = false;
        atomic_fetch_add(&blocked_count, 1);
        while (!atomic_load(&gate))
            sched_yield();
        return RUNTIME__STEP_SLICE;
    }
    ck_assert(!task->may_block);
    if (fake->slices > 0) {
        fake->slices--;
        return RUNTIME__STEP_SLICE;
    }
    if (fake->until_ns && !fake->has_waited) {
        fake->has_waited = true;
        task->until_ns = fake->until_ns;
        return RUNTIME__STEP_WAIT;
    }
    return RUNTIME__STEP_ENDED;
}

static void
finish(struct runtime__task *task, enum runtime__end end)
{
    struct fake *fake = fake_of(task);

    fake->end = end;
    runtime__scheduler_discard(&scheduler, &fake->waste);
    atomic_fetch_add(&fake->finish_count, 1);
}

static void
clear(struct runtime__waste *waste)
{
    struct fake *fake = (struct fake *)(void *)((char *)waste -
                                                offsetof(struct fake, waste));

    atomic_fetch_add(&fake->clear_count, 1);
}

static const struct runtime__scheduler_callbacks callbacks = {
    advance, finish, clear};

static void
set_up(void)
{
    memset(fakes, 0, sizeof(fakes));
    ck_assert(runtime__scheduler_init(&scheduler, &callbacks, 2,
                                      blocking_count, task_count_max));
    for (int i = 0; i < 2; i++)
        levels[i] = (struct runtime__queue_node){.parent = &scheduler.root};
    for (int i = 0; i < task_count_max; i++) {
        fakes[i].task.node.parent = &levels[i % 2];
        fakes[i].task.deadline_ns = runtime__wait_now_ns() + 3600 * SECOND;
    }
}

static void
tear_down(void)
{
    runtime__scheduler_deinit(&scheduler);
}

/* Waits until it has been finished, and that once. */
static enum runtime__end
end_of(struct fake *fake)
{
    while (atomic_load(&fake->finish_count) == 0)
        sched_yield();
    return fake->end;
}

static void
adopt(struct fake *fake, enum runtime__step step)
{
    runtime__scheduler_adopt(&scheduler, &fake->task, step);
}

START_TEST(tasks_run_until_they_end_and_leave_waste_once)
{
    for (int i = 0; i < task_count_max; i++) {
        fakes[i].slices = (unsigned)i;
        adopt(&fakes[i], RUNTIME__STEP_SLICE);
    }
    for (int i = 0; i < task_count_max; i++)
        ck_assert_int_eq(end_of(&fakes[i]), RUNTIME__END_OWN);
    ck_assert_uint_eq(runtime__scheduler_count(&scheduler), 0);
    tear_down();
    for (int i = 0; i < task_count_max; i++) {
        ck_assert_uint_eq(atomic_load(&fakes[i].step_count),
                          (unsigned)i + 1);
        ck_assert_uint_eq(atomic_load(&fakes[i].finish_count), 1);
        ck_assert_uint_eq(atomic_load(&fakes[i].clear_count), 1);
    }
    set_up();
}
END_TEST

START_TEST(a_wait_ends_at_its_time_and_not_before)
{
    uint64_t until_ns = runtime__wait_now_ns() + 20 * SECOND / 1000;

    fakes[0].until_ns = until_ns;
    fakes[1].until_ns = 1; /* which was long ago */
    adopt(&fakes[0], RUNTIME__STEP_SLICE);
    adopt(&fakes[1], RUNTIME__STEP_SLICE);
    ck_assert_int_eq(end_of(&fakes[1]), RUNTIME__END_OWN);
    ck_assert_int_eq(end_of(&fakes[0]), RUNTIME__END_OWN);
    ck_assert_uint_ge(runtime__wait_now_ns(), until_ns);
    ck_assert_uint_eq(atomic_load(&fakes[0].step_count), 2);
}
END_TEST

/* Before it is adopted, while it waits, and long after. */
START_TEST(who_is_woken_goes_on_whenever_that_was)
{
    fakes[0].task.until_ns = UINT64_MAX;
    runtime__scheduler_wake(&scheduler, &fakes[0].task);
    adopt(&fakes[0], RUNTIME__STEP_WAIT);
    ck_assert_int_eq(end_of(&fakes[0]), RUNTIME__END_OWN);

    fakes[1].task.until_ns = UINT64_MAX;
    adopt(&fakes[1], RUNTIME__STEP_WAIT);
    sched_yield();
    ck_assert_uint_eq(atomic_load(&fakes[1].step_count), 0);
    runtime__scheduler_wake(&scheduler, &fakes[1].task);
    ck_assert_int_eq(end_of(&fakes[1]), RUNTIME__END_OWN);
    runtime__scheduler_wake(&scheduler, &fakes[1].task);
    ck_assert_uint_eq(atomic_load(&fakes[1].finish_count), 1);
}
END_TEST

/* In the queue for ever, or waiting for ever. */
START_TEST(a_deadline_ends_a_task_wherever_it_is)
{
    uint64_t deadline_ns = runtime__wait_now_ns() + 20 * SECOND / 1000;

    for (int i = 0; i < 4; i++)
        fakes[i].task.deadline_ns = deadline_ns;
    fakes[0].until_ns = UINT64_MAX;
    fakes[1].until_ns = deadline_ns + 1;
    fakes[2].task.until_ns = UINT64_MAX;
    fakes[3].slices = UINT32_MAX;
    for (int i = 0; i < 4; i++)
        adopt(&fakes[i], i == 2 ? RUNTIME__STEP_WAIT : RUNTIME__STEP_SLICE);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(end_of(&fakes[i]), RUNTIME__END_DEADLINE);
        ck_assert_uint_ge(runtime__wait_now_ns(), deadline_ns);
    }
}
END_TEST

START_TEST(who_is_cancelled_ends_wherever_he_is)
{
    fakes[0].task.until_ns = UINT64_MAX;
    adopt(&fakes[0], RUNTIME__STEP_WAIT);
    runtime__scheduler_cancel(&scheduler, &fakes[0].task);
    ck_assert_int_eq(end_of(&fakes[0]), RUNTIME__END_CANCELLED);

    /* In the queue or in a slice. */
    fakes[1].slices = UINT32_MAX;
    adopt(&fakes[1], RUNTIME__STEP_SLICE);
    runtime__scheduler_cancel(&scheduler, &fakes[1].task);
    ck_assert_int_eq(end_of(&fakes[1]), RUNTIME__END_CANCELLED);

    /* Before it was adopted, and after its end. */
    runtime__scheduler_cancel(&scheduler, &fakes[2].task);
    fakes[2].task.until_ns = UINT64_MAX;
    adopt(&fakes[2], RUNTIME__STEP_WAIT);
    ck_assert_int_eq(end_of(&fakes[2]), RUNTIME__END_CANCELLED);
    runtime__scheduler_cancel(&scheduler, &fakes[2].task);
    ck_assert_uint_eq(atomic_load(&fakes[2].finish_count), 1);
}
END_TEST

START_TEST(all_can_be_cancelled_at_once)
{
    for (int i = 0; i < task_count_max; i++) {
        fakes[i].task.until_ns = UINT64_MAX;
        fakes[i].slices = UINT32_MAX;
        /* Deadlines in no order, so that the heap has something to move. */
        fakes[i].task.deadline_ns += (uint64_t)(i * 37 % task_count_max);
        adopt(&fakes[i], i % 3 ? RUNTIME__STEP_WAIT : RUNTIME__STEP_SLICE);
    }
    runtime__scheduler_cancel_all(&scheduler);
    for (int i = 0; i < task_count_max; i++)
        ck_assert_int_eq(end_of(&fakes[i]), RUNTIME__END_CANCELLED);
    ck_assert_uint_eq(runtime__scheduler_count(&scheduler), 0);
}
END_TEST

/* One busy task of the one parent, and many of the other. */
START_TEST(parents_have_equal_shares)
{
    unsigned steps = 0;

    for (int i = 0; i < 61; i += 2) {
        fakes[i].slices = UINT32_MAX;
        adopt(&fakes[i], RUNTIME__STEP_SLICE);
    }
    fakes[1].slices = 2000;
    adopt(&fakes[1], RUNTIME__STEP_SLICE);
    ck_assert_int_eq(end_of(&fakes[1]), RUNTIME__END_OWN);
    for (int i = 0; i < 61; i += 2)
        steps += atomic_load(&fakes[i].step_count);
    runtime__scheduler_cancel_all(&scheduler);
    for (int i = 0; i < 61; i += 2)
        end_of(&fakes[i]);
    /* While it runs the others have the second worker: two turns or three,
     * and whatever was before it came. Not 31. */
    ck_assert_uint_ge(steps, 2000);
    ck_assert_uint_lt(steps, 31 * 2000);
}
END_TEST

/* As many as there are threads for that, and one more. */
START_TEST(those_who_block_leave_the_workers_to_others)
{
    enum { late = blocking_count, cancelled, last, other };

    atomic_store(&gate, false);
    atomic_store(&blocked_count, 0);
    for (int i = 0; i < other; i++) {
        fakes[i].blocks = true;
        fakes[i].slices = 2;
    }
    /* The first comes from elsewhere, the others were in the queue. */
    for (int i = 0; i < late; i++)
        adopt(&fakes[i],
              i == 0 ? RUNTIME__STEP_BLOCK : RUNTIME__STEP_SLICE);
    while (atomic_load(&blocked_count) < blocking_count)
        sched_yield();
    fakes[late].task.deadline_ns = runtime__wait_now_ns() + SECOND / 100;
    for (int i = late; i < other; i++)
        adopt(&fakes[i], RUNTIME__STEP_BLOCK);
    fakes[other].slices = 10;
    adopt(&fakes[other], RUNTIME__STEP_SLICE);
    ck_assert_int_eq(end_of(&fakes[other]), RUNTIME__END_OWN);
    runtime__scheduler_cancel(&scheduler, &fakes[cancelled].task);
    ck_assert_int_eq(end_of(&fakes[cancelled]), RUNTIME__END_CANCELLED);
    ck_assert_int_eq(end_of(&fakes[late]), RUNTIME__END_DEADLINE);
    ck_assert_int_eq(atomic_load(&blocked_count), blocking_count);
    ck_assert_uint_eq(atomic_load(&fakes[last].step_count), 0);
    /* They go on among all others, and the last has his turn. */
    atomic_store(&gate, true);
    for (int i = 0; i < late; i++)
        ck_assert_int_eq(end_of(&fakes[i]), RUNTIME__END_OWN);
    ck_assert_int_eq(end_of(&fakes[last]), RUNTIME__END_OWN);
    ck_assert_int_eq(atomic_load(&blocked_count), blocking_count + 1);
}
END_TEST

START_TEST(workers_stand_back)
{
    int nice = getpriority(PRIO_PROCESS, 0) + RUNTIME_WORKER_NICE;

    adopt(&fakes[0], RUNTIME__STEP_SLICE);
    end_of(&fakes[0]);
    ck_assert_int_eq(atomic_load(&worker_nice), nice < 19 ? nice : 19);
}
END_TEST

START_TEST(one_of_zeros_can_be_ended)
{
    struct runtime__scheduler nothing = {0};

    runtime__scheduler_deinit(&nothing);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, tasks_run_until_they_end_and_leave_waste_once);
    tcase_add_test(tests, a_wait_ends_at_its_time_and_not_before);
    tcase_add_test(tests, who_is_woken_goes_on_whenever_that_was);
    tcase_add_test(tests, a_deadline_ends_a_task_wherever_it_is);
    tcase_add_test(tests, who_is_cancelled_ends_wherever_he_is);
    tcase_add_test(tests, all_can_be_cancelled_at_once);
    tcase_add_test(tests, parents_have_equal_shares);
    tcase_add_test(tests, those_who_block_leave_the_workers_to_others);
    tcase_add_test(tests, workers_stand_back);
    tcase_add_test(tests, one_of_zeros_can_be_ended);
}

WORLD_MAIN("scheduler", add_tests)
