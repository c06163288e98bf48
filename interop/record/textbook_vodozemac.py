"""The JSON of vodozemac's pickles. What is read becomes a textbook object."""

import json

from primitives import Refused, check_ed25519, check_x25519
from textbook import Account, GroupSession, InboundGroupSession, Session


def strict(read, text):
    """`read` of the JSON, which is refused when anything is missing or of the wrong shape."""
    try:
        return read(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused("format") from None


def fixed(numbers, length=32):
    if len(numbers) != length:
        raise Refused("format")
    return bytes(numbers)


def number(value, bits=32):
    if not isinstance(value, int) or not 0 <= value < 2**bits:
        raise Refused("format")
    return value


def version(found):
    """Without `config`, which the first releases did not write, it is the first."""
    return {"V1": 3, "V2": 4}[found.get("config", {"version": "V1"})["version"]]


def account(found):
    fixed(found["signing_key"]["Normal"])
    slots = [found["fallback_keys"][name] for name in ("fallback_key", "previous_fallback_key")]
    fallback = [fixed(slot["key"]) for slot in slots if slot]
    one_time = [fixed(key) for key in found["one_time_keys"]["private_keys"].values()]
    return Account(fixed(found["diffie_hellman_key"]), one_time, fallback)


def session(found):
    names = ("identity_key", "base_key", "one_time_key")
    keys = tuple(check_x25519(fixed(found["session_keys"][name])) for name in names)
    ratchet, session = found["sending_ratchet"], Session(version(found), keys, None)
    if ratchet["type"] == "active":
        active, chain = ratchet["active_ratchet"], ratchet["symmetric_key_ratchet"]
        session.root = fixed(active["root_key"])
        session.sender = [fixed(active["ratchet_key"]), fixed(chain["key"]), number(chain["index"], 64)]
    else:
        session.root = fixed(ratchet["root_key"]["key"])
    for chain in found["receiving_chains"]["inner"]:
        # The newest comes last.
        session.newest, at = check_x25519(fixed(chain["ratchet_key"])), chain["hkdf_ratchet"]
        session.receivers[session.newest] = [fixed(at["key"]), number(at["index"], 64)]
        for key in chain["skipped_message_keys"]["inner"]:
            session.skipped[session.newest, number(key["index"], 64)] = fixed(key["key"])
    session.received = bool(session.receivers)
    return session


def group_session(found):
    random = fixed(found["ratchet"]["inner"], 128) + fixed(found["signing_key"]["Normal"])
    return GroupSession(random, version(found), number(found["ratchet"]["counter"]))


def inbound_group_session(found):
    first, signing_key = found["initial_ratchet"], check_ed25519(fixed(found["signing_key"]))
    ratchet = fixed(first["inner"], 128)
    values = {"index": number(first["counter"]), "ratchet": ratchet, "signing-key": signing_key}
    return InboundGroupSession(values, version(found))
