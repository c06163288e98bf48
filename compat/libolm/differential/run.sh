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

# Prints where the real library is.
real() {
    local found
    found=$(ldconfig -p | awk '/libolm\.so\.3 / { print $NF; exit }')
    if [ -z "$found" ] && command -v apt-get >/dev/null; then
        apt-get update -qq >&2
        if DEBIAN_FRONTEND=noninteractive apt-get install -qq -y libolm3 >&2; then
            found=$(ldconfig -p | awk '/libolm\.so\.3 / { print $NF; exit }')
        fi
    fi
    if [ -z "$found" ]; then
        local sources=$target/real-libolm
        mkdir -p "$sources"
        pip download --quiet --no-deps --no-binary :all: python-olm==3.2.16 -d "$sources" >&2
        tar -C "$sources" -xf "$sources"/python-olm-3.2.16.tar.gz
        cmake -S "$sources/python-olm-3.2.16/libolm" -B "$sources/build" \
            -DCMAKE_BUILD_TYPE=Release -DOLM_TESTS=OFF >&2
        cmake --build "$sources/build" --target olm >&2
        found=$sources/build/libolm.so.3
    fi
    echo "$found"
}

if [ -z "${OLM_OURS:-}" ]; then
    (cd "$root" && cargo build --release --package moceril-libolm)
    OLM_OURS=$target/release/libolm.so
fi
export OLM_OURS OLM_REAL="${OLM_REAL:-$(real)}" CALLS="${1:-${CALLS:-1000000}}"

echo "real: $OLM_REAL" && echo "ours: $OLM_OURS"
exec cargo run --quiet --release --target-dir "$target/differential"
