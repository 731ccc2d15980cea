#!/usr/bin/env bash
# glass serve and the commands that talk to it, as an operator would use them.
. "$(dirname "$0")/support.sh"

start_server --data "$work/data" --threads 2
expect 0 "$glass" deploy hello "$faaslets/hello.wasm"
says 'hello version 1: faaslet'
expect 0 "$glass" deploy counter "$faaslets/counter.wasm" --json
says '"name":"counter"'
expect 0 "$glass" deploy wordcount "$faaslets/wordcount.wasm"
says command
expect 0 "$glass" deploy trap "$faaslets/trap.wasm"
expect 0 "$glass" deploy echo "$faaslets/echo.wasm" --create
expect 1 "$glass" deploy echo "$faaslets/hello.wasm" --create
complains '412'
expect 1 "$glass" deploy bad "$0"
complains '400'
expect 1 "$glass" deploy x "$work/nothing.wasm"

expect 0 "$glass" deploy tight "$faaslets/wordcount.wasm" --fuel 100 \
    --timeout 5s --memory 1M --env A=b --env C=d=e --json
says '"config":{"timeout_ms":5000,"fuel":100,"memory_bytes":1048576,'
says '"env":{"A":"b","C":"d=e"}}'
expect 1 "$glass" invoke tight
complains '504'
expect 0 "$glass" deploy limited "$faaslets/hello.wasm" --concurrency 3 \
    --queue 2 --queue-wait 1s --json
says '"config":{"concurrency":3,"queue":2,"queue_ms":1000,"env":{}}'
expect 0 "$glass" deploy limited "$faaslets/hello.wasm" --stack 64K \
    --table-entries 5 --output-max 6 --log-rate 7 --json
says '"config":{"stack_bytes":65536,"table_entries":5,"output_bytes":6,'
says '"log_bytes_per_s":7,"env":{}}'
expect 0 "$glass" deploy tight "$faaslets/wordcount.wasm" --json
says '"fuel":100,'
expect 0 "$glass" deploy tight "$faaslets/wordcount.wasm" --reset --json
says '"config":{"env":{}}'
expect 0 "$glass" invoke tight
is '0 0 0'
expect 2 "$glass" deploy tight "$faaslets/wordcount.wasm" --env A
expect 1 "$glass" deploy tight "$faaslets/wordcount.wasm" --env =b
complains '400'

# Files, as far as the server has any for functions.
copy=$GLASS_BIN_DIR/../tests/runtime/guests/copy.wasm
expect 1 "$glass" deploy page "$copy" --dir-read . --env FROM=page
complains 'no directories'
stop_server
mkdir "$work/files" "$work/files/site"
echo 'a page' >"$work/files/site/page"
start_server --data "$work/data" --threads 2 --files "$work/files"
expect 0 "$glass" deploy page "$copy" --dir-read site::/www \
    --env FROM=/www/page --json
says '"dirs":{"/www":"site"}'
expect 0 "$glass" invoke page
is 'a page'
expect 1 "$glass" deploy page "$copy" --dir-read ../data::/www
complains 'outside'
expect 2 "$glass" deploy page "$copy" --dir-read ::/www
complains 'HOST[::GUEST]'
expect 0 "$glass" invoke page
expect 0 "$glass" deploy page "$copy" --reset
expect 1 "$glass" invoke page

# Secrets and grants: the names are shown, the secret to the function alone.
grants=$GLASS_BIN_DIR/../tests/runtime/guests/grants.wasm
expect 0 "$glass" deploy grants "$grants" --grant-secret b --grant-call d \
    --grant-read a/ --grant-read c --grant-write a/ --json
says '"grants":{"state_read":["a/","c"],"state_write":["a/"],"functions":["d"],'
says '"secrets":["b"]}'
expect 0 "$glass" invoke grants
is '..... ....... . DDDDD DDDDDDD D '
expect 0 "$glass" invoke grants --data b
is 'none'
stop_server
printf '{"default": {"b": "correct horse", "c": 1}}' >"$work/secrets"
expect 1 "$glass" serve --listen 127.0.0.1:0 --secrets "$work/secrets"
complains "the secret 'c' of the namespace 'default' is no string"
printf '{"default": {"b": "correct horse"}}' >"$work/secrets"
chmod 600 "$work/secrets"
start_server --data "$work/data" --threads 2 --files "$work/files" \
    --secrets "$work/secrets"
