/*
 * wasi_preopen.h - the directories that a program is given.
 */
#ifndef GLASS_RUNTIME_WASI_PREOPEN_H
#define GLASS_RUNTIME_WASI_PREOPEN_H

#include "runtime/wasi.h"

/*
 * Opens a directory of the host and puts it in the lowest free place, before
 * the program runs. RUNTIME_SYSTEM when it cannot be opened, or when this
 * kernel cannot keep paths below it; RUNTIME_LIMIT, RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__wasi_preopen(struct runtime__wasi *wasi,
                      const struct runtime_directory *directory,
                      struct runtime_error *err);

#endif
