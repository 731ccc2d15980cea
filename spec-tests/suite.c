/*
 * suite.c - the levels of the suite, and where its scripts lie; see suite.h.
 */
#define _GNU_SOURCE 1 /* asprintf */
#include "spec-tests/suite.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vm/vm.h"

/* Level 3.0 runs with what the engine has of it: so far that is 2.0. */
static const struct spec_level levels[] = {
    {"mvp", "mvp", GVM_FEATURES_MVP, true},
    {"2.0", "v2", GVM_FEATURES_2_0, false},
    {"3.0", "v3", GVM_FEATURES_2_0, false},
};

const struct spec_level *
spec_level_find(const char *name)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(levels[i].name, name) == 0)
            return &levels[i];
    }
    return NULL;
}

void
spec_suite_init(struct spec_suite *suite)
{
    suite->scripts = NULL;
    suite->count = 0;
}

void
spec_suite_deinit(struct spec_suite *suite)
{
    for (size_t i = 0; i < suite->count; i++) {
        free(suite->scripts[i].path);
        free(suite->scripts[i].name);
    }
    free(suite->scripts);
    spec_suite_init(suite);
}

/* The bytes of `name` before ".json"; 0 when it does not end so. */
static size_t
stem_bytes(const char *name)
{
    size_t name_bytes = strlen(name);

    if (name_bytes <= 5 || strcmp(name + name_bytes - 5, ".json") != 0)
        return 0;
    return name_bytes - 5;
}

static bool
is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Takes the path, which was allocated, also when it fails. */
static bool
adopt_script(struct spec_suite *suite, char *path)
{
    const char *slash = strrchr(path, '/');
    const char *file = slash != NULL ? slash + 1 : path;
    size_t name_bytes = stem_bytes(file);
    struct spec_script *scripts =
        realloc(suite->scripts, (suite->count + 1) * sizeof *scripts);
    char *name;

    if (scripts != NULL)
        suite->scripts = scripts;
    name = strndup(file, name_bytes != 0 ? name_bytes : strlen(file));
    if (scripts == NULL || name == NULL) {
        free(name);
        free(path);
        errno = ENOMEM;
        return false;
    }
    scripts[suite->count].path = path;
    scripts[suite->count].name = name;
    suite->count++;
    return true;
}

/* One entry of a directory: a script, a directory of one, or neither. */
static bool
add_entry(struct spec_suite *suite, const char *directory, const char *entry)
{
    char *path = NULL;
    int length;

    if (entry[0] == '.')
        return true;
    if (stem_bytes(entry) != 0)
        length = asprintf(&path, "%s/%s", directory, entry);
    else
        length = asprintf(&path, "%s/%s/%s.json", directory, entry, entry);
    if (length < 0) {
        errno = ENOMEM;
        return false;
    }
    if (is_file(path))
        return adopt_script(suite, path);
    free(path);
    return true;
}

static int
compare_names(const void *left, const void *right)
{
    const struct spec_script *a = left;
    const struct spec_script *b = right;

    return strcmp(a->name, b->name);
}

static bool
add_directory(struct spec_suite *suite, const char *path)
{
    size_t first = suite->count;
    DIR *directory = opendir(path);
    const struct dirent *entry;
    bool is_good = true;

    if (directory == NULL)
        return false;
    while (is_good && (entry = readdir(directory)) != NULL)
        is_good = add_entry(suite, path, entry->d_name);
    closedir(directory);
    if (suite->count > first) {
        qsort(suite->scripts + first, suite->count - first,
              sizeof *suite->scripts, compare_names);
    }
    return is_good;
}

bool
spec_suite_add(struct spec_suite *suite, const char *path,
               const struct spec_level *level)
{
    size_t first = suite->count;
    char *inner;

    if (is_file(path)) {
        char *copy = strdup(path);

        return copy != NULL && adopt_script(suite, copy);
    }
    if (!add_directory(suite, path))
        return false;
    if (suite->count > first)
        return true;
    if (asprintf(&inner, "%s/%s", path, level->directory) < 0) {
        errno = ENOMEM;
        return false;
    }
    if (add_directory(suite, inner) && suite->count == first)
        errno = ENOENT;
    free(inner);
    return suite->count > first;
}
