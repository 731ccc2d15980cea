/*
 * nap.c - a faaslet that sleeps: for as many milliseconds as its input says,
 * with two dirty pages, of which it knows afterwards what it wrote there.
 */
#include "glass.h"

#include <string.h>

static uint8_t pages[2][4096] __attribute__((aligned(4096)));

GLASS_HANDLE(void)
{
    char text[16] = "";
    uint8_t id[16];
    char answer[64] = "ill";
    int64_t ms = 0;

    glass_input_read(0, text, sizeof(text) - 1);
    for (const char *digit = text; *digit; digit++)
        ms = ms * 10 + (*digit - '0');
    glass_call_id(id);
    memcpy(pages[0], id, sizeof(id));
    memcpy(pages[1] + 4000, id, sizeof(id));
    glass_sleep_ns(ms * 1000000);
    if (memcmp(pages[0], id, sizeof(id)) == 0 &&
        memcmp(pages[1] + 4000, id, sizeof(id)) == 0)
        memcpy(answer, "well", 4);
    glass_output_write(answer, sizeof(answer));
    return 0;
}
