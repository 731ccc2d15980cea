/*
 * copy.c - for tests: a program that copies a file, by nothing but the C
 * library: copy FROM TO.
 */
#include <stdio.h>

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

    if (argc != 3)
        return 2;
    FILE *from = fopen(argv[1], "rb");
    if (!from)
        return fail("read", argv[1]);
    FILE *to = fopen(argv[2], "wb");
    if (!to)
        return fail("write", argv[2]);
    while ((count = fread(buffer, 1, sizeof(buffer), from)) > 0)
        if (fwrite(buffer, 1, count, to) != count)
            return fail("write", argv[2]);
    if (ferror(from))
        return fail("read", argv[1]);
    return fclose(to) ? fail("write", argv[2]) : 0;
}
