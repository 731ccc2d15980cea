/*
 * check_image.c - tests of vm/image.c: what an image holds, what a memory
 * made from one shares with it, and what is kept between resets.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_world.h"
#include "tests/vm/snapshot_guest.h"
#include "vm/image.h"

#include <check.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE   65536u
#define NO_MAX MODULE_BUILDER_NO_MAX

static struct vm_world world;
static struct gvm__image_store *images;
static struct gvm__image image;
static uint64_t system_page;

static void
open_world(int bounds)
{
    struct gvm_store_options options = {.memory_bytes_max = 2001 * PAGE};

    vm_world_open(&world, (enum gvm_bounds)bounds, &options);
    images = gvm__engine_images(world.engine);
    image = (struct gvm__image){0};
    /* As if a call had run here: a reset then trusts this thread's faults. */
    world.store->thread = gvm__image_store_thread(images);
    system_page = gvm__pages_size();
}

/* What the store's memories need goes last. */
static void
close_world(void)
{
    gvm_store_destroy(world.store);
    world.store = NULL;
    gvm__image_destroy(&image);
    vm_world_close(&world);
}

static struct gvm_memory *
create(uint64_t pages)
{
    struct gvm_limits limits = {.min = pages};
    struct gvm_memory *memory;

    ck_assert_int_eq(gvm_memory_create(world.store, &limits, &memory),
                     GVM_OK);
    return memory;
}

static void
freeze(const struct gvm_memory *memory)
{
    ck_assert_int_eq(gvm__image_create(images, memory, &image), GVM_OK);
}

static struct gvm_memory *
thaw(void)
{
    struct gvm_limits limits = {.min = 0};
    struct gvm_memory *memory;

    ck_assert_int_eq(
        gvm__memory_create_from(world.store, &limits, &image, &memory),
        GVM_OK);
    return memory;
}

static void
reset(struct gvm_memory *memory)
{
    ck_assert_int_eq(gvm__image_reset(memory), GVM_OK);
    ck_assert(gvm__image_matches(memory));
}

/* Bytes that are not zero, and the range that the image has for them. */
static const struct content {
    uint64_t pages;
    uint64_t first, last; /* `first` > `last`: nothing */
} contents[] = {
    {0, 1, 0},
    {3, 1, 0},
    {3, 0, 0},
    {3, 70000, 70000},
    {3, 4095, 4096},
    {3, 0, 3 * PAGE - 1},
    {3, 3 * PAGE - 1, 3 * PAGE - 1},
    {1000, 500 * PAGE, 501 * PAGE},
};
#define CONTENT_COUNT ((int)(sizeof(contents) / sizeof(contents[0])))

START_TEST(an_image_reaches_from_the_first_byte_to_the_last)
{
    const struct content *row = &contents[_i];
    bool empty = row->first > row->last;
    int bounds;

    for (bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        struct gvm_memory *memory;

        open_world(bounds);
        memory = create(row->pages);
        if (!empty)
            memory->data[row->first] = memory->data[row->last] = 9;
        freeze(memory);
        ck_assert_uint_eq(image.pages, row->pages);
        ck_assert_uint_eq(image.start_bytes,
                          empty ? 0 : row->first / system_page * system_page);
        ck_assert_uint_eq(
            image.end_bytes,
            empty ? 0 : (row->last / system_page + 1) * system_page);
        ck_assert((image.bytes == NULL) == empty);
        memory = thaw();
        ck_assert_uint_eq(gvm_memory_size_bytes(memory), row->pages * PAGE);
        ck_assert(gvm__image_matches(memory));
        if (!empty)
            ck_assert_uint_eq(memory->data[row->last], 9);
        close_world();
    }
}
END_TEST

START_TEST(pages_that_were_zeroed_again_are_not_content)
{
    struct gvm_memory *memory;

    open_world(_i);
    memory = create(3);
    memory->data[0] = memory->data[2 * PAGE] = 1;
    memory->data[PAGE] = 7;
    memory->data[0] = memory->data[2 * PAGE] = 0;
    freeze(memory);
    ck_assert_uint_eq(image.start_bytes, PAGE);
    ck_assert_uint_eq(image.end_bytes, PAGE + system_page);
    close_world();
}
END_TEST

