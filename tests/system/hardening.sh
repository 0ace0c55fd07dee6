#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Reads programs and libraries as they were built: nothing of the hardening is missing.
#
#   hardening.sh CC READELF OBJDUMP FILE...     the compiler only makes a program without hardening, which must be refused
set -uo pipefail
cc=$1 readelf=$2 objdump=$3
shift 3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A function of ours that is called through pointers: those need the protection of branches.
entry() {
    "$readelf" -sW "$1" | awk '
        $4 == "FUNC" && $7 != "UND" && ($8 == "main" || $8 == "shim_read") { ours = $8 }
        $4 == "FUNC" && $7 != "UND" && $5 == "GLOBAL" && $6 == "DEFAULT" && $8 ~ /^bdnn_/ { exported = $8 }
        END { sub("@.*", "", exported); print ours ? ours : exported }'
}

# What is missing in a file, one a line.
missing() {
    local file=$1 header segments dynamic symbols machine code property function
    header=$("$readelf" -hW "$file") && segments=$("$readelf" -lW "$file") && dynamic=$("$readelf" -dW "$file") &&
        symbols=$("$readelf" --dyn-syms -W "$file" | awk '$7 == "UND" { sub("@.*", "", $8); print $8 }') || { echo "it cannot be read"; return; }
    machine=$(sed -n 's/ *Machine: *//p' <<<"$header")
    grep -q 'Type: *DYN' <<<"$header" || echo "position-independent code"
    grep -q 'INTERP' <<<"$segments" && ! grep -q 'FLAGS_1.* PIE' <<<"$dynamic" && echo "PIE"
    grep -q GNU_RELRO <<<"$segments" || echo "RELRO"
    grep -Eq '\(FLAGS\).*BIND_NOW|\(FLAGS_1\).* NOW' <<<"$dynamic" || echo "BIND_NOW"
    grep -q TEXTREL <<<"$dynamic" && echo "a text without relocations"
    grep -Eq 'GNU_STACK .* RW +0x' <<<"$segments" || echo "a stack that is not executable"
    grep -Eq 'LOAD .* RWE' <<<"$segments" && echo "segments that are writable or executable, not both"
    grep -qx __stack_chk_fail <<<"$symbols" || echo "the stack protector"
    grep -Eqx '__[a-z0-9]+_chk' <<<"$symbols" || echo "FORTIFY"
    # The property in the file is the AND of all objects, the C library's start files among them, which Debian builds without; so look at
    # code, and at the property where those have it.
    case $machine in
    *X86-64*) code=endbr64 property='IBT, SHSTK' ;;
    AArch64) code='paciasp\|bti' property='BTI' ;;
    *) return ;;
    esac
    function=$(entry "$file")
    "$objdump" -d --no-show-raw-insn --disassemble="$function" "$file" | grep -A1 "<$function>:" | grep -q "\s\($code\)" ||
        echo "branch protection ($code at the beginning of '$function')"
    if grep -q "$property" <<<"$("$readelf" -nW "$("$cc" -print-file-name=crti.o)" 2>/dev/null)"; then
        grep -q "$property" <<<"$("$readelf" -nW "$file")" || echo "the property $property"
    fi
}

cat >"$scratch/soft.c" <<'EOF'
#include <stdio.h>
int main(int argc, char **argv)
{
    char text[8];
    snprintf(text, argc, "%s", argv[0]);
    return puts(text);
}
EOF
"$cc" -O0 -U_FORTIFY_SOURCE -fno-stack-protector -fno-pie -no-pie -Wl,-z,norelro -Wl,-z,lazy -Wl,-z,execstack "$scratch/soft.c" -o "$scratch/soft" || exit 1
lacks=$(missing "$scratch/soft")
for what in position RELRO BIND_NOW 'not executable' 'stack protector' FORTIFY; do
    grep -q "$what" <<<"$lacks" || { echo "hardening: FAILED: a program without it does not miss '$what'"; exit 1; }
done

status=0
for file in "$@"; do
    while read -r what; do
        echo "hardening: FAILED: $file lacks $what"
        status=1
    done < <(missing "$file")
done
[ $status -eq 0 ] && echo "hardening: $# files have all of it"
exit $status
