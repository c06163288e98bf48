#!/usr/bin/env bash
# The original's own test programs pass, compiled from its sources against our headers and our
# library; plain, and under valgrind. The sources are fetched here and never committed.
#
# For another processor, CROSS is the prefix of its compilers' names, and RUNNER the command that
# runs its programs; valgrind is left out then.
. "$(dirname "$0")/common.sh"
fetch_sdist
out=$BUILD/upstream
rm -rf "$out"
mkdir -p "$out"

# Every program that speaks to the library through its public functions.
public=(olm_decrypt olm_sha256 olm_signature olm_using_malloc sas)
# These also make damaged pickles, with helpers of the original (_olm_enc_*) that are not part of
# its interface. The helpers are compiled into the program, from the original's sources.
pickling=(olm group_session pk)
# Left out: these test classes and functions inside the original (encoders, ciphers, lists,
# ratchets, and a session's members) which no program can reach and another implementation does not
# have.
internal=(base64 crypto list megolm message ratchet session)

theirs=$(cd "$SDIST/libolm/tests" && ls test_*.cpp | sed 's/test_\(.*\)\.cpp/\1/' | sort)
[ "$theirs" = "$(printf '%s\n' "${public[@]}" "${pickling[@]}" "${internal[@]}" | sort)" ] ||
    fail "the original has other test programs than the ones listed here"

# Our headers come first; theirs serve only for what ours do not have.
flags=(-O0 -w -I"$INCLUDE" -I"$SDIST/libolm/include")
lib=$SDIST/libolm/lib
compile() { "$1" "${flags[@]}" -I"$lib" -c "$2" -o "$out/$(basename "$2").o"; }
for source in pickle_encoding.c base64.cpp cipher.cpp crypto.cpp memory.cpp ed25519.c; do
    case $source in *.c) compiler=gcc ;; *) compiler=g++ ;; esac
    compile "${CROSS:-}$compiler" "$SDIST/libolm/src/$source"
done
for source in crypto-algorithms/aes.c crypto-algorithms/sha256.c curve25519-donna/curve25519-donna.c; do
    compile "${CROSS:-}gcc" "$lib/$source"
done
"${CROSS:-}ar" rcs "$out/helpers.a" "$out"/*.o
! "${CROSS:-}nm" --defined-only "$out/helpers.a" | grep -wFf <(awk '{print $2}' "$CRATE/tests/functions.txt") ||
    fail "a helper would take a function's place"

build() { # build PROGRAM [LIBRARY]
    local program=$1
    shift
    "${CROSS:-}g++" -std=c++14 "${flags[@]}" -I"$SDIST/libolm/tests/include" "$SDIST/libolm/tests/test_$program.cpp" "$@" \
        -L"$LIB" -lolm -o "$out/$program"
}
for program in "${public[@]}"; do parallel_start build "$program"; done
for program in "${pickling[@]}"; do parallel_start build "$program" "$out/helpers.a"; done
parallel_join

failed=()
for program in "${public[@]}" "${pickling[@]}"; do
    ${RUNNER:-} "$out/$program" >"$out/$program.txt" 2>&1 && grep -q 'test cases: *[1-9]' "$out/$program.txt" ||
        { cat "$out/$program.txt"; failed+=("test_$program"); }
    [ -n "${RUNNER:-}" ] || memcheck "$out/$program" >"$out/$program.memcheck.txt" 2>&1 ||
        { cat "$out/$program.memcheck.txt"; failed+=("test_$program under valgrind"); }
done
[ ${#failed[@]} -eq 0 ] || fail "${failed[@]}"
(cd "$out" && cat "${public[@]/%/.txt}" "${pickling[@]/%/.txt}") |
    awk '/test cases/ {n += $4} END {print n " test cases pass"}'
