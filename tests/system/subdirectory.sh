#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Another project that has bdnn as a subdirectory builds an example with bdnn::bdnn and bdnn::bdnn_static, and runs it. Without what takes
# longest to compile.
#   subdirectory.sh TOOL SOURCE_FOLDER [CMAKE_OPTION...]
set -euo pipefail
tool=$1 source=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake -S "$source/tests/system/consumer" -B "$work/build" -DBDNN_SOURCE="$source" -DPROGRAM="$source/docs/examples/accelerator.c" \
    -DCMAKE_BUILD_TYPE=Debug -DBDNN_WITH_ONNX=OFF -DBDNN_WITH_IMAGES=OFF -DBDNN_WITH_XRT=OFF "$@" >/dev/null
cmake --build "$work/build" --parallel 2 >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
[ ! -d "$work/build/bdnn/tests" ] || { echo "the tests of a subdirectory are not for its user"; exit 1; }

"$tool" convert "$source/tests/data/alexnet.onnx" -o "$work/net.bdnn"
for kind in shared static; do
    "$work/build/with_$kind" "$work/net.bdnn" cpu >"$work/$kind"
    [ "$(grep -c '^-\?0x' "$work/$kind")" -eq 10 ] || { echo "with_$kind: ten scores expected"; exit 1; }
done
cmp "$work/shared" "$work/static"
