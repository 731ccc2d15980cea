/*
 * wasi_socket.c - WASI preview 1: sockets, of which a program is given none.
 *
 * WASI has no function that makes one, so whatever descriptor there is, it is
 * no socket: a file, a directory, or a stream, which is nobody's business.
 *
 * Each function runs on the thread of its call.
 */
#include "runtime/wasi.h"
#include "runtime/wasi_table.h"

static enum gvm_status
refuse(struct runtime__wasi *wasi, union gvm_value *slots)
{
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(wasi, slots[0].i32, 0, &descriptor);

    return runtime__wasi_return(slots, error == RUNTIME__WASI_SUCCESS
                                           ? RUNTIME__WASI_ENOTSOCK
                                           : error);
}

enum gvm_status
runtime__wasi_sock_accept(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    (void)call;
    return refuse(data, slots);
}

enum gvm_status
runtime__wasi_sock_recv(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    (void)call;
    return refuse(data, slots);
}

enum gvm_status
runtime__wasi_sock_send(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    (void)call;
    return refuse(data, slots);
}

enum gvm_status
runtime__wasi_sock_shutdown(struct gvm_call *call, void *data,
                            union gvm_value *slots)
{
    (void)call;
    return refuse(data, slots);
}
