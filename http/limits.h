/*
 * The limits of the HTTP interface, each once. Reaching one is a problem
 * document or a status, never a crash; the tests hold each at the limit and
 * one past it.
 *
 * A constant that ends in _DEFAULT is what a zero field of the options means.
 */
#ifndef GLASS_HTTP_LIMITS_H
#define GLASS_HTTP_LIMITS_H

/* Connections at once, over all threads; one more is answered 503. */
#define HTTP_CONNECTIONS_DEFAULT 1024
#define HTTP_CONNECTIONS_MAX 65536

/* Threads that serve connections; a zero option means one per core. */
#define HTTP_THREADS_MAX 64

/*
 * Memory of one connection: the request line, the headers and the piece of
 * the body that is being read. What does not fit is answered 414 or 431.
 */
#define HTTP_CONNECTION_MEMORY_BYTES (16u << 10)

/* A connection on which nothing moves for this long is closed. */
#define HTTP_IDLE_TIMEOUT_MS_DEFAULT 60000
#define HTTP_IDLE_TIMEOUT_MS_MAX 3600000

/*
 * How long one loop runs guests before others of its connections have their
 * turn: once it was that long, calls begin on the runtime's workers, until the
 * loop has spent as much time on other things.
 */
#define HTTP_GUEST_NS_MAX 500000u

/* How long a request waits for a call that is kept, by `?wait=`. */
#define HTTP_WAIT_MS_MAX 60000

/* How long a drain waits for the answers of the calls that it has ended. */
#define HTTP_CANCEL_TIMEOUT_MS 1000

/*
 * Those who watch keys, over all namespaces. Each has its connection; a
 * namespace has no more than STATE_WATCHERS_MAX of them.
 */
#define HTTP_WATCHERS_DEFAULT 256
#define HTTP_WATCHERS_MAX 65536

/*
 * Who watches hears something this often, also where nothing happens. It is
 * less than the time after which proxies give a silent connection up.
 */
#define HTTP_HEARTBEAT_MS_DEFAULT 15000
#define HTTP_HEARTBEAT_MS_MAX 600000

/* The longest request target, raw; a longer one is answered 414. */
#define HTTP_TARGET_BYTES_MAX 8192

/* Headers in a request; one more is answered 431. */
#define HTTP_HEADERS_MAX 100

/* A module that is deployed. */
#define HTTP_MODULE_BYTES_DEFAULT (64u << 20)

/* A value that is written to the state. */
#define HTTP_VALUE_BYTES_DEFAULT (64u << 20)

/* The longest body of `:incr`: a decimal number and spaces around it. */
#define HTTP_NUMBER_BYTES_MAX 64

/*
 * The body of a batch, and the bytes of all values in its answer. Both are
 * taken apart and put together on the connection's thread, where others wait
 * meanwhile: what is larger has requests of its own.
 */
#define HTTP_BATCH_BYTES_MAX (4u << 20)
#define HTTP_BATCH_ANSWER_BYTES_MAX (4u << 20)

/* What is set of a namespace, as JSON. */
#define HTTP_SETTINGS_BYTES_MAX 4096

/*
 * A refused request's body is read and thrown away up to this many bytes, so
 * that the connection goes on; past it, the connection is closed.
 */
#define HTTP_DISCARD_BYTES_MAX (1u << 20)

/* Items in one page of a list; a zero limit means the default. */
#define HTTP_LIST_ITEMS_MAX 1000
#define HTTP_LIST_ITEMS_DEFAULT 100

/* Arguments of a plain export, in `?args=`. */
#define HTTP_ARGUMENTS_MAX 64

/* The longest `?args=` and `?export=`, decoded. */
#define HTTP_ARGUMENTS_BYTES_MAX 2048
#define HTTP_EXPORT_BYTES_MAX 256

/* Tokens of a server, the scopes of one, and the bytes of its note. */
#define HTTP_TOKENS_MAX 4096
#define HTTP_TOKEN_SCOPES_MAX 16
#define HTTP_TOKEN_NOTE_BYTES_MAX 128

/* The file of tokens. */
#define HTTP_TOKENS_BYTES_MAX (64 << 20)

/* Room for a token, and for its identity, with the final zero. */
#define HTTP_TOKEN_SIZE 88
#define HTTP_TOKEN_ID_SIZE 17

/* Entity tags in one If-Match or If-None-Match. */
#define HTTP_ETAGS_MAX 16

/* Room for a problem's detail, with the final zero. Longer texts are cut. */
#define HTTP_DETAIL_SIZE 512

/* Room for the text of an error of this library, with the final zero. */
#define HTTP_MESSAGE_SIZE 160

/* Room for an address with its port: "[::1]:65535", with the final zero. */
#define HTTP_ADDRESS_SIZE 64

#endif
