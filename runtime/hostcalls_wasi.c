/*
 * hostcalls_wasi.c - WASI alone, for a program that takes nothing of Glass but
 * the engine and what is needed to run a module once.
 *
 * It defines what hostcalls_all.c defines. Linked as an object it is there
 * before the library is searched, so hostcalls_all.c stays in the library,
 * and with it the state and everything behind it.
 */
#include "runtime/hostcalls.h"

#include "runtime/wasi.h"

const struct runtime__hostcall runtime__hostcalls_rows[] = {
#define WASI(name, signature, price) RUNTIME__WASI_ROW(name, signature)
#include "runtime/wasi.inc"
#undef WASI
};

const size_t runtime__hostcalls_count =
    sizeof(runtime__hostcalls_rows) / sizeof(runtime__hostcalls_rows[0]);
