#!/usr/bin/env bash
# glass demo: the form of what it prints, and its end, from any directory.
. "$(dirname "$0")/support.sh"

# Whatever the order of the three, each reads what the one before has set.
check_demo() {
    awk '
        NR == 1 && $0 != "--- Running 3 Faaslets Concurrently ---" { exit 1 }
        NR > 1 && NR < 11 && NR % 3 == 2 {
            if (!match($0, /^HOST: Read state .counter. with value [0-9]+$/))
                exit 1
            read[$NF]++ }
        NR > 1 && NR < 11 && NR % 3 == 0 {
            if (!match($0, /^HOST: State .counter. set to [0-9]+$/)) exit 1
            set[$NF]++ }
        NR > 1 && NR < 11 && NR % 3 == 1 {
            if (!match($0, /^Instance [123] completed successfully$/)) exit 1
            instance[$2]++ }
        NR == 11 && $0 != "--- Final State of '"'counter'"': 160 ---" {
            exit 1 }
        END {
            for (i = 1; i <= 3; i++)
                if (instance[i] != 1 || read[80 + 20 * i] != 1 ||
                    set[100 + 20 * i] != 1) exit 1
            exit NR != 11
        }' "$out" || fail "$last: not of the form"
}

cd "$work"
for _ in $(seq 20); do
    expect 0 "$glass" demo
    silent
    check_demo
done

# The same on a server that others could share.
if command -v redis-server >/dev/null; then
    redis-server --port 0 --unixsocket "$work/redis" --save '' \
        --appendonly no --dir "$work" >/dev/null &
    server=$!
    for _ in $(seq 1000); do
        [ ! -S "$work/redis" ] || break
        sleep 0.02
    done
    for _ in 1 2 3; do
        expect 0 "$glass" demo --state "unix:$work/redis"
        check_demo
    done
fi
expect 1 "$glass" demo --state "unix:$work/nobody"
complains 'counter'
