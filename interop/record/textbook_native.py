"""moceril's own pickles: XChaCha20-Poly1305 over a state in binary. What is read becomes a textbook object."""

import hashlib
import struct
from collections import Counter

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from primitives import Refused, check_ed25519, check_x25519, decode_base64, hkdf, hmac, x25519_public
from textbook import Account, GroupSession, InboundGroupSession, Session
from textbook_libolm import ExpandedGroupSession, times_base
from textbook_pickle import play
from vectors import b64, unitem
from wire import decode

VERSION = 2
TYPES = {"account": 1, "session": 2, "group-session": 3, "inbound-group-session": 4, "replay-guard": 5}
QUARTERS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
# Skipped keys, gap, chains: the least and the most.
LIMITS = ((40, 2**16), (2000, 2**16), (5, 255))
# Sessions that a fallback key remembers: the least and the most, and how many of one sender.
MEMORY = (1024, 2**16)
SHARE = 32


def hchacha20(key, nonce):
    """The key that XChaCha20 uses for the last eight bytes of its nonce."""
    words = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    for at in range(20):
        for a, b, c, d in DIAGONALS if at % 2 else QUARTERS:
            for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                words[x] = (words[x] + words[y]) % 2**32
                mixed = words[z] ^ words[x]
                words[z] = (mixed << turn | mixed >> 32 - turn) % 2**32
    return struct.pack("<8I", *words[:4], *words[12:])


def cipher(key, nonce):
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])), bytes(4) + nonce[16:]


def seal(name, state, key, context, nonce, version=VERSION):
    aead, short = cipher(key, nonce)
    head = bytes([version, TYPES[name]])
    return b64(head + nonce + aead.encrypt(short, state, head + context))


def open_pickle(name, pickle, key, context):
    """The nonce and the state."""
    data = decode_base64(pickle)
    if len(data) < 2:
        raise Refused("mac")
    if data[0] != VERSION:
        raise Refused("version")
    if data[1] != TYPES[name]:
        raise Refused("format")
    nonce = data[2:26]
    try:
        aead, short = cipher(key, nonce.ljust(24, b"\0"))
        return nonce, aead.decrypt(short, data[26:], data[:2] + context)
    except (InvalidTag, ValueError):
        raise Refused("mac") from None


def right(condition):
    if not condition:
        raise Refused("format")


class State:
    """The bytes of a state, from front to back."""

    def __init__(self, data):
        self.data = data

    def take(self, length):
        right(length <= len(self.data))
        taken, self.data = self.data[:length], self.data[length:]
        return taken

    def number(self, length):
        return int.from_bytes(self.take(length), "big")

    def choice(self, *choices):
        found = self.number(1)
        right(found in choices)
        return found

    def flag(self):
        return self.choice(0, 1) == 1

    def option(self, value):
        return value() if self.flag() else None

    def list(self, item):
        return [item() for _ in range(self.number(4))]

    def key(self, check):
        try:
            return check(self.take(32))
        except Refused:
            raise Refused("format") from None

    def public(self):
        return self.key(check_x25519)

    def pair(self):
        """The private half of an X25519 pair."""
        private = self.take(32)
        self.public()
        return private

    def signing_key(self):
        """The seed, and the 64 bytes that libolm keeps instead of it."""
        if self.choice(1, 2) == 2:
            return None, self.take(64)
        seed = self.take(32)
        self.key(check_ed25519)
        return seed, None

    def chain_key(self):
        return [self.take(32), self.number(8)]


def ascending(numbers):
    return all(a < b for a, b in zip(numbers, numbers[1:]))


def session_tag(private, sender, base):
    """What a fallback key remembers of a session."""
    key = hkdf(private, b"", b"MOCERIL_FALLBACK_MEMORY", 32)
    return hmac(key, sender)[:2] + hmac(key, sender + base)[:4]


class RememberingAccount(Account):
    """An account whose fallback keys remember sessions: the tags of each, in the order of the keys."""

    def __init__(self, identity, one_time, fallback, memory):
        super().__init__(identity, one_time, fallback)
        self.memory = memory

    def remembers(self, kind, body):
        assert kind == 0
        message = decode("pre-key-message", body)
        for private, tags in zip(self.fallback, self.memory):
            if x25519_public(private) == message["one-time-key"]:
                return session_tag(private, message["identity-key"], message["base-key"]) in tags
        return False


def account(state):
    def stored_key():
        number, private = state.number(8), state.pair()
        state.flag()
        return number, private

    def fallback_key():
        key = stored_key()
        state.flag()
        tags = state.list(lambda: state.take(6))
        senders = Counter(tag[:2] for tag in tags)
        right(len(tags) <= MEMORY[1] and len(set(tags)) == len(tags))
        right(all(count <= SHARE for count in senders.values()))
        return *key, tags

    state.signing_key()
    identity, one_time = state.pair(), state.list(stored_key)
    fallback = [key for key in (state.option(fallback_key), state.option(fallback_key)) if key]
    next_id = state.number(8)
    next_fallback = state.option(lambda: state.number(8)) or next_id
    right(MEMORY[0] <= state.number(4) <= MEMORY[1])
    state.number(8)
    ids = [number for number, _ in one_time]
    right(ascending(ids) and all(number < next_id for number in ids))
    right(all(number < next_fallback for number, _, _ in fallback))
    one_time = [private for _, private in one_time]
    return RememberingAccount(identity, one_time, [key[1] for key in fallback], [key[2] for key in fallback])


