"""Writes moceril's own pickles, from the description of the format and not with its code: what must be read, and
what must be refused. Usage: native_pickles.py <folder>"""

import copy
import hashlib
import sys

import textbook_native as native
from primitives import LOW_ORDER_X25519, Refused, ed25519_public, x25519_public
from textbook import GroupSession, InboundGroupSession, Session, advance
from textbook_libolm import ExpandedGroupSession, expanded, times_base
from vectors import Random, b64, item, unb64, write

COMMAND = "python3 interop/record/native_pickles.py test-vectors"
SOURCE = "made by the textbook"


def number(value, length):
    return value.to_bytes(length, "big")


def option(value):
    return b"\0" if value is None else b"\1" + value


def listing(items):
    return number(len(items), 4) + b"".join(items)


def pair(private):
    return private + x25519_public(private)


def signing(seed):
    return b"\1" + seed + ed25519_public(seed)


def stored_key(identifier, private, published):
    return number(identifier, 8) + pair(private) + bytes([published])


def fallback_key(key, sessions, complete=True):
    return key + bytes([complete]) + listing(sessions)


def account_state(signing_key, identity, keys, fallback, previous, next_id, next_fallback, memory, generation):
    return (
        signing_key + pair(identity) + listing(keys) + option(fallback) + option(previous)
        + number(next_id, 8) + option(next_fallback) + number(memory, 4) + number(generation, 8)
    )  # fmt: skip


def receiver(key, chain, skipped, evicted_below=0):
    skipped = [number(index, 4) + number(serial, 8) + message_key for index, serial, message_key in skipped]
    return key + chain[0] + number(chain[1], 8) + listing(skipped) + number(evicted_below, 8)


def receivers(session, evicted_below):
    """The chains of the peer; keys are numbered in the order in which they were skipped."""
    serials = {place: serial for serial, place in enumerate(session.skipped)}
    for key, chain in session.receivers.items():
        skipped = [
            (index, serials[public, index], message_key)
            for (public, index), message_key in sorted(session.skipped.items(), key=lambda entry: entry[0][1])
            if public == key
        ]
        yield receiver(key, chain, skipped, evicted_below.get(key, 0))


def session_state(
    session, theirs, generation=5, evicted=(), evicted_keys=0, limits=(40, 2000, 5), evicted_below={}, **changed
):  # fmt: skip
    sender = session.sender and pair(session.sender[0]) + session.sender[1] + number(session.sender[2], 8)
    parts = {
        "keys": b"".join(session.keys),
        "theirs": option(theirs),
        "version": bytes([session.version]),
        "received": bytes([session.received]),
        "generation": number(generation, 8),
        "root": session.root,
        "root index": option(number(session.root_index, 8)),
        "sender": option(sender),
        "receivers": listing(list(receivers(session, evicted_below))),
        "evicted": listing(evicted),
        "next serial": number(len(session.skipped), 8),
        "evicted keys": number(evicted_keys, 8),
        "limits": b"".join(number(limit, 4) for limit in limits),
    }
    return b"".join({**parts, **changed}.values())


def group_session_state(session, signing_key, exhausted=False, created_at=None, version=None):
    return (
        session.ratchet + number(session.index, 4) + bytes([exhausted]) + signing_key
        + bytes([version or session.version]) + option(created_at) + number(session.index, 8)
    )  # fmt: skip


UNKNOWN, BACKUP, EXPORTED, SIGNED = range(4)


def inbound_group_session_state(session, provenance, verified, closed=False, version=None, starts=None):
    """`starts` is where each level of provenance above UNKNOWN starts: at the first index, unless they are given."""
    if starts is None:
        starts = [session.index] * provenance
    return (
        session.ratchet + number(session.index, 4) + session.signing_key
        + bytes([provenance]) + b"".join(number(start, 4) for start in starts)
        + bytes([verified, closed, version or session.version]) + number(1, 8)
    )  # fmt: skip


