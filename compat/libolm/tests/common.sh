# Sourced by the scripts beside it, each of which proves one thing about the installed library. Sets
#   CRATE    this crate           BUILD    where everything goes that a test builds or downloads
#   STAGE    an installation, made by install.sh (INCLUDE and LIB are its two folders)
# LIBRARY_DIR may name another folder with libolm.so and libolm.a to test, for example the
# original's. After a pipe stands `grep >/dev/null`: `grep -q` stops reading early, which pipefail
# takes for a failure.
set -euo pipefail

PYTHON=/usr/bin/python3 # Debian's own: its packages are made for it
CRATE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TARGET=$(realpath -m "${CARGO_TARGET_DIR:-$CRATE/../../target}")
LIBRARY_DIR=${LIBRARY_DIR:-$TARGET/release}
BUILD=${BUILD:-$TARGET/libolm-tests}
STAGE=$BUILD/stage
INCLUDE=$STAGE/usr/include
LIB=$STAGE/usr/lib
export LD_LIBRARY_PATH=$LIB
mkdir -p "$BUILD"

rm -rf "$STAGE"
"$CRATE/install.sh" PREFIX=/usr DESTDIR="$STAGE" LIBRARY_DIR="$LIBRARY_DIR" >/dev/null

fail() { echo "FAIL: $*" >&2; exit 1; }

# Two compilers at a time: `parallel_start COMMAND...` as often as needed, then `parallel_join`.
parallel_pids=()
parallel_start() {
    "$@" & parallel_pids+=($!)
    [ ${#parallel_pids[@]} -lt 2 ] || { wait "${parallel_pids[0]}"; parallel_pids=("${parallel_pids[@]:1}"); }
}
parallel_join() { for pid in "${parallel_pids[@]}"; do wait "$pid"; done; parallel_pids=(); }

# Runs a program under valgrind: any error or any block that nobody can free any more fails.
memcheck() { valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite "$@"; }

# The original's sources, unpacked in $SDIST: its test programs, its headers, and the Python
# package. Never committed.
SDIST=$BUILD/python-olm-3.2.16
# The package compiles the original with cmake when Python asks it for anything; one that does
# nothing prevents that.
without_cmake() {
    mkdir -p "$BUILD/no-cmake"
    printf '#!/bin/sh\n' >"$BUILD/no-cmake/cmake"
    chmod +x "$BUILD/no-cmake/cmake"
    PATH=$BUILD/no-cmake:$PATH "$@"
}
fetch_sdist() {
    [ ! -d "$SDIST" ] || return 0
    without_cmake $PYTHON -m pip download --quiet --disable-pip-version-check --no-build-isolation \
        --no-binary :all: --no-deps --dest "$BUILD" python-olm==3.2.16
    mkdir -p "$BUILD/unpack"
    tar xf "$BUILD/python-olm-3.2.16.tar.gz" -C "$BUILD/unpack"
    mv "$BUILD/unpack/python-olm-3.2.16" "$SDIST"
}
