/*
 * Tests of state/journal_repair.c, with the test in the place of the disk: it
 * says which keys can be written. A real disk that is full is in
 * check_backend_lmdb_full.
 */
#include "state/journal.h"
#include "tests/state/suite.h"

#include <stdio.h>
#include <string.h>

#define OPERATIONS 12

/*
 * A journal and what was submitted to it. Keys are letters: those in
 * `unwritable` fail with `failure`. What is written or restored is noted.
 */
struct world {
    struct state__journal journal;
    struct state__namespace namespace_;
    struct state_operation operations[OPERATIONS];
    char keys[OPERATIONS];
    unsigned count;
    const char *unwritable;
    enum state_status failure;
    char written[64];
    char restored[64];
    char completed[64];
    char again[64];
    bool is_locked;
};

static void
note(char *notes, char key)
{
    size_t length = strlen(notes);

    notes[length] = key;
    notes[length + 1] = '\0';
}

static void
note_completion(struct state_operation *operation)
{
    struct world *world = operation->data;

    note(world->completed, *(const char *)operation->key.bytes);
}

static enum state_status
write_unit(void *data, struct state__journal_entry *first,
           const struct state__journal_entry *end)
{
    struct world *world = data;

    for (struct state__journal_entry *entry = first; entry != end;
         entry = entry->next)
        if (strchr(world->unwritable, entry->bytes[0]) != NULL)
            return world->failure;
    for (; first != end; first = first->next)
        note(world->written, (char)first->bytes[0]);
    return STATE_OK;
}

static void
lock(void *data)
{
    ((struct world *)data)->is_locked = true;
}

static void
unlock(void *data)
{
    ((struct world *)data)->is_locked = false;
}

static void
restore(void *data, const struct state__journal_entry *entry)
{
    struct world *world = data;

    ck_assert(world->is_locked);
    note(world->restored, (char)entry->bytes[0]);
}

static enum state_status
submit_again(void *data, struct state_operation *operation)
{
    struct world *world = data;

    note(world->again, *(const char *)operation->key.bytes);
    return STATE_PENDING;
}

static void
begin(struct world *world, enum state_durability durability)
{
    memset(world, 0, sizeof *world);
    state__journal_init(&world->journal, 100, 1u << 20);
    atomic_store(&world->namespace_.durability, durability);
    world->unwritable = "";
    world->failure = STATE_LIMIT;
}

static struct state_operation *
next_operation(struct world *world, char key)
{
    struct state_operation *operation = &world->operations[world->count];

    ck_assert_uint_lt(world->count, OPERATIONS);
    world->keys[world->count] = key;
    *operation = (struct state_operation){
        .kind = STATE_DELETE,
        .key = {&world->keys[world->count], 1},
        .complete = note_completion,
        .data = world,
    };
    world->count++;
    return operation;
}

/* Changes a key; what the change is does not matter here. */
static struct state_operation *
change(struct world *world, char key)
{
    struct state_operation *operation = next_operation(world, key);
    struct state__journal_entry *entry;

    if (state__journal_prepare(&world->journal, &world->namespace_, operation,
                               &entry) != STATE_OK)
        return operation;
    state__journal_remove(&world->journal, entry, (uint64_t)key);
    state__journal_end(&world->journal, &world->namespace_, (uint64_t)key,
                       NULL, true, operation, STATE_OK);
    return operation;
}

/* Looks at a key that somebody has changed. */
static struct state_operation *
look(struct world *world, char key)
{
    struct state_operation *operation = next_operation(world, key);

    operation->kind = STATE_GET;
    state__journal_end(&world->journal, &world->namespace_, (uint64_t)key,
                       NULL, false, operation, STATE_NOT_FOUND);
    return operation;
}

static struct state__journal_chain
take(struct world *world)
{
    struct state__journal_chain batch;

    ck_assert_int_eq(state__journal_take(&world->journal, 1u << 20, &batch),
                     STATE__JOURNAL_BATCH);
    return batch;
}

