"""Single Olm messages and session pickles from libolm."""

import olm_ctypes as olm
import wire
from decoding import write_decoded
from libolm_olm import several_pre_key_messages
from libolm_transcript import SOURCE, Transcript
from vectors import b64, item, write


def messages(out, command):
    """What the messages of one transcript consist of."""
    for number, (kind, body, _) in enumerate(several_pre_key_messages().sent):
        if kind == 0:
            write_decoded(out, "pre-key-message", f"libolm-{number}", SOURCE, body, command)
            body = b64(wire.decode("pre-key-message", body)["inner"])
        write_decoded(out, "olm-message", f"libolm-{number}", SOURCE, body, command)


def session_pickles(out, command):
    """Pickles at four moments of a session, and the messages that they decrypt or make."""
    key = b"pickle key"

    def record(name, session, steps, source=SOURCE):
        pairs = [("pickle-key", key.hex()), ("pickle", session.pickle(key))]
        pairs += [("step", " ".join(str(part) for part in step)) for step in steps()]
        write(out, "libolm-session-pickle", f"libolm-{name}", source, "success", pairs, command)

    def receive(t, who, *numbers):
        for number in numbers:
            kind, body, plaintext = t.sent[number]
            t.receive(who, number)
            yield "receive", kind, body, item(plaintext)

    def send(t, who, plaintext):
        kind, body, _ = t.sent[t.send(who, plaintext)]
        return "send", item(plaintext), kind, body

    t = Transcript("pickle")
    record(
        "outbound",
        t.sessions["alice"],
        lambda: [send(t, "alice", b"one"), send(t, "alice", b"two")],
    )
    t.receive("bob", 0)
    t.deliver("bob", b"three")
    numbers = [t.send("bob", b"chain %d" % n) for n in range(4)]
    record(
        "before-skipping", t.sessions["alice"], lambda: receive(t, "alice", numbers[3], numbers[0])
    )
    record("skipped-keys", t.sessions["alice"], lambda: receive(t, "alice", numbers[2], numbers[1]))
    t.deliver("alice", b"a new chain")
    t.deliver("bob", b"and another")
    record(
        "both-chains", t.sessions["bob"], lambda: [send(t, "bob", b"five"), *receive(t, "bob", 1)]
    )

    unusual = unusual_messages(t)
    source = SOURCE + "; the messages are made by the recorder, and decrypted by libolm"
    record("unusual-fields", t.sessions["bob"], lambda: unusual, source)


def unusual_messages(t):
    """Messages of Alice with other fields than usual; libolm decrypts them all."""
    t.deliver("alice", b"six")
    book = t.books["alice"]
    more = [wire.integer(5, 7), wire.string(6, b"unknown"), wire.string(1000, b"")]
    arrange = [
        lambda fields: fields[::-1],
        lambda fields: fields + [more[0]],
        lambda fields: [more[1]] + fields,
        lambda fields: [fields[1], more[0], fields[2], more[2], fields[0], more[1]],
    ]
    steps = []
    for number, change in enumerate(arrange):
        plaintext = b"unusual %d" % number
        keys, public, index = book.next_keys()
        fields = wire.olm_fields(public, index, keys.encrypt(plaintext))
        steps.append(("receive", 1, b64(book.message(keys, change(fields))), item(plaintext)))
        book.encrypt(plaintext)
    session = olm.Session.unpickle(b"", t.sessions["bob"].pickle(b""))
    for _, kind, body, plaintext in steps:
        assert session.decrypt(kind, body).hex() == plaintext
    return steps
