/*
 * commands.c - runs the commands of one script.
 *
 * A script is a list of commands, each of which finds what the ones before
 * it left. Every type of command in commands.inc has a handler here that
 * says whether it passed and, when it did not, why. The statuses of the
 * engine are the specification's words, so each assertion names the one
 * status that it wants.
 *
 * Used by one thread.
 */
#define _GNU_SOURCE 1 /* asprintf */
#include "spec-tests/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec-tests/actions.h"
#include "spec-tests/values.h"
#include "spec-tests/world.h"

enum verdict {
    PASSED,
    FAILED,
    NOT_APPLICABLE,
};

/* A script in progress. */
struct progress {
    const struct spec_level *level;
    const struct spec_script *script;
    struct spec_world *world;
    struct gvm_instance *current; /* of the last module; NULL: it failed */
    struct gvm_module *definition; /* the last one that has no name */
    char message[SPEC_MESSAGE_BYTES];
};

/* Assertions that are right about a rejection, but not about its kind. */
static const struct either_rejection {
    const char *level;
    const char *script;
    uint32_t line;
} either_rejections[] = {
    /* A lane index of two bytes: the opcode after it is no opcode. */
    {"3.0", "simd_lane", 433},
};

/* Says why, and returns FAILED. */
static enum verdict
failed(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum verdict
failed(struct progress *progress, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(progress->message, sizeof progress->message, format, arguments);
    va_end(arguments);
    return FAILED;
}

static enum verdict
failed_with(struct progress *progress, const char *expected,
            enum gvm_status status, const struct gvm_error *err)
{
    if (status == GVM_OK)
        return failed(progress, "expected %s, but it was accepted", expected);
    return failed(progress, "expected %s, got %s: %s", expected,
                  gvm_status_text(status), err->message);
}

/* ---- The members of a command ---------------------------------------- */

static const char *
member_text(const json_t *command, const char *key)
{
    return json_string_value(json_object_get(command, key));
}

/* False when there is no such member. */
static bool
member_name(const json_t *command, const char *key, struct spec_name *name)
{
    const json_t *member = json_object_get(command, key);

    if (!json_is_string(member))
        return false;
    name->bytes = json_string_value(member);
    name->length_bytes = json_string_length(member);
    return true;
}

/* The suite's text and ours begin alike: one may say more than the other. */
static bool
texts_agree(const char *expected, const char *actual)
{
    size_t expected_bytes = expected != NULL ? strlen(expected) : 0;
    size_t actual_bytes = strlen(actual);

    if (expected_bytes == 0)
        return false;
    return strncmp(expected, actual,
                   expected_bytes < actual_bytes ? expected_bytes
                                                 : actual_bytes) == 0;
}

/* ---- Modules ---------------------------------------------------------- */

/* Only assert_malformed has modules as text; they are no binaries. */
static bool
is_text(const json_t *command)
{
    const char *type = member_text(command, "module_type");

    return type != NULL && strcmp(type, "text") == 0;
}

static enum gvm_status
load(struct progress *progress, const json_t *command,
     struct gvm_module **module, struct gvm_error *err)
{
    const char *file = member_text(command, "filename");
    const char *path = progress->script->path;
    const char *slash = strrchr(path, '/');
    int directory_bytes = slash != NULL ? (int)(slash - path + 1) : 0;
    enum gvm_status status;
    char *full;

    memset(err, 0, sizeof *err);
    if (asprintf(&full, "%.*s%s", directory_bytes, path,
                 file != NULL ? file : "?") < 0)
        return GVM_NO_MEMORY;
    status = spec_world_load(progress->world, full, module, err);
    free(full);
    return status;
}

static enum gvm_status
load_and_instantiate(struct progress *progress, const json_t *command,
                     struct gvm_instance **instance, struct gvm_error *err)
{
    struct gvm_module *module;
    enum gvm_status status = load(progress, command, &module, err);

    if (status != GVM_OK)
        return status;
    return spec_world_instantiate(progress->world, module, instance, err);
}

/*
 * Makes `instance` the current one, by the name that the command's member
 * `key` has, if it has one. NULL is an instance that could not be made: the
 * commands that follow must not reach an older one instead.
 */
static bool
adopt_instance(struct progress *progress, const json_t *command,
               const char *key, struct gvm_instance *instance)
{
    struct spec_name name;

    progress->current = instance;
    return !member_name(command, key, &name) ||
           spec_world_bind(progress->world, SPEC_BINDING_INSTANCE, name,
                           instance);
}

static enum verdict
run_module(struct progress *progress, const json_t *command)
{
    struct gvm_instance *instance = NULL;
    struct gvm_error err;
    enum gvm_status status =
        load_and_instantiate(progress, command, &instance, &err);

    if (!adopt_instance(progress, command, "name", instance))
        return failed(progress, "out of memory");
    if (status != GVM_OK)
        return failed_with(progress, "an instance", status, &err);
    return PASSED;
}

static enum verdict
run_module_definition(struct progress *progress, const json_t *command)
{
    struct gvm_module *module = NULL;
    struct spec_name name;
    struct gvm_error err;
    enum gvm_status status = load(progress, command, &module, &err);

    progress->definition = module;
    if (member_name(command, "name", &name) &&
        !spec_world_bind(progress->world, SPEC_BINDING_MODULE, name, module))
        return failed(progress, "out of memory");
    if (status != GVM_OK)
        return failed_with(progress, "a valid module", status, &err);
    return PASSED;
}

static enum verdict
run_module_instance(struct progress *progress, const json_t *command)
{
    struct gvm_module *module = progress->definition;
    struct gvm_instance *instance = NULL;
    struct spec_name name;
    struct gvm_error err;
    enum gvm_status status = GVM_BAD_ARGUMENT;

    if (member_name(command, "module", &name)) {
        module =
            spec_world_find(progress->world, SPEC_BINDING_MODULE, name);
    }
    if (module != NULL) {
        status = spec_world_instantiate(progress->world, module, &instance,
                                        &err);
    }
    if (!adopt_instance(progress, command, "instance", instance))
        return failed(progress, "out of memory");
    if (module == NULL)
        return failed(progress, "there is no such module definition");
    if (status != GVM_OK)
        return failed_with(progress, "an instance", status, &err);
    return PASSED;
}

/* The instance that a command is about, or NULL after saying why. */
static struct gvm_instance *
find_instance(struct progress *progress, const json_t *command,
              const char *key)
{
    struct gvm_instance *instance = progress->current;
    struct spec_name name;

    if (member_name(command, key, &name)) {
        instance =
            spec_world_find(progress->world, SPEC_BINDING_INSTANCE, name);
    }
    if (instance == NULL)
        failed(progress, "there is no such instance");
    return instance;
}

static enum verdict
run_register(struct progress *progress, const json_t *command)
{
    struct gvm_instance *instance =
        find_instance(progress, command, "name");
    struct spec_name as;

    if (!member_name(command, "as", &as))
        return failed(progress, "a name to register is missing");
    /* NULL too: imports must not find what had the name before. */
    if (!spec_world_bind(progress->world, SPEC_BINDING_REGISTERED, as,
                         instance))
        return failed(progress, "out of memory");
    return instance != NULL ? PASSED : FAILED;
}

/* ---- Actions ---------------------------------------------------------- */

/* Runs the command's action; false after saying why that was impossible. */
static bool
act(struct progress *progress, const json_t *command,
    struct spec_outcome *outcome)
{
    spec_actions_run(progress->world, progress->current,
                     json_object_get(command, "action"), outcome);
    if (!outcome->was_tried)
        failed(progress, "%s", outcome->message);
    return outcome->was_tried;
}

/* An action that was to end with values, and did not. */
static enum verdict
failed_action(struct progress *progress, const struct spec_outcome *outcome)
{
    return failed(progress, "%s: expected results, got %s: %s",
                  outcome->name, gvm_status_text(outcome->status),
                  outcome->err.message);
}

static enum verdict
run_action(struct progress *progress, const json_t *command)
{
    struct spec_outcome outcome;
    enum verdict verdict = FAILED;

    if (act(progress, command, &outcome)) {
        verdict = outcome.status == GVM_OK
                      ? PASSED
                      : failed_action(progress, &outcome);
    }
    spec_actions_deinit(&outcome);
    return verdict;
}

static enum verdict
compare_values(struct progress *progress, const json_t *expected,
               const struct spec_outcome *outcome)
{
    if (json_array_size(expected) != outcome->value_count) {
        return failed(progress, "%s: expected %zu results, got %zu",
                      outcome->name, json_array_size(expected),
                      outcome->value_count);
    }
    for (size_t i = 0; i < outcome->value_count; i++) {
        char wanted[SPEC_VALUE_TEXT_BYTES];
        char got[SPEC_VALUE_TEXT_BYTES];

        if (spec_values_match(json_array_get(expected, i),
                              &outcome->values[i]))
            continue;
        spec_values_format_expected(json_array_get(expected, i), wanted,
                                    sizeof wanted);
        spec_values_format(&outcome->values[i], got, sizeof got);
        return failed(progress, "%s: expected %s, got %s", outcome->name,
                      wanted, got);
    }
    return PASSED;
}

static enum verdict
run_assert_return(struct progress *progress, const json_t *command)
{
    const json_t *expected = json_object_get(command, "expected");
    struct spec_outcome outcome;
    enum verdict verdict = FAILED;

    if (act(progress, command, &outcome)) {
        verdict = outcome.status == GVM_OK
                      ? compare_values(progress, expected, &outcome)
                      : failed_action(progress, &outcome);
    }
    spec_actions_deinit(&outcome);
    return verdict;
}

/* Whether something ended as `wanted` with the text that the command has. */
static enum verdict
compare_end(struct progress *progress, const json_t *command,
            enum gvm_status wanted, enum gvm_status status,
            const struct gvm_error *err)
{
    const char *text = member_text(command, "text");
    const char *actual = wanted == GVM_TRAP ? gvm_trap_text(err->trap)
                                            : gvm_status_text(status);

    if (status != wanted)
        return failed_with(progress, text != NULL ? text : "?", status, err);
    if (!texts_agree(text, actual)) {
        return failed(progress, "expected \"%s\", got \"%s\"",
                      text != NULL ? text : "", actual);
    }
    return PASSED;
}

/* An action that has to end so, or instantiating a module. */
static enum verdict
run_and_compare_end(struct progress *progress, const json_t *command,
                    enum gvm_status wanted)
{
    struct spec_outcome outcome;
    enum verdict verdict = FAILED;

    if (json_object_get(command, "action") == NULL) {
        struct gvm_instance *instance;
        struct gvm_error err;
        enum gvm_status status =
            load_and_instantiate(progress, command, &instance, &err);

        return compare_end(progress, command, wanted, status, &err);
    }
    if (act(progress, command, &outcome)) {
        verdict = compare_end(progress, command, wanted, outcome.status,
                              &outcome.err);
    }
    spec_actions_deinit(&outcome);
    return verdict;
}

static enum verdict
run_assert_trap(struct progress *progress, const json_t *command)
{
    return run_and_compare_end(progress, command, GVM_TRAP);
}

static enum verdict
run_assert_exhaustion(struct progress *progress, const json_t *command)
{
    return run_and_compare_end(progress, command, GVM_EXHAUSTED);
}

static enum verdict
run_assert_uninstantiable(struct progress *progress, const json_t *command)
{
    return run_and_compare_end(progress, command, GVM_TRAP);
}

/* The action is run all the same: what it does may matter later. */
static enum verdict
run_assert_exception(struct progress *progress, const json_t *command)
{
    struct spec_outcome outcome;

    if (act(progress, command, &outcome)) {
        failed(progress, "%s: exceptions are not supported yet",
               outcome.name);
    }
    spec_actions_deinit(&outcome);
    return FAILED;
}

/* ---- Modules that must be refused -------------------------------------- */

static bool
either_rejection_is_right(const struct progress *progress,
                          const json_t *command)
{
    json_int_t line =
        json_integer_value(json_object_get(command, "line"));
    size_t count = sizeof either_rejections / sizeof either_rejections[0];

    for (size_t i = 0; i < count; i++) {
        const struct either_rejection *row = &either_rejections[i];

        if (line == row->line &&
            strcmp(progress->level->name, row->level) == 0 &&
            strcmp(progress->script->name, row->script) == 0)
            return true;
    }
    return false;
}

static enum verdict
run_rejection(struct progress *progress, const json_t *command,
              enum gvm_status wanted)
{
    struct gvm_module *module;
    struct gvm_error err;
    enum gvm_status status;

    if (is_text(command))
        return NOT_APPLICABLE;
    status = load(progress, command, &module, &err);
    if (status == wanted)
        return PASSED;
    if ((status == GVM_MALFORMED || status == GVM_INVALID) &&
        either_rejection_is_right(progress, command))
        return PASSED;
    return failed_with(progress, gvm_status_text(wanted), status, &err);
}

static enum verdict
run_assert_invalid(struct progress *progress, const json_t *command)
{
    return run_rejection(progress, command, GVM_INVALID);
}

static enum verdict
run_assert_malformed(struct progress *progress, const json_t *command)
{
    return run_rejection(progress, command, GVM_MALFORMED);
}

static enum verdict
run_assert_unlinkable(struct progress *progress, const json_t *command)
{
    struct gvm_instance *instance;
    struct gvm_error err;
    enum gvm_status status =
        load_and_instantiate(progress, command, &instance, &err);

    if (status == GVM_UNLINKABLE)
        return PASSED;
    return failed_with(progress, gvm_status_text(GVM_UNLINKABLE), status,
                       &err);
}

/* ---- The script -------------------------------------------------------- */

typedef enum verdict command_handler(struct progress *progress,
                                     const json_t *command);

static command_handler *const handlers[] = {
#define COMMAND(NAME, name, is_assertion) [SPEC_##NAME] = run_##name,
#include "spec-tests/commands.inc"
#undef COMMAND
};

static void
count_verdict(struct spec_report *report, struct spec_skip *skip,
              enum spec_kind kind, enum verdict verdict, const char *message)
{
    struct spec_counts *counts = &report->counts[kind];

    if (!spec_kind_is_assertion(kind))
        skip = NULL;
    if (verdict == NOT_APPLICABLE) {
        counts->not_applicable++;
    } else if (verdict == PASSED) {
        counts->passed++;
        if (skip != NULL)
            skip->passed++;
    } else if (skip != NULL) {
        counts->skipped++;
        skip->failed++;
    } else {
        spec_report_fail(report, kind, report->line, message);
    }
}

static void
run_command(struct spec_setup *setup, struct progress *progress,
            const json_t *command, struct spec_report *report)
{
    json_int_t line =
        json_integer_value(json_object_get(command, "line"));
    const char *type = member_text(command, "type");
    enum spec_kind kind = spec_kind_find(type != NULL ? type : "");
    struct spec_skip *skip;

    report->line = line > 0 && line <= UINT32_MAX ? (uint32_t)line : 0;
    progress->message[0] = '\0';
    if (kind == SPEC_KINDS) {
        failed(progress, "unknown command %s", type != NULL ? type : "");
        spec_report_fail(report, SPEC_SCRIPT, report->line,
                         progress->message);
        return;
    }
    skip = spec_skip_list_find(&setup->skips, setup->level->name,
                               progress->script->name, report->line);
    count_verdict(report, skip, kind, handlers[kind](progress, command),
                  progress->message);
}

static uint32_t
count_assertions(const json_t *commands)
{
    uint32_t count = 0;

    for (size_t i = 0; i < json_array_size(commands); i++) {
        const char *type = member_text(json_array_get(commands, i), "type");
        enum spec_kind kind = spec_kind_find(type != NULL ? type : "");

        count += kind != SPEC_KINDS && spec_kind_is_assertion(kind);
    }
    return count;
}

static void
check_skips(const struct spec_setup *setup, const char *script,
            struct spec_report *report)
{
    for (size_t i = 0; i < setup->skips.count; i++) {
        const struct spec_skip *skip = &setup->skips.skips[i];
        const char *complaint = spec_skip_complaint(skip);

        if (complaint != NULL && strcmp(skip->script, script) == 0 &&
            strcmp(skip->level, setup->level->name) == 0)
            spec_report_fail(report, SPEC_SCRIPT, skip->line, complaint);
    }
}

void
spec_commands_run(struct spec_setup *setup, const struct spec_script *script,
                  struct spec_report *report)
{
    json_error_t error;
    json_t *root = json_load_file(script->path, JSON_ALLOW_NUL, &error);
    const json_t *commands = json_object_get(root, "commands");
    struct progress progress = {.level = setup->level, .script = script};
    enum gvm_status status;

    if (!json_is_array(commands)) {
        failed(&progress, "not a script: %s",
               root == NULL ? error.text : "it has no commands");
        spec_report_fail(report, SPEC_SCRIPT, 0, progress.message);
        goto done;
    }
    report->assertion_count = count_assertions(commands);
    status = spec_world_create(setup->engine, setup->level, setup->is_eager,
                               &progress.world);
    if (status != GVM_OK) {
        failed(&progress, "the engine cannot make a store: %s",
               gvm_status_text(status));
        spec_report_fail(report, SPEC_SCRIPT, 0, progress.message);
        goto done;
    }
    for (size_t i = 0; i < json_array_size(commands); i++) {
        run_command(setup, &progress, json_array_get(commands, i), report);
    }
    check_skips(setup, script->name, report);
done:
    spec_world_destroy(progress.world);
    json_decref(root);
    report->ended = true;
}
