/*
 * The locks of a shard: see lock.h.
 *
 * A key that nobody claims has no lock here. One that is claimed has a struct
 * state__lock in a table of chains, with its claims in two queues: those that
 * hold, and those that wait. A waiting claim has all the memory that it will
 * ever need, so being granted cannot fail.
 *
 * What is due is ended before anything else is looked at, so a lease is over
 * when its time has come, whether or not a thread came round for it.
 */
#include "state/lock.h"

#include "state/operation.h"
#include "state/shard.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define BUCKETS_MIN 16

struct claim {
    struct state__lock_end end; /* first: the heap's ends are claims */
    TAILQ_ENTRY(claim) place;
    struct state__lock *lock;
    struct state_operation *operation; /* that waits; null: it holds */
    uint64_t token;                    /* once it holds */
    uint64_t lease_ms;
    bool is_shared;
};

TAILQ_HEAD(claims, claim);

struct state__lock {
    struct state__lock *next; /* of its chain */
    uint64_t hash;
    struct state__namespace *namespace_;
    struct claims holders; /* one, or only shared ones */
    struct claims waiters;
    uint32_t claim_count;
    uint32_t key_length;
    uint8_t key[];
};

void
state__locks_deinit(struct state__locks *locks)
{
    struct state__lock_end *end;

    for (size_t i = 0; i < locks->heap.count; i++) {
        end = locks->heap.ends[i];
        assert(((struct claim *)end)->operation == NULL);
        free(end);
    }
    for (size_t i = 0; i < locks->bucket_count; i++) {
        while (locks->buckets[i] != NULL) {
            struct state__lock *lock = locks->buckets[i];

            locks->buckets[i] = lock->next;
            free(lock);
        }
    }
    free(locks->buckets);
    state__lock_heap_deinit(&locks->heap);
}

/* ---- The table -------------------------------------------------------- */

/* The link that leads to the key's lock, or to null at its chain's end. */
static struct state__lock **
find_link(const struct state__locks *locks,
          const struct state__target *target)
{
    struct state__lock **link;
    const struct state__lock *lock;

    /* The hash's lower half has chosen the shard. */
    link = &locks->buckets[(target->hash >> 32) & (locks->bucket_count - 1)];
    for (; (lock = *link) != NULL; link = &(*link)->next)
        if (lock->hash == target->hash &&
            lock->namespace_ == target->namespace_ &&
            lock->key_length == target->key.length_bytes &&
            memcmp(lock->key, target->key.bytes, lock->key_length) == 0)
            break;
    return link;
}

static struct state__lock *
find(const struct state__locks *locks, const struct state__target *target)
{
    return locks->bucket_count > 0 ? *find_link(locks, target) : NULL;
}

/* Doubles the buckets. Without memory the chains are longer, that is all. */
static void
grow(struct state__locks *locks)
{
    size_t count = locks->bucket_count * 2;
    struct state__lock **buckets;

    if (count == 0)
        count = BUCKETS_MIN;
    buckets = calloc(count, sizeof(*buckets));
    if (buckets == NULL)
        return;
    for (size_t i = 0; i < locks->bucket_count; i++) {
        struct state__lock *lock = locks->buckets[i], *next;

        for (; lock != NULL; lock = next) {
            struct state__lock **bucket =
                &buckets[(lock->hash >> 32) & (count - 1)];

            next = lock->next;
            lock->next = *bucket;
            *bucket = lock;
        }
    }
    free(locks->buckets);
    locks->buckets = buckets;
    locks->bucket_count = count;
}

/* The key's lock, made if it is not there; null without memory. */
static struct state__lock *
obtain(struct state__locks *locks, const struct state__target *target)
{
    struct state__lock *lock, **link;

    if (locks->count >= locks->bucket_count)
        grow(locks);
    if (locks->bucket_count == 0)
        return NULL;
    link = find_link(locks, target);
    if (*link != NULL)
        return *link;
    lock = malloc(sizeof(*lock) + target->key.length_bytes);
    if (lock == NULL)
        return NULL;
    *lock = (struct state__lock){
        .hash = target->hash,
        .namespace_ = target->namespace_,
        .key_length = (uint32_t)target->key.length_bytes,
    };
    memcpy(lock->key, target->key.bytes, target->key.length_bytes);
    TAILQ_INIT(&lock->holders);
    TAILQ_INIT(&lock->waiters);
    *link = lock;
    locks->count++;
    return lock;
}

/* Frees a lock that nobody claims any more. */
static void
drop_unclaimed(struct state__locks *locks, struct state__lock *lock)
{
    struct state__target target = {
        .namespace_ = lock->namespace_,
        .key = {lock->key, lock->key_length},
        .hash = lock->hash,
    };

    if (lock->claim_count > 0)
        return;
    *find_link(locks, &target) = lock->next;
    locks->count--;
    free(lock);
}

