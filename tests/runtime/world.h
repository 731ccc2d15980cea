/*
 * world.h - for tests: a runtime with a state in memory, guests to deploy in
 * it, and calls in one line. Whatever goes wrong fails the test.
 */
#ifndef GLASS_TESTS_RUNTIME_WORLD_H
#define GLASS_TESTS_RUNTIME_WORLD_H

#include "runtime/runtime.h"
#include "state/state.h"
#include "tests/support/module_builder.h"
#include "tests/support/suite.h"

struct world {
    struct state_store *store;
    struct runtime *runtime;
    struct runtime_error err; /* of whatever was done last */
};

/* `options` may be NULL; a store in memory is put in when it has none. */
void
world_open(struct world *world, const struct runtime_options *options);
void
world_close(struct world *world);

/* A new directory below the test's own; world_directory_remove removes it. */
void
world_directory_make(char path[64]);
void
world_directory_remove(const char *path);

/* The path of tests/runtime/guests/NAME.c or faaslets/examples/NAME.c,
 * compiled. The guests of the tests come first. */
void
world_guest_path(const char *name, char path[512]);
uint8_t *
world_guest(const char *name, size_t *length_bytes);

/* Deploys in the namespace "default"; returns how it ended. */
enum runtime_status
world_deploy(struct world *world, const char *name, const uint8_t *module,
             size_t module_bytes);
/* The same for what a builder has made; it must succeed. The builder goes. */
void
world_deploy_built(struct world *world, const char *name,
                   struct module_builder *builder);
/* The same in any namespace and configuration; NULL is the usual one. */
void
world_deploy_as(struct world *world, const char *namespace_, const char *name,
                const struct runtime_config *config,
                struct module_builder *builder);
/* The same for a guest in C, under its own name. */
void
world_deploy_guest(struct world *world, const char *name);

/* Begins a call of a function in "default". */
struct runtime_call *
world_call(struct world *world, const char *name, const char *input);

/* Starts a call that must end as expected, and shows its result. */
const struct runtime_result *
world_start(struct runtime_call *call, enum runtime_status expected);

/*
 * Calls an export, with arguments separated by spaces, and returns its only
 * result as text in memory of the world's that the next call overwrites.
 */
const char *
world_ask(struct world *world, const char *name, const char *export_name,
          const char *arguments, enum runtime_status expected);

/* One faaslet with `glass_handle` that does what `body` says. */
struct module_builder *
world_handler(const char *locals, const uint8_t *body, size_t body_bytes);

/* Runs a suite with one case; the result is main's. */
#define WORLD_MAIN(name, add_tests)                                           \
    int main(void)                                                            \
    {                                                                         \
        Suite *suite = suite_create("runtime/" name);                         \
        TCase *tests = tcase_create(name);                                    \
        add_tests(tests);                                                     \
        suite_add_tcase(suite, tests);                                        \
        return suite_run(suite);                                              \
    }

#endif
