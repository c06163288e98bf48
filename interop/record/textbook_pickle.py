"""Pickles of libolm and vodozemac: one cipher, then libolm's content or vodozemac's JSON."""

import json

import textbook_libolm as libolm
from primitives import Keys, Refused, decode_base64, x25519_public
from textbook import Account, GroupSession, InboundGroupSession, Session
from vectors import b64, unitem


def open_pickle(pickle, key):
    keys, data = Keys(key, b"Pickle"), decode_base64(pickle)
    if keys.mac(data[:-8], 8) != data[-8:]:
        raise Refused("mac")
    return keys.decrypt(data[:-8])


def seal_pickle(content, key):
    keys = Keys(key, b"Pickle")
    ciphertext = keys.encrypt(content)
    return b64(ciphertext + keys.mac(ciphertext, 8))


def play(found, steps):
    """Every step of a pickled object, in order."""
    for name, *items in steps:
        if name == "send" and isinstance(found, Session):
            plaintext, kind, body = items
            assert found.encrypt(unitem(plaintext)) == (int(kind), body)
        elif name == "send":
            assert found.encrypt(unitem(items[0])) == items[1]
        elif isinstance(found, InboundGroupSession):
            index, message, plaintext = items
            assert found.decrypt(message) == (unitem(plaintext), int(index))
        else:
            kind, body, plaintext = items
            assert found.decrypt(int(kind), body) == unitem(plaintext)


READ_LIBOLM = {
    "libolm-account-pickle": libolm.account,
    "libolm-session-pickle": libolm.session,
    "libolm-group-session-pickle": libolm.group_session,
    "libolm-inbound-group-session-pickle": libolm.inbound_group_session,
}


def check_libolm(v):
    found = READ_LIBOLM[v["kind"]](open_pickle(v["pickle"], bytes.fromhex(v["pickle-key"])))
    if "fallback-key" in v:
        assert b64(x25519_public(found.fallback[0])) == v["fallback-key"]
    play(found, v["step"])


def vodozemac_account(json):
    one_time, fallback = json["one_time_keys"], json["fallback_keys"]
    fallback = [fallback[name] for name in ("fallback_key", "previous_fallback_key")]
    keys = [bytes(key) for key in one_time["private_keys"].values()]
    return Account(bytes(json["diffie_hellman_key"]), keys, [bytes(key["key"]) for key in fallback if key])


def vodozemac_session(json):
    keys = [bytes(json["session_keys"][f"{name}_key"]) for name in ("identity", "base", "one_time")]
    ratchet, chains = json["sending_ratchet"], json["receiving_chains"]["inner"]
    session = Session(version(json), tuple(keys), None)
    if ratchet["type"] == "active":
        active, chain = ratchet["active_ratchet"], ratchet["symmetric_key_ratchet"]
        session.root = bytes(active["root_key"])
        session.sender = [bytes(active["ratchet_key"]), bytes(chain["key"]), chain["index"]]
    else:
        session.root = bytes(ratchet["root_key"]["key"])
    for chain in chains:
        # The newest comes last.
        session.newest, at = bytes(chain["ratchet_key"]), chain["hkdf_ratchet"]
        session.receivers[session.newest] = [bytes(at["key"]), at["index"]]
        for key in chain["skipped_message_keys"]["inner"]:
            session.skipped[session.newest, key["index"]] = bytes(key["key"])
    session.received = bool(chains)
    return session


def version(json):
    return {"V1": 3, "V2": 4}[json["config"]["version"]]


def vodozemac_group_session(json):
    random = bytes(json["ratchet"]["inner"] + json["signing_key"]["Normal"])
    return GroupSession(random, version(json), json["ratchet"]["counter"])


def vodozemac_inbound_group_session(json):
    first, signing_key = json["initial_ratchet"], bytes(json["signing_key"])
    found = {"index": first["counter"], "ratchet": bytes(first["inner"]), "signing-key": signing_key}
    return InboundGroupSession(found, version(json))


READ_VODOZEMAC = {
    "vodozemac-account-pickle": vodozemac_account,
    "vodozemac-session-pickle": vodozemac_session,
    "vodozemac-group-session-pickle": vodozemac_group_session,
    "vodozemac-inbound-group-session-pickle": vodozemac_inbound_group_session,
}


def check_vodozemac(v):
    text = open_pickle(v["pickle"], bytes.fromhex(v["pickle-key"])).decode()
    assert text == v["json"]
    play(READ_VODOZEMAC[v["kind"]](json.loads(text)), v["step"])
