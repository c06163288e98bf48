"""One Olm conversation between two ends in libolm, written down step by step."""

import olm_ctypes as olm
import textbook
import textbook_libolm
import wire
from primitives import Refused, x25519_public
from textbook_pickle import open_pickle
from vectors import Random, b64, item, unb64, write

SOURCE = "recorded from libolm 3.2.13"
FORGED = SOURCE + "; the refused messages are made by the recorder"


class Transcript:
    """Alice and Bob in libolm, and beside each a textbook session that has to agree."""

    def __init__(self, name, one_time_keys=1, fallback=False, uses=0):
        random = Random(f"libolm/{name}")
        self.name, self.random, self.steps, self.sent = name, random, [], []
        self.forged = False
        alice, bob = random.take(64), random.take(64)
        one_time = random.take(32 * one_time_keys)
        header = [("version", 3), ("alice-random", alice.hex()), ("bob-random", bob.hex())]
        header.append(("bob-one-time-random", one_time.hex()))
        self.secrets = [one_time[at : at + 32] for at in range(0, len(one_time), 32)]
        self.accounts = {"alice": olm.Account(alice), "bob": olm.Account(bob)}
        self.accounts["bob"].generate_one_time_keys(one_time)
        if fallback:
            self.secrets.append(random.take(32))
            self.accounts["bob"].generate_fallback_key(self.secrets[-1])
            header.append(("bob-fallback-random", self.secrets[-1].hex()))
            header.append(("uses", "fallback-key"))
            uses = -1
        else:
            header.append(("uses", f"one-time-key {uses}"))
        session_random = random.take(64)
        used = x25519_public(self.secrets[uses])
        identity = self.accounts["bob"].identity_key
        session = olm.Session.outbound(self.accounts["alice"], identity, b64(used), session_random)
        self.identities = {"alice": alice[32:], "bob": bob[32:]}
        book = textbook.Session.outbound(3, alice[32:], session_random, unb64(identity), used)
        self.sessions, self.books = {"alice": session}, {"alice": book}
        assert session.session_id() == book.session_id()
        header += [("session-random", session_random.hex()), ("session-id", book.session_id())]
        self.header = header

    def step(self, *items):
        self.steps.append(("step", " ".join(str(part) for part in items)))

    def send(self, who, plaintext):
        random = self.random.take(32) if self.books[who].needs_random() else b""
        kind, body = self.sessions[who].encrypt(plaintext, random)
        assert (kind, body) == self.books[who].encrypt(plaintext, random)
        self.compare(who)
        self.step(who, "send", item(random), item(plaintext), kind, body)
        self.sent.append((kind, body, plaintext))
        return len(self.sent) - 1

    def receive(self, who, number):
        kind, body, plaintext = self.sent[number]
        if who not in self.sessions:
            alice = self.accounts["alice"].identity_key
            self.sessions[who] = olm.Session.inbound(self.accounts[who], alice, body)
            self.books[who] = self.inbound(body)
            self.accounts[who].call("olm_remove_one_time_keys", self.sessions[who])
        assert self.sessions[who].decrypt(kind, body) == plaintext
        assert self.books[who].decrypt(kind, body) == plaintext
        self.compare(who)
        self.step(who, "receive", number)

    def compare(self, who):
        """libolm keeps the same keys. Of old chains and skipped keys it forgets the oldest."""
        found = textbook_libolm.session(open_pickle(self.sessions[who].pickle(b""), b""))
        book = self.books[who]
        assert (found.root, found.sender) == (book.root, book.sender)
        assert found.newest == book.newest
        assert len(found.receivers) == min(len(book.receivers), 5)
        assert found.receivers.items() <= book.receivers.items()
        assert len(found.skipped) == min(len(book.skipped), 40)
        assert found.skipped.items() <= book.skipped.items()

    def inbound(self, body):
        alice = unb64(self.accounts["alice"].identity_key)
        return textbook.Session.inbound(3, self.identities["bob"], self.secrets, alice, body)

    def refuse(self, who, layer, kind, body, ask_libolm=True):
        """`ask_libolm`: the message is one that libolm's interface refuses as well."""
        self.forged |= layer != "replay"
        try:
            (self.books.get(who) or self.inbound(body)).decrypt(kind, body)
        except Refused as refused:
            assert refused.args[0] == layer, (refused.args[0], layer)
        else:
            raise AssertionError(f"accepted: {body}")
        if ask_libolm and who in self.sessions:
            try:
                self.sessions[who].decrypt(kind, body)
            except olm.OlmError:
                pass
            else:
                raise AssertionError(f"libolm accepted: {body}")
        self.step(who, "refuse", layer, kind, body)

    def forge(self, who, *, blocks=None, ciphertext=None, version=3, index=None):
        """A normal message with the next message keys of `who`, which stay unused."""
        book = self.books[who]
        keys, public, at = book.next_keys()
        if blocks is not None:
            ciphertext = keys.encrypt_blocks(blocks)
        elif ciphertext is None:
            ciphertext = keys.encrypt(b"forged")
        at = at if index is None else index
        return book.message(keys, wire.olm_fields(public, at, ciphertext), version)

    def deliver(self, who, plaintext):
        self.receive({"alice": "bob", "bob": "alice"}[who], self.send(who, plaintext))

    def open(self):
        """Alice's first message and Bob's answer."""
        self.deliver("alice", b"hello")
        self.deliver("bob", b"hello yourself")

    def write(self, out, command):
        source = FORGED if self.forged else SOURCE
        pairs = self.header + self.steps
        write(out, "olm-transcript", f"libolm-{self.name}", source, "success", pairs, command)
