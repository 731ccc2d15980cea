#!/usr/bin/env bash
# language.sh - an unchanged program of another language is a function.
#
#     tests/faaslets/language.sh rust|c++|assemblyscript
#
# Compiles programs/words.* for WASI by what that language's own people would
# use, runs it, deploys it and calls it over HTTP: the output, the exit code
# and the environment are what the program thinks they are.
# Exit status 77 (skipped) when the compiler is not to be had.
. "$(dirname "$0")/../cli/support.sh"

language=${1:?the language}
programs=$(cd "$(dirname "$0")/programs" && pwd)
module=$work/words.wasm

# A rustc that has the standard library for WASI. Its target got another name.
compile_rust() {
    local rustc target
    for rustc in /usr/bin/rustc rustc; do
        for target in wasm32-wasi wasm32-wasip1; do
            ! "$rustc" --target $target -O -o "$module" \
                "$programs/words.rs" 2>"$err" || return 0
        done
    done
    return 1
}

compile_cpp() {
    clang++-14 --target=wasm32-wasi -O2 -std=c++17 -fno-exceptions \
        -stdlib=libc++ -o "$module" "$programs/words.cc" 2>"$err"
}

# Its compiler is a package of npm, and is installed beside the programs under
# test when npm and its registry are there.
compile_assemblyscript() {
    local packages=$GLASS_BIN_DIR/../npm shim=@assemblyscript/wasi-shim
    local asc=node_modules/assemblyscript/bin/asc.js
    if [ ! -e "$packages/$asc" ]; then
        mkdir -p "$packages"
        timeout 120 npm install --prefix "$packages" --no-audit --no-fund \
            --no-save assemblyscript@0.28 $shim@0.1 >"$err" 2>&1 || return 1
    fi
    cp "$programs/words.ts" "$work"
    (cd "$packages" && node $asc "$work/words.ts" -O -o "$module" \
        --config node_modules/$shim/asconfig.json) 2>"$err"
}

case $language in
rust) compile_rust ;;
c++) compile_cpp ;;
assemblyscript) compile_assemblyscript ;;
*) false ;;
esac || { echo "no compiler of $language for WASI:"; cat "$err"; exit 77; }

printf 'b a b\nc a b\td é é é é\n' >"$work/input"
words='4 é
3 b
2 a'
"$glass" run "$module" <"$work/input" >"$out" 2>"$err" ||
    fail "$language exits with $?"
last="run $language" is "$words"
"$glass" run "$module" --env LIMIT=1 <"$work/input" >"$out"
last="run $language, 1" is '4 é'
expect 3 "$glass" run "$module"
complains 'no words'

start_server --threads 1
expect 0 "$glass" deploy words "$module"
says command
expect 0 "$glass" invoke words --file "$work/input"
is "$words"
expect 1 "$glass" invoke words
complains 'exit code is 3'
expect 0 "$glass" deploy words "$module" --env LIMIT=2
for _ in 1 2 3; do
    expect 0 "$glass" invoke words --file "$work/input"
    is $'4 é\n3 b'
done
stop_server
