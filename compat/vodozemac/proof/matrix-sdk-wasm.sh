#!/usr/bin/env bash
# matrix-sdk-crypto compiles for browsers with this crate, with the features of its JavaScript
# bindings. Needs Debian, whose Rust compiles the standard library for the target.
#
#   proof/run matrix-sdk-wasm
set -euo pipefail
cd "$(dirname "$0")/../../.."
. .ci/needs.sh
. assurance/platforms/toolchain.sh

work=$(realpath -m "${CARGO_TARGET_DIR:-target}")/matrix-sdk-wasm
export CARGO_TARGET_DIR=$work/target CARGO_PROFILE_DEV_DEBUG=0
needs_rust

mkdir -p "$work/src"
touch "$work/src/lib.rs"
cat >"$work/Cargo.toml" <<TOML
[package]
name = "stub"
version = "0.0.0"
edition = "2024"
[dependencies]
matrix-sdk-crypto = { version = "=0.19.1", features = ["js", "qrcode", "automatic-room-key-forwarding"] }
[patch.crates-io]
vodozemac = { path = "$PWD/compat/vodozemac" }
[workspace]
TOML
cd "$work"
rm -f Cargo.lock
/usr/bin/cargo generate-lockfile --quiet
/usr/bin/cargo tree --quiet --depth 0 --invert vodozemac | grep -q '^vodozemac v.* (.*/compat/vodozemac)$'
debcargo std,panic_abort check --target wasm32-unknown-unknown
echo "matrix-sdk-crypto with its feature js compiles for wasm32-unknown-unknown"
