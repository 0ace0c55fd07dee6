#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The library still has the interface that was recorded; functions, enumerators and fields at the end of options structures may be added.
#   abi.sh LIBRARY SOURCE_FOLDER
set -euo pipefail
library=$1 source=$2
record=$source/tests/data/libbdnn.abi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command -v abidw >/dev/null || { echo "abi: SKIPPED: Debian's abigail-tools is not installed"; exit 77; }
compare() { abidiff --no-added-syms --suppressions "$source/tests/system/abi.suppr" "$1" "$2"; }

"$source/scripts/abi-record" "$library" "$work/now.abi"

# What must be found: a function or a field of the record that is not there any more.
sed '/elf-symbol name=.bdnn_rank_of/d; /<function-decl name=.bdnn_rank_of/,/<\/function-decl>/d' "$record" >"$work/function.abi"
sed '/data-member.*layout-offset-in-bits=.64/,/<\/data-member>/d' "$record" >"$work/field.abi"
for change in function field; do
    if cmp -s "$record" "$work/$change.abi" || compare "$record" "$work/$change.abi" >/dev/null; then
        echo "abi: FAILED: a $change that is missing is not found" >&2
        exit 1
    fi
done

if ! compare "$record" "$work/now.abi"; then
    echo "abi: FAILED: programs that were built with the recorded headers may not run with this library (docs/reference/abi.md)." >&2
    echo "abi: if the soname is another one, or that release is not out yet: scripts/abi-record" >&2
    exit 1
fi
echo "abi: as recorded, or more"
