#!/usr/bin/env bash
# The test suites of matrix-sdk-crypto and matrix-sdk-sqlite with this crate, and with vodozemac:
# the same tests pass.
#
# The published crates come without the snapshots that some tests compare with: vodozemac writes
# them first. Other files are missing, too, and the tests that read them fail with either: see
# README.md.
#
# The crates need a newer Rust than this one does: SDK_TOOLCHAIN (default: nightly).
#
#   proof/run matrix-sdk
set -euo pipefail
cd "$(dirname "$0")/.."
. ../../.ci/needs.sh

version=0.19.1
vodozemac=0.11.1
ours=$PWD
toolchain=${SDK_TOOLCHAIN:-nightly}
work=$(realpath -m "${CARGO_TARGET_DIR:-target}")/matrix-sdk
features=$(printf 'matrix-sdk-crypto/%s,' qrcode automatic-room-key-forwarding experimental-algorithms \
    experimental-send-custom-to-device experimental-encrypted-state-events experimental-push-secrets \
    rust-x509-verifier-impl testing)
features=$features$(printf 'matrix-sdk-sqlite/%s,' bundled crypto-store testing \
    experimental-encrypted-state-events experimental-push-secrets)
export CARGO_TARGET_DIR=$work/target CARGO_PROFILE_DEV_DEBUG=0

needs_toolchain "$toolchain"

# The sources, where cargo keeps them, found through a crate that depends on them.
rm -rf "$work/stub" "$work/suites"
mkdir -p "$work/stub/src" "$work/suites/crates" "$work/suites/benchmarks/benches/crypto_bench"
touch "$work/stub/src/lib.rs"
cat >"$work/stub/Cargo.toml" <<TOML
[package]
name = "stub"
version = "0.0.0"
edition = "2024"
[dependencies]
matrix-sdk-crypto = "=$version"
matrix-sdk-sqlite = { version = "=$version", features = ["crypto-store"] }
[workspace]
TOML
cargo "+$toolchain" metadata --format-version 1 --manifest-path "$work/stub/Cargo.toml" |
    python3 -c '
import json, os, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] in ("matrix-sdk-crypto", "matrix-sdk-sqlite"):
        print(package["name"], os.path.dirname(package["manifest_path"]))' |
    while read -r name source; do
        cp -r "$source" "$work/suites/crates/$name"
        mv "$work/suites/crates/$name/Cargo.lock" "$work/stub/$name.lock"
    done
# What the compiler wants to see of the missing files.
for file in keys_query keys_claim; do
    echo '{}' >"$work/suites/benchmarks/benches/crypto_bench/$file.json"
done
touch "$work/suites/crates/matrix-sdk-crypto/src/x509/test_cms.pem"

use() { # use real|ours: both suites in one workspace, with the versions that one was published with
    cat >"$work/suites/Cargo.toml" <<TOML
[workspace]
resolver = "3"
members = ["crates/*"]
[patch.crates-io]
matrix-sdk-crypto = { path = "crates/matrix-sdk-crypto" }
TOML
    [ "$1" = real ] || printf 'vodozemac = { path = "%s" }\n' "$ours" >>"$work/suites/Cargo.toml"
    cp "$work/stub/matrix-sdk-sqlite.lock" "$work/suites/Cargo.lock"
    cargo "+$toolchain" update --quiet --manifest-path "$work/suites/Cargo.toml" vodozemac --precise "$vodozemac"
    # Else the comparison would be vodozemac's with itself.
    cargo "+$toolchain" tree --quiet --manifest-path "$work/suites/Cargo.toml" --depth 0 --invert vodozemac \
        >"$work/$1.vodozemac"
    case $1 in
    real) grep -q "^vodozemac v$vodozemac\$" "$work/$1.vodozemac" ;;
    ours) grep -q "^vodozemac v$vodozemac ($ours)\$" "$work/$1.vodozemac" ;;
    esac
}

suites() { # suites LOG
    (cd "$work/suites" && timeout 3600 cargo "+$toolchain" test --lib --no-fail-fast \
        -p matrix-sdk-crypto -p matrix-sdk-sqlite --features "$features") \
        >"$work/$1.log" 2>"$work/$1.err" || true
    [ "$(grep -c '^test result' "$work/$1.log")" = 2 ] || { tail -40 "$work/$1.err"; exit 1; }
}

use real
INSTA_UPDATE=always INSTA_FORCE_PASS=1 suites snapshots
for library in real ours; do
    use "$library"
    INSTA_UPDATE=no suites "$library"
    for outcome in ok FAILED; do
        sed -n "s/^test \(.*\) \.\.\. $outcome\$/\1/p" "$work/$library.log" | sort >"$work/$library.$outcome"
    done
    echo "$library: $(wc -l <"$work/$library.ok") tests pass, $(wc -l <"$work/$library.FAILED") fail"
    grep '^test result' "$work/$library.log"
done
diff "$work/real.ok" "$work/ours.ok"
diff "$work/real.FAILED" "$work/ours.FAILED"
echo "the same tests pass; these fail with either:"
cat "$work/ours.FAILED"
