#!/usr/bin/env bash
# Compares the real libolm with ours: CALLS random calls (a million if not given), shared by two processes.
#
#   run.sh [CALLS]
#
# OLM_REAL and OLM_OURS name the libraries; what is not given is obtained here: Debian's libolm3, or where there is none
# libolm built from the source distribution of python-olm; and ours, built by cargo. SEED and STEPS make one
# episode again, with TRACE=1 showing each call.
set -euo pipefail
cd "$(dirname "$0")"

root=$(cd ../../.. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
. ../libraries.sh
libraries "$root" "$target"
export CALLS="${1:-${CALLS:-1000000}}"

echo "real: $OLM_REAL" && echo "ours: $OLM_OURS"
exec cargo run --quiet --release --target-dir "$target/differential"
