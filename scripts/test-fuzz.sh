#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the engine's decoders of bytes that others wrote: files of models, transcripts, compressed texts.
# Each must return a value or an error, without a panic and within its documented memory. Called by
# test.sh; the first argument says for how many seconds each target runs (600), the second runs one target
# alone.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

say() { printf 'fuzz: %s\n' "$*"; }

seconds=${1:-600}
if ! [[ $seconds =~ ^[0-9]+$ ]]; then
    say "error: '$seconds' is not a number of seconds; ./scripts/test.sh fuzz 600" >&2
    exit 2
fi
targets=(gguf verify compressed)
[ -z "${2:-}" ] || targets=("$2")

cd "$ASSAY_ROOT/node/engine"
# Fuzzing needs options that a stable compiler only takes so.
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$CARGO_TARGET_DIR/fuzz"
for target in "${targets[@]}"; do
    say "$target, for $seconds seconds"
    cargo fuzz run "$target" -- -max_total_time="$seconds" -rss_limit_mb=4096 -print_final_stats=1
done
