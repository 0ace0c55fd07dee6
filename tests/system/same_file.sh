#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The same file on every machine: decomposed networks must have the checksums of tests/data/decomposed.sha256, whatever the
# instructions, the number of threads and the environment (docs/reference/numerics.md, "Sums of floats").
#
#   same_file.sh native BDNN SOURCE                        networks of tests/data, on each level of instructions; and as the README has them
#   same_file.sh emulated SOURCE FLOATS NETWORK... -- BDNN...   on another processor: BDNN... is the tool and how to call it, FLOATS the folder
#                                                          of the networks in float, as `same_file.sh floats BDNN SOURCE FLOATS` leaves them
#   same_file.sh write BDNN SOURCE                         prints the checksums
#
# The quick settings leave out the largest layers, which only take longer.
set -euo pipefail
networks="alexnet vgg resnet segnet"
fashion=/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# decompose NETWORK FILE OPTION... -- BDNN...: writes $scratch/NETWORK.bdnn.
decompose() {
    local network=$1 file=$2 images=$fashion options=()
    shift 2
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    [ "$network" != segnet ] || images=$source/tests/data/segcalibrate-images.idx3-ubyte.gz
    rm -f "$scratch/$network.bdnn"
    "$@" decompose "$file" -o "$scratch/$network.bdnn" --calibrate "$images" --mean 0.2860 --std 0.3530 --unit "${options[@]}" >/dev/null
}

quick_options() {
    echo --bases 2 --bits 6 --calibrate-count 2
    case $1 in
    alexnet) echo --layer fc6:float --layer fc7:float ;;
    vgg) echo --layer /17/Gemm:float --layer /20/Gemm:float ;;
    esac
}

# check NAME NETWORK WHAT
check() {
    local expected got
    expected=$(awk -v name="$1" '$2 == name { print $1 }' "$source/tests/data/decomposed.sha256")
    got=$(sha256sum <"$scratch/$2.bdnn" | cut -d' ' -f1)
    if [ "$expected" != "$got" ]; then
        echo "same_file: $1, $3: another file: sha256 $got, expected $expected" >&2
        exit 1
    fi
    echo "same_file: $1, $3: as expected"
}

case $1 in
native)
    bdnn=$2 source=$3
    for network in $networks; do
        for setting in "portable 1 Haswell" "sse4 3 Nehalem" "avx2 2 SkylakeX" "avx512 2 Zen" "amx 5 Prescott"; do
            read -r level threads library <<<"$setting"
            # The last names a library of linear algebra's processor: none is used, and it must make no difference.
            export BDNN_CPU=$level OPENBLAS_CORETYPE=$library
            # shellcheck disable=SC2046
            decompose "$network" "$source/tests/data/$network.onnx" $(quick_options "$network") --threads "$threads" -- "$bdnn"
            check "$network-quick" "$network" "$setting"
        done
        unset BDNN_CPU OPENBLAS_CORETYPE
        decompose "$network" "$source/tests/data/$network.onnx" --bases 3 --bits 6 --labels "$source/tests/data/labels$([ "$network" != segnet ] || echo -segnet).txt" -- "$bdnn"
        check "$network" "$network" "as in the README"
    done
    ;;
floats)
    bdnn=$2 source=$3
    mkdir -p "$4"
    for network in $networks; do "$bdnn" convert "$source/tests/data/$network.onnx" -o "$4/$network.bdnn" >/dev/null; done
    ;;
emulated)
    source=$2 floats=$3
    shift 3
    chosen=()
    while [ "$1" != -- ]; do chosen+=("$1"); shift; done
    shift
    for network in "${chosen[@]}"; do
        # shellcheck disable=SC2046
        decompose "$network" "$floats/$network.bdnn" $(quick_options "$network") -- "$@"
        check "$network-quick" "$network" "emulated"
    done
    ;;
write)
    bdnn=$2 source=$3
    for network in $networks; do
        # shellcheck disable=SC2046
        decompose "$network" "$source/tests/data/$network.onnx" $(quick_options "$network") -- "$bdnn"
        echo "$(sha256sum <"$scratch/$network.bdnn" | cut -d' ' -f1)  $network-quick"
        decompose "$network" "$source/tests/data/$network.onnx" --bases 3 --bits 6 --labels "$source/tests/data/labels$([ "$network" != segnet ] || echo -segnet).txt" -- "$bdnn"
        echo "$(sha256sum <"$scratch/$network.bdnn" | cut -d' ' -f1)  $network"
    done
    ;;
esac
