/* wasi_world.c - for tests: see wasi_world.h. */
#include "tests/runtime/wasi_world.h"

#include "runtime/wasi_preopen.h"
#include "tests/runtime/world.h"
#include "tests/support/whole_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct wasi_world wasi_world;

void
wasi_world_open(void)
{
    struct wasi_world *world = &wasi_world;
    struct gvm_limits limits = {.min = 1, .max = 1, .has_max = true};
    struct runtime_directory directory = {world->directory, "/", false};
    struct runtime_error err;

    *world = (struct wasi_world){0};
    ck_assert_int_eq(gvm_engine_create(NULL, &world->engine), GVM_OK);
    ck_assert_int_eq(gvm_store_create(world->engine, NULL, &world->store),
                     GVM_OK);
    ck_assert_int_eq(
        gvm_memory_create(world->store, &limits, &world->wasi.memory),
        GVM_OK);
    world->memory = gvm_memory_data(world->wasi.memory);
    world_directory_make(world->directory);
    enum runtime_status status =
        runtime__wasi_preopen(&world->wasi, -1, &directory, &err);
    ck_assert_msg(status == RUNTIME_OK, "%s", err.message);
}

void
wasi_world_close(void)
{
    runtime__wasi_deinit(&wasi_world.wasi);
    gvm_store_destroy(wasi_world.store);
    gvm_engine_destroy(wasi_world.engine);
    world_directory_remove(wasi_world.directory);
}

/* ---- Asking ------------------------------------------------------------- */

static enum gvm_status
call(gvm_host_function *function, const uint64_t arguments[9],
     union gvm_value slots[9])
{
    for (size_t i = 0; i < 9; i++)
        slots[i].slot = arguments[i];
    return function(NULL, &wasi_world.wasi, slots);
}

uint32_t
wasi_ask_slots(gvm_host_function *function, const uint64_t arguments[9])
{
    union gvm_value slots[9];

    ck_assert_int_eq(call(function, arguments, slots), GVM_OK);
    ck_assert_uint_eq(slots[0].slot >> 32, 0);
    return slots[0].i32;
}

void
wasi_ask_end_slots(gvm_host_function *function, const uint64_t arguments[9])
{
    union gvm_value slots[9];

    ck_assert_int_eq(call(function, arguments, slots), GVM_EXITED);
}

/* ---- The guest's memory ------------------------------------------------- */

void
wasi_put_u32(uint32_t at, uint32_t value)
{
    memcpy(wasi_world.memory + at, &value, 4);
}

uint32_t
wasi_get_u32(uint32_t at)
{
    uint32_t value;

    memcpy(&value, wasi_world.memory + at, 4);
    return value;
}

uint64_t
wasi_get_u64(uint32_t at)
{
    uint64_t value;

    memcpy(&value, wasi_world.memory + at, 8);
    return value;
}

uint32_t
wasi_put_text(uint32_t at, const char *text)
{
    memcpy(wasi_world.memory + at, text, strlen(text));
    return at;
}

/* ---- Opening ------------------------------------------------------------ */

/* Where paths and the new descriptor are put meanwhile. */
enum { path_at = 60000, fd_at = 59992 };

uint32_t
wasi_try_open(const char *path, uint32_t lookup, uint32_t flags,
              uint64_t rights, uint32_t fdflags)
{
    return wasi_ask(path_open, 3, lookup, wasi_put_text(path_at, path),
                    strlen(path), flags, rights, 0, fdflags, fd_at);
}

uint32_t
wasi_open(const char *path, uint32_t flags, uint64_t rights)
{
    uint32_t error = wasi_try_open(path, 0, flags, rights, 0);

    ck_assert_msg(error == 0, "opening %s: %u", path, error);
    return wasi_get_u32(fd_at);
}

uint32_t
wasi_open_directory(const char *path)
{
    ck_assert_uint_eq(
        wasi_ask(path_open, 3, 0, wasi_put_text(path_at, path), strlen(path),
                 2, WASI_RIGHTS_DIRECTORY,
                 WASI_RIGHTS_DIRECTORY | WASI_RIGHTS_FILE, 0, fd_at),
        0);
    return wasi_get_u32(fd_at);
}

/* ---- The host ----------------------------------------------------------- */

const char *
wasi_host_path(const char *path)
{
    static char whole[512];

    snprintf(whole, sizeof(whole), "%s/%s", wasi_world.directory, path);
    return whole;
}

void
wasi_host_write(const char *path, const char *text)
{
    whole_file_write_text(wasi_host_path(path), text);
}

char *
wasi_host_read(const char *path)
{
    size_t length_bytes;

    return (char *)whole_file_read(wasi_host_path(path), &length_bytes);
}

bool
wasi_host_exists(const char *path)
{
    struct stat info;

    return lstat(wasi_host_path(path), &info) == 0;
}
