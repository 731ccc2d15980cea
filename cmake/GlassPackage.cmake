# Libraries of Glass, and how they are installed.
#
#     glass_add_library(<name> HEADER <name>.h SOURCES <file>...
#                       [PKG_CONFIG <module>...] [LIBRARIES <target>...]
#                       [THREADS] [MATH])
#
# makes the static library glass-<name> (libglass-<name>.a) and its alias
# glass::<name>. Sources include "<folder>/<file>.h", from the tree's root.
# PKG_CONFIG names what the library needs of the system by its pkg-config
# names, THREADS and MATH stand for the C library's own two; LIBRARIES are
# libraries of Glass.
#
#     glass_install_library(<name> DESCRIPTION <text>)
#
# installs a library that stands alone: its header as glass/<name>.h, the static
# library, a CMake package (find_package(glass-<name>), then link glass::<name>)
# and a pkg-config file glass-<name>.pc, all in the install component <name>.
# What the header includes of its own folder, such as "vm/limits.h", comes along
# as glass/vm/limits.h, where that include finds it; it may include nothing of
# the folder itself. What the library needs of the system is written into both
# from the list that glass_add_library got.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

function(glass_add_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg
        "THREADS;MATH" "HEADER" "SOURCES;PKG_CONFIG;LIBRARIES")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_HEADER OR NOT arg_SOURCES)
        message(FATAL_ERROR "glass_add_library(${name}): bad arguments")
    endif()

    set(target glass-${name})
    add_library(${target} STATIC ${arg_SOURCES} ${arg_HEADER})
    add_library(glass::${name} ALIAS ${target})
    target_include_directories(${target} PUBLIC
        "$<BUILD_INTERFACE:${GLASS_ROOT}>"
        "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
    target_link_libraries(${target} PRIVATE
        $<BUILD_INTERFACE:glass-build-options>)
    set_target_properties(${target} PROPERTIES
        EXPORT_NAME ${name}
        C_EXTENSIONS ON)

    if(arg_LIBRARIES)
        target_link_libraries(${target} PUBLIC ${arg_LIBRARIES})
    endif()
    if(arg_PKG_CONFIG)
        find_package(PkgConfig REQUIRED)
    endif()
    foreach(module IN LISTS arg_PKG_CONFIG)
        pkg_check_modules(glass_${module} REQUIRED IMPORTED_TARGET GLOBAL
            ${module})
        target_link_libraries(${target} PRIVATE
            PkgConfig::glass_${module})
    endforeach()
    if(arg_THREADS)
        set(THREADS_PREFER_PTHREAD_FLAG ON)
        find_package(Threads REQUIRED)
        target_link_libraries(${target} PRIVATE Threads::Threads)
    endif()
    if(arg_MATH)
        target_link_libraries(${target} PRIVATE m)
    endif()
    # Kept for glass_install_library.
    set_target_properties(${target} PROPERTIES
        GLASS_HEADER "${CMAKE_CURRENT_SOURCE_DIR}/${arg_HEADER}"
        GLASS_PKG_CONFIG "${arg_PKG_CONFIG}"
        GLASS_THREADS "${arg_THREADS}"
        GLASS_MATH "${arg_MATH}")
endfunction()

function(glass_install_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION" "")
    set(target glass-${name})
    get_target_property(header ${target} GLASS_HEADER)
    get_target_property(modules ${target} GLASS_PKG_CONFIG)
    get_target_property(threads ${target} GLASS_THREADS)
    get_target_property(math ${target} GLASS_MATH)
    set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/${target}")

    install(TARGETS ${target} EXPORT ${target}-targets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${name})
    install(FILES "${header}" RENAME ${name}.h COMPONENT ${name}
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/glass")
    file(STRINGS "${header}" includes REGEX "^#include \"${name}/")
    foreach(include IN LISTS includes)
        string(REGEX REPLACE ".*\"(.*)\".*" "\\1" include "${include}")
        install(FILES "${GLASS_ROOT}/${include}" COMPONENT ${name}
            DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/glass/${name}")
    endforeach()
    install(EXPORT ${target}-targets NAMESPACE glass:: COMPONENT ${name}
        DESTINATION "${package_dir}")

    # The CMake package: it finds what the static library needs again.
    set(GLASS_FIND_DEPENDENCIES "")
    if(threads)
        string(APPEND GLASS_FIND_DEPENDENCIES
            "set(THREADS_PREFER_PTHREAD_FLAG ON)\n"
            "find_dependency(Threads)\n")
    endif()
    if(modules)
        string(APPEND GLASS_FIND_DEPENDENCIES
            "find_dependency(PkgConfig)\n")
    endif()
    foreach(module IN LISTS modules)
        string(APPEND GLASS_FIND_DEPENDENCIES
            "pkg_check_modules(glass_${module} REQUIRED "
            "IMPORTED_TARGET ${module})\n")
    endforeach()
    set(GLASS_TARGET ${target})
    configure_package_config_file(
        "${GLASS_ROOT}/cmake/package-config.cmake.in"
        "${CMAKE_CURRENT_BINARY_DIR}/${target}-config.cmake"
        INSTALL_DESTINATION "${package_dir}"
        NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
    write_basic_package_version_file(
        "${CMAKE_CURRENT_BINARY_DIR}/${target}-config-version.cmake"
        VERSION ${GLASS_VERSION} COMPATIBILITY SameMinorVersion)
    install(FILES
        "${CMAKE_CURRENT_BINARY_DIR}/${target}-config.cmake"
        "${CMAKE_CURRENT_BINARY_DIR}/${target}-config-version.cmake"
        DESTINATION "${package_dir}" COMPONENT ${name})

    # The pkg-config file. The library is static, so what it needs is private.
    # Its prefix is relative to itself: `cmake --install --prefix` may move it.
    file(RELATIVE_PATH GLASS_PC_TO_PREFIX
        "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
    set(GLASS_DESCRIPTION "${arg_DESCRIPTION}")
    string(REPLACE ";" " " GLASS_REQUIRES "${modules}")
    set(GLASS_LIBS_PRIVATE "")
    if(threads)
        string(APPEND GLASS_LIBS_PRIVATE " -pthread")
    endif()
    if(math)
        string(APPEND GLASS_LIBS_PRIVATE " -lm")
    endif()
    configure_file("${GLASS_ROOT}/cmake/package.pc.in"
        "${CMAKE_CURRENT_BINARY_DIR}/${target}.pc" @ONLY)
    install(FILES "${CMAKE_CURRENT_BINARY_DIR}/${target}.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT ${name})
endfunction()
