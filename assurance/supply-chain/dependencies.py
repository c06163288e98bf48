#!/usr/bin/env python3
"""Prints docs/dependencies.md: every crate that moceril depends on, which crates require it, and its size."""

import json
import pathlib
import re
import subprocess
from collections import defaultdict

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = "x86_64-unknown-linux-gnu"
HEAD = f"""# Dependencies

This table lists every crate that is compiled for moceril on Linux.
`assurance/supply-chain/dependencies.py` writes it from `Cargo.lock` and the sources of the crates.
*With* is the feature that adds a crate. *Lines* counts the lines of its `src/` without blank lines
and comments, for all platforms and features. *Unsafe* counts the word in those lines: it says where
to look, not that something is wrong. Crates marked \\* run during compilation and are not linked.
[SECURITY.md](../SECURITY.md#dependencies) says why each direct dependency is needed.
"""


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def tree(*features, edges="normal,build"):
    """(crate, version) -> the crates that require it; and the set of linked crates, which are those that
    are not below a procedural macro.
    """
    listing = cargo(
        "tree", "--locked", "-p", "moceril", "-e", edges, "--target", TARGET,
        "--prefix", "depth", "--no-dedupe", *features,
    )  # fmt: skip
    above, asked_by, linked = [], defaultdict(set), set()
    for line in listing.splitlines():
        if match := re.match(r"(\d+)(\S+) v(\S+)( \(proc-macro\))?", line):
            depth, name, version, macro = match.groups()
            above[int(depth) :] = [(name, macro)]
            if len(above) > 1:
                asked_by[name, version].add(above[-2][0])
                if not any(macro for _, macro in above):
                    linked.add((name, version))
    return asked_by, linked


def lines_and_unsafe(manifest):
    lines = unsafe = 0
    for file in sorted((pathlib.Path(manifest).parent / "src").rglob("*.rs")):
        code = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.S)
        for line in code.splitlines():
            line = re.sub(r"//.*", "", line).strip()
            lines += bool(line)
            unsafe += len(re.findall(r"\bunsafe\b", line))
    return lines, unsafe


def main():
    cargo("fetch", "--locked")
    packages = json.loads(cargo("metadata", "--locked", "--format-version", "1", "--all-features"))["packages"]
    manifests = {(package["name"], package["version"]): package["manifest_path"] for package in packages}
    features = next(package["features"] for package in packages if package["name"] == "moceril")
    always, _ = tree()
    everything, _ = tree("--all-features")
    _, linked = tree("--all-features", edges="normal")
    brought_by = defaultdict(list)
    for feature in sorted(features.keys() - {"default", "std"}):
        for crate in tree("--features", feature)[0].keys() - always.keys():
            brought_by[crate].append(f"`{feature}`")

    print(HEAD)
    print("| crate | version | with | required by | lines | unsafe |\n|---|---|---|---|--:|--:|")
    totals = defaultdict(int)
    for crate in sorted(everything):
        name, version = crate
        star = "" if crate in linked else "\\*"
        lines, unsafe = lines_and_unsafe(manifests[crate])
        asked = ", ".join(sorted(everything[crate]))
        print(f"| {name}{star} | {version} | {', '.join(brought_by[crate])} | {asked} | {lines:,} | {unsafe:,} |")
        for total in ["with all features"] + ["by default"] * (crate in always):
            totals[total, "crates"] += 1
            totals[total, "linked"] += crate in linked
            totals[total, "lines"] += lines * (crate in linked)
    print()
    for total in ["by default", "with all features"]:
        crates, linked_crates, lines = (totals[total, what] for what in ("crates", "linked", "lines"))
        print(f"* {total}: {crates} crates, {linked_crates} of them linked, with {lines:,} lines")


if __name__ == "__main__":
    main()
