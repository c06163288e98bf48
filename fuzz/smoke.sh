#!/usr/bin/env bash
# Builds all fuzz targets and runs each for a bounded time. Needs a nightly toolchain, cmake and a C++ compiler.
#
#   ./smoke.sh [SECONDS [TARGET...]]     20 seconds, all targets
#
# FAST=1: without AddressSanitizer, which `c_abi` is for, and without recording comparisons. What computes
# key agreements is ten times as fast then.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-20}
shift $(($# > 0))
command -v cargo-fuzz >/dev/null || cargo install --quiet --locked --debug cargo-fuzz

# The library as it is shipped: no cfg(fuzzing), in it or in its peers (S-27). With overflow checks and debug assertions.
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
    # What a libFuzzer program prints, reduced to its last words unless it has found something.
    if "$programs/$target" "${arguments[@]}" -artifact_prefix="artifacts/$target/" "corpus/$target" >"$log" 2>&1; then
        grep -E '^#.*DONE|stat::number_of_executed_units' "$log"
    else
        cat "$log"
        failed=1
    fi
    rm -f "$log"
done
exit $failed
