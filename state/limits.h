/*
 * The limits of the state library, each once. Reaching one is a status, never
 * a crash; the tests hold each at the limit and one past it.
 *
 * A constant that ends in _DEFAULT is what a zero field of the options means.
 */
#ifndef GLASS_STATE_LIMITS_H
#define GLASS_STATE_LIMITS_H

/* A namespace's name has the length of a DNS label: it may become one. */
#define STATE_NAMESPACE_BYTES_MAX 63

/*
 * Keys fit LMDB's default limit of 511 bytes with room for a namespace's
 * number and a type in front.
 */
#define STATE_KEY_BYTES_MAX 480

/* The largest value, unless the options choose another bound. */
#define STATE_VALUE_BYTES_DEFAULT (64u << 20)

/* The options may raise the bound this far: half of Redis's own limit. */
#define STATE_VALUE_BYTES_CEILING (256u << 20)

/* Keys in one page of a listing; a zero limit means the default. */
#define STATE_LIST_ITEMS_MAX 1000
#define STATE_LIST_ITEMS_DEFAULT 100

/* Operations of a batch, and the bytes of all their values. */
#define STATE_BATCH_OPERATIONS_MAX 1000
#define STATE_BATCH_BYTES_MAX (64u << 20)

/* Operations per second that a quota can name; beyond it there is no rate. */
#define STATE_RATE_MAX 1000000000

/* Names are never forgotten while a store is open, so they are bounded. */
#define STATE_NAMESPACES_MAX 65536

/*
 * Shards of a store, a power of two. More of them lessen contention between
 * cores and make every listing visit more trees.
 */
#define STATE_SHARDS_DEFAULT 32
#define STATE_SHARDS_MAX 256

/* The longest expiry: one hundred years of 365 days. */
#define STATE_TTL_MS_MAX UINT64_C(3153600000000)

/*
 * Locks: those of a namespace that are held or waited for, those of one key,
 * how long one is held if nobody unlocks it, and how long one may be waited
 * for. A crashed owner keeps its lock for the rest of its lease.
 */
#define STATE_LOCKS_MAX 65536
#define STATE_LOCK_CLAIMS_MAX 1024
#define STATE_LEASE_MS_DEFAULT 30000
#define STATE_LEASE_MS_MAX 3600000
#define STATE_LOCK_TIMEOUT_MS_MAX 600000

/*
 * Watching: the changes of a namespace that are kept for who comes back for
 * them, and the bytes of their keys (powers of two); the namespaces that are
 * watched in the life of a store, who may wait for changes of one, and how
 * long.
 */
#define STATE_WATCH_EVENTS_MAX 4096
#define STATE_WATCH_KEY_BYTES_MAX 262144
#define STATE_WATCHED_NAMESPACES_MAX 256
#define STATE_WATCHERS_MAX 1024
#define STATE_WATCH_TIMEOUT_MS_MAX 600000

/*
 * Values that are mapped, or were and may be again: each is an open file. Uses
 * of one of them at once; and how much of a value is copied at once where who
 * maps it has no time for more.
 */
#define STATE_REGIONS_MAX 256
#define STATE_MAPPINGS_MAX 65536
#define STATE_REGION_COPY_BYTES (1u << 20)

/* How long a remote backend may take for one operation. */
#define STATE_TIMEOUT_MS_DEFAULT 2000
#define STATE_TIMEOUT_MS_MAX 600000

/*
 * What may be on its way to a remote backend at once: operations, and bytes
 * of keys and values. One more is refused with STATE_LIMIT. A single value of
 * the largest size must fit.
 */
#define STATE_IN_FLIGHT_DEFAULT 16384
#define STATE_IN_FLIGHT_MAX 1048576
#define STATE_IN_FLIGHT_BYTES_DEFAULT (512u << 20)
#define STATE_IN_FLIGHT_BYTES_MAX (4096ul << 20)

/*
 * Writes that are acknowledged at once are on the disk within so many
 * milliseconds; while they are not, further ones wait.
 */
#define STATE_BEHIND_MS 100

/*
 * How large the files of a store on a disk may grow. What is under way to the
 * disk has the bounds of what is under way to a remote backend.
 */
#define STATE_DISK_BYTES_DEFAULT (64ul << 30)
#define STATE_DISK_BYTES_MIN (1u << 20)
#define STATE_DISK_BYTES_MAX (8ul << 40)

/* The pause between two attempts to connect doubles between these bounds. */
#define STATE_RECONNECT_MS_MIN 20
#define STATE_RECONNECT_MS_MAX 1000

/* The longest URL of a backend, and each part of it, with the final zero. */
#define STATE_URL_SIZE 512

/* Room for an error's text, with the final zero. Longer texts are cut. */
#define STATE_MESSAGE_SIZE 160

/*
 * Values up to this many bytes are kept beside their key and copied into the
 * operation's record; larger ones have a block of their own, which readers
 * share instead of copying it. It bounds the copy made under a lock.
 */
#define STATE_VALUE_INLINE_MAX 128

#endif
