#!/usr/bin/env bash
# glass run and glass inspect: programs, exports, exit codes, traps.
. "$(dirname "$0")/support.sh"

# Streams and their ends.
printf 'one two\nthree\n' | "$glass" run "$faaslets/wordcount.wasm" >"$out"
last=wordcount is '2 3 14'
head -c 1000000 /dev/zero | "$glass" run "$faaslets/wordcount.wasm" >"$out"
last=wordcount is '0 1 1000000'

# A module of exports, from text.
cat >"$work/math.wat" <<'WAT'
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func $divide (export "divide") (param i32 i32) (result i32)
    local.get 0 local.get 1 i32.div_s)
  (func (export "pair") (param f64 i64) (result f64 i64)
    local.get 0 local.get 1)
  (func (export "spin") (loop br 0))
  (func $deep (export "deep") call $deep)
  (func (export "leave") (param i32) local.get 0 call $exit)
  (func (export "_start") i32.const 7 call $exit))
WAT
wat2wasm --enable-all --debug-names "$work/math.wat" -o "$work/math.wasm"
math=$work/math.wasm

expect 0 "$glass" run "$math" --invoke divide 7 -2
is -3
expect 0 "$glass" run --invoke divide "$math" -- -7 2
is -3
expect 0 "$glass" run "$math" --invoke pair -0.5 0x10
is $'-0.5\n16'
expect 0 "$glass" run "$math" --invoke pair nan -1 --json
says '{"results":["nan",-1],"fuel_used":'
silent

# Exit codes, traps, ends.
expect 7 "$glass" run "$math"
silent
expect 0 "$glass" run "$math" --invoke leave 0
expect 42 "$glass" run "$math" --invoke leave 42
expect 134 "$glass" run "$math" --invoke divide 1 0
complains 'trap'
complains 'integer divide by zero'
complains 'divide'
complains 'offset 0x'
expect 134 "$glass" run "$math" --invoke divide 1 0 --json
complains '"trap":"integer divide by zero"'
complains '"function_index":1'
complains '"offset":'
expect 134 "$glass" run "$math" --invoke divide -2147483648 -1
complains 'integer overflow'
expect 134 "$glass" run "$math" --invoke deep
expect 124 "$glass" run "$math" --invoke spin --fuel 1000000
complains 'fuel'
expect 124 "$glass" run "$math" --invoke spin --timeout 50ms
complains 'deadline'

# Directories: a program that copies one file to another, by their paths.
mkdir "$work/in" "$work/copies"
printf 'some text\n' >"$work/in/a"
ln -s ../secret "$work/in/b"
echo secret >"$work/secret"
copy=$GLASS_BIN_DIR/../tests/runtime/guests/copy.wasm
expect 0 "$glass" run "$copy" --dir "$work/in::/in" --dir "$work/copies::/out" \
    -- /in/a /out/a
cmp "$work/in/a" "$work/copies/a" || fail "$last: the copy differs"
expect 0 "$glass" run "$copy" --dir-read "$work/in" --dir "$work/copies::out" \
    -- "$work/in/a" out/b
cmp "$work/in/a" "$work/copies/b" || fail "$last: the copy differs"
expect 1 "$glass" run "$copy" --dir "$work/in::/in" --dir "$work/copies::/out" \
    -- /in/b /out/c
complains 'cannot read /in/b'
expect 1 "$glass" run "$copy" --dir-read "$work/in::/in" -- /in/a /in/c
complains 'cannot write /in/c'
expect 1 "$glass" run "$copy" --dir "$work/in::/in" -- /in/a /in/../c
expect 1 "$glass" run "$copy" -- "$work/in/a" "$work/in/c"
[ ! -e "$work/in/c" ] && [ ! -e "$work/c" ] || fail "$last: has written"
expect 1 "$glass" run "$copy" --dir "$work/nothing"
complains 'No such file'
expect 2 "$glass" run "$copy" --dir ::/in
expect 2 "$glass" run "$copy" --dir "$work::"
complains 'HOST[::GUEST]'

# Limits: memory, and the number of directories.
expect 1 "$glass" run "$math" --memory-max 1K
expect 7 "$glass" run "$math" --memory-max 64K
many=()
for _ in $(seq 64); do many+=(--dir "$work"); done
expect 7 "$glass" run "$math" "${many[@]}"
expect 1 "$glass" run "$math" "${many[@]}" --dir-read "$work"
complains '64 directories'

# A wait for input that does not come ends with the time.
mkfifo "$work/pipe"
exec 7<>"$work/pipe"
last="wordcount that waits" status=0
"$glass" run "$faaslets/wordcount.wasm" --timeout 50ms <&7 >"$out" \
    2>"$err" || status=$?
exec 7>&-
[ "$status" = 124 ] || fail "$last: exits $status, not 124"
complains 'deadline'

# What cannot be run.
expect 1 "$glass" run "$math" --invoke none
expect 1 "$glass" run "$math" --invoke divide 1
expect 1 "$glass" run "$math" --invoke divide 1 x
expect 1 "$glass" run "$work/nothing.wasm"
complains 'No such file'
expect 1 "$glass" run "$work/math.wat"
expect 1 "$glass" run "$faaslets/hello.wasm" --invoke glass_handle
complains 'glass.'
expect 2 "$glass" run "$math" --env novalue

# inspect
expect 0 "$glass" inspect "$math"
says 'function wasi_snapshot_preview1.proc_exit (i32) -> ()'
says 'function divide (i32 i32) -> (i32)'
says 'function pair (f64 i64) -> (f64 i64)'
says 'memory memory 1 pages'
says 'features: multi-value'
expect 0 "$glass" inspect "$math" --json
says '"features":["multi-value"]'
says '"kind":"function","type":"(i32 i32) -> (i32)","name":"divide"'
expect 0 "$glass" inspect "$faaslets/hello.wasm"
says 'function glass.output_write'
expect 1 "$glass" inspect "$work/math.wat"
complains 'malformed'
expect 1 "$glass" inspect "$work/nothing.wasm"
