#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# An installed copy serves a program of its user: an example builds through pkg-config and through CMake, with the shared library and with the
# static one, and runs.
#   install.sh BUILD_FOLDER SOURCE_FOLDER
set -euo pipefail
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name bdnn.pc)")
export PKG_CONFIG_PATH
libraries=${PKG_CONFIG_PATH%/pkgconfig}
sed -i "s|^prefix=.*|prefix=$work/prefix|" "$PKG_CONFIG_PATH/bdnn.pc"

"$work/prefix/bin/bdnn" convert "$source/tests/data/alexnet.onnx" -o "$work/net.bdnn" --labels "$source/tests/data/labels.txt" \
    --mean 0.2860 --std 0.3530 --unit
# expect PROGRAM yes|no: it runs, and needs the shared library or does not.
expect() {
    local answer shared=no
    answer=$(LD_LIBRARY_PATH=$libraries "$1" "$work/net.bdnn" "$source/tests/data/fashion-example.png")
    [ "$answer" = "Ankle boot" ] || { echo "$1 answers '$answer'"; exit 1; }
    ! grep -q libbdnn <<<"$(ldd "$1")" || shared=yes
    [ $shared = "$2" ] || { echo "$1: shared library: $shared"; exit 1; }
}
program=$source/docs/examples/classify.c

# shellcheck disable=SC2046 # several flags
cc "$program" $(pkg-config --cflags --libs bdnn) -o "$work/shared"
expect "$work/shared" yes
# The static library by its file: ld would take the shared one for -lbdnn.
# shellcheck disable=SC2046
cc "$program" $(pkg-config --cflags bdnn) "$libraries/libbdnn.a" $(pkg-config --static --libs-only-l bdnn | sed 's/-lbdnn //') -o "$work/static"
expect "$work/static" no

cmake -S "$source/tests/system/consumer" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" -DPROGRAM="$program" >/dev/null
cmake --build "$work/cmake" >/dev/null
expect "$work/cmake/with_shared" yes
expect "$work/cmake/with_static" no

# Without what the static library needs, it is not found, and why is told; the shared one needs nothing.
options=(-DCMAKE_PREFIX_PATH="$work/prefix" -DPROGRAM="$program" -DCMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON)
! cmake -S "$source/tests/system/consumer" -B "$work/without" "${options[@]}" >"$work/log" 2>&1 || { echo "found without zlib"; exit 1; }
grep -q "static library needs zlib" "$work/log" || { cat "$work/log"; exit 1; }
cmake -S "$source/tests/system/consumer" -B "$work/without" "${options[@]}" -DONLY=shared >/dev/null
