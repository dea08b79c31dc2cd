#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the pallets' benchmarks and writes their weights.rs. Builds the runtime with its benchmarks into
# a folder of its own, since their feature changes half of the dependencies.
#
#   ./scripts/weights.sh             all pallets
#   ./scripts/weights.sh jobs        one of them
#
# Needs frame-omni-bencher 0.28: cargo install frame-omni-bencher@0.28.0 --locked
# OMNI_BENCHER names another binary; STEPS and REPEAT say how often to measure (50 and 20).
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

bencher=${OMNI_BENCHER:-frame-omni-bencher}
command -v "$bencher" >/dev/null 2>&1 || {
    echo "weights: error: there is no $bencher; cargo install frame-omni-bencher@0.28.0 --locked" >&2
    exit 1
}
pallets=("$@")
[ ${#pallets[@]} -gt 0 ] || pallets=(addresses beacon escrow jobs operators routing settings verification)

cd "$ASSAY_ROOT"
target="$CARGO_TARGET_DIR/benchmarks"
CARGO_TARGET_DIR="$target" cargo build --locked --release -p assay-runtime --features runtime-benchmarks
runtime="$target/release/wbuild/assay-runtime/assay_runtime.compact.compressed.wasm"
for pallet in "${pallets[@]}"; do
    "$bencher" v1 benchmark pallet \
        --runtime "$runtime" \
        --genesis-builder runtime \
        --genesis-builder-preset development \
        --allow-missing-host-functions \
        --pallet "pallet_$pallet" --extrinsic '*' \
        --steps "${STEPS:-50}" --repeat "${REPEAT:-20}" \
        --template scripts/weights.hbs \
        --output "pallets/$pallet/src/weights.rs"
done
