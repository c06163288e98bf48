"""Checks every file of test-vectors/, and the index, against the textbook. Usage: check.py <folder>"""

import sys
from collections import Counter
from pathlib import Path

import primitives as p
import textbook
import textbook_backup
import textbook_channels
import textbook_events
import textbook_key_export
import textbook_matrix
import textbook_native
import textbook_pickle
import textbook_sas
import textbook_trace
import wire
from decoding import input_key, values
from index import lines
from vectors import read, unitem

PRIMITIVES = ("x25519", "x25519-iterated", "ed25519", "ed25519-verify", "hmac-sha256", "hkdf-sha256", "aes-256-cbc")


def primitive(v):
    kind = v["kind"]
    data = {}
    for key, value in v.items():
        if key not in ("kind", "source", "expect", "command", "step", "iterations"):
            data[key] = bytes.fromhex(value)
    if kind == "x25519":
        assert p.x25519(data["scalar"], data["u"]) == data["output"]
    elif kind == "x25519-iterated":
        k = u = data["start"]
        for _ in range(int(v["iterations"])):
            k, u = p.x25519(k, u), k
        assert k == data["output"]
    elif kind in ("ed25519", "ed25519-verify"):
        if kind == "ed25519":
            assert p.ed25519_public(data["seed"]) == data["public"]
            assert p.ed25519_sign(data["seed"], data["message"]) == data["signature"]
        p.ed25519_verify(data["public"], data["message"], data["signature"])
    elif kind == "hmac-sha256":
        assert data["tag"] and p.hmac(data["key"], data["data"]).startswith(data["tag"])
    elif kind == "hkdf-sha256":
        okm = data["okm"]
        assert p.hkdf(data["ikm"], data["salt"], data["info"], len(okm)) == okm
    elif kind == "aes-256-cbc":
        for encrypt, source, result in (
            (True, "plaintext", "ciphertext"),
            (False, "ciphertext", "plaintext"),
        ):
            done = p.aes_cbc(data["key"], data["iv"], data[source], encrypt)
            assert done == data[result]


def decoding(v):
    found = dict(values(v["kind"], v[input_key(v["kind"])]))
    if v["expect"] == "success":
        for key, value in found.items():
            assert str(value) == v[key], key


def megolm_ratchet(v):
    output = textbook.advance(bytes.fromhex(v["initial"]), int(v["start"]), int(v["target"]))
    assert output.hex() == v["output"]


def megolm_decrypt(v):
    (kind,) = {"session-key", "exported-session-key"} & set(v)
    session = textbook.InboundGroupSession(wire.decode(kind, v[kind]), int(v["version"]))
    plaintext, index = session.decrypt(v["message"])
    if v["expect"] == "success":
        assert (plaintext.hex(), str(index)) == (v["plaintext"], v["index"])


def must_refuse(layer, action, *arguments):
    try:
        action(*arguments)
    except p.Refused as refused:
        assert refused.args[0] == layer, f"{refused.args[0]} instead of {layer}"
    else:
        raise AssertionError(f"accepted, not refused by {layer}")


def megolm_transcript(v):
    version = int(v["version"])
    sender = textbook.GroupSession(bytes.fromhex(v["group-random"]), version)
    assert (sender.session_id(), sender.session_key()) == (v["session-id"], v["session-key"])
    receiver = textbook.InboundGroupSession(wire.decode("session-key", v["session-key"]), version)
    sent = []
    for name, *items in v["step"]:
        if name == "send":
            index = sender.index
            assert sender.encrypt(unitem(items[0])) == items[1]
            sent.append((items[1], (unitem(items[0]), index)))
        elif name == "advance":
            sender.advance_to(sender.index + int(items[0]))
        elif name == "session-key":
            assert sender.session_key() == items[0]
        elif name == "export":
            assert receiver.export(int(items[0])) == items[1]
        elif name == "receive":
            message, expected = sent[int(items[0])]
            assert receiver.decrypt(message) == expected
        else:
            assert name == "refuse"
            must_refuse(items[0], receiver.decrypt, items[1])


def refused_creation(arguments, kind, body):
    textbook.Session.inbound(*arguments).decrypt(kind, body)


