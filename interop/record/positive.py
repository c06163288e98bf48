"""Derives unusual messages that must be accepted. Usage: positive.py <folder>"""

import sys

import textbook
import wire
from decoding import write_decoded
from derived import Base
from vectors import b64, read, write

COMMAND = "python3 interop/record/positive.py test-vectors"
UNKNOWN = {
    "integer": wire.integer(5, 0),
    "integer-max": wire.integer(5, 2**64 - 1),
    "string": wire.string(6, b"unknown"),
    "empty-string": wire.string(6, b""),
    "high-number": wire.string(2**29 - 1, b"unknown"),
}


def variants(fields):
    """Names, descriptions and field lists."""
    yield "reversed-fields", "reversing its fields", fields[::-1]
    yield "rotated-fields", "rotating its fields", fields[1:] + fields[:1]
    for name, field in UNKNOWN.items():
        how = f"adding an unknown field ({name.replace('-', ' ')})"
        yield f"unknown-{name}-last", f"{how} at the end", fields + [field]
        yield f"unknown-{name}-first", f"{how} at the beginning", [field] + fields
    many = [field for pair in zip(fields, UNKNOWN.values()) for field in pair]
    yield "unknown-between", "adding unknown fields between the known ones", many
    twice = fields + [UNKNOWN["string"]] * 2
    yield "unknown-twice", "adding the same unknown field twice", twice


def write_message(out, kind, name, source, text):
    write_decoded(out, kind, name, source, text, COMMAND)


def decoding(out):
    for kind, name in (
        ("olm-message", "libolm-4"),
        ("pre-key-message", "libolm-0"),
        ("megolm-message", "libolm-00000001"),
    ):
        base = Base(out, kind, name)
        for name, how, fields in variants(base.fields):
            source = f"derived from {base.file} by {how}"
            if base.tail:
                source += "; MAC and signature are as before and no longer hold"
            write_message(out, kind, name, source, b64(base.build(fields)))
        if kind != "pre-key-message":
            base64_padding(out, base)


def base64_padding(out, base):
    for length in (16, 17, 18):
        ciphertext = wire.string(base.names["ciphertext"], bytes(length))
        text = b64(base.replace("ciphertext", ciphertext))
        padding = "=" * (-len(text) % 4)
        how = f"changing the ciphertext and padding the base64 with {len(padding)} characters"
        name = f"padded-base64-{len(padding)}"
        write_message(out, base.kind, name, f"derived from {base.file} by {how}", text + padding)


def version_4(out):
    """The messages of one vodozemac transcript, taken apart."""
    file = "olm-transcript/vodozemac-v4-conversation.txt"
    source = f"message of {file}"
    sends = [step for step in read(f"{out}/{file}")["step"] if step[1] == "send"]
    for number, step in enumerate(sends):
        kind, body = step[4:]
        if kind == "0":
            write_message(out, "pre-key-message", f"vodozemac-v4-{number}", source, body)
            body = b64(wire.decode("pre-key-message", body)["inner"])
        write_message(out, "olm-message", f"vodozemac-v4-{number}", source, body)
    file = "megolm-transcript/vodozemac-v4-first-messages.txt"
    sends = [step for step in read(f"{out}/{file}")["step"] if step[0] == "send"]
    for number, step in enumerate(sends[:4]):
        name = f"vodozemac-v4-{number}"
        write_message(out, "megolm-message", name, f"message of {file}", step[2])


def megolm_decrypt(out):
    """The same variants with a MAC and a signature that hold."""
    for version, peer in ((3, "libolm-first-messages"), (4, "vodozemac-v4-first-messages")):
        file = f"megolm-transcript/{peer}.txt"
        transcript = read(f"{out}/{file}")
        sender = textbook.GroupSession(bytes.fromhex(transcript["group-random"]), version)
        text = b"message with other fields"

        usual = wire.megolm_fields(0, sender.keys().encrypt(text))
        for name, how, fields in variants(usual):
            source = f"derived from {file} by encrypting with its keys, and {how}"
            pairs = [("version", version), ("session-key", transcript["session-key"])]
            pairs += [("message", b64(sender.message(fields))), ("index", 0)]
            pairs += [("plaintext", text.hex())]
            name = f"v{version}-{name}"
            write(out, "megolm-decrypt", name, source, "success", pairs, COMMAND)


def main(out):
    decoding(out)
    version_4(out)
    megolm_decrypt(out)


if __name__ == "__main__":
    main(sys.argv[1])
