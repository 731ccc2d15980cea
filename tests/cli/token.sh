#!/usr/bin/env bash
# glass token, and a server that asks for tokens, as an operator would use them.
. "$(dirname "$0")/support.sh"

data=$work/data
expect 2 "$glass" token
expect 2 "$glass" token create --scope invoke
complains 'needs the server'
expect 2 "$glass" token create --data "$data"
complains 'needs a --scope'
expect 2 "$glass" token revoke --data "$data"
expect 2 "$glass" token list 1 --data "$data"
expect 2 "$glass" token forge --data "$data"
complains "'forge'"
expect 1 "$glass" token create --data "$data" --scope everything
expect 1 "$glass" token create --data "$data" --scope admin --namespace A
expect 0 "$glass" token list --data "$data"
is ''

# Without tokens the server is for this machine; with some it may be anywhere,
# and asks.
expect 1 "$glass" serve --listen 0.0.0.0:0 --data "$data"
complains 'no loopback address'
expect 0 "$glass" token create --data "$data" --scope functions --scope invoke \
    --scope state:r=cou --note 'for ci' --expires 1h
silent
token=$(cat "$out")
[[ $token =~ ^glass_[0-9a-f]{16}_[0-9a-f]{64}$ ]] || fail 'that is no token'
id=${token:6:16}
if grep -rqF "${token:23}" "$data"; then fail 'the secret was kept'; fi
expect 0 "$glass" token list --data "$data"
says "$id	default	2"
says 'functions invoke state:r=cou	for ci'
expect 0 "$glass" token list --data "$data" --json
says "\"id\":\"$id\",\"namespace\":\"default\",\"note\":\"for ci\""
says '"scopes":["functions","invoke","state:r=cou"]'

start_server --data "$data" --threads 2 --drain 2s
expect 1 "$glass" deploy counter "$faaslets/counter.wasm"
complains '401'
export GLASS_TOKEN=$token
expect 0 "$glass" deploy counter "$faaslets/counter.wasm"
expect 0 "$glass" invoke counter --data 3
is 3
expect 0 "$glass" state get counter
is 3
expect 1 "$glass" state put counter 4
complains '403'
complains 'state:w'
expect 1 "$glass" state get other
complains '403'
expect 1 "$glass" state get counter --namespace other
complains '403'

# What was created or revoked counts once the server has read it.
expect 0 "$glass" token create --data "$data" --namespace other \
    --scope state:r --scope state:w --json
says '"token":"glass_'
other=$(sed -E 's/.*"token":"([^"]*)".*/\1/' "$out")
GLASS_TOKEN=$other expect 1 "$glass" state put counter 7
complains '401'
reload_server() {
    local before
    before=$(grep -c 'the tokens' "$work/serve.err" || true)
    kill -HUP "$server"
    for _ in $(seq 1000); do
        [ "$(grep -c 'the tokens' "$work/serve.err")" -le "$before" ] || return 0
        sleep 0.02
    done
    fail 'SIGHUP does nothing'
}
reload_server
GLASS_TOKEN=$other expect 0 "$glass" state put counter 7
GLASS_TOKEN=$other expect 0 "$glass" state get counter
is 7
expect 0 "$glass" state get counter
is 3
expect 0 "$glass" token revoke "$id" --data "$data"
expect 1 "$glass" token revoke "$id" --data "$data"
complains 'there is no token'
reload_server
expect 1 "$glass" invoke counter --data 3
complains '401'

# SIGHUP is no reason to end, not even while the server does.
cat >"$work/spin.wat" <<'WAT'
(module (func (export "spin") (loop br 0)))
WAT
wat2wasm "$work/spin.wat" -o "$work/spin.wasm"
expect 0 "$glass" token create --data "$data" --scope functions --scope invoke
GLASS_TOKEN=$(cat "$out")
reload_server
expect 0 "$glass" deploy spin "$work/spin.wasm"
"$glass" invoke spin --export spin >"$work/spin.out" 2>&1 </dev/null &
client=$!
for _ in $(seq 3000); do
    read -r -a stat <"/proc/$server/stat"
    [ "${stat[13]}" -lt 20 ] || break
    sleep 0.02
done
kill -TERM "$server"
# It drains when nobody can connect any more.
while (exec 3<>"/dev/tcp/127.0.0.1/${GLASS_SERVER##*:}") 2>/dev/null; do
    sleep 0.02
done
kill -HUP "$server"
status=0
wait "$server" || status=$?
server=
[ "$status" = 0 ] || fail "SIGHUP ends a server that drains: $status"
wait "$client" || true

# Who did what is in the log; who was not known did nothing.
cp "$data/audit.log" "$out"
says "\"act\":\"token create\",\"name\":\"$id\",\"namespace\":\"default\"}"
says "\"act\":\"PUT /v1/functions/{name}\",\"name\":\"counter\",\"namespace\":\"default\",\"token\":\"$id\",\"status\":201}"
says "\"act\":\"token revoke\",\"name\":\"$id\""
[ "$(wc -l <"$out")" = 6 ] || fail 'the log has other lines'

# A file that makes no sense is no reason to let everybody in.
echo '{' >"$data/tokens.json"
expect 1 "$glass" serve --port 0 --data "$data"
complains 'no JSON'
expect 1 "$glass" token list --data "$data"
