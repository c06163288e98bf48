#!/usr/bin/env bash
# Python programs work with the library: python-olm built against it passes its own tests, and
# Debian's python3-olm, built against the original, loads it unchanged and holds a conversation.
. "$(dirname "$0")/common.sh"
. "$CRATE/../../.ci/needs.sh"
fetch_sdist
out=$BUILD/python
mkdir -p "$out"

# python-olm from its source package, but with our headers (also those it parses, which it ships
# preprocessed) and our shared library where it would build the original.
package=$out/python-olm
rm -rf "$package"
cp -r "$SDIST" "$package"
rm -rf "$package/libolm"/*
mkdir -p "$package/libolm/build"
cp -r "$INCLUDE" "$package/libolm/include"
cp -P "$LIB"/libolm.so* "$package/libolm/build/"
# The parser knows the system's types by itself, and wants the enum only once.
mkdir -p "$package/empty/olm"
touch "$package/empty/stddef.h" "$package/empty/stdint.h" "$package/empty/olm/error.h"
for header in error olm pk sas; do
    gcc -E -P -nostdinc -DOLM_STATIC_DEFINE -I"$package/empty" -I"$INCLUDE" "$INCLUDE/olm/$header.h" \
        -o "$package/include/olm/$header.h"
done
echo 'void *memset(void *s, int c, size_t n);' >>"$package/include/olm/olm.h"
(cd "$package" && without_cmake $PYTHON setup.py build_ext --inplace) >"$out/build.txt" 2>&1 ||
    { cat "$out/build.txt"; fail "building python-olm"; }
LD_DEBUG=libs PYTHONPATH=$package $PYTHON -c 'import olm' 2>&1 | grep "calling init: $LIB/libolm.so.3" >/dev/null ||
    fail "python-olm loads another library"

# Its tests are in Debian's source package of the original.
olm_sources "$out/debian" python3-olm
tests=$out/tests
rm -rf "$tests"
cp -r "$out/debian/python/tests" "$tests"
cp "$CRATE/tests/conftest.py" "$tests/"
PYTHONPATH=$package $PYTHON -B -m pytest -q -p no:cacheprovider "$tests" >"$out/pytest.txt" 2>&1 ||
    { cat "$out/pytest.txt"; fail "python-olm's tests"; }
summary=$(tail -1 "$out/pytest.txt")
echo "python-olm's tests: $summary"
[[ $summary =~ ^([0-9]+)\ passed\ in && ${BASH_REMATCH[1]} -gt 50 ]] || fail "python-olm's tests are not all there"

# Debian's package as it is, made for the original.
PYTHONPATH=$out/debian/python3-olm/usr/lib/python3/dist-packages $PYTHON -B "$CRATE/tests/conversation.py" \
    "$LIB/libolm.so.3" "$out/debian/python3-olm" || fail "Debian's python3-olm"
