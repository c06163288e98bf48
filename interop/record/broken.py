"""Alters files of test-vectors/, one value at a time, and sees check.py fail. Usage: broken.py <folder>

A check that nothing can fail proves nothing. For every kind, every key and every item of every sort of step is
altered at least once, and every layer that a negative file expects."""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from check import check
from vectors import read

ABOUT = ("source", "command", "release")
# By kind and key: values that need not matter, and why.
FREE = {
    # Private keys of one-time keys that nobody uses.
    ("olm-transcript", "bob-one-time-random"),
    # Who reads only needs a new chain to begin.
    ("backup", "public-key"),
}


def altered(text):
    """Another text, of the same alphabet if it has one."""
    if text in ("", "-"):
        return "00"
    if text.isdigit() and len(text) < 12:
        return str(int(text) + 1)
    at = len(text) // 2
    return text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1 :]


def alterations(lines, seen):
    """Numbers and new texts of lines, with the names of what they alter, as far as they are new."""
    for number, line in enumerate(lines):
        key, _, value = line.partition(":")
        if not line or line.startswith("#") or key in ABOUT:
            continue
        items = value.strip().split(" ") if key == "step" else [value.strip()]
        verb = items[1] if items[0] in ("alice", "bob", "initiator", "recipient", "sender") else items[0]
        for place, old in enumerate(items):
            name = f"{key} {verb} {place}" if key == "step" else key
            if name not in seen:
                new = items[:place] + [altered(old)] + items[place + 1 :]
                yield number, f"{key}: {' '.join(new)}", name


def unnoticed(path, seen, counts):
    """What can be altered in the file, and the check holds. Adds to `seen` what could not."""
    kind, lines = read(path)["kind"], path.read_text().splitlines()
    for number, line, name in alterations(lines, seen):
        with tempfile.TemporaryDirectory() as folder:
            broken = Path(folder) / path.name
            broken.write_text("\n".join(lines[:number] + [line] + lines[number + 1 :]) + "\n")
            counts[kind] += 1
            if check(broken):
                seen.add(name)
            else:
                yield name


def main(folder):
    seen, layers, missed, counts = {}, set(), {}, Counter()
    for path in sorted(Path(folder).glob("*/*.txt")):
        v = read(path)
        assert not check(path), path
        if v["expect"] == "success":
            noticed = seen.setdefault(v["kind"], set())
            for name in unnoticed(path, noticed, counts):
                missed.setdefault((v["kind"], name), path)
        elif (v["kind"], v["expect"]) not in layers:
            layers.add((v["kind"], v["expect"]))
            for expect in ("success", "key" if v["expect"] != "key" else "mac"):
                with tempfile.TemporaryDirectory() as temporary:
                    broken = Path(temporary) / path.name
                    broken.write_text(path.read_text().replace(f"expect: {v['expect']}", f"expect: {expect}"))
                    counts[v["kind"]] += 1
                    if not check(broken):
                        missed[v["kind"], f"expect {expect}"] = path
    for kind in sorted(counts):
        print(f"{kind}: {counts[kind]} alterations")
    never = {key: path for key, path in missed.items() if key[1] not in seen.get(key[0], ())} 
    for (kind, name), path in sorted(never.items()):
        print(f"{kind}: altering `{name}` goes unnoticed, in {path} for one")
    sys.exit(bool(never))


if __name__ == "__main__":
    main(sys.argv[1])
