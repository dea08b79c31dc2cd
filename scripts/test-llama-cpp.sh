#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds llama.cpp (as the Python package llama-cpp-python, once) and compares with it: tokens,
# logits and numbers. Called by ./scripts/test.sh llama-cpp; arguments go to the test runner.
#
#   --record   also keeps what llama.cpp said, for machines that do not have it
#
# ASSAY_LLAMA_PYTHON names a Python that has the packages already.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ASSAY_ROOT"

say() { printf 'llama-cpp: %s\n' "$*"; }

if [ "${1:-}" = --record ]; then
    shift
    export ASSAY_LLAMA_RECORD=1
fi

if [ -z "${ASSAY_LLAMA_PYTHON:-}" ]; then
    venv="$CARGO_TARGET_DIR/llama-cpp"
    export ASSAY_LLAMA_PYTHON="$venv/bin/python"
    if [ ! -e "$venv/ready" ]; then
        say "building llama.cpp into $venv (10 to 40 minutes, once)"
        python3 -m venv "$venv"
        # From source: what is compared is what this machine's compiler makes of it.
        CMAKE_ARGS="-DLLAVA_BUILD=OFF" "$ASSAY_LLAMA_PYTHON" -m pip install --quiet \
            --no-binary llama-cpp-python 'llama-cpp-python==0.3.36' 'gguf==0.19.0'
        touch "$venv/ready"
    fi
fi

say "comparing"
cargo test --locked --release --package assay-engine --test llama_cpp -- --nocapture "$@"
