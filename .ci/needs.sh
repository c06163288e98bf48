# Sourced by scripts that install what they need, where it is missing.

# Steps of .ci/run may install at the same time; one waits for the other. No other user can hold the
# lock.
in_turn() {
    local folder=${XDG_RUNTIME_DIR:-$HOME/.cache}
    mkdir -p "$folder"
    flock "$folder/moceril-install.lock" "$@"
}

needs() { # needs COMMAND PACKAGE: a program of Debian
    command -v "$1" >/dev/null || needs_packages "$2"
}

needs_node() { # Node 20 or later
    needs node nodejs
    local version
    version=$(node --print process.versions.node)
    [ "${version%%.*}" -ge 20 ] ||
        { echo "Node 20 or later is needed, not $version; Debian 12 has 18" >&2; exit 1; }
}

needs_packages() { # needs_packages PACKAGE...
    local package status missing=()
    for package; do
        status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=
        [ "$status" = "install ok installed" ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing ${missing[*]}" >&2
    in_turn sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "$@"' sh "${missing[@]}" >/dev/null
}

needs_tool() { # needs_tool NAME VERSION: a program of crates.io, this version or a later one
    local installed command=${1#cargo-}
    # `cargo c` is `cargo check`.
    [ "$1" != cargo-c ] || program=(cargo-capi)
    installed=$("${program[@]}" --version 2>/dev/null |
        sed -n 's/^[^ ]* \([0-9.]*\).*/\1/p') || installed=
    [ "$(printf '%s\n' "$2" "${installed:-0}" | sort -V | head -n 1)" = "$2" ] ||
        cargo install --quiet --locked --debug "$1@$2"
}
