/*
 * The limits of the runtime, each once. Reaching one is a status, never a
 * crash; the tests hold each at the limit and one past it.
 *
 * A constant that ends in _DEFAULT is what a zero field of the options means,
 * one that ends in _CEILING how far the options may raise it.
 */
#ifndef GLASS_RUNTIME_LIMITS_H
#define GLASS_RUNTIME_LIMITS_H

/* Functions and namespaces have the length of a DNS label. */
#define RUNTIME_NAME_BYTES_MAX 63

/* Functions that one runtime keeps, in all its namespaces. */
#define RUNTIME_FUNCTIONS_MAX 10000

/* A module that is deployed; the engine itself takes larger ones. */
#define RUNTIME_MODULE_BYTES_DEFAULT (64u << 20)
#define RUNTIME_MODULE_BYTES_CEILING (128u << 20)

/* A snapshot as a file; the function of a longer one is initialised again
 * after a restart. */
#define RUNTIME_SNAPSHOT_BYTES_MAX (64u << 20)

/* Calls that exist at once; one more is RUNTIME_BUSY. */
#define RUNTIME_CALLS_DEFAULT 4096
#define RUNTIME_CALLS_CEILING 16384

/* Faaslets that wait for a call: of one function, and of all, as far as the
 * system's mappings allow. */
#define RUNTIME_IDLE_FAASLETS_MAX 64
#define RUNTIME_IDLE_FAASLETS_ALL_MAX 4096

/* What one that waits keeps of the last value that it got from the state. */
#define RUNTIME_IDLE_VALUE_BYTES_MAX 4096

/* Keys that a call may have locked at once. */
#define RUNTIME_CALL_LOCKS_MAX 16

/* Regions that a call may have mapped at once; and how long one may be whose
 * pages are forgotten on any thread, instead of a worker. */
#define RUNTIME_CALL_REGIONS_MAX 16
#define RUNTIME_UNMAP_NOW_BYTES (1u << 20)

/* Calls that calls make: how deep they are, below the one that nobody called
 * from within; how many came of that one, ever and all together; and of one
 * call, the handles at once and the bytes of what those stand for, inputs of
 * who runs and results of who has ended. */
#define RUNTIME_CHAIN_DEPTH_MAX 1024
#define RUNTIME_TREE_CALLS_MAX 16384
#define RUNTIME_CHILDREN_MAX 1024
#define RUNTIME_CHILDREN_BYTES_MAX (64u << 20)

/* Calls that are kept by their identity and have ended, the bytes of their
 * results, how long they are kept, and who waits for one to end. */
#define RUNTIME_KEPT_CALLS_MAX 10000
#define RUNTIME_KEPT_BYTES_MAX (64u << 20)
#define RUNTIME_KEPT_MS_DEFAULT 600000
#define RUNTIME_KEPT_MS_CEILING 86400000
#define RUNTIME_KEPT_WAITS_MAX 16384

/* What goes into a call and what comes out of it. */
#define RUNTIME_INPUT_BYTES_DEFAULT (16u << 20)
#define RUNTIME_OUTPUT_BYTES_DEFAULT (16u << 20)
#define RUNTIME_BODY_BYTES_CEILING (1u << 30)

/* The log of one call; what would pass it is dropped and counted. */
#define RUNTIME_LOG_BYTES_MAX 65536

/* The logs of all calls of a function, in a second; what would pass it is
 * dropped and counted as well. */
#define RUNTIME_LOG_BYTES_PER_S_DEFAULT (1u << 20)
#define RUNTIME_LOG_BYTES_PER_S_CEILING (1u << 30)

/* The time of one call, and how far a function may raise it. */
#define RUNTIME_TIMEOUT_MS_DEFAULT 30000
#define RUNTIME_TIMEOUT_MS_CEILING 3600000

/* One unit is one WebAssembly instruction. */
#define RUNTIME_FUEL_DEFAULT UINT64_C(1000000000000)
#define RUNTIME_FUEL_CEILING UINT64_C(1000000000000000)

/* A call looks at the clock whenever it has spent this much fuel. */
#define RUNTIME_SLICE_FUEL UINT64_C(250000)

/* How long a slice should take of a processor. One that took longer, because
 * its instructions have the kernel find memory, is followed by one of less
 * fuel, down to this. */
#define RUNTIME_SLICE_NS 250000u
#define RUNTIME_SLICE_FUEL_MIN UINT64_C(5000)

/* Threads that run what does not end at once; a zero option is one per core.
 * Their priority is lower by this than that of the thread that creates the
 * runtime. */
#define RUNTIME_WORKERS_MAX 64
#define RUNTIME_WORKER_NICE 10

/* Directories and files that functions have open at once, all together. */
#define RUNTIME_DESCRIPTORS_DEFAULT 4096

/* The threads that may be blocked, for calls that have directories. */
#define RUNTIME_BLOCKING_THREADS 4

