# What every CMakeLists.txt of Glass relies on. The root includes it, and so do
# vm/ and state/ when they are built alone, right after their project():
#
#     cmake_minimum_required(VERSION 3.25)
#     include("${CMAKE_CURRENT_LIST_DIR}/../cmake/GlassVersion.cmake")
#     project(glass-vm VERSION ${GLASS_VERSION} LANGUAGES C)
#     include("${CMAKE_CURRENT_LIST_DIR}/../cmake/Glass.cmake")
#
#     glass_add_library(vm HEADER vm.h SOURCES decode.c validate.c ...)
#     glass_install_library(vm DESCRIPTION "WebAssembly engine")
#     glass_add_own_tests(vm)

get_filename_component(GLASS_ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
include(CTest)
include("${CMAKE_CURRENT_LIST_DIR}/GlassOptions.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/GlassPackage.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/GlassTest.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/GlassEmbed.cmake")
