"""vodozemac's encrypted pickles: the JSON, under the cipher that libolm's pickles have as well."""

import primitives as p
from vectors import unb64


def decrypt(pickle, key):
    body = unb64(pickle)
    body, tag = body[:-8], body[-8:]
    okm = p.hkdf(key, bytes(32), b"Pickle", 80)
    assert p.hmac(okm[32:64], body)[:8] == tag
    padded = p.aes_cbc(okm[:32], okm[64:], body, False)
    return padded[: -padded[-1]]


def check(v):
    assert decrypt(v["pickle"], bytes.fromhex(v["pickle-key"])).decode() == v["json"]
