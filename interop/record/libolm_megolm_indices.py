"""Megolm ratchets and messages at chosen indices, which libolm reaches from a pickle."""

import olm_ctypes as olm
import textbook
from decoding import write_decoded
from libolm_megolm import SOURCE
from primitives import ed25519_public
from textbook import advance
from textbook_libolm import expanded
from textbook_pickle import seal_pickle
from traces import at_indices, group_step, group_values
from vectors import Random, b64, unb64, write

TRACED = SOURCE + "; AES keys, HMAC keys and IVs by a plain implementation of megolm.md"


def sender_at(random, index):
    """A libolm sender whose ratchet is the first 128 bytes of `random` at `index`."""
    seed = random[128:]
    pickled = (1).to_bytes(4, "big") + random[:128] + index.to_bytes(4, "big")
    pickled += ed25519_public(seed) + expanded(seed)
    return olm.OutboundGroupSession.unpickle(b"", seal_pickle(pickled, b""))


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


def trace(out, command):
    """A session around the indices where its ratchet is made anew. libolm reaches each of them itself, its
    session key shows the ratchet there, and the message is its own."""
    random = Random("libolm/megolm-trace").take(160)
    first = olm.InboundGroupSession.new(textbook.GroupSession(random).session_key())
    steps = []
    for session, plaintext in at_indices(random, 3):
        ratchet = unb64(first.export(session.index))[5:133]
        sender = sender_at(ratchet + random[128:], session.index)
        assert sender.session_key() == session.session_key()
        steps.append(group_step(session, plaintext))
        assert steps[-1][1].endswith(" " + sender.encrypt(plaintext))
        assert sender.session_key() == session.session_key()
    pairs = group_values(random, 3, steps)
    write(out, "megolm-trace", "libolm-reseeding", TRACED, "success", pairs, command)
