#!/usr/bin/env bash
# load.sh - many calls at once, and none of them lost.
#
#     tests/faaslets/load.sh memory|redis
#
# 10,000 calls of the counter over 64 connections to a server of its own, its
# state in memory or in a redis-server of its own: every one is answered with
# success, and the counter is exactly 10,000 higher.
set -euo pipefail

backend=${1:?memory or redis}
bin=${GLASS_BIN_DIR:?}
work=$(mktemp -d)
server=
redis=
stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$redis" ] || kill "$redis" 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
cd "$work"

state=memory
if [ "$backend" = redis ]; then
    redis-server --port 0 --unixsocket "$work/socket" --save '' \
        --appendonly no --dir "$work" >redis.out 2>&1 &
    redis=$!
    state=unix:$work/socket
    for _ in $(seq 600); do
        [ ! -S socket ] || break
        sleep 0.05
    done
fi
"$bin/glass" serve --listen 127.0.0.1:0 --data data --state "$state" \
    >serve.out 2>&1 &
server=$!
url=
for _ in $(seq 600); do
    url=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' serve.out) && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
done
[ -n "$url" ] || { cat serve.out; exit 1; }

export GLASS_SERVER=$url
"$bin/glass" deploy counter "${GLASS_FAASLETS:?}/counter.wasm"
"$bin/glass" state put counter 700
"$bin/glass-load" --port "${url##*:}" --pid "$server" --seconds 250 \
    --connections 64 --requests 10000 --path /v1/functions/counter/invoke
sum=$("$bin/glass" state get counter)
[ "$sum" = 10700 ] || { echo "FAILED: the counter is at $sum"; exit 1; }

# It leaves in order, and so do the sanitizers, who speak up at the end.
kill -TERM "$server"
status=0
wait "$server" || status=$?
server=
[ $status = 0 ] || { echo "FAILED: exit $status"; cat serve.out; exit 1; }
echo "ok: from 700 to $sum"
