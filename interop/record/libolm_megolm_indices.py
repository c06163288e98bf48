"""Megolm ratchets and messages at chosen indices, which libolm reaches from a pickle."""

import hashlib

import olm_ctypes as olm
import textbook
from decoding import write_decoded
from libolm_megolm import SOURCE
from primitives import Keys, ed25519_public
from textbook import advance
from vectors import Random, b64, unb64, write


def sender_at(random, index):
    """A libolm sender whose ratchet is the first 128 bytes of `random` at `index`."""
    seed = random[128:]
    pickled = (1).to_bytes(4, "big") + random[:128] + index.to_bytes(4, "big")
    pickled += ed25519_public(seed) + expanded(seed)
    keys = Keys(b"", b"Pickle")
    data = keys.encrypt(pickled)
    return olm.OutboundGroupSession.unpickle(b"", b64(data + keys.mac(data, 8)))


def expanded(seed):
    key = bytearray(hashlib.sha512(seed).digest())
    key[0] &= 248
    key[31] = key[31] & 127 | 64
    return bytes(key)


RATCHETS = [
    (0, 0),
    (0, 1),
    (0, 255),
    (0, 256),
    (0, 257),
    (0, 65535),
    (0, 65536),
    (0, 65537),
    (0, 2**24 - 1),
    (0, 2**24),
    (0, 2**24 + 2**16 + 2**8 + 1),
    (0, 2**31 - 1),
    (1, 256),
    (255, 256),
    (255, 257),
    (256, 512),
    (254, 65536),
    (65535, 65536),
    (65535, 65792),
    (65536, 131072),
    (0xFFFF00, 0x1000000),
    (0xFFFFFF, 0x1000000),
    (0xFFFFFF, 0x1010101),
    (0x1000000, 0x2000000),
    (0x1234567, 0x89ABCDE),
    (0x80000000, 0xFFFFFFFF),
    (0xFF000000, 0xFFFFFFFF),
    (0xFFFFFFFE, 0xFFFFFFFF),
    (0xFFFFFFFF, 0xFFFFFFFF),
]


def ratchets(out, command):
    random = Random("libolm/megolm-ratchet")
    seed = random.take(32)
    for start, target in RATCHETS:
        initial = random.take(128)
        key = bytes([1]) + start.to_bytes(4, "big") + initial + ed25519_public(seed)
        exported = unb64(olm.InboundGroupSession.imported(b64(key)).export(target))
        output = exported[5:133]
        assert output == advance(initial, start, target)
        pairs = [("initial", initial.hex()), ("start", start), ("target", target)]
        pairs.append(("output", output.hex()))
        name = f"libolm-{start:08x}-{target:08x}"
        write(out, "megolm-ratchet", name, SOURCE, "success", pairs, command)


INDICES = [0, 1, 127, 128, 255, 256, 16383, 16384, 65535, 65536, 2**21 - 1, 2**21]
INDICES += [2**24 - 1, 2**24, 2**28 - 1, 2**28, 2**31 - 1, 2**31, 2**32 - 1]


def decryptions(out, command):
    """One message at each index where an encoding or the ratchet changes."""
    for index in INDICES:
        random = Random(f"libolm/megolm-decrypt/{index}").take(160)
        sender = sender_at(random, index)
        key, plaintext = sender.session_key(), b"index %d" % index
        message = sender.encrypt(plaintext)
        receiver = olm.InboundGroupSession.new(key)
        exported = receiver.export(index)
        assert receiver.decrypt(message) == (plaintext, index)
        book = textbook.GroupSession(random, index=index)
        assert (key, message) == (book.session_key(), book.encrypt(plaintext))
        found = [("message", message), ("index", index), ("plaintext", plaintext.hex())]
        for name, value in (("session-key", key), ("exported-session-key", exported)):
            pairs = [("version", 3), (name, value)] + found
            file = f"libolm-{name}-{index:08x}"
            write(out, "megolm-decrypt", file, SOURCE, "success", pairs, command)
        name = f"libolm-{index:08x}"
        write_decoded(out, "megolm-message", name, SOURCE, message, command)
        if index in (0, 1, 65536, 2**32 - 1):
            write_decoded(out, "session-key", name, SOURCE, key, command)
            write_decoded(out, "exported-session-key", name, SOURCE, exported, command)
