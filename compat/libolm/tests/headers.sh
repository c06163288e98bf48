#!/usr/bin/env bash
# The headers are the original's to a compiler: each stands alone in C and C++, they declare exactly
# the functions of functions.txt with the original's types, and the library exports exactly these.
. "$(dirname "$0")/common.sh"
# The lists are in the order of bytes.
export LC_ALL=C
out=$BUILD/headers
rm -rf "$out"
mkdir -p "$out"
list=$CRATE/tests/functions.txt
strict=(-fsyntax-only -Wall -Wextra -Wpedantic -Werror -I"$INCLUDE")

[ "$(wc -l <"$list")" = 150 ] || fail "functions.txt has not 150 lines"

for header in error olm olm_export inbound_group_session outbound_group_session pk sas; do
    printf '#include <olm/%s.h>\nextern int not_empty;\n' "$header" >"$out/$header.c"
    cp "$out/$header.c" "$out/$header.cpp"
    gcc -std=c99 "${strict[@]}" -aux-info "$out/$header.protos" "$out/$header.c" || fail "$header.h in C"
    g++ -std=c++11 "${strict[@]}" "$out/$header.cpp" || fail "$header.h in C++"
done
! grep -qE 'olm/(pk|sas)\.h' "$INCLUDE/olm/olm.h" || fail "olm.h includes more than the group sessions"

# What the compiler saw, as `header function` and, for the next check, as prototypes without their
# places.
cat "$out"/*.protos | grep -F "$INCLUDE/olm/" | sort -u >"$out/seen"
sed -E 's|.*/olm/([a-z_]+\.h):.*[ *](_?olm_[a-z0-9_]+) \(.*|\1 \2|' "$out/seen" | sort >"$out/declared.txt"
diff "$list" "$out/declared.txt" || fail "the headers do not declare what functions.txt lists"

# The original's headers, then our prototypes: a type that differs is an error, and so is a name it
# does not have. The same for the constants, on both sides.
fetch_sdist
cat >"$out/constants.c" <<'TEXT'
_Static_assert(sizeof(enum OlmErrorCode) == sizeof(int), "size of the enum");
_Static_assert(OLM_SUCCESS == 0 && OLM_NOT_ENOUGH_RANDOM == 1 && OLM_OUTPUT_BUFFER_TOO_SMALL == 2, "0 to 2");
_Static_assert(OLM_BAD_MESSAGE_VERSION == 3 && OLM_BAD_MESSAGE_FORMAT == 4 && OLM_BAD_MESSAGE_MAC == 5, "3 to 5");
_Static_assert(OLM_BAD_MESSAGE_KEY_ID == 6 && OLM_INVALID_BASE64 == 7 && OLM_BAD_ACCOUNT_KEY == 8, "6 to 8");
_Static_assert(OLM_UNKNOWN_PICKLE_VERSION == 9 && OLM_CORRUPTED_PICKLE == 10 && OLM_BAD_SESSION_KEY == 11, "9 to 11");
_Static_assert(OLM_UNKNOWN_MESSAGE_INDEX == 12 && OLM_BAD_LEGACY_ACCOUNT_PICKLE == 13, "12 and 13");
_Static_assert(OLM_BAD_SIGNATURE == 14 && OLM_INPUT_BUFFER_TOO_SMALL == 15, "14 and 15");
_Static_assert(OLM_SAS_THEIR_KEY_NOT_SET == 16 && OLM_PICKLE_EXTRA_DATA == 17, "16 and 17");
int main(void) { return !(OLM_MESSAGE_TYPE_PRE_KEY == 0 && OLM_MESSAGE_TYPE_MESSAGE == 1); }
TEXT
printf '#include <olm/%s>\n' olm.h pk.h sas.h >"$out/all.h"
sed -E 's|^/\*.*\*/ ||' "$out/seen" | cat "$out/all.h" - >"$out/ours_on_theirs.c"
gcc -std=c11 -fsyntax-only -Wredundant-decls -I"$SDIST/libolm/include" "$out/ours_on_theirs.c" 2>"$out/warnings" ||
    { cat "$out/warnings"; fail "a type differs from the original's"; }
[ "$(grep -c 'redundant redeclaration' "$out/warnings")" = 150 ] || fail "a function is none of the original's"
for include in "$INCLUDE" "$SDIST/libolm/include"; do
    cat "$out/all.h" "$out/constants.c" >"$out/constants_in.c"
    gcc -std=c11 -I"$include" -o "$out/constants" "$out/constants_in.c" || fail "constants ($include)"
    "$out/constants" || fail "message types ($include)"
done

# The library: the 150, and nothing that could clash with a program's own names. For a library built
# elsewhere, EXTRA_SYMBOLS is a pattern of further names it may export.
nm -D --defined-only "$LIB/libolm.so" | awk '{print $3}' | grep -vE "${EXTRA_SYMBOLS:-^$}" | sort \
    >"$out/exported.txt"
diff <(awk '{print $2}' "$list" | sort) "$out/exported.txt" || fail "the library exports other names"
