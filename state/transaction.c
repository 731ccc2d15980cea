/* All-or-nothing batches of the memory backend: see transaction.h. */
#include "state/transaction.h"

#include "state/batch.h"
#include "state/operation.h"
#include "state/region.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What an item was like; `item` is null when there was none. */
struct memento {
    struct state__item *item;
    uint64_t version;
    uint64_t deadline_ms;
    bool expires;
    uint32_t value_length;
    struct state__value *block; /* with a reference of ours */
    uint8_t bytes[STATE_VALUE_INLINE_MAX];
};

struct step {
    struct state__target target;
    struct state__change change;
    struct memento before;
    struct state__value *garbage; /* of undoing */
};

struct state__transaction {
    struct state__shard *shards;
    unsigned shard_count;
    struct state_operation *batch;
    size_t value_bytes_max;
    bool is_needed[STATE_SHARDS_MAX];
    bool writes; /* on a disk: something, to namespaces as durable as this */
    enum state_durability durability;
    struct step steps[];
};

struct state__transaction *
state__transaction_create(struct state__shard *shards, unsigned shard_count,
                          struct state_operation *batch,
                          size_t value_bytes_max)
{
    size_t count = batch->operation_count;
    struct state__transaction *transaction =
        calloc(1, sizeof *transaction + count * sizeof(struct step));

    if (transaction == NULL)
        return NULL;
    transaction->shards = shards;
    transaction->shard_count = shard_count;
    transaction->batch = batch;
    transaction->value_bytes_max = value_bytes_max;
    return transaction;
}

void
state__transaction_destroy(struct state__transaction *transaction)
{
    free(transaction);
}

void
state__transaction_set_target(struct state__transaction *transaction,
                              size_t index,
                              struct state__namespace *namespace_,
                              uint64_t hash)
{
    struct state_operation *operation =
        &transaction->batch->operations[index];
    struct step *step = &transaction->steps[index];
    unsigned shard = (unsigned)hash & (transaction->shard_count - 1);

    transaction->is_needed[shard] = true;
    step->target = (struct state__target){namespace_, operation->key, hash};
    step->change = (struct state__change){
        .shard = &transaction->shards[shard],
        .target = &step->target,
        .operation = operation,
        .value_bytes_max = transaction->value_bytes_max,
        .is_last_attempt = true, /* the locks stay until the end */
    };
}

struct state__namespace *
state__transaction_namespace(const struct state__transaction *transaction,
                             size_t index)
{
    return transaction->steps[index].target.namespace_;
}

/* ---- The locks ---- */

static void
lock_shards(struct state__transaction *transaction)
{
    for (unsigned i = 0; i < transaction->shard_count; i++) {
        struct state__shard *shard = &transaction->shards[i];

        if (!transaction->is_needed[i])
            continue;
        state__shard_lock(shard);
        shard->table.keeps_room = true;
        shard->expiry.keeps_room = true;
    }
}

static void
unlock_shards(struct state__transaction *transaction)
{
    for (unsigned i = 0; i < transaction->shard_count; i++) {
        struct state__shard *shard = &transaction->shards[i];

        if (!transaction->is_needed[i])
            continue;
        shard->table.keeps_room = false;
        shard->expiry.keeps_room = false;
        if (shard->expiry.count == 0)
            state__expiry_deinit(&shard->expiry);
        state__shard_unlock(shard);
    }
}

/* ---- There and back ---- */

static void
remember(struct step *step)
{
    struct state__shard *shard = step->change.shard;
    struct memento *before = &step->before;
    struct state__item *item;

    item = state__shard_find(shard, &step->target, &step->change.dead);
    before->item = item;
    if (item == NULL)
        return;
    before->version = item->version;
    before->expires = item->expiry_place > 0;
    if (before->expires)
        before->deadline_ms =
            state__expiry_deadline_ms(&shard->expiry, item);
    before->value_length = item->value_length;
    before->block = state__item_block(item);
    if (before->block != NULL)
        state__value_acquire(before->block);
    else
        memcpy(before->bytes, state__item_value(item), item->value_length);
}

/* Gives an item that is in the shard what it had. */
static void
restore(struct step *step)
{
    struct state__shard *shard = step->change.shard;
    struct memento *before = &step->before;
    struct state__item *item = before->item;
    bool done = true;

    state__quota_count(step->target.namespace_, 0,
                       (int64_t)before->value_length -
                           (int64_t)item->value_length);
    if (before->block != NULL) {
        state__item_adopt(item, before->block, before->value_length,
                          &step->garbage);
        before->block = NULL;
    } else {
        /* It was inside the item, where it will fit again. */
        done = state__item_set(
            item, (struct state_bytes){before->bytes, before->value_length},
            &step->garbage);
    }
    assert(done);
    STATE__SET(item->version, before->version);
    if (before->expires)
        state__expiry_set(&shard->expiry, item, before->deadline_ms);
    else
        state__expiry_clear(&shard->expiry, item);
}

