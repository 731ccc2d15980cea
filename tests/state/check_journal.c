/* Tests of state/journal.c, with the test in the place of the writer. */
#include "state/journal.h"
#include "tests/state/suite.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Where the items lie. */
static struct state__slab_pool slab_pool;
static struct state__slab slab;

/* A journal, a namespace in it, and an item with a key and value "key". */
struct world {
    struct state__journal journal;
    struct state__namespace namespace_;
    struct state__item *item;
    unsigned completion_count;
};

static void
begin(struct world *world, enum state_durability durability)
{
    memset(world, 0, sizeof *world);
    state__journal_init(&world->journal, 100, 1u << 20);
    world->namespace_.index = 7;
    atomic_store(&world->namespace_.durability, durability);
    world->item =
        state__item_create(&slab, 7, (struct state_bytes){"key", 3}, 3);
    state__item_set(world->item, (struct state_bytes){"key", 3}, NULL);
}

static void
end(struct world *world)
{
    state__item_destroy(world->item);
    state__journal_deinit(&world->journal);
}

static void
count_completion(struct state_operation *operation)
{
    (*(unsigned *)operation->data)++;
}

static struct state_operation
operation_of(struct world *world)
{
    return (struct state_operation){
        .kind = STATE_PUT,
        .key = {"key", 3},
        .value = {"key", 3},
        .complete = count_completion,
        .data = &world->completion_count,
    };
}

/* What a shard does for a change of the item; returns how it ends. */
static enum state_status
change(struct world *world, struct state_operation *operation, bool deletes)
{
    struct state__journal_entry *entry = NULL;
    enum state_status status;

    status = state__journal_prepare(&world->journal, &world->namespace_,
                                    operation, &entry);
    if (status)
        return status;
    if (deletes)
        state__journal_remove(&world->journal, entry, 1);
    else if (entry != NULL)
        world->item->version = state__journal_put(
            &world->journal, entry, world->item, 1, UINT64_MAX);
    return state__journal_end(&world->journal, &world->namespace_, 1,
                              deletes ? NULL : world->item, entry != NULL,
                              operation, STATE_OK);
}

static enum state_status
put(struct world *world, struct state_operation *operation)
{
    return change(world, operation, false);
}

static enum state_status
delete(struct world *world, struct state_operation *operation)
{
    return change(world, operation, true);
}

static enum state_status
look(struct world *world, const struct state__item *item, uint64_t hash,
     struct state_operation *operation)
{
    return state__journal_end(&world->journal, &world->namespace_, hash, item,
                              false, operation, STATE_OK);
}

/* The batch is written. */
static void
finish(struct world *world, struct state__journal_chain *batch)
{
    state__journal_complete(
        &world->journal, state__journal_resolve(&world->journal, batch, 0),
        NULL, NULL);
}

/* Takes a batch of at least one entry and resolves it. */
static void
write_round(struct world *world)
{
    struct state__journal_chain batch;

    ck_assert_int_eq(state__journal_take(&world->journal, 1u << 20, &batch),
                     STATE__JOURNAL_BATCH);
    ck_assert_ptr_nonnull(batch.first);
    finish(world, &batch);
    ck_assert_ptr_null(batch.first);
}

START_TEST(a_sync_change_ends_when_it_is_resolved)
{
    struct world world;
    struct state_operation first, second;

    begin(&world, STATE_DURABILITY_SYNC);
    first = operation_of(&world);
    second = operation_of(&world);
    ck_assert_int_eq(put(&world, &first), STATE_PENDING);
    ck_assert_int_eq(put(&world, &second), STATE_PENDING);
    ck_assert_uint_eq(world.item->version, 2);
    ck_assert_uint_eq(world.completion_count, 0);
    ck_assert_int_eq(first.status, STATE_PENDING);
    write_round(&world);
    ck_assert_uint_eq(world.completion_count, 2);
    ck_assert_int_eq(first.status, STATE_OK);
    ck_assert_str_eq(second.message, "");
    end(&world);
}
END_TEST

