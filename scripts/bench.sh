#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures, prints a table, and ends with one JSON object of the figures.
#
#   ./scripts/bench.sh engine   decode, prefill, verify over generate, batches, memory; beside
#                               llama.cpp and candle; into docs/bench/engine.md
#   ./scripts/bench.sh chain    block import beside running jobs; whole jobs that fit a block
#   ./scripts/bench.sh flood    jobs of a node that peers and RPC clients flood
#   ./scripts/bench.sh routing  routing simulated: fairness, Sybils, liars, droppers, the dead; into
#                               docs/bench/routing.md
#   ./scripts/bench.sh economics
#                               what dishonest strategies earn; into docs/bench/economics.md
#
# Arguments after the name go to the benchmark; --help tells which there are.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

name=${1:-}
case "$name" in
engine | chain | flood | routing | economics) ;;
-h | --help)
    sed -n '3,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
*)
    printf "bench: error: unknown benchmark '%s'; there are engine, chain, flood, routing and economics\n" "$name" >&2
    exit 2
    ;;
esac
shift

say() { printf 'bench: %s\n' "$*" >&2; }
die() {
    say "error: $*"
    exit 1
}

# shellcheck source=scripts/apt.sh
source "$ASSAY_ROOT/scripts/apt.sh"

"$ASSAY_ROOT/scripts/setup.sh" >&2
ensure python3=python3
if [ "$name" = chain ]; then
    ensure taskset=util-linux
fi
choose_wasm_toolchain
cd "$ASSAY_ROOT"
if [ "$name" = routing ]; then
    say "building the simulation"
    cargo build --locked --release --quiet -p pallet-routing --example simulate >&2
elif [ "$name" = economics ]; then
    say "building the simulation (some minutes the first time)"
    cargo build --locked --release --quiet -p assay-runtime --example economics >&2
else
    say "building (20 to 30 minutes the first time, on two cores)"
    cargo build --locked --release --quiet --workspace --bins --examples >&2
fi

# Debian's Python has Debian's matplotlib, which another Python on PATH may not have. The pictures
# need it; without it the table alone is written.
python=python3
draws() { "$1" -c 'import matplotlib' 2>/dev/null; }
if [[ $name = engine || $name = economics ]] && ! draws python3; then
    if ! draws /usr/bin/python3 && apt_has python3-matplotlib; then
        apt_install python3-matplotlib
    fi
    if draws /usr/bin/python3; then
        python=/usr/bin/python3
    fi
fi

case "$name" in
engine) exec "$python" scripts/bench/engine.py "$@" ;;
chain) exec python3 scripts/bench/chain.py "$@" ;;
flood) exec python3 scripts/bench/flood.py "$@" ;;
routing) exec python3 scripts/bench/routing.py "$@" ;;
economics) exec "$python" scripts/bench/economics.py "$@" ;;
esac
