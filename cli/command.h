/*
 * Commands: `glass deploy ...` is the command in cmd_deploy.c. Their list is
 * commands.inc.
 */
#ifndef GLASS_CLI_COMMAND_H
#define GLASS_CLI_COMMAND_H

#include <stddef.h>

#include "cli/options.h"

/* What a command ends with. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_TRAP = 134, /* as a shell says of a program that aborted */
};

struct command {
    const char *name;
    const char *synopsis; /* what follows the name */
    const char *summary;  /* one line */
    const char *details;  /* paragraphs, or null */
    const char *example;  /* lines, each with its `$ ` */
    const struct option *options;
    size_t option_count;

    /* Gets the words behind the name; a null ends them. */
    int (*run)(char **arguments);
};

#define COMMAND(name) extern const struct command cmd_##name;
#include "cli/commands.inc"
#undef COMMAND

/* Prints a command's help to stdout. */
void
command_help(const struct command *command);

/* Says on stderr that the words do not fit; returns EXIT_USAGE. */
int
command_usage(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says on stderr what failed; returns EXIT_FAILED. */
int
command_fail(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