/* ---- Claims ----------------------------------------------------------- */

/* Whether a claim may hold now, as far as the holders are concerned. */
static bool
is_compatible(const struct state__lock *lock, bool is_shared)
{
    const struct claim *holder = TAILQ_FIRST(&lock->holders);

    return holder == NULL || (holder->is_shared && is_shared);
}

/* A claim, counted, in no queue yet; null without memory. */
static struct claim *
create_claim(struct state__locks *locks, struct state__lock *lock,
             const struct state_operation *operation, uint64_t due_ms)
{
    struct claim *claim = calloc(1, sizeof(*claim));

    if (claim == NULL ||
        !state__lock_heap_add(&locks->heap, &claim->end, due_ms)) {
        free(claim);
        return NULL;
    }
    claim->lock = lock;
    claim->is_shared = operation->is_shared;
    claim->lease_ms = operation->lease_ms > 0 ? operation->lease_ms
                                              : STATE_LEASE_MS_DEFAULT;
    lock->claim_count++;
    return claim;
}

/* Ends a claim that is in no queue any more. */
static void
destroy_claim(struct state__locks *locks, struct claim *claim)
{
    struct state__lock *lock = claim->lock;

    state__lock_heap_remove(&locks->heap, &claim->end);
    atomic_fetch_sub_explicit(&lock->namespace_->lock_count, 1,
                              memory_order_relaxed);
    lock->claim_count--;
    free(claim);
}

/* The claim holds from now on. Its place in the heap stays to be set. */
static uint64_t
hold(struct state__locks *locks, struct claim *claim)
{
    claim->operation = NULL;
    claim->token = atomic_fetch_add_explicit(locks->token_last, 1,
                                             memory_order_relaxed) +
                   1;
    TAILQ_INSERT_TAIL(&claim->lock->holders, claim, place);
    return claim->token;
}

static void
end(struct state_operation *operation, enum state_status status,
    struct state__ended *ended)
{
    state__operation_end(operation, status);
    operation->private_.next = NULL;
    if (ended->first == NULL)
        ended->first = operation;
    else
        ended->last->private_.next = operation;
    ended->last = operation;
}

/* Gives the lock to those who come first, as far as they may hold it. */
static void
grant(struct state__locks *locks, struct state__lock *lock, uint64_t now_ms,
      struct state__ended *ended)
{
    struct claim *claim;

    while ((claim = TAILQ_FIRST(&lock->waiters)) != NULL &&
           is_compatible(lock, claim->is_shared)) {
        struct state_operation *operation = claim->operation;

        TAILQ_REMOVE(&lock->waiters, claim, place);
        operation->token = hold(locks, claim);
        state__lock_heap_change(&locks->heap, &claim->end,
                                now_ms + claim->lease_ms);
        end(operation, STATE_OK, ended);
    }
}

/*
 * Takes a claim out of its queue and ends it, with this status if it waited;
 * others may then hold.
 */
static void
give_up(struct state__locks *locks, struct claim *claim,
        enum state_status status, uint64_t now_ms,
        struct state__ended *ended)
{
    struct state__lock *lock = claim->lock;

    if (claim->operation == NULL) {
        TAILQ_REMOVE(&lock->holders, claim, place);
    } else {
        TAILQ_REMOVE(&lock->waiters, claim, place);
        end(claim->operation, status, ended);
    }
    destroy_claim(locks, claim);
    grant(locks, lock, now_ms, ended);
    drop_unclaimed(locks, lock);
}

uint64_t
state__locks_pass(struct state__locks *locks, uint64_t now_ms,
                  struct state__ended *ended)
{
    struct state__lock_end *first;

    while ((first = state__lock_heap_first(&locks->heap)) != NULL &&
           first->due_ms <= now_ms)
        give_up(locks, (struct claim *)first, STATE_LOCKED, now_ms, ended);
    return first != NULL ? first->due_ms : UINT64_MAX;
}

void
state__locks_cancel(struct state__locks *locks,
                    const struct state__target *target,
                    const struct state_operation *operation, uint64_t now_ms,
                    struct state__ended *ended)
{
    struct state__lock *lock = find(locks, target);
    struct claim *claim = NULL;

    if (lock != NULL)
        TAILQ_FOREACH(claim, &lock->waiters, place)
            if (claim->operation == operation)
                break;
    if (claim != NULL)
        give_up(locks, claim, STATE_CLOSED, now_ms, ended);
}

