/*
 * Tests of state/lock_keeper.c through a store: threads that wait, leases that
 * end by themselves, writes that carry tokens.
 */
#include "state/lock_keeper.h"

#include "tests/state/await.h"
#include "tests/state/suite.h"
#include "tests/state/test_clock.h"

#include <stdlib.h>
#include <string.h>

#define THREADS 8

static enum state_status
lock(struct state_store *store, const char *key, bool is_shared,
     uint64_t lease_ms, uint64_t timeout_ms,
     struct state_operation *operation)
{
    operation->kind = STATE_LOCK;
    operation->namespace_ = "locks";
    operation->key = text(key);
    operation->lock_token = 0;
    operation->is_shared = is_shared;
    operation->lease_ms = lease_ms;
    operation->timeout_ms = timeout_ms;
    return await(store, operation);
}

static enum state_status
unlock(struct state_store *store, const char *key, uint64_t token)
{
    struct state_operation operation = {.kind = STATE_UNLOCK,
                                        .namespace_ = "locks",
                                        .key = text(key),
                                        .lock_token = token};

    return state_store_submit(store, &operation);
}

/* ---- Mutual exclusion ------------------------------------------------- */

/* What the lock protects: a number, and who is inside. No atomics: tsan. */
struct shared_ground {
    struct state_store *store;
    uint64_t sum;
    uint64_t token_last;
    atomic_int readers, writers;
    atomic_uint failures;
    unsigned rounds;
    atomic_uint started;
};

static void
go_in_alone(struct shared_ground *ground, uint64_t token)
{
    if (atomic_fetch_add(&ground->writers, 1) != 0 ||
        atomic_load(&ground->readers) != 0 || token <= ground->token_last)
        atomic_fetch_add(&ground->failures, 1);
    ground->token_last = token;
    ground->sum++;
    atomic_fetch_sub(&ground->writers, 1);
}

static void
go_in_with_others(struct shared_ground *ground)
{
    uint64_t before = ground->sum;

    atomic_fetch_add(&ground->readers, 1);
    if (atomic_load(&ground->writers) != 0 || ground->sum != before)
        atomic_fetch_add(&ground->failures, 1);
    atomic_fetch_sub(&ground->readers, 1);
}

static void *
come_and_go(void *argument)
{
    struct shared_ground *ground = argument;
    unsigned number = atomic_fetch_add(&ground->started, 1);
    struct state_operation operation = {0};

    for (unsigned i = 0; i < ground->rounds; i++) {
        bool is_shared = (i + number) % 3 == 0;

        if (lock(ground->store, "ground", is_shared, 600000, 600000,
                 &operation) != STATE_OK)
            ck_abort_msg("round %u: %s", i, operation.message);
        if (is_shared)
            go_in_with_others(ground);
        else
            go_in_alone(ground, operation.token);
        if (unlock(ground->store, "ground", operation.token) != STATE_OK)
            ck_abort_msg("round %u: not held", i);
    }
    state_operation_deinit(&operation);
    return NULL;
}

START_TEST(nobody_is_inside_with_one_who_has_it_alone)
{
    struct shared_ground ground = {.store = open_store("memory"),
                                   .rounds = 2000};
    pthread_t threads[THREADS];
    uint64_t alone = 0;

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, come_and_go, &ground), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned number = 0; number < THREADS; number++)
        for (unsigned i = 0; i < ground.rounds; i++)
            alone += (i + number) % 3 != 0;
    ck_assert_uint_eq(atomic_load(&ground.failures), 0);
    ck_assert_uint_eq(ground.sum, alone);
    state_store_close(ground.store);
}
END_TEST

/* ---- Leases ----------------------------------------------------------- */

START_TEST(a_lease_that_ends_lets_the_next_one_in_without_anybody_asking)
{
    struct state_store *store = open_store("memory");
    struct state_operation first = {0}, second = {0};

    ck_assert_int_eq(lock(store, "k", false, 20, 0, &first), STATE_OK);
    ck_assert_int_eq(lock(store, "k", false, 0, 60000, &second), STATE_OK);
    ck_assert_uint_gt(second.token, first.token);
    ck_assert_int_eq(unlock(store, "k", first.token), STATE_CONFLICT);
    ck_assert_int_eq(unlock(store, "k", second.token), STATE_OK);
    state_store_close(store);
}
END_TEST

