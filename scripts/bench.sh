#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures, prints a table, and ends with one JSON object of the figures.
#
#   ./scripts/bench.sh engine   decode tokens/s, verify over generate, on the built-in model
#   ./scripts/bench.sh chain    block import beside a running job; whole jobs that fit a block
#
# Arguments after the name go to the benchmark; --help tells which there are.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

name=${1:-}
case "$name" in
engine | chain) ;;
-h | --help)
    sed -n '3,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
*)
    printf "bench: error: unknown benchmark '%s'; there are engine and chain\n" "$name" >&2
    exit 2
    ;;
esac
shift

"$ASSAY_ROOT/scripts/setup.sh" >&2
cd "$ASSAY_ROOT"
echo "bench: building (20 to 30 minutes the first time, on two cores)" >&2
cargo build --release --quiet --workspace --bins --examples >&2

case "$name" in
engine) exec "$ASSAY_BIN/examples/bench" "$@" ;;
chain) exec python3 scripts/bench/chain.py "$@" ;;
esac
