#!/usr/bin/env bash
# Runs the vector-add example through XRT on the emulated device.
#
#   emulation.sh CASE MODE BUILD SOURCE     BUILD and SOURCE are bitstreams/emu of the build and the repository
set -uo pipefail
case=$1 mode=$2 build=$3 source=$4

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
pure=
[ "$case" = pure ] && pure=--pure
environment=$("$build/open-emu-env" $pure "$scratch/environment") || exit 1
eval "$environment"
export XCL_EMULATION_MODE=$mode OPEN_EMU_TIMEOUT=2
unset OPEN_EMU_OPTIONS

kernel=$source/examples/vadd/vadd.json
[ "$case" = stray ] && kernel=$scratch/vadd.json && cat >"$kernel" <<END
{"name": "vadd", "ports": {"m": 32}, "c": {"sources": ["stray.c"]}, "arguments": [
  {"name": "a", "type": "int32_t *", "port": "m", "offset": "0x10"}, {"name": "b", "type": "int32_t *", "port": "m", "offset": "0x1c"},
  {"name": "sum", "type": "int32_t *", "port": "m", "offset": "0x28"}, {"name": "count", "type": "uint32_t", "offset": 52}]}
END
cat >"$scratch/stray.c" <<'END'
#include <stdint.h>
void vadd(int32_t *a, int32_t *b, int32_t *sum, uint32_t count) { sum[1 << 28] = a[0] + b[0] + (int32_t)count; }
END
units=vadd=3
[ "$case" = registers ] && kernel=$scratch/largest.json units=largest=1 && cat >"$kernel" <<END
{"name": "largest", "ports": {"m": 32}, "c": {"sources": ["largest.c"]}, "arguments": [
  {"name": "values", "type": "const uint32_t *", "port": "m", "offset": "0x10"}, {"name": "count", "type": "uint32_t", "offset": "0x1c"}],
 "outputs": [{"name": "largest", "type": "uint32_t", "offset": "0x80"}]}
END
cat >"$scratch/largest.c" <<'END'
#include <stdint.h>
void largest(const uint32_t *values, uint32_t count, uint32_t *result)
{
    *result = 0;
    for (uint32_t i = 0; i < count; i++)
        *result = values[i] > *result ? values[i] : *result;
}
END
"$source/../../scripts/build-xclbin" --target "$mode" --units "$units" -o "$scratch/vadd.xclbin" "$kernel" || exit 1

# In a session of its own: XRT's shims signal their process group when they fail. KILL ends what hangs, and is a failure below.
run() {
    timeout -s KILL 60 setsid -w "${host:-$build/open_emu_vadd}" "$scratch/vadd.xclbin" "$@" >"$scratch/log" 2>&1
    status=$?
    cat "$scratch/log"
}
fail() { echo "FAILED: $1 (status $status)"; exit 1; }
expect_equal() { [ $status -eq 0 ] && grep -qx "vadd: $1 elements equal" "$scratch/log" || fail "$1 equal elements expected"; }
expect_end() {
    [ $status -ne 0 ] && [ $status -ne 137 ] && [ $status -ne 139 ] || fail "the host program must end with an error of its own"
    grep -Eq "$1" "$scratch/log" || fail "no message '$1'"
}

case $case in
runs)
    run 1; expect_equal 1
    run 1000; expect_equal 1000
    run 100003 8; expect_equal 800024
    ;;
pure) run 1000 3; expect_equal 3000 ;;
registers)
    host=$build/open_emu_registers run
    [ $status -eq 0 ] || fail "registers 7 1015 expected"
    ;;
kill) OPEN_EMU_OPTIONS="--fault kill@12" run 1000 1 5000; expect_end 'device (process ended|is lost)' ;;
silence) OPEN_EMU_OPTIONS="--fault silence@12" run 1000 1 5000; expect_end 'device is lost: it does not answer|did not end within' ;;
garbage) OPEN_EMU_OPTIONS="--fault garbage@12" run 1000 1 5000; expect_end 'device is lost: its answer' ;;
stuck) OPEN_EMU_OPTIONS="--fault stuck" run 1000 1 1000; expect_end 'did not end within 1000 ms' ;;
stray) run 1000 1 5000; expect_end 'compute unit vadd_. accesses device address 0x[0-9a-f]*, which lies in no buffer' ;;
*) echo "no case $case"; exit 2 ;;
esac