START_TEST(who_waits_in_vain_is_told_so)
{
    struct state_store *store = open_store("memory");
    struct state_operation first = {0}, second = {0};

    ck_assert_int_eq(lock(store, "k", false, 0, 0, &first), STATE_OK);
    ck_assert_int_eq(lock(store, "k", true, 0, 10, &second), STATE_LOCKED);
    ck_assert_int_eq(lock(store, "k", true, 0, 0, &second), STATE_LOCKED);
    ck_assert_uint_eq(second.token, 0);
    /* Nobody can wait who cannot be told. */
    second.complete = NULL;
    second.timeout_ms = 1;
    ck_assert_int_eq(state_store_submit(store, &second), STATE_INVALID);
    state_store_close(store);
}
END_TEST

START_TEST(an_extended_lock_is_held_on_and_a_lost_one_is_not)
{
    struct state_store *store = open_with_test_clock(0);
    struct state_operation held = {0};
    struct state_operation extend = {.kind = STATE_EXTEND,
                                     .namespace_ = "locks",
                                     .key = {"k", 1},
                                     .lease_ms = 100};

    ck_assert_int_eq(lock(store, "k", false, 100, 0, &held), STATE_OK);
    extend.lock_token = held.token;
    atomic_store(&test_now_ms, 1099);
    ck_assert_int_eq(state_store_submit(store, &extend), STATE_OK);
    atomic_store(&test_now_ms, 1198);
    ck_assert_int_eq(state_store_submit(store, &extend), STATE_OK);
    atomic_store(&test_now_ms, 1298);
    ck_assert_int_eq(state_store_submit(store, &extend), STATE_CONFLICT);
    ck_assert(extend.lock_lost);
    state_store_close(store);
}
END_TEST

/* ---- Writes ----------------------------------------------------------- */

static const struct write_case {
    enum state_kind kind;
    struct state_bytes value;
} writes[] = {
    {STATE_PUT, {"1", 1}},
    {STATE_COMPARE_AND_SWAP, {"1", 1}},
    {STATE_INCREMENT, {NULL, 0}},
    {STATE_APPEND, {"1", 1}},
    {STATE_DELETE, {NULL, 0}},
};

START_TEST(a_write_with_a_token_happens_only_while_the_lock_is_held)
{
    struct state_store *store = open_with_test_clock(0);
    struct state_operation held = {0}, next = {0}, get = {0}, put = {0};

    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        struct state_operation write = {.kind = writes[i].kind,
                                        .namespace_ = "locks",
                                        .key = {"k", 1},
                                        .value = writes[i].value};

        ck_assert_int_eq(await_put(store, "locks", "k", "0", &put),
                         STATE_OK);
        ck_assert_int_eq(lock(store, "k", false, 100, 0, &held), STATE_OK);
        write.lock_token = held.token;
        write.version_expected = put.version;
        ck_assert_int_eq(state_store_submit(store, &write), STATE_OK);

        /* The lease passes to another: from then on nothing happens. */
        ck_assert_int_eq(await_put(store, "locks", "k", "0", &put),
                         STATE_OK);
        write.version_expected = put.version;
        atomic_fetch_add(&test_now_ms, 100);
        ck_assert_int_eq(state_store_submit(store, &write), STATE_CONFLICT);
        ck_assert(write.lock_lost);
        ck_assert_uint_eq(write.version, put.version);
        ck_assert_int_eq(lock(store, "k", false, 100, 0, &next), STATE_OK);
        ck_assert_int_eq(state_store_submit(store, &write), STATE_CONFLICT);
        ck_assert(write.lock_lost);
        ck_assert_int_eq(unlock(store, "k", next.token), STATE_OK);
        ck_assert_int_eq(state_store_submit(store, &write), STATE_CONFLICT);
        ck_assert_int_eq(await_get(store, "locks", "k", &get), STATE_OK);
        ck_assert(result_is(&get, "0"));

        /* A condition that does not hold is another matter. */
        write.lock_token = 0;
        write.condition = STATE_IF_ABSENT;
        write.version_expected = 0;
        ck_assert_int_eq(state_store_submit(store, &write), STATE_CONFLICT);
        ck_assert(!write.lock_lost);
    }
    state_operation_deinit(&get);
    state_store_close(store);
}
END_TEST

