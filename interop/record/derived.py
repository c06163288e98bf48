"""What positive.py and negative.py share: the recorded message to start from, taken apart."""

import wire
from primitives import LOW_ORDER_X25519, P
from vectors import read, unb64


class Base:
    """One recorded file: `head` + fields + `tail` are the bytes of its input."""

    def __init__(self, folder, kind, name):
        self.kind, self.file = kind, f"{kind}/{name}.txt"
        values = read(f"{folder}/{self.file}")
        self.text = values.get("message", values.get("key"))
        self.data = unb64(self.text)
        self.found = wire.decode(kind, self.text)
        if kind == "olm-message":
            found = self.found["ratchet-key"], self.found["index"], self.found["ciphertext"]
            self.names = {"ratchet-key": 1, "index": 2, "ciphertext": 4}
            self.fields, size = wire.olm_fields(*found), len(self.found["mac"])
        elif kind == "pre-key-message":
            self.names = {"one-time-key": 1, "base-key": 2, "identity-key": 3, "inner": 4}
            found = (self.found[name] for name in self.names)
            self.fields, size = wire.pre_key_fields(*found), 0
        elif kind == "megolm-message":
            self.names = {"index": 1, "ciphertext": 2}
            self.fields = wire.megolm_fields(self.found["index"], self.found["ciphertext"])
            size = len(self.found["mac"]) + 64
        else:
            return
        self.head, self.tail = self.data[:1], self.data[len(self.data) - size :]
        assert self.build(self.fields) == self.data

    def build(self, fields):
        return self.head + b"".join(fields) + self.tail

    def replace(self, name, field):
        """The bytes with the field `name` encoded as `field` (which may be empty)."""
        fields = list(self.fields)
        fields[list(self.names).index(name)] = field
        return self.build(fields)


def bad_curve25519_keys(good):
    """Names and encodings of keys that must be refused."""
    high = lambda key: key[:31] + bytes([key[31] | 128])
    for name, key in zip(("0", "1", "p-1", "order-8-a", "order-8-b"), LOW_ORDER_X25519):
        yield f"low-order-{name}", key
    for name, number in (("p", P), ("p+1", P + 1), ("2^255-1", 2**255 - 1)):
        yield f"not-canonical-{name}", number.to_bytes(32, "little")
    yield "bit-255", high(good)
    yield "low-order-0-bit-255", high(LOW_ORDER_X25519[0])
