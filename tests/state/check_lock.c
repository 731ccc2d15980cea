/* Tests of state/lock.c: the locks of a shard, at times that the test says. */
#include "state/lock.h"

#include "state/shard.h"
#include "tests/state/await.h"
#include "tests/state/suite.h"

#include <stdio.h>
#include <stdlib.h>

/* The locks of one shard, and all that was completed so far. */
static struct state__namespace namespace_;
static struct state__locks locks;
static atomic_uint_fast64_t token_last;
static uint64_t now_ms;

static void
begin(void)
{
    atomic_init(&token_last, 100);
    atomic_init(&namespace_.lock_count, 0);
    locks = (struct state__locks){.token_last = &token_last};
    now_ms = 1000;
}

static void
finish(void)
{
    state__locks_deinit(&locks);
}

static struct state__target
target_of(const char *key)
{
    /* All in one bucket: chains are what a table is tested with. */
    return (struct state__target){&namespace_, text(key), 7};
}

static enum state_status
take(const char *key, bool is_shared, uint64_t timeout_ms,
     struct state_operation *operation)
{
    struct state__target target = target_of(key);
    uint64_t due_ms = 0;

    *operation = (struct state_operation){.kind = STATE_LOCK,
                                          .key = target.key,
                                          .is_shared = is_shared,
                                          .lease_ms = 500,
                                          .timeout_ms = timeout_ms};
    return state__locks_take(&locks, &target, operation, now_ms, &due_ms);
}

/* Releases; what that ended is in a list that is as long as expected. */
static enum state_status
release(const char *key, uint64_t token, unsigned ended_count)
{
    struct state__target target = target_of(key);
    struct state__ended ended = {0};
    struct state_operation *operation;
    enum state_status status;

    status = state__locks_release(&locks, &target, token, now_ms, &ended);
    for (operation = ended.first; operation != NULL;
         operation = operation->private_.next)
        ended_count--;
    ck_assert_uint_eq(ended_count, 0);
    return status;
}

static unsigned
pass(uint64_t *next_ms)
{
    struct state__ended ended = {0};
    unsigned count = 0;

    *next_ms = state__locks_pass(&locks, now_ms, &ended);
    for (struct state_operation *operation = ended.first; operation != NULL;
         operation = operation->private_.next)
        count++;
    return count;
}

static bool
permits(const char *key, uint64_t token)
{
    struct state__target target = target_of(key);

    return state__locks_permit(&locks, &target, token, now_ms);
}

START_TEST(one_has_it_or_many_share_it)
{
    struct state_operation a, b, c;

    begin();
    ck_assert_int_eq(take("k", false, 0, &a), STATE_OK);
    ck_assert_int_eq(take("k", false, 0, &b), STATE_LOCKED);
    ck_assert_int_eq(take("k", true, 0, &b), STATE_LOCKED);
    ck_assert_int_eq(take("other", false, 0, &b), STATE_OK);
    ck_assert_uint_gt(b.token, a.token);
    ck_assert_int_eq(release("k", b.token, 0), STATE_CONFLICT);
    ck_assert_int_eq(release("k", a.token, 0), STATE_OK);
    ck_assert_int_eq(release("k", a.token, 0), STATE_CONFLICT);
    ck_assert_int_eq(take("k", true, 0, &a), STATE_OK);
    ck_assert_int_eq(take("k", true, 0, &c), STATE_OK);
    ck_assert_int_eq(take("k", false, 0, &b), STATE_LOCKED);
    ck_assert_int_eq(release("k", a.token, 0), STATE_OK);
    ck_assert_int_eq(take("k", false, 0, &b), STATE_LOCKED);
    ck_assert_int_eq(release("k", c.token, 0), STATE_OK);
    ck_assert_int_eq(take("k", false, 0, &b), STATE_OK);
    finish();
}
END_TEST

