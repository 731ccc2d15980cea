#!/usr/bin/env bash
# alone.sh - a library of Glass by itself, as somebody else would use it.
#
#     tests/alone.sh vm|state
#
# Configures, builds, tests and installs the folder alone; then builds a
# program against what was installed, once by find_package and once by
# pkg-config, and runs both. The tree is copied first without the layers above,
# so that nothing of them can be used by accident.
#
# All of its own tests run in the whole build already: here only those of the
# first file are built and run, to show that they can be. So does the engine
# with handlers by sibling calls, which take a minute to compile: here it has
# the switch loop.
set -euo pipefail

lib=${1:?vm or state}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case $lib in
vm) call='gvm_status_text(GVM_OK)' options=-DGVM_SWITCH_LOOP=ON ;;
state) call='state_status_name(STATE_OK)' options= ;;
*) sed -n '2,5p' "$0" >&2; exit 2 ;;
esac

step() {
    echo "== $*"
    "$@"
}

mkdir -p "$work/tree/tests"
cp -r "$root/cmake" "$root/$lib" "$work/tree"
for folder in support "$lib"; do
    [ ! -d "$root/tests/$folder" ] ||
        cp -r "$root/tests/$folder" "$work/tree/tests"
done
cd "$work"
step cmake -G Ninja -S "tree/$lib" -B build -DGLASS_WARNINGS_ARE_ERRORS=ON $options
first=$(ctest --test-dir build -N | sed -n 's/.*Test *#1: //p')
[ -n "$first" ] || { echo "there are no tests"; exit 1; }
step cmake --build build --target "glass-$lib" "${first/\//-}"
step ctest --test-dir build --output-on-failure -R "^$first\$"
step cmake --install build --prefix "$work/installed" --component "$lib"

mkdir user
cat >user/main.c <<END
#include <glass/$lib.h>
#include <stdio.h>

int main(void)
{
    return puts($call) < 0;
}
END
cat >user/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(glass-$lib REQUIRED)
add_executable(user main.c)
target_link_libraries(user PRIVATE glass::$lib)
END
step cmake -G Ninja -S user -B user/build \
    -DCMAKE_PREFIX_PATH="$work/installed"
step cmake --build user/build
step user/build/user

file=$(find installed -name "glass-$lib.pc")
export PKG_CONFIG_PATH=$work/${file%/*}
# shellcheck disable=SC2046
step "${CC:-cc}" user/main.c -o user/by-pkg-config \
    $(pkg-config --static --cflags --libs "glass-$lib")
step user/by-pkg-config
