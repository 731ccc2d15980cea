/*
 * page.c - a faaslet that does little: it reads 64 bytes, writes its stack and
 * one page of a global array, and answers 64 bytes. It fails when it finds
 * there what a call before has left.
 */
#include "glass.h"

#include <string.h>

enum { message_bytes = 64, page_bytes = 4096 };

static unsigned char page[page_bytes] __attribute__((aligned(page_bytes)));

GLASS_HANDLE(void)
{
    unsigned char message[message_bytes] = {0};

    if (page[100] != 0 || page[page_bytes - 1] != 0) {
        glass_fail(1, GLASS_TEXT("another call was here"));
        return 1;
    }
    glass_input_read(0, message, sizeof(message));
    memcpy(page + 100, message, sizeof(message));
    page[100] |= 1;
    page[page_bytes - 1] = 1;
    message[0] = page[100];
    glass_output_write(message, sizeof(message));
    return 0;
}
