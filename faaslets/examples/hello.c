/*
 * hello - greets whom its input names, the world when it is empty.
 */
#include "glass.h"

enum { name_bytes_max = 64 };

GLASS_HANDLE(void)
{
    char name[name_bytes_max];
    int32_t length = glass_input_read(0, name, sizeof(name));

    if (length > name_bytes_max) {
        glass_fail(1, GLASS_TEXT("a name has at most 64 bytes"));
        return 1;
    }
    glass_output_write(GLASS_TEXT("Hello, "));
    if (length > 0)
        glass_output_write(name, (size_t)length);
    else
        glass_output_write(GLASS_TEXT("world"));
    glass_output_write(GLASS_TEXT("!\n"));
    return 0;
}
