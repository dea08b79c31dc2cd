#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the machine ready and runs the tests.
#
#   ./scripts/test.sh            unit and e2e
#   ./scripts/test.sh unit       those of the crates: unit, property, real-runtime
#   ./scripts/test.sh e2e        those against the real node
#   ./scripts/test.sh production those against the production build, which is built first
#   ./scripts/test.sh kills SEED nodes that are killed at random while they work, for 20 minutes;
#                                ASSAY_KILLS_MINUTES says for how many others
#   ./scripts/test.sh fuzz       the engine's decoders, each for ten minutes; fuzz SECONDS [TARGET]
#   ./scripts/test.sh aarch64    the engine's exactness on an emulated AArch64 machine
#   ./scripts/test.sh llama-cpp  the engine beside llama.cpp, which is built first
#   ./scripts/test.sh models     the models of the catalogue beside llama.cpp; models NAME
#
# Arguments after the part go to the test runner: ./scripts/test.sh e2e honest
# PROPTEST_CASES says how many random sequences each property test tries (256),
# ASSAY_EXPLORE_STATES how many states of a job are explored (1000), and
# ASSAY_SEQUENCES how many random sequences through all pallets are counted at least (100), or
# the numbers of those that are, as 100..200.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

say() { printf 'test: %s\n' "$*"; }
die() {
    printf 'test: error: %s\n' "$*" >&2
    exit 1
}

part=${1:-all}
case "$part" in
unit | e2e | all | production | kills) ;;
aarch64 | llama-cpp | models | fuzz)
    shift
    if [ "$part" = fuzz ]; then
        "$ASSAY_ROOT/scripts/setup.sh" --fuzz
    else
        "$ASSAY_ROOT/scripts/setup.sh"
    fi
    exec "$ASSAY_ROOT/scripts/test-$part.sh" "$@"
    ;;
-h | --help)
    sed -n '3,21s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
*) die "unknown part '$part'; there are unit, e2e, production, kills, fuzz, aarch64, llama-cpp, models and all" ;;
esac
[ $# -eq 0 ] || shift

if [ "$part" = kills ]; then
    [[ ${1:-} =~ ^[0-9]+$ ]] || die "kills needs a seed, a number: ./scripts/test.sh kills 1"
    export ASSAY_KILLS_SEED=$1 ASSAY_KILLS_MINUTES=${ASSAY_KILLS_MINUTES:-20}
    shift
fi

if [ "$part" = production ]; then
    "$ASSAY_ROOT/scripts/build-production.sh"
fi
"$ASSAY_ROOT/scripts/setup.sh" --test
choose_wasm_toolchain
cd "$ASSAY_ROOT"

# One selection of packages for everything, in run.sh too: another one would choose other features
# and build half of the dependencies again.
if [ "$part" = production ]; then
    say "running against $CARGO_TARGET_DIR/production/assay-node"
    ASSAY_PRODUCTION_NODE="$CARGO_TARGET_DIR/production/assay-node" \
        cargo test --locked --release --workspace --test production -- --ignored "$@"
    say "done"
    exit 0
fi

say "building the node and the command (20 to 30 minutes the first time, on two cores)"
cargo build --locked --release --workspace

if [ "$part" = kills ]; then
    say "killing nodes for $ASSAY_KILLS_MINUTES minutes, with the seed $ASSAY_KILLS_SEED"
    cargo test --locked --release --workspace --test e2e -- --ignored --nocapture kills:: "$@"
    say "done"
    exit 0
fi

# End-to-end tests at a time, also where there are fewer cores: they mostly wait for blocks.
E2E_THREADS=4

if cargo nextest --version >/dev/null 2>&1; then
    say "running with cargo-nextest"
    # Runs those tests that a filter selects.
    run() {
        local filter=$1
        shift
        cargo nextest run --locked --release --workspace -E "$filter" "$@"
    }
    unit() { run 'not binary(e2e) & not binary(production)' "$@" && doc; }
    e2e() { run 'binary(e2e)' --test-threads "$E2E_THREADS" "$@"; }
else
    say "running with cargo test"
    unit() { cargo test --locked --release --workspace --lib --bins "$@" && other_tests "$@" && doc; }
    # The integration tests of all packages but this one's end-to-end tests.
    other_tests() {
        local names=() name
        while IFS= read -r name; do
            names+=("$name")
        done < <(integration_tests)
        [ ${#names[@]} -gt 0 ] || die "cargo metadata names no integration tests"
        cargo test --locked --release --workspace "${names[@]}" "$@"
    }
    e2e() { RUST_TEST_THREADS=$E2E_THREADS cargo test --locked --release --workspace --test e2e "$@"; }
fi

# `--test NAME` for each file or folder under a tests/ folder that is a test of its own.
# shellcheck disable=SC2317  # called by other_tests
integration_tests() {
    cargo metadata --no-deps --format-version 1 |
        grep -o '"kind":\["test"\],"crate_types":\["bin"\],"name":"[^"]*"' |
        sed 's/.*"name":"\(.*\)"/\1/' | sort -u | grep -vxE 'e2e|production' | sed 's/^/--test\n/'
}

# The examples in the documentation, which nextest does not run.
doc() { cargo test --locked --release --workspace --doc --quiet; }

case "$part" in
unit) unit "$@" ;;
e2e) e2e "$@" ;;
all)
    unit
    e2e
    ;;
esac
say "done"