expect 0 "$glass" invoke grants --data b
is 'correct horse'
expect 0 "$glass" invoke grants --data a
is 'denied'
if grep -rq 'correct horse' "$work/data" "$out" "$work/serve.err"; then
    fail 'a secret was written down'
fi

expect 0 "$glass" invoke hello --data Glass
is 'Hello, Glass!'
expect 0 "$glass" invoke hello
is 'Hello, world!'
expect 0 "$glass" invoke hello --data you --async
id=$(cat "$out")
[[ $id =~ ^[0-9a-f]{32}$ ]] || { echo "FAILED: $id is no identity"; exit 1; }
[ "$(curl -s "$GLASS_SERVER/v1/calls/$id?wait=60s" | grep -c '"status":"ok"')" = 1 ]
[ "$(curl -s "$GLASS_SERVER/v1/calls/$id/output")" = 'Hello, you!' ]
expect 0 "$glass" invoke hello --async --json
says '"status":"pending"}'
expect 1 "$glass" invoke nobody --async
expect 0 "$glass" invoke hello --json
says '"output":"Hello, world!\n"'
expect 0 "$glass" invoke echo --file "$faaslets/echo.wasm"
cmp -s "$out" "$faaslets/echo.wasm" || fail "echo of a file"
expect 0 "$glass" invoke echo --file "$faaslets/echo.wasm" --json
says '"output_base64":"AGFzbQ'
printf 'a b c' | "$glass" invoke wordcount --file - >"$out"
last='invoke from stdin' is '0 3 5'
expect 1 "$glass" invoke trap
complains '500 The function trapped: unreachable'
expect 1 "$glass" invoke trap --json
complains '"trap":"unreachable"'
expect 1 "$glass" invoke nobody
complains '404'

expect 0 "$glass" state put counter 100
is ''
expect 0 "$glass" invoke counter --data 20
is 120
expect 0 "$glass" state get counter
is 120
expect 0 "$glass" state get counter --json
says '"value":"120"'
expect 0 "$glass" state incr counter
is 121
expect 0 "$glass" state incr counter -21
is 100
expect 0 "$glass" state incr counter 1 --json
says '"value":101'
expect 0 "$glass" state append log one
is 3
expect 0 "$glass" state append log --file "$faaslets/hello.wasm"
expect 0 "$glass" state get log --json
says '"value_base64":'
expect 0 "$glass" state put 'a b/c:d%' odd
expect 0 "$glass" state get 'a b/c:d%'
is odd
expect 0 "$glass" state put .. dots
expect 0 "$glass" state get ..
is dots
expect 0 "$glass" state list
[ "$(cut -f1 "$out")" = $'..\na b/c:d%\ncounter\nlog' ] || fail "list"
expect 0 "$glass" state list co --json
says '{"key":"counter","version":'
expect 0 "$glass" state list --limit 1
[ "$(wc -l <"$out")" = 1 ] || fail "list --limit"
expect 0 "$glass" state delete log
expect 1 "$glass" state get log
complains '404'
expect 1 "$glass" state put counter 1 --if-version 0
complains '412'
expect 0 "$glass" state put new 1 --if-version 0 --json
says '{"version":'
expect 0 "$glass" state get counter --server "$GLASS_SERVER/"
is 101
expect 1 "$glass" state get counter --namespace other
complains '404'
expect 1 "$glass" state get counter --namespace 'not a name'
complains '400'
expect 1 "$glass" state incr .. 1
complains '409'

# More keys than a page has.
seq -f 'many/%04g' 250 | while read -r key; do
    printf 'PUT /v1/state/%s HTTP/1.1\r\nHost: localhost\r\n' "$key"
    printf 'Content-Length: 1\r\n\r\nv'
