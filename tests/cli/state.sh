#!/usr/bin/env bash
# state.sh - `glass state` beyond single values: watching, locks, figures, and
# taking the keys of one store to another.
. "$(dirname "$0")/support.sh"

start_server --heartbeat 50ms

# ------------------------------------------------------------------ figures

expect 1 "$glass" state stats
complains '404'
expect 0 "$glass" state put a 12345
expect 0 "$glass" state stats
says $'keys\t1'
says $'bytes\t6'
expect 0 "$glass" state stats --json
says '"name":"default","keys":1,"bytes":6,'
curl -sS -X PUT "$GLASS_SERVER/v1/namespaces/default" \
    -d '{"quota":{"keys":7}}' >/dev/null
expect 0 "$glass" state stats
says $'quota.keys\t7'
says $'quota.policy\treject'
curl -sS -X PUT "$GLASS_SERVER/v1/namespaces/default" -d '{"quota":{}}' \
    >/dev/null

# -------------------------------------------------------------------- locks

expect 0 "$glass" state lock a --lease 1m
token=$(cat "$out")
[ "$token" -gt 0 ] || fail "a token"
expect 1 "$glass" state lock a
complains '409'
expect 1 "$glass" state lock a --shared --timeout 10ms
complains '409'
expect 0 "$glass" state put a 1 --token "$token"
expect 0 "$glass" state extend a "$token" --lease 2m
expect 0 "$glass" state unlock a "$token"
expect 1 "$glass" state unlock a "$token"
complains '412'
expect 1 "$glass" state put a 2 --token "$token"
complains '412'
expect 0 "$glass" state get a
is 1
expect 2 "$glass" state unlock a

# ----------------------------------------------------------------- watching

"$glass" state watch w/ --limit 3 >"$work/watched" 2>"$work/watched.err" &
watcher=$!
# It watches once something is told of: only then do the changes count.
for _ in $(seq 500); do
    [ -s "$work/watched" ] && break
    "$glass" state put w/first 1
    sleep 0.02
done
for _ in 1 2 3; do
    "$glass" state put other 22
    "$glass" state put w/again 333
done
wait "$watcher" || fail "watch: $(cat "$work/watched.err")"
[ "$(wc -l <"$work/watched")" = 3 ] || fail "watch --limit"
head -1 "$work/watched" | grep -qE $'^written\tw/first\t[0-9]+\t1$' ||
    fail "watch: $(cat "$work/watched")"
version=$(tail -1 "$work/watched" | cut -f3)
expect 0 "$glass" state delete w/again
expect 0 "$glass" state watch w/again --from "$version" --limit 1 --json
while ! grep -q '"change":"deleted"' "$out"; do
    grep -q '"change":"written"' "$out" || fail "a deletion"
    version=$((version + 1))
    expect 0 "$glass" state watch w/again --from "$version" --limit 1 --json
done
says '"key":"w/again","version":'
expect 1 "$glass" state watch --from 999999999
complains '410'
expect 1 "$glass" state watch --from x
complains '400'
"$glass" state watch >"$work/watched" 2>"$work/watched.err" &
watcher=$!
for _ in $(seq 500); do
    [ -s "$work/watched" ] && break
    "$glass" state put w/first 1
    sleep 0.02
done
stop_server
! wait "$watcher" || fail "a watch whose server ends exits with 0"
grep -q 'shutting down' "$work/watched.err" ||
    fail "watch: $(cat "$work/watched.err")"

# ------------------------------------------------------- from store to store

# put KEY-AS-IN-A-URL FILE
put() {
    curl -sS --fail --path-as-is -X PUT --data-binary @"$2" \
        "$GLASS_SERVER/v1/state/$1"
}

start_server
printf '' >"$work/empty"
printf 'a\0b\xff\n"\\' >"$work/binary"
printf 'z\xc3\xbcrich' >"$work/text"
head -c 3000000 /dev/urandom >"$work/large"
put empty "$work/empty"
put '%00%ff%0a' "$work/binary"
put '%c3%a4%00' "$work/text"
put large "$work/large"
put 'large%fe' "$work/large"
put 'expires?ttl=1h' "$work/text"
put 'gone?ttl=300ms' "$work/text"
for key in $(seq -f 'many/%04g' 1203); do
    printf 'url = "%s/v1/state/%s"\n' "$GLASS_SERVER" "$key"
    printf 'request = PUT\ndata = "%s"\noutput = /dev/null\nnext\n' \
        "$key"
done | sed '$d' >"$work/many"
curl -sS -K "$work/many" >/dev/null
"$glass" state list >"$work/keys"
# All pages, and the last has a key with a NUL.
[ "$(grep -avc '^gone' "$work/keys")" = 1209 ] || fail "the lines of a list"
[ "$(tail -1 "$work/keys" | head -c 3 | od -An -tx1)" = ' c3 a4 00' ] ||
    fail "a NUL in a list"
