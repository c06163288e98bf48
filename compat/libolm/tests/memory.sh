#!/usr/bin/env bash
# S-40: whatever the caller does wrong, nothing crashes, nothing is written out of bounds, nothing
# leaks, and no secret stays in freed memory. The programs say in their first comment what each of
# them holds.
. "$(dirname "$0")/common.sh"
here=$CRATE/tests
out=$BUILD/memory
rm -rf "$out"
mkdir -p "$out"

flags=(-g -Wall -Wextra -Werror -I"$INCLUDE")
asan=-fsanitize=address
c() { local name=$1; shift; gcc -std=c11 -D_DEFAULT_SOURCE "${flags[@]}" "$@" -L"$LIB" -lolm -o "$out/$name"; }
cpp() { local name=$1; shift; g++ -std=c++17 "${flags[@]}" "$@" -L"$LIB" -lolm -o "$out/$name"; }
parallel_start cpp sweep "$here/sweep.cpp"
parallel_start cpp sweep-asan $asan "$here/sweep.cpp"
parallel_start c abuse "$here/abuse.c"
parallel_start c abuse-asan $asan "$here/abuse.c"
# The compiler may leave out blocks that are only filled and freed, which is what this program wants
# to see.
parallel_start c heap -fno-builtin "$here/heap.c"
parallel_join

# As many rows as functions, and all of them different.
diff <(grep -oE '^ROW\(\w+' "$here/sweep_table.h" | cut -c5- | LC_ALL=C sort) \
    <(awk '{print $2}' "$here/functions.txt" | LC_ALL=C sort) || fail "sweep_table.h has not the library's functions"

failed=()
check() { echo "${*//"$out/"/}:" && "$@" || failed+=("${*//"$out/"/}"); }
check "$out/abuse-asan"
check memcheck "$out/abuse"
for place in end start odd; do check "$out/sweep" $place; done
check "$out/sweep-asan" heap
check memcheck "$out/sweep" heap brief
check "$out/heap"
[ ${#failed[@]} -eq 0 ] || fail "${failed[*]}"
