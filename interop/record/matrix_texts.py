"""Writes texts that the Matrix specification describes, made by the textbook. Usage: matrix_texts.py <folder>

Each is compared with what another program makes of the same input. Needs `pip install base58 cryptography`."""

import sys

import base58

import textbook_matrix as textbook
from vectors import Random, write

COMMAND = "python3 interop/record/matrix_texts.py test-vectors"
SOURCE = "made by the textbook that the command uses"
# RFC 7748, section 6.1.
ALICE = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")


def recovery_keys(out):
    published = "published in the tests of matrix-js-sdk and matrix-rust-sdk; the key is Alice's of RFC 7748, section 6.1"
    text = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d"
    assert textbook.recovery_key(ALICE) == text
    pairs = [("key", ALICE.hex()), ("text", text)]
    write(out, "recovery-key", "matrix-js-sdk", published, "success", pairs)
    for name, key in (
        ("all-bits", b"\xff" * 32),
        ("no-bits", bytes(32)),
        ("random", Random("recovery-key").take(32)),
    ):
        text = textbook.recovery_key(key)
        assert base58.b58decode(text.replace(" ", ""))[2:34] == key
        pairs = [("key", key.hex()), ("text", text)]
        write(out, "recovery-key", f"textbook-{name}", SOURCE, "success", pairs, COMMAND)

    def with_parity(data):
        return base58.b58encode(data + bytes([textbook.parity(data)])).decode()

    good = textbook.recovery_key(ALICE)
    for name, text in (
        ("capital-o", good.replace("Q9fu", "O9fu")),
        ("hyphens", good.replace(" ", "-")),
        ("key-too-long", with_parity(b"\x8b\x01" + ALICE + b"\x01")),
        ("key-too-short", with_parity(b"\x8b\x01" + ALICE[:31])),
        ("last-letter", good[:-1] + "e"),
        ("last-letter-missing", good[:-1]),
        ("letters-exchanged", good.replace("LW2K", "WL2K")),
        ("other-first-byte", with_parity(b"\x8c\x01" + ALICE)),
        ("other-second-byte", with_parity(b"\x8b\x02" + ALICE)),
        ("too-large", "z" * 48),
        ("zero-before", "1" + good),
    ):
        write(out, "recovery-key", f"format-{name}", SOURCE, "format", [("text", text)], COMMAND)


def main(out):
    recovery_keys(out)


if __name__ == "__main__":
    main(sys.argv[1])
