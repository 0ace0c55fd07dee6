#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs the vector-add example through XRT on the emulated device.
#
#   emulation.sh CASE MODE BUILD SOURCE     BUILD and SOURCE are bitstreams/emu of the build and the repository
#
# Cases that begin with rtl run the example in SystemVerilog, the others the C function.
set -uo pipefail
case=$1 mode=$2 build=$3 source=$4

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
pure=
[[ $case = *pure ]] && pure=--pure
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

# A copy of the example in SystemVerilog: edited by sed's expression $2 in file $1, verilated with $3, ports of $4 bits
edited() {
    cp -r "$source/examples/vadd/." "$scratch/copy"
    sed -i "$2" "$scratch/copy/rtl/$1"
    sed -e "s|\"top\"|\"flags\": [${3:-}], \"top\"|; /ports/s/32/${4:-32}/g" "$source/examples/vadd/vadd.json" >"$scratch/copy/vadd.json"
    kernel=$scratch/copy/vadd.json
}
model=c options=()
[[ $case = rtl* ]] && model=rtl
case $case in
rtl_wide) edited vadd.sv '' '"-GDataBits=512"' 512 ;;
rtl_stray) edited vadd.sv 's/address_i(b)/address_i(b + 64'\''h1000_0000)/' ;;
rtl_border) edited vadd_read.sv 's/to_border = .*/to_border = 5'\''(Burst);/; s/address_i;/address_i + 64'\''d4064;/' ;;
rtl_early) edited vadd_write.sv 's/ && responses_q == .0//' ;;
rtl_assertion) edited vadd.sv 's/\.pop_i(pop), \.data_o(b_data)/.pop_i(pop || start), .data_o(b_data)/' ;;
rtl_trace) options=(--trace) ;;
esac
"$source/../../scripts/build-xclbin" --target "$mode" --units "$units" --model $model --build-dir "$build/models" "${options[@]}" \
    -o "$scratch/vadd.xclbin" "$kernel" || exit 1

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
runs | rtl | rtl_wide)
    run 1; expect_equal 1
    run 1000; expect_equal 1000
    run 100003 8; expect_equal 800024
    ;;
pure | rtl_pure) run 1000 3; expect_equal 3000 ;;
registers)
    host=$build/open_emu_registers run
    [ $status -eq 0 ] || fail "registers 7 1015 expected"
    ;;
kill) OPEN_EMU_OPTIONS="--fault kill@12" run 1000 1 5000; expect_end 'device (process ended|is lost)' ;;
silence) OPEN_EMU_OPTIONS="--fault silence@12" run 1000 1 5000; expect_end 'device is lost: it does not answer|did not end within' ;;
garbage) OPEN_EMU_OPTIONS="--fault garbage@12" run 1000 1 5000; expect_end 'device is lost: its answer' ;;
stuck) OPEN_EMU_OPTIONS="--fault stuck" run 1000 1 1000; expect_end 'did not end within 1000 ms' ;;
ones) export OPEN_EMU_LOST=ones OPEN_EMU_OPTIONS="--fault kill@8"; run 1000 1 5000; expect_end '^vadd: ' ;;
stray) run 1000 1 5000; expect_end 'compute unit vadd_. accesses device address 0x[0-9a-f]*, which lies in no buffer' ;;
rtl_slow)
    for seed in 1 2 3; do
        OPEN_EMU_OPTIONS="--fault latency --fault backpressure --seed $seed" run 3001 4; expect_equal 12004
    done
    # Three reads and writes of 4 bytes an element through 3 bytes a cycle
    OPEN_EMU_OPTIONS="--bandwidth 3 --profile" run 10000 1; expect_equal 10000
    cycles=$(sed -n 's/.*: 1 launches, \([0-9]*\) cycles at work.*/\1/p' "$scratch/log")
    [ "${cycles:-0}" -ge 40000 ] && [ "$cycles" -lt 41000 ] || fail "'$cycles' cycles; 40000 and a little more expected"
    ;;
rtl_errors)
    # The first bursts of the ports, then the second ones
    for fault in slverr@3:gmem2:write decerr@4:gmem0:read; do
        IFS=: read -r what port kind <<<"$fault"
        OPEN_EMU_OPTIONS="--fault $what" run 1000 1 5000; expect_end 'vadd: element [0-9]* is'
        grep -Eq "compute unit vadd_1, port $port: the $kind at device address 0x[0-9a-f]* is answered with an error" "$scratch/log" ||
            fail "no message of the error response"
    done
    ;;
rtl_stray) run 1000 1 5000; expect_end 'compute unit vadd_1, port gmem1: a read outside of all buffers, device address 0x1000[0-9a-f]*,' ;;
rtl_border) run 5000 1 5000; expect_end 'compute unit vadd_1, port gmem[01]: a burst crosses a 4-KiB border, device address 0x[0-9a-f]*fe0,' ;;
rtl_early) run 1000 1 5000; expect_end 'compute unit vadd_1 says that it is done while port gmem2 has 0 reads and [1-9] writes under way' ;;
rtl_assertion) run 1000 1 5000; expect_end 'compute unit vadd_1: the model stops: Verilog .stop at .*vadd_read.sv'
    grep -q 'vadd_read: a beat that is not there is taken' "$scratch/log" || fail "the assertion's message expected" ;;
rtl_trace)
    OPEN_EMU_OPTIONS="--trace $scratch/wave.fst --trace-launch 2" run 1000 1; expect_equal 1000
    [ ! -e "$scratch/wave.fst" ] || fail "no waveform of the first launch expected"
    OPEN_EMU_OPTIONS="--trace $scratch/wave.fst --profile" run 1000 1; expect_equal 1000
    [ -s "$scratch/wave.fst" ] || fail "a waveform expected"
    OPEN_EMU_OPTIONS="--trace $scratch/short.fst --trace-cycles 100" run 1000 1; expect_equal 1000
    [ $(($(stat -c %s "$scratch/short.fst") * 2)) -lt "$(stat -c %s "$scratch/wave.fst")" ] || fail "a shorter waveform expected"
    ;;
*) echo "no case $case"; exit 2 ;;
esac
