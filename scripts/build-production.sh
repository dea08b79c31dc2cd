#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the node and the command that operators and validators run: optimised throughout, and with the
# hash of the metadata (RFC-78), by which hardware wallets check what they sign. The binaries of
# test.sh and run.sh compile in half of the time and lack both.
#
#   ./scripts/build-production.sh
#
# The binaries are in the folder `production` of the target folder. The script takes about an hour on
# two cores. CARGO_BUILD_JOBS says how many compilers run at a time.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

say() { printf 'production: %s\n' "$*"; }

case "${1:-}" in
"") ;;
-h | --help)
    sed -n '3,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
*)
    say "error: unknown argument '$1'; there is --help" >&2
    exit 2
    ;;
esac

"$ASSAY_ROOT/scripts/setup.sh"
choose_wasm_toolchain
cd "$ASSAY_ROOT"

say "building (about an hour the first time, on two cores)"
# The profile has a folder of its own in the target folder, so the features rebuild nothing else's.
cargo build --locked --profile production -p assay-node -p assay \
    --features assay-runtime/metadata-hash
say "built $CARGO_TARGET_DIR/production/assay-node and $CARGO_TARGET_DIR/production/assay"
