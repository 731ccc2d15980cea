/*
 * lua.c - Lua for bench/run: runs the script on stdin with the libraries that
 * need nothing of a system.
 *
 * WASI has no longjmp, so that an error ends the process: lua_errors.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

static const char *
read_input(lua_State *state, void *data, size_t *length)
{
    static char block[4096];

    (void)state, (void)data;
    *length = fread(block, 1, sizeof block, stdin);
    return *length > 0 ? block : NULL;
}

static int
complain(lua_State *state)
{
    fprintf(stderr, "lua: %s\n", lua_tostring(state, -1));
    exit(1);
}

int
main(void)
{
    static const luaL_Reg libraries[] = {
        {"_G", luaopen_base},
        {LUA_TABLIBNAME, luaopen_table},
        {LUA_STRLIBNAME, luaopen_string},
        {LUA_MATHLIBNAME, luaopen_math},
        {LUA_UTF8LIBNAME, luaopen_utf8},
        {NULL, NULL},
    };
    lua_State *state = luaL_newstate();

    if (state == NULL)
        return 1;
    lua_atpanic(state, complain);
    for (const luaL_Reg *library = libraries; library->func != NULL;
         library++) {
        luaL_requiref(state, library->name, library->func, 1);
        lua_pop(state, 1);
    }
    if (lua_load(state, read_input, NULL, "=stdin", "t") != LUA_OK)
        complain(state);
    lua_call(state, 0, 0);
    lua_close(state);
    return 0;
}
