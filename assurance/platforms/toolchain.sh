# Sourced by run. Debian's Rust compiles its standard library for any target: the source is a
# package, and what it depends on comes from crates.io. So no toolchain is downloaded.

# Also sets LLD, the version of Debian's lld that belongs to this compiler: the linker for
# WebAssembly and for bare boards.
needs_rust() {
    needs_packages rustc-web cargo-web libstd-rust-web-dev rust-web-src
    local version tested=1.96
    version=$(/usr/bin/rustc -vV)
    LLD=$(sed -n 's/^LLVM version: \([0-9]*\).*/\1/p' <<<"$version")
    [ -n "$LLD" ] || { echo "rustc names no version of LLVM: $version" >&2; exit 1; }
    grep -q "^release: $tested\." <<<"$version" ||
        echo "tested with Debian's Rust $tested; this is $(head -n 1 <<<"$version")" >&2
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-$LLD
    export CARGO_TARGET_WASM32_WASIP1_LINKER=wasm-ld-$LLD
    export CARGO_TARGET_THUMBV7EM_NONE_EABI_LINKER=ld.lld-$LLD
}

# Cargo, with these parts of the standard library compiled for the target. Debian's Rust is a stable
# one, which must be allowed to do that.
debcargo() { # debcargo PARTS COMMAND ARGUMENT...
    local parts=$1 command=$2
    shift 2
    RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 \
        /usr/bin/cargo "$command" --quiet --locked -Zbuild-std="$parts" "$@"
}

# Of the targets that have an operating system, and run tests.
STD=std,panic_abort,panic_unwind,test,proc_macro

# Each linker, and what runs a program on this machine. cc and the linker of Debian's cross
# compilers find the C library of their target by themselves.
for arch in aarch64 i686 s390x; do
    name=CARGO_TARGET_${arch^^}_UNKNOWN_LINUX_GNU
    export "${name}_LINKER=$arch-linux-gnu-gcc"
    export "${name}_RUNNER=qemu-$arch -L /usr/$arch-linux-gnu"
done
# This processor runs it by itself, with the loader that belongs to this C library: with another
# one, and under qemu-i386, a process with threads never ends.
export CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_RUNNER="/usr/i686-linux-gnu/lib/ld-linux.so.2 \
--library-path /usr/i686-linux-gnu/lib"
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=/usr/lib/wine/wine64
# With Debian's C library for WASI, because Debian's Rust brings none. It lacks functions about
# threads, which the standard library names but does not call here: a call of one would be a trap.
export CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS="-C link-self-contained=no -L /usr/lib/wasm32-wasi \
-C link-arg=/usr/lib/wasm32-wasi/crt1-command.o -C link-arg=--unresolved-symbols=ignore-all"
export CARGO_TARGET_WASM32_WASIP1_RUNNER="node --no-warnings \
$(realpath "$(dirname "${BASH_SOURCE[0]}")")/wasm/wasi.cjs"
