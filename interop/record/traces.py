"""Derives what both ends compute in recorded conversations, value by value. Usage: traces.py <folder>

The conversation is taken as one sequence of chains, Alice's and Bob's in turn: each follows from the one before
it and from one private key of the two. `textbook_trace.py` checks the files with two ends that know only their own
keys."""

import sys

import textbook
from primitives import Keys, hkdf, hmac, x25519, x25519_public
from vectors import Random, b64, item, read, unitem, write
from wire import decode

COMMAND = "python3 interop/record/traces.py test-vectors"
OLM = [
    "libolm-one-time-key",
    "libolm-fallback-key",
    "libolm-several-pre-key-messages",
    "libolm-first-message-lost",
    "libolm-out-of-order",
    "libolm-loss",
    "libolm-twelve-turns",
    "libolm-plaintext-lengths",
]
OLM += [
    f"vodozemac-v{version}-{name}"
    for version in (3, 4)
    for name in ("conversation", "fallback-key", "out-of-order", "several-pre-key-messages")
]
MEGOLM = ["libolm-first-messages", "libolm-across-index-256"]
MEGOLM += [f"vodozemac-v{v}-{name}" for v in (3, 4) for name in ("first-messages", "across-index-256")]
# Around the places where one, two, three or all four parts of the ratchet are made anew.
INDICES = [0, 1, 2, 0xFF, 0x100, 0x101, 0x1FF, 0x200, 0xFFFF, 0x10000, 0x10001, 0x100FF, 0x10100]
INDICES += [0x1FFFF, 0x20000, 0xFFFFFF, 0x1000000, 0x1000001, 0x100FFFF, 0x1010000, 0x1010100]
INDICES += [0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]


def handshake(identity, base, their_identity, one_time):
    """The keys of a handshake, of which the base key may be known only in public, and what follows."""
    i_a, i_b, e_b = map(x25519_public, (identity, their_identity, one_time))
    private, e_a = base
    shared = [x25519(one_time, i_a), x25519(their_identity, e_a), x25519(one_time, e_a)]
    okm = hkdf(b"".join(shared), bytes(32), b"OLM_ROOT", 64)
    pairs = [("alice-identity-private", identity.hex())]
    if private:
        pairs.append(("alice-base-private", private.hex()))
    pairs += [("bob-identity-private", their_identity.hex()), ("bob-one-time-private", one_time.hex())]
    pairs += [("alice-identity-key", b64(i_a)), ("alice-base-key", b64(e_a))]
    pairs += [("bob-identity-key", b64(i_b)), ("bob-one-time-key", b64(e_b))]
    pairs += [(f"shared-{n}", secret.hex()) for n, secret in enumerate(shared, 1)]
    pairs += [("root-key", okm[:32].hex()), ("chain-key", okm[32:].hex())]
    pairs.append(("session-id", textbook.Session(3, (i_a, e_a, e_b), b"").session_id()))
    return pairs, okm[:32], okm[32:]


class Chain:
    def __init__(self, who, public, root, key):
        self.who, self.public, self.root = who, public, root
        self.keys, self.messages = [key], []

    def send(self, plaintext, kind, body):
        """The next message key and everything made of it."""
        message_key = hmac(self.keys[-1], b"\x01")
        self.keys.append(hmac(self.keys[-1], b"\x02"))
        keys = Keys(message_key, b"OLM_KEYS")
        message = inner(kind, body)
        mac = hmac(keys.mac_key, message["authenticated"])
        assert message["ciphertext"] == keys.encrypt(plaintext)
        assert message["mac"] == mac[: len(message["mac"])]
        assert (message["ratchet-key"], message["index"]) == (self.public, len(self.messages))
        self.messages.append(message_key)
        made = [message_key, keys.aes, keys.mac_key, keys.iv, plaintext, mac, self.keys[-1]]
        return [len(self.messages) - 1, *map(item, made), kind, body]


def inner(kind, body):
    if kind == 0:
        return decode("pre-key-message", body)["decoded-inner"]
    return decode("olm-message", body)


