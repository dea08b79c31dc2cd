# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the other scripts: where things are, and what every cargo call must have.

ASSAY_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export ASSAY_ROOT

# One target folder for everything. CI names one outside the clone, so that nothing is built twice.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$ASSAY_ROOT/target}"
ASSAY_BIN="$CARGO_TARGET_DIR/release"
export ASSAY_BIN

# The name under which rustup knows Debian's compiler, where that one builds the WASM blob.
ASSAY_WASM_TOOLCHAIN=debian-web

# Whether the compiler on PATH has the libraries of the runtime's target.
has_wasm_target() {
    command -v rustc >/dev/null 2>&1 &&
        ls "$(rustc --print sysroot)"/lib/rustlib/wasm32v1-none/lib/libcore-*.rlib >/dev/null 2>&1
}

# Whether rustup has Debian's compiler linked, with those libraries.
has_linked_wasm_toolchain() {
    command -v rustup >/dev/null 2>&1 &&
        rustup toolchain list 2>/dev/null | grep "^$ASSAY_WASM_TOOLCHAIN" >/dev/null &&
        ls "$(rustc "+$ASSAY_WASM_TOOLCHAIN" --print sysroot)"/lib/rustlib/wasm32v1-none/lib/libcore-*.rlib \
            >/dev/null 2>&1
}

# Has the blob built by the compiler that can. To be called again after setup.sh, which may bring it.
choose_wasm_toolchain() {
    if ! has_wasm_target && has_linked_wasm_toolchain; then
        export WASM_BUILD_TOOLCHAIN="$ASSAY_WASM_TOOLCHAIN"
    fi
}
choose_wasm_toolchain