START_TEST(who_brings_no_token_is_not_held_up)
{
    struct state_store *store = open_store("memory");
    struct state_operation held = {0}, put = {0};

    ck_assert_int_eq(lock(store, "k", false, 0, 0, &held), STATE_OK);
    ck_assert_int_eq(await_put(store, "locks", "k", "1", &put), STATE_OK);
    put.lock_token = held.token;
    ck_assert_int_eq(await_put(store, "locks", "k", "2", &put), STATE_OK);
    /* A token is good for its own key and namespace. */
    ck_assert_int_eq(await_put(store, "locks", "l", "2", &put),
                     STATE_CONFLICT);
    ck_assert_int_eq(await_put(store, "other", "k", "2", &put),
                     STATE_CONFLICT);
    state_store_close(store);
}
END_TEST

START_TEST(what_was_never_locked_is_not_held)
{
    struct state_store *store = open_store("memory");
    struct state_operation extend = {.kind = STATE_EXTEND,
                                     .namespace_ = "none",
                                     .key = {"k", 1},
                                     .lock_token = 1};

    ck_assert_int_eq(state_store_submit(store, &extend), STATE_CONFLICT);
    ck_assert(extend.lock_lost);
    ck_assert_int_eq(unlock(store, "k", 1), STATE_CONFLICT);
    state_store_close(store);
}
END_TEST

START_TEST(tokens_grow_from_one_store_to_the_next)
{
    struct state_store *store = open_store("memory");
    struct state_operation first = {0}, second = {0};

    ck_assert_int_eq(lock(store, "k", false, 0, 0, &first), STATE_OK);
    state_store_close(store);
    doze();
    store = open_store("memory");
    ck_assert_int_eq(lock(store, "k", false, 0, 0, &second), STATE_OK);
    ck_assert_uint_gt(second.token, first.token);
    ck_assert_uint_lt(second.token, UINT64_C(1) << 53);
    state_store_close(store);
}
END_TEST

/* ---- Completions ------------------------------------------------------ */

#define CHAIN 1000

/* Waiters each of whom unlocks within its completion. */
struct chain {
    struct state_store *store;
    struct state_operation operations[CHAIN];
    unsigned done;  /* how many were completed */
    unsigned depth; /* completions that are inside of another */
    unsigned depth_max;
};

static void
unlock_at_once(struct state_operation *operation)
{
    struct chain *chain = operation->data;

    if (++chain->depth > chain->depth_max)
        chain->depth_max = chain->depth;
    ck_assert_int_eq(operation->status, STATE_OK);
    /* In turn, and no two of them at the same time. */
    ck_assert_ptr_eq(operation, &chain->operations[chain->done]);
    chain->done++;
    ck_assert_int_eq(unlock(chain->store, "chain", operation->token),
                     STATE_OK);
    chain->depth--;
}

START_TEST(completions_that_unlock_come_one_after_the_other)
{
    struct chain *chain = calloc(1, sizeof *chain);
    struct state_operation held = {0};

    chain->store = open_store("memory");
    ck_assert_int_eq(lock(chain->store, "chain", false, 600000, 0, &held),
                     STATE_OK);
    for (int i = 0; i < CHAIN; i++) {
        chain->operations[i] =
            (struct state_operation){.kind = STATE_LOCK,
                                     .namespace_ = "locks",
                                     .key = {"chain", 5},
                                     .timeout_ms = 600000,
                                     .complete = unlock_at_once,
                                     .data = chain};
        ck_assert_int_eq(
            state_store_submit(chain->store, &chain->operations[i]),
            STATE_PENDING);
    }
    ck_assert_int_eq(unlock(chain->store, "chain", held.token), STATE_OK);
    ck_assert_uint_eq(chain->done, CHAIN);
    ck_assert_uint_eq(chain->depth_max, 1);
    state_store_close(chain->store);
    free(chain);
}
END_TEST

struct closed {
    struct state_store *store;
    atomic_int status;
    atomic_int status_again;
};

