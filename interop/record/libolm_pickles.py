"""Pickles of accounts and Megolm sessions, every version that libolm reads, and what must be refused of all objects.

libolm writes the newest version only. The others are its own content in the older layout, and libolm reads each
of them back and does what the file says before it is written."""

import olm_ctypes as olm
import textbook
import textbook_libolm
from libolm_transcript import SOURCE, Transcript
from primitives import LOW_ORDER_X25519, Refused, x25519_public
from textbook_pickle import READ_LIBOLM, open_pickle, play, seal_pickle
from vectors import Random, b64, item, unb64, write

KEY = b"pickle key"
OLDER = SOURCE + ", then given the layout of the version by the recorder; libolm reads it"
REFUSED = SOURCE + ", then altered by the recorder"
STORED_KEY = 4 + 1 + 64
RECEIVED_KEY = 32 + 32 + 4


def version(content, number):
    return number.to_bytes(4, "big") + content[4:]


def content_of(found):
    return open_pickle(found.pickle(KEY), KEY)


def record(out, kind, name, source, content, steps, command, extra=()):
    """Writes the file of `content`, after the textbook played it."""
    pickle = seal_pickle(content, KEY)
    play(READ_LIBOLM[kind](content), [step.split(" ") for step in steps])
    pairs = [("pickle-key", KEY.hex()), ("pickle", pickle), *extra, *(("step", step) for step in steps)]
    write(out, kind, name, source, "success", pairs, command)
    return pickle


class AccountScene:
    """Bob, with four one-time keys, of which two are published, and two fallback keys."""

    def __init__(self):
        random = Random("libolm/account-pickle")
        identity = random.take(64)
        self.bob, self.random = olm.Account(identity), random
        self.one_time = [random.take(32) for _ in range(4)]
        self.fallback = [random.take(32) for _ in range(2)]
        self.bob.generate_one_time_keys(b"".join(self.one_time[:2]))
        self.bob.generate_fallback_key(self.fallback[0])
        self.bob.call("olm_account_mark_keys_as_published")
        self.bob.generate_one_time_keys(b"".join(self.one_time[2:]))
        self.bob.generate_fallback_key(self.fallback[1])
        self.identity_key = unb64(self.bob.identity_key)

    def step(self, number, private):
        """A message to one of the keys."""
        alice, plaintext = self.random.take(32), b"message to key %d" % number
        keys = self.identity_key, x25519_public(private)
        session = textbook.Session.outbound(3, alice, self.random.take(64), *keys)
        kind, body = session.encrypt(plaintext)
        return f"receive {kind} {body} {item(plaintext)}"

    def libolm_plays(self, pickle, steps):
        for step in steps:
            account = olm.Account.unpickle(KEY, pickle)
            _, kind, body, plaintext = step.split(" ")
            theirs = b64(textbook.decode("pre-key-message", body)["identity-key"])
            session = olm.Session.inbound(account, theirs, body)
            assert session.decrypt(int(kind), body).hex() == plaintext


def accounts(out, command):
    scene = AccountScene()
    content = content_of(scene.bob)
    # One count byte and two keys, then the last id.
    head, count, last = content[: -5 - 2 * STORED_KEY], content[-5 - 2 * STORED_KEY], content[-4:]
    current, previous = content[-4 - 2 * STORED_KEY : -4 - STORED_KEY], content[-4 - STORED_KEY : -4]
    assert count == 2
    published = lambda key: key[:4] + b"\x01" + key[5:]
    only_current = version(head, 3) + published(current) + bytes(STORED_KEY) + last
    layouts = {
        "v4": (SOURCE, content, [1, 0]),
        "v4-one-fallback-key": (OLDER, head + b"\x01" + current + last, [1]),
        "v4-no-fallback-key": (OLDER, head + b"\x00" + last, []),
        "v3": (OLDER, version(head, 3) + published(current) + published(previous) + last, [1, 0]),
        "v3-one-fallback-key": (OLDER, only_current, [1]),
        "v3-no-fallback-key": (OLDER, version(head, 3) + bytes(2 * STORED_KEY) + last, []),
        "v2": (OLDER, version(head, 2) + last, []),
    }
    for name, (source, layout, fallback) in layouts.items():
        privates = scene.one_time + [scene.fallback[n] for n in fallback]
        steps = [scene.step(number, private) for number, private in enumerate(privates)]
        extra = [("fallback-key", b64(x25519_public(scene.fallback[1])))] if fallback else []
        pickle = record(
            out, "libolm-account-pickle", f"libolm-{name}", source, layout, steps, command, extra
        )
        scene.libolm_plays(pickle, steps)
    return content


def group_sessions(out, command):
    """A sender before index 256, and receivers that have read a message there."""
    random = Random("libolm/group-session-pickle")
    sender = olm.OutboundGroupSession.new(random.take(160))
    for _ in range(254):
        sender.encrypt(b"")
    receiver = olm.InboundGroupSession.new(sender.session_key())
    receiver.decrypt(sender.encrypt(b"first"))
    receiver.decrypt(sender.encrypt(b"second"))
    outbound = content_of(sender)
    texts = [b"index %d" % index for index in range(256, 259)]
    sent = [(text, sender.encrypt(text)) for text in texts]
    steps = [f"send {item(text)} {message}" for text, message in sent]
    record(out, "libolm-group-session-pickle", "libolm-v1", SOURCE, outbound, steps, command)

    inbound, kind = content_of(receiver), "libolm-inbound-group-session-pickle"
    unverified = content_of(olm.InboundGroupSession.imported(receiver.export(254)))
    for name, source, content in (
        ("v2", SOURCE, inbound),
        ("v2-imported", SOURCE, unverified),
        ("v1", OLDER, version(inbound[:-1], 1)),
    ):
        steps = [f"receive {256 + n} {sent[n][1]} {item(sent[n][0])}" for n in (1, 0, 2)]
        pickle = record(out, kind, f"libolm-{name}", source, content, steps, command)
        found = olm.InboundGroupSession.unpickle(KEY, pickle)
        for n in (1, 0, 2):
            assert found.decrypt(sent[n][1]) == (sent[n][0], 256 + n)
    return outbound, inbound


