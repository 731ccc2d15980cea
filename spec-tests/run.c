/*
 * run.c - glass-spectest: runs scripts of the official test suite.
 *
 * Every script runs in a process of its own, so that one that brings the
 * engine down is a failure like others and the rest still runs. The child
 * writes its report into memory that it shares with the parent; the parent
 * prints, adds up and decides the exit code: 0 when nothing failed, 1 when
 * something did, 2 when there was nothing to run or the usage is wrong.
 */
#define _GNU_SOURCE 1 /* MAP_ANONYMOUS, sigabbrev_np */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spec-tests/commands.h"
#include "spec-tests/report.h"
#include "spec-tests/skip.h"
#include "spec-tests/suite.h"
#include "vm/vm.h"

/* Failures that are shown of a script, unless all that are kept are asked
 * for. */
#define FAILURES_SHOWN 5u
/* Processor time of one script: fuel ends its calls, and this the rest. */
#define SCRIPT_SECONDS_MAX 900u

struct options {
    enum gvm_bounds bounds;
    uint32_t techniques_off;
    bool is_json;
    bool is_verbose;
};

static const char usage[] =
    "Usage: glass-spectest [OPTION]... PATH...\n"
    "Runs scripts of the official WebAssembly test suite: converted JSON\n"
    "files, or directories of them (see spec-tests/get-suite).\n"
    "\n"
    "  --level mvp|2.0|3.0       the language they test (mvp)\n"
    "  --bounds explicit|guard   how accesses to memories are kept inside\n"
    "                            (explicit)\n"
    "  --without TECHNIQUE       translate without `registers` or `fusion`;\n"
    "                            as often as wanted\n"
    "  --eager                   translate all functions, not only those\n"
    "                            that are called\n"
    "  --skip FILE               assertions that are known to fail, one\n"
    "                            `level/script:line reason` per line\n"
    "  --json                    print one JSON object instead of lines\n"
    "  -v, --verbose             all failures, and the results by kind\n"
    "  -h, --help\n"
    "\n"
    "The last line is `N passed, N failed, N skipped`. Exits with 0 when\n"
    "nothing failed, 1 when something did, 2 when nothing could be run.\n"
    "\n"
    "Example: glass-spectest --level 2.0 \"$(spec-tests/get-suite --level 2.0)"
    "\"\n";

static void
complain(const char *about, const char *what)
{
    fprintf(stderr, "glass-spectest: %s: %s\n", about, what);
}

static bool
set_bounds(struct options *options, const char *name)
{
    if (strcmp(name, "explicit") == 0)
        options->bounds = GVM_BOUNDS_EXPLICIT;
    else if (strcmp(name, "guard") == 0)
        options->bounds = GVM_BOUNDS_GUARD;
    else
        return false;
    return true;
}

static bool
set_without(struct options *options, const char *name)
{
#define TECHNIQUE(upper, bit, text)                                      \
    if (strcmp(name, text) == 0) {                                       \
        options->techniques_off |= GVM_TECHNIQUE_##upper;                \
        return true;                                                     \
    }
    GVM_TECHNIQUE_MAP(TECHNIQUE)
#undef TECHNIQUE
    return false;
}

static bool
set_level(struct spec_setup *setup, const char *name)
{
    setup->level = spec_level_find(name);
    return setup->level != NULL;
}

