/*
 * step.h - the words that the scheduler and what it runs have in common: how
 * far a guest came that was let run for a while, and what it leaves behind.
 */
#ifndef GLASS_RUNTIME_STEP_H
#define GLASS_RUNTIME_STEP_H

enum runtime__step {
    RUNTIME__STEP_ENDED, /* one way or the other */
    RUNTIME__STEP_SLICE, /* its slice is used up: it goes on when it can */
    RUNTIME__STEP_WAIT,  /* for a completion, or a time */
    RUNTIME__STEP_BLOCK, /* it goes on where it may block its thread */
};

/* Something to be cleared away when there is time, part of a larger thing. */
struct runtime__waste {
    struct runtime__waste *next;
};

#endif
