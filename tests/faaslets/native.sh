#!/usr/bin/env bash
# native.sh - a program in the engine does what it does natively.
#
#     tests/faaslets/native.sh WASM_CLANG
#
# Compiles each program twice, for this machine and by plain
# `clang --target=wasm32-wasi -O2`, runs both on the same input and compares
# what they print, byte for byte, and their exit codes.
# Exit status 77 (skipped) when that clang is not installed.
set -euo pipefail

clang=${1:?the clang that compiles to WebAssembly}
command -v "$clang" >/dev/null || { echo "there is no $clang"; exit 77; }
root=$(cd "$(dirname "$0")/../.." && pwd)
glass=${GLASS_BIN_DIR:?}/glass
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

# compare SOURCE INPUT [ARGUMENT...]
compare() {
    local source=$1 input=$2 name native=0 guest=0
    shift 2
    name=$(basename "$source" .c)
    if [ ! -e "$name" ]; then
        "${CC:-cc}" -O2 -ffp-contract=off "$source" -o "$name" -lm
        "$clang" --target=wasm32-wasi -O2 "$source" -o "$name.wasm"
    fi
    "./$name" "$@" <"$input" >native.out || native=$?
    "$glass" run "$name.wasm" -- "$@" <"$input" >guest.out || guest=$?
    if [ $native = $guest ] && cmp native.out guest.out; then
        echo "ok: $name on $(basename "$input") with '$*': exit code $guest," \
            "$(wc -c <guest.out) bytes"
    else
        echo "FAILED: $name on $(basename "$input") with '$*':" \
            "exit code $guest, natively $native"
        diff native.out guest.out | head -n 10
        failed=1
    fi
}

# compare_in_directory SOURCE: the program does something with a directory,
# and leaves the same in it.
compare_in_directory() {
    local name
    name=$(basename "$1" .c)
    "${CC:-cc}" -O2 "$1" -o "$name"
    "$clang" --target=wasm32-wasi -O2 "$1" -o "$name.wasm"
    rm -rf native guest
    mkdir native guest
    "./$name" native >native.out
    "$glass" run "$name.wasm" --dir guest::native -- native >guest.out ||
        { echo "FAILED: $name exits with $?"; failed=1; }
    if diff native.out guest.out && diff -r --no-dereference native guest
    then
        echo "ok: $name: $(wc -l <guest.out) lines"
    else
        failed=1
    fi
}

: >nothing
printf 'no line end' >open-end
printf '\0\377 \t\n\n\r\n a\0b' >binary
seq 1 7 20000 >numbers
cat "$root"/LICENSE numbers "$root"/LICENSE >text

programs=$root/tests/faaslets/programs
for input in nothing open-end binary text; do
    compare "$root/faaslets/examples/wordcount.c" $input
done
for input in nothing open-end numbers text; do
    compare "$programs/sorting.c" $input
done
compare "$programs/arithmetic.c" nothing
compare "$programs/arithmetic.c" nothing 7
compare "$programs/arithmetic.c" nothing 18446744073709551615 -x -- --help ''
compare_in_directory "$programs/files.c"
exit $failed
