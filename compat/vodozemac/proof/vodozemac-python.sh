#!/usr/bin/env bash
# vodozemac-python, built on this crate, passes its own tests, and matrix-nio holds an encrypted
# conversation on it; also when vodozemac wrote the stores that it opens after a restart, or opens
# those it wrote.
#
# The bindings ask for vodozemac 0.10: besides the two lines of the patch, their requirement is
# changed.
#
#   proof/run vodozemac-python
set -euo pipefail
trap '[ $? = 0 ] && echo PASS || echo FAIL' EXIT
cd "$(dirname "$0")/.."

bindings=0.10.0
nio=0.26.0
ours=$PWD
work=$(realpath -m "${CARGO_TARGET_DIR:-target}")/vodozemac-python
export CARGO_TARGET_DIR=$work/target

. ../../.ci/needs.sh
python3 -c 'import ensurepip, venv' 2>/dev/null || needs_packages python3-venv
rm -rf "$work/source" "$work/stores"
mkdir -p "$work/source" "$work/stores"

# One environment with the published bindings, one with the same on this crate.
for library in real ours; do
    [ -d "$work/$library" ] || python3 -m venv "$work/$library"
    timeout 600 "$work/$library/bin/pip" install --quiet --disable-pip-version-check \
        "matrix-nio[e2e]==$nio" "vodozemac==$bindings" 'pytest==9.*' 'hypothesis==6.*'
done

timeout 600 "$work/ours/bin/pip" download --quiet --disable-pip-version-check --no-deps \
    --no-binary vodozemac --dest "$work" "vodozemac==$bindings"
tar -xzf "$work/vodozemac-$bindings.tar.gz" --strip-components=1 -C "$work/source"
sed -i '/^\[dependencies.vodozemac\]/,/^version/s/^version = .*/version = "0.11.1"/' "$work/source/Cargo.toml"
printf '\n[workspace]\n[patch.crates-io]\nvodozemac = { path = "%s" }\n' "$ours" >>"$work/source/Cargo.toml"
# Else the conversation would be vodozemac's with itself.
cargo tree --quiet --manifest-path "$work/source/Cargo.toml" --invert vodozemac | grep --fixed-strings "($ours)"
timeout 1800 "$work/ours/bin/pip" install --quiet --disable-pip-version-check --no-deps --force-reinstall \
    "$work/source"

# From another folder, so that the installed module is tested and not the source.
(cd "$work" && timeout 300 "$work/ours/bin/python" -m pytest --quiet "$work/source/tests")

part() { # part real|ours begin|go_on STORE
    timeout 120 "$work/$1/bin/python" proof/nio_conversation.py "$2" "$3" >"$3/log" 2>&1 || {
        cat "$3/log"
        false
    }
}

for pair in "ours ours" "real ours" "ours real"; do
    read -r first second <<<"$pair"
    store=$work/stores/$first-$second
    mkdir "$store"
    part "$first" begin "$store"
    part "$second" go_on "$store"
    echo "matrix-nio $nio: begun with $first, gone on with $second"
done
