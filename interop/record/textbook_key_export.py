"""Files of exported room keys, plainly from the Matrix specification ("Key exports")."""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
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


def decrypt(file, passphrase):
    lines = file.strip().split("\n")
    assert (lines[0], lines[-1]) == (HEADER, TRAILER)
    body = unb64("".join(lines[1:-1]).rstrip("="))
    body, tag = body[:-32], body[-32:]
    assert body[0] == 1
    salt, iv, rounds = body[1:17], body[17:33], int.from_bytes(body[33:37], "big")
    aes_key, mac_key = keys(passphrase, salt, rounds)
    assert hmac.digest(mac_key, body, "sha256") == tag
    return aes_ctr(aes_key, iv, body[37:]), rounds


def check(v):
    passphrase = bytes.fromhex(v["passphrase"])
    file, plaintext, rounds = unb64(v["file"]).decode(), bytes.fromhex(v["plaintext"]), int(v["rounds"])
    assert decrypt(file, passphrase) == (plaintext, rounds)
    if "random" in v:
        assert encrypt(plaintext, passphrase, rounds, bytes.fromhex(v["random"])) == file
