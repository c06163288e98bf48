"""Holds traces to their page: each line follows from those before it, and the ends, who know only their own
keys, have these values."""

import textbook
from primitives import hkdf, hmac, x25519, x25519_public
from vectors import unb64, unitem
from wire import decode

NAMES = ("identity", "base", "one-time")


def check_handshake(v):
    """Root key and chain key, by both ends."""
    private = {key[:-8]: bytes.fromhex(v[key]) for key in v if key.endswith("-private")}
    public = {key[:-4]: unb64(v[key]) for key in v if key.startswith(("alice", "bob")) and key.endswith("-key")}
    assert len(private) >= 3 and len(public) == 4
    for name, secret in private.items():
        assert x25519_public(secret) == public[name], name
    i_a, e_a, i_b, e_b = "alice-identity", "alice-base", "bob-identity", "bob-one-time"
    shared = [bytes.fromhex(v[f"shared-{n}"]) for n in (1, 2, 3)]
    # olm.md: ECDH(I_A, E_B) || ECDH(E_A, I_B) || ECDH(E_A, E_B)
    for pair, secret in zip(((i_a, e_b), (e_a, i_b), (e_a, e_b)), shared):
        for ours, theirs in (pair, pair[::-1]):
            assert ours not in private or x25519(private[ours], public[theirs]) == secret, pair
    root, chain = textbook.Session.handshake(b"".join(shared))
    assert (root.hex(), chain.hex()) == (v["root-key"], v["chain-key"])
    session = textbook.Session(3, (public[i_a], public[e_a], public[e_b]), root)
    assert session.session_id() == v["session-id"]
    return private, public, root, chain


class Trace:
    def __init__(self, v):
        self.version = int(v["version"])
        self.private, self.public, root, chain = check_handshake(v)
        self.sessions, self.sent, self.kept = {}, [], []
        # By ratchet key: root key, chain keys, message keys. By end: newest ratchet key, next
        # index.
        self.roots, self.chains, self.messages = {}, {}, {}
        self.newest, self.next = {}, {}
        self.order, self.first = [], (root, chain)

    def chain(self, who, private, public, shared, *keys):
        private, public, shared, root, chain = map(unitem_or_key, (private, public, shared, *keys))
        assert not private or x25519_public(private) == public
        if not self.order:
            assert who == "alice" and not shared and (root, chain) == self.first
            self.open(private)
        else:
            before = self.order[-1]
            assert self.newest[who] == before and x25519(private, before) == shared
            assert hkdf(shared, self.roots[before], b"OLM_RATCHET", 64) == root + chain
            if who in self.sessions:
                self.sessions[who].start_chain(private)
        self.order.append(public)
        self.roots[public], self.chains[public], self.messages[public] = root, [chain], []
        self.newest[who] = public
        if who in self.sessions:
            assert self.sessions[who].root == root
            assert self.sessions[who].sender == [private, chain, 0]

    def open(self, ratchet):
        """Alice's end, when she tells all her keys."""
        if ratchet and "alice-base" in self.private:
            random = self.private["alice-base"] + ratchet
            theirs = self.public["bob-identity"], self.public["bob-one-time"]
            identity = self.private["alice-identity"]
            self.sessions["alice"] = textbook.Session.outbound(self.version, identity, random, *theirs)

    def send(self, who, index, *items):
        message_key, aes, mac_key, iv, plaintext, mac, chain = map(unitem, items[:7])
        kind, body = int(items[7]), items[8]
        public = self.newest[who]
        key = self.chains[public][-1]
        assert int(index) == len(self.messages[public])
        assert (hmac(key, b"\x01"), hmac(key, b"\x02")) == (message_key, chain)
        assert hkdf(message_key, b"", b"OLM_KEYS", 80) == aes + mac_key + iv
        message = inner(kind, body)
        assert hmac(mac_key, message["authenticated"]) == mac
        assert mac.startswith(message["mac"])
        assert (message["ratchet-key"], message["index"]) == (public, int(index))
        keys = textbook.Keys(message_key, b"OLM_KEYS")
        assert keys.decrypt(message["ciphertext"]) == plaintext
        self.chains[public].append(chain)
        self.messages[public].append(message_key)
        self.sent.append((public, int(index), plaintext, kind, body))
        if who in self.sessions:
            assert self.sessions[who].encrypt(plaintext) == (kind, body)

    def receive(self, who, number, root, chain, after):
        public, index, plaintext, kind, body = self.sent[int(number)]
        at = self.next.get((who, public), 0)
        self.next[who, public] = max(at, index + 1)
        known = (public, self.newest.get(who, public))
        self.newest[who] = max(known, key=self.order.index)
        root, chain, after = bytes.fromhex(root), bytes.fromhex(chain), int(after)
        assert root == self.roots[self.newest[who]]
        assert (after, chain) == (self.next[who, public], self.chains[public][after])
        self.kept = [(who, public, n) for n in range(at, index)]
        if who == "bob" and who not in self.sessions:
            keys = self.private["bob-identity"], [self.private["bob-one-time"]]
            theirs = self.public["alice-identity"]
            self.sessions[who] = textbook.Session.inbound(self.version, *keys, theirs, body)
        if who in self.sessions:
            session = self.sessions[who]
            assert session.decrypt(kind, body) == plaintext
            assert session.root == root and session.receivers[public] == [chain, after]
            assert all((public, n) in session.skipped for _, _, n in self.kept)

    def keep(self, who, public, index, key):
        public, index, key = unb64(public), int(index), bytes.fromhex(key)
        assert self.kept.pop(0) == (who, public, index)
        assert self.messages[public][index] == key
        assert who not in self.sessions or self.sessions[who].skipped[public, index] == key


def unitem_or_key(text):
    """A public key is in base64, and shorter than anything in hex."""
    return unb64(text) if len(text) == 43 else unitem(text)


def inner(kind, body):
    if kind == 0:
        return decode("pre-key-message", body)["decoded-inner"]
    return decode("olm-message", body)


def check_olm(v):
    trace = Trace(v)
    for who, action, *items in v["step"]:
        assert action in ("chain", "send", "receive", "keep")
        assert action == "keep" or not trace.kept, "a key is kept and not named"
        getattr(trace, action)(who, *items)
    assert not trace.kept
    assert trace.sessions


def check_megolm(v):
    session = textbook.GroupSession(bytes.fromhex(v["group-random"]), int(v["version"]))
    assert session.session_id() == v["session-id"]
    for action, index, *items in v["step"]:
        *values, plaintext, mac = map(unitem, items[:-1])
        assert action == "send"
        session.advance_to(int(index))
        assert b"".join(values[:4]) == session.ratchet
        assert b"".join(values[4:]) == hkdf(session.ratchet, b"", b"MEGOLM_KEYS", 80)
        assert [len(value) for value in values] == [32] * 6 + [16]
        message = decode("megolm-message", items[-1])
        assert hmac(values[5], message["authenticated"]) == mac
        assert session.encrypt(plaintext) == items[-1]