START_TEST(who_sees_what_is_under_way_waits_for_it)
{
    struct world world;
    struct state_operation write, read;

    begin(&world, STATE_DURABILITY_SYNC);
    write = operation_of(&world);
    read = operation_of(&world);
    ck_assert_int_eq(look(&world, world.item, 1, &read), STATE_OK);
    put(&world, &write);
    ck_assert_int_eq(look(&world, world.item, 1, &read), STATE_PENDING);
    /* Another key that is not there has nothing to do with it. */
    write_round(&world);
    ck_assert_uint_eq(world.completion_count, 2);
    ck_assert_int_eq(look(&world, world.item, 1, &read), STATE_OK);
    end(&world);
}
END_TEST

START_TEST(a_removal_under_way_is_waited_for_by_its_class_of_keys)
{
    struct world world;
    struct state_operation write, read;

    begin(&world, STATE_DURABILITY_SYNC);
    write = operation_of(&world);
    read = operation_of(&world);
    ck_assert_int_eq(delete(&world, &write), STATE_PENDING);
    ck_assert_int_eq(look(&world, NULL, 2, &read), STATE_OK);
    ck_assert_int_eq(look(&world, NULL, 1, &read), STATE_PENDING);
    write_round(&world);
    ck_assert_uint_eq(world.completion_count, 2);
    ck_assert_int_eq(look(&world, NULL, 1, &read), STATE_OK);
    end(&world);
}
END_TEST

START_TEST(a_new_expiry_keeps_the_version_and_is_waited_for)
{
    struct world world;
    struct state_operation operation;
    struct state__journal_entry *entry = NULL;
    struct state__journal_chain batch;
    struct timespec now;
    uint64_t now_ms;

    begin(&world, STATE_DURABILITY_SYNC);
    operation = operation_of(&world);
    put(&world, &operation);
    write_round(&world);
    state__journal_prepare(&world.journal, &world.namespace_, &operation,
                           &entry);
    clock_gettime(CLOCK_REALTIME, &now);
    now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    state__journal_touch(&world.journal, entry, world.item, 1, 5000);
    ck_assert_int_eq(look(&world, world.item, 1, &operation), STATE_PENDING);
    state__journal_take(&world.journal, 1, &batch);
    ck_assert_uint_eq(batch.first->version, 1);
    ck_assert_uint_ge(batch.first->expires_ms, now_ms + 5000);
    ck_assert_uint_le(batch.first->expires_ms, now_ms + 5000 + 60000);
    finish(&world, &batch);
    ck_assert_uint_eq(atomic_load(&world.namespace_.resolved), 1);
    end(&world);
}
END_TEST

START_TEST(a_change_behind_ends_at_once_unless_the_disk_is_late)
{
    struct world world;
    struct state__journal_chain batch;
    struct state_operation operation, late;

    begin(&world, STATE_DURABILITY_BEHIND);
    operation = operation_of(&world);
    late = operation_of(&world);
    ck_assert_int_eq(put(&world, &operation), STATE_OK);
    ck_assert_int_eq(state__journal_take(&world.journal, 1, &batch),
                     STATE__JOURNAL_BATCH);
    /* The round under way holds an entry of a moment ago, or long ago. */
    world.journal.writing_since_ms += 1000000;
    ck_assert_int_eq(put(&world, &operation), STATE_OK);
    world.journal.writing_since_ms = 1;
    ck_assert_int_eq(put(&world, &late), STATE_PENDING);
    ck_assert_int_eq(look(&world, world.item, 1, &operation), STATE_OK);
    finish(&world, &batch);
    ck_assert_uint_eq(world.completion_count, 0);
    write_round(&world);
    ck_assert_uint_eq(world.completion_count, 1);
    end(&world);
}
END_TEST

START_TEST(a_change_behind_waits_when_half_of_the_bound_is_under_way)
{
    struct world world;
    struct state_operation operations[51];

    begin(&world, STATE_DURABILITY_BEHIND);
    for (int i = 0; i < 51; i++) {
        operations[i] = operation_of(&world);
        ck_assert_int_eq(put(&world, &operations[i]),
                         i < 50 ? STATE_OK : STATE_PENDING);
    }
    /* The writer does not sleep any more. */
    write_round(&world);
    ck_assert_uint_eq(world.completion_count, 1);
    end(&world);
}
END_TEST