/*
 * A function of which a call has outlived its first slice runs on the workers
 * from the beginning, until so many of its calls in a row have not.
 */
#define RUNTIME_SHORT_CALLS_MIN 8

/* All linear memories of one faaslet. */
#define RUNTIME_MEMORY_BYTES_DEFAULT (UINT64_C(256) << 20)
#define RUNTIME_MEMORY_BYTES_CEILING (UINT64_C(4) << 30)

/* Entries of all tables of one faaslet, of 8 bytes each. */
#define RUNTIME_TABLE_ENTRIES_DEFAULT 100000
#define RUNTIME_TABLE_ENTRIES_CEILING 10000000

/* The value stack of a call, which bounds how deep its functions call: a
 * configuration may make it shorter. The shortest is 64 KiB. */
#define RUNTIME_STACK_BYTES_MAX (8u << 20)

/* The variables of a function's configuration, and each part of them. */
#define RUNTIME_VARIABLES_MAX 256
#define RUNTIME_VARIABLE_NAME_BYTES_MAX 256
#define RUNTIME_VARIABLE_VALUE_BYTES_MAX 32768

/*
 * The environment and the arguments that a WASI program can read, each with
 * the final zeros: what does not fit makes the call RUNTIME_LIMIT.
 */
#define RUNTIME_ENVIRONMENT_BYTES_MAX (256u << 10)
#define RUNTIME_ARGUMENTS_BYTES_MAX (1u << 20)
#define RUNTIME_ARGUMENTS_MAX 65536

/* Directories that a program or a function can be given, and what a function
 * calls one of them and where it is. */
#define RUNTIME_DIRECTORIES_MAX 64
#define RUNTIME_DIRECTORY_NAME_BYTES_MAX 4095

/* Texts in each list of a function's grants, and what is one. A prefix is no
 * longer than a key. */
#define RUNTIME_GRANTS_MAX 256
#define RUNTIME_GRANT_PREFIX_BYTES_MAX 480
#define RUNTIME_SECRET_NAME_BYTES_MAX 256

/* A secret, and the file with all of them. */
#define RUNTIME_SECRET_BYTES_MAX 65536
#define RUNTIME_SECRETS_BYTES_MAX (16u << 20)

/* Descriptors that a program has open at once; one more is EMFILE. */
#define RUNTIME_WASI_DESCRIPTORS_MAX 1024

/* Ranges in one read or write; more are EINVAL. */
#define RUNTIME_WASI_RANGES_MAX 1024

/* Subscriptions in one poll_oneoff; more are EINVAL. */
#define RUNTIME_WASI_SUBSCRIPTIONS_MAX 1024

/*
 * What a call of WASI costs in fuel: where it is done here, and where the
 * kernel may have to work, which no instruction pays for. And how many bytes
 * cost one unit, as in the engine's bulk operations; those that the kernel has
 * to make up take longer.
 */
#define RUNTIME_WASI_QUICK_FUEL 50
#define RUNTIME_WASI_SYSTEM_FUEL 1000
#define RUNTIME_WASI_BYTES_PER_FUEL 64
#define RUNTIME_WASI_RANDOM_BYTES_PER_FUEL 4

/* What a function hands over for one batch of operations of the state. */
#define RUNTIME_BATCH_BYTES_MAX (64u << 20)

/* The same for an operation of the state, for making a call, and for what the
 * functions of `glass` copy into a function's memory and out of it. */
#define RUNTIME_HOST_STATE_FUEL 100
#define RUNTIME_HOST_CALL_FUEL 1000
#define RUNTIME_HOST_BYTES_PER_FUEL 64

/* What is read or written at once, between two looks at the clock. */
#define RUNTIME_WASI_PIECE_BYTES (4u << 20)

/* How often a parked call looks at descriptors that it waits for. */
#define RUNTIME_WASI_LOOK_NS 10000000u

/* A path of a program; a longer one is ENAMETOOLONG. */
#define RUNTIME_WASI_PATH_BYTES_MAX 4095

/* One number as text, with the final zero. */
#define RUNTIME_VALUE_TEXT_SIZE 40

/* The name of an export that a call may choose. */
#define RUNTIME_EXPORT_NAME_BYTES_MAX 1000

/* Functions in one page of a listing; a zero limit means the default. */
#define RUNTIME_LIST_ITEMS_MAX 1000
#define RUNTIME_LIST_ITEMS_DEFAULT 100

/* Room for an error's text, with the final zero. Longer texts are cut. */
#define RUNTIME_MESSAGE_SIZE 512

/* What fail() may say; longer texts are cut. It becomes such a text. */
#define RUNTIME_FAILURE_BYTES_MAX (RUNTIME_MESSAGE_SIZE - 1)

/* The configuration of one function as JSON. */
#define RUNTIME_CONFIG_BYTES_MAX (32u << 20)

#endif
