"""Megolm conversations, honest and not."""

import olm_ctypes as olm
import textbook
import wire
from primitives import Refused, ed25519_sign
from vectors import Random, b64, item, unb64, write

SOURCE = "recorded from libolm 3.2.13"
FORGED = SOURCE + "; the refused messages are made by the recorder"


class Transcript:
    def __init__(self, name):
        self.name, self.steps, self.sent, self.forged = name, [], [], False
        random = Random(f"libolm/megolm/{name}").take(160)
        self.sender = olm.OutboundGroupSession.new(random)
        self.book = textbook.GroupSession(random)
        key = self.sender.session_key()
        assert key == self.book.session_key()
        self.receiver = olm.InboundGroupSession.new(key)
        self.book_receiver = textbook.InboundGroupSession(wire.decode("session-key", key))
        self.header = [("version", 3), ("group-random", random.hex())]
        self.header += [("session-id", self.book.session_id()), ("session-key", key)]

    def step(self, *items):
        self.steps.append(("step", " ".join(str(part) for part in items)))

    def send(self, plaintext):
        message = self.sender.encrypt(plaintext)
        assert message == self.book.encrypt(plaintext)
        self.step("send", item(plaintext), message)
        self.sent.append((message, plaintext, self.book.index - 1))
        return len(self.sent) - 1

    def advance(self, count):
        for _ in range(count):
            self.sender.encrypt(b"")
        self.book.advance_to(self.book.index + count)
        self.step("advance", count)

    def receive(self, number):
        message, plaintext, index = self.sent[number]
        assert self.receiver.decrypt(message) == (plaintext, index)
        assert self.book_receiver.decrypt(message) == (plaintext, index)
        self.step("receive", number)

    def session_key(self):
        key = self.sender.session_key()
        assert key == self.book.session_key()
        self.step("session-key", key)

    def export(self, index):
        exported = self.receiver.export(index)
        assert exported == self.book_receiver.export(index)
        self.step("export", index, exported)

    def refuse(self, layer, message, ask_libolm=True):
        self.forged = True
        try:
            self.book_receiver.decrypt(message)
        except Refused as refused:
            assert refused.args[0] == layer, (refused.args[0], layer)
        else:
            raise AssertionError(f"accepted: {message}")
        if ask_libolm:
            try:
                self.receiver.decrypt(message)
            except olm.OlmError:
                pass
            else:
                raise AssertionError(f"libolm accepted: {message}")
        self.step("refuse", layer, message)

    def write(self, out, command):
        source = FORGED if self.forged else SOURCE
        pairs = self.header + self.steps
        write(out, "megolm-transcript", f"libolm-{self.name}", source, "success", pairs, command)


def first_messages():
    t = Transcript("first-messages")
    for n in range(3):
        t.receive(t.send(b"message %d" % n))
    t.session_key()
    t.receive(t.send(b"after sharing again"))
    return t


def lengths():
    t = Transcript("plaintext-lengths")
    for length in (0, 1, 15, 16, 17, 31, 32, 255, 256):
        t.receive(t.send(bytes(n % 256 for n in range(length))))
    return t


def exports():
    t = Transcript("exports")
    for n in range(4):
        t.receive(t.send(b"message %d" % n))
    for index in (0, 1, 3, 4, 255, 256, 65536, 2**24):
        t.export(index)
    t.receive(0)
    return t


def across_256():
    t = Transcript("across-index-256")
    t.receive(t.send(b"index 0"))
    t.advance(126)
    for n in (127, 128):
        t.receive(t.send(b"index %d" % n))
    t.advance(125)
    for n in (254, 255, 256, 257):
        t.receive(t.send(b"index %d" % n))
    t.session_key()
    t.export(256)
    return t


def any_order():
    t = Transcript("any-order")
    numbers = [t.send(b"message %d" % n) for n in range(6)]
    for at in (3, 0, 5, 4, 2, 1):
        t.receive(numbers[at])
    return t


def refused_signature():
    t = Transcript("refused-signature")
    number = t.send(b"genuine")
    message = t.sent[number][0]
    data = unb64(message)
    for at in (-1, -32, -33, -64, -65, -72, -73, 2, 5):
        altered = bytearray(data)
        altered[at] ^= 1
        t.refuse("signature", b64(altered))
    other = Random("libolm/megolm/other key").take(32)
    t.refuse("signature", b64(data[:-64] + ed25519_sign(other, data[:-64])))
    t.receive(number)
    return t


def refused_mac():
    t = Transcript("refused-mac")
    number = t.send(b"genuine")
    data = unb64(t.sent[number][0])
    for at in (-65, -72, -73, -80, 2):
        altered = bytearray(data[:-64])
        altered[at if at > 0 else at + 64] ^= 1
        t.refuse("mac", b64(bytes(altered) + ed25519_sign(t.book.seed, bytes(altered))))
    t.receive(number)
    t.receive(t.send(b"still usable"))
    return t


def refused_padding():
    t = Transcript("refused-padding")
    t.receive(t.send(b"genuine"))
    keys, index = t.book.keys(), t.book.index

    def refuse(ciphertext):
        fields = wire.megolm_fields(index, ciphertext)
        t.refuse("padding", b64(t.book.message(fields)), ask_libolm=False)

    for ending in (b"\x00", b"\x11", b"\xff", b"\x01\x02", b"\x10" * 15, b"\x03\x04\x03\x04"):
        refuse(keys.encrypt_blocks(bytes(16 - len(ending)) + ending))
    for length in (0, 1, 15, 17, 31):
        refuse(bytes(length))
    t.receive(t.send(b"still usable"))
    return t


def refused_version():
    t = Transcript("refused-version")
    t.receive(t.send(b"genuine"))
    fields = wire.megolm_fields(t.book.index, t.book.keys().encrypt(b"forged"))
    t.refuse("version", b64(t.book.message(fields, version=4)))
    t.receive(t.send(b"still usable"))
    return t


TRANSCRIPTS = [
    first_messages,
    lengths,
    exports,
    across_256,
    any_order,
    refused_signature,
    refused_mac,
    refused_padding,
    refused_version,
]