class Files:
    """The files of one kind. Each has a key, a context and a nonce of its own."""

    def __init__(self, out, name, about=()):
        self.out, self.name, self.kind, self.about = out, name, f"moceril-{name}-pickle", list(about)

    def sealing(self, name):
        random = Random(f"native pickle/{self.name}/{name}")
        # Also none at all.
        context = f"@alice:example.org DEVICEID {self.name}".encode() * (len(name) % 5 > 0)
        return random.take(32), context, random.take(24)

    def write(self, name, state, steps):
        key, context, nonce = self.sealing(name)
        pairs = [("pickle-key", key.hex()), ("context", context.hex()), *self.about, ("nonce", nonce.hex())]
        pairs += [("state", state.hex()), ("pickle", native.seal(self.name, state, key, context, nonce))]
        pairs += [("step", step) for step in steps]
        self.checked(name, "success", pairs)

    def checked(self, name, expect, pairs):
        v = {"kind": self.kind, "expect": expect, **dict(pairs), "step": [s.split(" ") for k, s in pairs if k == "step"]}
        try:
            native.check(v)
            found = "success"
        except Refused as refused:
            found = refused.args[0]
        assert found == expect, (self.kind, name, found)
        write(self.out, self.kind, name, SOURCE, expect, pairs, COMMAND)

    def refuse(self, layer, name, pickle, key, context):
        pairs = [("pickle-key", key.hex()), ("context", context.hex()), *self.about, ("pickle", pickle)]
        self.checked(f"{layer}-{name}", layer, pairs)

    def refuse_state(self, name, state):
        key, context, nonce = self.sealing(f"format-{name}")
        self.refuse("format", name, native.seal(self.name, state, key, context, nonce), key, context)

    def refuse_all(self, good, other, faults):
        """What has to be refused of every object; then these faults of the state."""
        key, context, nonce = self.sealing("four")
        seal = lambda version=native.VERSION: native.seal(self.name, good, key, context, nonce, version)
        pickle = seal()
        data = native.decode_base64(pickle)
        self.refuse("base64", "underscore", "_" + pickle[1:], key, context)
        self.refuse("version", "00", seal(0), key, context)
        self.refuse("version", "01", seal(1), key, context)
        self.refuse("mac", "another-key", pickle, nonce + bytes(8), context)
        self.refuse("mac", "another-context", pickle, key, context + b"x")
        self.refuse("mac", "no-context", pickle, key, b"")
        self.refuse("mac", "nonce", b64(data[:2] + bytes([data[2] ^ 1]) + data[3:]), key, context)
        self.refuse("mac", "first-byte", b64(data[:26] + bytes([data[26] ^ 1]) + data[27:]), key, context)
        self.refuse("mac", "last-byte", b64(data[:-1] + bytes([data[-1] ^ 1])), key, context)
        self.refuse("mac", "cut", b64(data[:-1]), key, context)
        self.refuse("mac", "no-tag", b64(data[:41]), key, context)
        self.refuse("mac", "no-nonce", b64(data[:25]), key, context)
        self.refuse("mac", "empty", "", key, context)
        self.refuse("format", "another-type", native.seal(other, good, key, context, nonce), key, context)
        for name, state in (("empty", b""), ("one-byte-less", good[:-1]), ("one-byte-more", good + b"\0"), *faults):
            self.refuse_state(name, state)


def bad_keys(good):
    yield "low-order", LOW_ORDER_X25519[3]
    yield "bit-255", good[:31] + bytes([good[31] | 128])


