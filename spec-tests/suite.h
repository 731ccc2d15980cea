/*
 * suite.h - the levels of the suite, and where its scripts lie.
 *
 * Each level is a language of its own: modules load with the features of the
 * level, and the host module of level mvp has fewer exports.
 */
#ifndef GLASS_SPEC_TESTS_SUITE_H
#define GLASS_SPEC_TESTS_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spec_level {
    const char *name;      /* as on the command line and in skip.txt */
    const char *directory; /* as the suite has it */
    uint32_t features;     /* of GVM_FEATURE_MAP */
    bool is_mvp;
};

/* "mvp", "2.0" or "3.0"; else NULL. */
const struct spec_level *spec_level_find(const char *name);

/* A converted script: a JSON file beside its modules. */
struct spec_script {
    char *path;
    char *name; /* the file's, without .json */
};

struct spec_suite {
    struct spec_script *scripts;
    size_t count;
};

void spec_suite_init(struct spec_suite *suite);
void spec_suite_deinit(struct spec_suite *suite);

/*
 * Appends the scripts at `path`, by name: the file itself, or of a directory
 * its NAME.json and NAME/NAME.json. A directory that has neither may be the
 * whole suite: then those of its subdirectory for `level`. Returns false and
 * leaves errno when the path cannot be read, ENOENT when it has no script.
 */
bool spec_suite_add(struct spec_suite *suite, const char *path,
                    const struct spec_level *level);

#endif
