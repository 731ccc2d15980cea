/*
 * wasi_wait.h - the one place in which WASI waits, or says that it has to.
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
    RUNTIME__WASI_WAIT_PARKED,   /* `wasi->until_ns` is set */
};

/*
 * Where calls are parked, looks at `fds` and the clock; nothing there is
 * RUNTIME__WASI_WAIT_PARKED, and the caller returns GVM_SUSPENDED. Else it
 * waits until one of `fds` is ready or it is `until_ns` of the monotonic
 * clock (UINT64_MAX: for ever), or the program's deadline.
 */
enum runtime__wasi_wait
runtime__wasi_wait(struct runtime__wasi *wasi, struct pollfd *fds,
                   size_t count, uint64_t until_ns);

#endif
