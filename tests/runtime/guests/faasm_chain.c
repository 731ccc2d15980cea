/*
 * faasm_chain.c - for tests: a function as one writes it for Faasm, that calls
 * "chain" (chain.c) for each word of its input and prints how they ended and
 * what they left behind.
 */
#include <stdio.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))

IMPORT(__faasm_read_input)
long __faasm_read_input(unsigned char *buffer, long length);
IMPORT(__faasm_write_output)
void __faasm_write_output(const char *output, long length);
IMPORT(__faasm_chain_name)
unsigned __faasm_chain_name(const char *name, const unsigned char *input,
                            long length);
IMPORT(__faasm_await_call)
int __faasm_await_call(unsigned call);
IMPORT(__faasm_await_call_output)
int __faasm_await_call_output(unsigned call, char *output, long length);

enum { calls_max = 16 };

int
main(void)
{
    char input[256] = "", answer[512] = "";
    unsigned calls[calls_max];
    int count = 0;

    __faasm_read_input((unsigned char *)input, sizeof(input) - 1);
    if (!strcmp(input, "nobody"))
        __faasm_chain_name("other", NULL, 0);
    if (!strcmp(input, "nothing"))
        __faasm_await_call(77);
    for (char *word = strtok(input, " "); word; word = strtok(NULL, " "))
        calls[count++] = __faasm_chain_name(
            "chain", (const unsigned char *)word, (long)strlen(word));
    for (int i = 0; i < count; i++) {
        char output[5] = "";
        char line[32];
        int end = __faasm_await_call(calls[i]);
        int again = __faasm_await_call_output(calls[i], output, 4);
        snprintf(line, sizeof(line), "%d%d %s;", end, again, output);
        strcat(answer, line);
    }
    __faasm_write_output(answer, (long)strlen(answer));
    return 0;
}
