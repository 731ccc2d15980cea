#!/usr/bin/env bash
# 10,000 calls of the counter over 64 connections: the counter is exactly
# 10,000 higher, and none of them failed; in this process, and in Redis.
. "$(dirname "$0")/../cli/support.sh"

requests=10000
connections=64

# load [OPTION...]: a server with these options, the calls, and their sum.
load() {
    start_server "$@"
    expect 0 "$glass" deploy counter "$faaslets/counter.wasm"
    expect 0 "$glass" state put counter 1000
    expect 0 "$GLASS_BIN_DIR/glass-load" --port "${GLASS_SERVER##*:}" \
        --path /v1/functions/counter/invoke --body 1 --seconds 250 \
        --connections "$connections" --requests "$requests" --pid "$server"
    echo "$*: $(cat "$out")"
    says "$requests answers, 0 of them errors"
    expect 0 "$glass" state get counter
    is $((1000 + requests))
    stop_server
}

load --data "$work/data"

redis-server --port 0 --unixsocket "$work/redis" --save '' --appendonly no \
    --dir "$work" >/dev/null &
redis=$!
trap 'kill "$redis" 2>/dev/null || true; finish' EXIT
for _ in $(seq 1000); do
    [ ! -S "$work/redis" ] || break
    sleep 0.02
done
load --state "unix:$work/redis"
