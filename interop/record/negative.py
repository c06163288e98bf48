"""Derives inputs that must be refused. Usage: negative.py <folder>"""

import sys

import textbook
import wire
from decoding import input_key
from derived import Base, bad_curve25519_keys
from negative_keys import signing_keys
from primitives import L, Refused, ed25519_sign
from vectors import b64, read, unb64, write

COMMAND = "python3 interop/record/negative.py test-vectors"


def refuse(out, base, layer, name, how, data):
    """`data` is the altered input: bytes, or base64 text."""
    text = data if isinstance(data, str) else b64(data)
    kind = base.kind
    try:
        wire.decode(kind, text)
    except Refused as refused:
        assert refused.args[0] == layer, (kind, name, refused.args[0], layer)
    else:
        raise AssertionError(f"accepted: {kind} {name}")
    source = f"derived from {base.file} by {how}"
    write(out, kind, f"{layer}-{name}", source, layer, [(input_key(kind), text)], COMMAND)


def fields(base):
    """Names, descriptions and bytes: every way to spoil one field, or to add a bad one."""
    for name, number in base.names.items():
        good = base.fields[list(base.names).index(name)]
        is_integer = name == "index"
        value = base.found[name]
        yield f"missing-{name}", f"deleting its {name}", base.replace(name, b"")
        yield f"duplicate-{name}", f"doubling its {name}", base.replace(name, good * 2)
        again = base.build(base.fields + [good])
        yield f"repeated-{name}", f"repeating its {name} at the end", again
        swapped = wire.string(number, b"\x01") if is_integer else wire.integer(number, 1)
        how = f"giving its {name} wire type {2 if is_integer else 0}"
        yield f"wire-type-{name}", how, base.replace(name, swapped)
        how = f"adding its {name} with the other wire type"
        yield f"both-wire-types-{name}", how, base.build(base.fields + [swapped])
        for wire_type, content in ((1, bytes(8)), (5, bytes(4))):
            field = wire.varint(number << 3 | wire_type) + content
            how = f"giving its {name} wire type {wire_type}"
            yield f"wire-type-{wire_type}-{name}", how, base.replace(name, field)
        make = wire.integer if is_integer else wire.string
        for part in ("tag", "value" if is_integer else "length"):
            field = make(number, value, **{f"{part}_extra": 1})
            how = f"encoding the {part} of its {name} with one byte too many"
            yield f"overlong-{part}-{name}", how, base.replace(name, field)
        if name.endswith("-key"):
            for length in (0, 31, 33):
                field = wire.string(number, (value + b"\x01")[:length])
                how = f"giving its {name} {length} bytes"
                yield f"length-{length}-{name}", how, base.replace(name, field)
    if "index" in base.names:
        for power, value in (("32", 2**32), ("32+1", 2**32 + 1), ("63", 2**63), ("64", 2**64)):
            field = wire.integer(base.names["index"], value)
            yield (
                f"index-2^{power}",
                f"setting its index to 2^{power}",
                base.replace("index", field),
            )
    for name, how, field in bad_fields():
        yield name, how, base.build(base.fields + [field])
        if name.startswith(("overlong", "number-0", "wire-type")):
            yield f"{name}-first", f"{how}, at the beginning", base.build([field] + base.fields)


def bad_fields():
    """Fields that may appear nowhere."""
    yield "number-0-integer", "adding an integer field of number 0", wire.integer(0, 1)
    yield "number-0-string", "adding a string field of number 0", wire.string(0, b"x")
    for wire_type, content in (
        (1, bytes(8)),
        (3, b""),
        (4, b""),
        (5, bytes(4)),
        (6, b""),
        (7, b""),
    ):
        field = wire.varint(5 << 3 | wire_type) + content
        name = f"wire-type-{wire_type}-unknown"
        yield name, f"adding an unknown field of wire type {wire_type}", field
    for part in ("tag", "value"):
        field = wire.integer(5, 1, **{f"{part}_extra": 1})
        yield f"overlong-{part}-unknown", f"adding an unknown field with an overlong {part}", field
    field = wire.string(6, b"x", length_extra=1)
    yield "overlong-length-unknown", "adding an unknown field with an overlong length", field
    field = wire.integer(5, 0, value_extra=1)
    yield "overlong-zero-unknown", "adding an unknown field with an overlong zero", field
    field = wire.integer(5, 2**64)
    yield "value-2^64-unknown", "adding an unknown field of value 2^64", field
    for name, rest in (
        ("tag-only", b"\x28"),
        ("unfinished-tag", b"\xa8"),
        ("unfinished-value", b"\x28\x80"),
        ("missing-length", b"\x32"),
        ("unfinished-length", b"\x32\x80"),
        ("missing-content", b"\x32\x01"),
        ("short-content", b"\x32\x05four"),
        ("length-2^31", b"\x32" + wire.varint(2**31)),
        ("length-2^32-1", b"\x32" + wire.varint(2**32 - 1)),
        ("length-2^63", b"\x32" + wire.varint(2**63)),
        ("length-2^64-1", b"\x32" + wire.varint(2**64 - 1)),
        ("endless-varint", b"\x28" + b"\xff" * 20),
    ):
        yield f"incomplete-{name}", f"adding an incomplete field ({name.replace('-', ' ')})", rest


