#!/usr/bin/env bash
# The installation works for programs as a distribution's would: the example is built with
# pkg-config, with CMake and statically, and runs; the links, the soname and the version are those
# that compiled programs look for.
. "$(dirname "$0")/common.sh"
out=$BUILD/install
rm -rf "$out"
mkdir -p "$out"
example=$CRATE/examples/conversation.c

runs() { # runs NAME PROGRAM: it prints the conversation, with the library of the stage
    "$2" >"$out/$1.txt" || fail "$1: the example does not run"
    diff - "$out/$1.txt" <<-TEXT || fail "$1: the example prints something else"
		Bob reads: Hello Bob
		Alice reads: Hello Alice
		The room reads message 0: Hello all
	TEXT
}
uses_stage() { ldd "$1" | grep "libolm.so.3 => $LIB/libolm.so.3" >/dev/null || fail "$1 loads another library"; }

[ "$(readlink "$LIB/libolm.so")" = libolm.so.3 ] || fail "link libolm.so"
[ "$(readlink "$LIB/libolm.so.3")" = libolm.so.3.2.16 ] || fail "link libolm.so.3"
readelf -d "$LIB/libolm.so.3.2.16" | grep 'SONAME.*\[libolm\.so\.3\]' >/dev/null || fail "soname"
diff <(cd "$CRATE/include" && find . -type f | sort) <(cd "$INCLUDE" && find . -type f | sort) || fail "headers"
[ -s "$STAGE/usr/share/man/man3/libolm.3" ] || fail "the manual page"

# With pkg-config, by the line in the example's first comment.
export PKG_CONFIG_SYSROOT_DIR=$STAGE PKG_CONFIG_LIBDIR=$LIB/pkgconfig
[ "$(pkg-config --modversion olm)" = 3.2.16 ] || fail "version of olm.pc"
[ "$(pkg-config --cflags olm | xargs)" = "-I$INCLUDE" ] || fail "headers for pkg-config"
line=$(sed -n 's/^ \*     \(cc .*\)/\1/p' "$example")
(cd "$out" && cp "$example" . && eval "$line -Wall -Wextra -Wpedantic -Werror") || fail "the example's compile line"
uses_stage "$out/conversation"
runs pkg-config "$out/conversation"

# Statically: libolm.a and the system libraries that olm.pc names for it. STATIC_LIBS: more of them,
# for a library built elsewhere.
read -ra system <<<"$(pkg-config --static --libs-only-l olm | sed 's/-lolm\b//') ${STATIC_LIBS:-}"
cc -o "$out/static" -DOLM_STATIC_DEFINE "$example" -I"$INCLUDE" "$LIB/libolm.a" "${system[@]}" ||
    fail "static linking"
! ldd "$out/static" | grep libolm >/dev/null || fail "static linking used the shared library"
runs static "$out/static"

# With CMake: versions that are met, and versions that are not.
mkdir "$out/cmake"
cat >"$out/cmake/CMakeLists.txt" <<'TEXT'
cmake_minimum_required(VERSION 3.10)
project(conversation C)
find_package(Olm ${WANTED} REQUIRED PATHS ${INSTALLED} NO_DEFAULT_PATH)
add_executable(conversation ${EXAMPLE})
target_link_libraries(conversation PRIVATE Olm::Olm)
TEXT
with_cmake() { # with_cmake VERSION: configure
    cmake -S "$out/cmake" -B "$out/cmake/build$1" -DWANTED="$1" -DEXAMPLE="$example" \
        -DINSTALLED="$STAGE/usr" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >"$out/cmake/log$1" 2>&1
}
for wanted in "" 3 3.2.16 3.1...4; do with_cmake "$wanted" || fail "find_package(Olm $wanted)"; done
for wanted in 2 3.2.17 4 3.1...3.2.15; do ! with_cmake "$wanted" || fail "find_package(Olm $wanted) was met"; done
grep -q -- "-isystem $(realpath "$INCLUDE")" "$out/cmake/build/compile_commands.json" || fail "headers for CMake"
cmake --build "$out/cmake/build" >/dev/null || fail "building with CMake"
uses_stage "$out/cmake/build/conversation"
runs cmake "$out/cmake/build/conversation"

# PREFIX, LIBDIR, INCLUDEDIR and DESTDIR as arguments; the result holds no path of DESTDIR.
"$CRATE/install.sh" PREFIX=/opt/olm LIBDIR=/opt/olm/lib64 INCLUDEDIR=/opt/olm/inc DESTDIR="$out/moved" \
    LIBRARY_DIR="$LIBRARY_DIR" >/dev/null
[ -e "$out/moved/opt/olm/lib64/libolm.so" ] && [ -e "$out/moved/opt/olm/inc/olm/olm.h" ] || fail "LIBDIR, INCLUDEDIR"
! grep -rq "$out" "$out/moved/opt/olm/lib64/pkgconfig" "$out/moved/opt/olm/lib64/cmake" || fail "DESTDIR was kept"
grep -q 'olm_here}/../../../inc"' "$out/moved/opt/olm/lib64/cmake/Olm/OlmTargets.cmake" || fail "headers for CMake"

# What olm.pc and the CMake package could not hold is refused before anything is written.
for setting in PREFIX LIBDIR INCLUDEDIR MANDIR; do
    for path in opt/olm '/opt/o&m' '/opt/o|m' '/opt/o\lm' '/opt/o lm' $'/opt/o\tlm' $'/opt/olm\n'; do
        status=0
        "$CRATE/install.sh" "$setting=$path" DESTDIR="$out/refused" LIBRARY_DIR="$LIBRARY_DIR" 2>/dev/null ||
            status=$?
        [ "$status" = 2 ] || fail "$setting='$path' was taken"
    done
done
[ ! -e "$out/refused" ] || fail "a refused path was written to"
