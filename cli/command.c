/*
 * command.c - what all commands say the same way: their help, and complaints
 * about words and about what failed.
 */
#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>

void
command_help(const struct command *command)
{
    printf("Usage: glass %s %s\n\n%s.\n", command->name, command->synopsis,
           command->summary);
    if (command->details)
        printf("\n%s", command->details);
    printf("\nOptions:\n");
    options_print(command->options, command->option_count);
    printf("\nExample:\n%s", command->example);
}

int
command_usage(const struct command *command, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "glass %s: ", command->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nUsage: glass %s %s\n", command->name,
            command->synopsis);
    return EXIT_USAGE;
}

int
command_fail(const struct command *command, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "glass %s: ", command->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    return EXIT_FAILED;
}
