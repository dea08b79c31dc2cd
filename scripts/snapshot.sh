#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes runtime/snapshot/metadata.txt anew: the calls, the versions and the sources' hash of a release.
# The tests compare the runtime with it, and fail where a version was to be raised. The snapshot is
# written with each release.
#
#   ./scripts/snapshot.sh
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ASSAY_ROOT"

ASSAY_WRITE_SNAPSHOT=1 SKIP_WASM_BUILD=1 cargo test --locked --release -p assay-runtime --test metadata \
    versions_are_raised
git --no-pager diff --stat -- runtime/snapshot
