/*
 * wasi.c - for tests: a program of WASI, made with nothing but the C library.
 * The first argument, or else the variable MODE, says what it does.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int
show_arguments(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        printf("[%s]", argv[i]);
    return 0;
}

static int
show_environment(void)
{
    for (char **text = environ; *text; text++)
        printf("[%s]", *text);
    return 0;
}

static int
copy_input(void)
{
    char buffer[1000];
    size_t count;

    while ((count = fread(buffer, 1, sizeof(buffer), stdin)) > 0)
        fwrite(buffer, 1, count, stdout);
    return ferror(stdin) || fflush(stdout) ? 1 : 0;
}

static int
check_clocks(void)
{
    struct timespec first, second, real;

    if (clock_gettime(CLOCK_MONOTONIC, &first) ||
        clock_gettime(CLOCK_MONOTONIC, &second) ||
        clock_gettime(CLOCK_REALTIME, &real) ||
        clock_getres(CLOCK_MONOTONIC, &first))
        return 1;
    return real.tv_sec > 1700000000 ? 0 : 2;
}

static int
check_random(void)
{
    uint8_t bytes[256] = {0};
    int zeros = 0;

    if (getentropy(bytes, sizeof(bytes)))
        return 1;
    for (size_t i = 0; i < sizeof(bytes); i++)
        zeros += bytes[i] == 0;
    return zeros < 32 ? 0 : 2;
}

static int
check_descriptors(void)
{
    char byte = 'x';

    if (lseek(0, 0, SEEK_SET) != -1 || errno != ESPIPE)
        return 1;
    if (write(0, &byte, 1) != -1 || errno != EBADF)
        return 2;
    if (read(1, &byte, 1) != -1 || errno != EBADF)
        return 3;
    if (read(7, &byte, 1) != -1 || errno != EBADF)
        return 4;
    if (isatty(0) || isatty(1) || isatty(2))
        return 5;
    if (close(0) != 0 || close(0) != -1 || errno != EBADF)
        return 6;
    if (read(0, &byte, 1) != -1 || errno != EBADF)
        return 7;
    if (fopen("/etc/passwd", "r"))
        return 8;
    return 0;
}

int
main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : getenv("MODE");

    if (!mode)
        return 100;
    if (!strcmp(mode, "arguments"))
        return show_arguments(argc, argv);
    if (!strcmp(mode, "environment"))
        return show_environment();
    if (!strcmp(mode, "copy"))
        return copy_input();
    if (!strcmp(mode, "clocks"))
        return check_clocks();
    if (!strcmp(mode, "random"))
        return check_random();
    if (!strcmp(mode, "descriptors"))
        return check_descriptors();
    if (!strcmp(mode, "exit"))
        exit(argc > 2 ? atoi(argv[2]) : 7);
    if (!strcmp(mode, "exit-zero"))
        _Exit(0);
    if (!strcmp(mode, "error"))
        return fputs("to stderr\n", stderr) < 0;
    if (!strcmp(mode, "terminals"))
        return 10 + isatty(0) + 2 * isatty(1) + 4 * isatty(2);
    if (!strcmp(mode, "abort"))
        abort();
    return 101;
}