/* Returns false after complaining. Leaves optind at the first path. */
static bool
read_options(int argc, char **argv, struct options *options,
             struct spec_setup *setup)
{
    static const struct option long_options[] = {
        {"level", required_argument, NULL, 'l'},
        {"bounds", required_argument, NULL, 'b'},
        {"without", required_argument, NULL, 'w'},
        {"eager", no_argument, NULL, 'e'},
        {"skip", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    char error[SPEC_SKIP_ERROR_BYTES];
    const char *problem = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "vh", long_options, NULL)) >= 0 &&
           problem == NULL) {
        if (option == 'l' && !set_level(setup, optarg))
            problem = "no such level";
        else if (option == 'b' && !set_bounds(options, optarg))
            problem = "neither explicit nor guard";
        else if (option == 'w' && !set_without(options, optarg))
            problem = "no such technique";
        else if (option == 's' &&
                 !spec_skip_list_read(&setup->skips, optarg, error))
            problem = error;
        else if (option == 'e')
            setup->is_eager = true;
        else if (option == 'j')
            options->is_json = true;
        else if (option == 'v')
            options->is_verbose = true;
        else if (option == '?')
            return false;
        else if (option == 'h') {
            fputs(usage, stdout);
            exit(0);
        }
        if (problem != NULL)
            complain(optarg, problem);
    }
    if (problem == NULL && optind == argc)
        fputs(usage, stderr);
    return problem == NULL && optind < argc;
}

static bool
add_paths(struct spec_suite *suite, const struct spec_level *level,
          char **paths, int count)
{
    for (int i = 0; i < count; i++) {
        if (!spec_suite_add(suite, paths[i], level)) {
            complain(paths[i], errno == ENOENT ? "no scripts there"
                                               : strerror(errno));
            return false;
        }
    }
    return true;
}

static struct gvm_engine *
create_engine(const struct options *options)
{
    struct gvm_engine_options engine_options = {
        .bounds = options->bounds,
        .techniques_off = options->techniques_off,
    };
    struct gvm_engine *engine = NULL;
    enum gvm_status status = GVM_OK;

    if (options->bounds == GVM_BOUNDS_GUARD)
        status = gvm_guard_install();
    if (status == GVM_OK)
        status = gvm_engine_create(&engine_options, &engine);
    if (status != GVM_OK)
        complain("cannot create the engine", gvm_status_text(status));
    return status == GVM_OK ? engine : NULL;
}

/* The child's part. It exits by exit(), so that a sanitizer looks for leaks. */
static void
run_child(struct spec_setup *setup, const struct spec_script *script,
          struct spec_report *report)
{
    struct rlimit seconds = {SCRIPT_SECONDS_MAX, SCRIPT_SECONDS_MAX};
    struct rlimit no_core = {0, 0};

    setrlimit(RLIMIT_CPU, &seconds);
    setrlimit(RLIMIT_CORE, &no_core);
    spec_commands_run(setup, script, report);
}

/* Notes in the report how the child ended, unless all was well. */
static void
judge_end(int status, struct spec_report *report)
{
    char how[80];

    if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));

        snprintf(how, sizeof how, "ended by signal SIG%s",
                 name != NULL ? name : "?");
    } else if (WEXITSTATUS(status) != 0) {
        snprintf(how, sizeof how, "exited with %d", WEXITSTATUS(status));
    } else if (!report->ended) {
        snprintf(how, sizeof how, "exited early");
    } else {
        return;
    }
    spec_report_break(report, how);
}

/*
 * Runs one script in a child and leaves its report in `report`, which is
 * shared with it. Returns false when there can be no child. In the child
 * it returns true and sets *is_child.
 */
static bool
run_script(struct spec_setup *setup, const struct spec_script *script,
           struct spec_report *report, bool *is_child)
{
    int status;
    pid_t child;

    memset(report, 0, sizeof *report);
    fflush(NULL);
    child = fork();
    if (child < 0) {
        complain("cannot fork", strerror(errno));
        return false;
    }
    *is_child = child == 0;
    if (*is_child) {
        run_child(setup, script, report);
        return true;
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            complain("cannot wait", strerror(errno));
            return false;
        }
    }
    judge_end(status, report);
    return true;
}

static const char *
bounds_name(const struct options *options)
{
    return options->bounds == GVM_BOUNDS_GUARD ? "guard" : "explicit";
}

