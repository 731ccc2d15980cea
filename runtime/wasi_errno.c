/*
 * wasi_errno.c - the host's error numbers as those of WASI. Any thread may
 * ask.
 */
#include "runtime/wasi.h"

#include <errno.h>

enum runtime__wasi_errno
runtime__wasi_errno_of_host(int number)
{
    switch (number) {
    case 0:
        return RUNTIME__WASI_SUCCESS;
#define WASI_ERRNO(name, value)                                               \
    case E##name:                                                             \
        return RUNTIME__WASI_E##name;
#include "runtime/wasi_errno.inc"
#undef WASI_ERRNO
    default:
        return RUNTIME__WASI_EIO;
    }
}

enum runtime__wasi_errno
runtime__wasi_errno_last(void)
{
    return runtime__wasi_errno_of_host(errno);
}
