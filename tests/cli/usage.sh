#!/usr/bin/env bash
# Help, versions, and what is said of words that make no sense.
. "$(dirname "$0")/support.sh"

expect 0 "$glass" help
commands=$(sed -n '/^Commands:/,/^$/p' "$out" | awk 'NF > 1 { print $1 }')
for command in serve run deploy invoke state inspect demo help; do
    grep -qx "$command" <<<"$commands" || fail "help has no '$command'"
done
for command in $commands; do
    [ "$command" != help ] || continue
    expect 0 "$glass" help "$command"
    cp "$out" "$work/help"
    says "Usage: glass $command"
    says 'Example:'
    says '--help'
    silent
    for form in --help -h; do
        expect 0 "$glass" "$command" "$form"
        cmp -s "$out" "$work/help" || fail "$command $form: other than help"
    done
    # Every option that it names is known, and nothing like it.
    for option in $(grep -oE '^  --[a-z-]+' "$work/help"); do
        expect 0 "$glass" "$command" "$option" --help
    done
    expect 2 "$glass" "$command" --no-such-option
    complains "there is no option '--no-such-option'"
    expect 2 "$glass" "$command" -x
done

expect 0 "$glass" --version
grep -qE '^glass [0-9]+\.[0-9]+\.[0-9]+$' "$out" || fail "no version"
expect 0 "$glass" --help
expect 2 "$glass"
expect 2 "$glass" serv
complains "did you mean 'serve'?"
expect 2 "$glass" --sevrer
complains "there is no option '--sevrer'"
expect 2 "$glass" help nothing
expect 2 "$glass" serve --prot 1
complains "did you mean '--port'?"
expect 2 "$glass" serve --port
complains '--port needs PORT'
expect 2 "$glass" serve --port 65536
expect 2 "$glass" serve --port x
expect 2 "$glass" serve --threads many
complains 'has to be a number'
expect 2 "$glass" serve --timeout 5x
complains 'has to be a duration'
expect 2 "$glass" serve --memory 5x
expect 2 "$glass" serve --json=yes
complains 'takes no value'
expect 2 "$glass" serve surplus
expect 2 "$glass" serve --listen 127.0.0.1
expect 2 "$glass" run
expect 2 "$glass" run a.wasm b
expect 2 "$glass" deploy a
expect 2 "$glass" invoke
expect 2 "$glass" invoke a --data x --file y
expect 2 "$glass" state
expect 2 "$glass" state gte a
complains "did you mean 'get'?"
expect 2 "$glass" state get
expect 2 "$glass" state put a
expect 2 "$glass" inspect
expect 2 "$glass" demo surplus

# Where it is written matters.
status=0
"$glass" help >/dev/full 2>"$err" || status=$?
[ "$status" = 1 ] || fail "help to a full disk exits with $status"