/* Undoes a step that was done. */
static void
undo(struct step *step)
{
    struct state__change *change = &step->change;

    if (change->shard == NULL ||
        !state__operation_is_write(change->operation->kind) ||
        change->operation->status != STATE_OK)
        return;
    if (change->is_new) {
        state__shard_remove(change->shard, change->item, &change->dead);
        return;
    }
    if (change->operation->kind == STATE_DELETE) {
        assert(change->dead == step->before.item);
        change->dead = change->dead->left;
        state__shard_link(change->shard, &step->target, step->before.item);
        state__quota_count(step->target.namespace_, 1,
                           (int64_t)step->before.item->key_length +
                               (int64_t)step->before.item->value_length);
    }
    restore(step);
}

/* Carries out one operation; returns whether the batch can go on. */
static bool
run_step(struct step *step, struct state_operation *operation)
{
    enum state_status status;

    /* Checked before, or in a namespace that is not there. */
    if (operation->status != STATE_OK)
        return operation->status == STATE_NOT_FOUND;
    if (!state__region_permits(step->change.shard, &step->target, operation,
                               &step->change.dead)) {
        state__operation_fail(operation, STATE_UNSUPPORTED,
                              "a mapped key takes no part in what is all or "
                              "nothing");
        return false;
    }
    if (!state__operation_is_write(operation->kind)) {
        status = state__shard_read_locked(step->change.shard, &step->target,
                                          operation, &step->change.item,
                                          &step->change.dead);
        state__operation_end(operation, status);
        return true;
    }
    remember(step);
    status = state__change_apply(&step->change);
    assert(status != STATE_PENDING);
    if (status == STATE_QUOTA)
        state__quota_fail(step->target.namespace_, step->change.bound,
                          operation);
    else
        state__operation_end(operation, status);
    /* That there is nothing to delete is an answer and no failure. */
    return status == STATE_OK || status == STATE_NOT_FOUND;
}

/*
 * Makes the entry for the journal of a step that writes. It is the batch that
 * waits for it. Ends the operation unless this returns true.
 */
static bool
prepare_entry(struct state__transaction *transaction, struct step *step,
              struct state_operation *operation)
{
    struct state__namespace *namespace_ = step->target.namespace_;
    enum state_durability durability = atomic_load(&namespace_->durability);

    if (!state__operation_is_write(operation->kind))
        return true;
    /* What is written as one is written at one time. */
    if (transaction->writes && durability != transaction->durability) {
        state__operation_fail(operation, STATE_UNSUPPORTED,
                              "what is all or nothing is durable in one way");
        return false;
    }
    transaction->batch->private_.failure = STATE_OK;
    transaction->writes = true;
    transaction->durability = durability;
    if (state__journal_prepare(transaction->shards->journal, namespace_,
                               operation, &step->change.entry) != STATE_OK)
        return false;
    if (step->change.entry != NULL)
        step->change.entry->operation = transaction->batch;
    return true;
}

/* Does what needs no lock; false: not all could be, `failed` says where. */
static bool
prepare(struct state__transaction *transaction, size_t *failed)
{
    struct state_operation *batch = transaction->batch;

    for (size_t i = 0; i < batch->operation_count; i++) {
        struct step *step = &transaction->steps[i];

        if (step->change.shard == NULL)
            continue;
        *failed = i;
        if (transaction->shards->journal != NULL &&
            !prepare_entry(transaction, step, &batch->operations[i]))
            return false;
        if (state__change_prepare(&step->change) == STATE_OK)
            continue;
        state__operation_end(&batch->operations[i], STATE_NO_MEMORY);
        return false;
    }
    return true;
}

/*
 * Under the locks: carries out all steps, or none of them; sets how many were
 * done, and ends the batch or leaves it to the journal.
 */
static enum state_status
run_steps(struct state__transaction *transaction)
{
    struct state_operation *batch = transaction->batch;
    struct state__journal *journal = transaction->shards->journal;
    size_t count = batch->operation_count, done;
    bool has_changed = false, has_seen = false;

    state__journal_begin_group(journal);
    for (done = 0; done < count; done++)
        if (!run_step(&transaction->steps[done], &batch->operations[done]))
            break;
    if (done < count)
        for (size_t i = done; i-- > 0;)
            undo(&transaction->steps[i]);
    state__journal_end_group(journal, done == count);
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &transaction->steps[i];

        has_changed |= done == count && step->change.is_queued;
        has_seen |= step->change.shard != NULL &&
                    atomic_load(&step->target.namespace_->durability) ==
                        STATE_DURABILITY_SYNC;
    }
    if (done < count)
        state__batch_abort(batch, done);
    else
        state__operation_end(batch, STATE_OK);
    return state__journal_end_batch(journal, batch, has_changed, has_seen);
}

enum state_status
state__transaction_run(struct state__transaction *transaction)
{
    struct state_operation *batch = transaction->batch;
    size_t count = batch->operation_count, failed = 0;
    enum state_status status;

    if (prepare(transaction, &failed)) {
        lock_shards(transaction);
        status = run_steps(transaction);
        unlock_shards(transaction);
    } else {
        status = state__batch_abort(batch, failed);
    }
    for (size_t i = 0; i < count; i++) {
        struct step *step = &transaction->steps[i];

        state__value_release(step->before.block);
        state__value_release(step->garbage);
        if (step->change.shard != NULL)
            state__change_clean_up(&step->change);
    }
    return status;
}
