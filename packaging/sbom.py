#!/usr/bin/env python3
"""Prints a CycloneDX list of the crates that one package of a workspace is built from:

    sbom.py [-C WORKSPACE] [-t TARGET] PACKAGE [OPTION OF CARGO TREE]...

They are those that Cargo compiles for this package alone, on Linux on x86-64 if no target is given.
Crates that only another package of the workspace switches on are not among them. The same commit
gives the same bytes.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]


def cargo(folder, *arguments):
    return subprocess.run(["cargo", *arguments], cwd=folder, check=True, text=True, stdout=subprocess.PIPE).stdout


def tree(folder, target, package, edges, options):
    """Each crate with the crates that it requires, and those of them that are not below a macro."""
    listing = cargo(
        folder, "tree", "--locked", "-p", package, "-e", edges, "--target", target,
        "--prefix", "depth", "--no-dedupe", "--format", "|{p}", *options,
    )  # fmt: skip
    requires, above, outside = {}, [], set()
    for line in listing.splitlines():
        depth, words = line.split("|")
        name, version, *rest = words.split()
        crate, macro = (name, version.removeprefix("v")), "(proc-macro)" in rest
        above[int(depth) :] = [(crate, macro)]
        requires.setdefault(crate, set())
        if len(above) > 1:
            requires[above[-2][0]].add(crate)
        if not any(macro for _, macro in above):
            outside.add(crate)
    return requires, outside


def component(crate, package, checksum, kind="library"):
    name, version = crate
    purl = f"pkg:cargo/{name}@{version}"
    found = {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if package["license"]:
        found["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if checksum:
        found["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-C", dest="workspace", default=".")
    parser.add_argument("-t", dest="target", default="x86_64-unknown-linux-gnu")
    parser.add_argument("package")
    arguments, options = parser.parse_known_args()
    folder, root = ROOT / arguments.workspace, arguments.package
    requires, _ = tree(folder, arguments.target, root, "normal,build", options)
    _, linked = tree(folder, arguments.target, root, "normal", options)
    metadata = json.loads(cargo(folder, "metadata", "--locked", "--format-version", "1"))
    packages = {(package["name"], package["version"]): package for package in metadata["packages"]}
    lock = tomllib.loads((folder / "Cargo.lock").read_text())["package"]
    checksums = {(entry["name"], entry["version"]): entry.get("checksum") for entry in lock}

    main_crate = next(crate for crate in requires if crate[0] == root)
    components = []
    for crate in sorted(requires.keys() - {main_crate}):
        found = component(crate, packages[crate], checksums[crate])
        # What only runs during compilation, such as a macro, is no part of the product.
        found["scope"] = "required" if crate in linked else "excluded"
        components.append(found)
    purl = "pkg:cargo/{}@{}".format
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": component(main_crate, packages[main_crate], None),
            "properties": [{"name": "git:commit", "value": commit()}],
        },
        "components": components,
        "dependencies": [
            {"ref": purl(*crate), "dependsOn": [purl(*other) for other in sorted(others)]}
            for crate, others in sorted(requires.items())
        ],
    }
    json.dump(document, sys.stdout, indent=1)
    print()


def commit():
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


if __name__ == "__main__":
    main()
