/*
 * actions.h - what a script does with an instance: call an export, read one.
 *
 * Used by one thread.
 */
#ifndef GLASS_SPEC_TESTS_ACTIONS_H
#define GLASS_SPEC_TESTS_ACTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "spec-tests/report.h"
#include "spec-tests/values.h"
#include "spec-tests/world.h"

/* What became of an action. */
struct spec_outcome {
    bool was_tried;           /* else `message` says why it was not */
    enum gvm_status status;   /* GVM_OK: there are values */
    struct gvm_error err;     /* for any other status */
    struct spec_value *values; /* allocated, or NULL */
    size_t value_count;
    char name[80]; /* "invoke add": for messages */
    char message[SPEC_MESSAGE_BYTES];
};

/*
 * Does what `action` says, with `instance` unless it names another; that may
 * be NULL. Arguments that are not of the function's types are no call.
 * `outcome` needs a deinit afterwards in any case.
 */
void spec_actions_run(struct spec_world *world,
                      struct gvm_instance *instance, const json_t *action,
                      struct spec_outcome *outcome);
void spec_actions_deinit(struct spec_outcome *outcome);

#endif
