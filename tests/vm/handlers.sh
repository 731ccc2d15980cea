#!/usr/bin/env bash
# handlers.sh - reads the machine code of the handlers.
#
#     tests/vm/handlers.sh LIBRARY MADE_DIR
#
# LIBRARY is libglass-vm.a, MADE_DIR where the build left table_made.inc,
# names_made.inc and pairs_made.inc. What is a matter of speed alone shows in no
# other test, and is easily lost by a change of the compiler, of its flags or of
# a body:
#
# - a handler touches the native stack only if it is listed as cold below, and
#   one that is cold in places not before its first jump to another handler;
# - a handler that branches has no conditional move, which would make the
#   processor wait for what it could have predicted;
# - every handler ends in an indirect jump of its own, a conditional branch in
#   two, so that each has a history of its own in the branch predictor;
# - every handler of the table is there.
#
# The rules are for gcc, x86-64 and sibling calls; GLASS_HANDLERS_SKIP says why
# a build is none of these, and then the test is skipped.
set -euo pipefail

if [ -n "${GLASS_HANDLERS_SKIP:-}" ]; then
    echo "skipped: $GLASS_HANDLERS_SKIP"
    exit 77
fi
[ $# = 2 ] || { sed -n '2,8p' "$0" >&2; exit 2; }

# op | why it may touch the stack. What calls a function of C stores the
# registers around it; none of these is in a loop that counts.
cold='
memory_grow        | calls the memory
memory_fill        | works on a range
memory_copy        | works on a range
memory_init        | works on a range
data_drop          | calls the instance
table_grow         | works on a range
table_fill         | works on a range
table_copy         | works on a range
table_init         | works on a range
elem_drop          | calls the instance
call_import        | calls the host
lazy               | translates
start              | calls the host or another instance
return_to_instance | changes the instance
'
# Ops that are cold in places only: behind their first jump.
partly='
call_indirect      | a function of the host or of another instance
'
# Ops that leave the handlers: no jump to another.
leaves='halt unreachable'
# Ops with a target that they always go to.
unconditional='br'

objdump -d --no-show-raw-insn "$1" | awk \
    -v cold="$cold" -v partly="$partly" -v leaves="$leaves" \
    -v unconditional="$unconditional" '
# Fills a set with the first word of every line (or all words of one line).
function fill(set, text, separator,    lines, words, count, i) {
    count = split(text, lines, separator)
    for (i = 1; i <= count; i++)
        if (split(lines[i], words, " ") > 0)
            set[words[1]] = 1
}
function finding(text) {
    if (++findings <= 40)
        print name ": " text
}
function finish(    wanted) {
    if (name == "")
        return
    seen[name] = 1
    wanted = op in is_leave ? 0 : 1
    # What is compared with itself is known to the compiler.
    if (op in branches && !(op in is_unconditional) &&
        name !~ /_(AA|PP)[TLH]$/)
        wanted = 2
    if (jumps < wanted)
        finding(jumps " indirect jumps, not " wanted)
    total += jumps
    needed += wanted
}
BEGIN {
    fill(is_cold, cold, "\n")
    fill(is_partly, partly, "\n")
    fill(is_leave, leaves, " ")
    fill(is_unconditional, unconditional, " ")
}
FILENAME ~ /table_made/ && /^OP_INFO/ {
    split($0, fields, /[(,] ?/)
    first[fields[3] + 0] = fields[2]
    if (fields[4] ~ /BRANCHES|LOOPS/)
        branches[fields[2]] = 1
    next
}
FILENAME ~ /names_made/ && /^HANDLER_NAME/ {
    split($0, fields, /[()]/)
    if (count in first)
        current = first[count]
    op_of[fields[2]] = current
    names[count++] = fields[2]
    next
}
# A pair has at least the jumps of what it ends with.
FILENAME ~ /pairs_made/ && /^HANDLER_PAIR/ {
    split($0, fields, /[(), ]+/)
    op_of[fields[2]] = op_of[names[fields[4]]]
    names[count++] = fields[2]
    next
}
FILENAME ~ /_made/ { next }
/^[0-9a-f]+ <.*>:$/ {
    finish()
    name = $2
    gsub(/[<>:]/, "", name)
    if (sub(/^gvm__handle_/, "", name) == 0)
        name = ""
    op = op_of[name]
    jumps = 0
    next
}
name == "" { next }
/\tjmp +\*/ { jumps++ }
/\t(push|pop|call) |%[re]sp/ {
    if (op in is_cold || op in is_partly && jumps > 0)
        used[op] = 1
    else if (!(name in told)) {
        told[name] = 1
        finding("touches the stack:" substr($0, index($0, "\t")))
    }
}
/\tcmov/ && op in branches && name !~ /^select_/ { finding("branches by a conditional move") }
END {
    finish()
    for (i = 0; i < count; i++)
        if (!(names[i] in seen)) {
            name = names[i]
            finding("is not there")
        }
    for (name in is_cold)
        if (!(name in used))
            finding("is listed as cold, and is not")
    for (name in is_partly)
        if (!(name in used))
            finding("is listed as cold in places, and is not")
    printf "%d handlers, %d indirect jumps of %d needed, %d findings\n",
        count, total, needed, findings
    exit findings > 0 || count == 0
}' "$2/table_made.inc" "$2/names_made.inc" "$2/pairs_made.inc" -
