"""Checks one kind of these files, `megolm-trace`, with Python's standard library alone."""

import base64
import hmac
import json
from pathlib import Path

folder = Path(__file__).parent


def hkdf(key, info):
    """HKDF-SHA-256 with a salt of zeros, to the 80 bytes of the AES key, the HMAC key and the IV."""
    prk, blocks = hmac.digest(bytes(32), key, "sha256"), [b""]
    for number in (1, 2, 3):
        blocks.append(hmac.digest(prk, blocks[-1] + info + bytes([number]), "sha256"))
    return b"".join(blocks)[:80]


checked = 0
for entry in map(json.loads, (folder / "index.jsonl").open()):
    if entry["kind"] != "megolm-trace" or entry["expect"] != "success":
        continue
    lines = (folder / entry["path"]).read_text().splitlines()
    parts = [line.partition(":") for line in lines if line and not line.startswith("#")]
    pairs = [(key, value[1:]) for key, _, value in parts]
    mac_length = {"3": 8, "4": 32}[dict(pairs)["version"]]
    for step in (value.split(" ") for key, value in pairs if key == "step"):
        ratchet, keys = bytes.fromhex("".join(step[2:6])), bytes.fromhex("".join(step[6:9]))
        assert hkdf(ratchet, b"MEGOLM_KEYS") == keys, entry["path"]
        message = base64.b64decode(step[11] + "=" * (-len(step[11]) % 4))
        authenticated, mac = message[: -64 - mac_length], message[-64 - mac_length : -64]
        full_mac = hmac.digest(keys[32:64], authenticated, "sha256")
        assert full_mac.hex() == step[10] and full_mac.startswith(mac), entry["path"]
        checked += 1
print(f"{checked} messages hold")
assert checked
