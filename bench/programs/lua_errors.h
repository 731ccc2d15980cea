/*
 * lua_errors.h - is included before each file of Lua: errors without longjmp,
 * which WASI does not have. One that is thrown ends the process.
 */
#include <stdio.h>
#include <stdlib.h>

#define LUAI_THROW(state, handler)                                       \
    (fprintf(stderr, "lua: an error was thrown\n"), exit(1))
#define LUAI_TRY(state, handler, action) {action}
#define luai_jmpbuf int

/* No script is read from a file: the library must not need files of WASI. */
#define fopen(name, mode) NULL
#define freopen(name, mode, stream) NULL