START_TEST(those_who_wait_get_it_in_the_order_in_which_they_came)
{
    struct state_operation holder, writer, readers[2], late;

    begin();
    ck_assert_int_eq(take("k", true, 0, &holder), STATE_OK);
    ck_assert_int_eq(take("k", false, 99, &writer), STATE_PENDING);
    /* It could be shared, but who waits alone must not starve. */
    ck_assert_int_eq(take("k", true, 0, &late), STATE_LOCKED);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(take("k", true, 99, &readers[i]), STATE_PENDING);
    ck_assert_int_eq(take("k", false, 99, &late), STATE_PENDING);

    ck_assert_int_eq(release("k", holder.token, 1), STATE_OK);
    ck_assert_int_eq(writer.status, STATE_OK);
    ck_assert_int_eq(readers[0].status, STATE_PENDING);
    ck_assert_int_eq(release("k", writer.token, 2), STATE_OK);
    ck_assert_int_eq(readers[0].status, STATE_OK);
    ck_assert_int_eq(readers[1].status, STATE_OK);
    ck_assert_int_eq(late.status, STATE_PENDING);
    ck_assert_uint_gt(writer.token, holder.token);
    ck_assert_uint_gt(readers[0].token, writer.token);
    ck_assert_uint_gt(readers[1].token, readers[0].token);
    ck_assert_int_eq(release("k", readers[1].token, 0), STATE_OK);
    ck_assert_int_eq(release("k", readers[0].token, 1), STATE_OK);
    ck_assert_int_eq(late.status, STATE_OK);
    finish();
}
END_TEST

START_TEST(a_lease_ends_at_its_time_and_begins_when_it_is_given)
{
    struct state_operation first, second;
    uint64_t next_ms;

    begin();
    ck_assert_int_eq(take("k", false, 0, &first), STATE_OK);
    ck_assert_int_eq(take("k", false, 9999, &second), STATE_PENDING);
    ck_assert(permits("k", first.token));
    now_ms = 1499;
    ck_assert_uint_eq(pass(&next_ms), 0);
    ck_assert_uint_eq(next_ms, 1500);
    ck_assert(permits("k", first.token));
    now_ms = 1500;
    ck_assert(!permits("k", first.token));
    ck_assert_uint_eq(pass(&next_ms), 1);
    ck_assert_int_eq(second.status, STATE_OK);
    ck_assert_uint_eq(next_ms, 2000);
    ck_assert(permits("k", second.token));
    ck_assert(!permits("k", first.token));
    ck_assert_int_eq(release("k", first.token, 0), STATE_CONFLICT);
    now_ms = 2000;
    ck_assert_uint_eq(pass(&next_ms), 0);
    ck_assert_uint_eq(next_ms, UINT64_MAX);
    ck_assert_uint_eq(locks.count, 0);
    finish();
}
END_TEST

START_TEST(an_extended_lease_ends_later)
{
    struct state__target target = target_of("k");
    struct state_operation holder;
    uint64_t next_ms;

    begin();
    ck_assert_int_eq(take("k", false, 0, &holder), STATE_OK);
    now_ms = 1400;
    ck_assert_int_eq(
        state__locks_extend(&locks, &target, holder.token, 300, now_ms),
        STATE_OK);
    ck_assert_int_eq(
        state__locks_extend(&locks, &target, holder.token + 1, 300, now_ms),
        STATE_CONFLICT);
    pass(&next_ms);
    ck_assert_uint_eq(next_ms, 1700);
    ck_assert_int_eq(
        state__locks_extend(&locks, &target, holder.token, 0, now_ms),
        STATE_OK);
    pass(&next_ms);
    ck_assert_uint_eq(next_ms, 1400 + STATE_LEASE_MS_DEFAULT);
    finish();
}
END_TEST

START_TEST(who_has_waited_long_enough_goes_and_makes_way)
{
    struct state_operation holder, writer, reader;
    uint64_t next_ms;

    begin();
    ck_assert_int_eq(take("k", true, 0, &holder), STATE_OK);
    ck_assert_int_eq(take("k", false, 50, &writer), STATE_PENDING);
    ck_assert_int_eq(take("k", true, 90, &reader), STATE_PENDING);
    now_ms = 1049;
    ck_assert_uint_eq(pass(&next_ms), 0);
    ck_assert_uint_eq(next_ms, 1050);
    now_ms = 1050;
    ck_assert_uint_eq(pass(&next_ms), 2);
    ck_assert_int_eq(writer.status, STATE_LOCKED);
    ck_assert_str_ne(writer.message, "");
    ck_assert_uint_eq(writer.token, 0);
    /* Nobody is in the reader's way any more. */
    ck_assert_int_eq(reader.status, STATE_OK);
    finish();
}
END_TEST

