#!/usr/bin/env bash
# tidy-test.sh - tidy.sh finds what it is there to find.
#
# Every row breaks one rule in a small tidy tree and expects the finding; the
# tree as it is must have none.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

# A tree without a finding: a library of one file with its test.
tidy_tree() {
    rm -rf "${tree:?}"/*
    mkdir -p "$tree"/{vm,state,runtime,http,cli,tests/vm}
    cd "$tree"
    echo 'glass_add_library(vm HEADER vm.h SOURCES load.c)' >vm/CMakeLists.txt
    echo 'glass_add_check(NAME check_load)' >tests/vm/CMakeLists.txt
    printf 'int\ngvm_load(int x);\n' >vm/vm.h
    printf '#include "vm/vm.h"\n\nint\ngvm_load(int x)\n{\n' >vm/load.c
    printf '    return x;\n}\n' >>vm/load.c
    echo '#include "vm/vm.h"' >tests/vm/check_load.c
}

# expect TEXT [OPTION...]: tidy.sh fails and says TEXT.
expect() {
    local text=$1 output
    shift
    if output=$("$here/tidy.sh" --root "$tree" "$@" 2>&1); then
        echo "FAILED: nothing found, expected: $text"
        failed=1
    elif ! grep -qF "$text" <<<"$output"; then
        echo "FAILED: expected: $text"
        printf '%s\n' "$output"
        failed=1
    else
        echo "ok: $text"
    fi
}

# expect_tidy [OPTION...]: tidy.sh has nothing to say.
expect_tidy() {
    local output
    if output=$("$here/tidy.sh" --root "$tree" "$@" 2>&1); then
        echo "ok: a tidy tree has no finding ($*)"
    else
        echo "FAILED: a tidy tree has findings"
        printf '%s\n' "$output"
        failed=1
    fi
}

repeat() {
    local i
    for ((i = 0; i < $1; i++)); do echo "$2"; done
}

tidy_tree
expect_tidy

# Lengths: at the limit nothing, one past it a finding.
printf '/*%76s*/\n' '' >>vm/load.c
expect_tidy
printf '/*%77s*/\n' '' >>vm/load.c
expect 'vm/load.c: columns: line 9'

tidy_tree
repeat 593 '/* */' >>vm/load.c
expect_tidy
echo '/* */' >>vm/load.c
expect 'vm/load.c: file-length: 601 lines'

tidy_tree
{ printf 'static int\nlong_one(void)\n{\n'
  repeat 70 '    ;'
  echo '}'; } >>vm/load.c
expect_tidy
tidy_tree
{ printf 'static int\nlong_one(void)\n{\n'
  repeat 71 '    ;'
  echo '}'; } >>vm/load.c
expect 'vm/load.c:long_one: function-length: 71 lines'

tidy_tree
printf '\tint x;\n' >>vm/load.c
expect 'vm/load.c: blanks: line 8'

# Arrows.
tidy_tree
echo '#include "state/state.h"' >>vm/load.c
expect 'vm/load.c: include: line 8: vm knows no "state/state.h"'

tidy_tree
echo 'int x;' >vm/inner.h
echo '#include "vm/inner.h"' >>vm/load.c
echo '#include "vm/inner.h"' >runtime/runtime.h
echo '#include "runtime/runtime.h"' >http/http.h
echo '#include "http/http.h"' >>tests/vm/check_load.c
expect 'runtime/runtime.h: include: line 1: only vm/vm.h may be included'

tidy_tree
echo 'int runtime_run(void);' >runtime/program.h
echo '#include "runtime/program.h"' >cli/cli.h
echo '#include "cli.h"' >>tests/vm/check_load.c
expect_tidy

tidy_tree
echo '#include <microhttpd.h>' >>vm/load.c
expect 'vm/load.c: include: line 8: <microhttpd.h> is for http'

# Every source has a test and a place in the build; headers have a reader.
tidy_tree
cp vm/load.c vm/extra.c
echo 'extra.c' >>vm/CMakeLists.txt
expect 'vm/extra.c: own-test: there is no tests/vm/check_extra.c'
expect 'vm/extra.c: own-test'
echo 'own-test vm/extra.c it is covered by load' >tests/tidy.allow
expect_tidy
echo 'own-test vm/extra.c' >tests/tidy.allow
expect 'vm/extra.c: own-test'
echo 'own-test vm/load.c it has one by now' >tests/tidy.allow
expect 'vm/load.c: allow: own-test is not needed any more'

tidy_tree
cp vm/load.c vm/load_names.c
echo 'load_names.c' >>vm/CMakeLists.txt
expect_tidy

tidy_tree
cp vm/load.c cli/loader.c
expect 'cli/loader.c: dead-file: no CMakeLists.txt names it'

tidy_tree
echo 'row' >vm/rows.inc
expect 'vm/rows.inc: dead-file: nothing includes it'

# Words.
tidy_tree
echo '/* TO''DO: later */' >>vm/load.c
expect 'vm/load.c: bare-todo: line 8'

tidy_tree
echo 'cd /ho''me/somebody' >http/readme.md
expect 'http/readme.md: machine-path: line 1'

tidy_tree
mkdir -p scripts
printf '#!/usr/bin/env bash\nsay="what is left open\n' >scripts/say
expect 'scripts/say: script: bash cannot read it'

# Symbols and globals, in libraries made here.
build=$tree/build
archive() {
    mkdir -p "$build/$1"
    (cd "$build/$1" && "${CC:-cc}" -c -x c - -o x.o &&
        ar rcs "libglass-$1.a" x.o)
}
make_libraries() {
    tidy_tree
    echo 'int state_open(void);' >state/state.h
    echo 'int runtime_open(void);' >runtime/runtime.h
    echo 'int http_open(void);' >http/http.h
    echo 'int gvm_load(int x) { return x; }' | archive vm
    echo 'int state_open(void) { return 1; }' | archive state
    echo 'int runtime_open(void) { return 1; }' | archive runtime
    echo 'int http_open(void) { return 1; }' | archive http
}
make_libraries
echo 'static const char *const names[] = { "a" };
      const char *const *state__names(void) { return names; }
      int state_open(void) { return 1; }' | archive state
expect_tidy --libraries "$build"

make_libraries
echo 'int load(int x) { return x; }' | archive vm
expect 'vm:load: symbol: does not begin with gvm_' --libraries "$build"

make_libraries
echo 'int gvm_hidden(int x) { return x; }' | archive vm
expect 'vm:gvm_hidden: symbol: is not declared in vm/vm.h' \
    --libraries "$build"

make_libraries
echo 'int runtime_run(void);' >runtime/program.h
echo 'int runtime_run(void) { return 1; }' | archive runtime
expect_tidy --libraries "$build"

make_libraries
echo 'int gvm__load(int x);' >>vm/vm.h
echo 'int gvm__load(int x) { return x; }' | archive vm
expect 'vm/vm.h:gvm__load: symbol: is internal by its name' \
    --libraries "$build"

make_libraries
echo 'static int calls; int http_open(void) { return ++calls; }' |
    archive http
expect 'http:calls: global: can be written (.bss)' --libraries "$build"

make_libraries
rm "$build/http/libglass-http.a"
expect 'http: symbol: there is no' --libraries "$build"

exit $failed
