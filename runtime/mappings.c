/* mappings.c - see mappings.h. */
#include "runtime/mappings.h"

#include <inttypes.h>
#include <stdio.h>

uint64_t
runtime__mappings_max(void)
{
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
    uint64_t count;

    if (!file)
        return UINT64_MAX;
    if (fscanf(file, "%" SCNu64, &count) != 1)
        count = UINT64_MAX;
    fclose(file);
    return count;
}

/* At most `max`, which counts as 1 when it is 0; whether that is less. */
static bool
lower(unsigned *value, uint64_t max)
{
    if (*value <= max)
        return false;
    *value = max > 0 ? (unsigned)max : 1;
    return true;
}

bool
runtime__mappings_fit(uint64_t mappings_max, unsigned *calls_max,
                      unsigned *idle_max)
{
    uint64_t left = mappings_max - mappings_max / 20;

    left = left > RUNTIME_FUNCTIONS_MAX ? left - RUNTIME_FUNCTIONS_MAX : 0;
    uint64_t sandboxes = left / RUNTIME__SANDBOX_MAPPINGS;
    /* Calls first; what waits only saves time, but some of it should. */
    bool lowered = lower(calls_max, sandboxes - sandboxes / 32);
    uint64_t rest = sandboxes > *calls_max ? sandboxes - *calls_max : 0;
    return lower(idle_max, rest) || lowered;
}
