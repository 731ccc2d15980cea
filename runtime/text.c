/*
 * text.c - what a text may hold. Names in a module and what a guest says may
 * hold anything; a message may not. Any thread may call it.
 */
#include "runtime/text.h"

#include <stddef.h>

/*
 * The length of the UTF-8 sequence at `text`, or 0 when it is none: cut in the
 * middle, longer than needed, a surrogate or past the last code point.
 */
static size_t
sequence_bytes(const unsigned char *text)
{
    unsigned char first = text[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2
                    : first < 0xf0                                     ? 3
                    : first < 0xf5                                     ? 4
                                                                       : 0;
    /* Where the second byte has less room than 0x80..0xbf. */
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

    if (length > 1 && (text[1] < low || text[1] > high))
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

bool
runtime__text_is_utf8(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;

    while (*bytes) {
        size_t length = sequence_bytes(bytes);
        if (length == 0)
            return false;
        bytes += length;
    }
    return true;
}

void
runtime__text_make_printable(char *text)
{
    unsigned char *bytes = (unsigned char *)text;

    while (*bytes) {
        size_t length = sequence_bytes(bytes);
        if (length == 0 || *bytes < 0x20 || *bytes == 0x7f) {
            *bytes = *bytes == '\n' || *bytes == '\t' ? ' ' : '?';
            length = 1;
        }
        bytes += length;
    }
}