def accounts(out):
    files, random = Files(out, "account"), Random("native pickle/account")
    seed, identity, theirs = random.take(32), random.take(32), random.take(32)
    secrets = [random.take(32) for _ in range(5)]

    def begin(secret, plaintext):
        """Somebody begins a session with one of the keys: the session and the first message."""
        made = Session.outbound(3, theirs, random.take(64), x25519_public(identity), x25519_public(secret))
        return made, made.encrypt(plaintext)

    # Sessions that were made with the previous fallback key before.
    known = [begin(secrets[4], b"before") for _ in range(2)]
    tags = [native.session_tag(secrets[4], *session.keys[:2]) for session, _ in known]

    def parts(**changed):
        keys = [stored_key(3, secrets[0], True), stored_key(7, secrets[1], False), stored_key(9, secrets[2], True)]
        found = {
            "signing_key": signing(seed),
            "identity": identity,
            "keys": keys,
            "fallback": fallback_key(stored_key(10, secrets[3], False), []),
            "previous": fallback_key(stored_key(8, secrets[4], True), tags),
            "next_id": 11,
            "next_fallback": None,
            "memory": 1024,
            "generation": 12,
        }
        return {**found, **changed}

    def message(secret, plaintext):
        _, (kind, body) = begin(secret, plaintext)
        return f"receive {kind} {body} {item(plaintext)}"

    steps = [message(secret, f"to key {place}".encode()) for place, secret in enumerate(secrets)]
    steps.append(message(secrets[3], b"a fallback key is not used up"))
    replayed = [f"replayed {kind} {body}" for _, (kind, body) in known]
    good = account_state(**parts())
    files.write("one-time-and-fallback-keys", good, [*replayed, *steps])
    files.write("no-fallback-key", account_state(**parts(fallback=None, previous=None)), steps[:3])
    incomplete = fallback_key(stored_key(8, secrets[4], True), tags[1:], False)
    apart = {"signing_key": b"\2" + expanded(seed), "next_fallback": number(99, 8), "generation": 2**64 - 1}
    apart |= {"previous": incomplete, "memory": 65536}
    files.write("expanded-key-and-ids-apart", account_state(**parts(**apart)), [*replayed[1:], *steps])

    keys = parts()["keys"]
    with_tags = lambda tags, complete=True: account_state(
        **parts(previous=fallback_key(stored_key(8, secrets[4], True), tags, complete))
    )
    count = 65 + 64
    files.refuse_all(good, "session", [
        ("endless-list", good[:count] + b"\xff" * 4 + good[count + 4 :]),
        ("signing-key-form-0", account_state(**parts(signing_key=b"\0" + signing(seed)[1:]))),
        ("signing-key-small-order", account_state(**parts(signing_key=b"\1" + seed + bytes(32)))),
        ("published-2", account_state(**parts(keys=[stored_key(3, secrets[0], 2)]))),
        ("fallback-flag-2", good[: count + 4 + 3 * 73] + b"\2" + good[count + 5 + 3 * 73 :]),
        ("complete-2", with_tags(tags, 2)),
        ("session-remembered-twice", with_tags([*tags, tags[0]])),
        ("sessions-beyond-the-share", with_tags([tags[0][:2] + number(place, 4) for place in range(33)])),
        ("memory-of-1023-sessions", account_state(**parts(memory=1023))),
        ("memory-of-65537-sessions", account_state(**parts(memory=65537))),
        ("ids-not-ascending", account_state(**parts(keys=keys[::-1]))),
        ("id-twice", account_state(**parts(keys=[keys[0], keys[0]]))),
        ("id-not-given-out-yet", account_state(**parts(next_id=9))),
        *((f"identity-key-{how}", good[: 65 + 32] + bad + good[65 + 64 :]) for how, bad in bad_keys(x25519_public(identity))),
    ])  # fmt: skip


class Conversation:
    """Two textbook sessions, and what they have sent."""

    def __init__(self, label, version=3):
        self.random = Random(f"native pickle/{label}")
        alice, bob, one_time = (self.random.take(32) for _ in range(3))
        self.identities = x25519_public(alice), x25519_public(bob)
        keys = self.random.take(64), self.identities[1], x25519_public(one_time)
        self.alice = Session.outbound(version, alice, *keys)
        self.first = self.alice.encrypt(b"first")
        self.bob = Session.inbound(version, bob, [one_time], self.identities[0], self.first[1])
        self.bob.decrypt(*self.first)

    def send(self, sender, plaintext):
        """A message, as a step of its receiver."""
        kind, body = sender.encrypt(plaintext, self.random.take(32) if sender.needs_random() else None)
        return f"receive {kind} {body} {item(plaintext)}"

    def receive(self, receiver, step):
        _, kind, body, _ = step.split(" ")
        receiver.decrypt(int(kind), body)

    def turn(self, sender, receiver):
        self.receive(receiver, self.send(sender, b"turn"))


def sent(session, plaintext):
    """A step of the sender."""
    kind, body = session.encrypt(plaintext)
    return f"send {item(plaintext)} {kind} {body}"


