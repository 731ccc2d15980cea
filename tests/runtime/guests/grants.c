/*
 * grants.c - for tests: what a function is granted, as it finds out itself.
 * check_grants.c reads the output.
 */
#include "check.h"

#include <string.h>

static char buffer[64];
static char report[64];
static size_t report_length;

/* 'D' denied, '.' anything else. */
static void
note(int64_t result)
{
    report[report_length++] = result == GLASS_DENIED ? 'D' : '.';
}

static void
note_end(void)
{
    report[report_length++] = ' ';
}

/* What reads, what writes, and what does both. */
static void
try_key(const char *key, size_t length)
{
    uint64_t cursor = 0;
    int64_t sum;
    int64_t version;

    note(glass_state_get(key, length, buffer, sizeof(buffer)));
    note(glass_state_get_range(key, length, 0, buffer, sizeof(buffer)));
    note(glass_state_len(key, length));
    note(glass_state_version(key, length));
    note(glass_state_list(key, length, &cursor, buffer, sizeof(buffer)));
    note_end();
    note(glass_state_put(key, length, GLASS_TEXT("1"), 0, 0));
    note(glass_state_append(key, length, GLASS_TEXT("2")));
    note(glass_state_cas(key, length, 0, GLASS_TEXT("1"), &version));
    note(glass_state_put_range(key, length, 0, GLASS_TEXT("1")));
    note(glass_state_expire(key, length, 1000));
    note(glass_state_persist(key, length));
    note(glass_state_delete(key, length, 0));
    note_end();
    note(glass_state_incr(key, length, 0, &sum));
    note_end();
}

/* Answers with the secret of that name, "denied" or "none". */
static void
tell_secret(size_t length)
{
    int32_t got =
        glass_secret_get(buffer, length, buffer, sizeof(buffer));

    if (got == GLASS_DENIED)
        glass_output_write(GLASS_TEXT("denied"));
    else if (got == GLASS_NOT_FOUND)
        glass_output_write(GLASS_TEXT("none"));
    else
        glass_output_write(buffer, (size_t)got);
}

/* With an input it tells the secret that this names. */
GLASS_HANDLE(void)
{
    int32_t length = glass_input_read(0, buffer, sizeof(buffer));

    if (length > 0) {
        tell_secret((size_t)length);
        return 0;
    }
    try_key(GLASS_TEXT("a/1"));
    try_key(GLASS_TEXT("b/1"));
    glass_output_write(report, report_length);
    return 0;
}

/* Lists with the input as prefix. */
TEST(list)
{
    uint64_t cursor = 0;
    int32_t length = glass_input_read(0, buffer, sizeof(buffer));

    note(glass_state_list(buffer, (size_t)length, &cursor, buffer,
                          sizeof(buffer)));
    glass_output_write(report, report_length);
}

/* What initialising, and what each start, was told of the secret "a". */
static int32_t initialised_with, restored_with;

__attribute__((export_name("glass_init"))) void
initialise(void)
{
    initialised_with = glass_secret_get(GLASS_TEXT("a"), buffer, 1);
}

__attribute__((export_name("glass_restored"))) void
restored(void)
{
    restored_with = glass_secret_get(GLASS_TEXT("a"), NULL, 0);
}

TEST(secrets_come_at_the_start_and_not_before)
{
    CHECK(initialised_with == GLASS_DENIED);
    CHECK(restored_with == 7);
}
