/*
 * guarded_world.c - see guarded_world.h.
 */
#include "tests/http/guarded_world.h"

#include "tests/support/http_client.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

char guarded_directory[64];

static pthread_mutex_t acts_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned act_count;
static char last_act[512];

static void
note_act(void *data, const struct http_act *act)
{
    (void)data;
    pthread_mutex_lock(&acts_lock);
    act_count++;
    snprintf(last_act, sizeof(last_act), "%s %s %s %s %s %u", act->method,
             act->route, act->name, act->namespace_,
             act->token ? act->token : "-", act->status);
    pthread_mutex_unlock(&acts_lock);
}

/* An act is told of after its answer: waits for as many as there must be. */
void
guarded_expect_acts(unsigned count, const char *last)
{
    const struct timespec step = {.tv_nsec = 1000000};
    bool reached;

    do {
        nanosleep(&step, NULL);
        pthread_mutex_lock(&acts_lock);
        reached = act_count >= count;
        pthread_mutex_unlock(&acts_lock);
    } while (!reached);
    pthread_mutex_lock(&acts_lock);
    ck_assert_uint_eq(act_count, count);
    if (last)
        ck_assert_str_eq(last_act, last);
    pthread_mutex_unlock(&acts_lock);
}

/* Makes a token and the header with it; the scopes have spaces between. */
void
guarded_make_token(const char *namespace_, const char *scopes,
                   uint64_t expires_ms, char header[BEARER_SIZE])
{
    char copy[1024];
    const char *items[HTTP_TOKEN_SCOPES_MAX];
    struct http_token token = {
        .namespace_ = namespace_, .expires_ms = expires_ms, .scopes = items};
    char text[HTTP_TOKEN_SIZE];
    struct http_error err = {""};

    snprintf(copy, sizeof(copy), "%s", scopes);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        items[token.scope_count++] = word;
    ck_assert_msg(http_token_create(guarded_directory, &token, text, &err) ==
                      HTTP_OK,
                  "%s", err.message);
    snprintf(header, BEARER_SIZE, "Authorization: Bearer %s\r\n", text);
}

void
guarded_open_at(const char *address)
{
    const struct http_world_options options = {
        .http = {.token_directory = guarded_directory,
                 .address = address,
                 .audit = note_act},
    };

    http_world_open(&world, &options);
}

void
guarded_ask_state(enum state_kind kind, struct state_operation *operation)
{
    operation->kind = kind;
    operation->namespace_ = "default";
    operation->key = (struct state_bytes){"counter", 7};
    operation->value = (struct state_bytes){"5", 1};
    ck_assert_int_eq(state_store_submit(world.store, operation), STATE_OK);
}

/* Whatever was asked for, this is as it was. */
void
guarded_expect_nothing_done(void)
{
    struct state_operation get = {0};
    struct state_operation list = {.kind = STATE_LIST, .namespace_ = "default"};
    struct runtime_function *function = NULL;

    guarded_ask_state(STATE_GET, &get);
    ck_assert_uint_eq(get.version, 1);
    ck_assert_uint_eq(get.result.length_bytes, 1);
    ck_assert_int_eq(((const char *)get.result.bytes)[0], '5');
    ck_assert_uint_eq(get.expires_in_ms, 0);
    ck_assert_int_eq(state_store_submit(world.store, &list), STATE_OK);
    ck_assert_uint_eq(list.entry_count, 1);
    ck_assert_int_eq(runtime_function_get(world.runtime, "default", "counter",
                                          &function, NULL),
                     RUNTIME_OK);
    runtime_function_put(function);
    state_operation_deinit(&get);
    state_operation_deinit(&list);
}

void
guarded_make_directory(void)
{
    strcpy(guarded_directory, "auth.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(guarded_directory));
    act_count = 0;
}

void
guarded_remove_directory(void)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/tokens.json", guarded_directory);
    unlink(path);
    snprintf(path, sizeof(path), "%s/tokens.lock", guarded_directory);
    unlink(path);
    rmdir(guarded_directory);
}

/* A server with one token, which nobody uses. */
void
guarded_open(void)
{
    struct state_operation put = {0};
    char header[BEARER_SIZE];

    guarded_make_directory();
    guarded_make_token("default", "admin", 0, header);
    guarded_open_at(NULL);
    http_world_deploy_example(&world, "counter");
    guarded_ask_state(STATE_PUT, &put);
    state_operation_deinit(&put);
}

void
guarded_close(void)
{
    close_world();
    guarded_remove_directory();
}

void
guarded_reload(void)
{
    struct http_error err = {""};

    ck_assert_msg(http_server_reload(world.server, &err) == HTTP_OK, "%s",
                  err.message);
}

/* Asks and reads the head of the answer, whose body may never end. */
int
guarded_ask(const char *method, const char *target, const char *headers,
            char challenge[256])
{
    char request[2048];
    struct http_answer answer;
    int fd = http_client_connect(world.port);

    ck_assert_int_lt(snprintf(request, sizeof(request),
                              "%s %s HTTP/1.1\r\nHost: glass.example\r\n"
                              "%sContent-Length: 1\r\n\r\n7",
                              method, target, headers),
                     (int)sizeof(request));
    http_client_send_text(fd, request);
    http_client_receive(fd, true, &answer);
    int status = answer.status;
    if (challenge)
        http_answer_header(&answer, "WWW-Authenticate", challenge);
    http_answer_deinit(&answer);
    http_client_close(fd);
    return status;
}
