"""Adds messages that must be refused to transcripts of version 4.
Usage: negative_version_4.py <folder>"""

import sys

import textbook
import wire
from primitives import Keys, ed25519_sign, hmac, x25519_public
from vectors import b64, read, unb64, unitem, write

COMMAND = "python3 interop/record/negative_version_4.py test-vectors"
HEAD = ("kind", "source", "expect", "command")
MAC_BYTES = (-32, -25, -24, -9, -8, -1)


def flip(data, at):
    altered = bytearray(data)
    altered[at] ^= 1
    return bytes(altered)


def write_transcript(out, file, values, steps):
    """The transcript of `file` with other steps."""
    pairs = [(key, values[key]) for key in values if key not in ("step", *HEAD)]
    pairs += [("step", " ".join(step)) for step in steps]
    source = f"derived from {file} by adding messages that must be refused"
    write(out, values["kind"], "v4-refused", source, "success", pairs, COMMAND)


def bob_of(values, body):
    """Bob's textbook session, made from the first message."""
    alice, bob = (bytes.fromhex(values[f"{who}-random"])[32:] for who in ("alice", "bob"))
    random = bytes.fromhex(values["bob-one-time-random"])
    secrets = [random[at : at + 32] for at in range(0, len(random), 32)]
    return textbook.Session.inbound(4, bob, secrets, x25519_public(alice), body)


def forgeries(session, body):
    """Layers and messages in place of `body`, on a chain that Bob knows."""
    message = wire.decode("olm-message", body)
    data = unb64(body)
    for at in MAC_BYTES:
        yield "mac", flip(data, at)
    yield "mac", flip(data, -33)
    chain, index = session.receivers[message["ratchet-key"]]
    assert index == message["index"]
    keys = Keys(hmac(chain, b"\x01"), b"OLM_KEYS")

    def own(ciphertext, version=4):
        fields = wire.olm_fields(message["ratchet-key"], index, ciphertext)
        return session.message(keys, fields, version)

    yield "version", own(keys.encrypt(b"version 3"), version=3)
    yield "padding", own(keys.encrypt_blocks(bytes(16)))
    yield "padding", own(b"")
    yield "padding", own(bytes(15))


def olm(out):
    file = "olm-transcript/vodozemac-v4-several-pre-key-messages.txt"
    values = read(f"{out}/{file}")
    session, sent, steps = None, [], []
    for step in values["step"]:
        who, action = step[:2]
        if action == "send":
            sent.append((int(step[4]), step[5]))
            if who == "bob":
                session.encrypt(unitem(step[3]), unitem(step[2]))
        elif who == "bob":
            kind, body = sent[int(step[2])]
            if session is None:
                for at in MAC_BYTES:
                    steps.append(("bob", "refuse", "mac", "0", b64(flip(unb64(body), at))))
                session = bob_of(values, body)
            elif kind == 0:
                inner = b64(wire.decode("pre-key-message", body)["inner"])
                for layer, message in forgeries(session, inner):
                    wrapped = b64(session.wrap(message))
                    steps.append(("bob", "refuse", layer, "0", wrapped))
                    steps.append(("bob", "refuse", layer, "1", b64(message)))
            session.decrypt(kind, body)
            steps += [step, ("bob", "refuse", "replay", str(kind), body)]
            continue
        steps.append(step)
    write_transcript(out, file, values, steps)


def megolm(out):
    file = "megolm-transcript/vodozemac-v4-first-messages.txt"
    values = read(f"{out}/{file}")
    sender = textbook.GroupSession(bytes.fromhex(values["group-random"]), 4)
    steps = []

    def refuse(layer, message):
        steps.append(("refuse", layer, b64(message)))

    for step in values["step"][:4]:
        if step[0] == "send":
            data = unb64(step[2])[:-64]
            for at in MAC_BYTES:
                altered = flip(data, at)
                refuse("mac", altered + ed25519_sign(sender.seed, altered))
                refuse("signature", flip(unb64(step[2]), at - 64))
            keys, index = sender.keys(), sender.index
            usual = wire.megolm_fields(index, keys.encrypt(b"version 3"))
            refuse("version", sender.message(usual, version=3))
            for ciphertext in (keys.encrypt_blocks(bytes(16)), b"", bytes(15)):
                refuse("padding", sender.message(wire.megolm_fields(index, ciphertext)))
            sender.encrypt(unitem(step[1]))
        steps.append(step)
    write_transcript(out, file, values, steps)


def main(out):
    olm(out)
    megolm(out)


if __name__ == "__main__":
    main(sys.argv[1])
