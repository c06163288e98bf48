"""Olm and Megolm, written plainly from their specifications: olm.md and megolm.md.

The recorders check every step against it and forge messages with it."""

import hashlib

from primitives import (
    Keys,
    Refused,
    check_x25519,
    ed25519_public,
    ed25519_sign,
    ed25519_verify,
    hkdf,
    hmac,
    x25519,
    x25519_public,
)
from vectors import b64
from wire import MAC_LENGTH, decode, megolm_fields, olm_fields, pre_key_fields

MAX_GAP = 2000


class Session:
    """One end of an Olm session."""

    def __init__(self, version, public_keys, root, chain=None):
        self.version, self.keys = version, public_keys
        self.root, self.chain = root, chain
        self.sender = None
        self.receivers = {}
        self.skipped = {}
        self.newest = None
        self.received = False
        self.root_index = 0

    @staticmethod
    def split(okm):
        return okm[:32], okm[32:]

    @classmethod
    def handshake(cls, secret):
        """Root key and chain key of the three shared secrets."""
        return cls.split(hkdf(secret, b"", b"OLM_ROOT", 64))

    @classmethod
    def outbound(cls, version, identity, random, their_identity, their_one_time):
        base, ratchet = random[:32], random[32:]
        keys = (x25519_public(identity), x25519_public(base), their_one_time)
        secret = (
            x25519(identity, their_one_time)
            + x25519(base, their_identity)
            + x25519(base, their_one_time)
        )
        session = cls(version, keys, *cls.handshake(secret))
        session.sender = [ratchet, session.chain, 0]
        return session

    @classmethod
    def inbound(cls, version, identity, one_time_secrets, their_identity, body):
        message = decode("pre-key-message", body)
        keys = (message["identity-key"], message["base-key"], message["one-time-key"])
        if message["decoded-inner"]["version"] != version:
            raise Refused("version")
        if keys[0] != their_identity:
            raise Refused("keys-mismatch")
        one_time = {x25519_public(secret): secret for secret in one_time_secrets}.get(keys[2])
        if one_time is None:
            raise Refused("unknown-key")
        secret = x25519(one_time, keys[0]) + x25519(identity, keys[1]) + x25519(one_time, keys[1])
        session = cls(version, keys, *cls.handshake(secret))
        session.newest = message["decoded-inner"]["ratchet-key"]
        session.receivers[session.newest] = [session.chain, 0]
        return session

    def session_id(self):
        return b64(hashlib.sha256(b"".join(self.keys)).digest())

    def needs_random(self):
        return self.sender is None

    def start_chain(self, random):
        okm = hkdf(x25519(random, self.newest), self.root, b"OLM_RATCHET", 64)
        self.root, chain = self.split(okm)
        self.root_index += 1
        self.sender = [random, chain, 0]

    def message(self, keys, fields, version=None):
        """A normal message of these fields, authenticated with `keys`."""
        version = version or self.version
        data = bytes([version]) + b"".join(fields)
        return data + keys.mac(data, MAC_LENGTH[version])

    def wrap(self, message):
        identity, base, one_time = self.keys
        return b"\x03" + b"".join(pre_key_fields(one_time, base, identity, message))

    def next_keys(self):
        """Message keys, public ratchet key and index of the next message to send."""
        secret, chain, index = self.sender
        return Keys(hmac(chain, b"\x01"), b"OLM_KEYS"), x25519_public(secret), index

    def encrypt(self, plaintext, random=None):
        if self.sender is None:
            self.start_chain(random)
        keys, public, index = self.next_keys()
        message = self.message(keys, olm_fields(public, index, keys.encrypt(plaintext)))
        self.sender[1:] = [hmac(self.sender[1], b"\x02"), index + 1]
        if self.received:
            return 1, b64(message)
        return 0, b64(self.wrap(message))

    def decrypt(self, kind, body):
        if kind == 0:
            outer = decode("pre-key-message", body)
            message = outer["decoded-inner"]
        else:
            message = decode("olm-message", body)
        if message["version"] != self.version:
            raise Refused("version")
        if kind == 0 and self.keys != (
            outer["identity-key"],
            outer["base-key"],
            outer["one-time-key"],
        ):
            raise Refused("keys-mismatch")
        public, index = message["ratchet-key"], message["index"]
        if public in self.receivers:
            chain, at = self.receivers[public]
        elif self.sender is None:
            raise Refused("mac")
        else:
            okm = hkdf(x25519(self.sender[0], public), self.root, b"OLM_RATCHET", 64)
            (root, chain), at = self.split(okm), 0
        skipped = {}
        if index < at:
            if (public, index) not in self.skipped:
                raise Refused("replay")
            key = self.skipped[public, index]
        elif index - at > MAX_GAP:
            raise Refused("index")
        else:
            while at < index:
                skipped[public, at] = hmac(chain, b"\x01")
                chain, at = hmac(chain, b"\x02"), at + 1
            key = hmac(chain, b"\x01")
        keys = Keys(key, b"OLM_KEYS")
        if keys.mac(message["authenticated"], len(message["mac"])) != message["mac"]:
            raise Refused("mac")
        plaintext = keys.decrypt(message["ciphertext"])
        self.received = True
        if (public, index) in self.skipped:
            del self.skipped[public, index]
            return plaintext
        self.skipped.update(skipped)
        if public not in self.receivers:
            self.root, self.sender, self.newest = root, None, check_x25519(public)
            self.root_index += 1
        self.receivers[public] = [hmac(chain, b"\x02"), at + 1]
        return plaintext


