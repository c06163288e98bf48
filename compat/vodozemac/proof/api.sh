#!/usr/bin/env bash
# The public API of this crate and of vodozemac, as rustdoc sees them, for no features, the default
# features and all features: nothing is missing, nothing is added, no signature differs. The
# features are the same, too.
#
# Needs a nightly toolchain (API_TOOLCHAIN, default: nightly) and cargo-public-api, and installs
# what is not there.
set -euo pipefail
cd "$(dirname "$0")/.."

toolchain=${API_TOOLCHAIN:-nightly}
version=0.11.1
target=${CARGO_TARGET_DIR:-$PWD/target}/api
cargo "+$toolchain" --version 2>/dev/null || rustup toolchain install "$toolchain" --profile minimal
. ../../.ci/needs.sh
needs_tool cargo-public-api 0.52.0

# vodozemac's source, where cargo keeps it: a copy, because rustdoc wants to write beside it.
rm -rf "$target/real" && mkdir -p "$target/real"
cargo metadata --format-version 1 --manifest-path cross/Cargo.toml >"$target/metadata"
python3 proof/api_features.py <"$target/metadata"
registry=$(<"$target/metadata" python3 -c '
import json, os, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "vodozemac" and package["source"]:
        print(os.path.dirname(package["manifest_path"]))')
cp -r "$registry"/. "$target/real"
grep -q "^version = \"$version\"" "$target/real/Cargo.toml"
printf '\n[workspace]\n' >>"$target/real/Cargo.toml"

# Everything but blanket impls (-s), which other crates make.
api() { # api MANIFEST FEATURES...
    local manifest=$1
    shift
    cargo "+$toolchain" public-api --manifest-path "$manifest" --target-dir "$target/build" \
        -s --color never "$@" 2>"$target/log" >"$target/raw" || { cat "$target/log" >&2; exit 1; }
    python3 proof/api_normal.py <"$target/raw"
}

failed=0
for features in --no-default-features "" --all-features; do
    # shellcheck disable=SC2086
    api "$target/real/Cargo.toml" $features >"$target/theirs"
    # shellcheck disable=SC2086
    api Cargo.toml $features >"$target/ours"
    printf '%-22s %5s items of vodozemac, %5s of ours\n' "${features:-default}" \
        "$(wc -l <"$target/theirs")" "$(wc -l <"$target/ours")"
    diff "$target/theirs" "$target/ours" || failed=1
done
exit "$failed"
