/*
 * report.c - counts, first failures, and how people and programs see them;
 * see report.h.
 */
#include "spec-tests/report.h"

#include <inttypes.h>
#include <string.h>

static const struct kind {
    const char *name;
    bool is_assertion;
} kinds[SPEC_KINDS] = {
#define COMMAND(NAME, name, is_assertion)                                \
    [SPEC_##NAME] = {#name, is_assertion},
#include "spec-tests/commands.inc"
#undef COMMAND
    [SPEC_SCRIPT] = {"script", false},
};

const char *
spec_kind_name(enum spec_kind kind)
{
    return kinds[kind].name;
}

bool
spec_kind_is_assertion(enum spec_kind kind)
{
    return kinds[kind].is_assertion;
}

enum spec_kind
spec_kind_find(const char *name)
{
    unsigned kind = 0;

    while (kind < SPEC_SCRIPT && strcmp(kinds[kind].name, name) != 0)
        kind++;
    return kind < SPEC_SCRIPT ? (enum spec_kind)kind : SPEC_KINDS;
}

void
spec_report_fail(struct spec_report *report, enum spec_kind kind,
                 uint32_t line, const char *message)
{
    struct spec_failure *failure;

    report->counts[kind].failed++;
    if (report->failure_count == SPEC_FAILURES_MAX)
        return;
    failure = &report->failures[report->failure_count++];
    failure->kind = kind;
    failure->line = line;
    snprintf(failure->message, sizeof failure->message, "%s", message);
    /* Names in scripts may hold anything; terminals and JSON do not. */
    for (char *c = failure->message; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
}

void
spec_report_break(struct spec_report *report, const char *how)
{
    char message[SPEC_MESSAGE_BYTES];
    uint32_t missing = report->assertion_count;

    for (unsigned kind = 0; kind < SPEC_KINDS; kind++) {
        const struct spec_counts *counts = &report->counts[kind];

        if (kinds[kind].is_assertion) {
            missing -= counts->passed + counts->failed + counts->skipped +
                       counts->not_applicable;
        }
    }
    snprintf(message, sizeof message,
             "%s; %" PRIu32 " assertions have no result", how, missing);
    spec_report_fail(report, SPEC_SCRIPT, report->line, message);
    if (missing > 1)
        report->counts[SPEC_SCRIPT].failed += missing - 1;
}

void
spec_report_sum(const struct spec_report *report, struct spec_counts *sum)
{
    memset(sum, 0, sizeof *sum);
    for (unsigned kind = 0; kind < SPEC_KINDS; kind++) {
        const struct spec_counts *counts = &report->counts[kind];

        sum->failed += counts->failed;
        if (!kinds[kind].is_assertion)
            continue;
        sum->passed += counts->passed;
        sum->skipped += counts->skipped;
        sum->not_applicable += counts->not_applicable;
    }
}

void
spec_report_add(struct spec_report *total, const struct spec_report *report)
{
    total->assertion_count += report->assertion_count;
    for (unsigned kind = 0; kind < SPEC_KINDS; kind++) {
        struct spec_counts *counts = &total->counts[kind];

        counts->passed += report->counts[kind].passed;
        counts->failed += report->counts[kind].failed;
        counts->skipped += report->counts[kind].skipped;
        counts->not_applicable += report->counts[kind].not_applicable;
    }
}

void
spec_report_print(const struct spec_report *report, const char *name,
                  uint32_t failures_max, FILE *file)
{
    struct spec_counts sum;
    uint32_t shown = report->failure_count;

    spec_report_sum(report, &sum);
    if (sum.failed == 0)
        return;
    if (shown > failures_max)
        shown = failures_max;
    fprintf(file, "%s: %" PRIu32 " failed, %" PRIu32 " passed\n", name,
            sum.failed, sum.passed);
    for (uint32_t i = 0; i < shown; i++) {
        const struct spec_failure *failure = &report->failures[i];

        fprintf(file, "    line %" PRIu32 ": %s: %s\n", failure->line,
                spec_kind_name(failure->kind), failure->message);
    }
    if (shown < sum.failed)
        fprintf(file, "    and %" PRIu32 " more\n", sum.failed - shown);
}

void
spec_report_print_kinds(const struct spec_report *report, FILE *file)
{
    fprintf(file, "%-22s %8s %8s %8s %15s\n", "", "passed", "failed",
            "skipped", "not applicable");
    for (unsigned kind = 0; kind < SPEC_KINDS; kind++) {
        const struct spec_counts *counts = &report->counts[kind];

        if (counts->passed + counts->failed + counts->skipped +
                counts->not_applicable == 0)
            continue;
        fprintf(file,
                "%-22s %8" PRIu32 " %8" PRIu32 " %8" PRIu32 " %15" PRIu32
                "\n",
                kinds[kind].name, counts->passed, counts->failed,
                counts->skipped, counts->not_applicable);
    }
}

json_t *
spec_report_json(const struct spec_report *report, const char *name)
{
    struct spec_counts sum;
    json_t *failures = json_array();
    json_t *object;

    spec_report_sum(report, &sum);
    for (uint32_t i = 0; i < report->failure_count; i++) {
        const struct spec_failure *failure = &report->failures[i];

        json_array_append_new(
            failures, json_pack("{s:I, s:s, s:s}", "line",
                                (json_int_t)failure->line, "command",
                                spec_kind_name(failure->kind), "message",
                                failure->message));
    }
    object = json_pack("{s:s, s:I, s:I, s:I, s:I}", "name", name, "passed",
                       (json_int_t)sum.passed, "failed",
                       (json_int_t)sum.failed, "skipped",
                       (json_int_t)sum.skipped, "not_applicable",
                       (json_int_t)sum.not_applicable);
    if (object != NULL)
        json_object_set_new(object, "failures", failures);
    else
        json_decref(failures);
    return object;
}
