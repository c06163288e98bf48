"""Derives pickles of vodozemac and dehydrated devices: an old form that must be read, and what must be refused.
Usage: derived_pickles.py <folder>"""

import copy
import json
import sys

import textbook_pickle as textbook
from primitives import LOW_ORDER_X25519, Refused, decode_base64
from vectors import b64, read, unb64, write

COMMAND = "python3 interop/record/derived_pickles.py test-vectors"
KEY = b"the pickle key of a derived file"
SMALL_ORDER_ED25519 = bytes(32)


def without_optional(out):
    """Pickles without the members that vodozemac reads when they are there."""
    for name in ("session", "group-session", "inbound-group-session"):
        file = f"vodozemac-{name}-pickle/vodozemac-0.8.1.txt"
        v = read(f"{out}/{file}")
        found = json.loads(v["json"])
        del found["config"]
        if name == "session":
            ratchets = [found["sending_ratchet"], *found["receiving_chains"]["inner"]]
            for ratchet in ratchets:
                del ratchet["ratchet_count"]
            del ratchets[0]["parent_ratchet_key"]
        text = json.dumps(found, separators=(",", ":"))
        pairs = [("release", v["release"]), ("pickle-key", KEY.hex())]
        pairs += [("pickle", textbook.seal_pickle(text.encode(), KEY)), ("json", text)]
        pairs += [("step", " ".join(step)) for step in v["step"]]
        source = f"derived from {file} of vodozemac 0.8.1 by leaving out the members that may be absent"
        write(out, v["kind"], "derived-optional-members", source, "success", pairs, COMMAND)


def changed(found, path, value):
    """A copy with another value; `None` leaves the member out."""
    found = copy.deepcopy(found)
    *way, last = path
    place = found
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return found


def alterations(name, found):
    """Layers, names and JSON with one fault."""
    longer = lambda path: [*at(found, path), 0]
    shorter = lambda path: at(found, path)[:-1]
    secret, member, counter = {
        "account": (("diffie_hellman_key",), ("fallback_keys",), None),
        "session": (("receiving_chains", "inner", 0, "hkdf_ratchet", "key"), ("sending_ratchet",), None),
        "group-session": (("ratchet", "inner"), ("signing_key",), ("ratchet", "counter")),
        "inbound-group-session": (
            ("initial_ratchet", "inner"),
            ("signing_key",),
            ("initial_ratchet", "counter"),
        ),
    }[name]
    yield "format", "key-too-long", changed(found, secret, longer(secret))
    yield "format", "key-too-short", changed(found, secret, shorter(secret))
    yield "format", "key-of-large-numbers", changed(found, (*secret, 0), 256)
    yield "format", "key-as-text", changed(found, secret, "A" * 43)
    yield "format", f"no-{member[0].replace('_', '-')}", changed(found, member, None)
    if counter:
        yield "format", "counter-2-to-32", changed(found, counter, 2**32)
        yield "format", "counter-negative", changed(found, counter, -1)
    keys = [("session_keys", f"{key}_key") for key in ("identity", "base", "one_time")]
    keys.append(("receiving_chains", "inner", 0, "ratchet_key"))
    for path in keys if name == "session" else []:
        good = at(found, path)
        for how, bad in (("low-order", list(LOW_ORDER_X25519[3])), ("bit-255", good[:31] + [good[31] | 128])):
            yield "key", f"{path[-1].replace('_', '-')}-{how}", changed(found, path, bad)
    if name == "inbound-group-session":
        yield "key", "signing-key-small-order", changed(found, ("signing_key",), list(SMALL_ORDER_ED25519))


def at(found, path):
    for step in path:
        found = found[step]
    return found


