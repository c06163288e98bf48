"""Texts of the Matrix specification, plainly from it. `matrix_texts.py` says where each is described."""

import hashlib
import json

import primitives as p
from primitives import Refused, decode_base64
from textbook_key_export import aes_ctr
from vectors import b64, unb64

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RECOVERY_KEY_PREFIX = b"\x8b\x01"


def parity(data):
    found = 0
    for byte in data:
        found ^= byte
    return found


def base58(data):
    """The first byte is not zero."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return text


def recovery_key(key):
    data = RECOVERY_KEY_PREFIX + key
    text = base58(data + bytes([parity(data)]))
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def read_recovery_key(text):
    number = 0
    letters = "".join(text.split())
    for letter in letters:
        if letter not in BASE58:
            raise Refused("format")
        number = number * 58 + BASE58.index(letter)
    if len(letters) != 48 or number >> 280:
        raise Refused("format")
    data = number.to_bytes(35, "big")
    if parity(data) or not data.startswith(RECOVERY_KEY_PREFIX):
        raise Refused("format")
    return data[2:34]


def check_recovery_key(v):
    key = read_recovery_key(v["text"])
    if v["expect"] == "success":
        assert key.hex() == v["key"] and recovery_key(key) == v["text"]


def refuse(*_):
    raise Refused("format")


def integer(text):
    number = int(text)
    if abs(number) >= 2**53 or text == "-0":
        raise Refused("format")
    return number


def parse(text):
    return json.loads(text, parse_float=refuse, parse_int=integer, parse_constant=refuse)


def canonical_json(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def check_canonical_json(v):
    canonical = canonical_json(parse(bytes.fromhex(v["json"])))
    if v["expect"] == "success":
        assert canonical.hex() == v["canonical"]


def signed_part(value):
    if not isinstance(value, dict):
        raise Refused("format")
    omitted = ("signatures", "unsigned")
    return canonical_json({name: member for name, member in value.items() if name not in omitted})


def check_signed_json(v):
    value = parse(bytes.fromhex(v["object"]))
    signed = signed_part(value)
    try:
        signature = value["signatures"][v["user-id"]]["ed25519:" + v["key-name"]]
    except KeyError:
        raise Refused("signature") from None
    signature = decode_base64(signature)
    p.ed25519_verify(unb64(v["public-key"]), signed, signature)
    if v["expect"] == "success":
        assert signed.hex() == v["signed"]
    if "seed" in v:
        seed = bytes.fromhex(v["seed"])
        assert b64(p.ed25519_public(seed)) == v["public-key"]
        assert p.ed25519_sign(seed, signed) == signature


def storage_keys(key, name):
    okm = p.hkdf(key, bytes(32), name, 64)
    return okm[:32], okm[32:]


def seal_secret(key, name, iv, plaintext):
    aes_key, mac_key = storage_keys(key, name)
    ciphertext = aes_ctr(aes_key, iv, plaintext)
    return ciphertext, p.hmac(mac_key, ciphertext)


def check_secret_storage(v):
    key, name = bytes.fromhex(v["key"]), v["name"].encode()
    iv, ciphertext, mac = (decode_base64(v[member]) for member in ("iv", "ciphertext", "mac"))
    if (len(iv), len(mac)) != (16, 32):
        raise Refused("format")
    aes_key, mac_key = storage_keys(key, name)
    if p.hmac(mac_key, ciphertext) != mac:
        raise Refused("mac")
    plaintext = aes_ctr(aes_key, iv, ciphertext)
    try:
        plaintext.decode()
    except UnicodeDecodeError:
        raise Refused("format") from None
    if v["expect"] == "success":
        assert plaintext.hex() == v["plaintext"]


def check_passphrase(v):
    passphrase, salt = bytes.fromhex(v["passphrase"]), v["salt"].encode()
    key = hashlib.pbkdf2_hmac("sha512", passphrase, salt, int(v["iterations"]), 32)
    assert key.hex() == v["key"]