START_TEST(a_namespace_that_is_not_durable_queues_nothing)
{
    struct world world;
    struct state_operation operation;
    struct state__journal_entry *entry = NULL;

    begin(&world, STATE_DURABILITY_NONE);
    operation = operation_of(&world);
    ck_assert_int_eq(put(&world, &operation), STATE_OK);
    ck_assert_ptr_null(world.journal.queue.first);
    /* Nor does a store without a journal. */
    ck_assert_int_eq(state__journal_prepare(NULL, &world.namespace_,
                                            &operation, &entry),
                     STATE_OK);
    ck_assert_ptr_null(entry);
    ck_assert_int_eq(state__journal_end(NULL, &world.namespace_, 1, NULL,
                                        false, &operation, STATE_NOT_FOUND),
                     STATE_NOT_FOUND);
    end(&world);
}
END_TEST

START_TEST(an_entry_has_a_copy_of_a_short_value_and_a_share_of_a_long_one)
{
    static const size_t lengths[] = {0, 1, STATE_VALUE_INLINE_MAX,
                                     STATE_VALUE_INLINE_MAX + 1, 100000};
    struct world world;
    char *bytes = malloc(100000);

    memset(bytes, 'v', 100000);
    begin(&world, STATE_DURABILITY_SYNC);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct state_operation operation = operation_of(&world);
        struct state__journal_chain batch;
        struct state__journal_entry *entry;
        struct state__value *garbage = NULL;
        bool is_long = lengths[i] > STATE_VALUE_INLINE_MAX;

        if (is_long) {
            struct state__value *block = state__value_create(lengths[i]);

            memcpy(block->bytes, bytes, lengths[i]);
            state__item_adopt(world.item, block, lengths[i], &garbage);
        } else {
            state__item_set(world.item,
                            (struct state_bytes){bytes, lengths[i]},
                            &garbage);
        }
        state__value_release(garbage);
        put(&world, &operation);
        state__journal_take(&world.journal, 1, &batch);
        entry = batch.first;
        ck_assert_uint_eq(entry->value_length, lengths[i]);
        ck_assert(memcmp(entry->bytes, "key", 3) == 0);
        ck_assert_ptr_eq(entry->block,
                         is_long ? state__item_block(world.item) : NULL);
        ck_assert(is_long ||
                  memcmp(entry->bytes + 3, bytes, lengths[i]) == 0);
        finish(&world, &batch);
    }
    end(&world);
    free(bytes);
}
END_TEST

START_TEST(what_is_under_way_is_bounded_by_count_and_by_bytes)
{
    struct world world;
    struct state_operation operations[101], big;
    struct state__journal_entry *entry = NULL;

    begin(&world, STATE_DURABILITY_SYNC);
    for (int i = 0; i < 101; i++) {
        operations[i] = operation_of(&world);
        ck_assert_int_eq(put(&world, &operations[i]),
                         i < 100 ? STATE_PENDING : STATE_LIMIT);
    }
    ck_assert_ptr_nonnull(strstr(operations[100].message, "100 changes"));
    write_round(&world);
    ck_assert_uint_eq(world.completion_count, 100);
    ck_assert_uint_eq(atomic_load(&world.journal.entry_count), 0);
    ck_assert_uint_eq(atomic_load(&world.journal.entry_bytes), 0);

    big = operation_of(&world);
    big.value.length_bytes = (1u << 20) - sizeof *entry - 3 -
                             STATE_VALUE_INLINE_MAX;
    ck_assert_int_eq(state__journal_prepare(&world.journal,
                                            &world.namespace_, &big, &entry),
                     STATE_OK);
    state__journal_discard(&world.journal, entry);
    big.value.length_bytes++;
    ck_assert_int_eq(state__journal_prepare(&world.journal,
                                            &world.namespace_, &big, &entry),
                     STATE_LIMIT);
    end(&world);
}
END_TEST

START_TEST(a_group_is_taken_whole_and_nothing_more_than_asked_for)
{
    struct world world;
    struct state_operation operations[6];
    struct state__journal_chain batch;
    static const unsigned sizes[] = {1, 3, 1, 1};

    begin(&world, STATE_DURABILITY_SYNC);
    for (int i = 0; i < 6; i++) {
        operations[i] = operation_of(&world);
        if (i == 1)
            state__journal_begin_group(&world.journal);
        put(&world, &operations[i]);
        if (i == 3)
            state__journal_end_group(&world.journal, true);
    }
    for (int i = 0; i < 4; i++) {
        unsigned count = 0;

        state__journal_take(&world.journal, 1, &batch);
        for (struct state__journal_entry *entry = batch.first; entry != NULL;
             entry = entry->next)
            count++;
        ck_assert_uint_eq(count, sizes[i]);
        finish(&world, &batch);
    }
    ck_assert_uint_eq(world.completion_count, 6);
    end(&world);
}
END_TEST

