# Sourced by scripts that install what they need, where it is missing.

# Steps of .ci/run may install at the same time; one waits for the other. No other user can hold the
# lock.
in_turn() {
    # The tilde is the home also where HOME is not set.
    local folder=${XDG_RUNTIME_DIR:-~/.cache}
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

needs_toolchain() { # needs_toolchain NAME: of rustup, which does not download it
    RUSTUP_AUTO_INSTALL=0 cargo "+$1" --version >/dev/null 2>&1 ||
        { echo "Rust's toolchain \"$1\" is needed, see CONTRIBUTING.md" >&2; exit 1; }
}

needs_packages() { # needs_packages PACKAGE...
    local package status missing=()
    for package; do
        status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=
        [ "$status" = "install ok installed" ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing ${missing[*]}" >&2
    # Other programs, such as unattended upgrades, hold the lock of dpkg for minutes.
    in_turn sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y -o DPkg::Lock::Timeout=600 --no-install-recommends "$@"' \
        sh "${missing[@]}" >/dev/null
}

needs_tool() { # needs_tool NAME VERSION: a program of crates.io, this version or a later one
    local installed ask=(cargo "${1#cargo-}")
    # `cargo c` is `cargo check`.
    [ "$1" != cargo-c ] || ask=(cargo-capi)
    installed=$("${ask[@]}" --version 2>/dev/null |
        sed -n 's/^[^ ]* \([0-9.]*\).*/\1/p') || installed=
    [ "$(printf '%s\n' "$2" "${installed:-0}" | sort -V | head -n 1)" = "$2" ] ||
        cargo install --quiet --locked --debug "$1@$2"
}

# A virtual environment of Python, made anew unless it has just these packages. The list is written
# last, so what was left half made, or has other versions, does not count. Two steps that run at the
# same time can use one environment. `-e` does not hold in all callers, so the commands are joined.
needs_environment() { # needs_environment FOLDER REQUIREMENT...
    needs python3 python3
    mkdir -p "$(dirname "$1")"
    (
        flock 9
        wanted="$(python3 -V) ${*:2}"
        [ "$(cat "$1/installed" 2>/dev/null)" != "$wanted" ] || exit 0
        python3 -c 'import ensurepip, venv' 2>/dev/null || needs_packages python3-venv
        python3 -m venv --clear "$1" &&
            timeout 1800 "$1/bin/pip" install --quiet --disable-pip-version-check "${@:2}" &&
            echo "$wanted" >"$1/installed"
    ) 9>"$1.lock"
}

# Packages of npm, in the same way, but one step at a time.
needs_modules() { # needs_modules FOLDER PACKAGE@VERSION...: in FOLDER/node_modules, without scripts
    [ "$(cat "$1/installed" 2>/dev/null)" != "${*:2}" ] || return 0
    needs npm npm
    rm -rf "$1"
    npm install --silent --no-audit --no-fund --ignore-scripts --no-save --prefix "$1" "${@:2}" &&
        echo "${*:2}" >"$1/installed"
}

# Debian's source package of libolm, unpacked in a folder. The system's apt sources, with sources
# switched on, go into package lists of our own.
olm_sources() { # olm_sources FOLDER [PACKAGE...]: with these packages, unpacked in FOLDER/PACKAGE
    [ ! -d "$1" ] || return 0
    local folder lists package
    folder=$(realpath -m "$1")
    lists=$folder.apt
    shift
    rm -rf "$lists"
    mkdir -p "$lists"/{archives/partial,lists/partial,sources,unpacked}
    if [ -f /etc/apt/sources.list.d/debian.sources ]; then
        sed 's/^Types:.*/Types: deb deb-src/' /etc/apt/sources.list.d/debian.sources \
            >"$lists/sources/debian.sources"
    elif [ -f /etc/apt/sources.list ]; then
        sed -n 's/^deb \(.*\)/deb \1\ndeb-src \1/p' /etc/apt/sources.list \
            >"$lists/sources/debian.list"
    else
        echo "Debian's sources are needed, in /etc/apt/sources.list or sources.list.d/debian.sources" >&2
        exit 1
    fi
    local apt=(apt-get -qq -o Dir::Etc::SourceList=/dev/null
        -o "Dir::Etc::SourceParts=$lists/sources" -o "Dir::State::Lists=$lists/lists"
        -o "Dir::Cache=$lists" -o APT::Sandbox::User=root)
    (
        cd "$lists"
        "${apt[@]}" update
        "${apt[@]}" source --download-only olm >/dev/null
        tar -xf olm_*.orig.tar.xz -C unpacked --strip-components=1
        for package; do
            "${apt[@]}" download "$package"
            dpkg-deb --extract "$package"_*.deb "unpacked/$package"
        done
        mv unpacked "$folder"
    )
}

needs_homeserver() { # needs_homeserver ENVIRONMENT: Synapse, in this virtual environment of Python
    local synapse=1.163.2
    # For the certificates of the homeservers.
    needs openssl openssl
    [ "$(cat "$1/synapse" 2>/dev/null)" != "$synapse" ] || return 0
    needs python3 python3
    python3 -c 'import ensurepip, venv' 2>/dev/null || needs_packages python3-venv
    python3 -m venv "$1"
    timeout 600 "$1/bin/pip" install --quiet --disable-pip-version-check "matrix-synapse==$synapse"
    echo "$synapse" >"$1/synapse"
}
