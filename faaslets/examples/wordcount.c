/*
 * wordcount - prints the lines, words and bytes of its standard input.
 *
 * An ordinary program: nothing in it knows of Glass. Compiled for WASI it is a
 * function whose request body is standard input and whose response is standard
 * output; compiled natively it prints the same.
 */
#include <ctype.h>
#include <stdio.h>

int
main(void)
{
    unsigned long lines = 0;
    unsigned long words = 0;
    unsigned long bytes = 0;
    int in_word = 0;
    int byte;

    while ((byte = getchar()) != EOF) {
        bytes++;
        lines += byte == '\n';
        if (isspace(byte)) {
            in_word = 0;
        } else {
            words += !in_word;
            in_word = 1;
        }
    }
    if (ferror(stdin)) {
        perror("wordcount");
        return 1;
    }
    printf("%lu %lu %lu\n", lines, words, bytes);
    return 0;
}
