# How Glass is compiled: the language, the warnings, the build types and the
# sanitizers. The presets of the root choose among these; nothing else does.
#
# Targets take the flags by linking the interface target glass-build-options,
# privately, so that none of them reaches the users of an installed library.

option(GLASS_WARNINGS_ARE_ERRORS "Stop at a compiler's warning" OFF)
option(GVM_SWITCH_LOOP
    "Run the engine's handlers from a switch loop, not by sibling calls" OFF)
option(GLASS_VM_COUNT_DISPATCHES
    "Count how often each operation of the engine is done; slower" OFF)
set(GLASS_VM_PAIRS 22000 CACHE STRING
    "How many pairs of operations the engine does at once: speed for size")
set(GLASS_SANITIZE "" CACHE STRING
    "Sanitizers to build with: empty, address,undefined or thread")

# The build types are ours only where the project is: a project that takes
# vm/ or state/ in by add_subdirectory keeps its own flags. Asserts stay on in
# all of them. Sanitize is for the presets asan and tsan.
if(PROJECT_IS_TOP_LEVEL)
    if(NOT CMAKE_BUILD_TYPE)
        set(CMAKE_BUILD_TYPE Release CACHE STRING "Type of build" FORCE)
    endif()
    set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
    set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
    set(CMAKE_C_FLAGS_SANITIZE "-O1 -g -fno-omit-frame-pointer")
endif()

# Sibling calls need optimisation: below -O2 the chain of handlers would
# overflow the native stack, whatever the preset said.
if(CMAKE_BUILD_TYPE MATCHES "^(Debug|Sanitize)$" AND NOT GVM_SWITCH_LOOP)
    message(STATUS "Glass: ${CMAKE_BUILD_TYPE} runs the switch loop")
    set(GVM_SWITCH_LOOP ON CACHE BOOL "" FORCE)
endif()

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT TARGET glass-build-options)
    add_library(glass-build-options INTERFACE)
    target_compile_features(glass-build-options INTERFACE c_std_17)
    target_compile_options(glass-build-options INTERFACE
        -Wall -Wextra -Wshadow -Wconversion -Wvla
        -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
        $<$<BOOL:${GLASS_WARNINGS_ARE_ERRORS}>:-Werror>)
    if(GLASS_SANITIZE)
        target_compile_options(glass-build-options INTERFACE
            -fsanitize=${GLASS_SANITIZE} -fno-sanitize-recover=all
            # What the sanitizers weave in hides from gcc the ranges that
            # these two rely on; the other builds have them.
            $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>
            $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
        target_link_options(glass-build-options INTERFACE
            -fsanitize=${GLASS_SANITIZE})
    endif()
endif()
