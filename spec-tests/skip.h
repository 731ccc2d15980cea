/*
 * skip.h - the list of assertions that are known to fail.
 *
 * One entry per line: `level/script:line reason`, as in
 * `3.0/simd_lane:433 the suite's own encoding`. `line` counts in the script
 * before its conversion; an entry stands for all assertions of that line.
 * Blank lines and lines that begin with # say nothing.
 *
 * An entry has to be true: one that names no assertion, or only such that
 * pass, is a failure, so that the list cannot outlive its reasons.
 */
#ifndef GLASS_SPEC_TESTS_SKIP_H
#define GLASS_SPEC_TESTS_SKIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPEC_SKIP_ERROR_BYTES 200u

struct spec_skip {
    char *level;
    char *script;
    char *reason;
    uint32_t line;
    /* Of the assertions it names; each run counts on its own. */
    uint32_t passed;
    uint32_t failed;
};

struct spec_skip_list {
    struct spec_skip *skips;
    size_t count;
};

/* An empty list: what deinit leaves behind, too. */
void spec_skip_list_init(struct spec_skip_list *list);
void spec_skip_list_deinit(struct spec_skip_list *list);

/*
 * Appends the entry in `text` (one line, without its end), if it has one.
 * False when the line is no entry, or memory is short; `error` says which.
 */
bool spec_skip_list_add(struct spec_skip_list *list, const char *text,
                        char error[SPEC_SKIP_ERROR_BYTES]);

/* Appends the entries of the file at `path`. False as above. */
bool spec_skip_list_read(struct spec_skip_list *list, const char *path,
                         char error[SPEC_SKIP_ERROR_BYTES]);

/* The first entry about that line, or NULL. */
struct spec_skip *spec_skip_list_find(const struct spec_skip_list *list,
                                      const char *level, const char *script,
                                      uint32_t line);

/* What is wrong with an entry after its script was run; NULL: nothing. */
const char *spec_skip_complaint(const struct spec_skip *skip);

#endif