def session(state):
    keys = tuple(state.public() for _ in range(3))
    theirs = state.option(state.public)
    found = Session(state.choice(3, 4), keys, None)
    found.received = state.flag()
    state.number(8)
    found.root = state.take(32)
    root_index = state.option(lambda: state.number(8))
    sender = state.option(lambda: [state.pair(), state.chain_key()])
    found.sender = sender and [sender[0], *sender[1]]

    def receiver():
        key, chain = state.public(), state.chain_key()
        skipped = state.list(lambda: (state.number(4), state.number(8), state.take(32)))
        evicted_below = state.number(8)
        right(ascending([index for index, _, _ in skipped]) and ascending([serial for _, serial, _ in skipped]))
        right(all(evicted_below <= index < chain[1] for index, _, _ in skipped))
        # The newest comes last.
        found.newest, found.receivers[key] = key, chain
        found.skipped.update({(key, index): message_key for index, _, message_key in skipped})

    state.list(receiver)
    state.list(state.public)
    state.number(8)
    state.number(8)
    for least, most in LIMITS:
        right(least <= state.number(4) <= most)
    right(found.receivers or (found.sender and not found.received))
    if not found.receivers:
        right(root_index == 0)
    elif root_index is not None:
        # The peer's chains have every second number, and ours came after its newest.
        newest = root_index - bool(found.sender)
        right(newest >= 2 * (len(found.receivers) - 1))
        unread = not found.received and len(found.receivers) == 1
        right(not (unread and newest % 2))
        right(newest % 2 or theirs in (None, keys[0]))
    return found


def group_session(state):
    ratchet, index = state.take(128), state.number(4)
    exhausted = state.flag()
    seed, expanded = state.signing_key()
    version = state.choice(3, 4)
    state.option(lambda: state.number(8))
    state.number(8)
    right(not exhausted or index == 2**32 - 1)
    if seed:
        return GroupSession(ratchet + seed, version, index)
    public = times_base(int.from_bytes(expanded[:32], "little"))
    return ExpandedGroupSession(ratchet, index, public, expanded)


def inbound_group_session(state):
    ratchet, index, signing_key = state.take(128), state.number(4), state.key(check_ed25519)
    starts = [state.number(4) for _ in range(state.choice(0, 1, 2, 3))]
    verified, closed = state.flag(), state.flag()
    version = state.choice(3, 4)
    state.number(8)
    right(sorted(starts) == starts and all(start == index or (start > index and start % 256 == 0) for start in starts))
    signed = starts[2:] == [index]
    right((not signed or verified) and (not closed or ratchet == bytes(128)))
    return InboundGroupSession({"index": index, "ratchet": ratchet, "signing-key": signing_key}, version)


class ReplayGuard:
    """Which event had which message index. `forgotten` is the range of the indices that may have been forgotten."""

    def __init__(self, signing_key, capacity, forgotten, seen):
        self.signing_key, self.capacity, self.forgotten, self.seen = signing_key, capacity, forgotten, seen

    def check(self, index, message, event_id):
        tag = hashlib.sha256(hashlib.sha256(message[-64:]).digest() + event_id).digest()
        if index in self.seen:
            return "again" if self.seen[index] == tag else "replayed"
        if self.forgotten[0] <= index < self.forgotten[1]:
            return "unknown"
        self.seen[index] = tag
        if len(self.seen) <= self.capacity:
            return "first"
        lowest = min(self.seen)
        del self.seen[lowest]
        start, end = self.forgotten if self.forgotten != (0, 0) else (lowest, 0)
        self.forgotten = min(start, lowest), max(end, lowest + 1)
        return "first-not-remembered" if lowest == index else "first"


def replay_guard(state):
    signing_key, capacity = state.key(check_ed25519), state.number(4)
    forgotten = state.number(4), state.number(4)
    seen = state.list(lambda: (state.number(4), state.take(32)))
    state.number(8)
    indices = [index for index, _ in seen]
    right(0 < capacity and len(seen) <= capacity and ascending(indices))
    if forgotten != (0, 0):
        right(forgotten[0] < forgotten[1] and forgotten[0] not in indices and forgotten[1] - 1 not in indices)
    return ReplayGuard(signing_key, capacity, forgotten, dict(seen))


def play_guard(guard, session, steps):
    """Every step of a guard of this session, in order."""
    decoded = decode("exported-session-key", session)
    session = InboundGroupSession(decoded)
    right(session.signing_key == guard.signing_key)
    for name, message, event_id, verdict in steps:
        assert name == "check"
        _, index = session.decrypt(message)
        assert guard.check(index, decode_base64(message), unitem(event_id)) == verdict


READ = {
    "moceril-account-pickle": account,
    "moceril-session-pickle": session,
    "moceril-group-session-pickle": group_session,
    "moceril-inbound-group-session-pickle": inbound_group_session,
    "moceril-replay-guard-pickle": replay_guard,
}


def name_of(kind):
    return kind.removeprefix("moceril-").removesuffix("-pickle")


def check(v):
    key, context = bytes.fromhex(v["pickle-key"]), bytes.fromhex(v["context"])
    nonce, data = open_pickle(name_of(v["kind"]), v["pickle"], key, context)
    state = State(data)
    found = READ[v["kind"]](state)
    right(not state.data)
    if v["expect"] == "success":
        assert (nonce.hex(), data.hex()) == (v["nonce"], v["state"])
    if "session" in v:
        play_guard(found, v["session"], v["step"])
    else:
        play(found, v["step"])
