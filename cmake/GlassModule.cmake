# WebAssembly modules made of one C file by Debian's clang, lld and wasi-libc,
# for guests of tests and benchmarks. They are the same whatever the preset: the
# compiler of the host and its flags have no part in them.

find_program(GLASS_WASM_CC NAMES clang-14 clang
    DOC "The compiler of functions, a clang with wasm32-wasi")
if(NOT GLASS_WASM_CC)
    message(FATAL_ERROR
        "Functions need clang, lld and wasi-libc: run scripts/setup")
endif()

# glass_add_module(<module> <source> [REACTOR] [FLAGS ...] [DEPENDS ...])
#
# A rule for the file <module>. REACTOR is for those that export glass_handle
# or plain exports; the others are WASI commands. The name section stays:
# messages tell functions by name. Linking is a step of its own, without -O,
# since with it clang would have wasm-opt, on machines that have one, write the
# module anew and leave the names out.
function(glass_add_module module source)
    cmake_parse_arguments(PARSE_ARGV 2 arg "REACTOR" "" "FLAGS;DEPENDS")
    set(model "")
    if(arg_REACTOR)
        set(model -mexec-model=reactor)
    endif()
    file(RELATIVE_PATH name "${CMAKE_BINARY_DIR}" "${module}")
    add_custom_command(OUTPUT "${module}"
        COMMAND "${GLASS_WASM_CC}" --target=wasm32-wasi -std=gnu17 -O2
            -Wall -Wextra ${arg_FLAGS} -I "${GLASS_ROOT}/faaslets/sdk"
            -c -o "${module}.o" "${source}"
        COMMAND "${GLASS_WASM_CC}" --target=wasm32-wasi -Wl,--strip-debug
            ${model} -o "${module}" "${module}.o"
        DEPENDS "${source}" "${GLASS_ROOT}/faaslets/sdk/glass.h"
            ${arg_DEPENDS}
        COMMENT "Compiling ${name}"
        VERBATIM)
endfunction()
