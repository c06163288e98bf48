"""What the textbook ratchets are made of, and the rules for keys and base64."""

import base64
import hashlib
import hmac as _hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
LOW_ORDER_X25519 = [
    (0).to_bytes(32, "little"),
    (1).to_bytes(32, "little"),
    (P - 1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
]


class Refused(Exception):
    """Carries the name of the layer."""


def hmac(key, data):
    return _hmac.new(key, data, hashlib.sha256).digest()


def hkdf(ikm, salt, info, length):
    prk, out, block = hmac(salt or bytes(32), ikm), b"", b""
    while len(out) < length:
        block = hmac(prk, block + info + bytes([len(out) // 32 + 1]))
        out += block
    return out[:length]


def x25519_public(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def x25519(secret, public):
    return X25519PrivateKey.from_private_bytes(secret).exchange(
        X25519PublicKey.from_public_bytes(public)
    )


def ed25519_public(seed):
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def ed25519_sign(seed, message):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def ed25519_verify(public, message, signature):
    check_ed25519(public)
    check_ed25519(signature[:32], "signature")
    if int.from_bytes(signature[32:], "little") >= L:
        raise Refused("signature")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        raise Refused("signature") from None


def aes_cbc(key, iv, data, encrypt):
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv))
    context = cipher.encryptor() if encrypt else cipher.decryptor()
    return context.update(data) + context.finalize()


class Keys:
    """The AES key, HMAC key and IV of one message."""

    def __init__(self, message_key, info):
        okm = hkdf(message_key, b"", info, 80)
        self.aes, self.mac_key, self.iv = okm[:32], okm[32:64], okm[64:]

    def encrypt(self, plaintext):
        pad = 16 - len(plaintext) % 16
        return self.encrypt_blocks(plaintext + bytes([pad]) * pad)

    def encrypt_blocks(self, blocks):
        return aes_cbc(self.aes, self.iv, blocks, True)

    def decrypt(self, ciphertext):
        if not ciphertext or len(ciphertext) % 16:
            raise Refused("padding")
        padded = aes_cbc(self.aes, self.iv, ciphertext, False)
        pad = padded[-1]
        if not 1 <= pad <= 16 or padded[-pad:] != bytes([pad]) * pad:
            raise Refused("padding")
        return padded[:-pad]

    def mac(self, data, length):
        return hmac(self.mac_key, data)[:length]


def check_x25519(key):
    if int.from_bytes(key, "little") >= P or key in LOW_ORDER_X25519:
        raise Refused("key")
    return key


def edwards_add(a, b):
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P,
    )


def edwards_point(encoding):
    """The point of an encoding, canonical or not; None when there is none."""
    number = int.from_bytes(encoding, "little")
    sign, y = number >> 255, (number & (2**255 - 1)) % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        return None
    return ((P - x) % P if x % 2 != sign else x, y)


def edwards_encode(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def check_ed25519(key, layer="key"):
    """Refuses what is off the curve, not canonical, or of small order."""
    point = edwards_point(key)
    if point is None or edwards_encode(point) != key:
        raise Refused(layer)
    for _ in range(3):
        point = edwards_add(point, point)
    if point == (0, 1):
        raise Refused(layer)
    return key


def decode_base64(text):
    """Standard alphabet, no padding or the right one, zero trailing bits."""
    bare = text.rstrip("=")
    try:
        if len(text) != len(bare) and (len(text) % 4 or len(text) - len(bare) > 2):
            raise ValueError
        data = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        raise Refused("base64") from None
    if base64.b64encode(data).rstrip(b"=").decode() != bare:
        raise Refused("base64")
    return data