START_TEST(a_disk_that_is_full_or_gone_refuses)
{
    static const struct {
        enum state_status condition;
        enum state_durability durability;
        enum state_status status;
    } cases[] = {
        {STATE_OK, STATE_DURABILITY_BEHIND, STATE_OK},
        {STATE_LIMIT, STATE_DURABILITY_BEHIND, STATE_LIMIT},
        {STATE_LIMIT, STATE_DURABILITY_SYNC, STATE_PENDING},
        {STATE_UNAVAILABLE, STATE_DURABILITY_BEHIND, STATE_UNAVAILABLE},
        {STATE_UNAVAILABLE, STATE_DURABILITY_SYNC, STATE_UNAVAILABLE},
        {STATE_UNAVAILABLE, STATE_DURABILITY_NONE, STATE_OK},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world world;
        struct state_operation operation;

        begin(&world, cases[i].durability);
        operation = operation_of(&world);
        strcpy(world.journal.trouble, "no space");
        atomic_store(&world.journal.condition, cases[i].condition);
        ck_assert_int_eq(put(&world, &operation), cases[i].status);
        if (cases[i].status == STATE_LIMIT)
            ck_assert_str_eq(operation.message, "no space");
        end(&world);
    }
}
END_TEST

START_TEST(what_went_by_itself_is_queued_without_version_or_operation)
{
    struct world world;
    struct state__journal_chain batch;

    begin(&world, STATE_DURABILITY_SYNC);
    world.item->version = 5;
    state__journal_expel(&world.journal, world.item, 1);
    state__journal_expel(NULL, world.item, 1);
    state__journal_take(&world.journal, 1, &batch);
    ck_assert(batch.first->is_removal);
    ck_assert_uint_eq(batch.first->version, 0);
    ck_assert_uint_eq(batch.first->namespace_index, 7);
    ck_assert_ptr_null(batch.first->operation);
    ck_assert_ptr_null(
        state__journal_resolve(&world.journal, &batch, 0));
    ck_assert_uint_eq(atomic_load(&world.journal.entry_count), 0);
    end(&world);
}
END_TEST

START_TEST(a_closed_journal_gives_what_is_left_and_then_says_so)
{
    struct world world;
    struct state_operation operation;
    struct state__journal_chain batch;

    begin(&world, STATE_DURABILITY_BEHIND);
    operation = operation_of(&world);
    put(&world, &operation);
    state__journal_close(&world.journal);
    write_round(&world);
    ck_assert_int_eq(state__journal_take(&world.journal, 1, &batch),
                     STATE__JOURNAL_CLOSED);
    end(&world);
}
END_TEST

START_TEST(a_full_disk_is_probed_while_nobody_writes)
{
    struct world world;
    struct state__journal_chain batch;

    begin(&world, STATE_DURABILITY_SYNC);
    atomic_store(&world.journal.condition, STATE_LIMIT);
    ck_assert_int_eq(state__journal_take(&world.journal, 1, &batch),
                     STATE__JOURNAL_PROBE);
    end(&world);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        a_sync_change_ends_when_it_is_resolved,
        who_sees_what_is_under_way_waits_for_it,
        a_removal_under_way_is_waited_for_by_its_class_of_keys,
        a_new_expiry_keeps_the_version_and_is_waited_for,
        a_change_behind_ends_at_once_unless_the_disk_is_late,
        a_change_behind_waits_when_half_of_the_bound_is_under_way,
        a_namespace_that_is_not_durable_queues_nothing,
        an_entry_has_a_copy_of_a_short_value_and_a_share_of_a_long_one,
        what_is_under_way_is_bounded_by_count_and_by_bytes,
        a_group_is_taken_whole_and_nothing_more_than_asked_for,
        a_disk_that_is_full_or_gone_refuses,
        what_went_by_itself_is_queued_without_version_or_operation,
        a_closed_journal_gives_what_is_left_and_then_says_so,
        a_full_disk_is_probed_while_nobody_writes,
        NULL,
    };

    state__slab_pool_init(&slab_pool);
    state__slab_init(&slab, &slab_pool);
    return run_suite("journal", tests);
}
