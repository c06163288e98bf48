#!/bin/sh
# Installs the library as a distribution would. After `cargo build --release -p moceril-libolm`:
#     compat/libolm/install.sh [NAME=VALUE ...]
#   PREFIX       /usr/local
#   LIBDIR       PREFIX/lib         INCLUDEDIR   PREFIX/include
#   MANDIR       PREFIX/share/man
#   DESTDIR      put before all of these, for packages: where the files go now, not where they will
#                be used
#   LIBRARY_DIR  where cargo put libolm.so, or for macOS libolm.dylib, and libolm.a
set -eu

version=3.2.16
here=$(cd "$(dirname "$0")" && pwd)

for setting; do
    case $setting in
        PREFIX=* | LIBDIR=* | INCLUDEDIR=* | MANDIR=* | DESTDIR=* | LIBRARY_DIR=*) export "${setting?}" ;;
        *) echo "unknown setting: $setting" >&2; exit 2 ;;
    esac
done
PREFIX=${PREFIX:-/usr/local}
LIBDIR=${LIBDIR:-$PREFIX/lib}
INCLUDEDIR=${INCLUDEDIR:-$PREFIX/include}
MANDIR=${MANDIR:-$PREFIX/share/man}
DESTDIR=${DESTDIR:-}
LIBRARY_DIR=${LIBRARY_DIR:-${CARGO_TARGET_DIR:-$here/../../target}/release}

# They are written into files that programs read: as replacements of sed, and between spaces.
for folder in "$PREFIX" "$LIBDIR" "$INCLUDEDIR" "$MANDIR"; do
    case $folder in
        *[\&\|\\[:space:]]*)
            printf 'white space, &, | or \\ in a path: %s\n' "$folder" >&2
            exit 2
            ;;
        /*) ;;
        *) echo "not an absolute path: $folder" >&2; exit 2 ;;
    esac
done

# Programs remember the soname and load no other library.
if [ -e "$LIBRARY_DIR/libolm.dylib" ]; then
    built=libolm.dylib file=libolm.$version.dylib soname=libolm.3.dylib
    private_libs=
    installed_name=@rpath/$soname
else
    built=libolm.so file=libolm.so.$version soname=libolm.so.3
    private_libs="-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc"
    installed_name=$soname
    if command -v readelf >/dev/null; then
        readelf -d "$LIBRARY_DIR/$built" | grep -q "SONAME.*\[$soname\]" ||
            { echo "the soname of $LIBRARY_DIR/$built is not $soname" >&2; exit 1; }
    fi
fi

fill_in() { # fill_in TEMPLATE FILE
    sed -e "s|@VERSION@|$version|g" -e "s|@PREFIX@|$PREFIX|g" -e "s|@LIBDIR@|$LIBDIR|g" \
        -e "s|@INCLUDEDIR@|$INCLUDEDIR|g" -e "s|@RELATIVE_INCLUDEDIR@|$relative_includedir|g" \
        -e "s|@FILE@|$file|g" -e "s|@SONAME@|$installed_name|g" \
        -e "s|@PRIVATE_LIBS@|$private_libs|g" "$1" >"$2"
    chmod 644 "$2"
}
# Relative, so that an installation can be moved.
above=$LIBDIR/cmake/Olm up=
while [ "${INCLUDEDIR#"$above"/}" = "$INCLUDEDIR" ]; do
    above=${above%/*} up=../$up
done
relative_includedir=$up${INCLUDEDIR#"$above"/}

install -d "$DESTDIR$LIBDIR/pkgconfig" "$DESTDIR$LIBDIR/cmake/Olm" "$DESTDIR$INCLUDEDIR/olm" \
    "$DESTDIR$MANDIR/man3"
install -m 755 "$LIBRARY_DIR/$built" "$DESTDIR$LIBDIR/$file"
ln -sf "$file" "$DESTDIR$LIBDIR/$soname"
ln -sf "$soname" "$DESTDIR$LIBDIR/$built"
install -m 644 "$LIBRARY_DIR/libolm.a" "$DESTDIR$LIBDIR/libolm.a"
install -m 644 "$here"/include/olm/*.h "$DESTDIR$INCLUDEDIR/olm/"
install -m 644 "$here/libolm.3" "$DESTDIR$MANDIR/man3/"
fill_in "$here/olm.pc.in" "$DESTDIR$LIBDIR/pkgconfig/olm.pc"
for script in OlmConfig OlmConfigVersion OlmTargets; do
    fill_in "$here/cmake/$script.cmake.in" "$DESTDIR$LIBDIR/cmake/Olm/$script.cmake"
done
echo "installed libolm $version in $DESTDIR$LIBDIR and $DESTDIR$INCLUDEDIR/olm"
