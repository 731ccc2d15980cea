/* check.h - for guests that test: a check that fails the call, by its text. */
#ifndef GLASS_TESTS_RUNTIME_GUESTS_CHECK_H
#define GLASS_TESTS_RUNTIME_GUESTS_CHECK_H

#include "glass.h"

#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) {                                                   \
            glass_fail(__LINE__, GLASS_TEXT(#condition));                     \
            return;                                                           \
        }                                                                     \
    } while (0)

/* A test that is an export: it goes well when the call does. */
#define TEST(name)                                                            \
    __attribute__((export_name(#name))) void name(void);                      \
    void name(void)

#endif
