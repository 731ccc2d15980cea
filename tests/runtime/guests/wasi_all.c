/*
 * wasi_all.c - for tests: refers to every function of WASI preview 1, with the
 * types that the C library's header gives them.
 */
#include <wasi/api.h>

/* The one that this library has left out: (signal) -> error. */
__attribute__((import_module("wasi_snapshot_preview1"),
               import_name("proc_raise"))) int32_t
__wasi_proc_raise(int32_t number);

/* Through a table, so that the compiler cannot leave one out. */
typedef void function(void);

__attribute__((export_name("all"))) function **
all(void)
{
    static function *const functions[] = {
#define WASI(name, signature, price) (function *)__wasi_##name,
#include "runtime/wasi.inc"
    };

    return (function **)functions;
}
