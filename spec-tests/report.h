/*
 * report.h - what became of one script, and of all of them.
 *
 * A report is plain data of a fixed size without pointers: each script runs
 * in a process of its own, which writes its report into memory shared with
 * the runner. Whatever happens to that process, everything it reported until
 * then is there.
 *
 * Used by one thread; two processes never write the same report at once.
 */
#ifndef GLASS_SPEC_TESTS_REPORT_H
#define GLASS_SPEC_TESTS_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * What can pass or fail: the commands, and a script as a whole: it cannot be
 * read, it crashes, an entry of skip.txt about it is wrong.
 */
enum spec_kind {
#define COMMAND(NAME, name, is_assertion) SPEC_##NAME,
#include "spec-tests/commands.inc"
#undef COMMAND
    SPEC_SCRIPT,
    SPEC_KINDS,
};

/* The command's type as scripts have it. */
const char *spec_kind_name(enum spec_kind kind);
bool spec_kind_is_assertion(enum spec_kind kind);
/* SPEC_KINDS when there is no such command. */
enum spec_kind spec_kind_find(const char *name);

/* Failures that a report describes; more are only counted. */
#define SPEC_FAILURES_MAX 40u
#define SPEC_MESSAGE_BYTES 400u

struct spec_failure {
    uint32_t line; /* in the script; 0 when there is none */
    enum spec_kind kind;
    char message[SPEC_MESSAGE_BYTES];
};

struct spec_counts {
    uint32_t passed;
    uint32_t failed;
    uint32_t skipped;        /* fails, and skip.txt says why */
    uint32_t not_applicable; /* a module as text */
};

struct spec_report {
    struct spec_counts counts[SPEC_KINDS];
    uint32_t assertion_count; /* that the script has */
    uint32_t line;            /* of the command in progress */
    bool ended;               /* the script was run, and cleaned up */
    uint32_t failure_count;   /* described below */
    struct spec_failure failures[SPEC_FAILURES_MAX];
};

/* Counts a failure and describes it, in ASCII, if there is room. */
void spec_report_fail(struct spec_report *report, enum spec_kind kind,
                      uint32_t line, const char *message);

/*
 * The process that ran the script came to a bad end, `how` says which. The
 * assertions without a result have failed, and at least one thing has.
 */
void spec_report_break(struct spec_report *report, const char *how);

/* The sums over all kinds; passed and skipped are assertions only. */
void spec_report_sum(const struct spec_report *report,
                     struct spec_counts *sum);

/* Adds the counts (not the descriptions) of `report` to `total`. */
void spec_report_add(struct spec_report *total,
                     const struct spec_report *report);

/*
 * Prints a line about the script `name` and one for each of its first
 * `failures_max` failures. Prints nothing when nothing failed.
 */
void spec_report_print(const struct spec_report *report, const char *name,
                       uint32_t failures_max, FILE *file);
/* Prints a table of the counts by kind. */
void spec_report_print_kinds(const struct spec_report *report, FILE *file);

/* The report as a JSON object; NULL when memory is short. */
json_t *spec_report_json(const struct spec_report *report, const char *name);

#endif
