# What the tests of the program share: to be sourced.
#
#     expect STATUS COMMAND...   runs it with its streams in $out and $err
#     says TEXT, complains TEXT  $out, $err hold the text
#     is TEXT                    $out is exactly the text

set -euo pipefail
glass=$GLASS_BIN_DIR/glass
faaslets=$GLASS_FAASLETS
work=$(mktemp -d)
out=$work/out
err=$work/err
server=

finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
unset GLASS_SERVER GLASS_NAMESPACE GLASS_TOKEN

fail() {
    echo "FAILED: $*" >&2
    sed 's/^/  out: /' "$out" >&2
    sed 's/^/  err: /' "$err" >&2
    exit 1
}

expect() {
    local wanted=$1 status=0
    shift
    last=$*
    "$@" >"$out" 2>"$err" </dev/null || status=$?
    [ "$status" = "$wanted" ] || fail "$last: exits $status, not $wanted"
}

says() {
    grep -qF -- "$1" "$out" || fail "$last: does not say '$1'"
}

complains() {
    grep -qF -- "$1" "$err" || fail "$last: does not complain '$1'"
}

is() {
    [ "$(cat "$out")" = "$1" ] || fail "$last: is not '$1'"
}

silent() {
    [ ! -s "$err" ] || fail "$last: complains"
}

# Starts a server with further options; sets $server and GLASS_SERVER.
start_server() {
    : >"$work/serve"
    "$glass" serve --listen 127.0.0.1:0 "$@" >"$work/serve" \
        2>"$work/serve.err" </dev/null &
    server=$!
    for _ in $(seq 1000); do
        grep -q 'http://' "$work/serve" && break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.02
    done
    GLASS_SERVER=$(grep -oE 'http://[0-9.:]+' "$work/serve") ||
        { cat "$work/serve.err" >&2; exit 1; }
    export GLASS_SERVER
}

# Ends it as an operator would; it has to exit with 0.
stop_server() {
    local status=0
    kill -TERM "$server"
    wait "$server" || status=$?
    server=
    [ "$status" = 0 ] || { echo "the server exits with $status" >&2; exit 1; }
}
