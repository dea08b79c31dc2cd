# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the other scripts: where things are, and what every cargo call must have.

ASSAY_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export ASSAY_ROOT

# One target folder for everything. CI names one outside the clone, so that nothing is built twice.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$ASSAY_ROOT/target}"
ASSAY_BIN="$CARGO_TARGET_DIR/release"
export ASSAY_BIN

# Where setup.sh puts tools of CI, at versions of its own.
ASSAY_TOOLS="${XDG_CACHE_HOME:-$HOME/.cache}/assay/tools"
export PATH="$ASSAY_TOOLS/bin:$PATH"

# Runs a command for at most so many seconds, where the machine can.
within() {
    local seconds=$1
    shift
    if command -v timeout >/dev/null 2>&1; then
        timeout "$seconds" "$@"
    else
        "$@"
    fi
}

# The name under which rustup knows Debian's compiler, where that one builds the WASM blob.
ASSAY_WASM_TOOLCHAIN=debian-web

# Whether the compiler that the arguments call has the libraries of the runtime's target, and they are its
# own: those of another version stay behind when it is updated.
compiles_wasm() {
    local out works=1
    out=$(mktemp -d)
    printf '#![no_std]\nextern crate alloc;\n' |
        "$@" --target wasm32v1-none --crate-type rlib --out-dir "$out" - >/dev/null 2>&1 && works=0
    rm -rf "$out"
    return $works
}

# Whether the one on PATH has them.
has_wasm_target() { command -v rustc >/dev/null 2>&1 && compiles_wasm rustc; }

# Whether rustup has Debian's compiler linked, with those libraries.
has_linked_wasm_toolchain() {
    command -v rustup >/dev/null 2>&1 &&
        rustup toolchain list 2>/dev/null | grep "^$ASSAY_WASM_TOOLCHAIN" >/dev/null &&
        compiles_wasm rustc "+$ASSAY_WASM_TOOLCHAIN"
}

# Has the blob built by the compiler that can. To be called again after setup.sh, which may bring it.
choose_wasm_toolchain() {
    if ! has_wasm_target && has_linked_wasm_toolchain; then
        export WASM_BUILD_TOOLCHAIN="$ASSAY_WASM_TOOLCHAIN"
    fi
}
choose_wasm_toolchain
