/*
 * Batches: see batch.h.
 *
 * While the operations of a batch are under way, each has our `complete`, and
 * the batch counts how many are left: one more than there are until all have
 * been submitted, so that it cannot end before.
 */
#include "state/batch.h"

#include "state/operation.h"

enum state_status
state__batch_check(struct state_operation *batch)
{
    size_t bytes = 0;

    if (batch->operation_count > STATE_BATCH_OPERATIONS_MAX)
        return state__operation_fail(batch, STATE_TOO_BIG,
                                     "a batch has at most %d operations",
                                     STATE_BATCH_OPERATIONS_MAX);
    if (batch->operation_count > 0 && batch->operations == NULL)
        return state__operation_fail(batch, STATE_INVALID,
                                     "a count without operations");
    for (size_t i = 0; i < batch->operation_count; i++) {
        const struct state_operation *operation = &batch->operations[i];

        if (!state__operation_can_batch(operation->kind,
                                        batch->all_or_nothing))
            return state__operation_fail(batch, STATE_INVALID,
                                         "operation %zu has no place in such "
                                         "a batch",
                                         i);
        bytes += operation->value.length_bytes;
        if (operation->value.length_bytes > STATE_BATCH_BYTES_MAX ||
            bytes > STATE_BATCH_BYTES_MAX)
            return state__operation_fail(batch, STATE_TOO_BIG,
                                         "the values of a batch have at most "
                                         "%u bytes",
                                         STATE_BATCH_BYTES_MAX);
    }
    return STATE_OK;
}

/* One less is left; returns whether it was the last. */
static bool
count_down(struct state_operation *batch)
{
    return __atomic_sub_fetch(&batch->private_.batch_left, 1,
                              __ATOMIC_ACQ_REL) == 0;
}

static void
complete_one(struct state_operation *operation)
{
    struct state_operation *batch = operation->private_.batch;

    operation->complete = operation->private_.batch_complete;
    if (!count_down(batch))
        return;
    state__operation_end(batch, STATE_OK);
    batch->complete(batch);
}

enum state_status
state__batch_submit_one(struct state__backend *backend,
                        struct state_operation *operation,
                        size_t value_bytes_max)
{
    enum state_status status;

    state__operation_begin(operation);
    status = state__operation_check(operation, value_bytes_max);
    if (status)
        return status;
    if (!backend->class->has_locks &&
        (state__operation_is_lock(operation->kind) ||
         operation->lock_token != 0))
        return state__operation_fail(operation, STATE_UNSUPPORTED,
                                     "%s has no locks",
                                     backend->class->name);
    if (!backend->class->has_locks && operation->kind == STATE_WATCH)
        return state__operation_fail(operation, STATE_UNSUPPORTED,
                                     "%s cannot be watched",
                                     backend->class->name);
    return backend->class->submit(backend, operation);
}

enum state_status
state__batch_submit_each(struct state__backend *backend,
                         struct state_operation *batch,
                         size_t value_bytes_max)
{
    batch->private_.batch_left = batch->operation_count + 1;
    batch->status = STATE_PENDING;
    for (size_t i = 0; i < batch->operation_count; i++) {
        struct state_operation *operation = &batch->operations[i];

        operation->private_.batch = batch;
        operation->private_.batch_complete = operation->complete;
        /* Without anybody to tell, only what ends at once can be done. */
        operation->complete = batch->complete ? complete_one : NULL;
        if (state__batch_submit_one(backend, operation, value_bytes_max) ==
            STATE_PENDING)
            continue;
        operation->complete = operation->private_.batch_complete;
        count_down(batch);
    }
    if (!count_down(batch))
        return STATE_PENDING;
    return state__operation_end(batch, STATE_OK);
}

enum state_status
state__batch_abort(struct state_operation *batch, size_t index)
{
    const struct state_operation *culprit = &batch->operations[index];

    for (size_t i = 0; i < batch->operation_count; i++) {
        if (i == index)
            continue;
        state__operation_begin(&batch->operations[i]);
        state__operation_end(&batch->operations[i], STATE_ABORTED);
    }
    batch->failed_index = index;
    return state__operation_fail(batch, culprit->status, "operation %zu: %s",
                                 index, culprit->message);
}