done >"$work/puts"
port=${GLASS_SERVER##*:}
exec 3<>"/dev/tcp/127.0.0.1/$port"
cat "$work/puts" >&3
for _ in $(seq 250); do read -r _ <&3; read -r _ <&3; read -r _ <&3
    read -r _ <&3; done
exec 3>&-
expect 0 "$glass" state list many/
[ "$(wc -l <"$out")" = 250 ] || fail "list of many"
expect 0 "$glass" state list many/ --limit 150
[ "$(wc -l <"$out")" = 150 ] || fail "list of many, limited"

# A restart finds the functions.
stop_server
expect 1 "$glass" invoke hello
complains "$GLASS_SERVER"
start_server --data "$work/data" --json
grep -qE '^\{"url":"http://127.0.0.1:[0-9]+","port":[0-9]+,"pid":[0-9]+\}$' \
    "$work/serve" || { cat "$work/serve"; exit 1; }
# And they are warm: nothing is initialised again.
for name in hello echo; do
    curl -sS -i -X POST -d 1 "$GLASS_SERVER/v1/functions/$name/invoke" >"$out"
    last="the first call of $name" says 'Glass-Start: snapshot'
done
expect 0 "$glass" invoke hello
is 'Hello, world!'
expect 1 "$glass" state get counter

# What cannot be served.
expect 1 "$glass" serve --port 0 --state lmdb:"$work/state" --durability maybe
complains 'none, behind or sync'
echo text >"$work/data.mdb"
expect 1 "$glass" serve --port 0 --state lmdb:"$work"
complains 'data.mdb is cut off'
rm "$work/data.mdb"
expect 1 "$glass" serve --listen 0.0.0.0:0
complains 'no loopback address'
expect 1 "$glass" serve --port "${GLASS_SERVER##*:}"
complains 'in use'
expect 1 "$glass" serve --port 0 --data "$work/data"
expect 1 "$glass" serve --port 0 --state nonsense://x
expect 1 "$glass" serve --port 0 --threads 65
expect 1 "$glass" serve --port 0 --threads 4294967297
kill -INT "$server"
wait "$server" || { echo "SIGINT: exits with $?" >&2; exit 1; }
server=

# A call that does not end is cancelled, and answered, when the time to drain
# is over.
cat >"$work/spin.wat" <<'WAT'
(module (func (export "spin") (loop br 0)))
WAT
wat2wasm "$work/spin.wat" -o "$work/spin.wasm"
start_server --drain 100ms --timeout 10m --threads 2
expect 0 "$glass" deploy spin "$work/spin.wasm"
"$glass" invoke spin --export spin >"$work/spin.out" 2>&1 </dev/null &
client=$!
# It has begun when the server has used some time of its own.
for _ in $(seq 3000); do
    read -r -a stat <"/proc/$server/stat"
    [ "${stat[13]}" -lt 20 ] || break
    sleep 0.02
done
begin=$SECONDS
stop_server
[ $((SECONDS - begin)) -lt 60 ] || fail "the drain waits for the call"
[ ! -s "$work/serve.err" ] || { cat "$work/serve.err"; exit 1; }
! wait "$client" || fail "a call that was cancelled has succeeded"
grep -q '503 The call was cancelled' "$work/spin.out" ||
    { cat "$work/spin.out"; exit 1; }

# Few descriptors are fewer connections, and that is said. Nothing after this:
# the limit stays.
ulimit -n 200
start_server --connections 101
grep -q 'grants 200 descriptors: at most 100 connections' "$work/serve.err" ||
    { cat "$work/serve.err"; exit 1; }
stop_server
mkdir -p "$work/few"
start_server --connections 101 --files "$work/few"
grep -q 'at most 50 connections, and 50 files and directories of functions' \
    "$work/serve.err" || { cat "$work/serve.err"; exit 1; }
stop_server
start_server --connections 100
[ ! -s "$work/serve.err" ] || { cat "$work/serve.err"; exit 1; }
stop_server
