"""Writes positive files of the decoding kinds."""

import wire
from vectors import b64, write

KEYS = {
    "olm-message": ("version", "ratchet-key", "index", "ciphertext", "mac"),
    "pre-key-message": ("one-time-key", "base-key", "identity-key", "inner"),
    "megolm-message": ("version", "index", "ciphertext", "mac", "signature"),
    "session-key": ("index", "ratchet", "signing-key"),
    "exported-session-key": ("index", "ratchet", "signing-key"),
}
HEXADECIMAL = ("ciphertext", "mac", "ratchet")


def input_key(kind):
    return "message" if kind.endswith("message") else "key"


def values(kind, text):
    """What an input decodes to, as in its file."""
    found = wire.decode(kind, text)
    for key in KEYS[kind]:
        value = found[key]
        if isinstance(value, bytes):
            value = value.hex() if key in HEXADECIMAL else b64(value)
        yield key, value


def write_decoded(out, kind, name, source, text, command):
    pairs = [(input_key(kind), text), *values(kind, text)]
    write(out, kind, name, source, "success", pairs, command)
