"""Writes room keys and encrypted events as JSON. Usage: matrix_events.py <folder>

What mautrix makes of the same values is recorded; the rest is made by the textbook.
Needs `pip install mautrix[encryption]`."""

import json
import sys
from importlib.metadata import version

import mautrix.types as types

import primitives as p
import textbook
import textbook_events
import wire
from textbook_events import MEGOLM, OLM, compact
from vectors import Random, b64, unb64, write

COMMAND = "python3 interop/record/matrix_events.py test-vectors"
SOURCE = "made by the textbook that the command uses"
RECORDED = f"recorded from mautrix {version('mautrix')} on 2026-11-30, with the values of the command"
ROOM = "!room:example.org"
SHARED = "org.matrix.msc3061.shared_history"


def text(value):
    return json.dumps(value, ensure_ascii=False)


def without(value, *names):
    return {name: member for name, member in value.items() if name not in names}


def nested(levels):
    return "[" * levels + "]" * levels


class RoomKeys:
    def __init__(self, out):
        random = Random("room-key")
        self.out = out
        session = textbook.GroupSession(random.take(160))
        self.id, self.signed = session.session_id(), session.session_key()
        self.exported = textbook.InboundGroupSession(wire.decode("session-key", self.signed)).export(0)
        self.sender = b64(p.x25519_public(random.take(32)))
        self.claimed = b64(p.ed25519_public(random.take(32)))
        self.chain = [b64(p.x25519_public(random.take(32))) for _ in range(2)]
        self.room_key = {"algorithm": MEGOLM, "room_id": ROOM, "session_id": self.id, "session_key": self.signed}
        keys = {"sender_key": self.sender, "forwarding_curve25519_key_chain": []}
        claimed = {"sender_claimed_keys": {"ed25519": self.claimed}}
        self.export = {**self.room_key, "session_key": self.exported, **keys, **claimed, SHARED: True}
        self.backup = without(self.export, "room_id", "session_id")
        self.forwarded = without(self.export, "sender_claimed_keys") | {"sender_claimed_ed25519_key": self.claimed}

    def write(self, layer, name, form, json_text, source=SOURCE):
        pairs = [("form", form), ("json", json_text.encode().hex())]
        if form == "backup":
            pairs += [("room-id", ROOM), ("session-id", self.id)]
        if layer == "success":
            found = textbook_events.room_key(dict(pairs))
            written = ("written", compact(found.pop("written")))
            pairs += [pair for pair in found.items() if pair not in pairs] + [written]
        write(self.out, "room-key", name if layer == "success" else f"{layer}-{name}", source, layer, pairs, COMMAND)

    def positive(self):
        content = types.RoomKeyEventContent(
            algorithm=types.EncryptionAlgorithm.MEGOLM_V1, room_id=ROOM, session_id=self.id, session_key=self.signed
        )
        self.write("success", "mautrix-room-key", "room-key", text(content.serialize()), RECORDED)
        content = types.ForwardedRoomKeyEventContent(
            algorithm=types.EncryptionAlgorithm.MEGOLM_V1,
            room_id=ROOM,
            session_id=self.id,
            session_key=self.exported,
            sender_key=self.sender,
            signing_key=self.claimed,
            forwarding_key_chain=self.chain,
        )
        self.write("success", "mautrix-forwarded", "forwarded", text(content.serialize()), RECORDED)
        other = {"é": [None, True, {"a": "\n"}, 18446744073709551615, -1], "": {}}
        padded = {"session_key": self.exported + "=" * (-len(self.exported) % 4), "sender_key": self.sender + "="}
        optional = ("sender_claimed_keys", "forwarding_curve25519_key_chain", SHARED)
        nulls = {"sender_key": None, "forwarding_curve25519_key_chain": None}
        no_claims = {"sender_claimed_keys": None}
        for name, form, value in (
            ("backup", "backup", self.backup),
            ("backup-least", "backup", without(self.backup, *optional)),
            ("export", "export", self.export),
            ("export-least", "export", without(self.export, *optional)),
            ("export-padded", "export", self.export | padded),
            ("forwarded", "forwarded", self.forwarded | {"forwarding_curve25519_key_chain": self.chain}),
            ("other-members", "export", self.export | other),
            ("other-members-of-a-room-key", "room-key", self.room_key | other),
            ("nulls-of-a-backup", "backup", self.backup | nulls | no_claims),
            ("nulls-of-a-forwarded-key", "forwarded", self.forwarded | nulls),
            ("nulls-of-an-export", "export", self.export | nulls | no_claims),
            ("sender-key-empty", "export", self.export | {"sender_key": ""}),
            ("without-sender-key", "export", without(self.export, "sender_key")),
            ("several-claimed-keys", "export", self.export | {"sender_claimed_keys": {"ed25519": "", "é": "é"}}),
        ):
            self.write("success", f"textbook-{name}", form, text(value))
        spaces = json.dumps(self.export, indent="\t\r\n ")
        slashes = text(self.export).replace("/", "\\/")
        assert "/" in self.exported
        # The object that it is in is one level more.
        deep = text(self.export)[:-1] + f', "deep": {nested(textbook_events.MAX_DEPTH - 1)}}}'
        for name, value in (("deep", deep), ("escaped-slashes", slashes), ("white-space", f" {spaces}\n")):
            self.write("success", f"textbook-{name}", "export", value)

    def negative(self):
        export, room_key = self.export, self.room_key
        mandatory = ("algorithm", "room_id", "session_id", "session_key")
        for name in mandatory:
            self.write("format", f"without-{name.replace('_', '-')}", "export", text(without(export, name)))
        other = b64(p.ed25519_public(bytes(32)))
        low_order = unb64(self.exported)[:133] + (1).to_bytes(32, "little")
        flipped = self.signed[:-2] + ("A" if self.signed[-2] != "A" else "B") + self.signed[-1]
        key = self.exported
        for layer, name, value in (
            ("format", "algorithm-of-olm", {"algorithm": OLM}),
            ("format", "chain-is-an-object", {"forwarding_curve25519_key_chain": {}}),
            ("format", "chain-of-numbers", {"forwarding_curve25519_key_chain": [1]}),
            ("format", "claimed-key-is-a-number", {"sender_claimed_keys": {"ed25519": 1}}),
            ("format", "claimed-keys-are-a-list", {"sender_claimed_keys": []}),
            ("format", "room-id-is-null", {"room_id": None}),
            ("format", "session-id-of-another", {"session_id": other}),
            ("format", "sender-key-is-a-number", {"sender_key": 1}),
            ("format", "session-key-is-a-number", {"session_key": 1}),
            ("format", "session-key-is-null", {"session_key": None}),
            ("format", "session-key-too-short", {"session_key": key[:-4]}),
            ("format", "session-key-empty", {"session_key": ""}),
            ("format", "sender-key-too-short", {"sender_key": self.sender[:40]}),
            ("base64", "sender-key", {"sender_key": "-" + self.sender[1:]}),
            ("base64", "session-key", {"session_key": key[:-1] + "?"}),
            ("base64", "session-key-line-end", {"session_key": key + "\n"}),
            ("base64", "session-key-url-safe", {"session_key": key.replace("+", "-").replace("/", "_")}),
            ("key", "sender-key-of-low-order", {"sender_key": b64(bytes(32))}),
            ("key", "signing-key-of-low-order", {"session_key": b64(low_order)}),
            ("version", "of-a-room-key", {"session_key": b64(b"\x02" + unb64(key)[1:])}),
        ):
            self.write(layer, name, "export", text(export | value))
        whole = text(export)
        twice = whole[:-1] + f', "room_id": "{ROOM}"}}'
        for name, value in (
            ("empty-text", ""),
            ("list", f"[{whole}]"),
            ("null", "null"),
            ("cut-off", whole[:-1]),
            ("trailing-comma", whole[:-1] + ",}"),
            ("trailing-text", whole + "{}"),
            ("nan", whole[:-1] + ', "a": NaN}'),
            ("member-twice", twice),
            ("session-key-twice", whole[:-1] + f', "session_key": "{key}"}}'),
            ("unknown-member-twice", whole[:-1] + ', "a": 1, "\\u0061": 1}'),
            ("claimed-key-twice", whole.replace('{"ed25519"', '{"ed25519": "", "ed25519"')),
            ("too-deep", whole[:-1] + f', "deep": {nested(textbook_events.MAX_DEPTH + 1)}}}'),
            ("far-too-deep", whole[:-1] + f', "deep": {nested(3_000)}}}'),
        ):
            self.write("format", name, "export", value)
        self.write("format", "backup-of-another-session", "backup", text(self.backup | {"session_key": self.another()}))
        claimed = without(self.forwarded, "sender_claimed_ed25519_key")
        self.write("format", "forwarded-without-claimed-key", "forwarded", text(claimed))
        self.write("signature", "room-key", "room-key", text(room_key | {"session_key": flipped}))
        exported = b64(b"\x02" + unb64(key)[1:])
        self.write("format", "room-key-without-signature", "room-key", text(room_key | {"session_key": exported}))
        self.write("version", "exported-in-a-room-key", "room-key", text(room_key | {"session_key": self.long()}))

    def another(self):
        session = textbook.GroupSession(Random("room-key/another").take(160))
        return textbook.InboundGroupSession(wire.decode("session-key", session.session_key())).export(0)

    def long(self):
        """The signed format with the version of the export format."""
        return b64(b"\x01" + unb64(self.signed)[1:])