def sessions(out):
    files = Files(out, "session")
    for version in (3, 4):
        talk = Conversation(f"outbound/{version}", version)
        state = session_state(talk.alice, talk.identities[1])
        steps = [sent(talk.alice, b"second"), talk.send(talk.bob, b"answer")]
        talk.receive(talk.alice, steps[1])
        files.write(f"outbound-version-{version}", state, steps)

    talk = Conversation("waiting")
    state = session_state(talk.bob, talk.identities[0], generation=1)
    late = [talk.send(talk.alice, f"message {place}".encode()) for place in range(1, 4)]
    files.write("waiting-for-the-rest", state, [late[2], late[0], late[1]])
    unknown = session_state(talk.bob, None, **{"root index": option(None)})
    files.write("without-identity-key", unknown, late)

    # Bob misses messages of two chains, of one for good, and has begun a chain of his own.
    talk = Conversation("both chains")
    missing = [talk.send(talk.alice, f"missing {place}".encode()) for place in range(5)]
    talk.receive(talk.bob, missing.pop())
    first = talk.bob.newest
    for _ in range(2):
        talk.turn(talk.bob, talk.alice)
        missing += [talk.send(talk.alice, f"later {place}".encode()) for place in range(2)]
        talk.receive(talk.bob, talk.send(talk.alice, b"arrives"))
    chain_begins = talk.send(talk.bob, b"a chain of Bob's")
    del talk.bob.skipped[first, 1]
    evicted = [x25519_public(talk.random.take(32)) for _ in range(2)]
    rest = {"evicted": evicted, "evicted_keys": 4, "limits": (100, 3000, 7), "evicted_below": {first: 2}}
    bob, theirs = copy.deepcopy(talk.bob), talk.identities[0]
    state = session_state(bob, theirs, generation=2**32, **rest)
    talk.receive(talk.alice, chain_begins)
    steps = [sent(talk.bob, b""), *missing[:0:-1], talk.send(talk.alice, b"a new chain of Alice's")]
    files.write("both-chains-and-skipped-keys", state, steps)

    nothing, waiting = Conversation("both chains").alice, Conversation("both chains").bob
    root_index = lambda index: {"root index": option(number(index, 8))}
    chain, key = [bytes(32), 5], x25519_public(bytes(32))
    with_chain = lambda skipped, below=0: session_state(
        bob, theirs, receivers=listing([receiver(key, chain, skipped, below)]), **{"next serial": number(9, 8)}
    )
    files.refuse_all(state, "account", [
        ("version-5", session_state(bob, theirs, version=b"\5")),
        ("received-2", session_state(bob, theirs, received=b"\2")),
        ("received-without-a-chain", session_state(nothing, theirs, received=b"\1")),
        ("no-chain-at-all", session_state(bob, theirs, sender=b"\0", receivers=bytes(4), received=b"\0")),
        ("endless-list", session_state(bob, theirs, receivers=b"\xff" * 4)),
        ("root-index-before-any-answer", session_state(nothing, theirs, **root_index(1))),
        ("root-index-unknown-before-any-answer", session_state(nothing, theirs, **{"root index": option(None)})),
        ("root-index-below-the-chains", session_state(bob, theirs, **root_index(4))),
        ("their-key-not-the-initiators", session_state(bob, bob.keys[1])),
        ("unread-but-begun-by-us", session_state(waiting, waiting.keys[1], received=b"\0", **root_index(1))),
        ("skipped-not-ascending", with_chain([(3, 1, bytes(32)), (2, 2, bytes(32))])),
        ("skipped-at-the-same-time", with_chain([(2, 1, bytes(32)), (3, 1, bytes(32))])),
        ("skipped-not-yet", with_chain([(5, 1, bytes(32))])),
        ("skipped-but-evicted", with_chain([(2, 1, bytes(32))], 3)),
        ("limit-of-39", session_state(bob, theirs, limits=(39, 2000, 5))),
        ("limit-of-65537", session_state(bob, theirs, limits=(40, 65537, 5))),
        ("limit-of-256-chains", session_state(bob, theirs, limits=(40, 2000, 256))),
        *((f"base-key-{how}", session_state(bob, theirs, keys=bob.keys[0] + bad + bob.keys[2])) for how, bad in bad_keys(bob.keys[1])),
        *((f"their-key-{how}", session_state(bob, bad)) for how, bad in bad_keys(theirs)),
    ])  # fmt: skip


