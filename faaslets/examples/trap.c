/*
 * trap - stops in the middle, to show what a caller sees of it: the kind of
 * the trap, the function and the offset in the module, and nothing else of the
 * process is harmed.
 */
#include "glass.h"

/* A function of its own, so that the answer has a name to tell. */
static __attribute__((noinline)) void
give_up(void)
{
    __builtin_trap();
}

GLASS_HANDLE(void)
{
    glass_output_write(GLASS_TEXT("nobody will read this\n"));
    give_up();
    return 0;
}
