/*
 * Writes that leave a part of the old value: APPEND and PUT_RANGE. Both lay
 * new bytes over the old value from some offset on, which for an append is
 * the old value's end; a gap between the two becomes zeros.
 *
 * A short piece goes into the block where the value lies, under the lock. A
 * long one, and one that readers of the block would see, goes into a block of
 * its own, which is filled without the lock and takes the place of the old
 * one if that has not been changed meanwhile.
 */
#ifndef GLASS_STATE_SPLICE_H
#define GLASS_STATE_SPLICE_H

#include "state/change.h"

/* One attempt, under the lock; see state__change_apply. */
enum state_status
state__splice_apply(struct state__change *change);

/*
 * Makes the block that an attempt which returned STATE_PENDING has missed.
 * Called under the lock, which it gives up. It holds a share of the old block
 * meanwhile, which is what lets it read without the lock.
 */
enum state_status
state__splice_prepare(struct state__change *change);

/*
 * Where the operation's bytes go in the item's value, and how long that is
 * then; STATE_TOO_BIG when they do not fit.
 */
enum state_status
state__splice_plan(const struct state__change *change, size_t *offset,
                   size_t *length);

#endif
