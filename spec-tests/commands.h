/*
 * commands.h - runs the commands of one script.
 */
#ifndef GLASS_SPEC_TESTS_COMMANDS_H
#define GLASS_SPEC_TESTS_COMMANDS_H

#include <stdbool.h>

#include "spec-tests/report.h"
#include "spec-tests/skip.h"
#include "spec-tests/suite.h"
#include "vm/vm.h"

/* What all scripts of a run share. */
struct spec_setup {
    struct gvm_engine *engine;
    const struct spec_level *level;
    bool is_eager;
    struct spec_skip_list skips;
};

/*
 * Runs the whole script and writes what became of it into `report`, which is
 * all zero before. Counts on the skips of this script. Never fails: what goes
 * wrong is a failure in the report.
 */
void spec_commands_run(struct spec_setup *setup,
                       const struct spec_script *script,
                       struct spec_report *report);

#endif
