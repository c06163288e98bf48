"""Records files of exported room keys: one from matrix-nio, and one from the textbook with known randomness.

Usage: nio_key_export.py <folder>           writes the vector
       nio_key_export.py <folder> --check   lets nio read every file of the kind, ours too

Needs `pip install matrix-nio[e2e] cryptography`. nio draws its own salt and IV, so another run gives another file."""

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import textbook_key_export
from nio.crypto import key_export
from vectors import Random, b64, read, unb64, write

KIND = "key-export"
COMMAND = "python3 interop/record/nio_key_export.py test-vectors"
PASSPHRASE = "correct horse battery staple"
ROUNDS = 100_000


def room_keys(folder):
    """Two sessions, whose keys are recorded elsewhere."""
    paths = sorted((Path(folder) / "exported-session-key").glob("*.txt"))
    sessions = [v for v in map(read, paths) if v["expect"] == "success"][:2]
    return [
        {
            "algorithm": "m.megolm.v1.aes-sha2",
            "forwarding_curve25519_key_chain": [],
            "room_id": "!r\u00f3om:example.org",
            "sender_claimed_keys": {"ed25519": v["signing-key"]},
            "sender_key": "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo",
            "session_id": v["signing-key"],
            "session_key": v["key"],
        }
        for v in sessions
    ]


def record(folder):
    text = json.dumps(room_keys(folder)).encode()
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "keys.txt"
        key_export.encrypt_and_save(text, str(path), PASSPHRASE, count=ROUNDS)
        assert key_export.decrypt_and_read(str(path), PASSPHRASE) == text
        file = path.read_bytes()
    pairs = [
        ("passphrase", PASSPHRASE.encode().hex()),
        ("rounds", ROUNDS),
        ("file", b64(file)),
        ("plaintext", text.hex()),
    ]
    source = f"recorded from matrix-nio {version('matrix-nio')} on 2026-11-22"
    write(folder, KIND, "matrix-nio", source, "success", pairs, COMMAND)

    for name, rounds, random in (
        ("all-bits", 1_000, b"\xff" * 32),
        ("one-round", 1, Random("key-export").take(32)),
    ):
        file = textbook_key_export.encrypt(text, PASSPHRASE.encode(), rounds, random)
        pairs = [
            ("passphrase", PASSPHRASE.encode().hex()),
            ("rounds", rounds),
            ("random", random.hex()),
            ("file", b64(file.encode())),
            ("plaintext", text.hex()),
        ]
        source = "made by the textbook that the command uses"
        write(folder, KIND, f"textbook-{name}", source, "success", pairs, COMMAND)


def check(folder):
    for path in sorted((Path(folder) / KIND).glob("*.txt")):
        v = read(path)
        with tempfile.TemporaryDirectory() as temporary:
            file = Path(temporary) / "keys.txt"
            # A newline after the trailer is allowed, but not needed.
            file.write_bytes(unb64(v["file"]).rstrip(b"\n"))
            plaintext = key_export.decrypt_and_read(
                str(file), bytes.fromhex(v["passphrase"]).decode()
            )
        assert plaintext.hex() == v["plaintext"], path
        print(f"nio reads {path}")


if __name__ == "__main__":
    (check if "--check" in sys.argv else record)(sys.argv[1])
