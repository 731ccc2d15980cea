/*
 * host.h - the host module "spectest", which the suite's modules import.
 *
 * Its functions take their arguments and do nothing: what they would print
 * is no part of any assertion.
 */
#ifndef GLASS_SPEC_TESTS_HOST_H
#define GLASS_SPEC_TESTS_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "vm/vm.h"

/* Room for all exports of all levels. */
#define SPEC_HOST_EXPORTS_MAX 16u

struct spec_host {
    struct {
        const char *name;
        struct gvm_extern external;
    } exports[SPEC_HOST_EXPORTS_MAX];
    size_t export_count;
};

/*
 * Makes the module's exports in `store`, which owns them. With `is_mvp`
 * there are no print_i64 and no global_i64: scripts of that level test that
 * they are unknown. Returns what the engine returned.
 */
enum gvm_status spec_host_init(struct spec_host *host,
                               struct gvm_store *store, bool is_mvp);

/* False when there is no such export. */
bool spec_host_find(const struct spec_host *host, const char *name,
                    size_t name_bytes, struct gvm_extern *external);

#endif
