/* Tests of state/splice.c: writes that get in each other's way. */
#include "tests/state/one_shard.h"

#include <stdlib.h>
#include <string.h>

/* ---- Appends that get in each other's way ---- */

#define THREADS 4
#define APPENDS 25
#define APPEND_BYTES 8000 /* beyond what is appended in place */

static void *
append_often(void *argument)
{
    struct state_operation operation = {.kind = STATE_APPEND,
                                        .key = {"a", 1}};
    char *bytes = malloc(APPEND_BYTES);

    memset(bytes, *(const char *)argument, APPEND_BYTES);
    operation.value = (struct state_bytes){bytes, APPEND_BYTES};
    for (int i = 0; i < APPENDS; i++)
        ck_assert_int_eq(one_shard_submit(&operation), STATE_OK);
    free(bytes);
    return NULL;
}

START_TEST(appends_prepared_at_the_same_time_lose_nothing)
{
    struct state_operation get = {.kind = STATE_GET, .key = {"a", 1}};
    pthread_t threads[THREADS];
    size_t counts[THREADS] = {0};
    const char *bytes;

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, append_often,
                                        (void *)&"abcd"[i]),
                         0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(one_shard_submit(&get), STATE_OK);
    ck_assert_uint_eq(get.size_bytes, THREADS * APPENDS * APPEND_BYTES);
    bytes = get.result.bytes;
    for (size_t i = 0; i < THREADS * APPENDS; i++) {
        const char *record = bytes + i * APPEND_BYTES;

        ck_assert(memcmp(record, record + 1, APPEND_BYTES - 1) == 0);
        counts[record[0] - 'a']++;
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_uint_eq(counts[i], APPENDS);
    state_operation_deinit(&get);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        appends_prepared_at_the_same_time_lose_nothing,
        NULL,
    };

    return one_shard_run("splice", tests);
}
