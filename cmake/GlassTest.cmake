# Tests of Glass, all of them run by ctest.
#
#     glass_add_check(NAME check_<file> LIBRARIES <target>...
#                     [SOURCES <file>...] [TIMEOUT <seconds>]
#                     [ENVIRONMENT <name=value>...])
#
# adds one executable of tests written with `check`, in tests/<folder>/. The
# sources default to NAME.c. The test's name is <folder>/NAME and its label
# <folder>, so `ctest -L state` runs those of one library; NAME need only be
# unique within its folder. The executable runs in a directory of its own
# under the build directory, with
#
#     GLASS_SOURCE_DIR  the root of the source tree
#     GLASS_BIN_DIR     where the programs are (glass, glass-spectest)
#     GLASS_FAASLETS    where the example modules are (hello.wasm, ...)
#
# in its environment. A test case has 60 seconds (CK_DEFAULT_TIMEOUT; the
# sanitizers are slow), an executable TIMEOUT, 300 by default: both are there
# to end what hangs, not to measure.
#
#     glass_add_script_test(NAME <folder>/<name> COMMAND <command>...
#                           [LABEL <label>] [TIMEOUT <seconds>])
#
# adds a test that is a script. One that exits with 77 counts as skipped.
#
#     glass_add_own_tests(<name>)
#
# adds tests/<name> (and tests/support) where <name>/ is built alone.

set(GLASS_TEST_ENVIRONMENT
    "GLASS_SOURCE_DIR=${GLASS_ROOT}"
    "GLASS_BIN_DIR=${CMAKE_BINARY_DIR}/bin"
    "GLASS_FAASLETS=${CMAKE_BINARY_DIR}/faaslets"
    "CK_DEFAULT_TIMEOUT=60"
    "ASAN_OPTIONS=detect_stack_use_after_return=1:allocator_may_return_null=1"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1")

function(glass_add_check)
    cmake_parse_arguments(PARSE_ARGV 0 arg
        "" "NAME;TIMEOUT" "SOURCES;LIBRARIES;ENVIRONMENT")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME)
        message(FATAL_ERROR "glass_add_check(${arg_NAME}): bad arguments")
    endif()
    if(NOT arg_SOURCES)
        set(arg_SOURCES ${arg_NAME}.c)
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    if(NOT TARGET PkgConfig::glass_check)
        find_package(PkgConfig REQUIRED)
        pkg_check_modules(glass_check REQUIRED IMPORTED_TARGET GLOBAL check)
    endif()

    get_filename_component(folder "${CMAKE_CURRENT_SOURCE_DIR}" NAME)
    set(target ${folder}-${arg_NAME})
    add_executable(${target} ${arg_SOURCES})
    target_include_directories(${target} PRIVATE "${GLASS_ROOT}")
    target_link_libraries(${target} PRIVATE
        ${arg_LIBRARIES} glass-build-options PkgConfig::glass_check)
    set_target_properties(${target} PROPERTIES
        C_EXTENSIONS ON
        OUTPUT_NAME ${arg_NAME}
        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/${folder}")
    set(directory "${CMAKE_BINARY_DIR}/tests/${folder}/${arg_NAME}.run")
    file(MAKE_DIRECTORY "${directory}")
    add_test(NAME ${folder}/${arg_NAME} COMMAND ${target}
        WORKING_DIRECTORY "${directory}")
    set_tests_properties(${folder}/${arg_NAME} PROPERTIES
        LABELS ${folder}
        TIMEOUT ${arg_TIMEOUT}
        ENVIRONMENT "${GLASS_TEST_ENVIRONMENT};${arg_ENVIRONMENT}")
endfunction()

function(glass_add_script_test)
    cmake_parse_arguments(PARSE_ARGV 0 arg
        "" "NAME;LABEL;TIMEOUT" "COMMAND")
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    if(NOT arg_LABEL)
        set(arg_LABEL script)
    endif()
    add_test(NAME ${arg_NAME} COMMAND ${arg_COMMAND}
        WORKING_DIRECTORY "${GLASS_ROOT}")
    set_tests_properties(${arg_NAME} PROPERTIES
        LABELS ${arg_LABEL}
        TIMEOUT ${arg_TIMEOUT}
        SKIP_RETURN_CODE 77
        ENVIRONMENT "${GLASS_TEST_ENVIRONMENT}")
endfunction()

function(glass_add_own_tests name)
    if(NOT CMAKE_CURRENT_SOURCE_DIR STREQUAL CMAKE_SOURCE_DIR OR
            NOT BUILD_TESTING)
        return()
    endif()
    foreach(folder IN ITEMS support ${name})
        if(EXISTS "${GLASS_ROOT}/tests/${folder}/CMakeLists.txt")
            add_subdirectory("${GLASS_ROOT}/tests/${folder}" tests/${folder})
        endif()
    endforeach()
endfunction()
