/*
 * copy.c - for tests: a program that copies a file, by nothing but the C
 * library: copy FROM TO. What it is not told by its arguments it looks for in
 * the variables of those names; without TO it is stdout.
 */
#include <stdio.h>
#include <stdlib.h>

static int
fail(const char *what, const char *path)
{
    fprintf(stderr, "cannot %s %s\n", what, path);
    return 1;
}

int
main(int argc, char **argv)
{
    char buffer[4096];
    size_t count;

    const char *source = argc > 1 ? argv[1] : getenv("FROM");
    const char *target = argc > 2 ? argv[2] : getenv("TO");
    if (!source)
        return 2;
    FILE *from = fopen(source, "rb");
    if (!from)
        return fail("read", source);
    FILE *to = target ? fopen(target, "wb") : stdout;
    if (!to)
        return fail("write", target);
    while ((count = fread(buffer, 1, sizeof(buffer), from)) > 0)
        if (fwrite(buffer, 1, count, to) != count)
            return fail("write", target);
    if (ferror(from))
        return fail("read", source);
    return fclose(to) ? fail("write", target) : 0;
}
