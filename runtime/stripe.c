/* stripe.c - see stripe.h. Any thread may call it. */
#define _GNU_SOURCE 1 /* sched_getcpu */

#include "runtime/stripe.h"

#include <sched.h>

unsigned
runtime__stripe(void)
{
    int processor = sched_getcpu();

    return processor < 0 ? 0 : (unsigned)processor % RUNTIME__STRIPES;
}
