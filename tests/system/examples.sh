#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The programs of docs/examples on trained networks and real images: they do what the tool does.
#   examples.sh NAME PROGRAM TOOL DATA_FOLDER
set -euo pipefail
name=$1 program=$2 tool=$3 data=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "example $name: FAILED: $1" >&2; exit 1; }

convert() { # convert NETWORK LABELS: with what the networks were trained for
    "$tool" convert "$data/$1.onnx" -o "$work/$1.bdnn" --labels "$data/$2" --mean 0.2860 --std 0.3530 --unit
}
# expect_message WORDS COMMAND...: it fails, saying so in one line.
expect_message() {
    local words=$1
    shift
    ! "$@" >"$work/out" 2>"$work/log" || fail "it must fail: $*"
    [ "$(wc -l <"$work/log")" -eq 1 ] && grep -q "$words" "$work/log" || { cat "$work/log" >&2; fail "one line with '$words' expected"; }
}

case $name in
classify)
    convert alexnet labels.txt
    [ "$("$program" "$work/alexnet.bdnn" "$data/fashion-example.png")" = "Ankle boot" ] || fail "an ankle boot is not recognized"
    expect_message "$work/none.png" "$program" "$work/alexnet.bdnn" "$work/none.png"
    expect_message 'labels.txt' "$program" "$data/labels.txt" "$data/fashion-example.png"
    ;;
segment)
    convert segnet labels-segnet.txt
    "$program" "$work/segnet.bdnn" "$data/segnet-example.png" "$work/overlay.png" >"$work/shares"
    "$tool" run "$work/segnet.bdnn" "$data/segnet-example.png" --overlay "$work/expected.png" --class-map "$work/map.png" >/dev/null
    cmp "$work/overlay.png" "$work/expected.png" || fail "another picture than the tool's"
    for class in background Coat Bag; do
        grep -q "[1-9].* %  $class\$" "$work/shares" || { cat "$work/shares" >&2; fail "no $class is seen"; }
    done
    convert alexnet labels.txt
    expect_message 'no score for each pixel' "$program" "$work/alexnet.bdnn" "$data/fashion-example.png" "$work/overlay.png"
    ;;
batch_threads)
    convert alexnet labels.txt
    images=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
    # Batches of 16, the last of which is not full.
    percent=$("$tool" eval "$work/alexnet.bdnn" "$images" --limit 200 --json | sed -n 's/.*"top1_percent":[[:space:]]*\([0-9.]*\).*/\1/p')
    for threads in 1 3; do
        right=$("$program" "$work/alexnet.bdnn" "$images" 200 $threads)
        [ "$right" = "$(awk -v percent="$percent" 'BEGIN { printf "%.0f", 2 * percent }') of 200 right" ] || fail "$right; the tool finds $percent %"
    done
    expect_message 'labels of this kind' "$program" "$work/alexnet.bdnn" "$data/segtest-images.idx3-ubyte.gz" 20 2
    ;;
accelerator)
    convert alexnet labels.txt
    "$program" "$work/alexnet.bdnn" cpu >"$work/cpu"
    [ "$(wc -l <"$work/cpu")" -eq 10 ] || fail "ten scores expected"
    # On a machine without an accelerator; tests/system/xrt.sh has one.
    env -u XILINX_XRT "$program" "$work/alexnet.bdnn" xrt "$work/none.xclbin" >"$work/xrt" 2>"$work/log" || fail "it must go on with the CPU"
    grep -q '^accelerator: .*; going on with the CPU$' "$work/log" || { cat "$work/log" >&2; fail "no word of the CPU"; }
    cmp "$work/cpu" "$work/xrt" || fail "other scores than the CPU's"
    "$program" "$work/alexnet.bdnn" uio:none >"$work/uio" 2>"$work/log" && cmp "$work/cpu" "$work/uio" || fail "it must go on with the CPU"
    expect_message "device 'abacus'" "$program" "$work/alexnet.bdnn" abacus
    ;;
decompose)
    convert segnet labels-segnet.txt
    images=$data/segcalibrate-images.idx3-ubyte.gz
    "$program" "$work/segnet.bdnn" "$images" 2 "$work/decomposed.bdnn" >"$work/report" 2>"$work/log"
    "$tool" decompose "$work/segnet.bdnn" -o "$work/expected.bdnn" --bases 3 --bits 6 --first 4:8 --calibrate "$images" \
        --calibrate-count 2 --json >"$work/json"
    cmp "$work/decomposed.bdnn" "$work/expected.bdnn" || fail "another file than the tool's"
    layers=$(grep -c '"name"' "$work/json")
    [ "$(grep -c ' K [34], Q [68]: .* bytes, output .* dB$' "$work/report")" -eq "$layers" ] || fail "$layers layers expected"
    grep -q '100 %' "$work/log" || fail "no progress is shown"
    expect_message 'decomposed already' "$program" "$work/decomposed.bdnn" "$images" 2 "$work/again.bdnn"
    ;;
*) fail "there is no such example" ;;
esac
echo "example $name: as the tool"
