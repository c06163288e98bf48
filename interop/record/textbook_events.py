"""Room keys and encrypted events as JSON, plainly from the Matrix specification."""

import json

import primitives as p
import wire
from primitives import Refused, decode_base64
from textbook_matrix import refuse
from vectors import b64

OLM = "m.olm.v1.curve25519-aes-sha2"
MEGOLM = "m.megolm.v1.aes-sha2"
MAX_DEPTH = 127


class Object(dict):
    """Knows whether a member was repeated."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.repeats = len(self) != len(pairs)


def parse(text):
    try:
        value = json.loads(text, object_pairs_hook=Object, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise Refused("format") from None
    return unique(value)


def unique(value):
    if not isinstance(value, Object) or value.repeats:
        raise Refused("format")
    return value


def take(value, name, kind=str):
    """Takes out a mandatory member. `True` is no integer."""
    if type(value.get(name)) is not kind:
        raise Refused("format")
    return value.pop(name)


def take_optional(value, name, absent):
    """Takes out a member. `null` counts as missing."""
    member = value.pop(name, None)
    return absent if member is None else member


def depth(value):
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if members is None else 1 + max(map(depth, members), default=0)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode().hex()


def room_key(v):
    """What a file says of a room key, and the object as it is written again."""
    value, form = parse(bytes.fromhex(v["json"])), v["form"]
    if take(value, "algorithm") != MEGOLM:
        raise Refused("format")
    found = {}
    for name in ("room-id", "session-id"):
        found[name] = v[name] if form == "backup" else take(value, name.replace("-", "_"))
    kind = "session-key" if form == "room-key" else "exported-session-key"
    text = take(value, "session_key")
    signing_key = wire.decode(kind, text)["signing-key"]
    if b64(signing_key) != found["session-id"]:
        raise Refused("format")
    found["session-key"] = text.rstrip("=")
    written = {"algorithm": MEGOLM, "session_key": found["session-key"]}
    if form != "backup":
        written |= {"room_id": found["room-id"], "session_id": found["session-id"]}
    if form != "room-key":
        sender = take_optional(value, "sender_key", "")
        if type(sender) is not str:
            raise Refused("format")
        found["sender-key"] = read_x25519(sender) if sender else ""
        written["sender_key"] = found["sender-key"]
        if form == "forwarded":
            written["sender_claimed_ed25519_key"] = take(value, "sender_claimed_ed25519_key")
        else:
            assert form in ("export", "backup"), form
            claimed = unique(take_optional(value, "sender_claimed_keys", Object([])))
            if any(type(key) is not str for key in claimed.values()):
                raise Refused("format")
            written["sender_claimed_keys"] = claimed
        chain = take_optional(value, "forwarding_curve25519_key_chain", [])
        if type(chain) is not list or any(type(key) is not str for key in chain):
            raise Refused("format")
        written["forwarding_curve25519_key_chain"] = chain
    if any(depth(member) > MAX_DEPTH for member in value.values()):
        raise Refused("format")
    return found | {"written": written | value}


def read_x25519(text):
    key = decode_base64(text)
    if len(key) != 32:
        raise Refused("format")
    return b64(p.check_x25519(key))


def encrypted_event(v):
    """What a file says of the content of an encrypted event, and the content as it is written again."""
    value = parse(bytes.fromhex(v["content"]))
    algorithm = take(value, "algorithm")
    if "recipient-key" in v:
        if algorithm != OLM:
            raise Refused("format")
        sender = read_x25519(take(value, "sender_key"))
        messages = take(value, "ciphertext", Object)
        if v["recipient-key"] not in messages:
            raise Refused("unknown-key")
        message = take(messages, v["recipient-key"], Object)
        kind, body = take(message, "type", int), take(message, "body")
        if kind not in (0, 1):
            raise Refused("format")
        decoded = wire.decode("olm-message" if kind else "pre-key-message", body)
        if kind == 0 and b64(decoded["identity-key"]) != sender:
            raise Refused("keys-mismatch")
        body = body.rstrip("=")
        written = {"algorithm": OLM, "sender_key": sender}
        written["ciphertext"] = {v["recipient-key"]: {"type": kind, "body": body}}
        return {"sender-key": sender, "type": str(kind), "body": body, "written": written}
    if algorithm != MEGOLM:
        raise Refused("format")
    session_id, ciphertext = take(value, "session_id"), take(value, "ciphertext")
    wire.decode("megolm-message", ciphertext)
    ciphertext = ciphertext.rstrip("=")
    written = {"algorithm": MEGOLM, "session_id": session_id, "ciphertext": ciphertext}
    return {"session-id": session_id, "ciphertext": ciphertext, "written": written | value}


def check(read, v):
    found = read(v)
    if v["expect"] != "success":
        return
    written = found.pop("written")
    assert parse(bytes.fromhex(v["written"])) == written
    for name, value in found.items():
        assert v[name] == value, name


def check_room_key(v):
    check(room_key, v)


def check_encrypted_event(v):
    check(encrypted_event, v)
