# Sourced by build.sh, and by compat/olm-js/run. All modules have one profile, so that the standard
# library is compiled once for them.

build_module() { # build_module PACKAGE FEATURES
    # Speed counts in the curve, the hashes and the cipher; elsewhere size does.
    local crate fast=()
    for crate in aes curve25519-dalek sha2; do
        fast+=(--config "profile.release.package.$crate.opt-level=3")
    done
    CARGO_PROFILE_RELEASE_OPT_LEVEL=s CARGO_PROFILE_RELEASE_LTO=fat \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_PANIC=immediate-abort \
        debcargo std,panic_abort build --release --target wasm32-unknown-unknown -p "$1" \
        --features "$2" -Zpanic-immediate-abort -Zbuild-std-features=optimize_for_size "${fast[@]}"
}
