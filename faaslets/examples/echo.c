/*
 * echo - answers its input, byte for byte, whatever its length.
 */
#include "glass.h"

GLASS_HANDLE(void)
{
    static char piece[4096];
    size_t length = (size_t)glass_input_len();

    for (size_t offset = 0; offset < length; offset += sizeof(piece)) {
        size_t rest = length - offset;
        if (rest > sizeof(piece))
            rest = sizeof(piece);
        glass_input_read(offset, piece, rest);
        if (glass_output_write(piece, rest) < 0) {
            glass_fail(1, GLASS_TEXT("the output passed its limit"));
            return 1;
        }
    }
    return 0;
}
