#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the models of the catalogue and compares each with llama.cpp: tokens, greedy choices, bits per byte, and
# an output in another quantisation. Called by ./scripts/test.sh models [NAME]...; llama.cpp is the one that
# ./scripts/test.sh llama-cpp builds.
#
# Models whose licence has terms are left out unless ASSAY_ACCEPT_TERMS=1 says that you accept them.
# ASSAY_LLAMA_PYTHON names a Python that has llama-cpp-python.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ASSAY_ROOT"

say() { printf 'models: %s\n' "$*"; }
die() {
    printf 'models: error: %s\n' "$*" >&2
    exit 1
}

export ASSAY_LLAMA_PYTHON="${ASSAY_LLAMA_PYTHON:-$CARGO_TARGET_DIR/llama-cpp/bin/python}"
[ -x "$ASSAY_LLAMA_PYTHON" ] || die "$ASSAY_LLAMA_PYTHON does not exist; run ./scripts/test.sh llama-cpp first"

terms=()
if [ "${ASSAY_ACCEPT_TERMS:-}" = 1 ]; then
    terms=(--accept-terms)
fi
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    while IFS= read -r name; do
        names+=("$name")
    done < <(sed -n 's/^name = "\(.*\)"$/\1/p' node/cli/models.toml)
fi

cargo build --locked --release --package assay --bin assay
failed=()
for name in "${names[@]}"; do
    # The entry of the catalogue up to the next one.
    entry=$(sed -n "/^name = \"$name\"\$/,/^\[\[model\]\]\$/p" node/cli/models.toml)
    if [[ "$entry" == *$'\n'"terms = "* ]] && [ ${#terms[@]} -eq 0 ]; then
        say "leaving out $name, whose terms are not accepted; read them, and set ASSAY_ACCEPT_TERMS=1"
        continue
    fi
    fetched=$("$ASSAY_BIN/assay" model --json fetch "$name" "${terms[@]}")
    file=$(printf '%s\n' "$fetched" | sed -n 's/.*"file":"\([^"]*\)".*/\1/p')
    say "comparing $name"
    cargo run --locked --release --package assay-engine --example compare -- "$file" || failed+=("$name")
done
[ ${#failed[@]} -eq 0 ] || die "not as llama.cpp has them: ${failed[*]}"
say "done"
