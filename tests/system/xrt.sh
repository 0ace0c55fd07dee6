#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Networks on the emulated device through XRT, and what happens when that fails.
#
#   xrt.sh decompose - BUILD SOURCE    writes the networks, for all others; BUILD and SOURCE are the build's and the repository's folder
#   xrt.sh CASE MODE BUILD SOURCE [XCLBIN]     CASE is a network of tests/data, or below; MODE sw_emu or hw_emu
set -uo pipefail
case=$1 mode=$2 build=$3 source=$4
data=$source/tests/data bdnn=$build/host/bdnn models=$build/tests/xrt
if [ "$case" = decompose ]; then
    mkdir -p "$models"
    for network in alexnet vgg resnet segnet; do
        "$bdnn" decompose "$data/$network.onnx" -o "$models/$network.bdnn" --bases 3 --bits 6 --calibrate-count 4 \
            --calibrate "$data/segcalibrate-images.idx3-ubyte.gz" --mean 0.2860 --std 0.3530 --unit || exit 1
    done
    exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
environment=$("$build/bitstreams/emu/open-emu-env" "$scratch/environment") || exit 1
eval "$environment"
export XCL_EMULATION_MODE=$mode BDNN_XCLBIN=${5:-$build/tests/bdnn-$mode.xclbin} OPEN_EMU_TIMEOUT=2
unset OPEN_EMU_OPTIONS
# What XRT keeps until the end of the process is not ours to free.
export ASAN_OPTIONS=detect_leaks=0

fail() { echo "FAILED: $1 (status $status)"; exit 1; }
# In a session of its own: XRT's shims signal their process group when they fail. KILL ends what hangs, and is a failure below.
run() {
    timeout -s KILL 60 setsid -w "$@" >"$scratch/out" 2>"$scratch/log"
    status=$?
    cat "$scratch/log" "$scratch/out"
}
classify() { run "$bdnn" run "$models/alexnet.bdnn" "$data/fashion-example.png" --device xrt --timeout 1500 --json "$@"; }
expect_end() {
    [ $status -eq 1 ] || fail "the tool must end with status 1"
    grep -Eq "$1" "$scratch/log" || fail "no message '$1'"
}
# With --fallback, the CPU's scores.
expect_fallback() {
    [ $status -eq 0 ] || fail "the tool must go on with the CPU"
    [ "$(grep -c '^bdnn: warning: .*; going on with the CPU$' "$scratch/log")" -eq 1 ] || fail "one warning expected"
    "$bdnn" run "$models/alexnet.bdnn" "$data/fashion-example.png" --device cpu --json >"$scratch/cpu" 2>/dev/null
    cmp "$scratch/cpu" "$scratch/out" || fail "other scores than the CPU's"
}
expect_both() { classify; expect_end "$1"; classify --fallback cpu; expect_fallback; }

case $case in
alexnet | vgg | resnet | segnet)
    # Images and batch; simulated hardware is slow.
    pairs=("3 1" "3 3 30 shared")
    [ -n "${5:-}" ] && pairs=("2 2")
    for pair in "${pairs[@]}"; do
        # shellcheck disable=SC2086
        run "$build/tests/xrt_agreement" "$models/$case.bdnn" "$data/segtest-images.idx3-ubyte.gz" $pair
        [ $status -eq 0 ] || fail "the outputs must be those of --device reference"
    done
    exit 0
    ;;
esac

case $case in
devices)
    run "$bdnn" devices --json
    [ $status -eq 0 ] || fail "a list expected"
    for word in '"name":.*"xrt:0"' "\"target\":.*\"$mode\"" '"compute_units":.*2,' '"word_bits":.*128,' '"emulated":.*true'; do
        grep -q "$word" "$scratch/out" || fail "no $word"
    done
    run "$bdnn" devices --launches 3
    [ $status -eq 0 ] && grep -q 'launch   poll: median [0-9.]* us, min [0-9.]*, p99 [0-9.]*$' "$scratch/out" || fail "times of launches expected"
    run "$bdnn" devices --launches 3 --json
    [ $status -eq 0 ] && grep -q '"median_us"' "$scratch/out" || fail "times of launches expected"
    BDNN_XCLBIN=$data/alexnet.onnx run "$bdnn" devices --launches 3
    [ $status -eq 0 ] && grep -q 'cannot be used: .*alexnet.onnx: this is no xclbin' "$scratch/out" || fail "the reason expected"
    XILINX_XRT='' run "$bdnn" devices
    [ $status -eq 0 ] && grep -q 'cannot be used: xrt: XILINX_XRT is not set' "$scratch/out" || fail "the reason expected"
    ;;
compare)
    run "$bdnn" compare "$models/alexnet.bdnn" --devices cpu,xrt --batch 2 --repeat 1 --images "$data/segtest-images.idx3-ubyte.gz" \
        --html "$scratch/page.html" --json
    [ $status -eq 0 ] && python3 - "$scratch/out" "$scratch/page.html" <<'END' || fail "a comparison expected"
import json, re, sys
from xml.dom import minidom

