#!/usr/bin/env bash
# The test suites of matrix-sdk-crypto and matrix-sdk-sqlite with this crate, and with vodozemac: the same
# tests pass.
#
# The snapshots that the suites compare with are not in the published crates: vodozemac writes them first.
# A few other fixtures are missing, too; the tests that read them fail with either. The crates need a newer
# Rust than this one does: `SDK_TOOLCHAIN` (default: nightly).
#
#   proof/matrix-sdk.sh
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.19.1
ours=$PWD
toolchain=${SDK_TOOLCHAIN:-nightly}
work=${CARGO_TARGET_DIR:-$PWD/target}/matrix-sdk
export CARGO_TARGET_DIR=$work/target CARGO_PROFILE_DEV_DEBUG=0