def lengths(base):
    data, size = base.data, len(base.tail)
    cuts = {0, 1, 2, size, size + 1, size + 2, len(data) // 2, len(data) - 1}
    for length in sorted(cuts):
        yield f"cut-to-{length}", f"cutting it to {length} bytes", data[:length]
    yield "one-byte-more", "adding a zero byte", data + b"\x00"


def versions(out, base, unknown):
    for version in unknown:
        how = f"setting its version to {version}"
        refuse(out, base, "version", str(version), how, bytes([version]) + base.data[1:])


def base64(out, base):
    """The text has nonzero room for trailing bits: its length is 2 or 3 modulo 4."""
    data = base.data
    if base.kind == "pre-key-message":
        data = base.build(base.fields + [wire.integer(5, 1)])
    elif base.kind.endswith("message"):
        data = base.replace("ciphertext", wire.string(base.names["ciphertext"], bytes(17)))
    if base.kind != "exported-session-key":
        assert len(data) % 3
    text = b64(data)

    def put(name, how, altered):
        refuse(out, base, "base64", name, how, altered)

    for name, character in (
        ("minus", "-"),
        ("underscore", "_"),
        ("space", " "),
        ("dot", "."),
        ("padding-inside", "="),
        ("not-ascii", "é"),
    ):
        put(name, f"replacing a character by {name}", text[:10] + character + text[11:])
    put("inserted-space", "inserting a space", text[:12] + " " + text[12:])
    right = -len(text) % 4
    for count in range(1, 5):
        if count != right:
            how = f"padding it with {count} characters where {right} belong"
            put(f"padding-{count}", how, text + "=" * count)
    longer = text + "A" * ((1 - len(text)) % 4)
    put("length", "lengthening it to 1 modulo 4 characters", longer)
    if right:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        put(
            "trailing-bits",
            "setting its last bit",
            text[:-1] + alphabet[alphabet.index(text[-1]) | 1],
        )


def curve25519_keys(out, base):
    for position in base.names:
        if position.endswith("-key"):
            for name, key in bad_curve25519_keys(base.found[position]):
                data = base.replace(position, wire.string(base.names[position], key))
                how = f"setting its {position} to a bad key ({name.replace('-', ' ')})"
                refuse(out, base, "key", f"{position}-{name}", how, data)


def inner_messages(out, outer, inner):
    """A pre-key message is refused for every fault of its inner message."""

    def put(layer, name, how, data):
        data = outer.replace("inner", wire.string(4, data))
        refuse(out, outer, layer, f"inner-{name}", f"altering its inner message ({how})", data)

    for name, how, data in fields(inner):
        if name.startswith(("missing", "duplicate", "wire-type-index", "incomplete-tag")):
            put("format", name, how, data)
    for name, how, data in lengths(inner):
        put("format", name, how, data)
    for version in (0, 1, 2, 5, 255):
        data = bytes([version]) + inner.data[1:]
        put("version", str(version), f"setting the version to {version}", data)
    for name, key in bad_curve25519_keys(inner.found["ratchet-key"]):
        data = inner.replace("ratchet-key", wire.string(1, key))
        put("key", name, f"setting the ratchet key to a bad key ({name.replace('-', ' ')})", data)


def session_keys(out, base):
    sizes = {0, 1, 133, 164, 165, 228, 229, 230, 458} - {len(base.data)}
    if base.kind == "exported-session-key":
        sizes -= {228, 230, 458}
        sizes |= {166}
    for size in sorted(sizes):
        data = (base.data * 3)[:size]
        refuse(out, base, "format", f"length-{size}", f"giving it {size} bytes", data)
    for name, how, key in signing_keys():
        data = base.data[:133] + key + base.data[165:]
        refuse(out, base, "key", name, f"setting its signing key to {how}", data)


def session_key_signatures(out, base):
    def put(name, how, data):
        refuse(out, base, "signature", name, how, data)

    for name, at in (("index", 4), ("ratchet", 5), ("ratchet-end", 132), ("s", 200)):
        data = bytearray(base.data)
        data[at] ^= 1
        put(name, f"flipping a bit of byte {at}", bytes(data))
    signed, signature = base.data[:165], base.data[165:]
    put("zero", "setting its signature to zeros", signed + bytes(64))
    put(
        "swapped-halves",
        "swapping the halves of its signature",
        signed + signature[32:] + signature[:32],
    )
    s = int.from_bytes(signature[32:], "little") + L
    put("s-plus-l", "adding L to S", signed + signature[:32] + s.to_bytes(32, "little"))
    other = ed25519_sign(bytes(range(32)), signed)
    put("other-key", "signing it with another key", signed + other)


def megolm_decrypt(out):
    """Messages that decode, and that a session refuses."""
    file = "megolm-transcript/libolm-exports.txt"
    transcript = read(f"{out}/{file}")
    exports = {int(s[1]): s[2] for s in transcript["step"] if s[0] == "export"}
    sends = [s[2] for s in transcript["step"] if s[0] == "send"]

    def put(layer, name, how, message, key=("session-key", transcript["session-key"])):
        session = textbook.InboundGroupSession(wire.decode(*key))
        try:
            session.decrypt(message)
        except Refused as refused:
            assert refused.args[0] == layer, (name, refused.args[0], layer)
        else:
            raise AssertionError(f"accepted: {name}")
        pairs = [("version", 3), key, ("message", message)]
        source = f"derived from {file} by {how}"
        write(out, "megolm-decrypt", f"{layer}-{name}", source, layer, pairs, COMMAND)

    for first, index in ((1, 0), (3, 0), (3, 2), (4, 3), (256, 3), (2**24, 3)):
        key = ("exported-session-key", exports[first])
        how = f"decrypting its message {index} with its export at {first}"
        put("index", f"{index}-before-{first}", how, sends[index], key)
    data = unb64(sends[1])
    for name, at in (("r", -64), ("s", -1), ("mac", -65), ("index", 2), ("ciphertext", 6)):
        altered = bytearray(data)
        altered[at] ^= 2
        put("signature", name, f"flipping a bit of byte {at} of a message", b64(altered))
    put("signature", "zero", "setting a signature to zeros", b64(data[:-64] + bytes(64)))
    sender = textbook.GroupSession(bytes.fromhex(transcript["group-random"]))
    sender.advance_to(4)
    for name, at in (("first-byte", -72), ("last-byte", -65), ("ciphertext", -73), ("index", 2)):
        altered = bytearray(data[:-64])
        altered[at + 64 if at < 0 else at] ^= 1
        altered += ed25519_sign(sender.seed, bytes(altered))
        how = f"flipping a bit of byte {at} of a message and signing it again"
        put("mac", name, how, b64(altered))

    def own(ciphertext):
        return b64(sender.message(wire.megolm_fields(sender.index, ciphertext)))

    endings = {
        "00": 16,
        "11": 16,
        "ff": 16,
        "0102": 16,
        "03040304": 16,
        "10" * 15: 16,
        "20" * 32: 32,
    }
    for ending, size in endings.items():
        tail = bytes.fromhex(ending)
        blocks = bytes(size - len(tail)) + tail
        how = f"encrypting blocks that end in {ending}"
        name = ending if len(ending) < 9 else f"{ending[:2]}-times-{len(tail)}"
        put("padding", name, how, own(sender.keys().encrypt_blocks(blocks)))
    for length in (0, 1, 15, 17, 31):
        how = f"authenticating a ciphertext of {length} bytes"
        put("padding", f"length-{length}", how, own(bytes(length)))
    message = sender.message(wire.megolm_fields(4, sender.keys().encrypt(b"version 4")), version=4)
    put("version", "4", "making a message of version 4 with its keys", b64(message))


def main(out):
    olm = Base(out, "olm-message", "libolm-4")
    outer = Base(out, "pre-key-message", "libolm-0")
    megolm = Base(out, "megolm-message", "libolm-00000001")
    for base in (olm, outer, megolm):
        for name, how, data in (*fields(base), *lengths(base)):
            refuse(out, base, "format", name, how, data)
        base64(out, base)
        curve25519_keys(out, base)
    for base in (olm, megolm):
        versions(out, base, (0, 1, 2, 5, 127, 255))
        data = b"\x04" + base.data[1:]
        refuse(out, base, "format", "version-4-with-mac-of-3", "setting its version to 4", data)
    versions(out, outer, (0, 1, 2, 4, 5, 127, 255))
    inner_messages(out, outer, Base(out, "olm-message", "libolm-0"))
    for kind, other in (("session-key", 1), ("exported-session-key", 2)):
        base = Base(out, kind, "libolm-00000001")
        versions(out, base, (0, other, 3, 4, 255))
        base64(out, base)
        session_keys(out, base)
    session_key_signatures(out, Base(out, "session-key", "libolm-00000001"))
    megolm_decrypt(out)


if __name__ == "__main__":
    main(sys.argv[1])