START_TEST(only_who_holds_it_alone_may_write)
{
    struct state_operation shared, alone;

    begin();
    ck_assert(!permits("k", 1));
    ck_assert_int_eq(take("k", true, 0, &shared), STATE_OK);
    ck_assert(!permits("k", shared.token));
    ck_assert_int_eq(release("k", shared.token, 0), STATE_OK);
    ck_assert_int_eq(take("k", false, 0, &alone), STATE_OK);
    ck_assert(permits("k", alone.token));
    ck_assert(!permits("k", shared.token));
    ck_assert(!permits("l", alone.token));
    ck_assert_int_eq(release("k", alone.token, 0), STATE_OK);
    ck_assert(!permits("k", alone.token));
    finish();
}
END_TEST

START_TEST(closing_ends_all_that_waits)
{
    struct state_operation holder, waiters[3];
    struct state__ended ended = {0};

    begin();
    ck_assert_int_eq(take("k", false, 0, &holder), STATE_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(take("k", i == 1, 99, &waiters[i]), STATE_PENDING);
    state__locks_close(&locks, &ended);
    ck_assert_ptr_eq(ended.first, &waiters[0]);
    ck_assert_ptr_eq(ended.last, &waiters[2]);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(waiters[i].status, STATE_CLOSED);
    finish();
}
END_TEST

START_TEST(a_key_has_so_many_claims_and_no_more)
{
    static struct state_operation claims[STATE_LOCK_CLAIMS_MAX + 1];
    unsigned last = STATE_LOCK_CLAIMS_MAX;
    struct state__ended ended = {0};

    begin();
    for (unsigned i = 0; i < last; i++)
        ck_assert_int_eq(take("k", false, 99, &claims[i]),
                         i == 0 ? STATE_OK : STATE_PENDING);
    ck_assert_int_eq(take("k", false, 99, &claims[last]), STATE_LIMIT);
    ck_assert_ptr_nonnull(strstr(claims[last].message, "1024"));
    /* Who would not wait is told the usual thing. */
    ck_assert_int_eq(take("k", false, 0, &claims[last]), STATE_LOCKED);
    ck_assert_int_eq(release("k", claims[0].token, 1), STATE_OK);
    ck_assert_int_eq(take("k", false, 99, &claims[last]), STATE_PENDING);
    state__locks_close(&locks, &ended);
    finish();
}
END_TEST

START_TEST(a_namespace_has_so_many_locks_and_no_more)
{
    static struct state_operation operation;
    struct state__target target = {&namespace_, {NULL, 0}, 0};
    uint64_t due_ms, first = 0;
    char key[16];

    begin();
    for (unsigned i = 0; i < STATE_LOCKS_MAX; i++) {
        snprintf(key, sizeof key, "%u", i);
        target.key = text(key);
        target.hash = (uint64_t)i << 32;
        operation = (struct state_operation){.kind = STATE_LOCK};
        if (state__locks_take(&locks, &target, &operation, now_ms,
                              &due_ms) != STATE_OK)
            ck_abort_msg("lock %u", i);
        first = i == 0 ? operation.token : first;
    }
    ck_assert_uint_eq(locks.count, STATE_LOCKS_MAX);
    ck_assert_uint_ge(locks.bucket_count, STATE_LOCKS_MAX);
    ck_assert_int_eq(take("one more", false, 0, &operation), STATE_LIMIT);
    ck_assert_ptr_nonnull(strstr(operation.message, "65536"));
    target.key = text("0");
    target.hash = 0;
    ck_assert_int_eq(state__locks_release(&locks, &target, first, now_ms,
                                          &(struct state__ended){0}),
                     STATE_OK);
    ck_assert_int_eq(take("one more", false, 0, &operation), STATE_OK);
    finish();
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        one_has_it_or_many_share_it,
        those_who_wait_get_it_in_the_order_in_which_they_came,
        a_lease_ends_at_its_time_and_begins_when_it_is_given,
        an_extended_lease_ends_later,
        who_has_waited_long_enough_goes_and_makes_way,
        only_who_holds_it_alone_may_write,
        closing_ends_all_that_waits,
        a_key_has_so_many_claims_and_no_more,
        a_namespace_has_so_many_locks_and_no_more,
        NULL,
    };

    return run_suite("lock", tests);
}
