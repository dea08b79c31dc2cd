#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the engine's tests of exactness on this machine and on an emulated AArch64 one. Both compare
# their outputs with the same published digests, so when both pass, the machines compute the same
# bits. Called by test.sh; arguments go to cargo test.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

TARGET=aarch64-unknown-linux-gnu

say() { printf 'aarch64: %s\n' "$*"; }
die() {
    printf 'aarch64: error: %s\n' "$*" >&2
    exit 1
}

# shellcheck source=scripts/apt.sh
source "$ASSAY_ROOT/scripts/apt.sh"

has_target() { ls "$(rustc --print sysroot)/lib/rustlib/$TARGET"/lib/libstd-*.rlib >/dev/null 2>&1; }

ensure aarch64-linux-gnu-gcc=gcc-aarch64-linux-gnu qemu-aarch64=qemu-user \
    file:/usr/aarch64-linux-gnu/include/stdio.h=libc6-dev-arm64-cross

build_std=()
if ! has_target && command -v rustup >/dev/null 2>&1; then
    say "adding the target $TARGET through rustup"
    within 300 rustup target add "$TARGET" >/dev/null 2>&1 ||
        say "rustup cannot download it here; Debian's compiler will do"
fi
if ! has_target; then
    # Debian's compiler builds the standard library from Debian's copy of its source.
    apt_install rustc-web cargo-web rust-web-src
    PATH="$(dirname "$(dpkg -L cargo-web | grep -x '/usr/bin/cargo')"):$PATH"
    export PATH RUSTC_BOOTSTRAP=1
    unset RUSTUP_TOOLCHAIN
    build_std=(-Zbuild-std)
fi

cd "$ASSAY_ROOT"
tests=(--release -p assay-engine --lib --test kernels --test golden --test exact)

say "on this machine"
cargo test --locked "${tests[@]}" "$@"

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc
export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
# An emulated machine is some thirty times slower.
export PROPTEST_CASES="${PROPTEST_CASES:-32}"
# An emulated program cannot start itself again, which one of the tests does.
# One machine with the dot products of ARMv8.2, and one without.
for cpu in max cortex-a53; do
    say "on an emulated machine: $cpu"
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -cpu $cpu" \
        cargo test --locked ${build_std[@]+"${build_std[@]}"} --target "$TARGET" "${tests[@]}" "$@" -- \
        --skip the_environment_names_the_kernel
done
say "the same digests on all of them"
