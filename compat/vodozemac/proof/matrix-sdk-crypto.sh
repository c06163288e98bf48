#!/usr/bin/env bash
# matrix-sdk-crypto's own test suite with this crate, and with vodozemac: the same tests pass.
#
# The published crate lacks two fixtures; the tests that read them fail with either. It needs a Rust that
# is newer than ours: `SDK_TOOLCHAIN` (default: nightly).
#
#   proof/matrix-sdk-crypto.sh [ours|real]...    (both, unless told)
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.19.1
here=$PWD
work=${CARGO_TARGET_DIR:-$PWD/target}/matrix-sdk-crypto
features=qrcode,automatic-room-key-forwarding,experimental-algorithms,experimental-send-custom-to-device
features=$features,experimental-encrypted-state-events,experimental-push-secrets,testing
export CARGO_TARGET_DIR=$work/target CARGO_PROFILE_DEV_DEBUG=0 INSTA_UPDATE=no

# The source, where cargo keeps it, found through a crate that depends on it.
mkdir -p "$work/stub/src" "$work/benchmarks/benches/crypto_bench" "$work/crates"
touch "$work/stub/src/lib.rs"
cat >"$work/stub/Cargo.toml" <<TOML
[package]
name = "stub"
version = "0.0.0"
edition = "2024"
[dependencies]
matrix-sdk-crypto = "=$version"
[workspace]
TOML
source=$(cargo metadata --format-version 1 --manifest-path "$work/stub/Cargo.toml" |
    python3 -c '
import json, os, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "matrix-sdk-crypto":
        print(os.path.dirname(package["manifest_path"]))')
echo '{}' >"$work/benchmarks/benches/crypto_bench/keys_query.json"
echo '{}' >"$work/benchmarks/benches/crypto_bench/keys_claim.json"

run() { # run ours|real
    local crate=$work/crates/$1
    rm -rf "$crate" && cp -r "$source" "$crate" && rm -f "$crate/Cargo.lock"
    printf '\n[workspace]\n' >>"$crate/Cargo.toml"
    if [ "$1" = ours ]; then
        printf '\n[patch.crates-io]\nvodozemac = { path = "%s" }\n' "$here" >>"$crate/Cargo.toml"
    fi
    (cd "$crate" && cargo "+${SDK_TOOLCHAIN:-nightly}" test --lib --no-fail-fast --features "$features" \
        -- --test-threads=2) >"$work/$1.log" 2>&1 || true
    grep -q '^test result' "$work/$1.log" || { tail -40 "$work/$1.log"; exit 1; }
    sed -n 's/^test \(.*\) \.\.\. ok$/\1/p' "$work/$1.log" | sort >"$work/$1.passing"
    echo "$1: $(wc -l <"$work/$1.passing") tests pass; $(grep -c '\.\.\. FAILED$' "$work/$1.log" || true) fail"
}

[ $# -gt 0 ] || set -- ours real
for library in "$@"; do run "$library"; done
if [ $# -gt 1 ]; then diff "$work/real.passing" "$work/ours.passing" && echo "the same tests pass"; fi
