/*
 * faasm.c - for tests: a function as one writes it for Faasm, with nothing of
 * Glass in it. It keeps a histogram of the bytes of its inputs in the state
 * and a log of their lengths beside it, and answers with the commonest byte.
 *
 * The exports below let check_host_faasm.c look at each import by itself.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))

IMPORT(__faasm_read_input)
long __faasm_read_input(unsigned char *buffer, long length);
IMPORT(__faasm_write_output)
void __faasm_write_output(const char *output, long length);
IMPORT(__faasm_read_state)
long __faasm_read_state(const char *key, unsigned char *buffer, long length);
IMPORT(__faasm_write_state)
void __faasm_write_state(const char *key, const unsigned char *data,
                         long length);
IMPORT(__faasm_read_state_offset)
void __faasm_read_state_offset(const char *key, long total, long offset,
                               unsigned char *buffer, long length);
IMPORT(__faasm_write_state_offset)
void __faasm_write_state_offset(const char *key, long total, long offset,
                                const unsigned char *data, long length);
IMPORT(__faasm_append_state)
void __faasm_append_state(const char *key, const unsigned char *data,
                          long length);
IMPORT(__faasm_read_appended_state)
void __faasm_read_appended_state(const char *key, unsigned char *data,
                                 long length, long count);
IMPORT(__faasm_clear_appended_state)
void __faasm_clear_appended_state(const char *key);
IMPORT(__faasm_lock_state_read)
void __faasm_lock_state_read(const char *key);
IMPORT(__faasm_unlock_state_read)
void __faasm_unlock_state_read(const char *key);
IMPORT(__faasm_lock_state_write)
void __faasm_lock_state_write(const char *key);
IMPORT(__faasm_unlock_state_write)
void __faasm_unlock_state_write(const char *key);
IMPORT(__faasm_flag_state_dirty)
void __faasm_flag_state_dirty(const char *key, long total);
IMPORT(__faasm_flag_state_offset_dirty)
void __faasm_flag_state_offset_dirty(const char *key, long total, long offset,
                                     long length);
IMPORT(__faasm_push_state)
void __faasm_push_state(const char *key);
IMPORT(__faasm_push_state_partial)
void __faasm_push_state_partial(const char *key);
IMPORT(__faasm_push_state_partial_mask)
void __faasm_push_state_partial_mask(const char *key, const char *mask);
IMPORT(__faasm_pull_state)
void __faasm_pull_state(const char *key, long total);

#define EXPORT(name) __attribute__((export_name(#name)))

static uint32_t histogram[256];

int
main(void)
{
    long length = __faasm_read_input(NULL, 0);
    unsigned char *input = malloc((size_t)length + 1);
    int commonest = 0;
    char answer[64];

    __faasm_read_input(input, length);
    if (__faasm_read_state("histogram", NULL, 0) > 0)
        __faasm_read_state("histogram", (unsigned char *)histogram,
                           sizeof(histogram));
    for (long i = 0; i < length; i++) {
        uint32_t *count = &histogram[input[i]];
        (*count)++;
        long offset = (long)input[i] * (long)sizeof(*count);
        __faasm_write_state_offset("histogram", sizeof(histogram), offset,
                                   (const unsigned char *)count,
                                   sizeof(*count));
        __faasm_flag_state_offset_dirty("histogram", sizeof(histogram),
                                        offset, sizeof(*count));
    }
    __faasm_push_state_partial("histogram");
    __faasm_append_state("lengths", (unsigned char *)&length, sizeof(length));
    for (int i = 1; i < 256; i++) {
        if (histogram[i] > histogram[commonest])
            commonest = i;
    }
    int used = snprintf(answer, sizeof(answer), "%c %u", commonest,
                        (unsigned)histogram[commonest]);
    __faasm_write_output("not this", 8);
    __faasm_write_output(answer, used);
    free(input);
    return 0;
}

/* 0, or the line that did not find what it expected. */
#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition))                                                     \
            return __LINE__;                                                  \
    } while (0)

static unsigned char buffer[600];
static char key[600];

EXPORT(values) int
values(void)
{
    CHECK(__faasm_read_state("k", NULL, 0) == 0);
    __faasm_write_state("k", (const unsigned char *)"value", 5);
    CHECK(__faasm_read_state("k", NULL, 0) == 5);
    memset(buffer, '.', 8);
    CHECK(__faasm_read_state("k", buffer, 3) == 5);
    CHECK(memcmp(buffer, "val.", 4) == 0);
    CHECK(__faasm_read_state("k", buffer, 100) == 5);
    CHECK(memcmp(buffer, "value", 5) == 0);
    memset(key, 'k', 480);
    __faasm_write_state(key, buffer, 1);
    CHECK(__faasm_read_state(key, NULL, 0) == 1);
    return 0;
}

