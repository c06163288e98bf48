"""Derives files of exported room keys: forms that must be read, and what must be refused.
Usage: derived_key_export.py <folder>"""

import base64
import sys

import textbook_key_export as textbook
from primitives import Refused, decode_base64
from vectors import Random, b64, read, unb64, write

COMMAND = "python3 interop/record/derived_key_export.py test-vectors"
HEAD = 1 + 16 + 16 + 4


def framed(data, header=textbook.HEADER, trailer=textbook.TRAILER):
    return "\n".join([header, base64.b64encode(data).decode(), trailer, ""])


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def files(good, data, passphrase):
    """Layers, names and files with one fault."""
    lines = good.split("\n")
    yield "format", "empty", ""
    yield "format", "no-header", "\n".join(lines[1:])
    yield "format", "no-trailer", "\n".join(lines[:-2])
    yield "format", "header-alone", textbook.HEADER
    yield "format", "header-within-a-line", good.replace(textbook.HEADER, f"> {textbook.HEADER}")
    yield "format", "cut-off", good[: len(good) // 2]
    yield "format", "another-header", framed(data, header="-----BEGIN PGP MESSAGE-----")
    yield "format", "four-dashes", framed(data, trailer=textbook.TRAILER[1:])
    yield "format", "no-content", framed(b"")
    yield "format", "version-alone", framed(data[:1])
    yield "format", "head-ends-early", framed(data[: HEAD - 1])
    yield "format", "no-rounds", framed(data[: HEAD - 4] + bytes(4) + data[HEAD:])
    yield "base64", "underscore", good.replace(lines[1], "_" + lines[1][1:])
    yield "base64", "dot", good.replace(lines[1], lines[1][:-1] + ".")
    yield "base64", "padding-inside", good.replace(lines[1], lines[1][:-1] + "=")
    yield "base64", "length", framed(data[:99]).replace("\n-----END", "A\n-----END")
    for version in (0, 2, 255):
        yield "version", str(version), framed(bytes([version]) + data[1:])
    mac = len(data) - 32
    places = {"salt": 1, "iv": 17, "ciphertext": HEAD, "end-of-ciphertext": mac - 1, "mac": mac}
    for name, at in places.items():
        yield "mac", name, framed(flipped(data, at))
    yield "mac", "end-of-mac", framed(flipped(data, len(data) - 1))
    yield "mac", "rounds", framed(data[: HEAD - 4] + b"\0\0\0\2" + data[HEAD:])
    yield "mac", "one-byte-less", framed(data[:-1])
    yield "mac", "one-byte-more", framed(data + b"\0")
    yield "format", "head-alone", framed(data[:HEAD])
    yield "format", "mac-ends-early", framed(data[: HEAD + 31])
    yield "mac", "no-ciphertext", framed(data[: HEAD + 32])
    no_text = textbook.encrypt(b"[\xff]", passphrase, 1, Random("key-export-refused").take(32))
    yield "format", "no-text", no_text


def forms(good):
    """Names of forms in which the same file comes, and the texts."""
    yield "cr-lf", good.replace("\n", "\r\n")
    yield "cr", good.replace("\n", "\r")
    yield "byte-order-mark", f"\ufeff{good}"
    yield "no-break-spaces", good.replace("\n", "\u00a0\n\u00a0")
    yield "indented", "".join(f"    \t{line}  \n" for line in good.split("\n"))
    header, *lines, trailer, _ = good.split("\n")
    yield "one-line", f"{header}{''.join(lines)}{trailer}"
    yield "within-a-mail", f"Your keys follow after {header}.\r\n\r\n{good}\n-- \nAlice\n{header}\n"


def main(out):
    file = "key-export/textbook-one-round.txt"
    v = read(f"{out}/{file}")
    good, passphrase = unb64(v["file"]).decode(), bytes.fromhex(v["passphrase"])
    data = decode_base64("".join(good.split("\n")[1:-2]))
    cases = [(*case, passphrase) for case in files(good, data, passphrase)]
    cases += [("mac", "another-passphrase", good, passphrase + b"!"), ("mac", "no-passphrase", good, b"")]
    for name, text in forms(good):
        assert textbook.decrypt(text, passphrase) == (bytes.fromhex(v["plaintext"]), int(v["rounds"])), name
        pairs = [(key, v[key]) for key in ("passphrase", "rounds", "plaintext")]
        pairs.insert(2, ("file", b64(text.encode())))
        source = f"derived from {file} by putting it into another form"
        write(out, "key-export", f"derived-{name}", source, "success", pairs, COMMAND)
    for layer, name, altered, key in cases:
        try:
            textbook.decrypt(altered, key)
        except Refused as refused:
            assert refused.args[0] == layer, (name, refused)
        else:
            raise AssertionError(f"{name} is accepted")
        pairs = [("passphrase", key.hex()), ("file", b64(altered.encode()))]
        source = f"derived from {file} by altering it"
        write(out, "key-export-refused", f"{layer}-{name}", source, layer, pairs, COMMAND)


if __name__ == "__main__":
    main(sys.argv[1])
