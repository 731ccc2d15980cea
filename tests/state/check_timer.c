/* Tests of state/timer.c. */
#include "state/timer.h"
#include "tests/state/await.h"
#include "tests/state/suite.h"

static atomic_uint_fast64_t now_ms;

static uint64_t
look(void *data)
{
    (void)data;
    return atomic_load(&now_ms);
}

static const struct state__clock clock_ = {look, NULL};

/* A round that counts, and says when it wants to be called again. */
struct rounds {
    struct state__timer timer;
    atomic_uint count;
    atomic_uint_fast64_t next_ms;
};

static uint64_t
count(void *data)
{
    struct rounds *rounds = data;

    atomic_fetch_add(&rounds->count, 1);
    return atomic_exchange(&rounds->next_ms, UINT64_MAX);
}

static void
init(struct rounds *rounds)
{
    atomic_store(&now_ms, 1000);
    atomic_init(&rounds->count, 0);
    atomic_init(&rounds->next_ms, UINT64_MAX);
    state__timer_init(&rounds->timer, &clock_, count, rounds);
}

static void
await_rounds(struct rounds *rounds, unsigned wanted)
{
    while (atomic_load(&rounds->count) < wanted)
        doze();
}

START_TEST(a_round_comes_for_what_is_due_and_not_before)
{
    struct rounds rounds;

    init(&rounds);
    ck_assert(!rounds.timer.has_thread);
    state__timer_ask(&rounds.timer, 1000);
    await_rounds(&rounds, 1);
    /* What is due in an hour waits; what is asked for first comes first. */
    state__timer_ask(&rounds.timer, 3600000);
    doze();
    ck_assert_uint_eq(atomic_load(&rounds.count), 1);
    atomic_store(&now_ms, 2000);
    state__timer_ask(&rounds.timer, 1500);
    await_rounds(&rounds, 2);
    state__timer_deinit(&rounds.timer);
}
END_TEST

START_TEST(a_round_says_when_the_next_one_comes)
{
    struct rounds rounds;

    init(&rounds);
    atomic_store(&rounds.next_ms, 1000);
    state__timer_ask(&rounds.timer, 0);
    await_rounds(&rounds, 2);
    doze();
    ck_assert_uint_eq(atomic_load(&rounds.count), 2);
    ck_assert_uint_eq(atomic_load(&rounds.timer.due_ms), UINT64_MAX);
    state__timer_deinit(&rounds.timer);
}
END_TEST

START_TEST(no_round_comes_once_it_has_stopped)
{
    struct rounds rounds;

    init(&rounds);
    ck_assert(state__timer_start(&rounds.timer));
    ck_assert(state__timer_start(&rounds.timer));
    state__timer_stop(&rounds.timer);
    ck_assert(!state__timer_start(&rounds.timer));
    state__timer_ask(&rounds.timer, 0);
    doze();
    ck_assert_uint_eq(atomic_load(&rounds.count), 0);
    state__timer_deinit(&rounds.timer);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_round_comes_for_what_is_due_and_not_before,
        a_round_says_when_the_next_one_comes,
        no_round_comes_once_it_has_stopped,
        NULL,
    };

    return run_suite("timer", tests);
}
