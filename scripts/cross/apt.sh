# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# To be sourced: Debian packages of other architectures, downloaded and unpacked with lists of their own. Neither the system's packages nor
# its list of architectures change. $0 is what messages name; it exits with 77 when the packages cannot be had.

# private_apt ARCHITECTURE...   the first is the one that names without one are of
private_apt() {
    apt_state=$(mktemp -d)
    trap 'rm -rf "$apt_state"' EXIT
    mkdir -p "$apt_state/lists/partial" "$apt_state/archives/partial" "$apt_state/debs"
    touch "$apt_state/status"
    apt_options=(-qq -o "APT::Architecture=$1" -o "Dir::State::lists=$apt_state/lists" -o "Dir::State::status=$apt_state/status"
        -o "Dir::Cache::archives=$apt_state/archives" -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache="
        -o "Acquire::Languages=none" -o "APT::Sandbox::User="
        -o "Acquire::Retries=3" -o "Acquire::http::Timeout=30" -o "Acquire::https::Timeout=30")
    local architecture
    for architecture in "$@"; do
        apt_options+=(-o "APT::Architectures::=$architecture")
    done
    # An index that cannot be had (a mirror being updated) matters only if a package is then unknown.
    apt-get "${apt_options[@]}" update >"$apt_state/log" 2>&1 || true
}

packages_missing() {
    cat "$apt_state/log" >&2
    echo "$(basename "$0"): Debian's packages cannot be had; apt-get's output is above" >&2
    exit 77
}

# unpack FOLDER PACKAGE...
unpack() {
    local folder=$1 deb
    shift
    mkdir -p "$folder"
    (cd "$apt_state/debs" && apt-get "${apt_options[@]}" download "$@") >>"$apt_state/log" 2>&1 || packages_missing
    for deb in "$apt_state"/debs/*.deb; do
        dpkg-deb -x "$deb" "$folder"
        rm "$deb"
    done
}
