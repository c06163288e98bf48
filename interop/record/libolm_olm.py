"""Olm conversations in which every message is honest."""

from libolm_transcript import Transcript


def one_time_key():
    t = Transcript("one-time-key", one_time_keys=5, uses=3)
    t.open()
    t.deliver("alice", b"and again")
    return t


def fallback_key():
    t = Transcript("fallback-key", fallback=True, one_time_keys=2)
    t.open()
    return t


def fallback_only():
    t = Transcript("fallback-key-only", fallback=True, one_time_keys=0)
    t.open()
    return t


def several_pre_key_messages():
    t = Transcript("several-pre-key-messages")
    numbers = [t.send("alice", b"pre-key %d" % n) for n in range(4)]
    for number in numbers:
        t.receive("bob", number)
    t.deliver("bob", b"now we are established")
    t.deliver("alice", b"yes")
    return t


def first_message_lost():
    t = Transcript("first-message-lost")
    t.send("alice", b"lost")
    t.send("alice", b"lost too")
    t.deliver("alice", b"third")
    t.deliver("bob", b"got one")
    return t


def out_of_order():
    t = Transcript("out-of-order")
    first = [t.send("alice", b"%d" % n) for n in range(3)]
    t.receive("bob", first[2])
    t.receive("bob", first[0])
    t.deliver("bob", b"reply")
    second = [t.send("alice", b"chain two, %d" % n) for n in range(5)]
    for at in (4, 1, 3):
        t.receive("bob", second[at])
    t.deliver("bob", b"another reply")
    t.deliver("alice", b"chain three")
    t.receive("bob", first[1])
    for at in (0, 2):
        t.receive("bob", second[at])
    return t


def loss():
    t = Transcript("loss")
    t.open()
    for turn in range(4):
        for who in ("alice", "bob"):
            for number in range(turn + 1):
                t.send(who, b"lost %d" % number)
            t.deliver(who, b"arrived")
    return t


def twelve_turns():
    t = Transcript("twelve-turns")
    for turn in range(12):
        t.deliver(("alice", "bob")[turn % 2], b"turn %d" % turn)
    return t


def lengths():
    t = Transcript("plaintext-lengths")
    t.open()
    for length in (0, 1, 15, 16, 17, 31, 32, 255, 256, 1000):
        t.deliver("alice", bytes(n % 256 for n in range(length)))
    return t


def empty_pre_key():
    t = Transcript("empty-pre-key-message")
    t.deliver("alice", b"")
    t.deliver("bob", b"")
    return t


def long_chain():
    t = Transcript("chain-index-above-127")
    t.open()
    for _ in range(3):
        for _ in range(42):
            t.send("alice", b"")
        t.deliver("alice", b"still here")
    t.deliver("alice", b"index 129")
    t.deliver("bob", b"fine")
    return t


TRANSCRIPTS = [
    one_time_key,
    fallback_key,
    fallback_only,
    several_pre_key_messages,
    first_message_lost,
    out_of_order,
    loss,
    twelve_turns,
    lengths,
    empty_pre_key,
    long_chain,
]