def olm_transcript(v):
    version = int(v["version"])
    alice, bob = bytes.fromhex(v["alice-random"])[32:], bytes.fromhex(v["bob-random"])[32:]
    one_time = bytes.fromhex(v["bob-one-time-random"])
    secrets = [one_time[at : at + 32] for at in range(0, len(one_time), 32)]
    if "bob-fallback-random" in v:
        secrets.append(bytes.fromhex(v["bob-fallback-random"]))
    uses = v["uses"].split(" ")
    used = p.x25519_public(secrets[int(uses[1]) if uses[0] == "one-time-key" else -1])
    sessions, sent = {}, []
    if "session-random" in v:
        random = bytes.fromhex(v["session-random"])
        sessions["alice"] = textbook.Session.outbound(
            version, alice, random, p.x25519_public(bob), used
        )
    for who, name, *items in v["step"]:
        assert who in ("alice", "bob") and name in ("send", "receive", "refuse")
        if name == "send":
            random, plaintext, kind, body = items
            if who in sessions:
                made = sessions[who].encrypt(unitem(plaintext), unitem(random))
                assert made == (int(kind), body)
            sent.append((int(kind), body, unitem(plaintext)))
            continue
        if name == "receive":
            kind, body, plaintext = sent[int(items[0])]
        else:
            layer, kind, body = items[0], int(items[1]), items[2]
        if who == "bob" and who not in sessions:
            make = (version, bob, secrets, p.x25519_public(alice), body)
            if name == "refuse":
                must_refuse(layer, refused_creation, make, kind, body)
                continue
            sessions[who] = textbook.Session.inbound(*make)
            assert sessions[who].keys[2] == used
            assert sessions[who].session_id() == v["session-id"]
        if who not in sessions:
            continue
        if name == "receive":
            assert sessions[who].decrypt(kind, body) == plaintext
        else:
            must_refuse(layer, sessions[who].decrypt, kind, body)


CHECKS = {
    **dict.fromkeys(PRIMITIVES, primitive),
    **dict.fromkeys(wire.DECODERS, decoding),
    "megolm-ratchet": megolm_ratchet,
    "megolm-decrypt": megolm_decrypt,
    "megolm-transcript": megolm_transcript,
    "megolm-trace": textbook_trace.check_megolm,
    "olm-transcript": olm_transcript,
    "olm-handshake": textbook_trace.check_handshake,
    "olm-trace": textbook_trace.check_olm,
    **dict.fromkeys(textbook_pickle.READ_LIBOLM, textbook_pickle.check_libolm),
    **dict.fromkeys(textbook_pickle.READ_VODOZEMAC, textbook_pickle.check_vodozemac),
    "vodozemac-pickle-refused": textbook_pickle.check_vodozemac_refused,
    "dehydrated-device": textbook_pickle.check_device,
    **dict.fromkeys(textbook_native.READ, textbook_native.check),
    "sas": textbook_sas.check,
    "backup": textbook_backup.check,
    "libolm-backup-pickle": textbook_backup.check_pickle,
    "ecies": textbook_channels.check_ecies,
    "hpke": textbook_channels.check_hpke,
    "key-export": textbook_key_export.check,
    "key-export-refused": textbook_key_export.check_refused,
    "recovery-key": textbook_matrix.check_recovery_key,
    "canonical-json": textbook_matrix.check_canonical_json,
    "signed-json": textbook_matrix.check_signed_json,
    "secret-storage": textbook_matrix.check_secret_storage,
    "secret-storage-passphrase": textbook_matrix.check_passphrase,
    "room-key": textbook_events.check_room_key,
    "encrypted-event": textbook_events.check_encrypted_event,
}


class Values(dict):
    """Of a file; knows which of them nobody looked at."""

    def __init__(self, values):
        super().__init__(values)
        self.unread = set(values) - {"kind", "source", "expect", "command"}
        self.unread -= {"step"} if not values["step"] else set()

    def __getitem__(self, key):
        self.unread.discard(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        return self[key] if key in self else default

    def items(self):
        self.unread.clear()
        return super().items()


def check(path):
    """What is wrong with the file, if anything is."""
    try:
        v = Values(read(path))
        if v["kind"] not in CHECKS:
            return "unknown kind"
        if v["expect"] == "success":
            CHECKS[v["kind"]](v)
            return f"nothing reads {sorted(v.unread)}" if v.unread else None
        must_refuse(v["expect"], CHECKS[v["kind"]], v)
    except Exception as error:
        return repr(error)


def area(kind):
    return "primitives" if kind in PRIMITIVES else kind


def main(folder):
    counts, failed = Counter(), 0
    for path in sorted(Path(folder).glob("*/*")):
        problem = check(path)
        if not problem and path.parent.name != area(read(path)["kind"]):
            problem = "in the area of another kind"
        if problem:
            failed += 1
            print(f"{path}: {problem}")
            continue
        v = read(path)
        counts[v["kind"]] += 1
        counts[v["kind"], v["expect"] != "success"] += 1
    if (Path(folder) / "index.jsonl").read_text().splitlines() != lines(folder):
        failed += 1
        print("index.jsonl is not that of the folder")
    for kind in sorted(CHECKS):
        print(f"{kind}: {counts[kind, False]} positive, {counts[kind, True]} negative")
        failed += not counts[kind]
    print(f"{sum(counts[kind] for kind in CHECKS)} files hold, {failed} problems")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main(sys.argv[1])
