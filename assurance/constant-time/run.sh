#!/usr/bin/env bash
# S-26 on the compiled code: runs every operation on secrets under valgrind, with the code that a
# release build chooses, and with the portable code. Runs on Debian, and installs valgrind if it is
# missing.
#
#   ./run.sh             both
#   ./run.sh default     what a release build chooses on this machine
#   ./run.sh portable    bitsliced AES, portable hashes and ciphers, serial curve arithmetic
set -euo pipefail
cd "$(dirname "$0")"

command -v valgrind >/dev/null || {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y valgrind >/dev/null
}

target=${CARGO_TARGET_DIR:-$PWD/target}

check() { # check NAME RUSTFLAGS
    printf '\n== %s\n' "$1"
    RUSTFLAGS=$2 cargo build --release --quiet --target-dir "$target/$1"
    local reports=$target/$1/reports.txt
    # -v: it then lists the suppressions that it used.
    valgrind -v --error-limit=no --num-callers=40 --suppressions=suppressions.supp \
        "$target/$1/release/constant-time" 2>"$reports" || {
        printf 'the reports are in %s\n' "$reports"
        return 1
    }
}

# S-48: an entry of suppressions.supp that matches nothing with either kind of code could hide what comes
# later.
unused() {
    local used
    used=$(sed -n 's/.*used_suppression: *[0-9]* \(.*\) [^ ]*suppressions.supp:[0-9]*$/\1/p' \
        "$target"/{default,portable}/reports.txt)
    local entry
    while read -r entry; do
        grep -qxF -- "$entry" <<<"$used" || {
            printf 'FAIL  this suppression is not used: %s\n' "$entry"
            failed=1
        }
    done < <(sed -n '/^{/{n;s/^ *//p}' suppressions.supp)
}

failed=0
case ${1:-both} in
default | both) check default "" || failed=1 ;;&
portable | both)
    check portable '--cfg aes_backend="soft" --cfg sha2_backend="soft" --cfg chacha20_backend="soft" --cfg poly1305_backend="soft" --cfg curve25519_dalek_backend="serial"' || failed=1
    ;;&
default | portable | both) ;;
*)
    echo "usage: run.sh [default|portable]" >&2
    exit 2
    ;;
esac
if [ "${1:-both}" = both ] && [ $failed = 0 ]; then unused; fi
exit $failed
