"""Olm conversations with messages that must be refused."""

import wire
from libolm_transcript import Transcript
from primitives import x25519_public
from vectors import b64, unb64


def flip(text, at, mask=1):
    data = bytearray(unb64(text) if isinstance(text, str) else text)
    data[at] ^= mask
    return b64(data)


def replays():
    t = Transcript("replays")
    t.deliver("alice", b"first")
    kind, body, _ = t.sent[0]
    t.refuse("bob", "replay", kind, body)
    t.deliver("bob", b"second")
    t.refuse("alice", "replay", *t.sent[1][:2])
    numbers = [t.send("alice", b"%d" % n) for n in range(3)]
    for at in (2, 0):
        t.receive("bob", numbers[at])
        t.refuse("bob", "replay", *t.sent[numbers[at]][:2])
    t.receive("bob", numbers[1])
    t.refuse("bob", "replay", *t.sent[numbers[1]][:2])
    t.deliver("bob", b"a new chain")
    t.deliver("alice", b"and one more")
    for number in numbers:
        t.refuse("bob", "replay", *t.sent[number][:2])
    t.refuse("bob", "replay", kind, body)
    t.deliver("bob", b"all is well")
    return t


def refused_mac():
    t = Transcript("refused-mac")
    t.open()
    number = t.send("alice", b"seventeen letters")
    kind, body, _ = t.sent[number]
    length = len(unb64(body))
    for at in (-1, -4, -8, -9, -40):
        t.refuse("bob", "mac", kind, flip(body, at))
    t.refuse("bob", "mac", kind, flip(body, 5))
    t.refuse("bob", "mac", kind, flip(body, length - 8, 128))
    t.receive("bob", number)
    number = t.send("alice", b"a skipped key stays usable")
    t.deliver("alice", b"after it")
    kind, body, _ = t.sent[number]
    t.refuse("bob", "mac", kind, flip(body, -1))
    t.receive("bob", number)
    t.deliver("bob", b"fine")
    return t


def refused_first_mac():
    t = Transcript("refused-mac-of-first-message")
    number = t.send("alice", b"first")
    kind, body, _ = t.sent[number]
    for at in (-1, -8, -9, -24):
        t.refuse("bob", "mac", kind, flip(body, at))
    t.receive("bob", number)
    t.deliver("bob", b"fine")
    return t


def refused_padding():
    t = Transcript("refused-padding")
    t.open()
    t.send("alice", b"starts the chain")
    endings = [b"\x00", b"\x11", b"\xff", b"\x01\x02", b"\x10" * 15, b"\x03\x04\x03\x04"]
    for ending in endings:
        forged = t.forge("alice", blocks=bytes(16 - len(ending)) + ending)
        t.refuse("bob", "padding", 1, b64(forged), ask_libolm=False)
    two = bytes(range(16)) + b"\x10" * 8 + b"\x20" * 8
    t.refuse("bob", "padding", 1, b64(t.forge("alice", blocks=two)), ask_libolm=False)
    for length in (0, 1, 15, 17, 31):
        forged = t.forge("alice", ciphertext=bytes(length))
        t.refuse("bob", "padding", 1, b64(forged), ask_libolm=False)
    t.deliver("alice", b"still usable")
    t.deliver("bob", b"fine")
    return t


def refused_index():
    t = Transcript("refused-index")
    t.open()
    t.deliver("alice", b"starts the chain")
    t.refuse("bob", "index", 1, b64(t.forge("alice", index=2**32 - 1)))
    t.refuse("bob", "index", 1, b64(t.forge("alice", index=2**31)))
    t.deliver("alice", b"still usable")
    return t


def refused_version():
    t = Transcript("refused-version")
    number = t.send("alice", b"starts the chain")
    body = b64(t.books["alice"].wrap(t.forge("alice", version=4)))
    t.refuse("bob", "version", 0, body, ask_libolm=False)
    t.receive("bob", number)
    t.deliver("bob", b"fine")
    t.send("alice", b"starts another chain")
    t.refuse("bob", "version", 1, b64(t.forge("alice", version=4)))
    t.deliver("alice", b"still usable")
    return t


def refused_keys():
    t = Transcript("refused-keys")
    number = t.send("alice", b"first")
    identity, base, one_time = t.books["alice"].keys
    inner = wire.decode("pre-key-message", t.sent[number][1])["inner"]
    other = x25519_public(t.random.take(32))

    def altered(**keys):
        fields = {"one_time": one_time, "base": base, "identity": identity} | keys
        keys = fields["one_time"], fields["base"], fields["identity"]
        return b64(b"\x03" + b"".join(wire.pre_key_fields(*keys, inner)))

    t.refuse("bob", "unknown-key", 0, altered(one_time=other))
    t.refuse("bob", "keys-mismatch", 0, altered(identity=other))
    t.refuse("bob", "mac", 0, altered(base=other))
    t.receive("bob", number)
    inner = t.forge("alice")
    for keys in ({"one_time": other}, {"base": other}, {"identity": other}):
        t.refuse("bob", "keys-mismatch", 0, altered(**keys), ask_libolm=False)
    t.deliver("bob", b"fine")
    t.deliver("alice", b"still usable")
    return t


def refused_ratchet_key():
    t = Transcript("refused-ratchet-key")
    t.open()
    number = t.send("alice", b"starts a chain")
    keys, _, index = t.books["alice"].next_keys()
    other = x25519_public(t.random.take(32))
    fields = wire.olm_fields(other, index, keys.encrypt(b"forged"))
    t.refuse("bob", "mac", 1, b64(t.books["alice"].message(keys, fields)))
    for key in (bytes(32), b"\x01" + bytes(31), other[:31] + bytes([other[31] | 128])):
        message = t.books["alice"].message(keys, wire.olm_fields(key, 0, keys.encrypt(b"forged")))
        t.refuse("bob", "key", 1, b64(message))
    t.receive("bob", number)
    t.deliver("bob", b"fine")
    return t


TRANSCRIPTS = [
    replays,
    refused_mac,
    refused_first_mac,
    refused_padding,
    refused_index,
    refused_version,
    refused_keys,
    refused_ratchet_key,
]