class Conversation:
    """What was sent, and what each end knows: the number of its newest chain, and for each chain the
    next index and the message keys that it skipped."""

    def __init__(self, v):
        self.steps, self.sent, self.newest = [], [], {"alice": 0, "bob": 0}
        self.next, self.skipped = {}, {}
        first = next(step for step in v["step"] if step[1] == "send")
        keys = decode("pre-key-message", first[5])
        random = bytes.fromhex(v.get("session-random", ""))
        alice, bob = (bytes.fromhex(v[f"{who}-random"])[32:] for who in ("alice", "bob"))
        base = random[:32], keys["base-key"]
        self.pairs, root, chain = handshake(alice, base, bob, one_time_private(v))
        public = keys["decoded-inner"]["ratchet-key"]
        self.chains = [Chain("alice", public, root, chain)]
        made = item(random[32:]), b64(public), "-", root.hex(), chain.hex()
        self.step("alice", "chain", *made)

    def step(self, *items):
        self.steps.append(("step", " ".join(map(str, items))))

    def send(self, who, random, plaintext, kind, body):
        if random != "-":
            self.start(who, bytes.fromhex(random))
        number = self.newest[who]
        chain = self.chains[number]
        assert chain.who == who
        self.step(who, "send", *chain.send(unitem(plaintext), int(kind), body))
        self.sent.append((number, len(chain.messages) - 1))

    def start(self, who, private):
        before = self.chains[-1]
        assert self.newest[who] == len(self.chains) - 1 and before.who != who
        shared = x25519(private, before.public)
        okm = hkdf(shared, before.root, b"OLM_RATCHET", 64)
        self.chains.append(Chain(who, x25519_public(private), okm[:32], okm[32:]))
        self.newest[who] += 1
        made = [private.hex(), b64(self.chains[-1].public), shared.hex(), okm[:32].hex(), okm[32:].hex()]
        self.step(who, "chain", *made)

    def receive(self, who, sent):
        number, index = self.sent[int(sent)]
        chain = self.chains[number]
        at = self.next.get(number, 0)
        skipped = range(at, index)
        self.next[number] = max(at, index + 1)
        self.newest[who] = max(self.newest[who], number)
        root = self.chains[self.newest[who]].root
        self.step(who, "receive", sent, root.hex(), chain.keys[self.next[number]].hex(), self.next[number])
        for at in skipped:
            self.step(who, "keep", b64(chain.public), at, chain.messages[at].hex())


def one_time_private(v):
    kind, *number = v["uses"].split(" ")
    if kind == "fallback-key":
        return bytes.fromhex(v["bob-fallback-random"])
    at = 32 * int(number[0])
    return bytes.fromhex(v["bob-one-time-random"])[at : at + 32]


def olm(out):
    for name in OLM:
        file = f"olm-transcript/{name}.txt"
        v = read(f"{out}/{file}")
        conversation = Conversation(v)
        for who, action, *items in v["step"]:
            getattr(conversation, action)(who, *items)
        source = f"derived from {file} by a plain implementation of olm.md"
        if name.startswith("libolm"):
            source += "; libolm's pickles hold these root, chain and skipped message keys"
        pairs = [("version", v["version"]), *conversation.pairs, *conversation.steps]
        write(out, "olm-trace", name, source, "success", pairs, COMMAND)


def handshakes(out):
    """Keys as they come; a fallback key; private keys with all bits set and with none, which clamping changes."""
    for name in ("libolm-one-time-key", "libolm-fallback-key", "vodozemac-v4-conversation"):
        file = f"olm-transcript/{name}.txt"
        source = f"derived from {file} by a plain implementation of olm.md"
        pairs = Conversation(read(f"{out}/{file}")).pairs
        write(out, "olm-handshake", name, source, "success", pairs, COMMAND)
    random = Random("handshake").take(96)
    for name, base in (("textbook-all-bits", b"\xff" * 32), ("textbook-no-bits", bytes(32))):
        keys = random[:32], (base, x25519_public(base)), random[32:64], random[64:]
        pairs, _, _ = handshake(*keys)
        source = "made by a plain implementation of olm.md"
        write(out, "olm-handshake", name, source, "success", pairs, COMMAND)


def group_step(session, plaintext):
    """The next message and the values on the way to it."""
    index, ratchet, keys = session.index, session.ratchet, session.keys()
    body = session.encrypt(plaintext)
    parts = [ratchet[at : at + 32] for at in range(0, 128, 32)]
    mac = hmac(keys.mac_key, decode("megolm-message", body)["authenticated"])
    values = [*parts, keys.aes, keys.mac_key, keys.iv, plaintext, mac]
    return "step", " ".join(["send", str(index), *map(item, values), body])


def megolm(out):
    for name in MEGOLM:
        file = f"megolm-transcript/{name}.txt"
        v = read(f"{out}/{file}")
        session = textbook.GroupSession(bytes.fromhex(v["group-random"]), int(v["version"]))
        steps = []
        for action, *items in v["step"]:
            if action == "advance":
                session.advance_to(session.index + int(items[0]))
            elif action == "send":
                steps.append(group_step(session, unitem(items[0])))
                assert steps[-1][1].endswith(" " + items[1])
        pairs = group_values(bytes.fromhex(v["group-random"]), v["version"], steps)
        source = f"derived from {file} by a plain implementation of megolm.md"
        write(out, "megolm-trace", name, source, "success", pairs, COMMAND)
    random = Random("megolm-trace/4").take(160)
    source = "made by a plain implementation of megolm.md"
    pairs = group_values(random, 4, [group_step(session, text) for session, text in at_indices(random, 4)])
    write(out, "megolm-trace", "textbook-v4-reseeding", source, "success", pairs, COMMAND)


def at_indices(random, version):
    """A session at each of the indices, and what it sends."""
    session = textbook.GroupSession(random, version)
    for index in INDICES:
        session.advance_to(index)
        yield session, b"index %d" % index


def group_values(random, version, steps):
    session_id = textbook.GroupSession(random).session_id()
    return [("version", version), ("group-random", random.hex()), ("session-id", session_id), *steps]


def main(out):
    handshakes(out)
    olm(out)
    megolm(out)


if __name__ == "__main__":
    main(sys.argv[1])
