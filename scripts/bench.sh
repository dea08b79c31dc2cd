#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures, prints a table, and ends with one JSON object of the figures.
#
#   ./scripts/bench.sh engine   decode, prefill, verify over generate, batches, memory; beside
#                               llama.cpp and candle; into docs/bench/engine.md
#   ./scripts/bench.sh chain    block import beside running jobs; whole jobs that fit a block
#   ./scripts/bench.sh routing  routing simulated: fairness, Sybils, liars, droppers, the dead; into
#                               docs/bench/routing.md
#
# Arguments after the name go to the benchmark; --help tells which there are.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

name=${1:-}
case "$name" in
engine | chain | routing) ;;
-h | --help)
    sed -n '3,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
*)
    printf "bench: error: unknown benchmark '%s'; there are engine, chain and routing\n" "$name" >&2
    exit 2
    ;;
esac
shift

"$ASSAY_ROOT/scripts/setup.sh" >&2
choose_wasm_toolchain
cd "$ASSAY_ROOT"
if [ "$name" = routing ]; then
    echo "bench: building the simulation" >&2
    cargo build --release --quiet -p pallet-routing --example simulate >&2
else
    echo "bench: building (20 to 30 minutes the first time, on two cores)" >&2
    cargo build --release --quiet --workspace --bins --examples >&2
fi

# Debian's Python has Debian's matplotlib, which another Python on PATH may not have.
python=python3
if ! python3 -c 'import matplotlib' 2>/dev/null && [ -x /usr/bin/python3 ]; then
    python=/usr/bin/python3
fi

case "$name" in
engine) exec "$python" scripts/bench/engine.py "$@" ;;
chain) exec python3 scripts/bench/chain.py "$@" ;;
routing) exec "$python" scripts/bench/routing.py "$@" ;;
esac
