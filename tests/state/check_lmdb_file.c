/* Tests of state/lmdb_file.c and what it was split into. */
#include "state/lmdb_file.h"
#include "tests/state/disk.h"
#include "tests/state/suite.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (64u << 20)

/* What a reader was told. */
struct told {
    unsigned namespace_count;
    unsigned value_count;
    uint64_t version_added;
    uint64_t version;
    struct state__lmdb_namespace last;
    uint64_t expires_ms;
    char key[16];
};

static enum state_status
told_namespace(void *data, struct state__lmdb_namespace *namespace_,
               uint32_t *index, struct state_error *err)
{
    struct told *told = data;

    (void)err;
    *index = 10 + told->namespace_count++;
    namespace_->version += told->version_added;
    told->last = *namespace_;
    return STATE_OK;
}

static enum state_status
told_value(void *data, uint32_t index, struct state_bytes key,
           const struct state__lmdb_value *value, struct state_error *err)
{
    struct told *told = data;

    (void)err;
    ck_assert_uint_eq(index, 10);
    told->value_count++;
    told->version = value->version;
    told->expires_ms = value->expires_ms;
    memcpy(told->key, key.bytes, key.length_bytes);
    return STATE_OK;
}

static struct state__lmdb_file *
open_file(const struct disk *disk)
{
    struct state__lmdb_file *file = NULL;
    struct state_error err = {""};

    ck_assert_msg(state__lmdb_file_open(disk->path, BYTES_MAX, &file, &err) ==
                      STATE_OK,
                  "%s", err.message);
    return file;
}

static struct told
read_file(struct state__lmdb_file *file, uint64_t version_added)
{
    struct told told = {.version_added = version_added};
    const struct state__lmdb_reader reader = {told_namespace, told_value,
                                              &told};
    struct state_error err = {""};

    ck_assert_msg(state__lmdb_file_read(file, &reader, &err) == STATE_OK,
                  "%s", err.message);
    return told;
}

/* An entry for a key of one byte, of namespace 10, as a journal has it. */
static struct state__journal_entry *
entry_of(struct state__namespace *namespace_, char key, uint64_t version,
         bool is_removal)
{
    struct state__journal_entry *entry = calloc(1, sizeof *entry + 10);

    entry->namespace_ = namespace_;
    entry->namespace_index = 10;
    entry->version = version;
    entry->expires_ms = version * 1000;
    entry->is_removal = is_removal;
    entry->key_length = 1;
    entry->value_length = 5;
    memcpy(entry->bytes, &key, 1);
    memcpy(entry->bytes + 1, "value", 5);
    return entry;
}

START_TEST(what_was_written_is_read_and_a_removal_is_not)
{
    struct state__namespace namespace_ = {.index = 10, .name = "name"};
    struct state__journal_entry *entries[3];
    struct state__lmdb_file *file;
    struct state__lmdb_value value;
    struct disk disk;
    struct told told;

    disk_init(&disk);
    atomic_store(&namespace_.durability, STATE_DURABILITY_BEHIND);
    entries[0] = entry_of(&namespace_, 'a', 1, false);
    entries[1] = entry_of(&namespace_, 'b', 2, false);
    entries[2] = entry_of(&namespace_, 'a', 3, true);
    entries[0]->next = entries[1];
    entries[1]->next = entries[2];
    file = open_file(&disk);
    told = read_file(file, 0);
    ck_assert_uint_eq(told.namespace_count, 0);
    ck_assert_int_eq(
        state__lmdb_file_write(file, entries[0], entries[2], NULL), STATE_OK);
    ck_assert_int_eq(state__lmdb_file_write(file, entries[2], NULL, NULL),
                     STATE_OK);
    ck_assert_int_eq(state__lmdb_file_write(file, NULL, NULL, NULL),
                     STATE_OK);
    ck_assert(state__lmdb_file_begin_reading(file));
    ck_assert_int_eq(state__lmdb_file_find(file, entries[0], &value),
                     STATE_NOT_FOUND);
    ck_assert_int_eq(state__lmdb_file_find(file, entries[1], &value),
                     STATE_OK);
    ck_assert_uint_eq(value.version, 2);
    ck_assert_uint_eq(value.expires_ms, 2000);
    ck_assert_uint_eq(value.value.length_bytes, 5);
    ck_assert(memcmp(value.value.bytes, "value", 5) == 0);
    state__lmdb_file_end_reading(file);
    state__lmdb_file_close(file);

    file = open_file(&disk);
    told = read_file(file, 0);
    ck_assert_uint_eq(told.namespace_count, 1);
    ck_assert_str_eq(told.last.name, "name");
    ck_assert_uint_eq(told.last.version, 3);
    ck_assert_int_eq(told.last.durability, STATE_DURABILITY_BEHIND);
    ck_assert_uint_eq(told.value_count, 1);
    ck_assert_str_eq(told.key, "b");
    ck_assert_uint_eq(told.version, 2);
    state__lmdb_file_close(file);
    for (int i = 0; i < 3; i++)
        free(entries[i]);
    disk_deinit(&disk);
}
END_TEST

START_TEST(a_version_that_the_reader_raises_is_written)
{
    struct state__namespace namespace_ = {.index = 10, .name = "name"};
    struct state__journal_entry *entry = entry_of(&namespace_, 'a', 1, false);
    struct state__lmdb_file *file;
    struct disk disk;

    disk_init(&disk);
    atomic_store(&namespace_.durability, STATE_DURABILITY_NONE);
    file = open_file(&disk);
    ck_assert_int_eq(state__lmdb_file_write(file, entry, NULL, NULL),
                     STATE_OK);
    state__lmdb_file_close(file);
    for (uint64_t i = 0; i < 3; i++) {
        file = open_file(&disk);
        ck_assert_uint_eq(read_file(file, 1000).last.version,
                          1 + 1000 * (i + 1));
        state__lmdb_file_close(file);
    }
    free(entry);
    disk_deinit(&disk);
}
END_TEST

START_TEST(a_namespace_can_be_written_by_itself)
{
    struct state__namespace namespace_ = {.index = 10, .name = "name"};
    struct state__journal_entry *entry = entry_of(&namespace_, 'a', 1, false);
    struct state__lmdb_file *file;
    struct disk disk;
    struct told told;

    disk_init(&disk);
    file = open_file(&disk);
    entry->is_note = true;
    atomic_store(&namespace_.durability, STATE_DURABILITY_NONE);
    ck_assert_int_eq(state__lmdb_file_write(file, entry, NULL, NULL),
                     STATE_OK);
    state__lmdb_file_close(file);
    file = open_file(&disk);
    told = read_file(file, 0);
    ck_assert_str_eq(told.last.name, "name");
    ck_assert_int_eq(told.last.durability, STATE_DURABILITY_NONE);
    ck_assert_uint_eq(told.value_count, 0);
    free(entry);
    state__lmdb_file_close(file);
    disk_deinit(&disk);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        what_was_written_is_read_and_a_removal_is_not,
        a_version_that_the_reader_raises_is_written,
        a_namespace_can_be_written_by_itself,
        NULL,
    };

    return run_suite("lmdb file", tests);
}
