# SPDX-License-Identifier: Apache-2.0
# Sourced by the other scripts: finds the package's directory and installs what a machine lacks.
# shellcheck shell=bash

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Headers, libraries, code generators and programs that the build and the checks need.
build_packages=(
    git ca-certificates python3
    g++ pkg-config libc6-dev zlib1g-dev libsqlite3-dev
    libnghttp2-dev libprotobuf-c-dev libseccomp-dev libjansson-dev libisal-dev libzstd-dev
    protobuf-compiler protobuf-c-compiler libprotobuf-dev
)
# What an image without a registry is made from.
image_packages=(busybox-static)
# For each group of scripts/benchmark: what it needs, what its peers need, and the programs of Petrel that it measures.
# Docker itself is unpacked beside the machine's own programs; the peers of rpc are built from Benchmarks/.
engine_packages=(busybox-static python3 e2fsprogs mount)
engine_peer_packages=(runc libdevmapper1.02.1)
engine_programs=(petrel petrel-engine)
rpc_packages=(python3 mount)
rpc_peer_packages=(
    gcc libc6-dev libnghttp2-dev libprotobuf-c-dev libprotobuf-dev protobuf-compiler protobuf-c-compiler
    golang-go golang-google-grpc-dev golang-github-containerd-ttrpc-dev python3-pip git ca-certificates
)
rpc_programs=(rpc-echo)
# Programs that the tests drive Petrel with, and compare it to.
test_packages=(
    busybox-static curl docker-registry skopeo zstd gzip openssl python3 python3-venv python3-protobuf groff-base nghttp2-client zsh fish e2fsprogs
)

# fail MESSAGE...: one line on stderr, and the end.
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# need_packages NAME...: installs those that dpkg does not know as installed; asks nothing.
need_packages() {
    command -v dpkg-query >/dev/null || fail "this is not Debian or Ubuntu; please install: $*"
    local name missing=()
    for name in "$@"; do
        [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] \
            || missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    ((EUID == 0)) || fail "not root, so cannot install what is missing; run: sudo apt-get install ${missing[*]}"
    printf 'Installing %s\n' "${missing[*]}"
    local install_log
    # A name that nobody else can have made.
    install_log=$(mktemp "${TMPDIR:-/tmp}/petrel-install.XXXXXX")
    export DEBIAN_FRONTEND=noninteractive
    apt-get install --yes --no-install-recommends "${missing[@]}" </dev/null >"$install_log" 2>&1 \
        && { rm -f "$install_log"; return 0; }
    # The lists may be missing or old.
    { apt-get update && apt-get install --yes --no-install-recommends "${missing[@]}"; } \
        </dev/null >"$install_log" 2>&1 || { tail -n 20 "$install_log" >&2; fail "apt-get could not install ${missing[*]}"; }
    rm -f "$install_log"
}

# need_python_packages DIRECTORY REQUIREMENTS: in DIRECTORY, a Python of its own with the packages that the file REQUIREMENTS
# names; made when it is missing, has others, or belongs to a Python that is gone. Nothing else on the machine changes.
need_python_packages() {
    local directory=$1 requirements=$2
    cmp --silent "$requirements" "$directory/requirements.txt" && "$directory/bin/python" -c 'import pip' 2>/dev/null && return 0
    printf 'Installing %s\n' "$(grep -v '^#' "$requirements" | paste --serial --delimiters=' ')"
    rm -rf "$directory"
    # The machine's own Python, which python3-venv belongs to. Building a package would take longer than all the tests.
    /usr/bin/python3 -m venv "$directory" \
        && "$directory/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --only-binary :all: \
            --requirement "$requirements" </dev/null \
        || fail "could not install what $requirements names into $directory"
    # Says that the rest is whole.
    cp "$requirements" "$directory/requirements.txt"
}

# need_swift: Swift 6.3 or newer in the PATH, or the end.
need_swift() {
    local version
    version=$(swift --version 2>/dev/null | grep -o 'Swift version [0-9]*\.[0-9]*' | grep -o '[0-9]*\.[0-9]*') \
        || fail "Swift is not in the PATH; install Swift 6.3 (https://www.swift.org/install/linux) and try again"
    [[ $(printf '%s\n6.3\n' "$version" | sort --version-sort | head -n 1) == 6.3 ]] \
        || fail "Swift $version is too old; Petrel needs 6.3 or newer (https://www.swift.org/install/linux)"
}
