/*
 * idle_guest.h - exports that take their time, for tests of whoever waits for
 * a call or ends it.
 */
#ifndef GLASS_TESTS_SUPPORT_IDLE_GUEST_H
#define GLASS_TESTS_SUPPORT_IDLE_GUEST_H

#include "tests/support/module_builder.h"

/* Imports glass.sleep_ns; like every import, before the first function. */
uint32_t
idle_guest_import(struct module_builder *builder);

/* `sleep`, "l:i": for as many nanoseconds as it is given. */
void
idle_guest_sleep(struct module_builder *builder, uint32_t import);

/* `loop`, of a type without results: for ever. */
void
idle_guest_loop(struct module_builder *builder, const char *signature);

/* `count`, "i:i": so many rounds down to the 0 that it returns. */
void
idle_guest_count(struct module_builder *builder);

#endif
