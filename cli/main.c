/*
 * glass: one program, a command per file.
 *
 * What is here finds the command and ends the process; what a command is, is
 * in its own file: its options, its help and its function. Nothing else of
 * Glass prints or exits.
 */
#include "cli/command.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vm/vm.h"

static const struct command *const commands[] = {
#define COMMAND(name) &cmd_##name,
#include "cli/commands.inc"
#undef COMMAND
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(*commands))

/* The command of that name, or null. */
static const struct command *
find(const char *name)
{
    for (size_t index = 0; index < COMMAND_COUNT; index++)
        if (strcmp(commands[index]->name, name) == 0)
            return commands[index];
    return NULL;
}

/* Prints the help of a command, or the list of them for null. */
static int
help(const char *name)
{
    if (name) {
        const struct command *command = find(name);
        if (!command) {
            fprintf(stderr, "glass: there is no command '%s'\n", name);
            return EXIT_USAGE;
        }
        command_help(command);
        return EXIT_DONE;
    }
    printf("Usage: glass COMMAND ...\n\n"
           "Runs WebAssembly functions behind HTTP, next to the state they "
           "share.\n\nCommands:\n");
    for (size_t index = 0; index < COMMAND_COUNT; index++)
        printf("  %-10s %s\n", commands[index]->name,
               commands[index]->summary);
    printf("  %-10s %s\n", "help", "Explains a command: glass help serve");
    printf("\nOptions:\n  %-10s %s\n  %-10s %s\n", "--version",
           "print the version", "--help", "print this");
    printf("\nExample:\n  $ glass run hello.wasm\n");
    return EXIT_DONE;
}

/* Says that the first word is no command, and which is most like it. */
static int
complain(const char *name)
{
    const char *names[COMMAND_COUNT];

    for (size_t index = 0; index < COMMAND_COUNT; index++)
        names[index] = commands[index]->name;
    const char *nearest = options_nearest(name, names, COMMAND_COUNT);
    fprintf(stderr, "glass: there is no %s '%s'",
            name[0] == '-' ? "option" : "command", name);
    if (nearest && name[0] != '-')
        fprintf(stderr, "; did you mean '%s'?", nearest);
    fprintf(stderr, "\nTry 'glass help'.\n");
    return EXIT_USAGE;
}

/*
 * Programs are run by glass-run beside this program, which does not keep in
 * memory what a server needs. Returns only when it is not there: then they
 * are run here, which is the same but for the time to start.
 */
static void
become_run(char **arguments)
{
    static const char sibling[] = "-run";
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path,
                              sizeof(path) - sizeof(sibling));

    if (length < 0)
        return;
    memcpy(path + length, sibling, sizeof(sibling));
    execv(path, arguments);
}

/* Runs what the words ask for; returns what the process exits with. */
static int
dispatch(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;

    if (!name) {
        help(NULL);
        return EXIT_USAGE;
    }
    if (strcmp(name, "--version") == 0) {
        printf("glass %s\n", gvm_version());
        return EXIT_DONE;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 ||
        strcmp(name, "-h") == 0)
        return help(argc > 2 && name[0] != '-' ? argv[2] : NULL);
    const struct command *command = find(name);
    if (!command)
        return complain(name);
    if (options_ask_help(argv + 2)) {
        command_help(command);
        return EXIT_DONE;
    }
    if (command == &cmd_run)
        become_run(argv + 1);
    return command->run(argv + 2);
}

int
main(int argc, char **argv)
{
    /* A reader that went away is an error of a write, not our end. */
    signal(SIGPIPE, SIG_IGN);
    int status = dispatch(argc, argv);
    /* What could not be written was not done. */
    if (fflush(stdout) != 0 && status == EXIT_DONE) {
        perror("glass: stdout");
        status = EXIT_FAILED;
    }
    return status;
}
