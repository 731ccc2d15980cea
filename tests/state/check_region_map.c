/*
 * How values come to be mapped, and what is left when nobody maps them any
 * more (region_map.c).
 */
#include "tests/state/region_view.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Lengths of values around those where their places and pages change. */
static const size_t lengths[] = {
    1, 8, STATE_VALUE_INLINE_MAX, STATE_VALUE_INLINE_MAX + 1,
    STATE_REGION_PAGE_BYTES - 1, STATE_REGION_PAGE_BYTES,
    STATE_REGION_PAGE_BYTES + 1};

START_TEST(values_of_any_length_can_be_mapped_again_and_again)
{
    begin(_i);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t length = lengths[i];

        put("k", 'a', length);
        for (int times = 0; times < 3; times++) {
            struct view mapped = view("k", 0, true);

            ck_assert_uint_eq(mapped.length, (length + PAGE - 1) / PAGE * PAGE);
            ck_assert_int_eq(mapped.bytes[length - 1], 'a' + times);
            mapped.bytes[length - 1]++;
            end_view(&mapped);
        }
        expect_value("k", length, length - 1, "d");
    }
    finish();
}
END_TEST

START_TEST(a_region_outlives_its_key)
{
    struct state_operation operation = {0};
    struct view mapped, again;

    begin(_i);
    put("k", 'a', 300);
    mapped = view("k", 0, true);
    ck_assert_int_eq(change(STATE_DELETE, "k", "", 0, &operation), STATE_OK);
    ck_assert_int_eq(await_get(store, "ns", "k", &operation),
                     STATE_NOT_FOUND);
    mapped.bytes[0] = 'b';
    put("k", 'c', 300);
    again = view("k", 0, true);
    ck_assert_uint_eq(again.bytes[0], 'c');
    ck_assert_uint_eq(mapped.bytes[0], 'b');
    /* Its end is no write of the other one. */
    uint64_t version = version_of(store, "ns", "k");
    end_view(&mapped);
    ck_assert_uint_eq(version_of(store, "ns", "k"), version);
    end_view(&again);
    finish();
}
END_TEST

START_TEST(the_end_of_a_use_is_a_write_if_it_could_write)
{
    struct view mapped, reading;
    uint64_t version;

    begin(_i);
    version = put("k", 'a', 300);
    reading = view("k", 0, false);
    mapped = view("k", 0, true);
    mapped.bytes[1] = 'b';
    end_view(&mapped);
    ck_assert_uint_gt(version_of(store, "ns", "k"), version);
    version = version_of(store, "ns", "k");
    end_view(&reading);
    ck_assert_uint_eq(version_of(store, "ns", "k"), version);
    finish();
}
END_TEST

START_TEST(what_was_stored_is_on_the_disk_when_it_was_unmapped_or_pushed)
{
    struct state_operation operation = {0};
    struct view mapped;

    begin(_i);
    put("unmapped", 'a', 3 * PAGE);
    put("pushed", 'a', 200);
    mapped = view("unmapped", 0, true);
    mapped.bytes[2 * PAGE] = 'b';
    end_view(&mapped);
    mapped = view("pushed", 0, true);
    mapped.bytes[5] = 'b';
    ck_assert_int_eq(change(STATE_PUT_RANGE, "pushed", "", 0, &operation),
                     STATE_OK);
    mapped.bytes[6] = 'c';
    munmap(mapped.bytes, mapped.length);
    /* Whoever still uses it when the store is closed, as at a crash. */
    state_mapping_end(mapped.mapping, false);
    reopen();
    expect_value("unmapped", 3 * PAGE, 2 * PAGE - 1, "aba");
    expect_value("pushed", 200, 4, "ab");
    finish();
}
END_TEST

START_TEST(parts_begin_at_pages_and_lie_inside)
{
    static const struct part {
        uint64_t offset, length;
        enum state_status status;
    } parts[] = {
        {0, 0, STATE_OK},
        {0, 1, STATE_OK},
        {0, STATE_REGION_PAGE_BYTES + 9, STATE_OK},
        {0, STATE_REGION_PAGE_BYTES + 10, STATE_INVALID},
        {STATE_REGION_PAGE_BYTES, 9, STATE_OK},
        {STATE_REGION_PAGE_BYTES, 10, STATE_INVALID},
        {STATE_REGION_PAGE_BYTES, UINT64_MAX, STATE_INVALID},
        {2 * STATE_REGION_PAGE_BYTES, 0, STATE_INVALID},
        {4096, 0, STATE_INVALID},
        {UINT64_MAX - STATE_REGION_PAGE_BYTES + 1, 0, STATE_INVALID},
    };

    begin(_i);
    ck_assert_int_eq(try_map("k", 0, 0), STATE_NOT_FOUND);
    put("k", 'a', PAGE + 9);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_int_eq(try_map("k", parts[i].offset, parts[i].length),
                         parts[i].status);
    put("empty", 'a', 0);
    ck_assert_int_eq(try_map("empty", 0, 0), STATE_INVALID);
    ck_assert_int_eq(try_map("", 0, 0), STATE_INVALID);
    ck_assert_int_eq(try_map("absent", 0, 0), STATE_NOT_FOUND);
    finish();
}
END_TEST

