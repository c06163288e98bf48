# Sourced by the scripts that load both libraries: names them in OLM_REAL and OLM_OURS.
#
#   libraries ROOT TARGET
. "$(dirname "${BASH_SOURCE[0]}")/../../.ci/needs.sh"

# Prints where the real library is: the system's, or Debian's, or one built from the source
# distribution of python-olm.
real_library() { # real_library TARGET
    local found sources=$1/real-libolm
    found=$(ldconfig -p | awk '/libolm\.so\.3 / { print $NF; exit }')
    if [ -z "$found" ] && command -v apt-get >/dev/null && needs_packages libolm3; then
        found=$(ldconfig -p | awk '/libolm\.so\.3 / { print $NF; exit }')
    fi
    if [ -z "$found" ]; then
        mkdir -p "$sources"
        pip download --quiet --no-deps --no-binary :all: python-olm==3.2.16 -d "$sources" >&2
        tar -C "$sources" -xf "$sources"/python-olm-3.2.16.tar.gz
        cmake -S "$sources/python-olm-3.2.16/libolm" -B "$sources/build" \
            -DCMAKE_BUILD_TYPE=Release -DOLM_TESTS=OFF >&2
        cmake --build "$sources/build" --target olm >&2
        found=$sources/build/libolm.so.3
    fi
    echo "$found"
}

libraries() {
    if [ -z "${OLM_OURS:-}" ]; then
        (cd "$1" && cargo build --quiet --locked --release --package moceril-libolm)
        OLM_OURS=$2/release/libolm.so
    fi
    : "${OLM_REAL:=$(real_library "$2")}"
    export OLM_OURS OLM_REAL
}