def refused(out):
    kind = "vodozemac-pickle-refused"
    for name in ("account", "session", "group-session", "inbound-group-session"):
        file = f"vodozemac-{name}-pickle/vodozemac-0.11.1.txt"
        v = read(f"{out}/{file}")
        found, good = json.loads(v["json"]), v["pickle"]

        def write_refused(layer, how, pickle, key=KEY):
            pairs = [("object", name), ("pickle-key", key.hex()), ("pickle", pickle)]
            source = f"derived from {file} by altering it"
            must_refuse(layer, how, textbook.read_vodozemac, v["kind"], pickle, key)
            write(out, kind, f"{name}-{layer}-{how}", source, layer, pairs, COMMAND)

        old = bytes.fromhex(v["pickle-key"])
        data = unb64(good)
        flipped = b64(bytes([data[0] ^ 1]) + data[1:])
        write_refused("base64", "underscore", "_" + good[1:], old)
        write_refused("mac", "another-key", good, KEY)
        write_refused("mac", "first-byte", flipped, old)
        write_refused("mac", "cut", b64(data[16:]), old)
        write_refused("mac", "empty", "", old)
        for how, text in (
            ("no-json", "account"),
            ("empty-json", ""),
            ("json-ends-early", v["json"][:-1]),
            ("json-goes-on", v["json"] + "}"),
            ("json-of-nothing", "null"),
            ("json-of-an-empty-object", "{}"),
        ):
            write_refused("format", how, textbook.seal_pickle(text.encode(), KEY))
        for layer, how, altered in alterations(name, found):
            write_refused(layer, how, textbook.seal_pickle(json.dumps(altered).encode(), KEY))


def must_refuse(layer, name, action, *arguments):
    try:
        action(*arguments)
    except Refused as refused:
        assert refused.args[0] == layer, (name, refused.args[0])
    else:
        raise AssertionError(f"{name} is accepted")


def devices(out):
    """Dehydrated devices that must be refused."""
    file = "dehydrated-device/vodozemac-several-keys.txt"
    v = read(f"{out}/{file}")
    key, nonce = bytes.fromhex(v["key"]), unb64(v["nonce"])
    content = textbook.open_device(v["ciphertext"], v["nonce"], key)

    def write_refused(layer, name, ciphertext, nonce=v["nonce"], key=key):
        def action():
            textbook.libolm.device(textbook.open_device(ciphertext, nonce, key))

        must_refuse(layer, name, action)
        pairs = [("key", key.hex()), ("nonce", nonce), ("ciphertext", ciphertext)]
        source = f"derived from {file} by altering it"
        write(out, "dehydrated-device", f"{layer}-{name}", source, layer, pairs, COMMAND)

    good = v["ciphertext"]
    data = decode_base64(good)
    write_refused("base64", "underscore-in-ciphertext", "_" + good[1:])
    write_refused("base64", "underscore-in-nonce", good, "_" + v["nonce"][1:])
    write_refused("format", "nonce-of-11-bytes", good, b64(nonce[:11]))
    write_refused("format", "nonce-of-13-bytes", good, b64(nonce + b"\0"))
    write_refused("mac", "another-key", good, key=KEY)
    write_refused("mac", "another-nonce", good, b64(bytes([nonce[0] ^ 1]) + nonce[1:]))
    write_refused("mac", "first-byte", b64(bytes([data[0] ^ 1]) + data[1:]))
    write_refused("mac", "last-byte", b64(data[:-1] + bytes([data[-1] ^ 1])))
    write_refused("mac", "cut", b64(data[:-1]))
    write_refused("mac", "empty", "")
    # Version, two private keys, the count, three one-time keys, whether there is a fallback key,
    # this key.
    count, present = 4 + 64, len(content) - 33
    assert content[count : count + 4] == b"\0\0\0\3" and content[present] == 1
    for layer, name, altered in (
        ("version", "00000000", bytes(4) + content[4:]),
        ("version", "00000002", b"\0\0\0\2" + content[4:]),
        ("version", "80000000", b"\x80\0\0\0" + content[4:]),
        ("format", "empty", b""),
        ("format", "one-byte-less", content[:-1]),
        ("format", "one-byte-more", content + b"\0"),
        ("format", "endless-list", content[:count] + b"\xff" * 4 + content[count + 4 :]),
        ("format", "fallback-key-2", content[:present] + b"\2" + content[present + 1 :]),
    ):
        write_refused(layer, name, textbook.seal_device(altered, key, nonce))


def main(out):
    without_optional(out)
    refused(out)
    devices(out)


if __name__ == "__main__":
    main(sys.argv[1])
