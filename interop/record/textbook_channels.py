"""The secure channels of MSC4108 (ECIES) and MSC4388 (HPKE), plainly from the proposals, RFC 9180 and
RFC 9458, section 4.4; with SHA-512 and `_RESPONSE`, as they are spoken."""

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from primitives import Refused, check_x25519, decode_base64, hkdf, x25519, x25519_public
from vectors import b64, unitem


def hkdf_sha512(ikm, info, length):
    """No salt, and at most one block."""
    prk = hmac.digest(bytes(64), ikm, "sha512")
    return hmac.digest(prk, info + b"\x01", "sha512")[:length]


class Direction:
    """Key and counter of one direction; `nonces` makes the nonce of a number."""

    def __init__(self, key, nonces):
        self.cipher, self.nonces, self.next = ChaCha20Poly1305(key), nonces, 0

    def seal(self, plaintext, aad=b""):
        self.next += 1
        return self.cipher.encrypt(self.nonces(self.next - 1), plaintext, aad)

    def open(self, message, aad=b""):
        try:
            plaintext = self.cipher.decrypt(self.nonces(self.next), message, aad)
        except InvalidTag:
            raise Refused("mac") from None
        self.next += 1
        return plaintext


def ecies(recipient, initiator, info):
    """The directions from the initiator and from the recipient, and the check code."""
    keys = b64(x25519_public(recipient)), b64(x25519_public(initiator))
    secret = x25519(initiator, x25519_public(recipient))

    def derive(label, length):
        text = b"|".join([info + label, *(key.encode() for key in keys)])
        return hkdf_sha512(secret, text, length)

    def counted(number):
        return number.to_bytes(12, "little")

    ways = [Direction(derive(label, 32), counted) for label in (b"_ENCKEY_S", b"_ENCKEY_G")]
    return *ways, derive(b"_CHECKCODE", 2)


KEM = b"KEM" + (0x20).to_bytes(2, "big")
SUITE = b"HPKE" + bytes([0, 0x20, 0, 1, 0, 3])


def labeled_extract(suite, salt, label, ikm):
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def labeled_expand(suite, prk, label, info, length):
    info, out, block = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, b"", b""
    while len(out) < length:
        block = hmac.digest(prk, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:length]


def derive_key_pair(ikm):
    return labeled_expand(KEM, labeled_extract(KEM, b"", b"dkp_prk", ikm), b"sk", b"", 32)


def xored(base):
    """RFC 9180, 5.2: the number, xored into the base nonce."""
    number = int.from_bytes(base, "big")
    return lambda counter: (number ^ counter).to_bytes(12, "big")


def hpke(recipient_ikm, sender_ikm, response_nonce, info):
    """The directions from the sender and from the recipient, and the check code."""
    recipient, sender = derive_key_pair(recipient_ikm), derive_key_pair(sender_ikm)
    gp, sp = x25519_public(recipient), x25519_public(sender)
    eae = labeled_extract(KEM, b"", b"eae_prk", x25519(sender, gp))
    shared = labeled_expand(KEM, eae, b"shared_secret", sp + gp, 32)
    hashes = [labeled_extract(SUITE, b"", b"psk_id_hash", b"")]
    hashes.append(labeled_extract(SUITE, b"", b"info_hash", info))
    context = b"\x00" + b"".join(hashes)
    secret = labeled_extract(SUITE, shared, b"secret", b"")
    key = labeled_expand(SUITE, secret, b"key", context, 32)
    nonce = labeled_expand(SUITE, secret, b"base_nonce", context, 12)
    exporter = labeled_expand(SUITE, secret, b"exp", context, 32)
    response = labeled_expand(SUITE, exporter, b"sec", info + b"_RESPONSE", 32)
    back = [hkdf(response, sp + response_nonce, what, n) for what, n in ((b"key", 32), (b"nonce", 12))]
    code = labeled_expand(SUITE, exporter, b"sec", info + b"_CHECKCODE" + gp + sp, 2)
    return Direction(key, xored(nonce)), Direction(back[0], xored(back[1])), code


def ecies_digits(code):
    return f"{code[0] % 10}{code[1] % 10}"


def hpke_digits(code):
    return f"{code[0] % 9 + 1}{code[1] % 10}"


def with_tag(message):
    if len(message) < 16:
        raise Refused("format")
    return message


def decode_ecies_initial(text):
    """Public key and ciphertext."""
    if "|" not in text:
        raise Refused("format")
    message, key = (decode_base64(part) for part in text.split("|", 1))
    if len(key) != 32:
        raise Refused("format")
    check_x25519(key)
    return key, with_tag(message)


def decode_hpke_initial(text):
    data = decode_base64(text)
    if len(data) < 32:
        raise Refused("format")
    return check_x25519(data[:32]), with_tag(data[32:])


def must_refuse(layer, way, message, aad=b""):
    try:
        way.open(message, aad)
    except Refused as refused:
        assert refused.args[0] == layer, f"{refused.args[0]} instead of {layer}"
    else:
        raise AssertionError(f"accepted, not refused by {layer}")


def check_ecies(v):
    """Checks a file of the kind `ecies` against the description in test-vectors/README.md. Every message is
    received before the next is sent, so both ends of a direction have the same counter."""
    if "message" in v:
        return decode_ecies_initial(v["message"])
    privates = bytes.fromhex(v["recipient-random"]), bytes.fromhex(v["initiator-random"])
    publics = [b64(x25519_public(private)) for private in privates]
    assert publics == [v["recipient-key"], v["initiator-key"]]
    there, back, code = ecies(*privates, bytes.fromhex(v["info"]))
    assert (code.hex(), ecies_digits(code)) == (v["check-code"], v["digits"])
    for who, what, *items in v["step"]:
        assert who in ("initiator", "recipient") and what in ("begin", "send", "refuse")
        if what == "begin":
            assert who == "initiator"
            assert b64(there.seal(unitem(items[0]))) + "|" + publics[1] == items[1]
        elif what == "send":
            way = there if who == "initiator" else back
            assert b64(way.seal(unitem(items[0]))) == items[1]
        else:
            way = there if who == "recipient" else back
            must_refuse(items[0], way, decode_base64(items[1].split("|")[0]))


def check_hpke(v):
    """Checks a file of the kind `hpke` against the description in test-vectors/README.md."""
    if "message" in v:
        return decode_hpke_initial(v["message"])
    names = ("recipient-random", "sender-random", "response-nonce", "info")
    randoms = [bytes.fromhex(v[name]) for name in names]
    publics = [x25519_public(derive_key_pair(ikm)) for ikm in randoms[:2]]
    assert [b64(public) for public in publics] == [v["recipient-key"], v["sender-key"]]
    there, back, code = hpke(*randoms)
    assert (code.hex(), hpke_digits(code)) == (v["check-code"], v["digits"])
    first = {"begin": publics[1], "answer": randoms[2], "send": b""}
    for who, what, *items in v["step"]:
        assert who in ("sender", "recipient") and what in (*first, "refuse")
        assert what not in ("begin", "answer") or who == {"begin": "sender", "answer": "recipient"}[what]
        if what in first:
            way = there if who == "sender" else back
            aad, plaintext = map(unitem, items[:2])
            assert b64(first[what] + way.seal(plaintext, aad)) == items[2]
        else:
            way = there if who == "recipient" else back
            message = decode_base64(items[2])
            if way.next == 0:
                message = message[32:]
            must_refuse(items[0], way, message, unitem(items[1]))