/* The note when the technique is off. */
static const char *
technique_note(const struct options *options, enum gvm_technique technique,
               const char *note)
{
    return (options->techniques_off & (uint32_t)technique) != 0 ? note : "";
}

/* `json` holds one object per script. */
static void
print_json(const struct spec_setup *setup, const struct options *options,
           const struct spec_counts *sum, json_t *json)
{
    json_t *object =
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:O}", "level",
                  setup->level->name, "bounds", bounds_name(options),
                  "passed", (json_int_t)sum->passed, "failed",
                  (json_int_t)sum->failed, "skipped",
                  (json_int_t)sum->skipped, "not_applicable",
                  (json_int_t)sum->not_applicable, "scripts", json);

    json_dumpf(object, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(object);
}

static void
print_text(const struct options *options, const struct spec_report *total,
           const struct spec_counts *sum, size_t scripts)
{
    if (options->is_verbose)
        spec_report_print_kinds(total, stdout);
    printf("%zu scripts; %" PRIu32 " modules that are malformed only as text"
           " are not applicable\n",
           scripts, sum->not_applicable);
    printf("%" PRIu32 " passed, %" PRIu32 " failed, %" PRIu32 " skipped\n",
           sum->passed, sum->failed, sum->skipped);
}

/* Returns the exit code. */
static int
run_suite(struct spec_setup *setup, const struct options *options,
          const struct spec_suite *suite, struct spec_report *shared)
{
    struct spec_report *total = calloc(1, sizeof *total);
    json_t *json = json_array();
    struct spec_counts sum;
    bool is_child = false;
    int code = 2;

    if (total == NULL || json == NULL)
        goto done;
    for (size_t i = 0; i < suite->count; i++) {
        const struct spec_script *script = &suite->scripts[i];

        if (!run_script(setup, script, shared, &is_child))
            goto done;
        if (is_child) {
            code = 0;
            goto done;
        }
        spec_report_add(total, shared);
        if (options->is_json) {
            json_array_append_new(json,
                                  spec_report_json(shared, script->name));
        } else {
            spec_report_print(shared, script->name,
                              options->is_verbose ? SPEC_FAILURES_MAX
                                                  : FAILURES_SHOWN,
                              stdout);
        }
    }
    spec_report_sum(total, &sum);
    if (options->is_json)
        print_json(setup, options, &sum, json);
    else
        print_text(options, total, &sum, suite->count);
    code = sum.failed == 0 ? 0 : 1;
done:
    json_decref(json);
    free(total);
    return code;
}

int
main(int argc, char **argv)
{
    struct options options = {.bounds = GVM_BOUNDS_EXPLICIT};
    struct spec_setup setup = {.level = spec_level_find("mvp")};
    struct spec_report *shared = MAP_FAILED;
    struct spec_suite suite;
    int code = 2;

    spec_suite_init(&suite);
    spec_skip_list_init(&setup.skips);
    if (!read_options(argc, argv, &options, &setup) ||
        !add_paths(&suite, setup.level, argv + optind, argc - optind))
        goto done;
    setup.engine = create_engine(&options);
    if (setup.engine == NULL)
        goto done;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        complain("cannot share memory", strerror(errno));
        goto done;
    }
    if (!options.is_json) {
        for (int i = optind; i < argc; i++) {
            printf("suite %s, level %s, bounds %s%s%s\n", argv[i],
                   setup.level->name, bounds_name(&options),
                   technique_note(&options, GVM_TECHNIQUE_REGISTERS,
                                  ", no registers"),
                   technique_note(&options, GVM_TECHNIQUE_FUSION,
                                  ", no fusion"));
        }
    }
    code = run_suite(&setup, &options, &suite, shared);
done:
    if (shared != MAP_FAILED)
        munmap(shared, sizeof *shared);
    gvm_engine_destroy(setup.engine);
    spec_skip_list_deinit(&setup.skips);
    spec_suite_deinit(&suite);
    return code;
}