class Account:
    """What receives: private keys, of the fallback keys the current one first."""

    def __init__(self, identity, one_time, fallback):
        self.identity, self.one_time, self.fallback = identity, one_time, fallback

    def decrypt(self, kind, body):
        """Makes a session of the pre-key message, for this message only."""
        assert kind == 0
        theirs = decode("pre-key-message", body)["identity-key"]
        keys = self.one_time + self.fallback
        return Session.inbound(3, self.identity, keys, theirs, body).decrypt(kind, body)


def advance(ratchet, start, target):
    """The Megolm ratchet from index `start` to `target`, modulo 2^32."""
    parts = [ratchet[at : at + 32] for at in range(0, 128, 32)]
    end = start + (target - start) % 2**32
    for j, shift in enumerate((24, 16, 8, 0)):
        steps = (end >> shift) - (start >> shift)
        if steps:
            for _ in range(steps - 1):
                parts[j] = hmac(parts[j], bytes([j]))
            parts[j:] = [hmac(parts[j], bytes([k])) for k in range(j, 4)]
            start = end >> shift << shift
    return b"".join(parts)


class GroupSession:
    """The sending end of a Megolm session."""

    def __init__(self, random, version=3, index=0):
        self.ratchet, self.seed = random[:128], random[128:]
        self.version, self.index = version, index

    def public(self):
        return ed25519_public(self.seed)

    def sign(self, data):
        return data + ed25519_sign(self.seed, data)

    def session_id(self):
        return b64(self.public())

    def session_key(self):
        index = self.index.to_bytes(4, "big")
        return b64(self.sign(bytes([2]) + index + self.ratchet + self.public()))

    def keys(self):
        return Keys(self.ratchet, b"MEGOLM_KEYS")

    def message(self, fields, version=None, flip_mac=False):
        """A message of these fields, authenticated at the current index and signed."""
        version = version or self.version
        data = bytes([version]) + b"".join(fields)
        mac = bytearray(self.keys().mac(data, MAC_LENGTH[version]))
        mac[0] ^= flip_mac
        return self.sign(data + mac)

    def encrypt(self, plaintext):
        message = self.message(megolm_fields(self.index, self.keys().encrypt(plaintext)))
        self.advance_to(self.index + 1)
        return b64(message)

    def advance_to(self, index):
        self.ratchet = advance(self.ratchet, self.index, index)
        self.index = index % 2**32


class InboundGroupSession:
    def __init__(self, decoded, version=3):
        self.index, self.ratchet = decoded["index"], decoded["ratchet"]
        self.signing_key, self.version = decoded["signing-key"], version

    def export(self, index):
        if index < self.index:
            raise Refused("index")
        ratchet = advance(self.ratchet, self.index, index)
        return b64(bytes([1]) + index.to_bytes(4, "big") + ratchet + self.signing_key)

    def decrypt(self, body):
        message = decode("megolm-message", body)
        if message["version"] != self.version:
            raise Refused("version")
        ed25519_verify(self.signing_key, message["signed"], message["signature"])
        if message["index"] < self.index:
            raise Refused("index")
        keys = Keys(advance(self.ratchet, self.index, message["index"]), b"MEGOLM_KEYS")
        if keys.mac(message["authenticated"], len(message["mac"])) != message["mac"]:
            raise Refused("mac")
        return keys.decrypt(message["ciphertext"]), message["index"]
