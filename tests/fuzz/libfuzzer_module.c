/*
 * libfuzzer_module.c - the libFuzzer target for modules; see CMakeLists.txt.
 */
#include <stdlib.h>

#include "tests/fuzz/fuzz_module.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length_bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length_bytes)
{
    struct fuzz_module_counts counts = {0};
    struct gvm_engine *engine;

    if (gvm_engine_create(NULL, &engine) != GVM_OK) {
        abort();
    }
    fuzz_module_try(engine, bytes, length_bytes, GVM_FEATURES_DEFAULT,
                    &counts);
    gvm_engine_destroy(engine);
    return 0;
}
