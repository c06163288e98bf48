#!/usr/bin/env bash
# Builds all fuzz targets and runs each for a limited time. Needs a nightly toolchain, cmake and a
# C++ compiler.
#
#   ./smoke.sh [SECONDS [TARGET...]]     the default is 20 seconds for each of all targets
#
# FAST=1 builds without AddressSanitizer, which only `c_abi` needs, and without recording
# comparisons. Targets that compute key agreements are then ten times as fast.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-20}
shift $(($# > 0))
command -v cargo-fuzz >/dev/null || cargo install --quiet --locked --debug cargo-fuzz

# The library and its peers are compiled as they are shipped, without cfg(fuzzing) (S-27), but with
# overflow checks and debug assertions.
fuzz() { cargo +nightly fuzz "$@"; }

host=$(rustc -vV | sed -n 's/^host: //p')
target_dir=${CARGO_TARGET_DIR:-target}
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(fuzz list | grep -v '^seeds$')

if [ ! -d corpus ] || [ -z "${FAST:-}" ]; then
    fuzz build --no-cfg-fuzzing
fi
[ -d corpus ] || ASAN_OPTIONS=detect_leaks=0 "$target_dir/$host/release/seeds" ../test-vectors corpus
if [ -n "${FAST:-}" ]; then
    target_dir+=/fast
    for target in "${targets[@]}"; do
        fuzz build --no-cfg-fuzzing --sanitizer none --no-trace-compares --target-dir "$target_dir" "$target"
    done
fi
programs=$target_dir/$host/release

dictionary_of() {
    case $1 in
    decode_messages | differential_*) echo messages ;;
    decode_keys) echo keys ;;
    decode_channels) echo channels ;;
    unpickle_vodozemac) echo vodozemac ;;
    unpickle_*) echo pickles ;;
    esac
}

failed=0
for target in "${targets[@]}"; do
    printf '\n== %s\n' "$target"
    arguments=(-max_total_time="$seconds" -print_final_stats=1 -timeout=20 -rss_limit_mb=2048)
    dictionary=$(dictionary_of "$target")
    [ -z "$dictionary" ] || arguments+=(-dict="dictionaries/$dictionary.dict")
    case $target in
    *conversation) arguments+=(-max_len=400) ;;
    c_abi) arguments+=(-max_len=1000) ;;
    esac
    mkdir -p "artifacts/$target"
    log=$(mktemp)
    # If a target finds nothing, only the last lines of its output are printed.
    if "$programs/$target" "${arguments[@]}" -artifact_prefix="artifacts/$target/" "corpus/$target" >"$log" 2>&1; then
        grep -E '^#.*DONE|stat::number_of_executed_units' "$log"
    else
        cat "$log"
        failed=1
    fi
    rm -f "$log"
done
exit $failed
