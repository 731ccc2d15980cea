/*
 * text.h - what a text may hold that goes into JSON or onto a terminal.
 */
#ifndef GLASS_RUNTIME_TEXT_H
#define GLASS_RUNTIME_TEXT_H

#include <stdbool.h>

/* Whether the text is UTF-8, up to its final zero. */
bool
runtime__text_is_utf8(const char *text);

/*
 * Makes one line of UTF-8 of it, in place: an end of line or a tab becomes a
 * space, what is no UTF-8 or no character to print a question mark.
 */
void
runtime__text_make_printable(char *text);

#endif
