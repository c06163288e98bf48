#!/usr/bin/env python3
"""Prints debian/copyright for the source tarball: its own files, then each crate in `vendor/`, with
the copyright lines and the texts of the licences as the crates contain them.
"""

import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEAD = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: moceril
Comment:
 Everything in the folder vendor is a crate of the Rust registry, unchanged. The crates that the
 library needs are linked into it. Where a crate offers further licences to choose from, only those
 are named that this package makes use of.

Files: *
Copyright: {ours}
License: Expat or Apache-2.0

Files: test-vectors/*
Copyright: {ours}
License: CC0-1.0
"""
# The licences that deny.toml allows, in Debian's words, and where their text is: on every Debian
# system, or in the file of a crate that begins with this name.
LICENCES = {"MIT": "Expat"}
TEXTS = {
    "Apache-2.0": "/usr/share/common-licenses/Apache-2.0",
    "BSD-3-Clause": "LICENSE",
    "CC0-1.0": "/usr/share/common-licenses/CC0-1.0",
    "Expat": "LICENSE-MIT",
    "Unicode-3.0": "LICENSE-UNICODE",
}


def licence(expression):
    """Cargo's expression as Debian writes it, without the choices that are not allowed."""
    parts = []
    for part in expression.split(" AND "):
        choices = [LICENCES.get(name, name) for name in re.split(r"\s*/\s*|\s+OR\s+", part.strip("()"))]
        parts.append([name for name in choices if name in TEXTS])
    if not all(parts):
        sys.exit(f"none of these licences is allowed: {expression}")
    return parts


def licence_files(crate):
    files = [file for file in crate.iterdir() if re.match(r"LICEN[SC]E|COPYING|COPYRIGHT", file.name, re.I)]
    return sorted(file for file in files if file.is_file())


def holders(crate, package):
    """What the crate's licence files say, or its authors where they say nothing."""
    found = []
    for file in licence_files(crate):
        for line in file.read_text().splitlines():
            said = re.match(r"[\s*#/]*Copyright:? *((?:\([cC]\)|©)? *\d{4}.*)", line)
            if said:
                found.append(said[1].strip())
    return list(dict.fromkeys(found)) or package.get("authors") or [f"the authors of {package['name']}"]


def text(name, crates):
    """The text of a licence without a copyright line. The shortest file has nothing else in it."""
    if TEXTS[name].startswith("/"):
        return f" The text of this licence is in {TEXTS[name]}."
    files = [file for crate in crates for file in licence_files(crate) if file.name.startswith(TEXTS[name])]
    lines = min((file.read_text() for file in files), key=len).splitlines()
    lines = [line for line in lines if not line.lower().lstrip().startswith("copyright (c)")]
    return "\n".join(" " + (line.rstrip() or ".") for line in "\n".join(lines).strip().splitlines())


def main():
    ours = (ROOT / "LICENSE-MIT").read_text().split("Copyright (c) ")[1].splitlines()[0]
    print(HEAD.format(ours=ours))
    users = {name: [] for name in TEXTS}
    for crate in sorted((ROOT / "vendor").iterdir()):
        package = tomllib.loads((crate / "Cargo.toml").read_text())["package"]
        parts = licence(package["license"])
        for name in (name for part in parts for name in part):
            users[name].append(crate)
        print(f"Files: vendor/{crate.name}/*")
        print("Copyright: " + "\n           ".join(holders(crate, package)))
        print("License: " + ", and ".join(" or ".join(part) for part in parts) + "\n")
    print("\n\n".join(f"License: {name}\n{text(name, crates)}" for name, crates in users.items()))


if __name__ == "__main__":
    main()
