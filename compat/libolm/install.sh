#!/bin/sh
# Installs the library as a distribution would. After `cargo build --release -p moceril-libolm`:
#     compat/libolm/install.sh [NAME=VALUE ...]
#   PREFIX       /usr/local
#   LIBDIR       PREFIX/lib         INCLUDEDIR   PREFIX/include
#   DESTDIR      put before all of these, for packages: where the files go now, not where they will
#                be used
#   LIBRARY_DIR  where cargo put libolm.so and libolm.a
set -eu

version=3.2.16
soname=libolm.so.3
here=$(cd "$(dirname "$0")" && pwd)

for setting; do
    case $setting in
        PREFIX=* | LIBDIR=* | INCLUDEDIR=* | DESTDIR=* | LIBRARY_DIR=*) export "$setting" ;;
        *) echo "unknown setting: $setting" >&2; exit 2 ;;
    esac
done
PREFIX=${PREFIX:-/usr/local}
LIBDIR=${LIBDIR:-$PREFIX/lib}
INCLUDEDIR=${INCLUDEDIR:-$PREFIX/include}
DESTDIR=${DESTDIR:-}
LIBRARY_DIR=${LIBRARY_DIR:-${CARGO_TARGET_DIR:-$here/../../target}/release}

# Programs remember the soname and load no other library.
if command -v readelf >/dev/null; then
    readelf -d "$LIBRARY_DIR/libolm.so" | grep -q "SONAME.*\[$soname\]" ||
        { echo "the soname of $LIBRARY_DIR/libolm.so is not $soname" >&2; exit 1; }
fi

fill_in() { # fill_in TEMPLATE FILE
    sed -e "s|@VERSION@|$version|g" -e "s|@PREFIX@|$PREFIX|g" -e "s|@LIBDIR@|$LIBDIR|g" \
        -e "s|@INCLUDEDIR@|$INCLUDEDIR|g" -e "s|@RELATIVE_INCLUDEDIR@|$relative_includedir|g" "$1" >"$2"
    chmod 644 "$2"
}
# Relative, so that an installation can be moved.
relative_includedir=$(realpath -m --relative-to="$LIBDIR/cmake/Olm" "$INCLUDEDIR")

install -d "$DESTDIR$LIBDIR/pkgconfig" "$DESTDIR$LIBDIR/cmake/Olm" "$DESTDIR$INCLUDEDIR/olm"
install -m 755 "$LIBRARY_DIR/libolm.so" "$DESTDIR$LIBDIR/libolm.so.$version"
ln -sf "libolm.so.$version" "$DESTDIR$LIBDIR/$soname"
ln -sf "$soname" "$DESTDIR$LIBDIR/libolm.so"
install -m 644 "$LIBRARY_DIR/libolm.a" "$DESTDIR$LIBDIR/libolm.a"
install -m 644 "$here"/include/olm/*.h "$DESTDIR$INCLUDEDIR/olm/"
fill_in "$here/olm.pc.in" "$DESTDIR$LIBDIR/pkgconfig/olm.pc"
for file in OlmConfig OlmConfigVersion OlmTargets; do
    fill_in "$here/cmake/$file.cmake.in" "$DESTDIR$LIBDIR/cmake/Olm/$file.cmake"
done
echo "installed libolm $version in $DESTDIR$LIBDIR and $DESTDIR$INCLUDEDIR/olm"
