"""Pickles of libolm and vodozemac: one cipher, then libolm's content or vodozemac's JSON; and dehydrated devices."""

import textbook_libolm as libolm
import textbook_vodozemac as vodozemac
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from primitives import Keys, Refused, decode_base64, ed25519_public, x25519_public
from textbook import InboundGroupSession, Session
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
        assert name in ("send", "receive", "replayed")
        if name == "replayed":
            kind, body = items
            assert found.remembers(int(kind), body)
        elif name == "send" and isinstance(found, Session):
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


READ_VODOZEMAC = {
    "vodozemac-account-pickle": vodozemac.account,
    "vodozemac-session-pickle": vodozemac.session,
    "vodozemac-group-session-pickle": vodozemac.group_session,
    "vodozemac-inbound-group-session-pickle": vodozemac.inbound_group_session,
}


def read_vodozemac(kind, pickle, key):
    """The object, and its JSON as text."""
    text = open_pickle(pickle, key).decode()
    return vodozemac.strict(READ_VODOZEMAC[kind], text), text


def check_vodozemac(v):
    found, text = read_vodozemac(v["kind"], v["pickle"], bytes.fromhex(v["pickle-key"]))
    assert text == v["json"] and v["release"] in v["source"]
    play(found, v["step"])


def check_vodozemac_refused(v):
    kind = f"vodozemac-{v['object']}-pickle"
    read_vodozemac(kind, v["pickle"], bytes.fromhex(v["pickle-key"]))


def seal_device(content, key, nonce):
    return b64(ChaCha20Poly1305(key).encrypt(nonce, content, b""))


def open_device(ciphertext, nonce, key):
    nonce, ciphertext = decode_base64(nonce), decode_base64(ciphertext)
    if len(nonce) != 12:
        raise Refused("format")
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, b"")
    except (InvalidTag, ValueError):
        raise Refused("mac") from None


def check_device(v):
    key = bytes.fromhex(v["key"])
    seed, account = libolm.device(open_device(v["ciphertext"], v["nonce"], key))
    if v["expect"] == "success":
        assert b64(x25519_public(account.identity)) == v["identity-key"]
        assert b64(ed25519_public(seed)) == v["signing-key"]
    play(account, v["step"])