void
state__locks_close(struct state__locks *locks, struct state__ended *ended)
{
    for (size_t i = 0; i < locks->bucket_count; i++) {
        struct state__lock *lock = locks->buckets[i];

        /* Somebody holds it as long as anybody waits: it stays. */
        for (; lock != NULL; lock = lock->next) {
            while (!TAILQ_EMPTY(&lock->waiters)) {
                struct claim *claim = TAILQ_FIRST(&lock->waiters);

                TAILQ_REMOVE(&lock->waiters, claim, place);
                end(claim->operation, STATE_CLOSED, ended);
                destroy_claim(locks, claim);
            }
        }
    }
}

/* The claim that holds the key with that token, or null. */
static struct claim *
find_holder(const struct state__locks *locks,
            const struct state__target *target, uint64_t token)
{
    struct state__lock *lock = find(locks, target);
    struct claim *claim = NULL;

    if (lock != NULL)
        TAILQ_FOREACH(claim, &lock->holders, place)
            if (claim->token == token)
                break;
    return claim;
}

/* ---- What operations do ----------------------------------------------- */

/*
 * Counts a claim in, unless there are too many. The namespace's count is one
 * for all its shards.
 */
static enum state_status
admit(const struct state__lock *lock, struct state__namespace *namespace_,
      struct state_operation *operation)
{
    if (lock != NULL && lock->claim_count >= STATE_LOCK_CLAIMS_MAX)
        return state__operation_fail(operation, STATE_LIMIT,
                                     "a key has at most %d locks and waiters",
                                     STATE_LOCK_CLAIMS_MAX);
    if (atomic_fetch_add_explicit(&namespace_->lock_count, 1,
                                  memory_order_relaxed) < STATE_LOCKS_MAX)
        return STATE_OK;
    atomic_fetch_sub_explicit(&namespace_->lock_count, 1,
                              memory_order_relaxed);
    return state__operation_fail(
        operation, STATE_LIMIT,
        "a namespace has at most %d locks and waiters", STATE_LOCKS_MAX);
}

/* Makes the lock and the claim of an operation that was admitted. */
static struct claim *
claim_key(struct state__locks *locks, const struct state__target *target,
          const struct state_operation *operation, uint64_t due_ms)
{
    struct state__lock *lock = obtain(locks, target);
    struct claim *claim = NULL;

    if (lock != NULL) {
        claim = create_claim(locks, lock, operation, due_ms);
        if (claim == NULL)
            drop_unclaimed(locks, lock);
    }
    if (claim == NULL)
        atomic_fetch_sub_explicit(&target->namespace_->lock_count, 1,
                                  memory_order_relaxed);
    return claim;
}

enum state_status
state__locks_take(struct state__locks *locks,
                  const struct state__target *target,
                  struct state_operation *operation, uint64_t now_ms,
                  uint64_t *due_ms)
{
    const struct state__lock *lock = find(locks, target);
    bool waits = lock != NULL &&
                 (!TAILQ_EMPTY(&lock->waiters) ||
                  !is_compatible(lock, operation->is_shared));
    struct claim *claim;
    enum state_status status;

    if (waits && operation->timeout_ms == 0)
        return state__operation_end(operation, STATE_LOCKED);
    status = admit(lock, target->namespace_, operation);
    if (status)
        return status;
    claim = claim_key(locks, target, operation, now_ms);
    if (claim == NULL)
        return state__operation_end(operation, STATE_NO_MEMORY);
    *due_ms = now_ms + (waits ? operation->timeout_ms : claim->lease_ms);
    state__lock_heap_change(&locks->heap, &claim->end, *due_ms);
    if (!waits) {
        operation->token = hold(locks, claim);
        return state__operation_end(operation, STATE_OK);
    }
    claim->operation = operation;
    TAILQ_INSERT_TAIL(&claim->lock->waiters, claim, place);
    return state__operation_end(operation, STATE_PENDING);
}

enum state_status
state__locks_release(struct state__locks *locks,
                     const struct state__target *target, uint64_t token,
                     uint64_t now_ms, struct state__ended *ended)
{
    struct claim *claim = find_holder(locks, target, token);

    if (claim == NULL)
        return STATE_CONFLICT;
    give_up(locks, claim, STATE_OK, now_ms, ended);
    return STATE_OK;
}

enum state_status
state__locks_extend(struct state__locks *locks,
                    const struct state__target *target, uint64_t token,
                    uint64_t lease_ms, uint64_t now_ms)
{
    struct claim *claim = find_holder(locks, target, token);

    if (claim == NULL)
        return STATE_CONFLICT;
    if (lease_ms == 0)
        lease_ms = STATE_LEASE_MS_DEFAULT;
    state__lock_heap_change(&locks->heap, &claim->end, now_ms + lease_ms);
    return STATE_OK;
}

bool
state__locks_permit(const struct state__locks *locks,
                    const struct state__target *target, uint64_t token,
                    uint64_t now_ms)
{
    const struct claim *claim = find_holder(locks, target, token);

    return claim != NULL && !claim->is_shared && claim->end.due_ms > now_ms;
}