/* A hole takes nothing, wherever it is. */
START_TEST(zero_pages_between_others_take_no_room)
{
    struct gvm_memory *memory;
    struct stat before, after;

    open_world(_i);
    memory = create(1);
    memory->data[0] = 1;
    freeze(memory);
    ck_assert_int_eq(fstat(images->file, &before), 0);
    gvm__image_destroy(&image);
    memory = create(1000);
    memory->data[0] = memory->data[500 * PAGE] = 1;
    memory->data[1000 * PAGE - 1] = 1;
    freeze(memory);
    ck_assert_int_eq(fstat(images->file, &after), 0);
    ck_assert_int_eq(after.st_blocks, 3 * before.st_blocks);
    ck_assert_uint_eq(image.content.page_count, 3);
    close_world();
}
END_TEST

START_TEST(images_and_memories_do_not_see_each_others_writes)
{
    struct gvm_memory *memory, *first, *second;
    struct gvm__image other;

    open_world(_i);
    memory = create(2);
    memory->data[100] = 1;
    freeze(memory);
    memory->data[100] = 2;
    ck_assert_int_eq(gvm__image_create(images, memory, &other), GVM_OK);
    ck_assert_uint_eq(image.bytes[100], 1);
    ck_assert_uint_eq(other.bytes[100], 2);
    first = thaw();
    second = thaw();
    first->data[100] = 3;
    ck_assert_uint_eq(second->data[100], 1);
    ck_assert_uint_eq(image.bytes[100], 1);
    /* Where one image was another's bytes do not come to be. */
    gvm__image_destroy(&other);
    ck_assert_int_eq(gvm__image_create(images, second, &other), GVM_OK);
    ck_assert_uint_ne(other.file_offset, image.file_offset);
    second->data[100] = 4;
    ck_assert_uint_eq(other.bytes[100], 1);
    gvm__image_destroy(&other);
    close_world();
}
END_TEST

/* From 0 to one more than may be kept. */
static const uint64_t written_pages[] = {
    0, 1, 2, GVM_RESET_KEPT_BYTES_MAX / 4096 - 1,
    GVM_RESET_KEPT_BYTES_MAX / 4096, GVM_RESET_KEPT_BYTES_MAX / 4096 + 1,
    2000};

START_TEST(a_reset_keeps_copies_up_to_the_limit)
{
    uint64_t count = written_pages[_i], i;
    uint64_t kept_max = GVM_RESET_KEPT_BYTES_MAX / 4096;
    int bounds;

    for (bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        struct gvm_memory *memory;

        open_world(bounds);
        /* The table's numbers are of such pages. */
        if (system_page != 4096) {
            close_world();
            return;
        }
        freeze(create(200));
        memory = thaw();
        for (i = 0; i < count; i++)
            memory->data[i * system_page] = 1;
        reset(memory);
        ck_assert_uint_eq(memory->dirt->copies.page_count,
                          count < kept_max ? count : kept_max);
        close_world();
    }
}
END_TEST

START_TEST(copies_that_nobody_uses_are_given_back)
{
    struct gvm_memory *memory;
    uint32_t i;

    open_world(_i);
    freeze(create(20));
    memory = thaw();
    memset(memory->data, 1, 20 * PAGE / 4);
    for (i = 0; i < 2 * GVM__RESETS_PER_SWEEP; i++) {
        /* Whether or not the kernel is asked again meanwhile. */
        if (i % 3 == 0)
            memory->dirt->thread = 0;
        memory->data[3 * system_page] = 1;
        memory->data[7 * system_page] = 1;
        reset(memory);
    }
    ck_assert_uint_eq(memory->dirt->copies.page_count, 2);
    close_world();
}
END_TEST

