#!/usr/bin/env bash
# A server with its state on a disk is killed at random moments while clients
# increment over HTTP, and started again: each counter has what was answered,
# or the one more that was under way. GLASS_KILL_ROUNDS says how often (4).
. "$(dirname "$0")/support.sh"

clients=6
declare -a answered
for i in $(seq $clients); do answered[i]=0; done
: >"$out"
: >"$err"
last='glass serve --state lmdb:'

for round in $(seq "${GLASS_KILL_ROUNDS:-4}"); do
    start_server --state "lmdb:$work/state"
    # One connection for many increments; curl cuts off what follows the #.
    loads=()
    for i in $(seq $clients); do
        curl -sN -X POST "$GLASS_SERVER/v1/state/counter-$i:incr?delta=1#[1-1000000]" \
            >"$work/answers-$i" 2>/dev/null &
        loads+=($!)
    done
    sleep "0.$((RANDOM % 5))$((RANDOM % 10))"
    kill -9 "$server"
    wait "$server" 2>/dev/null || true
    # What is on its way from the server still comes; then curl would go on.
    sleep 0.05
    kill "${loads[@]}" 2>/dev/null || true
    wait "${loads[@]}" 2>/dev/null || true

    start_server --state "lmdb:$work/state"
    for i in $(seq $clients); do
        seen=$(grep -o '"value":[0-9]*,' "$work/answers-$i" | tail -n 1 |
            tr -dc 0-9) || true
        least=${seen:-${answered[i]}}
        value=$(curl -s "$GLASS_SERVER/v1/state/counter-$i")
        [[ $value =~ ^[0-9]+$ ]] || value=0
        [ "$value" -ge "$least" ] && [ "$value" -le $((least + 1)) ] ||
            fail "round $round: counter $i is $value, $least was answered"
        answered[i]=$value
    done
    stop_server
done
total=0
for i in $(seq $clients); do total=$((total + answered[i])); done
[ "$total" -gt 0 ] || fail 'nothing was counted'
echo "$total increments, and ${GLASS_KILL_ROUNDS:-4} times killed"