class Events:
    def __init__(self, out):
        random = Random("encrypted-event")
        self.out = out
        alice, bob, one_time = (random.take(32) for _ in range(3))
        self.alice, self.bob = b64(p.x25519_public(alice)), b64(p.x25519_public(bob))
        public = [p.x25519_public(bob), p.x25519_public(one_time)]
        session = textbook.Session.outbound(3, alice, random.take(64), *public)
        _, self.pre_key = session.encrypt(b'{"type":"m.dummy"}')
        answering = textbook.Session.inbound(3, bob, [one_time], p.x25519_public(alice), self.pre_key)
        answering.decrypt(0, self.pre_key)
        kind, self.normal = answering.encrypt(b"{}", random.take(32))
        assert kind == 1
        group = textbook.GroupSession(random.take(160))
        self.id, self.message = group.session_id(), group.encrypt(b"{}")
        self.olm = self.olm_content({"type": 0, "body": self.pre_key})
        self.megolm = {"algorithm": MEGOLM, "session_id": self.id, "ciphertext": self.message}

    def olm_content(self, message):
        return {"algorithm": OLM, "sender_key": self.alice, "ciphertext": {self.bob: message}}

    def write(self, layer, name, value, recipient=None, source=SOURCE):
        pairs = [("content", text(value).encode().hex())] + ([("recipient-key", recipient)] if recipient else [])
        if layer == "success":
            found = textbook_events.encrypted_event(dict(pairs))
            written = ("written", compact(found.pop("written")))
            pairs += [*found.items(), written]
        name = name if layer == "success" else f"{layer}-{name}"
        write(self.out, "encrypted-event", name, source, layer, pairs, COMMAND)

    def positive(self):
        for name, sender, recipient, kind, body in (
            ("pre-key", self.alice, self.bob, types.OlmMsgType.PREKEY, self.pre_key),
            ("normal", self.bob, self.alice, types.OlmMsgType.MESSAGE, self.normal),
        ):
            message = types.OlmCiphertext(type=kind, body=body)
            content = types.EncryptedOlmEventContent(sender_key=sender, ciphertext={recipient: message})
            self.write("success", f"mautrix-olm-{name}", content.serialize(), recipient, RECORDED)
        content = types.EncryptedMegolmEventContent(
            ciphertext=self.message, session_id=self.id, sender_key=self.alice, device_id="DEVICE"
        )
        self.write("success", "mautrix-megolm", content.serialize(), source=RECORDED)
        two = self.olm_content({"type": 0, "body": self.pre_key})
        two["ciphertext"][self.alice] = {"type": 7, "body": "?"}
        self.write("success", "textbook-olm-two-recipients", two | {"org.matrix.msgid": "1"}, self.bob)
        padded = {"type": 0, "body": self.pre_key + "=" * (-len(self.pre_key) % 4), "other": 1}
        padded = self.olm_content(padded) | {"sender_key": self.alice + "="}
        self.write("success", "textbook-olm-padded", padded, self.bob)
        relation = {"rel_type": "m.thread", "event_id": "$é"}
        other = {"m.relates_to": relation, "org.example": [None, {"ciphertext": 1}, 18446744073709551615]}
        self.write("success", "textbook-megolm-least", self.megolm)
        self.write("success", "textbook-megolm-other-members", self.megolm | other)

    def negative(self):
        good = {"type": 0, "body": self.pre_key}
        for name, kind in (
            ("a-fraction", 0.5),
            ("a-text", "0"),
            ("two", 2),
            ("negative", -1),
            ("null", None),
            ("true", True),
            ("too-great-for-32-bits", 2**32),
            ("too-great-for-64-bits", 2**64),
            ("zero-with-a-fraction", 0.0),
        ):
            self.write("format", f"type-{name}", self.olm_content(good | {"type": kind}), self.bob)
        for layer, name, message in (
            ("format", "body-empty", good | {"body": ""}),
            ("format", "body-is-a-list", good | {"body": []}),
            ("format", "message-is-a-text", self.pre_key),
            ("format", "normal-as-pre-key", good | {"body": self.normal}),
            ("format", "without-body", {"type": 0}),
            ("format", "without-type", {"body": self.pre_key}),
            ("base64", "body", good | {"body": "_" + self.pre_key[1:]}),
            ("key", "base-key-of-low-order", good | {"body": self.low_order()}),
            ("version", "body", good | {"body": b64(b"\x02" + unb64(self.pre_key)[1:])}),
        ):
            self.write(layer, f"olm-{name}", self.olm_content(message), self.bob)
        for layer, name, members in (
            ("format", "algorithm-of-megolm", {"algorithm": MEGOLM}),
            ("format", "ciphertext-is-a-text", {"ciphertext": self.pre_key}),
            ("format", "sender-key-is-null", {"sender_key": None}),
            ("format", "sender-key-too-short", {"sender_key": self.alice[:40]}),
            ("base64", "sender-key", {"sender_key": self.alice + "\n"}),
            ("key", "sender-key-of-low-order", {"sender_key": b64(bytes(32))}),
            ("keys-mismatch", "sender-key-of-another", {"sender_key": self.bob}),
            ("unknown-key", "no-recipient", {"ciphertext": {}}),
        ):
            self.write(layer, f"olm-{name}", self.olm | members, self.bob)
        self.write("unknown-key", "olm-to-another", self.olm, self.alice)
        for layer, name, value in (
            ("format", "a-list", [self.megolm]),
            ("format", "algorithm-of-olm", self.megolm | {"algorithm": OLM}),
            ("format", "ciphertext-is-an-object", self.megolm | {"ciphertext": {self.bob: good}}),
            ("format", "ciphertext-cut-off", self.megolm | {"ciphertext": self.message[:40]}),
            ("format", "without-algorithm", without(self.megolm, "algorithm")),
            ("format", "without-session-id", without(self.megolm, "session_id")),
            ("format", "session-id-is-a-number", self.megolm | {"session_id": 1}),
            ("base64", "ciphertext", self.megolm | {"ciphertext": " " + self.message}),
            ("version", "ciphertext", self.megolm | {"ciphertext": b64(b"\x05" + unb64(self.message)[1:])}),
        ):
            self.write(layer, f"megolm-{name}", value)

    def low_order(self):
        decoded = wire.decode("pre-key-message", self.pre_key)
        fields = wire.pre_key_fields(decoded["one-time-key"], bytes(32), decoded["identity-key"], decoded["inner"])
        return b64(b"\x03" + b"".join(fields))


if __name__ == "__main__":
    for made in (RoomKeys(sys.argv[1]), Events(sys.argv[1])):
        made.positive()
        made.negative()
