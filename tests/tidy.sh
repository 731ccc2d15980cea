#!/usr/bin/env bash
# tidy.sh - the house style, as far as a machine can check it.
#
#     tests/tidy.sh                          the rules on the sources
#     tests/tidy.sh --libraries BUILD_DIR    those on the built libraries
#     tests/tidy.sh --root DIR ...           of another tree (its own test)
#
# A finding is one line: the place, the rule, what is wrong. tests/tidy.allow
# lists exceptions, each with its reason; one that nothing needs any more is a
# finding as well, so the list only shrinks.
#
# Exit status: 0 when there is nothing to say.
set -euo pipefail
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "$0")/.." && pwd)
build=
while [ $# -gt 0 ]; do
    case $1 in
    --root) root=$(cd "$2" && pwd); shift 2 ;;
    --libraries) build=$(cd "$2" && pwd); shift 2 ;;
    *) sed -n '2,12p' "$0" >&2; exit 2 ;;
    esac
done
cd "$root"

allow=tests/tidy.allow
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/findings"
: >"$work/used"

# Layers, and the layers below them: arrows go one way only.
declare -A below=(
    [vm]='' [state]='' [runtime]='vm state' [http]='runtime vm state'
    [cli]='http runtime vm state' [spec-tests]='vm' [faaslets]=''
)
# Libraries of the system that belong to one layer, by their headers.
declare -A owner=(
    [microhttpd.h]='http' [jansson.h]='runtime http cli spec-tests' [lmdb.h]='state'
    [openssl/evp.h]='runtime http' [openssl/crypto.h]='http' [curl/curl.h]='cli'
    [xxhash.h]='state' [hiredis/hiredis.h]='state'
    [hiredis/async.h]='state'
)
# Public headers, besides <layer>/<layer>.h.
declare -A public=(
    [runtime]='calls.h configuration.h program.h'
    [vm]='vm_mapping.h vm_snapshot.h'
    [state]='state_namespace.h state_operation.h state_region.h'
    [http]='http_token.h'
)
declare -A prefix=([vm]=gvm [state]=state [runtime]=runtime [http]=http)

lines_max=600
function_lines_max=70
columns_max=80

# finding RULE PLACE TEXT: reported, unless tests/tidy.allow has RULE PLACE.
# PLACE is a path, or path:name for a function or a symbol.
finding() {
    if [ -f "$allow" ] &&
        awk -v rule="$1" -v place="$2" \
            '$1 == rule && $2 == place && NF > 2 { found = 1 }
             END { exit !found }' "$allow"; then
        echo "$1 $2" >>"$work/used"
    else
        echo "$2: $1: $3" >>"$work/findings"
    fi
}

# Tracked files and new ones, but not what was deleted.
list_files() {
    if git -C . rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard
    else
        find . -type f -not -path './build/*' -printf '%P\n'
    fi | sort -u | while read -r file; do
        [ -f "$file" ] && echo "$file"
    done
}

# ------------------------------------------------------------ the sources

check_lines() {
    local file line
    while IFS=: read -r file line _; do
        finding columns "$file" "line $line is longer than $columns_max"
    done < <(grep -nE "^.{$((columns_max + 1)),}" "${c_files[@]}" /dev/null)
    while IFS=: read -r file line _; do
        finding blanks "$file" "line $line has a tab or ends in a blank"
    done < <(grep -nE "$(printf '\t')|[[:blank:]]\$" "${c_files[@]}" /dev/null)
    while read -r line file; do
        [ "$line" -le "$lines_max" ] || [ "$file" = total ] ||
            finding file-length "$file" "$line lines, at most $lines_max"
    done < <(wc -l "${c_files[@]}")
}

