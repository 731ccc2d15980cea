/*
 * fuzz_module.h - tries bytes as a module: load, instantiate, run.
 *
 * What is tried may be anything. It has to be refused, or to run to an end
 * under fuel; whatever else happens aborts. Used by the check test that
 * mutates examples and by the libFuzzer target. One thread.
 */
#ifndef GLASS_TESTS_FUZZ_FUZZ_MODULE_H
#define GLASS_TESTS_FUZZ_FUZZ_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vm/vm.h"

/* What the exports of one module may spend together. */
#define FUZZ_MODULE_FUEL 1000000u

struct fuzz_module_counts {
    uint64_t tried;
    uint64_t loaded;
    uint64_t instantiated;
    uint64_t calls;
    uint64_t calls_returned; /* GVM_OK; the others trapped or ran dry */
};

/*
 * Tries the bytes with every export that takes no parameters. Imports are
 * stubs of the types asked for: functions that return zeros, fresh tables,
 * memories and globals. `engine` decides how memory is bounded.
 */
void fuzz_module_try(struct gvm_engine *engine, const uint8_t *bytes,
                     size_t length_bytes, uint32_t features,
                     struct fuzz_module_counts *counts);

#endif
