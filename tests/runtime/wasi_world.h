/*
 * wasi_world.h - for tests: what a program of WASI has, without the program.
 * The functions of WASI are called as a guest would, on a memory of one page,
 * with an empty directory of the test's own as descriptor 3.
 *
 * A test's file calls wasi_world_open and _close in its fixture.
 */
#ifndef GLASS_TESTS_RUNTIME_WASI_WORLD_H
#define GLASS_TESTS_RUNTIME_WASI_WORLD_H

#include "runtime/wasi.h"
#include "runtime/wasi_table.h"

enum { WASI_PAGE = 65536 };

/* All the rights there are, for who opens something in descriptor 3. */
#define WASI_RIGHTS_FILE ((uint64_t)RUNTIME__RIGHTS_FILE)
#define WASI_RIGHTS_DIRECTORY ((uint64_t)RUNTIME__RIGHTS_DIRECTORY)

struct wasi_world {
    struct runtime__wasi wasi;
    struct gvm_engine *engine;
    struct gvm_store *store;
    uint8_t *memory;
    char directory[64]; /* of the host, relative */
};

extern struct wasi_world wasi_world;

void
wasi_world_open(void);
void
wasi_world_close(void);

/* Calls a function with up to 9 arguments; returns its errno. */
#define wasi_ask(function, ...)                                               \
    wasi_ask_slots(runtime__wasi_##function,                                  \
                   (uint64_t[9]){__VA_ARGS__})
uint32_t
wasi_ask_slots(gvm_host_function *function, const uint64_t arguments[9]);

/* The same for one that has to end the program. */
#define wasi_ask_end(function, ...)                                           \
    wasi_ask_end_slots(runtime__wasi_##function,                              \
                       (uint64_t[9]){__VA_ARGS__})
void
wasi_ask_end_slots(gvm_host_function *function, const uint64_t arguments[9]);

/* Numbers in the guest's memory. */
void
wasi_put_u32(uint32_t at, uint32_t value);
uint32_t
wasi_get_u32(uint32_t at);
uint64_t
wasi_get_u64(uint32_t at);

/* A text in the guest's memory without its final zero, as an argument pair. */
#define WASI_TEXT(at, text) wasi_put_text(at, text), sizeof(text) - 1
uint32_t
wasi_put_text(uint32_t at, const char *text);

/*
 * path_open in descriptor 3 with all the rights of its type. The first
 * returns the errno, the second the descriptor, which there has to be.
 */
uint32_t
wasi_try_open(const char *path, uint32_t lookup, uint32_t flags,
              uint64_t rights, uint32_t fdflags);
uint32_t
wasi_open(const char *path, uint32_t flags, uint64_t rights);
uint32_t
wasi_open_directory(const char *path);

/* Files of the host, below the world's directory. */
void
wasi_host_write(const char *path, const char *text);
/* To be freed. */
char *
wasi_host_read(const char *path);
bool
wasi_host_exists(const char *path);
/* The path itself, in memory that the next call overwrites. */
const char *
wasi_host_path(const char *path);

#endif
