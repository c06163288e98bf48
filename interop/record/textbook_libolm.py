"""The content of libolm's pickles: big-endian, a list is a u32 count and its items, a pair is the public and
the private half. What is read becomes a textbook object."""

import hashlib

from primitives import (
    L,
    P,
    Refused,
    check_ed25519,
    check_x25519,
    edwards_add,
    edwards_encode,
    edwards_point,
    x25519_public,
)
from textbook import Account, GroupSession, InboundGroupSession, Session


def expanded(seed):
    """An Ed25519 private key as libolm keeps it: the hash of the seed, clamped."""
    key = bytearray(hashlib.sha512(seed).digest())
    key[0] &= 248
    key[31] = key[31] & 127 | 64
    return bytes(key)


def times_base(scalar):
    """The encoding of a multiple of the base point, bit by bit."""
    power, point = edwards_point((4 * pow(5, -1, P) % P).to_bytes(32, "little")), (0, 1)
    while scalar:
        if scalar & 1:
            point = edwards_add(point, power)
        power, scalar = edwards_add(power, power), scalar >> 1
    return edwards_encode(point)


class ExpandedGroupSession(GroupSession):
    """A sender whose seed is not known any more, only what was made of it."""

    def __init__(self, ratchet, index, public, private):
        super().__init__(ratchet, index=index)
        self.public_key, self.private = public, private

    def public(self):
        return self.public_key

    def sign(self, data):
        # RFC 8032, 5.1.6.
        scalar, prefix = int.from_bytes(self.private[:32], "little"), self.private[32:]
        r = sha512_number(prefix, data)
        point = times_base(r % L)
        s = (r + sha512_number(point, self.public_key, data) * scalar) % L
        return data + point + s.to_bytes(32, "little")


def sha512_number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


class Content:
    """libolm's content, from front to back."""

    def __init__(self, data, versions):
        self.data = data
        self.version = self.number()
        if self.version not in versions:
            raise Refused("version")

    def take(self, length):
        if length > len(self.data):
            raise Refused("format")
        taken, self.data = self.data[:length], self.data[length:]
        return taken

    def number(self):
        return int.from_bytes(self.take(4), "big")

    def flag(self):
        return self.take(1) != b"\0"

    def list(self, item):
        return [item() for _ in range(self.number())]

    def public(self):
        return check_x25519(self.take(32))

    def pair(self):
        """The private half of an X25519 pair."""
        public, private = self.public(), self.take(32)
        if x25519_public(private) != public:
            raise Refused("format")
        return private

    def signing_pair(self):
        """Both halves of an Ed25519 pair."""
        public, private = self.take(32), self.take(64)
        if times_base(int.from_bytes(private[:32], "little")) != public:
            raise Refused("format")
        return public, private

    def stored_key(self):
        """Id, published, X25519 pair."""
        self.take(5)
        return self.pair()

    def end(self):
        if self.data:
            raise Refused("format")


def account(data):
    content = Content(data, (2, 3, 4))
    content.signing_pair()
    identity, fallback = content.pair(), []
    one_time = content.list(content.stored_key)
    if content.version == 3:
        # Two slots, of which `published` says whether they are used.
        slots = [content.take(69) for _ in range(2)]
        fallback = [slot[37:] for slot in slots if slot[4]]
    elif content.version == 4:
        count = content.take(1)[0]
        if count > 2:
            raise Refused("format")
        fallback = [content.stored_key() for _ in range(count)]
    content.number()
    content.end()
    return Account(identity, one_time, fallback)


def session(data):
    content = Content(data, (1, 0x80000001))
    received = content.flag()
    keys = tuple(content.public() for _ in range(3))
    session = Session(3, keys, content.take(32))
    session.received = received
    senders = content.list(lambda: [content.pair(), content.take(32), content.number()])
    if len(senders) > 1:
        raise Refused("format")
    (session.sender,) = senders or [None]
    receivers = content.list(lambda: (content.public(), [content.take(32), content.number()]))
    session.receivers = dict(receivers)
    # The newest comes first.
    session.newest = receivers[0][0] if receivers else None
    skipped = content.list(lambda: (content.take(32), content.take(32), content.number()))
    session.skipped = {(public, index): key for public, key, index in skipped}
    if content.version != 1:
        content.number()
    content.end()
    return session


def group_session(data):
    content = Content(data, (1,))
    found = ExpandedGroupSession(content.take(128), content.number(), *content.signing_pair())
    content.end()
    return found


def inbound_group_session(data):
    content = Content(data, (1, 2))
    first = {"ratchet": content.take(128), "index": content.number()}
    content.take(128 + 4)
    first["signing-key"] = check_ed25519(content.take(32))
    if content.version == 2:
        content.flag()
    content.end()
    return InboundGroupSession(first)


def device(data):
    """The content of a dehydrated device, which is written alike: Ed25519 seed, and account."""
    content = Content(data, (1,))
    identity, seed = content.take(32), content.take(32)
    one_time = content.list(lambda: content.take(32))
    present = content.take(1)
    if present not in (b"\0", b"\1"):
        raise Refused("format")
    fallback = [content.take(32)] if present == b"\1" else []
    content.end()
    return seed, Account(identity, one_time, fallback)
