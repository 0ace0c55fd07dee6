#!/usr/bin/env bash
# An installed copy serves a program of its user: the example builds through pkg-config (shared and static) and through CMake, and runs.
#   install.sh BUILD_FOLDER SOURCE_FOLDER
set -euo pipefail
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name bdnn.pc)")
LD_LIBRARY_PATH=${PKG_CONFIG_PATH%/pkgconfig}
export PKG_CONFIG_PATH LD_LIBRARY_PATH
sed -i "s|^prefix=.*|prefix=$work/prefix|" "$PKG_CONFIG_PATH/bdnn.pc"

"$work/prefix/bin/bdnn" convert "$source/tests/data/alexnet.onnx" -o "$work/net.bdnn" --labels "$source/tests/data/labels.txt" \
    --mean 0.2860 --std 0.3530 --unit
expect() {
    answer=$("$1" "$work/net.bdnn" "$source/tests/data/fashion-example.png")
    [ "$answer" = "Ankle boot" ] || { echo "$1 answers '$answer'"; exit 1; }
}

# shellcheck disable=SC2046 # several flags
cc "$source/docs/examples/classify.c" $(pkg-config --cflags --libs bdnn) -o "$work/shared"
expect "$work/shared"
# The static library by its file: ld would take the shared one for -lbdnn.
# shellcheck disable=SC2046
cc "$source/docs/examples/classify.c" $(pkg-config --cflags bdnn) "$LD_LIBRARY_PATH/libbdnn.a" \
    $(pkg-config --static --libs-only-l bdnn | sed 's/-lbdnn //') -o "$work/static"
expect "$work/static"

cat >"$work/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.22)
project(user C)
find_package(bdnn 0.1 REQUIRED)
add_executable(with_cmake $source/docs/examples/classify.c)
target_link_libraries(with_cmake bdnn::bdnn)
END
cmake -S "$work" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/cmake" >/dev/null
expect "$work/cmake/with_cmake"

# Nothing but the public calls is visible in the shared library.
hidden=$(nm -D --defined-only "$LD_LIBRARY_PATH/libbdnn.so" | awk '$2 ~ /[TDR]/ && $3 !~ /^_/ { print $3 }' | sort |
    comm -23 - <(grep -oE '\bbdnn_[a-z0-9_]+\(' "$source/host/include/bdnn.h" | tr -d '(' | sort -u))
[ -z "$hidden" ] || { echo "visible, but not in bdnn.h: $hidden"; exit 1; }
