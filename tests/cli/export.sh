#!/usr/bin/env bash
# export.sh - many keys go through a store in memory and one on a disk, and come
# out as they went in, byte for byte. GLASS_EXPORT_KEYS says how many.
. "$(dirname "$0")/support.sh"

awk -v count="${GLASS_EXPORT_KEYS:-5000}" 'BEGIN {
    print "{\"glass_state\":1}"
    for (i = 0; i < count; i++)
        printf "{\"key\":\"key/%012d\",\"value\":\"%064d\"}\n", i, i
    printf "{\"end\":%d}\n", count
}' >"$work/first"

# through URL FROM TO
through() {
    start_server --state "$1"
    expect 0 "$glass" state import --file "$2"
    is "${GLASS_EXPORT_KEYS:-5000}"
    "$glass" state export >"$3" || fail "an export from $1"
    stop_server
    cmp "$2" "$3" || fail "an export from $1 is another"
}

through memory "$work/first" "$work/second"
through lmdb:"$work/store" "$work/second" "$work/third"
