#!/usr/bin/env python3
"""S-25: with every choice of features, `zeroize` is enabled in every linked crate that offers it."""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Offers `zeroize` for a form of private keys that is not used here, and holds no other secret.
NOT_ASKED = {"ed25519"}


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def linked(*features):
    """(crate, version) -> the features that it is compiled with."""
    listing = cargo(
        "tree", "--locked", "-p", "moceril", "-e", "normal", "--prefix", "none", "--format", "{p}|{f}", *features,
    )  # fmt: skip
    lines = re.findall(r"^(\S+) v([^\s|]+)[^|]*\|(\S*)", listing, re.M)
    return {(name, version): set(enabled.split(",")) for name, version, enabled in lines}


def main():
    packages = json.loads(cargo("metadata", "--locked", "--format-version", "1", "--all-features"))["packages"]
    offering = {(package["name"], package["version"]) for package in packages if "zeroize" in package["features"]}
    ours = next(package["features"] for package in packages if package["name"] == "moceril").keys() - {"default"}
    choices = [["--no-default-features"], ["--all-features"]]
    choices += [["--no-default-features", "--features", feature] for feature in sorted(ours)]
    asked, forgotten = set(), set()
    for choice in choices:
        for crate, features in linked(*choice).items():
            if crate in offering and crate[0] not in NOT_ASKED:
                asked.add(crate)
                if "zeroize" not in features:
                    forgotten.add(" ".join([*crate, "with", *choice]))
    print("\n".join(sorted(forgotten)) or f"`zeroize` is enabled in all {len(asked)} linked crates that offer it")
    sys.exit(bool(forgotten))


if __name__ == "__main__":
    main()
