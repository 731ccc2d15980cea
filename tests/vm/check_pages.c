/*
 * check_pages.c - tests of vm/pages.c: which pages the kernel calls copies,
 * however it is asked.
 */
#define _GNU_SOURCE 1 /* memfd_create */

#include "vm/pages.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define PAGES 4000u

static uint64_t page_bytes;
static uint8_t *mapping;
static int file;
static struct gvm__page_list list;

/* A file in the middle of zeroes, all of it private. */
static void
set_up(void)
{
    uint8_t *bytes;

    page_bytes = gvm__pages_size();
    mapping = mmap(NULL, PAGES * page_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(mapping, MAP_FAILED);
    (void)madvise(mapping, PAGES * page_bytes, MADV_NOHUGEPAGE);
    file = memfd_create("pages", 0);
    ck_assert_int_ge(file, 0);
    bytes = malloc(100 * page_bytes);
    memset(bytes, 0x5a, 100 * page_bytes);
    ck_assert_int_eq(write(file, bytes, 100 * page_bytes),
                     (ssize_t)(100 * page_bytes));
    free(bytes);
    ck_assert_ptr_eq(mmap(mapping + 200 * page_bytes, 100 * page_bytes,
                          PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
                          file, 0),
                     mapping + 200 * page_bytes);
}

static void
tear_down(void)
{
    gvm__pages_deinit(&list);
    munmap(mapping, PAGES * page_bytes);
    close(file);
}

static void
touch(uint32_t page)
{
    mapping[page * page_bytes + page % page_bytes] = 1;
}

static void
find(int pagemap)
{
    ck_assert_int_eq(
        gvm__pages_find(pagemap, mapping, PAGES * page_bytes, &list), GVM_OK);
}

static void
expect_run(uint32_t index, uint32_t first, uint32_t count)
{
    ck_assert_uint_lt(index, list.run_count);
    ck_assert_uint_eq(list.runs[index].first, first);
    ck_assert_uint_eq(list.runs[index].count, count);
}

START_TEST(copies_are_what_was_written)
{
    int pagemap = gvm__pages_open();
    volatile uint8_t seen;

    ck_assert_int_ge(pagemap, 0);
    find(pagemap);
    ck_assert_uint_eq(list.run_count, 0);
    ck_assert_uint_eq(list.page_count, 0);
    /* Looked at: still nobody's. */
    seen = mapping[210 * page_bytes];
    seen = mapping[10 * page_bytes];
    (void)seen;
    touch(0);
    touch(1);
    touch(199);
    touch(200); /* the file's first */
    touch(250);
    touch(PAGES - 1);
    find(pagemap);
    ck_assert_uint_eq(list.page_count, 6);
    ck_assert_uint_eq(list.run_count, 4);
    expect_run(0, 0, 2);
    expect_run(1, 199, 2);
    expect_run(2, 250, 1);
    expect_run(3, PAGES - 1, 1);
    /* Given back, it is none any more. */
    ck_assert_int_eq(
        madvise(mapping + 250 * page_bytes, page_bytes, MADV_DONTNEED), 0);
    find(pagemap);
    ck_assert_uint_eq(list.page_count, 5);
    close(pagemap);
}
END_TEST

/* More runs than one question answers. */
START_TEST(any_number_of_runs_is_found)
{
    int pagemap = gvm__pages_open();
    uint32_t i;

    for (i = 0; i < PAGES; i += 2)
        touch(i);
    find(pagemap);
    ck_assert_uint_eq(list.run_count, PAGES / 2);
    ck_assert_uint_eq(list.page_count, PAGES / 2);
    for (i = 0; i < PAGES / 2; i++)
        expect_run(i, 2 * i, 1);
    close(pagemap);
}
END_TEST

/*
 * A plain file does not know the ioctl, as the real one of an old kernel: its
 * entries count then. It is as sparse as the address space.
 */
START_TEST(an_older_kernel_is_asked_page_by_page)
{
    static const struct {
        uint32_t page;
        uint64_t entry;
    } entries[] = {
        {3, 1ull << 63},                  /* present */
        {4, 1ull << 62},                  /* swapped out */
        {6, (1ull << 63) | (1ull << 61)}, /* a file's */
        {7, 1ull << 55},                  /* nothing there */
        {511, 1ull << 63},
        {512, 1ull << 63}, /* behind the first block */
        {PAGES - 1, 1ull << 63},
    };
    int plain = memfd_create("pagemap", 0);
    uint64_t base = (uint64_t)(uintptr_t)mapping / page_bytes;
    size_t i;

    ck_assert_int_ge(plain, 0);
    ck_assert_int_eq(ftruncate(plain, (off_t)((base + PAGES) * 8)), 0);
    for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        ck_assert_int_eq(pwrite(plain, &entries[i].entry, 8,
                                (off_t)((base + entries[i].page) * 8)),
                         8);
    find(plain);
    ck_assert_uint_eq(list.run_count, 3);
    ck_assert_uint_eq(list.page_count, 5);
    expect_run(0, 3, 2);
    expect_run(1, 511, 2);
    expect_run(2, PAGES - 1, 1);
    /* Too short an answer is none. */
    ck_assert_int_eq(ftruncate(plain, (off_t)((base + PAGES) * 8 - 1)), 0);
    find(plain);
    ck_assert_uint_eq(list.page_count, PAGES);
    close(plain);
}
END_TEST

START_TEST(a_kernel_that_does_not_tell_means_all)
{
    touch(5);
    find(-1);
    ck_assert_uint_eq(list.run_count, 1);
    expect_run(0, 0, PAGES);
    ck_assert_uint_eq(list.page_count, PAGES);
}
END_TEST

START_TEST(runs_that_meet_become_one)
{
    ck_assert_int_eq(gvm__pages_append(&list, 5, 0), GVM_OK);
    ck_assert_uint_eq(list.run_count, 0);
    ck_assert_int_eq(gvm__pages_append(&list, 5, 2), GVM_OK);
    ck_assert_int_eq(gvm__pages_append(&list, 7, 1), GVM_OK);
    ck_assert_int_eq(gvm__pages_append(&list, 9, 1), GVM_OK);
    ck_assert_uint_eq(list.run_count, 2);
    expect_run(0, 5, 3);
    expect_run(1, 9, 1);
    ck_assert_uint_eq(list.page_count, 4);
}
END_TEST

/* What a reset relies on. A sanitizer faults for itself now and then. */
START_TEST(the_first_write_to_a_page_is_a_fault_and_the_next_is_none)
{
    uint64_t before = gvm__pages_faults();
    int i;

    touch(30); /* zeroes */
    ck_assert_uint_ge(gvm__pages_faults(), before + 1);
    before = gvm__pages_faults();
    touch(230); /* the file's */
    ck_assert_uint_ge(gvm__pages_faults(), before + 1);
    before = gvm__pages_faults();
    for (i = 0; i < 1000; i++) {
        touch(30);
        touch(230);
    }
    ck_assert_uint_lt(gvm__pages_faults(), before + 1000);
    /* By the kernel, on our behalf. */
    before = gvm__pages_faults();
    ck_assert_int_eq(getrandom(mapping + 240 * page_bytes, 16, 0), 16);
    ck_assert_uint_ge(gvm__pages_faults(), before + 1);
    before = gvm__pages_faults();
    ck_assert_int_eq(pread(file, mapping + 40 * page_bytes, 10, 0), 10);
    ck_assert_uint_ge(gvm__pages_faults(), before + 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("vm/pages");
    TCase *tests = tcase_create("pages");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, copies_are_what_was_written);
    tcase_add_test(tests, any_number_of_runs_is_found);
    tcase_add_test(tests, an_older_kernel_is_asked_page_by_page);
    tcase_add_test(tests, a_kernel_that_does_not_tell_means_all);
    tcase_add_test(tests, runs_that_meet_become_one);
    tcase_add_test(
        tests, the_first_write_to_a_page_is_a_fault_and_the_next_is_none);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