def session(out, command):
    """The version that libolm wrote when it kept a log: a number more at the end."""
    t = Transcript("pickle-80000001")
    t.open()
    t.deliver("alice", b"two")
    numbers = [t.send("alice", b"late %d" % n) for n in range(3)]
    t.receive("bob", numbers[2])
    content = content_of(t.sessions["bob"])
    steps = []
    for n in (1, 0):
        kind, body, plaintext = t.sent[numbers[n]]
        steps.append(f"receive {kind} {body} {item(plaintext)}")
    longer = version(content, 0x80000001) + bytes([0, 0, 0, 7])
    kind, name = "libolm-session-pickle", "libolm-80000001"
    pickle = record(out, kind, name, OLDER, longer, steps, command)
    found = olm.Session.unpickle(KEY, pickle)
    for step in steps:
        _, kind, body, plaintext = step.split(" ")
        assert found.decrypt(int(kind), body).hex() == plaintext
    return content


def replaced(content, place, new):
    return content[:place] + new + content[place + len(new) :]


def altered_account(content):
    for name, key in bad_keys(content, 4 + 96):
        yield "key", name, replaced(content, 4 + 96, key)
    yield "format", "another-ed25519-key", replaced(content, 4, textbook_libolm.times_base(7))
    fallback = len(content) - 4 - 2 * STORED_KEY - 1
    yield "format", "three-fallback-keys", replaced(content, fallback, b"\x03")
    # The list is the last but the id, so that nothing but its length can be wrong.
    older = version(content[:fallback], 2) + content[-4:]
    yield "format", "endless-list", replaced(older, 4 + 96 + 64, b"\xff" * 4)


def altered_session(content):
    for number, name in enumerate(("identity-key", "base-key", "one-time-key")):
        for how, key in bad_keys(content, 5 + 32 * number):
            yield "key", f"{name}-{how}", replaced(content, 5 + 32 * number, key)
    senders, skipped = 5 + 4 * 32, len(content) - 4 - 2 * RECEIVED_KEY
    assert content[senders : senders + 4] == bytes(4) and content[skipped : skipped + 4] == b"\0\0\0\2"
    chain = x25519_public(bytes(32)) + bytes(32) + bytes(32 + 4)
    two = b"\0\0\0\2" + chain * 2
    yield "format", "two-sender-chains", content[:senders] + two + content[senders + 4 :]
    yield "format", "endless-list", replaced(content, skipped, b"\xff" * 4)


def altered_group_session(content):
    public = 4 + 128 + 4
    yield "format", "another-ed25519-key", replaced(content, public, textbook_libolm.times_base(7))


def altered_inbound_group_session(content):
    public = 4 + 2 * (128 + 4)
    yield "key", "small-order", replaced(content, public, bytes(32))
    yield "key", "off-the-curve", replaced(content, public, (2).to_bytes(32, "little"))


def bad_keys(content, place):
    good = content[place : place + 32]
    yield "low-order", LOW_ORDER_X25519[3]
    yield "bit-255", good[:31] + bytes([good[31] | 128])


ALTERED = {
    "libolm-account-pickle": (altered_account, (0, 1, 5)),
    "libolm-session-pickle": (altered_session, (0, 2, 0x80000002)),
    "libolm-group-session-pickle": (altered_group_session, (0, 2)),
    "libolm-inbound-group-session-pickle": (altered_inbound_group_session, (0, 3)),
}


def alterations(kind, content):
    """Layers, names and contents that each have one fault."""
    altered, unknown = ALTERED[kind]
    for number in unknown:
        yield "version", f"{number:08x}", version(content, number)
    yield "format", "empty", b""
    yield "format", "version-only", content[:4]
    yield "format", "one-byte-less", content[:-1]
    yield "format", "one-byte-more", content + b"\0"
    yield from altered(content)


def refused(out, command, kind, content):
    def write_refused(layer, name, pickle, key=KEY):
        try:
            READ_LIBOLM[kind](open_pickle(pickle, key))
        except Refused as refused:
            assert refused.args[0] == layer, name
        else:
            raise AssertionError(f"{name} is accepted")
        pairs = [("pickle-key", key.hex()), ("pickle", pickle)]
        write(out, kind, f"{layer}-{name}", REFUSED, layer, pairs, command)

    good = seal_pickle(content, KEY)
    data = unb64(good)
    flip = lambda place: b64(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    write_refused("base64", "underscore", "_" + good[1:])
    write_refused("base64", "padding-3", good + "===")
    write_refused("mac", "another-pickle-key", good, b"Pickle key")
    write_refused("mac", "no-pickle-key", good, b"")
    write_refused("mac", "first-byte", flip(0))
    write_refused("mac", "last-byte", flip(len(data) - 1))
    write_refused("mac", "cut", b64(data[16:]))
    write_refused("mac", "empty", "")
    for layer, name, altered in alterations(kind, content):
        write_refused(layer, name, seal_pickle(altered, KEY))


def everything(out, command):
    outbound, inbound = group_sessions(out, command)
    refused(out, command, "libolm-account-pickle", accounts(out, command))
    refused(out, command, "libolm-session-pickle", session(out, command))
    refused(out, command, "libolm-group-session-pickle", outbound)
    refused(out, command, "libolm-inbound-group-session-pickle", inbound)
