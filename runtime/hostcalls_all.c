/*
 * hostcalls_all.c - all that a module may import: the host interface and
 * WASI. It is a file of its own so that a program that runs nothing but WASI
 * can link hostcalls_wasi.c instead and leave the rest of Glass out.
 */
#include "runtime/hostcalls.h"

#include "runtime/host.h"
#include "runtime/wasi.h"

const struct runtime__hostcall runtime__hostcalls_rows[] = {
#define HOSTCALL(group, name, signature, documentation)                       \
    {RUNTIME__GROUP_##group, "glass", #name, signature,                       \
     runtime__host_##name, documentation},
#include "runtime/hostcalls.inc"
#undef HOSTCALL
#define FAASM(group, name, signature, documentation)                          \
    {RUNTIME__GROUP_##group, "env", "__faasm_" #name, signature,              \
     runtime__faasm_##name, documentation},
#include "runtime/faasm.inc"
#undef FAASM
#define WASI(name, signature, price) RUNTIME__WASI_ROW(name, signature)
#include "runtime/wasi.inc"
#undef WASI
};

const size_t runtime__hostcalls_count =
    sizeof(runtime__hostcalls_rows) / sizeof(runtime__hostcalls_rows[0]);