START_TEST(a_long_value_is_not_copied_against_the_will)
{
    struct state_mapping_options options = options_of("k", 0, 0);
    struct state_mapping *mapping = NULL;

    begin(_i);
    options.may_copy = false;
    put("k", 'a', STATE_REGION_COPY_BYTES + 1);
    ck_assert_int_eq(state_store_map(store, &options, &mapping),
                     STATE_PENDING);
    ck_assert_ptr_null(mapping);
    put("k", 'a', STATE_REGION_COPY_BYTES);
    ck_assert_int_eq(state_store_map(store, &options, &mapping), STATE_OK);
    state_mapping_end(mapping, false);
    put("k", 'a', STATE_REGION_COPY_BYTES + 1);
    options.may_copy = true;
    ck_assert_int_eq(state_store_map(store, &options, &mapping), STATE_OK);
    state_mapping_end(mapping, false);
    /* Once it is there, nothing is copied. */
    options.may_copy = false;
    ck_assert_int_eq(state_store_map(store, &options, &mapping), STATE_OK);
    state_mapping_end(mapping, false);
    finish();
}
END_TEST

static struct view views[STATE_REGIONS_MAX];

START_TEST(there_are_so_many_regions_and_those_in_use_stay)
{
    char key[32];

    begin(_i);
    for (int i = 0; i < STATE_REGIONS_MAX; i++) {
        snprintf(key, sizeof key, "k%d", i);
        put(key, 'a', 200);
        views[i] = view(key, 0, true);
        views[i].bytes[0] = 'b';
    }
    put("more", 'a', 200);
    ck_assert_int_eq(try_map("more", 0, 0), STATE_LIMIT);
    end_view(&views[7]);
    ck_assert_int_eq(try_map("more", 0, 0), STATE_OK);
    for (int i = 0; i < STATE_REGIONS_MAX; i++)
        if (i != 7)
            end_view(&views[i]);
    /* Also those that have lost their files have their values. */
    for (int i = 0; i < STATE_REGIONS_MAX; i++) {
        snprintf(key, sizeof key, "k%d", i);
        views[i] = view(key, 0, false);
        ck_assert_int_eq(memcmp(views[i].bytes, "ba", 2), 0);
    }
    for (int i = 0; i < STATE_REGIONS_MAX; i++)
        end_view(&views[i]);
    finish();
}
END_TEST

START_TEST(a_region_has_so_many_uses)
{
    struct state__region *region;
    struct view mapped;

    begin(_i);
    put("k", 'a', 200);
    mapped = view("k", 0, false);
    region = state__region_of(mapped.mapping->block);
    atomic_fetch_add(&region->mapping_count, STATE_MAPPINGS_MAX - 2);
    ck_assert_int_eq(try_map("k", 0, 0), STATE_OK);
    atomic_fetch_add(&region->mapping_count, 1);
    ck_assert_int_eq(try_map("k", 0, 0), STATE_LIMIT);
    atomic_fetch_sub(&region->mapping_count, STATE_MAPPINGS_MAX - 1);
    end_view(&mapped);
    finish();
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        values_of_any_length_can_be_mapped_again_and_again,
        a_region_outlives_its_key,
        the_end_of_a_use_is_a_write_if_it_could_write,
        parts_begin_at_pages_and_lie_inside,
        a_long_value_is_not_copied_against_the_will,
        there_are_so_many_regions_and_those_in_use_stay,
        a_region_has_so_many_uses,
        NULL,
    };

    const TTest *const on_disk[] = {
        what_was_stored_is_on_the_disk_when_it_was_unmapped_or_pushed,
        NULL,
    };

    return run_loops("state/region_map", tests, 0, 2) +
           run_loops("state/region_map", on_disk, 1, 2);
}
