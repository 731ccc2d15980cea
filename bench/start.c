/*
 * start.c - how long a process takes from start to exit, and its memory.
 *
 *     bench-start COUNT PROGRAM [ARGUMENT]...
 *
 * Prints the least and the median of COUNT runs: the time, elapsed and of the
 * processor, and the largest resident set. A run that does not exit with 0
 * ends it. It is linked statically and allocates nothing: a child's largest
 * resident set begins with its parent's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT_MAX 10001

static double elapsed_ms[COUNT_MAX];
static double used_ms[COUNT_MAX];
static double resident_kib[COUNT_MAX];

static double
now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static double
milliseconds(struct timeval time)
{
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec * 1e-3;
}

static void
run(char **command, size_t index)
{
    double begin = now_ms();
    struct rusage usage;
    pid_t child = vfork();
    int status;

    if (child == 0) {
        execv(command[0], command);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child ||
        !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bench-start: %s does not run, or fails\n",
                command[0]);
        exit(1);
    }
    elapsed_ms[index] = now_ms() - begin;
    used_ms[index] =
        milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
    resident_kib[index] = (double)usage.ru_maxrss;
}

static int
less_first(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static void
print(const char *what, const char *unit, double *values, size_t count)
{
    qsort(values, count, sizeof *values, less_first);
    printf("%-10s least %8.2f, median %8.2f %s\n", what, values[0],
           values[count / 2], unit);
}

int
main(int argc, char **argv)
{
    long count = argc > 2 ? strtol(argv[1], NULL, 10) : 0;

    if (count < 1 || count > COUNT_MAX) {
        fprintf(stderr,
                "usage: bench-start COUNT PROGRAM [ARGUMENT]...\n");
        return 2;
    }
    for (long i = 0; i < count; i++)
        run(argv + 2, (size_t)i);
    print("elapsed", "ms", elapsed_ms, (size_t)count);
    print("processor", "ms", used_ms, (size_t)count);
    print("resident", "KiB", resident_kib, (size_t)count);
    return 0;
}
