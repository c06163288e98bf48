#!/usr/bin/env bash
# Builds the WebAssembly and the code around it into a folder.
#
#   build.sh FOLDER [FEATURES]
#
# An environment variable CARGO_TARGET_DIR names the folder for what is built. Installs what is
# missing, on Debian.
set -euo pipefail
folder=$(realpath -m "$1")
features=${2:-}
cd "$(dirname "$0")/../.."
. .ci/needs.sh
. assurance/platforms/toolchain.sh
. bindings/js/module.sh

needs_rust
needs_packages "lld-$LLD"
# What runs on this machine, and what runs in WebAssembly, are built where `assurance/platforms/run`
# builds them.
here_target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
target=$here_target/platforms
CARGO_TARGET_DIR=$target build_module moceril-js "$features"
cargo build --quiet --locked -p platform-bindgen --target-dir "$here_target"
"$here_target/debug/platform-bindgen" web \
    "$target/wasm32-unknown-unknown/release/moceril_js.wasm" "$folder"