static void
repair(struct world *world, struct state__journal_chain *batch)
{
    const struct state__journal_mender mender = {
        .write = write_unit,
        .lock = lock,
        .unlock = unlock,
        .restore = restore,
        .data = world,
    };

    state__journal_set_condition(&world->journal, world->failure, "trouble");
    state__journal_complete(&world->journal,
                            state__journal_repair(&world->journal, &mender,
                                                  batch, world->failure),
                            submit_again, world);
    ck_assert(!world->is_locked);
}

START_TEST(what_can_be_written_alone_is_and_the_rest_fails)
{
    struct world world;
    struct state__journal_chain batch;
    struct state_operation *a, *b, *c;

    begin(&world, STATE_DURABILITY_SYNC);
    a = change(&world, 'a');
    b = change(&world, 'b');
    c = change(&world, 'c');
    world.unwritable = "b";
    batch = take(&world);
    repair(&world, &batch);
    ck_assert_str_eq(world.written, "ac");
    ck_assert_str_eq(world.restored, "b");
    ck_assert_str_eq(world.completed, "abc");
    ck_assert_int_eq(a->status, STATE_OK);
    ck_assert_int_eq(b->status, STATE_LIMIT);
    ck_assert_str_eq(b->message, "trouble");
    ck_assert_uint_eq(b->version, 0);
    ck_assert_int_eq(c->status, STATE_OK);
    ck_assert_int_eq(atomic_load(&world.journal.condition), STATE_OK);
    ck_assert_uint_eq(atomic_load(&world.journal.entry_count), 0);
    state__journal_deinit(&world.journal);
}
END_TEST

START_TEST(what_builds_on_a_failure_fails_and_who_looked_looks_again)
{
    struct world world;
    struct state__journal_chain batch;
    struct state_operation *later, *other, *seen;

    begin(&world, STATE_DURABILITY_SYNC);
    change(&world, 'a');
    change(&world, 'a');
    batch = take(&world);
    later = change(&world, 'a');
    other = change(&world, 'o');
    seen = look(&world, 'a');
    ck_assert_int_eq(seen->status, STATE_PENDING);
    world.unwritable = "a";
    repair(&world, &batch);
    /* The first was tried, its successors were not. */
    ck_assert_str_eq(world.written, "");
    ck_assert_str_eq(world.restored, "aaa");
    ck_assert_str_eq(world.completed, "aaa");
    ck_assert_str_eq(world.again, "a");
    ck_assert_int_eq(later->status, STATE_LIMIT);
    ck_assert_int_eq(other->status, STATE_PENDING);
    /* What stayed in the queue is written in its turn. */
    batch = take(&world);
    ck_assert_int_eq(batch.first->bytes[0], 'o');
    state__journal_complete(&world.journal,
                            state__journal_resolve(&world.journal, &batch, 0),
                            submit_again, &world);
    ck_assert_int_eq(other->status, STATE_OK);
    state__journal_deinit(&world.journal);
}
END_TEST

START_TEST(a_group_fails_as_one_and_takes_with_it_what_builds_on_it)
{
    struct world world;
    struct state__journal_chain batch;
    struct state_operation *free_one, *bound;

    begin(&world, STATE_DURABILITY_SYNC);
    state__journal_begin_group(&world.journal);
    change(&world, 'a');
    change(&world, 'b');
    state__journal_end_group(&world.journal, true);
    batch = take(&world);
    bound = change(&world, 'b');
    free_one = change(&world, 'c');
    world.unwritable = "a";
    repair(&world, &batch);
    ck_assert_str_eq(world.written, "");
    ck_assert_uint_eq(strlen(world.restored), 3);
    ck_assert_int_eq(bound->status, STATE_LIMIT);
    ck_assert_int_eq(free_one->status, STATE_PENDING);
    state__journal_deinit(&world.journal);
}
END_TEST

