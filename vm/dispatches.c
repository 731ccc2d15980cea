/*
 * dispatches.c - the counters of dispatches.h, as embedders see them.
 *
 * Any thread may ask.
 */
#include "vm/dispatches.h"

#include "vm/vm.h"

#ifdef GVM_COUNT_DISPATCHES

enum {
#define HANDLER_NAME(name) HANDLER_##name,
#define HANDLER_PAIR(name, first, second) HANDLER_##name,
#include "names_made.inc"
#include "pairs_made.inc"
#undef HANDLER_NAME
#undef HANDLER_PAIR
    HANDLER_COUNT
};

static const char *const names[] = {
#define HANDLER_NAME(name) #name,
#define HANDLER_PAIR(name, first, second) #name,
#include "names_made.inc"
#include "pairs_made.inc"
#undef HANDLER_NAME
#undef HANDLER_PAIR
};

_Atomic uint64_t gvm__dispatches[HANDLER_COUNT];
_Atomic uint64_t gvm__dispatch_pairs[GVM__OP_COUNT][GVM__OP_COUNT];
/* The first operation of all is counted as the second of a pair as well. */
_Atomic uint32_t gvm__dispatch_last;

bool
gvm_dispatches_of_handler(uint32_t index, const char **name,
                          uint64_t *count)
{
    if (index >= HANDLER_COUNT)
        return false;
    *name = names[index];
    *count = atomic_load_explicit(&gvm__dispatches[index],
                                  memory_order_relaxed);
    return true;
}

bool
gvm_dispatches_of_pair(uint32_t index, const char **first,
                       const char **second, uint64_t *count)
{
    if (index >= (uint32_t)GVM__OP_COUNT * GVM__OP_COUNT)
        return false;
    *first = gvm__ops[index / GVM__OP_COUNT].name;
    *second = gvm__ops[index % GVM__OP_COUNT].name;
    *count = atomic_load_explicit(
        &gvm__dispatch_pairs[index / GVM__OP_COUNT][index % GVM__OP_COUNT],
        memory_order_relaxed);
    return true;
}

#else

bool
gvm_dispatches_of_handler(uint32_t index, const char **name,
                          uint64_t *count)
{
    (void)index, (void)name, (void)count;
    return false;
}

bool
gvm_dispatches_of_pair(uint32_t index, const char **first,
                       const char **second, uint64_t *count)
{
    (void)index, (void)first, (void)second, (void)count;
    return false;
}

#endif
