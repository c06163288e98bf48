"""Reads and writes the files of test-vectors/ (format: test-vectors/README.md)."""

import base64
import hashlib
from pathlib import Path

WRITTEN = set()


def b64(data):
    return base64.b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.b64decode(text + "=" * (-len(text) % 4))


def item(data):
    """Bytes as an item of a step."""
    return data.hex() or "-"


def unitem(text):
    return b"" if text == "-" else bytes.fromhex(text)


def write(out, kind, name, source, expect, pairs, command=None, area=None):
    folder = Path(out) / (area or kind)
    folder.mkdir(parents=True, exist_ok=True)
    head = [("kind", kind), ("source", source), ("expect", expect)]
    if command:
        head.append(("command", command))
    lines = [f"{key}: {value}".rstrip() for key, value in head + list(pairs)]
    path = folder / (name.replace("^", "-to-").replace("+", "-plus-") + ".txt")
    if path in WRITTEN or (path.exists() and read(path).get("command") != command):
        raise ValueError(f"{path} is taken")
    WRITTEN.add(path)
    path.write_text("\n".join(lines) + "\n")


def read(path):
    """A dictionary of the keys; `step` is a list of lists of items."""
    found = {"step": []}
    for line in Path(path).read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        key, value = line.split(":", 1)
        value = value.strip()
        if key == "step":
            found["step"].append(value.split(" "))
        elif key in found:
            raise ValueError(f"{path}: {key} appears twice")
        else:
            found[key] = value
    return found


class Random:
    """Reproducible bytes: SHA-256 of a label and a counter."""

    def __init__(self, label):
        self.label, self.counter = label, 0

    def take(self, length):
        out = b""
        while len(out) < length:
            block = f"moceril test vectors/{self.label}/{self.counter}"
            out += hashlib.sha256(block.encode()).digest()
            self.counter += 1
        return out[:length]
