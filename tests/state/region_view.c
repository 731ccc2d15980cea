/* For tests of regions: see region_view.h. */
#include "tests/state/region_view.h"

#include "tests/state/disk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct state_store *store;
static struct disk disk;
static bool on_disk;

void
begin(int backend)
{
    on_disk = backend == 1;
    if (on_disk)
        disk_init(&disk);
    store = open_store(on_disk ? disk.url : "memory");
}

void
finish(void)
{
    state_store_close(store);
    if (on_disk)
        disk_deinit(&disk);
}

void
reopen(void)
{
    state_store_close(store);
    store = open_store(disk.url);
}

struct state_mapping_options
options_of(const char *key, uint64_t offset, uint64_t length)
{
    return (struct state_mapping_options){
        .namespace_ = "ns",
        .key = text(key),
        .offset_bytes = offset,
        .length_bytes = length,
        .may_copy = true,
    };
}

enum state_status
try_map(const char *key, uint64_t offset, uint64_t length)
{
    struct state_mapping_options options = options_of(key, offset, length);
    struct state_mapping *mapping = NULL;
    enum state_status status = state_store_map(store, &options, &mapping);

    ck_assert_int_eq(status == STATE_OK, mapping != NULL);
    state_mapping_end(mapping, true);
    return status;
}

struct view
view(const char *key, uint64_t offset, bool writes)
{
    struct state_mapping_options options = options_of(key, offset, 0);
    struct view made = {.writes = writes};

    ck_assert_int_eq(state_store_map(store, &options, &made.mapping),
                     STATE_OK);
    made.length = state_mapping_length_bytes(made.mapping);
    made.bytes = mmap(NULL, made.length,
                      writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
                      state_mapping_file(made.mapping),
                      (off_t)state_mapping_offset_bytes(made.mapping));
    ck_assert_ptr_ne(made.bytes, MAP_FAILED);
    return made;
}

void
end_view(struct view *view)
{
    munmap(view->bytes, view->length);
    state_mapping_end(view->mapping, view->writes);
    view->mapping = NULL;
}

uint64_t
put(const char *key, uint8_t byte, size_t length)
{
    uint8_t *bytes = malloc(length + 1);
    struct state_operation operation = {.kind = STATE_PUT,
                                        .namespace_ = "ns",
                                        .key = text(key),
                                        .value = {bytes, length}};

    memset(bytes, byte, length);
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    free(bytes);
    return operation.version;
}

enum state_status
change(enum state_kind kind, const char *key, const char *value,
       uint64_t offset, struct state_operation *operation)
{
    *operation = (struct state_operation){.kind = kind,
                                          .namespace_ = "ns",
                                          .key = text(key),
                                          .value = text(value),
                                          .range_offset_bytes = offset};
    return await(store, operation);
}

void
expect_value(const char *key, size_t length, size_t offset, const char *string)
{
    struct state_operation get = {0};

    ck_assert_int_eq(await_get(store, "ns", key, &get), STATE_OK);
    ck_assert_uint_eq(get.result.length_bytes, length);
    ck_assert_int_eq(memcmp((const uint8_t *)get.result.bytes + offset,
                            string, strlen(string)),
                     0);
    state_operation_deinit(&get);
}

int
run_loops(const char *name, const TTest *const *tests, int first, int end)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 60);
    for (; *tests != NULL; tests++)
        tcase_add_loop_test(tcase, *tests, first, end);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
