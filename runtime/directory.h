/*
 * directory.h - the directories that a function's configuration asks for,
 * below the one that the operator has set aside for functions.
 */
#ifndef GLASS_RUNTIME_DIRECTORY_H
#define GLASS_RUNTIME_DIRECTORY_H

#include "runtime/wasi.h"

/*
 * Opens the operator's directory. RUNTIME_SYSTEM when it cannot be opened, or
 * when this kernel cannot keep paths below it.
 */
enum runtime_status
runtime__directory_open_root(const char *path, int *root,
                             struct runtime_error *err);

/*
 * Whether a function with this configuration can be deployed: RUNTIME_INVALID
 * when one of its directories is not there, or when there is no root (-1).
 */
enum runtime_status
runtime__directory_check(int root, const struct runtime_config *config,
                         struct runtime_error *err);

/* Gives them all to a program that is about to run. RUNTIME_SYSTEM when one
 * is not there any more, or as runtime__wasi_preopen. */
enum runtime_status
runtime__directory_give(int root, const struct runtime_config *config,
                        struct runtime__wasi *wasi,
                        struct runtime_error *err);

#endif
