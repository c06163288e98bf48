"""Texts of the Matrix specification, plainly from it. `matrix_texts.py` says where each is described."""

from primitives import Refused

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
