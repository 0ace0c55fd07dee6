#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# CMake's project version is everybody's: the header's macros, the module's package, the package files, the commands in the documents.
#   version.sh VERSION SOURCE_FOLDER BUILD_FOLDER
set -euo pipefail
version=$1 source=$2 build=$3
status=0
fail() { echo "version: FAILED: $1 is not of version $version" >&2; status=1; }

header=$build/host/include/bdnn_version.h
IFS=. read -r major minor patch <<<"$version"
for line in "BDNN_VERSION \"$version\"" "BDNN_VERSION_MAJOR $major" "BDNN_VERSION_MINOR $minor" "BDNN_VERSION_PATCH $patch"; do
    grep -qxE "#define ${line/ / +}" "$header" || fail "$header: ${line%% *}"
done
grep -qx "PACKAGE_VERSION=\"$version\"" "$source/driver/dkms.conf" || fail driver/dkms.conf
grep -qx "Version: $version" "$build/host/bdnn.pc" || fail bdnn.pc
while read -r found; do
    fail "$found"
done < <(grep -rnoE '(bdnn_|/usr/src/bdnn-)[0-9]+\.[0-9]+\.[0-9]+' "$source/docs" "$source/README.md" | grep -vE "[_-]${version//./\\.}\$")
[ $status -ne 0 ] || echo "version: $version everywhere"
exit $status
