#!/usr/bin/env python3
"""Prints how the files of a release were made, as an in-toto statement in the form of SLSA's
provenance 1.0. It is not signed: it says what was done, and proves nothing. Reads the files' lines
of SHA256SUMS:

    provenance.py TOOL=VERSION... <SHA256SUMS

The tools are those that only the release script knows.
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def files():
    for line in sys.stdin:
        checksum, name = line.rstrip("\n").split("  ", 1)
        yield {"name": name, "digest": {"sha256": checksum}}


def main():
    commit = output("git", "rev-parse", "HEAD")
    versions = {
        "rustc": output("rustc", "-V"),
        "cargo": output("cargo", "-V"),
        # They build the Debian packages.
        "rustc of Debian": output("/usr/bin/rustc", "-V"),
        "dpkg": output("dpkg-query", "-W", "-f", "${Version}", "dpkg-dev"),
        "linker": output("ld", "--version").splitlines()[0],
        "system": output("uname", "-srm"),
    }
    versions.update(argument.split("=", 1) for argument in sys.argv[1:])
    locks = ["Cargo.lock", "compat/vodozemac/Cargo.lock", "bindings/js/package-lock.json"]
    flags = {name: value for name, value in os.environ.items() if name in ("RUSTFLAGS", "DEB_BUILD_OPTIONS")}
    # By moceril's own name: the place of the repository is in Cargo.toml.
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": list(files()),
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:moceril:packaging/release",
                "externalParameters": {"commit": commit, "environment": flags},
                "internalParameters": {"signed": False, "tools": versions},
                "resolvedDependencies": [
                    {"uri": "urn:moceril:git", "digest": {"gitCommit": commit}},
                    *(
                        {
                            "uri": f"urn:moceril:{lock}",
                            "digest": {"sha256": output("sha256sum", lock).split()[0]},
                        }
                        for lock in locks
                    ),
                ],
            },
            "runDetails": {"builder": {"id": "urn:moceril:by-hand"}},
        },
    }
    json.dump(statement, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
