/* Operations on the state out of a function: see guest.c. */
#ifndef GLASS_BENCH_STATE_GUEST_H
#define GLASS_BENCH_STATE_GUEST_H

/*
 * Prints what a get and an increment cost from inside a guest, everything
 * counted: crossing, copies, the loop around it. `module` is the file made of
 * many.c.
 */
void
guest_measure(const char *module);

#endif
