#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The accelerator's hardware through XRT on the emulated device.
#
#   kernel.sh CASE XCLBIN BUILD     BUILD is the build's folder
set -uo pipefail
case=$1 xclbin=$2 build=$3

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
environment=$("$build/bitstreams/emu/open-emu-env" "$scratch/environment") || exit 1
eval "$environment"
export XCL_EMULATION_MODE=hw_emu
# What XRT keeps until the end of the process is not ours to free.
export ASAN_OPTIONS=detect_leaks=0

fail() { echo "FAILED: $1 (status $status)"; exit 1; }
run() {
    timeout -s KILL 120 setsid -w "$build/tests/kernel_vectors" "$xclbin" "$@" >"$scratch/log" 2>&1
    status=$?
    cat "$scratch/log"
}

case $case in
vectors)
    OPEN_EMU_OPTIONS=--profile run 1 40
    [ $status -eq 0 ] || fail "equal results expected"
    # The kernel's counters through XRT against what open_emu saw on the bus
    read -r words written < <(sed -n 's/.*work in [0-9]*, \([0-9]*\) words read, \([0-9]*\) written.*/\1 \2/p' "$scratch/log")
    [ "${words:-0}" -gt 0 ] && [ "${written:-0}" -gt 0 ] || fail "counters expected"
    # A beat of the port is one or more words
    for pair in "$words beats.read" "$written beats.written"; do
        beats=$(sed -n "s/.*port gmem, \([0-9]*\) bits: \([0-9]*\) ${pair#* } .*/\2 * \1 \/ 64 +/p" "$scratch/log")
        sum="${beats//$'\n'/ } 0"
        [ $((sum)) -eq "${pair% *}" ] || fail "the kernel counted ${pair% *} words, the bus $sum"
    done
    ;;
slow)
    OPEN_EMU_OPTIONS="--fault latency --fault backpressure --seed 7" run 100 12
    [ $status -eq 0 ] || fail "equal results expected"
    ;;
errors) # the burst of a read, and one far behind it
    for fault in slverr@3 decerr@200; do
        OPEN_EMU_OPTIONS="--fault $fault" run 1 12
        [ $status -eq 1 ] && grep -Eq 'compute unit bdnn_kernel_[12]: an error of the memory it (reads|writes)' "$scratch/log" ||
            fail "a message of the kernel's error status expected"
    done
    ;;
*) echo "no case $case"; exit 2 ;;
esac
