#!/usr/bin/env bash
# sdk.sh - every function of glass.h, seen from the guest.
#
#     tests/faaslets/sdk.sh WASM_CLANG
#
# Compiles programs/everything.c, deploys it to a server and calls it. The
# server links only what it knows by name and type, so this also holds the
# header against the host.
set -euo pipefail

clang=${1:?the clang that compiles to WebAssembly}
root=$(cd "$(dirname "$0")/../.." && pwd)
glass=${GLASS_BIN_DIR:?}/glass
work=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
cd "$work"

"$clang" --target=wasm32-wasi -O2 -mexec-model=reactor \
    -I "$root/faaslets/sdk" "$root/tests/faaslets/programs/everything.c" \
    -o everything.wasm
"$glass" serve --listen 127.0.0.1:0 --data data >serve.out 2>&1 &
server=$!
url=
for _ in $(seq 600); do
    url=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' serve.out) && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
done
[ -n "$url" ] || { cat serve.out; exit 1; }

# Twice: a call leaves nothing behind that the next would stumble over.
export GLASS_SERVER=$url
"$glass" deploy everything everything.wasm --grant-call everything
for _ in 1 2; do
    answer=$("$glass" invoke everything --data 'some input')
    [ "$answer" = ok ] || { echo "FAILED: $answer"; exit 1; }
done
# It fails, and says where, when its input is another.
if "$glass" invoke everything --data 'other input' >answer 2>&1; then
    echo "FAILED: it did not notice another input"
    exit 1
fi
grep -q 'glass_input_len() == 10' answer || { cat answer; exit 1; }

kill "$server"
wait "$server"
server=
echo "ok"
