"""Writes `index.jsonl`: one JSON object a line for every file of test-vectors/. Usage: index.py <folder>

`tests/vectors/index.rs` makes the same lines and compares them."""

import hashlib
import json
import sys
from pathlib import Path

from vectors import read


def entry(folder, path):
    v = read(path)
    refused = sorted({item for step in v["step"] for item in layer(step)})
    found = {
        "path": path.relative_to(folder).as_posix(),
        "area": path.parent.name,
        "kind": v["kind"],
        "expect": v["expect"],
    }
    if refused:
        found["refuses"] = refused
    found["note"] = f"{path.stem.replace('-', ' ')}: {v['source']}"
    found["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def layer(step):
    """What a step says must refuse, if it is a `refuse` step."""
    return [step[step.index("refuse") + 1]] if "refuse" in step[:2] else []


def lines(folder):
    paths = sorted(Path(folder).glob("*/*"), key=lambda path: (path.parent.name, path.name))
    return [json.dumps(entry(Path(folder), path)) for path in paths]


if __name__ == "__main__":
    Path(sys.argv[1], "index.jsonl").write_text("\n".join(lines(sys.argv[1])) + "\n")
