"""Builders for messages, good and bad, and the strict decoder of test-vectors/README.md."""

from primitives import Refused, check_ed25519, check_x25519, decode_base64, ed25519_verify

MAC_LENGTH = {3: 8, 4: 32}


def varint(number, extra=0):
    """`extra` adds bytes that make the encoding longer than needed."""
    out = []
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    for _ in range(extra):
        out[-1] |= 128
        out.append(0)
    return bytes(out)


def integer(field, value, *, tag_extra=0, value_extra=0):
    return varint(field << 3, tag_extra) + varint(value, value_extra)


def string(field, value, *, tag_extra=0, length_extra=0):
    return varint(field << 3 | 2, tag_extra) + varint(len(value), length_extra) + value


def olm_fields(ratchet_key, index, ciphertext):
    return [string(1, ratchet_key), integer(2, index), string(4, ciphertext)]


def pre_key_fields(one_time_key, base_key, identity_key, inner):
    return [string(1, one_time_key), string(2, base_key), string(3, identity_key), string(4, inner)]


def megolm_fields(index, ciphertext):
    return [integer(1, index), string(2, ciphertext)]


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def varint(self):
        number, start = 0, self.at
        while True:
            if self.at == len(self.data):
                raise Refused("format")
            byte = self.data[self.at]
            number |= (byte & 127) << 7 * (self.at - start)
            self.at += 1
            if byte < 128:
                break
        if number >= 2**64 or (byte == 0 and self.at - start > 1):
            raise Refused("format")
        return number

    def take(self, length):
        if length > len(self.data) - self.at:
            raise Refused("format")
        self.at += length
        return self.data[self.at - length : self.at]


def decode_fields(data, mandatory):
    """`mandatory` maps a field number to `int`, `bytes` or an exact length."""
    reader, found = Reader(data), {}
    while reader.at < len(data):
        tag = reader.varint()
        field, wire_type = tag >> 3, tag & 7
        if field == 0 or wire_type not in (0, 2):
            raise Refused("format")
        value = reader.varint() if wire_type == 0 else reader.take(reader.varint())
        if field in mandatory:
            want = mandatory[field]
            if field in found or isinstance(value, int) != (want is int):
                raise Refused("format")
            if want is int and value >= 2**32:
                raise Refused("format")
            if isinstance(want, int) and len(value) != want:
                raise Refused("format")
            found[field] = value
    if len(found) != len(mandatory):
        raise Refused("format")
    return found


def version_of(data, known):
    if not data:
        raise Refused("format")
    if data[0] not in known:
        raise Refused("version")
    return data[0]


def decode_olm(data):
    version = version_of(data, MAC_LENGTH)
    size = MAC_LENGTH[version]
    if len(data) < 1 + size:
        raise Refused("format")
    found = decode_fields(data[1:-size], {1: 32, 2: int, 4: bytes})
    check_x25519(found[1])
    return {
        "version": version,
        "ratchet-key": found[1],
        "index": found[2],
        "ciphertext": found[4],
        "mac": data[-size:],
        "authenticated": data[:-size],
    }


def decode_pre_key(data):
    version_of(data, (3,))
    found = decode_fields(data[1:], {1: 32, 2: 32, 3: 32, 4: bytes})
    for field in (1, 2, 3):
        check_x25519(found[field])
    return {
        "one-time-key": found[1],
        "base-key": found[2],
        "identity-key": found[3],
        "inner": found[4],
        "decoded-inner": decode_olm(found[4]),
    }


def decode_megolm(data):
    version = version_of(data, MAC_LENGTH)
    size = MAC_LENGTH[version]
    if len(data) < 1 + size + 64:
        raise Refused("format")
    found = decode_fields(data[1 : -size - 64], {1: int, 2: bytes})
    return {
        "version": version,
        "index": found[1],
        "ciphertext": found[2],
        "mac": data[-size - 64 : -64],
        "signature": data[-64:],
        "authenticated": data[: -size - 64],
        "signed": data[:-64],
    }


def decode_key(data, version, length):
    version_of(data, (version,))
    if len(data) != length:
        raise Refused("format")
    return {
        "index": int.from_bytes(data[1:5], "big"),
        "ratchet": data[5:133],
        "signing-key": check_ed25519(data[133:165]),
    }


def decode_session_key(data):
    found = decode_key(data, 2, 229)
    ed25519_verify(found["signing-key"], data[:165], data[165:])
    return found


def decode_exported(data):
    return decode_key(data, 1, 165)


DECODERS = {
    "olm-message": decode_olm,
    "pre-key-message": decode_pre_key,
    "megolm-message": decode_megolm,
    "session-key": decode_session_key,
    "exported-session-key": decode_exported,
}


def decode(kind, text):
    return DECODERS[kind](decode_base64(text))