START_TEST(memory_that_was_grown_comes_back_empty_and_at_its_place)
{
    struct gvm_memory *memory;
    uint8_t *data;
    int times;

    open_world(_i);
    freeze(create(1));
    memory = thaw();
    data = memory->data;
    for (times = 0; times < 70; times++) {
        uint64_t pages = 1 + (uint64_t)times % 30;
        uint64_t at;

        ck_assert_int_eq(gvm_memory_grow(memory, pages), 1);
        ck_assert_ptr_eq(memory->data, data);
        for (at = 0; at < (pages + 1) * PAGE; at += 1024) {
            ck_assert_uint_eq(memory->data[at], 0);
            memory->data[at] = 0xee;
        }
        reset(memory);
        ck_assert_uint_eq(gvm_memory_size_bytes(memory), PAGE);
        ck_assert_uint_eq(memory->limits.min, 1);
    }
    /* As far as the store lets it, and no further. */
    ck_assert_int_eq(gvm_memory_grow(memory, 2000), -1);
    ck_assert_int_eq(gvm_memory_grow(memory, 1999), 1);
    memory->data[2000 * PAGE - 1] = 1;
    reset(memory);
    close_world();
}
END_TEST

/* A page behind the fence is still a copy: written again, it faults no more. */
START_TEST(what_was_fenced_off_stays_known)
{
    struct gvm_memory *memory;
    int times;

    open_world(_i);
    freeze(create(4));
    memory = thaw();
    for (times = 0; times < 40; times++) {
        ck_assert_int_eq(gvm_memory_grow(memory, 1), 4);
        ck_assert_uint_eq(memory->data[4 * PAGE], 0);
        memory->data[4 * PAGE] = 1;
        reset(memory);
        /* A new page, so that the kernel is asked again. */
        memory->data[(uint64_t)times * system_page] = 1;
        reset(memory);
    }
    close_world();
}
END_TEST

static void *
ask_number(void *data)
{
    (void)data;
    return (void *)gvm__image_store_thread(images);
}

START_TEST(threads_have_numbers_that_do_not_come_back)
{
    uintptr_t seen[100];
    int i, j;

    open_world(0);
    seen[0] = gvm__image_store_thread(images);
    ck_assert_uint_ne(seen[0], 0);
    ck_assert_uint_eq(gvm__image_store_thread(images), seen[0]);
    for (i = 1; i < 100; i++) {
        pthread_t thread;
        void *number;

        ck_assert_int_eq(pthread_create(&thread, NULL, ask_number, NULL), 0);
        pthread_join(thread, &number);
        seen[i] = (uintptr_t)number;
        for (j = 0; j < i; j++)
            ck_assert_uint_ne(seen[i], seen[j]);
    }
    close_world();
}
END_TEST

/* The file that tells of copies is the parent's; a child opens its own. */
START_TEST(a_forked_child_finds_its_own_copies)
{
    struct gvm_memory *memory;
    pid_t child;
    int status;

    open_world(_i);
    freeze(create(2));
    memory = thaw();
    memory->data[0] = 1;
    reset(memory);
    child = fork();
    if (child == 0) {
        struct gvm_memory *own = thaw();

        own->data[5000] = 1;
        _exit(gvm__image_reset(own) == GVM_OK && gvm__image_matches(own) ? 0
                                                                        : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    close_world();
}
END_TEST

int
main(void)
{
    int bounds = vm_world_bounds_count();
    Suite *suite = suite_create("vm/image");
    TCase *tests = tcase_create("image");

    tcase_add_loop_test(tests,
                        an_image_reaches_from_the_first_byte_to_the_last, 0,
                        CONTENT_COUNT);
    tcase_add_loop_test(tests, pages_that_were_zeroed_again_are_not_content,
                        0, bounds);
    tcase_add_loop_test(tests, zero_pages_between_others_take_no_room,
                        0, bounds);
    tcase_add_loop_test(tests,
                        images_and_memories_do_not_see_each_others_writes, 0,
                        bounds);
    tcase_add_loop_test(
        tests, a_reset_keeps_copies_up_to_the_limit, 0,
        (int)(sizeof(written_pages) / sizeof(written_pages[0])));
    tcase_add_loop_test(tests, copies_that_nobody_uses_are_given_back, 0,
                        bounds);
    tcase_add_loop_test(
        tests, memory_that_was_grown_comes_back_empty_and_at_its_place, 0,
        bounds);
    tcase_add_loop_test(tests, what_was_fenced_off_stays_known, 0, bounds);
    tcase_add_test(tests, threads_have_numbers_that_do_not_come_back);
    tcase_add_loop_test(tests, a_forked_child_finds_its_own_copies, 0,
                        bounds);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