# A definition's braces stand in the first column, and its name begins a line.
check_function_lengths() {
    local file name lines
    while read -r file name lines; do
        finding function-length "$file:$name" \
            "$lines lines, at most $function_lines_max"
    done < <(awk -v max="$function_lines_max" '
        FNR == 1 { begin = 0 }
        /^[A-Za-z_][A-Za-z_0-9]*\(/ { name = $0; sub(/\(.*/, "", name)
            if (name ~ /^START_(LOOP_)?TEST$/) {
                name = $0; sub(/^[^(]*\(/, "", name); sub(/[,)].*/, "", name)
            } }
        /^\{/ { begin = FNR }
        /^\}/ && begin { if (FNR - begin - 1 > max)
            print FILENAME, name, FNR - begin - 1
            begin = 0 }' "${c_files[@]}")
}

check_includes() {
    local file line path folder layer allowed
    while IFS=: read -r file line path; do
        layer=${file%%/*}
        [ -n "${below[$layer]+known}" ] || continue
        case $path in
        '<'*)
            path=${path#<}
            path=${path%>}
            allowed=${owner[$path]-}
            [ -z "$allowed" ] || [[ " $allowed " == *" $layer "* ]] ||
                finding include "$file" "line $line: <$path> is for $allowed"
            continue ;;
        esac
        path=${path//\"/}
        folder=${path%%/*}
        if [ "$layer" = faaslets ] || [ "$folder" = "$layer" ] ||
            [ -f "$layer/$path" ]; then
            continue
        fi
        # What the build makes is named in the folder's CMakeLists.txt.
        if [ "$folder" = "$path" ] && [ "${path%_made.inc}" != "$path" ] ||
            grep -qsF "$path" "$layer/CMakeLists.txt"; then
            continue
        fi
        if [[ " ${below[$layer]} " != *" $folder "* ]]; then
            finding include "$file" "line $line: $layer knows no \"$path\""
        elif [[ " $folder.h ${public[$folder]-} " != *" ${path#*/} "* ]]; then
            finding include "$file" \
                "line $line: only $folder/$folder.h may be included from here"
        fi
    done < <(grep -nE '^[[:blank:]]*#[[:blank:]]*include' \
        "${c_files[@]}" /dev/null |
        sed -E 's/^([^:]*:[0-9]+:).*include[[:blank:]]*(["<][^">]*[">]).*/\1\2/')
}

# vm/validate.c has tests/vm/check_validate.c, which may cover the files that
# its noun was split into, such as vm/validate_insn.c, as well.
check_own_tests() {
    local file lib stem
    for file in "${c_files[@]}"; do
        lib=${file%%/*}
        stem=${file#*/}
        [[ -n ${prefix[$lib]+known} && $stem == *.c && $stem != */* ]] ||
            continue
        stem=${stem%.c}
        while [ ! -f "tests/$lib/check_$stem.c" ] && [[ $stem == *_* ]]; do
            stem=${stem%_*}
        done
        [ -f "tests/$lib/check_$stem.c" ] ||
            finding own-test "$file" \
                "there is no tests/$lib/check_$(basename "$file")"
    done
}

# The folder whose CMakeLists.txt (or script) has to name a source: vm, tests/vm.
part_of() {
    case $1 in
    tests/*/*) cut -d/ -f1-2 <<<"$1" ;;
    *) echo "${1%%/*}" ;;
    esac
}

# A source that nothing builds is dead, and so is a header or a table that no
# file includes.
check_dead_files() {
    local file base stem
    for file in "${files[@]}"; do
        case $file in
        */CMakeLists.txt | *.sh | bench/run* | bench/programs/build)
            base=$(part_of "$file")
            cat "$file" >>"$work/cmake.${base//\//_}"
            cat "$file" >>"$work/cmake" ;;
        esac
    done
    grep -hE '^[[:blank:]]*#[[:blank:]]*include' "${c_files[@]}" /dev/null \
        >"$work/includes" || true
    for file in "${c_files[@]}"; do
        base=${file##*/}
        stem=${base%.*}
        case $file in
        *.c)
            base=$(part_of "$file")
            # A list of tests may leave their prefix to a loop.
            stem="(check_)?${stem#check_}"
            grep -qsE "(^|[^A-Za-z0-9_])$stem(\.c)?([^A-Za-z0-9_.]|\$)" \
                "$work/cmake.${base//\//_}" ||
                finding dead-file "$file" "no CMakeLists.txt names it" ;;
        *)
            grep -qF "$base" "$work/includes" "$work/cmake" ||
                finding dead-file "$file" "nothing includes it" ;;
        esac
    done
}

# The patterns are written so that this file does not match them.
check_words() {
    local file line text
    while IFS=: read -r file line text; do
        finding bare-todo "$file" "line $line says what is not done: $text"
    done < <(grep -nIwE 'TO[D]O|FIX[M]E|XX[X]' "${files[@]}" /dev/null |
        grep -v '^tests/tidy')
    while IFS=: read -r file line text; do
        finding machine-path "$file" "line $line has a path of one machine"
    done < <(grep -nIE '(^|[^A-Za-z0-9_.*}-])/(work|home|root|srv|mnt|Users)/' \
        "${files[@]}" /dev/null | grep -v '^LICENSE')
}

# What no test runs, a soak say, should at least be read by the shell.
check_scripts() {
    local file line
    for file in "${files[@]}"; do
        [ -f "$file" ] && IFS= read -r line <"$file" || continue
        [[ $line == '#!'*bash ]] || continue
        bash -n "$file" 2>/dev/null ||
            finding script "$file" "bash cannot read it: see bash -n"
    done
}

# ---------------------------------------------------------- the libraries

# Global symbols: public ones are declared in a public header and begin with
# <prefix>_, those shared within the library with <prefix>__. Nothing that can
# be written outlives a call: no section of data but read-only ones.
check_library() {
    local lib=$1 archive=$2 p=${prefix[$1]} header=$1/$1.h
    local headers=() file symbol kind section
    for file in "$lib.h" ${public[$lib]-}; do
        [ -f "$lib/$file" ] && headers+=("$lib/$file")
    done
    # What is wrong of an archive's thousands of symbols is few, so the shell
    # sees only these.
    while read -r kind symbol; do
        case $kind in
        internal)
            finding symbol "$header:$symbol" "is internal by its name" ;;
        undeclared)
            finding symbol "$lib:$symbol" "is not declared in $header" ;;
        foreign)
            finding symbol "$lib:$symbol" "does not begin with ${p}_" ;;
        esac
    done < <(nm --defined-only --extern-only --format=posix "$archive" |
        awk -v prefix="${p}_" -v words=<(cat "${headers[@]}" /dev/null |
            grep -ow '[A-Za-z_][A-Za-z_0-9]*') '
            BEGIN { while ((getline word <words) > 0) declared[word] = 1 }
            NF < 2 || seen[$1]++ { next }
            index($1, prefix) != 1 { print "foreign", $1; next }
            index($1, prefix "_") == 1 {
                if ($1 in declared) print "internal", $1; next }
            !($1 in declared) { print "undeclared", $1 }')
    while read -r symbol kind section; do
        finding global "$lib:$symbol" "can be written ($section)"
    done < <(nm --defined-only --format=sysv "$archive" |
        awk -F'|' '{ gsub(/ /, "") }
            $7 ~ /^\.(data|bss|tdata|tbss)/ && $7 !~ /^\.data\.rel\.ro/ &&
            $1 !~ /^\./ { print $1, $3, $7 }' | sort -u)
}

# -------------------------------------------------------------------------

mapfile -t files < <(list_files)
mapfile -t c_files < <(printf '%s\n' "${files[@]}" | grep -E '\.(c|h|inc)$')

if [ -n "$build" ]; then
    rules='symbol|global'
    for lib in "${!prefix[@]}"; do
        archive=$build/$lib/libglass-$lib.a
        if [ -f "$archive" ]; then
            check_library "$lib" "$archive"
        else
            finding symbol "$lib" "there is no $archive"
        fi
    done
else
    rules='columns|blanks|file-length|function-length|include|own-test'
    rules+='|dead-file|bare-todo|machine-path|script'
    check_lines
    check_function_lengths
    check_includes
    check_own_tests
    check_dead_files
    check_words
    check_scripts
fi

if [ -f "$allow" ]; then
    while read -r rule place reason; do
        [[ $rule =~ ^($rules)$ ]] || continue
        [ -n "$reason" ] ||
            echo "$place: allow: $rule has no reason" >>"$work/findings"
        grep -qxF "$rule $place" "$work/used" ||
            echo "$place: allow: $rule is not needed any more" \
                >>"$work/findings"
    done < <(grep -vE '^[[:blank:]]*(#|$)' "$allow")
fi

sort -u "$work/findings"
count=$(sort -u "$work/findings" | wc -l)
echo "tidy: ${#files[@]} files, $count findings"
[ "$count" = 0 ]