def group_sessions(out):
    files, random = Files(out, "group-session"), Random("native pickle/group session")

    def send(session, *plaintexts):
        return [f"send {item(plaintext)} {session.encrypt(plaintext)}" for plaintext in plaintexts]

    session = GroupSession(random.take(160))
    key, created_at = signing(session.seed), number(1_700_000_000, 8)
    good = group_session_state(session, key, created_at=created_at)
    files.write("new-with-time", good, send(session, b"to everybody", b""))
    files.write("without-time", group_session_state(session, key), send(session, b"and again"))
    version_4 = GroupSession(random.take(160), 4, 0x01FFFF)
    state = group_session_state(version_4, signing(version_4.seed))
    files.write("version-4-before-two-reseeds", state, send(version_4, b"two", b"parts"))
    last = GroupSession(random.take(160), 3, 2**32 - 1)
    files.write("before-the-last-message", group_session_state(last, signing(last.seed)), send(last, b"last"))
    private = expanded(random.take(32))
    public = times_base(int.from_bytes(private[:32], "little"))
    moved = ExpandedGroupSession(random.take(128), 7, public, private)
    files.write("expanded-key", group_session_state(moved, b"\2" + private), send(moved, b"from libolm"))

    session = GroupSession(random.take(160))
    key = signing(session.seed)
    files.refuse_all(good, "inbound-group-session", [
        ("exhausted-early", group_session_state(session, key, exhausted=True)),
        ("exhausted-2", group_session_state(session, key, exhausted=2)),
        ("version-5", group_session_state(session, key, version=5)),
        ("signing-key-form-3", group_session_state(session, b"\3" + key[1:])),
        ("signing-key-small-order", group_session_state(session, key[:33] + bytes(32))),
    ])  # fmt: skip


def inbound_group_sessions(out):
    files, random = Files(out, "inbound-group-session"), Random("native pickle/inbound group session")

    def both(version, index, first):
        """A sender at `index`, and a receiver from `first` on."""
        sender = GroupSession(random.take(160), version, index)
        known = {"index": first, "ratchet": advance(sender.ratchet, index, first), "signing-key": sender.public()}
        return sender, InboundGroupSession(known, version)

    def receive(sender, *indices):
        for index in indices:
            at = copy.deepcopy(sender)
            at.advance_to(index)
            plaintext = f"message {index}".encode()
            yield f"receive {index} {at.encrypt(plaintext)} {item(plaintext)}"

    for name, provenance, verified, version, first, indices in (
        ("signed", SIGNED, True, 3, 0, (0, 5, 1)),
        ("exported", EXPORTED, False, 3, 250, (250, 256, 251)),
        ("exported-and-verified", EXPORTED, True, 3, 3, (4,)),
        ("backup", BACKUP, False, 3, 0xFFFF, (0x10000, 0xFFFF)),
        ("unknown", UNKNOWN, True, 3, 7, (7, 300)),
        ("version-4", SIGNED, True, 4, 1, (2, 1)),
        ("last-index", SIGNED, True, 3, 2**32 - 2, (2**32 - 1, 2**32 - 2)),
    ):
        sender, inbound = both(version, first, first)
        files.write(name, inbound_group_session_state(inbound, provenance, verified), receive(sender, *indices))

    # Merged from copies of different provenance.
    for name, verified, starts, indices in (
        ("backup-then-signed", False, [3, 256, 256], (3, 255, 256)),
        ("unknown-then-every-level", True, [256, 512, 0x10000], (3, 256, 0x10000)),
        ("unknown-then-backup", False, [2**32 - 256], (4,)),
    ):
        sender, inbound = both(3, 3, 3)
        state = inbound_group_session_state(inbound, len(starts), verified, starts=starts)
        files.write(name, state, receive(sender, *indices))

    _, inbound = both(3, 0, 0)
    of_small_order = copy.copy(inbound)
    of_small_order.signing_key = bytes(32)
    _, later = both(3, 250, 250)
    files.refuse_all(inbound_group_session_state(inbound, SIGNED, True), "group-session", [
        ("provenance-4", inbound_group_session_state(inbound, 4, True)),
        ("provenance-255", inbound_group_session_state(inbound, 255, True, starts=[0, 0, 0])),
        ("start-before-the-first-index", inbound_group_session_state(later, BACKUP, True, starts=[249])),
        ("start-within-a-block", inbound_group_session_state(later, BACKUP, True, starts=[300])),
        ("starts-not-ascending", inbound_group_session_state(later, EXPORTED, True, starts=[512, 256])),
        ("signed-but-not-verified", inbound_group_session_state(inbound, SIGNED, False)),
        ("verified-2", inbound_group_session_state(inbound, EXPORTED, 2)),
        ("closed-with-a-ratchet", inbound_group_session_state(inbound, SIGNED, True, closed=True)),
        ("version-5", inbound_group_session_state(inbound, SIGNED, True, version=5)),
        ("signing-key-small-order", inbound_group_session_state(of_small_order, SIGNED, True)),
    ])  # fmt: skip


