"""Alters files of test-vectors/, one value at a time, and checks that check.py fails. Usage: broken.py <folder>

A check that cannot fail proves nothing. For every kind, every key, every item of each type of step and every layer that
a negative file expects is altered at least once."""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from check import check
from vectors import read

ABOUT = ("source", "command")
# An altered message is refused as well, so the file stays true.
FREE = {("ecies", "step refuse 3"), ("hpke", "step refuse 3"), ("hpke", "step refuse 4")}


def altered(text):
    """Another text, of the same alphabet if it has one."""
    if text in ("", "-"):
        return "00"
    if text.isdigit() and len(text) < 12:
        return str(int(text) + 1)
    at = len(text) // 2
    return text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1 :]


def alterations(lines, seen):
    """The numbers and new texts of altered lines, with the name of what is altered, unless `seen` has the name."""
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


def broken(path, text):
    """Whether the check fails for the file with this text."""
    with tempfile.TemporaryDirectory() as folder:
        altered = Path(folder) / path.name
        altered.write_text(text)
        return bool(check(altered))


def break_positive(path, noticed):
    """The names of what was altered, and whether the check detected it."""
    lines = path.read_text().splitlines()
    for number, line, name in alterations(lines, noticed):
        yield name, broken(path, "\n".join(lines[:number] + [line] + lines[number + 1 :]) + "\n")


def break_negative(path, expect):
    text = path.read_text()
    for other in ("success", "key" if expect != "key" else "mac"):
        yield f"expect {expect}, {other}", broken(path, text.replace(f"expect: {expect}", f"expect: {other}"))


def main(folder):
    counts, noticed, missed = Counter(), {}, {}
    for path in sorted(Path(folder).glob("*/*.txt")):
        v = read(path)
        assert not check(path), path
        seen = noticed.setdefault(v["kind"], set())
        if v["expect"] == "success":
            breaks = break_positive(path, seen)
        elif f"expect {v['expect']}, success" in seen:
            continue
        else:
            breaks = break_negative(path, v["expect"])
        for name, found in breaks:
            counts[v["kind"]] += 1
            if found:
                seen.add(name)
            else:
                missed.setdefault((v["kind"], name), path)
    for kind in sorted(counts):
        print(f"{kind}: {counts[kind]} alterations")
    missed = {key: missed[key] for key in missed if key[1] not in noticed[key[0]]}
    for (kind, name), path in sorted(missed.items()):
        if (kind, name) not in FREE:
            print(f"{kind}: check.py does not detect an altered `{name}`, for example in {path}")
    sys.exit(missed.keys() != FREE)


if __name__ == "__main__":
    main(sys.argv[1])
