/*
 * Batches as every backend has them: the checks, and carrying out the
 * operations of a batch one by one, each for itself. What is all or nothing
 * is the backend's to do; the memory's way is transaction.h.
 *
 * Any thread may call these; a batch belongs to the thread that submits it.
 */
#ifndef GLASS_STATE_BATCH_H
#define GLASS_STATE_BATCH_H

#include "state/backend.h"

/*
 * Checks what makes a batch one; its operations are not looked at further.
 * Ends the batch unless it returns STATE_OK.
 */
enum state_status
state__batch_check(struct state_operation *batch);

/*
 * Submits an operation that is no batch, in one or alone: the contract of
 * state_store_submit.
 */
enum state_status
state__batch_submit_one(struct state__backend *backend,
                        struct state_operation *operation,
                        size_t value_bytes_max);

/*
 * Submits the operations of a checked batch in their order. Ends the batch,
 * or leaves it pending until the last operation has ended.
 */
enum state_status
state__batch_submit_each(struct state__backend *backend,
                         struct state_operation *batch,
                         size_t value_bytes_max);

/*
 * Ends an all-or-nothing batch that failed because of its operation `index`,
 * whose status and message are set. All others are ended as aborted.
 */
enum state_status
state__batch_abort(struct state_operation *batch, size_t index);

#endif