result = json.load(open(sys.argv[1]))
cpu, xrt = result["devices"]
assert xrt["different_values"] == 0 and result["compared_values"] == 20
total = xrt["accelerator"]
assert total["compute_units"] == 2 and total["word_bits"] == 128 and total["emulated"]
layers = {layer["name"]: layer for layer in xrt["layers"]}
on_device = [layer["accelerator"] for layer in xrt["layers"] if "accelerator" in layer]
assert len(on_device) == 8 and "accelerator" not in cpu
for name in "jobs", "bytes_to_device", "bytes_from_device", "busy_cycles", "binary_products":
    assert total[name] == sum(layer[name] for layer in on_device) > 0, name
# conv2: 2 groups of 2 images; 32 channels a group are half of a unit
assert layers["conv2"]["accelerator"]["jobs"] == 4
assert layers["fc7"]["accelerator"]["binary_products"] == 2 * 768 * 768 * 3 * 6
assert all(0 < layer["filled_percent"] <= 100 for layer in on_device)
assert all(("cycles" in layer) == ("cycles" in total) for layer in on_device)
page = open(sys.argv[2]).read()
pictures = re.findall("<svg.*?</svg>", page, re.S)
assert pictures and "equal to cpu, bit for bit" in page
for picture in pictures:
    minidom.parseString(picture)
END
    ;;
example) # docs/examples/accelerator.c, on a device that works and on one that is lost in the middle of a run
    example=$build/tests/example_accelerator
    "$example" "$models/alexnet.bdnn" cpu >"$scratch/cpu" || fail "scores of the CPU expected"
    run "$example" "$models/alexnet.bdnn" xrt "$BDNN_XCLBIN"
    # XRT's emulation writes to standard output, too.
    [ $status -eq 0 ] && grep '^-\?0x' "$scratch/out" | cmp "$scratch/cpu" - || fail "the scores must be those of the CPU"
    ! grep -q 'going on with the CPU' "$scratch/log" || fail "the device must be used"
    OPEN_EMU_LOST=ones OPEN_EMU_OPTIONS="--fault kill@90" run "$example" "$models/alexnet.bdnn" xrt
    [ $status -eq 0 ] && grep '^-\?0x' "$scratch/out" | cmp "$scratch/cpu" - || fail "it must go on with the CPU"
    grep -q '^accelerator: .*is lost.*; going on with the CPU$' "$scratch/log" || fail "why it goes on with the CPU"
    ;;
stuck) export OPEN_EMU_OPTIONS="--fault stuck"; expect_both 'compute unit bdnn_kernel_1: its run did not end within 1500 ms' ;;
kill) # while weights are sent, and in the middle of a run
    for at in 30 90; do OPEN_EMU_OPTIONS="--fault kill@$at" expect_both 'xrt: .*is lost'; done
    ;;
silence) OPEN_EMU_OPTIONS="--fault silence@90" expect_both 'xrt: .*(is lost|did not end within 1500 ms)' ;;
garbage) for at in 30 90; do OPEN_EMU_OPTIONS="--fault garbage@$at" expect_both 'xrt: .*is lost'; done ;;
refused) # what is no device or no xclbin for it
    BDNN_XCLBIN='' expect_both 'xrt: no xclbin is named'
    BDNN_XCLBIN=$data/alexnet.onnx expect_both 'alexnet.onnx: this is no xclbin'
    XCL_EMULATION_MODE='' expect_both "needs XCL_EMULATION_MODE=$mode, which is not set"
    "$source/scripts/build-xclbin" --target "$mode" --memory 64K -o "$scratch/small.xclbin" "$build/bitstreams/emu/bdnn_kernel-c.json" || exit 1
    BDNN_XCLBIN=$scratch/small.xclbin expect_both 'the device has no [0-9]* bytes for'
    "$source/scripts/build-xclbin" --target "$mode" --model c -o "$scratch/vadd.xclbin" "$source/bitstreams/emu/examples/vadd/vadd.json" || exit 1
    BDNN_XCLBIN=$scratch/vadd.xclbin expect_both 'vadd.xclbin: there is no compute unit of the kernel bdnn_kernel in it'
    cp "$BDNN_XCLBIN" "$scratch/board.xclbin" # one that says it is for a board
    printf '\0\0' | dd of="$scratch/board.xclbin" bs=1 seek=332 conv=notrunc status=none
    export BDNN_XCLBIN=$scratch/board.xclbin
    expect_both "board.xclbin is for a board, and XCL_EMULATION_MODE is '$mode'"
    XCL_EMULATION_MODE='' expect_both "XILINX_XRT has nothing that drives such a device: no .*/lib/libxrt_core.so.2"
    XCL_EMULATION_MODE='' XILINX_XRT='' expect_both 'XILINX_XRT is not set'
    BDNN_XCLBIN=$build/tests/bdnn-$mode.xclbin run "$bdnn" run "$models/alexnet.bdnn" "$data/fashion-example.png" --device xrt:7
    expect_end 'there is no device 7'
    ;;
*) echo "no case $case"; exit 2 ;;
esac
