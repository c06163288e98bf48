#!/usr/bin/env bash
# The public API of this crate and of vodozemac, as rustdoc sees them, for no features, the default
# features and all features: nothing is missing, nothing is added, no signature differs. The
# features are the same, too.
#
# Needs a nightly toolchain (API_TOOLCHAIN, default: nightly), whose rustdoc writes JSON.
set -euo pipefail
cd "$(dirname "$0")/.."
. ../../.ci/needs.sh

toolchain=${API_TOOLCHAIN:-nightly}
version=0.11.1
target=${CARGO_TARGET_DIR:-$PWD/target}/api
needs_toolchain "$toolchain"

# vodozemac's source, where cargo keeps it: a copy, because rustdoc wants to write beside it. With
# our lock file, what the two depend on is built once.
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
cp Cargo.lock "$target/real/Cargo.lock"

api() { # api MANIFEST FEATURES...
    local manifest=$1
    shift
    cargo "+$toolchain" rustdoc --quiet --lib --manifest-path "$manifest" --target-dir "$target/build" \
        "$@" -- -Z unstable-options --output-format json --cap-lints allow
    python3 proof/api_items.py "$target/build/doc/vodozemac.json"
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
