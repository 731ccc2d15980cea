#!/usr/bin/env bash
# v8.sh - Glass against V8 over random modules, or 77 where that cannot be.
#
#     tests/differential/v8.sh RUN_MODULE [COUNT] [FIRST_SEED]
#
# GLASS_DIFFERENTIAL=2000 is another count. See v8.mjs.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || { sed -n '2,6p' "$0" >&2; exit 2; }
for tool in node:nodejs wasm-opt:binaryen; do
    command -v "${tool%:*}" >/dev/null || {
        echo "there is no ${tool%:*}: install Debian's package ${tool#*:}"
        exit 77
    }
done
exec node "$here/v8.mjs" "$1" "${GLASS_DIFFERENTIAL:-${2:-60}}" "${3:-1}"
