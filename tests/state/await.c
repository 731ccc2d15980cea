/* Operations that wait for their end: see await.h. */
#include "tests/state/await.h"

#include <check.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    unsigned completion_count;
};

static void
wake(struct state_operation *operation)
{
    struct waiter *waiter = operation->data;

    pthread_mutex_lock(&waiter->lock);
    waiter->completion_count++;
    pthread_cond_signal(&waiter->wake);
    pthread_mutex_unlock(&waiter->lock);
}

enum state_status
await(struct state_store *store, struct state_operation *operation)
{
    struct waiter waiter = {
        PTHREAD_MUTEX_INITIALIZER,
        PTHREAD_COND_INITIALIZER,
        0,
    };
    enum state_status status;

    operation->complete = wake;
    operation->data = &waiter;
    status = state_store_submit(store, operation);
    pthread_mutex_lock(&waiter.lock);
    if (status == STATE_PENDING) {
        while (waiter.completion_count == 0)
            pthread_cond_wait(&waiter.wake, &waiter.lock);
        status = operation->status;
    }
    pthread_mutex_unlock(&waiter.lock);
    /* One assertion and only on failure: each writes to a file. */
    if (status == STATE_PENDING || status != operation->status ||
        operation->message == NULL ||
        (operation->message[0] == '\0') != (status == STATE_OK))
        ck_abort_msg("the record says status %d, submit said %d",
                     operation->status, status);
    return status;
}

struct state_bytes
text(const char *string)
{
    return (struct state_bytes){string, strlen(string)};
}

bool
result_is(const struct state_operation *operation, const char *string)
{
    return operation->result.bytes != NULL &&
           operation->result.length_bytes == strlen(string) &&
           memcmp(operation->result.bytes, string, strlen(string)) == 0;
}

struct state_store *
open_store(const char *url)
{
    /* No machine is so busy that a test times out by accident. */
    struct state_options options = {.url = url, .timeout_ms = 60000};
    struct state_store *store = NULL;
    struct state_error err = {""};

    ck_assert_msg(state_store_open(&options, &store, &err) == STATE_OK, "%s",
                  err.message);
    ck_assert_ptr_nonnull(store);
    return store;
}

enum state_status
await_get(struct state_store *store, const char *namespace_, const char *key,
          struct state_operation *operation)
{
    operation->kind = STATE_GET;
    operation->namespace_ = namespace_;
    operation->key = text(key);
    return await(store, operation);
}

enum state_status
await_put(struct state_store *store, const char *namespace_, const char *key,
          const char *value, struct state_operation *operation)
{
    operation->kind = STATE_PUT;
    operation->namespace_ = namespace_;
    operation->key = text(key);
    operation->value = text(value);
    return await(store, operation);
}

enum state_status
await_increment(struct state_store *store, const char *namespace_,
                const char *key, int64_t delta,
                struct state_operation *operation)
{
    operation->kind = STATE_INCREMENT;
    operation->namespace_ = namespace_;
    operation->key = text(key);
    operation->delta = delta;
    return await(store, operation);
}

uint64_t
version_of(struct state_store *store, const char *namespace_, const char *key)
{
    struct state_operation stat = {
        .kind = STATE_STAT, .namespace_ = namespace_, .key = text(key)};

    return await(store, &stat) == STATE_OK ? stat.version : 0;
}

void
wait_for_health(struct state_store *store, bool up)
{
    struct state_health health;

    do {
        doze();
        state_store_health(store, &health);
    } while (health.up != up);
    ck_assert_int_eq(strcmp(health.message, "ready") == 0, up);
}

void
doze(void)
{
    struct timespec moment = {0, 5000000};

    nanosleep(&moment, NULL);
}
