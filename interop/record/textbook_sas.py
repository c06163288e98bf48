"""SAS verification, plainly from the Matrix specification, with the old encodings of its MACs."""

import hashlib

from primitives import check_x25519, hkdf, hmac, x25519
from vectors import b64, unb64


class Sas:
    def __init__(self, private_key, their_key):
        self.secret = x25519(private_key, check_x25519(unb64(their_key)))

    def bytes(self, info, length):
        return hkdf(self.secret, b"", info, length)

    def macs(self, data, info):
        """By the names that the vectors have for the methods."""
        mac = hmac(self.bytes(info, 32), data)
        return {
            "hkdf-hmac-sha256-v2": b64(mac),
            "hkdf-hmac-sha256": encoded_in_place(mac),
            "hmac-sha256": encoded_in_place(hmac(self.bytes(info, 256), data)),
        }


def encoded_in_place(mac):
    """The old text: the MAC is read from the buffer that the text is written to."""
    buffer = bytearray(mac) + bytearray(11)
    for start in range(0, 32, 3):
        text = b64(buffer[start : min(start + 3, 32)]).encode()
        to = start // 3 * 4
        buffer[to : to + len(text)] = text
    return buffer.decode()


def bits(data, width, count):
    """The first `count` groups of `width` bits, as numbers."""
    text = "".join(f"{byte:08b}" for byte in data)
    return [int(text[width * n : width * (n + 1)], 2) for n in range(count)]


def emoji(data):
    return bits(data, 6, 7)


def decimals(data):
    return [number + 1000 for number in bits(data, 13, 3)]


def commitment(key, start_content):
    return b64(hashlib.sha256(key.encode() + start_content).digest())


def check(v):
    """Holds a file of the kind `sas` to this page."""
    sas = Sas(bytes.fromhex(v["our-private-key"]), v["their-key"])
    if "their-private-key" in v:
        assert Sas(bytes.fromhex(v["their-private-key"]), v["our-key"]).secret == sas.secret
    if "bytes" in v:
        data = bytes.fromhex(v["bytes"])
        assert sas.bytes(bytes.fromhex(v["info"]), len(data)) == data
        if len(data) >= 6:
            assert " ".join(map(str, emoji(data))) == v["emoji"]
            assert " ".join(map(str, decimals(data))) == v["decimals"]
    if "mac-input" in v:
        macs = sas.macs(bytes.fromhex(v["mac-input"]), bytes.fromhex(v["mac-info"]))
        assert any(name in v for name in macs)
        for name, mac in macs.items():
            assert v.get(name, mac) == mac, name
    if "commitment" in v:
        assert commitment(v["our-key"], bytes.fromhex(v["start-content"])) == v["commitment"]