EXPORT(parts) int
parts(void)
{
    __faasm_write_state_offset("p", 10, 2, (const unsigned char *)"ab", 2);
    CHECK(__faasm_read_state("p", NULL, 0) == 4);
    memset(buffer, '.', 16);
    __faasm_read_state_offset("p", 10, 1, buffer, 9);
    CHECK(memcmp(buffer, "\0ab\0\0\0\0\0\0.", 10) == 0);
    __faasm_write_state_offset("p", 10, 9, (const unsigned char *)"z", 1);
    __faasm_read_state_offset("p", 10, 8, buffer, 2);
    CHECK(memcmp(buffer, "\0z", 2) == 0);
    return 0;
}

EXPORT(appended) int
appended(void)
{
    __faasm_append_state("a", (const unsigned char *)"one", 3);
    __faasm_append_state("a", (const unsigned char *)"two", 3);
    __faasm_read_appended_state("a", buffer, 6, 2);
    CHECK(memcmp(buffer, "onetwo", 6) == 0);
    __faasm_clear_appended_state("a");
    CHECK(__faasm_read_state("a", NULL, 0) == 0);
    __faasm_clear_appended_state("a");
    return 0;
}

EXPORT(locks) int
locks(void)
{
    __faasm_lock_state_write("k");
    __faasm_write_state("k", (const unsigned char *)"mine", 4);
    __faasm_unlock_state_write("k");
    __faasm_lock_state_read("k");
    __faasm_lock_state_read("l");
    CHECK(__faasm_read_state("k", buffer, 4) == 4);
    __faasm_unlock_state_read("k");
    __faasm_lock_state_write("k"); /* which the end of the call unlocks */
    return 0;
}

EXPORT(nothing_to_do) int
nothing_to_do(void)
{
    __faasm_write_state("k", (const unsigned char *)"value", 5);
    __faasm_flag_state_dirty("k", 5);
    __faasm_flag_state_offset_dirty("k", 5, 1, 2);
    __faasm_push_state("k");
    __faasm_push_state_partial("k");
    __faasm_push_state_partial_mask("k", "mask");
    __faasm_pull_state("k", 5);
    CHECK(__faasm_read_state("k", buffer, 5) == 5);
    return 0;
}

EXPORT(input_in_parts) int
input_in_parts(void)
{
    CHECK(__faasm_read_input(NULL, 0) == 5);
    CHECK(__faasm_read_input(buffer, 3) == 3);
    CHECK(memcmp(buffer, "inp", 3) == 0);
    CHECK(__faasm_read_input(buffer, 100) == 5);
    return 0;
}

/* Each of these traps. */
EXPORT(an_absent_key) void
an_absent_key(void)
{
    __faasm_read_state("absent", buffer, 1);
}

EXPORT(an_absent_part) void
an_absent_part(void)
{
    __faasm_read_state_offset("absent", 10, 0, buffer, 1);
}

EXPORT(an_absent_list) void
an_absent_list(void)
{
    __faasm_read_appended_state("absent", buffer, 1, 1);
}

EXPORT(a_lock_that_nobody_took) void
a_lock_that_nobody_took(void)
{
    __faasm_lock_state_write("k");
    __faasm_unlock_state_write("l");
}

EXPORT(a_lock_twice) void
a_lock_twice(void)
{
    __faasm_lock_state_write("k");
    __faasm_lock_state_read("k");
}

/* A lock that is shared does not write. */
EXPORT(a_write_under_a_read_lock) void
a_write_under_a_read_lock(void)
{
    __faasm_lock_state_read("k");
    __faasm_write_state("k", buffer, 1);
}

EXPORT(an_empty_key) void
an_empty_key(void)
{
    __faasm_write_state("", buffer, 1);
}

EXPORT(a_long_key) void
a_long_key(void)
{
    memset(key, 'k', 481);
    __faasm_write_state(key, buffer, 1);
}

EXPORT(a_part_past_the_total) void
a_part_past_the_total(void)
{
    __faasm_write_state_offset("k", 10, 9, buffer, 2);
}

EXPORT(a_read_past_the_total) void
a_read_past_the_total(void)
{
    __faasm_write_state("k", buffer, 10);
    __faasm_read_state_offset("k", 10, -1, buffer, 2);
}