START_TEST(a_group_that_is_not_kept_was_never_queued)
{
    struct world world;
    struct state__journal_chain batch;
    struct state_operation *first;

    begin(&world, STATE_DURABILITY_SYNC);
    for (int has_first = 0; has_first < 2; has_first++) {
        first = has_first ? change(&world, 'f') : NULL;
        state__journal_begin_group(&world.journal);
        change(&world, 'a');
        change(&world, 'b');
        /* As a batch does, which then waits for nothing of its own. */
        world.journal.waiters[STATE__LANE_SYNC].last = first;
        if (first != NULL)
            first->private_.next = NULL;
        else
            world.journal.waiters[STATE__LANE_SYNC].first = NULL;
        state__journal_end_group(&world.journal, false);
        ck_assert_uint_eq(world.journal.lane_counts[STATE__LANE_SYNC],
                          (unsigned)has_first);
        ck_assert_uint_eq(world.journal.tails[STATE__LANE_SYNC],
                          (unsigned)has_first);
    }
    batch = take(&world);
    ck_assert_ptr_eq(batch.first, batch.last);
    repair(&world, &batch);
    ck_assert_str_eq(world.completed, "f");
    ck_assert_uint_eq(atomic_load(&world.journal.entry_count), 0);
    state__journal_deinit(&world.journal);
}
END_TEST

START_TEST(what_is_behind_stays_in_order_and_nobody_passes_it)
{
    struct world world;
    struct state__journal_chain batch;

    begin(&world, STATE_DURABILITY_BEHIND);
    change(&world, 'a');
    change(&world, 'b');
    change(&world, 'c');
    state__journal_close(&world.journal); /* takes at once */
    batch = take(&world);
    change(&world, 'd');
    world.unwritable = "b";
    repair(&world, &batch);
    ck_assert_str_eq(world.written, "a");
    ck_assert_str_eq(world.restored, "");
    ck_assert_int_eq(atomic_load(&world.journal.condition), STATE_LIMIT);
    ck_assert_int_eq(change(&world, 'e')->status, STATE_LIMIT);
    world.unwritable = "";
    batch = take(&world);
    repair(&world, &batch);
    ck_assert_str_eq(world.written, "abcd");
    ck_assert_int_eq(atomic_load(&world.journal.condition), STATE_OK);
    ck_assert_uint_eq(atomic_load(&world.journal.entry_count), 0);
    state__journal_deinit(&world.journal);
}
END_TEST

START_TEST(a_disk_that_is_gone_for_good_leaves_nobody_waiting)
{
    struct world world;
    struct state__journal_chain batch;
    struct state_operation *written, *queued, *seen;

    begin(&world, STATE_DURABILITY_SYNC);
    written = change(&world, 'a');
    batch = take(&world);
    queued = change(&world, 'b');
    seen = look(&world, 'a');
    world.failure = STATE_SYSTEM;
    world.unwritable = "a";
    repair(&world, &batch);
    ck_assert_int_eq(written->status, STATE_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(written->message, "outcome is unknown"));
    ck_assert_int_eq(queued->status, STATE_UNAVAILABLE);
    ck_assert_str_eq(queued->message, "trouble");
    ck_assert_int_eq(seen->status, STATE_UNAVAILABLE);
    /* What nobody knows is shown to nobody; all else can be read. */
    ck_assert_int_eq(look(&world, 'a')->status, STATE_UNAVAILABLE);
    ck_assert_int_eq(look(&world, 'x')->status, STATE_NOT_FOUND);
    ck_assert_int_eq(change(&world, 'c')->status, STATE_UNAVAILABLE);
    ck_assert_uint_eq(atomic_load(&world.journal.entry_count), 0);
    state__journal_deinit(&world.journal);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        what_can_be_written_alone_is_and_the_rest_fails,
        what_builds_on_a_failure_fails_and_who_looked_looks_again,
        a_group_fails_as_one_and_takes_with_it_what_builds_on_it,
        a_group_that_is_not_kept_was_never_queued,
        what_is_behind_stays_in_order_and_nobody_passes_it,
        a_disk_that_is_gone_for_good_leaves_nobody_waiting,
        NULL,
    };

    return run_suite("journal repair", tests);
}
