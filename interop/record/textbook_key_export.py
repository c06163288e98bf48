"""Files of exported room keys, plainly from the Matrix specification ("Key exports")."""

import base64
import hashlib
import hmac
import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from primitives import Refused, decode_base64
from vectors import unb64

HEADER = "-----BEGIN MEGOLM SESSION DATA-----"
TRAILER = "-----END MEGOLM SESSION DATA-----"


def keys(passphrase, salt, rounds):
    okm = hashlib.pbkdf2_hmac("sha512", passphrase, salt, rounds, 64)
    return okm[:32], okm[32:]


def aes_ctr(key, iv, data):
    # Encryption and decryption are the same.
    return Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor().update(data)


def encrypt(plaintext, passphrase, rounds, random):
    salt, iv = random[:16], bytearray(random[16:32])
    # Bit 63 of the IV is zero; bit 127 is the first.
    iv[8] &= 0x7F
    iv = bytes(iv)
    aes_key, mac_key = keys(passphrase, salt, rounds)
    body = b"\x01" + salt + iv + rounds.to_bytes(4, "big") + aes_ctr(aes_key, iv, plaintext)
    text = base64.b64encode(body + hmac.digest(mac_key, body, "sha256")).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([HEADER, *lines, TRAILER, ""])


def content(file):
    """What is between the first header that begins a line and the next trailer, without white space."""
    blank = r"(?:\s|\ufeff)"
    found = re.search(rf"(?:^|[\r\n]){blank}*{HEADER}(.*?){TRAILER}", file, re.DOTALL)
    if not found:
        raise Refused("format")
    return re.sub(blank, "", found[1])


def decrypt(file, passphrase):
    data = decode_base64(content(file))
    if data[:1] not in (b"", b"\x01"):
        raise Refused("version")
    salt, iv, rounds = data[1:17], data[17:33], int.from_bytes(data[33:37], "big")
    if len(data) < 37 + 32 or rounds == 0:
        raise Refused("format")
    aes_key, mac_key = keys(passphrase, salt, rounds)
    body, tag = data[:-32], data[-32:]
    if hmac.digest(mac_key, body, "sha256") != tag:
        raise Refused("mac")
    plaintext = aes_ctr(aes_key, iv, body[37:])
    try:
        plaintext.decode()
    except UnicodeDecodeError:
        raise Refused("format") from None
    return plaintext, rounds


def check(v):
    passphrase = bytes.fromhex(v["passphrase"])
    file, plaintext, rounds = unb64(v["file"]).decode(), bytes.fromhex(v["plaintext"]), int(v["rounds"])
    assert decrypt(file, passphrase) == (plaintext, rounds)
    if "random" in v:
        assert encrypt(plaintext, passphrase, rounds, bytes.fromhex(v["random"])) == file


def check_refused(v):
    decrypt(unb64(v["file"]).decode(), bytes.fromhex(v["passphrase"]))