expect 0 "$glass" state export
cp "$out" "$work/export"
count=$(tail -1 "$work/export" | tr -dc 0-9)
[ "$(wc -l <"$work/export")" = $((count + 2)) ] || fail "lines of an export"
[ "$count" -ge 1209 ] || fail "an export of $count keys"
expect 0 "$glass" state export many/120
[ "$(wc -l <"$out")" = 6 ] || fail "an export of a prefix"
says '{"key":"many/1203","value":"many/1203"}'
says '{"end":4}'
stop_server

# What expires on its way does not come back.
sleep 0.3
start_server --state lmdb:"$work/lmdb"
expect 0 "$glass" state import --file "$work/export" --json
grep -qE '^\{"keys":1209,"expired":[01]\}$' "$out" || fail "an import"
expect 1 "$glass" state get gone
expect 0 "$glass" state list
diff -a <(grep -av '^gone' "$work/keys" | cut -f1,3) <(cut -f1,3 "$out") ||
    fail "the list of keys"
for key in empty:empty large:large large%fe:large %00%ff%0a:binary \
    %c3%a4%00:text expires:text; do
    curl -sS --fail "$GLASS_SERVER/v1/state/${key%:*}" |
        cmp - "$work/${key#*:}" || fail "the value of $key"
done
curl -sS "$GLASS_SERVER/v1/state:batch" \
    -d '{"operations":[{"op":"stat","key":"expires"}]}' >"$out"
last='the expiry' says '"expires_in_ms":3'

# And once more, from there: but for the expired one it is the same.
expect 0 "$glass" state export
diff <(sed '$d; /"gone"/d; s/"expires_ms":[0-9]*//' "$work/export") \
    <(sed '$d; s/"expires_ms":[0-9]*//' "$out") >/dev/null ||
    fail "an export of what was imported"
"$glass" state import --namespace other <"$work/export" >"$out"
last='an import from stdin' is 1209

# An export that was cut off is noticed, wherever that was.
for lines in 0 1 2 700; do
    head -n "$lines" "$work/export" >"$work/cut"
    expect 1 "$glass" state import --namespace cut --file "$work/cut"
    complains 'it is cut off behind'
done
head -c -5 "$work/export" >"$work/cut"
expect 1 "$glass" state import --namespace cut --file "$work/cut"
complains ": it is no JSON object on a line of its own"
sed 600d "$work/export" >"$work/cut"
expect 1 "$glass" state import --namespace cut --file "$work/cut"
complains "$work/cut:$((count + 1)): the count of keys is another"

# refuse COMPLAINT LINE...: as an import into the namespace `lines`.
refuse() {
    local complaint=$1
    shift
    printf '%s\n' "$@" >"$work/lines"
    expect 1 "$glass" state import --namespace lines --file "$work/lines"
    complains "$complaint"
}
begin='{"glass_state":1}'
good='{"key":"good","value":"1"}'
printf '%s\n' "$begin" "$good" '{"end":1}' >"$work/lines"
expect 0 "$glass" state import --namespace lines --file "$work/lines"
is 1
expect 0 "$glass" state delete good --namespace lines
# What is before a line that is wrong has been written, and its number is told.
for line in '{' '[]' '{"key":"a"}' '{"value":"a"}' '{"key":"a","value":1}' \
    '{"key":"a","key_base64":"YQ==","value":"b"}' \
    '{"key":"a","value":"b","more":1}' \
    '{"key":"a","value":"b","expires_ms":"1"}' \
    '{"key":"a","key":"a","value":"b"}' '{"end":"2"}' '' ; do
    refuse "$work/lines:3: " "$begin" "$good" "$line" '{"end":2}'
done
expect 0 "$glass" state delete good --namespace lines
refuse "$work/lines:3: " "$begin" "$good" '{' '{"end":2}'
expect 0 "$glass" state get good --namespace lines
refuse "$work/lines:1: this is no export" "$good" '{"end":1}'
refuse "$work/lines:1: this is no export" '{"glass_state":2}'
refuse "$work/lines:4: something follows" "$begin" "$good" \
    '{"end":1}' "$good"
refuse "$work/lines:3: the count" "$begin" "$good" '{"end":2}'
refuse "operation 0: 'key_base64'" "$begin" \
    '{"key_base64":"YQ","value":""}' '{"end":1}'
refuse "$work/lines:3: " "$begin" "$good" '{"key":"","value":"b"}' \
    '{"end":2}'
expect 1 "$glass" state import --file "$work/none"
complains 'No such file'

# A disk that is full is not an export that is done.
if [ -w /dev/full ]; then
    status=0
    "$glass" state export >/dev/full 2>"$err" || status=$?
    [ "$status" = 1 ] || fail "an export to a full disk exits with $status"
    grep -q 'cannot be written' "$err" || fail "a full disk"
fi

# A server that goes away in the middle is noticed as well.
"$glass" state export 2>"$err" | {
    read -r _
    kill -KILL "$server"
    cat >"$work/cut"
} && fail "an export whose server is gone exits with 0"
server=
! tail -1 "$work/cut" | grep -q '"end"' || fail "an end without an end"
