/*
 * examples.h - the modules that are cut short and flipped.
 *
 * Some are made here, so that every kind of section, segment and control
 * instruction is there; others are the *.wasm files of a directory.
 */
#ifndef GLASS_TESTS_FUZZ_EXAMPLES_H
#define GLASS_TESTS_FUZZ_EXAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct example {
    char name[64];
    uint8_t *bytes;
    size_t length_bytes;
};

#define EXAMPLES_MAX 64

struct examples {
    struct example list[EXAMPLES_MAX];
    unsigned count;
};

/* Made modules, then the files of `directory`, unless it is NULL or not
 * there. Fails the running test when it holds too many. */
void examples_init(struct examples *examples, const char *directory);
void examples_deinit(struct examples *examples);

#endif
