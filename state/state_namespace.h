/*
 * glass/state/state_namespace.h - what holds for a whole namespace: how its
 * values last, what it may have, what it has. Part of glass/state.h, which
 * includes it where all that it needs is known, and whose rules hold here.
 */
#ifndef GLASS_STATE_STATE_NAMESPACE_H
#define GLASS_STATE_STATE_NAMESPACE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Whether `name` can be a namespace's name. Null cannot. */
bool
state_namespace_is_valid(const char *name);

/*
 * What survives when the process or the machine dies, for each namespace of
 * a store on a disk.
 */
enum state_durability {
    STATE_DURABILITY_DEFAULT, /* that of the options; there, SYNC */

    /* Nothing: the namespace is in memory only. */
    STATE_DURABILITY_NONE,

    /*
     * All but what was acknowledged in the last STATE_BEHIND_MS. Writes end
     * at once, except while the disk takes longer than that: then they wait.
     */
    STATE_DURABILITY_BEHIND,

    /*
     * All that was acknowledged. Writes end once they are on the disk, and
     * so does what has seen one that was not yet there.
     */
    STATE_DURABILITY_SYNC,
};

/*
 * Says how durable a namespace of a store on a disk is from now on; it need
 * not be there yet. The store remembers it. Returns once it is on the disk, so
 * not to be called from `complete`. `err` may be null.
 *
 * Between NONE and the others a namespace can only go while it has no keys:
 * otherwise STATE_CONFLICT. Returns STATE_INVALID for a bad name or
 * durability, STATE_UNSUPPORTED where nothing is on a disk, or what a write
 * would; then it is as before.
 */
enum state_status
state_store_set_durability(struct state_store *store, const char *namespace_,
                           enum state_durability durability,
                           struct state_error *err);

/* What happens to a write for which there is no room. */
enum state_policy {
    STATE_POLICY_REJECT, /* it fails with STATE_QUOTA */
    STATE_POLICY_LRU,    /* keys that were not used for long go */
};

/* How much a namespace may have; zero means as much as there is. */
struct state_quota {
    uint64_t keys_max;
    uint64_t bytes_max;       /* of all keys and values together */
    uint64_t value_bytes_max; /* of one value, within the store's bound */

    /* On average, and so many at once after a pause; then STATE_LIMIT. */
    uint64_t operations_per_second;

    enum state_policy policy;
};

/* What a namespace has. */
struct state_stats {
    uint64_t key_count;     /* expired ones included until they are met */
    uint64_t bytes;         /* of keys and values, without our own */
    uint64_t evicted_count; /* keys that went to make room, */
    uint64_t expired_count; /* and whose time had come, since the opening */
    uint64_t version;       /* of its last write */
    struct state_quota quota;
};

/*
 * Sets the quota of a namespace, which need not be there yet. What it already
 * has too much stays, with STATE_POLICY_REJECT; otherwise it goes before this
 * returns. Writes that make nothing larger are never refused. With
 * STATE_POLICY_LRU a namespace may pass its bounds by what is being written
 * at the moment, and one value that is larger than all may be is STATE_QUOTA.
 *
 * The quota is not stored anywhere: whoever opens the store sets it.
 *
 * Returns STATE_INVALID for a name or numbers that make no sense (a rate is
 * at most STATE_RATE_MAX), STATE_LIMIT for one namespace too many,
 * STATE_NO_MEMORY, or STATE_UNSUPPORTED on Redis; `err`, which may be null,
 * then says more, and nothing has changed.
 */
enum state_status
state_store_set_quota(struct state_store *store, const char *namespace_,
                      const struct state_quota *quota,
                      struct state_error *err);

/*
 * Fills the figures of a namespace. STATE_NOT_FOUND when nobody has written
 * to it, STATE_UNSUPPORTED on Redis.
 */
enum state_status
state_store_stats(struct state_store *store, const char *namespace_,
                  struct state_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
