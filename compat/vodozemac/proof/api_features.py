"""The features of this crate are those of vodozemac, and so are the default ones. Reads what `cargo metadata` says of
`cross`, which depends on both. A feature that a program asks for and that is not there is an error of Cargo."""

import json
import sys

packages = [package for package in json.load(sys.stdin)["packages"] if package["name"] == "vodozemac"]
[ours] = [package["features"] for package in packages if not package["source"]]
[theirs] = [package["features"] for package in packages if package["source"]]
print(f"features: {', '.join(sorted(theirs))}")
if set(ours) != set(theirs):
    sys.exit(f"features that only one of the two has: {sorted(set(ours) ^ set(theirs))}")
if set(ours["default"]) != set(theirs["default"]):
    sys.exit(f"default features: {ours['default']} of ours, {theirs['default']} of vodozemac")
