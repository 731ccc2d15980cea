/*
 * wasi_wait.h - the one place in which WASI waits, on the thread of the call.
 */
#ifndef GLASS_RUNTIME_WASI_WAIT_H
#define GLASS_RUNTIME_WASI_WAIT_H

#include "runtime/wasi.h"

#include <poll.h>

enum runtime__wasi_wait {
    RUNTIME__WASI_WAIT_READY,    /* `revents` say which */
    RUNTIME__WASI_WAIT_TIME,     /* it is `until_ns` */
    RUNTIME__WASI_WAIT_DEADLINE, /* the program's, and it was before that */
    RUNTIME__WASI_WAIT_REFUSED,  /* by the kernel: errno says why */
};

/*
 * Waits until one of `fds` is ready or it is `until_ns` of the monotonic
 * clock (UINT64_MAX: for ever), or the program's deadline.
 */
enum runtime__wasi_wait
runtime__wasi_wait(const struct runtime__wasi *wasi, struct pollfd *fds,
                   size_t count, uint64_t until_ns);

#endif
