"""Derives the vectors of the secure channels. Usage: channels.py <folder>"""

import sys

import textbook_channels as textbook
from derived import bad_curve25519_keys
from primitives import x25519_public
from vectors import Random, b64, item, write

COMMAND = "python3 interop/record/channels.py test-vectors"
SOURCE = {kind: f"made by a plain implementation of {msc}" for kind, msc in (("ecies", "MSC4108"), ("hpke", "MSC4388"))}
INFO = b"MATRIX_QR_CODE_LOGIN"
BEGIN, ANSWER = b"MATRIX_QR_CODE_LOGIN_INITIATE", b"MATRIX_QR_CODE_LOGIN_OK"


def make(out, kind, name, expect, pairs):
    write(out, kind, name, SOURCE[kind], expect, pairs, COMMAND)


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def ecies(out, name, info, begin, talk, forge=False):
    """`talk` is a list of (who, plaintext)."""
    random = Random(f"ecies/{name}")
    privates = random.take(32), random.take(32)
    keys = [b64(x25519_public(private)) for private in privates]
    there, back, code = textbook.ecies(*privates, info)
    pairs = [("info", info.hex()), ("recipient-random", privates[0].hex())]
    pairs += [("initiator-random", privates[1].hex()), ("recipient-key", keys[0])]
    pairs += [("initiator-key", keys[1]), ("check-code", code.hex())]
    pairs.append(("digits", textbook.ecies_digits(code)))

    def step(*items):
        pairs.append(("step", " ".join(items)))

    sealed = there.seal(begin)
    if forge:
        for place in (0, len(sealed) - 17, len(sealed) - 1):
            step("recipient", "refuse", "mac", f"{b64(flipped(sealed, place))}|{keys[1]}")
    step("initiator", "begin", item(begin), f"{b64(sealed)}|{keys[1]}")
    for who, plaintext in talk:
        way, other = (there, "recipient") if who == "initiator" else (back, "initiator")
        sealed = way.seal(plaintext)
        if forge:
            step(other, "refuse", "mac", b64(flipped(sealed, len(sealed) // 2)))
        step(who, "send", item(plaintext), b64(sealed))
        if forge:
            step(other, "refuse", "mac", b64(sealed))
            step(who, "refuse", "mac", b64(sealed))
    make(out, "ecies", name, "success", pairs)


def hpke(out, name, info, messages, forge=False):
    """`messages` is a list of (who, aad, plaintext); the first two are those that establish it."""
    random = Random(f"hpke/{name}")
    randoms = [random.take(32) for _ in range(3)]
    publics = [x25519_public(textbook.derive_key_pair(ikm)) for ikm in randoms[:2]]
    there, back, code = textbook.hpke(*randoms, info)
    pairs = [("info", info.hex()), ("recipient-random", randoms[0].hex())]
    pairs += [("sender-random", randoms[1].hex()), ("response-nonce", randoms[2].hex())]
    pairs += [("recipient-key", b64(publics[0])), ("sender-key", b64(publics[1]))]
    pairs += [("check-code", code.hex()), ("digits", textbook.hpke_digits(code))]

    def step(*items):
        pairs.append(("step", " ".join(items)))

    for number, (who, aad, plaintext) in enumerate(messages):
        what = ("begin", "answer")[number] if number < 2 else "send"
        first = (publics[1], randoms[2])[number] if number < 2 else b""
        way, other = (there, "recipient") if who == "sender" else (back, "sender")
        sealed = way.seal(plaintext, aad)
        if forge:
            for place in (0, len(sealed) - 1):
                step(other, "refuse", "mac", item(aad), b64(first + flipped(sealed, place)))
            step(other, "refuse", "mac", item(aad + b"!"), b64(first + sealed))
        step(who, what, item(aad), item(plaintext), b64(first + sealed))
        if forge and number > 1:
            step(other, "refuse", "mac", item(aad), b64(sealed))
            step(who, "refuse", "mac", item(aad), b64(sealed))
    make(out, "hpke", name, "success", pairs)


def rendezvous_aad(base_url, rendezvous_id, token):
    lengths = len(base_url).to_bytes(2, "big"), bytes([len(rendezvous_id)]), bytes([len(token)])
    return lengths[0] + base_url + lengths[1] + rendezvous_id + lengths[2] + token


def refused(out):
    """Initial messages that do not decode."""
    good, text = Random("channels/refused").take(32), Random("channels/refused-text").take(16)
    key = x25519_public(good)
    for name, bad in bad_curve25519_keys(key):
        make(out, "ecies", f"key-{name}", "key", [("message", f"{b64(text)}|{b64(bad)}")])
        make(out, "hpke", f"key-{name}", "key", [("message", b64(bad + text))])
    for name, layer, message in (
        ("no-separator", "format", b64(text + key)),
        ("empty", "format", ""),
        ("two-separators", "base64", f"{b64(text)}|{b64(key)}|"),
        ("swapped", "format", f"{b64(key)}|{b64(text)}"),
        ("key-31-bytes", "format", f"{b64(text)}|{b64(key[:31])}"),
        ("key-33-bytes", "format", f"{b64(text)}|{b64(key + bytes(1))}"),
        ("no-ciphertext", "format", f"|{b64(key)}"),
        ("ciphertext-15-bytes", "format", f"{b64(text[:15])}|{b64(key)}"),
        ("base64-url-alphabet", "base64", f"____|{b64(key)}"),
        ("base64-space", "base64", f"{b64(text)} |{b64(key)}"),
        ("base64-wrong-padding", "base64", f"{b64(text)}|{b64(key)}=="),
    ):
        make(out, "ecies", name, layer, [("message", message)])
    for name, layer, message in (
        ("empty", "format", ""),
        ("31-bytes", "format", b64(key[:31])),
        ("no-ciphertext", "format", b64(key)),
        ("ciphertext-15-bytes", "format", b64(key + text[:15])),
        ("base64-separator", "base64", f"{b64(text)}|{b64(key)}"),
        ("base64-url-alphabet", "base64", "____" * 16),
        ("base64-wrong-padding", "base64", b64(key + text) + "="),
    ):
        make(out, "hpke", name, layer, [("message", message)])


def main(out):
    turns = [("recipient", ANSWER), ("recipient", b"a"), ("initiator", b""), ("recipient", b"")]
    ecies(out, "qr-code-login", INFO, BEGIN, turns)
    ecies(out, "refused-messages", INFO, BEGIN, turns, forge=True)
    ecies(out, "other-info", "ečies | 🦎".encode(), b"", [("initiator", b"b"), ("recipient", b"c")])
    ecies(out, "no-info", b"", b"", [("recipient", b"")])
    lengths = [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 1000]
    texts = [Random(f"channels/text/{length}").take(length) for length in lengths]
    both = [(who, text) for text in texts for who in ("initiator", "recipient")]
    ecies(out, "plaintext-lengths", INFO, b"x", both)
    ecies(out, "more-than-256-messages", INFO, b"", [("initiator", b"")] * 300)

    aads = [rendezvous_aad(b"https://matrix-client.matrix.org", b"e8da6355", token) for token in (b"1", b"2", b"3")]
    talk = [("sender", aads[0], BEGIN), ("recipient", aads[1], ANSWER), ("recipient", aads[2], b"a")]
    talk += [("sender", b"", b""), ("recipient", b"", b""), ("sender", b"aad", b"b")]
    hpke(out, "qr-code-login", INFO, talk)
    hpke(out, "refused-messages", INFO, talk, forge=True)
    hpke(out, "other-info", "hpke | 🦎".encode(), talk)
    hpke(out, "no-info", b"", talk)
    both = [(who, text, text) for text in texts for who in ("sender", "recipient")]
    hpke(out, "plaintext-lengths", INFO, both)
    many = [("sender", b"", b""), ("recipient", b"", b"")] + [("recipient", b"", b"")] * 300
    hpke(out, "more-than-256-messages", INFO, many)
    refused(out)


if __name__ == "__main__":
    main(sys.argv[1])
