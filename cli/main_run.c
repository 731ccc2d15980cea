/*
 * glass-run: the command `glass run` as a program of its own, made of the
 * engine and WASI alone, so that what it runs starts at once. `glass run`
 * becomes this program when it finds it beside itself.
 */
#include "cli/command.h"

#include <signal.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
    /* A reader that went away is an error of a write, not our end. */
    signal(SIGPIPE, SIG_IGN);
    int status = EXIT_DONE;
    if (argc > 1 && options_ask_help(argv + 1))
        command_help(&cmd_run);
    else
        status = cmd_run.run(argv + (argc > 0));
    /* What could not be written was not done. */
    if (fflush(stdout) != 0 && status == EXIT_DONE) {
        perror("glass run: stdout");
        status = EXIT_FAILED;
    }
    return status;
}