def replay_guards(out):
    random = Random("native pickle/replay guard")
    sender = GroupSession(random.take(160))
    session = InboundGroupSession({"index": 0, "ratchet": sender.ratchet, "signing-key": sender.public()})
    files = Files(out, "replay-guard", [("session", session.export(0))])
    messages = [sender.encrypt(f"message {index}".encode()) for index in range(12)]

    def state(capacity, forgotten, seen, generation=7, signing_key=sender.public()):
        """`seen` has indices and event ids, or tags instead of them."""
        tag = lambda message, event: hashlib.sha256(hashlib.sha256(unb64(message)[-64:]).digest() + event).digest()
        tags = [(index, event if len(event) == 32 else tag(messages[index], event)) for index, event in seen]
        return (
            signing_key + number(capacity, 4) + number(forgotten[0], 4) + number(forgotten[1], 4)
            + listing([number(index, 4) + tag for index, tag in tags]) + number(generation, 8)
        )  # fmt: skip

    def steps(*checks):
        return [f"check {messages[index]} {item(event)} {verdict}" for index, event, verdict in checks]

    files.write("new", state(4096, (0, 0), [], 0), steps(
        (0, b"$0", "first"), (2, b"$2", "first"), (0, b"$0", "again"), (2, b"$0", "replayed"), (1, b"", "first"),
    ))  # fmt: skip
    good = state(3, (2, 5), [(5, b"$5"), (7, b"$7"), (9, b"$9")])
    files.write("full", good, steps(
        (5, b"$5", "again"), (7, b"$other", "replayed"), (4, b"$4", "unknown"), (2, b"$2", "unknown"),
        (8, b"$8", "first"), (5, b"$5", "unknown"), (6, b"$6", "first-not-remembered"), (6, b"$6", "unknown"),
        (1, b"$1", "first-not-remembered"), (0, b"$0", "first-not-remembered"), (1, b"$1", "unknown"),
        (11, b"$11", "first"), (9, b"$9", "again"), (7, b"$7", "unknown"), (10, b"$10", "first"),
    ))  # fmt: skip
    raised = state(4, (1, 8), [(3, b"$3"), (10, b"$10")], 2**64 - 1)
    files.write("raised-with-a-gap", raised, steps(
        (3, b"$3", "again"), (3, b"$30", "replayed"), (2, b"$2", "unknown"), (0, b"$0", "first"), (8, b"$8", "first"),
        (9, b"$9", "first"), (0, b"$0", "unknown"), (3, b"$3", "again"),
    ))  # fmt: skip
    last = state(1, (0, 0), [(2**32 - 1, bytes(32))])
    not_remembered = [(index, b"$", "first-not-remembered") for index in (1, 0, 2)]
    files.write("last-index", last, steps(*not_remembered, (1, b"$", "unknown")))

    other = GroupSession(random.take(160)).public()
    entry = lambda index: (index, bytes([index]) * 32)
    count = 32 + 12
    files.refuse_all(good, "account", [
        ("another-session", state(3, (0, 0), [entry(1)], signing_key=other)),
        ("signing-key-small-order", state(3, (0, 0), [entry(1)], signing_key=bytes(32))),
        ("capacity-0", state(0, (0, 0), [])),
        ("more-than-the-capacity", state(1, (0, 0), [entry(1), entry(2)])),
        ("not-ascending", state(3, (0, 0), [entry(2), entry(1)])),
        ("index-twice", state(3, (0, 0), [entry(2), entry(2)])),
        ("empty-range", state(3, (4, 4), [entry(5)])),
        ("range-backwards", state(3, (4, 2), [entry(5)])),
        ("range-from-a-remembered-index", state(3, (4, 6), [entry(4)])),
        ("range-to-a-remembered-index", state(3, (2, 5), [entry(4)])),
        ("endless-list", good[:count] + b"\xff" * 4 + good[count + 4 :]),
    ])  # fmt: skip


def main(out):
    accounts(out)
    sessions(out)
    group_sessions(out)
    inbound_group_sessions(out)
    replay_guards(out)


if __name__ == "__main__":
    main(sys.argv[1])
