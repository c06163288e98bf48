"""Ed25519 keys and signatures that must be refused. Usage: negative_keys.py <folder>"""

import hashlib
import sys

from primitives import (
    L,
    P,
    Refused,
    ed25519_public,
    ed25519_sign,
    ed25519_verify,
    edwards_add,
    edwards_encode,
    edwards_point,
)
from vectors import read, write

COMMAND = "python3 interop/record/negative_keys.py test-vectors"
SOURCE = "primitives/ed25519-rfc8032-3.txt"


def multiply(point, number):
    result = (0, 1)
    while number:
        if number & 1:
            result = edwards_add(result, point)
        point, number = edwards_add(point, point), number >> 1
    return result


def torsion():
    """The eight points of small order, from a point of order 8."""
    y = 2
    while True:
        point = edwards_point(y.to_bytes(32, "little"))
        y += 1
        if point and multiply(cleared := multiply(point, L), 4) != (0, 1):
            return [multiply(cleared, k) for k in range(8)]


def order(point):
    return next(k for k in (1, 2, 4, 8) if multiply(point, k) == (0, 1))


def encode(y, sign):
    return (y | sign << 255).to_bytes(32, "little")


def signing_keys():
    """Names, descriptions and encodings of keys that must be refused."""
    for number, point in enumerate(sorted(torsion(), key=lambda p: (order(p), edwards_encode(p)))):
        name = f"small-order-{order(point)}-{number}"
        yield name, f"a point of order {order(point)}", edwards_encode(point)
    yield "zero-x-with-sign-1", "y = 1 with the sign bit set", encode(1, 1)
    yield "zero-x-with-sign-p-1", "y = p - 1 with the sign bit set", encode(P - 1, 1)
    for more in range(19):
        for sign in (0, 1):
            if edwards_point(encode(P + more, sign)) and (more < 6 or more == 18):
                name = f"not-canonical-p+{more}-sign-{sign}"
                yield name, f"y = p + {more}, sign bit {sign}", encode(P + more, sign)
    for y in (2, 7):
        if edwards_point(encode(y, 0)) is None:
            yield f"off-the-curve-{y}", f"y = {y}, which is not on the curve", encode(y, 0)


def signatures(out):
    rfc = read(f"{out}/{SOURCE}")
    seed, message = bytes.fromhex(rfc["seed"]), bytes.fromhex(rfc["message"])
    public, signature = ed25519_public(seed), ed25519_sign(seed, message)
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    scalar = bytearray(hashlib.sha512(seed).digest()[:32])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    secret = int.from_bytes(scalar, "little")

    def put(layer, name, how, public, message, signature):
        try:
            ed25519_verify(public, message, signature)
        except Refused as refused:
            assert refused.args[0] == layer, (name, refused.args[0])
        else:
            raise AssertionError(f"accepted: {name}")
        pairs = [("public", public.hex()), ("message", message.hex())]
        pairs += [("signature", signature.hex())]
        source, name = f"derived from {SOURCE} by {how}", f"ed25519-verify-{layer}-{name}"
        write(out, "ed25519-verify", name, source, layer, pairs, COMMAND, area="primitives")

    def flipped(data, at):
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    put(
        "signature",
        "message",
        "flipping a bit of the message",
        public,
        flipped(message, 0),
        signature,
    )
    put(
        "signature",
        "longer-message",
        "adding a byte to the message",
        public,
        message + b"\0",
        signature,
    )
    put("signature", "r", "flipping a bit of R", public, message, flipped(signature, 0))
    put("signature", "s", "flipping a bit of S", public, message, flipped(signature, 32))
    put("signature", "zero", "setting the signature to zeros", public, message, bytes(64))
    for times in (1, 2, 8):
        altered = r + (s + times * L).to_bytes(32, "little")
        how = f"adding {times} L to S"
        put("signature", f"s-plus-{times}-l", how, public, message, altered)
    points = [(edwards_encode(point), f"of order {order(point)}") for point in torsion()]
    for encoded, what in points + [(encode(1, 1), "in an encoding that is not canonical")]:
        digest = hashlib.sha512(encoded + public + message).digest()
        forged = int.from_bytes(digest, "little") * secret % L
        altered = encoded + forged.to_bytes(32, "little")
        name = f"r-{encoded[0]:02x}-{encoded[31]:02x}"
        how = f"taking R {what} and S = H(R, A, M) a"
        put("signature", name, how, public, message, altered)
    identity = edwards_encode((0, 1)) + bytes(32)
    for name, how, key in signing_keys():
        how = f"setting the key to {how}, R to the neutral point and S to 0"
        put("key", name, how, key, message, identity)


if __name__ == "__main__":
    signatures(sys.argv[1])
