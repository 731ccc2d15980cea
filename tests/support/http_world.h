/*
 * http_world.h - a store, a runtime and a server for a test, on a port that
 * the system chose.
 */
#ifndef GLASS_TESTS_SUPPORT_HTTP_WORLD_H
#define GLASS_TESTS_SUPPORT_HTTP_WORLD_H

#include "http/http.h"
#include "runtime/runtime.h"
#include "state/state.h"

struct module_builder;

struct http_world {
    struct state_store *store;
    struct runtime *runtime;
    struct http_server *server;
    unsigned port;
};

/* What a world may be told; zeros are the defaults, but for two threads. */
struct http_world_options {
    struct state_options state;
    struct runtime_options runtime;
    struct http_options http;
};

/* Opens it; the test fails if that fails. `options` may be null. */
void
http_world_open(struct http_world *world,
                const struct http_world_options *options);

void
http_world_close(struct http_world *world);

/* Deploys the example `hello` of faaslets/ under that name. */
void
http_world_deploy_example(struct http_world *world, const char *name);

/* Deploys what is built as `name`, and destroys the builder. */
void
http_world_deploy(struct http_world *world, const char *name,
                  struct module_builder *builder);

/* The bytes of an example, to be freed. */
unsigned char *
http_world_read_example(const char *name, size_t *length);

/*
 * A module of plain exports: add(i32 i32), divide(i32 i32), same(f64),
 * spin(), which never ends, nothing(), and deep(), which calls itself.
 */
struct module_builder *
http_world_build_math(void);

#endif