/* A waiter that tries again when it is told that the store closes. */
static void
try_again(struct state_operation *operation)
{
    struct closed *closed = operation->data;

    atomic_store(&closed->status, operation->status);
    atomic_store(&closed->status_again,
                 state_store_submit(closed->store, operation));
}

START_TEST(closing_a_store_ends_the_waiting)
{
    struct closed closed = {.store = open_store("memory")};
    struct state_operation held = {0};
    struct state_operation waiter = {.kind = STATE_LOCK,
                                     .namespace_ = "locks",
                                     .key = {"k", 1},
                                     .timeout_ms = 600000,
                                     .complete = try_again,
                                     .data = &closed};

    ck_assert_int_eq(lock(closed.store, "k", false, 0, 0, &held), STATE_OK);
    ck_assert_int_eq(state_store_submit(closed.store, &waiter),
                     STATE_PENDING);
    state_store_close(closed.store);
    ck_assert_int_eq(atomic_load(&closed.status), STATE_CLOSED);
    ck_assert_int_eq(atomic_load(&closed.status_again), STATE_CLOSED);
}
END_TEST

/* Remembers how it ended. */
static void
remember(struct state_operation *operation)
{
    *(enum state_status *)operation->data = operation->status;
}

START_TEST(cancelling_ends_one_waiting_and_lets_the_next_one_go_on)
{
    struct state_store *store = open_store("memory");
    enum state_status ends[2] = {STATE_PENDING, STATE_PENDING};
    struct state_operation held = {0}, waiters[2] = {0};

    ck_assert_int_eq(lock(store, "k", true, 0, 0, &held), STATE_OK);
    for (int i = 0; i < 2; i++) {
        waiters[i] = (struct state_operation){.kind = STATE_LOCK,
                                              .namespace_ = "locks",
                                              .key = {"k", 1},
                                              .is_shared = i == 1,
                                              .timeout_ms = 600000,
                                              .complete = remember,
                                              .data = &ends[i]};
        ck_assert_int_eq(state_store_submit(store, &waiters[i]),
                         STATE_PENDING);
    }
    /* One that does not wait is left alone. */
    state_store_cancel(store, &held);
    ck_assert_int_eq(ends[0], STATE_PENDING);
    state_store_cancel(store, &waiters[0]);
    ck_assert_int_eq(ends[0], STATE_CLOSED);
    ck_assert_int_eq(ends[1], STATE_OK);
    state_store_cancel(store, &waiters[0]);
    state_store_cancel(store, &waiters[1]);
    ck_assert_int_eq(unlock(store, "k", waiters[1].token), STATE_OK);
    ck_assert_int_eq(unlock(store, "k", held.token), STATE_OK);
    state_store_close(store);
}
END_TEST

START_TEST(no_thread_watches_while_nothing_was_locked)
{
    static struct state__shard shards[2];
    struct state__clock clock = {test_clock_look, NULL};
    struct state__slab_pool slab_pool;
    struct state__lock_keeper keeper;

    state__slab_pool_init(&slab_pool);
    for (int i = 0; i < 2; i++)
        state__shard_init(&shards[i], &clock, &slab_pool, 0);
    state__lock_keeper_init(&keeper, &clock, shards, 2);
    ck_assert(!keeper.timer.has_thread);
    ck_assert_uint_eq(state__lock_keeper_pass(&keeper), UINT64_MAX);
    state__lock_keeper_deinit(&keeper);
    for (int i = 0; i < 2; i++)
        state__shard_deinit(&shards[i]);
    state__slab_pool_deinit(&slab_pool);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        nobody_is_inside_with_one_who_has_it_alone,
        a_lease_that_ends_lets_the_next_one_in_without_anybody_asking,
        who_waits_in_vain_is_told_so,
        an_extended_lock_is_held_on_and_a_lost_one_is_not,
        a_write_with_a_token_happens_only_while_the_lock_is_held,
        who_brings_no_token_is_not_held_up,
        what_was_never_locked_is_not_held,
        tokens_grow_from_one_store_to_the_next,
        completions_that_unlock_come_one_after_the_other,
        closing_a_store_ends_the_waiting,
        cancelling_ends_one_waiting_and_lets_the_next_one_go_on,
        no_thread_watches_while_nothing_was_locked,
        NULL,
    };

    return run_suite("lock keeper", tests);
}
