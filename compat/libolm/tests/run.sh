#!/usr/bin/env bash
# Proves that the library takes libolm's place: for programs that are compiled, for programs that are not, and for
# careless ones. Debian; installs what is missing. Builds the library first, unless LIBRARY_DIR names one.
#     compat/libolm/tests/run.sh [PART ...]      PART: headers install upstream python memory
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

packages=(g++ binutils cmake make pkg-config valgrind xz-utils python3 python3-dev python3-pip python3-cffi
    python3-setuptools python3-pytest python3-future)
missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=
    [ "$status" = "install ok installed" ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
fi

[ -n "${LIBRARY_DIR:-}" ] || cargo build --release --manifest-path "$here/../Cargo.toml"

parts=("$@")
[ $# -gt 0 ] || parts=(headers install upstream python memory)
failed=()
for part in "${parts[@]}"; do
    echo "-- $part"
    start=$SECONDS
    if "$here/$part.sh"; then verdict=PASS; else verdict=FAIL; failed+=("$part"); fi
    echo "$verdict $part ($((SECONDS - start)) s)"
done
[ ${#failed[@]} -eq 0 ] || { echo "FAILED: ${failed[*]}"; exit 1; }
