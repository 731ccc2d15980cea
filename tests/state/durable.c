/* A disk for each test: see durable.h. */
#include "tests/state/durable.h"

#include <check.h>

struct disk disk;

void
make_disk(void)
{
    disk_init(&disk);
}

void
remove_disk(void)
{
    disk_deinit(&disk);
}

enum state_status
try_open(struct state_options options, struct state_store **store,
         struct state_error *err)
{
    options.url = disk.url;
    *store = NULL;
    return state_store_open(&options, store, err);
}

struct state_store *
open_durable(enum state_durability durability, size_t disk_bytes_max)
{
    struct state_options options = {
        .durability = durability,
        .disk_bytes_max = disk_bytes_max,
    };
    struct state_store *store;
    struct state_error err = {""};

    ck_assert_msg(try_open(options, &store, &err) == STATE_OK, "%s",
                  err.message);
    return store;
}
