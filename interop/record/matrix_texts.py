"""Writes texts that the Matrix specification describes, made by the textbook. Usage: matrix_texts.py <folder>

Each is compared with what another program makes of the same input. Needs
`pip install base58 canonicaljson mautrix[encryption] signedjson`."""

import json
import sys
from importlib.metadata import version

import base58
import canonicaljson
import mautrix.crypto.ssss.key as ssss
import signedjson.key
import signedjson.sign

import primitives as p
import textbook_matrix as textbook
from vectors import Random, b64, unb64, write

COMMAND = "python3 interop/record/matrix_texts.py test-vectors"
SOURCE = "made by the textbook that the command uses"
# RFC 7748, section 6.1.
ALICE = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")


def recovery_keys(out):
    published = "published in the tests of matrix-js-sdk and matrix-rust-sdk; the key is Alice's of RFC 7748, section 6.1"
    text = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d"
    assert textbook.recovery_key(ALICE) == text
    pairs = [("key", ALICE.hex()), ("text", text)]
    write(out, "recovery-key", "matrix-js-sdk", published, "success", pairs)
    for name, key in (
        ("all-bits", b"\xff" * 32),
        ("no-bits", bytes(32)),
        ("random", Random("recovery-key").take(32)),
    ):
        text = textbook.recovery_key(key)
        assert base58.b58decode(text.replace(" ", ""))[2:34] == key
        pairs = [("key", key.hex()), ("text", text)]
        write(out, "recovery-key", f"textbook-{name}", SOURCE, "success", pairs, COMMAND)

    def with_parity(data):
        return base58.b58encode(data + bytes([textbook.parity(data)])).decode()

    good = textbook.recovery_key(ALICE)
    for name, text in (
        ("capital-o", good.replace("Q9fu", "O9fu")),
        ("hyphens", good.replace(" ", "-")),
        ("key-too-long", with_parity(b"\x8b\x01" + ALICE + b"\x01")),
        ("key-too-short", with_parity(b"\x8b\x01" + ALICE[:31])),
        ("last-letter", good[:-1] + "e"),
        ("last-letter-missing", good[:-1]),
        ("letters-exchanged", good.replace("LW2K", "WL2K")),
        ("other-first-byte", with_parity(b"\x8c\x01" + ALICE)),
        ("other-second-byte", with_parity(b"\x8b\x02" + ALICE)),
        ("too-large", "z" * 48),
        ("zero-before", "1" + good),
    ):
        write(out, "recovery-key", f"format-{name}", SOURCE, "format", [("text", text)], COMMAND)


# Appendices, "Canonical JSON", "Examples", as on the page. The last one is refused: the text above
# the examples says that numbers have no exponents, and that -0 must not appear.
SPECIFICATION_JSON = (
    ("empty-object", "{}", "{}"),
    ("two-members", '{\n    "one": 1,\n    "two": "Two"\n}', '{"one":1,"two":"Two"}'),
    ("order", '{\n    "b": "2",\n    "a": "1"\n}', '{"a":"1","b":"2"}'),
    ("no-spaces", '{"b":"2","a":"1"}', '{"a":"1","b":"2"}'),
    (
        "nested",
        """{
    "auth": {
        "success": true,
        "mxid": "@john.doe:example.com",
        "profile": {
            "display_name": "John Doe",
            "three_pids": [
                {
                    "medium": "email",
                    "address": "john.doe@example.org"
                },
                {
                    "medium": "msisdn",
                    "address": "123456789"
                }
            ]
        }
    }
}""",
        '{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":'
        '[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},'
        '"success":true}}',
    ),
    ("value-of-one-letter", '{\n    "a": "日本語"\n}', '{"a":"日本語"}'),
    ("order-of-code-points", '{\n    "本": 2,\n    "日": 1\n}', '{"日":1,"本":2}'),
    ("escaped-letter", '{\n    "a": "\\u65E5"\n}', '{"a":"日"}'),
    ("null", '{\n    "a": null\n}', '{"a":null}'),
    ("numbers", '{\n    "a": -0,\n    "b": 1e10\n}', None),
)


def canonical_jsons(out):
    specification = "published in the Matrix specification, appendices, Canonical JSON, Examples"
    for name, text, canonical in SPECIFICATION_JSON:
        pairs = [("json", text.encode().hex())]
        if canonical is None:
            write(out, "canonical-json", f"format-specification-{name}", specification, "format", pairs)
            continue
        assert textbook.canonical_json(textbook.parse(text)) == canonical.encode()
        pairs.append(("canonical", canonical.encode().hex()))
        write(out, "canonical-json", f"specification-{name}", specification, "success", pairs)
    everything = "".join(map(chr, [*range(256), 0x2028, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF]))
    for name, text in (
        ("escapes", json.dumps({everything: everything})),
        ("escapes-of-each-letter", '{"\\u0061\\/\\u002F": "\\uD83D\\ude00"}'),
        ("greatest-integers", "[9007199254740991, -9007199254740991, 0]"),
        ("names-beyond-utf-16", '{"\U00010000": 1, "\uffff": 2, "\ue000": 3, "a": 4, "": 5, "aa": 6, "A": 7}'),
        ("scalars", '[null, true, false, "", [], {}, [[]]]'),
        ("top-level-text", ' "a" '),
        ("white-space", '\t{ "a" :\r\n[ 1 , 2 ] }\n'),
    ):
        canonical = textbook.canonical_json(textbook.parse(text))
        assert canonicaljson.encode_canonical_json(json.loads(text)) == canonical
        pairs = [("json", text.encode().hex()), ("canonical", canonical.hex())]
        write(out, "canonical-json", f"textbook-{name}", SOURCE, "success", pairs, COMMAND)
    for name, number in (
        ("exponent", "1e10"),
        ("exponent-of-zero", "0e1"),
        ("fraction", "1.5"),
        ("fraction-of-zero", "1.0"),
        ("negative-zero", "-0"),
        ("negative-zero-with-fraction", "-0.0"),
        ("too-great", "9007199254740992"),
        ("too-great-for-64-bits", "18446744073709551616"),
        ("too-small", "-9007199254740992"),
        ("unsigned-64-bits", "18446744073709551615"),
    ):
        pairs = [("json", f'{{"a": [{number}]}}'.encode().hex())]
        write(out, "canonical-json", f"format-{name}", SOURCE, "format", pairs, COMMAND)


# Appendices, "Cryptographic Test Vectors": the key; of "JSON Signing" the two signed objects; of
# "Event Signing" the two events, of which the second is signed without the content that redaction
# removes.
SPECIFICATION_SEED = unb64("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1")
SPECIFICATION_SIGNED = (
    (
        "empty-object",
        "JSON Signing",
        """{
    "signatures": {
        "domain": {
            "ed25519:1": "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"
        }
    }
}""",
    ),
    (
        "two-members",
        "JSON Signing",
        """{
    "one": 1,
    "signatures": {
        "domain": {
            "ed25519:1": "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"
        }
    },
    "two": "Two"
}""",
    ),
    (
        "event",
        "Event Signing",
        """{
    "auth_events": [],
    "content": {},
    "depth": 3,
    "hashes": {
        "sha256": "5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos"
    },
    "origin": "domain",
    "origin_server_ts": 1000000,
    "prev_events": [],
    "room_id": "!x:domain",
    "sender": "@a:domain",
    "signatures": {
        "domain": {
            "ed25519:1": "KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg"
        }
    },
    "type": "X",
    "unsigned": {
        "age_ts": 1000000
    }
}""",
    ),
    (
        "redacted-event",
        "Event Signing, with its content redacted",
        """{
    "content": {},
    "event_id": "$0:domain",
    "hashes": {
        "sha256": "onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g"
    },
    "origin": "domain",
    "origin_server_ts": 1000000,
    "type": "m.room.message",
    "room_id": "!r:domain",
    "sender": "@u:domain",
    "signatures": {
        "domain": {
            "ed25519:1": "Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA"
        }
    },
    "unsigned": {
        "age_ts": 1000000
    }
}""",
    ),
)


def signed_jsons(out):
    def pairs(value, user_id, key_name, key, seed=None):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        text = text.encode().hex()
        found = [("object", text), ("user-id", user_id), ("key-name", key_name), ("public-key", b64(key))]
        return found + ([("seed", seed.hex())] if seed else [])

    public = p.ed25519_public(SPECIFICATION_SEED)
    for name, section, text in SPECIFICATION_SIGNED:
        specification = f"published in the Matrix specification, appendices, Cryptographic Test Vectors, {section}"
        found = pairs(text, "domain", "1", public, SPECIFICATION_SEED)
        found.append(("signed", textbook.signed_part(json.loads(text)).hex()))
        write(out, "signed-json", f"specification-{name}", specification, "success", found)

    seed = Random("signed-json").take(32)
    public, user = p.ed25519_public(seed), "@alice:example.org"
    signing_key = signedjson.key.decode_signing_key_base64("ed25519", "DEVICE", b64(seed))

    def signed(value):
        return signedjson.sign.sign_json(json.loads(json.dumps(value)), user, signing_key)

    device_keys = {
        "user_id": user,
        "device_id": "DEVICE",
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "keys": {"curve25519:DEVICE": b64(p.x25519_public(ALICE)), "ed25519:DEVICE": b64(public)},
    }
    other = {"@bob:example.org": {"ed25519:DEVICE": "AAAA"}, user: {"ed25519:OTHER": "AAAA"}}
    source = f"recorded from signedjson {version('signedjson')} on 2026-11-30, with the randomness of the command"
    for name, value in (
        ("device-keys", device_keys),
        ("fallback-key", {"key": b64(p.x25519_public(ALICE)), "fallback": True}),
        ("other-signatures", {"a": {"signatures": 1, "unsigned": 2}, "signatures": other}),
        ("unsigned", {"é": "\U0001f600\n", "unsigned": {"age": 1}}),
    ):
        value = signed(value)
        found = pairs(value, user, "DEVICE", public, seed) + [("signed", textbook.signed_part(value).hex())]
        write(out, "signed-json", f"signedjson-{name}", source, "success", found, COMMAND)

    def altered(**members):
        return {**signed(device_keys), **members}

    found = altered()
    moved = altered(signatures={"@bob:example.org": found["signatures"][user]})
    renamed = altered(signatures={user: {"ed25519:OTHER": found["signatures"][user]["ed25519:DEVICE"]}})
    cut = altered(signatures={user: {"ed25519:DEVICE": found["signatures"][user]["ed25519:DEVICE"][:84]}})
    for layer, name, value in (
        ("signature", "another-member", altered(added=1)),
        ("signature", "another-user", moved),
        ("signature", "another-key-name", renamed),
        ("signature", "altered-member", altered(user_id="@mallory:example.org")),
        ("signature", "no-signatures", device_keys),
        ("format", "a-fraction", altered(added=1.5)),
        ("format", "no-object", [found]),
    ):
        write(out, "signed-json", f"{layer}-{name}", SOURCE, layer, pairs(value, user, "DEVICE", public), COMMAND)
    write(out, "signed-json", "signature-cut", SOURCE, "signature", pairs(cut, user, "DEVICE", public), COMMAND)


def secret_storages(out):
    kind = "secret-storage"
    random = Random(kind)
    key, backup_key = random.take(32), b64(ALICE)

    def pairs(name, iv, ciphertext, mac, plaintext=None):
        found = [("key", key.hex()), ("name", name), ("iv", b64(iv)), ("ciphertext", b64(ciphertext)), ("mac", b64(mac))]
        return found + ([("plaintext", plaintext.hex())] if plaintext is not None else [])

    class Recorded:
        read = staticmethod(random.take)

    ssss.cryptorand = Recorded
    metadata = ssss.KeyMetadata(algorithm=ssss.Algorithm.AES_HMAC_SHA2)
    peer = ssss.Key(id="", key=key, metadata=metadata)
    source = f"recorded from mautrix {version('mautrix')} on 2026-11-30, with the randomness of the command"
    for name, secret in (
        ("m.megolm_backup.v1", ALICE),
        ("m.cross_signing.master", random.take(32)),
        ("org.example.long", random.take(3000)),
    ):
        sealed = peer.encrypt(name, secret)
        found = pairs(name, unb64(sealed.iv), unb64(sealed.ciphertext), unb64(sealed.mac), b64(secret).encode())
        write(out, kind, f"mautrix-{name.split('.')[-2].replace('_', '-')}", source, "success", found, COMMAND)
    for name, iv in (("key-check", random.take(16)), ("key-check-all-bits", b"\xff" * 16)):
        ciphertext, mac = textbook.seal_secret(key, b"", iv, bytes(32))
        assert ssss.calculate_hash(key, b64(iv)) == b64(mac)
        found = pairs("", iv, ciphertext, mac, bytes(32))
        write(out, kind, f"textbook-{name}", SOURCE, "success", found, COMMAND)
    name, iv = "m.megolm_backup.v1", random.take(16)
    for title, secret in (("empty", b""), ("text", "é€😀".encode())):
        found = pairs(name, iv, *textbook.seal_secret(key, name.encode(), iv, secret), secret)
        write(out, kind, f"textbook-{title}", SOURCE, "success", found, COMMAND)

    ciphertext, mac = textbook.seal_secret(key, name.encode(), iv, backup_key.encode())
    no_text = textbook.seal_secret(key, name.encode(), iv, b"\xff")

    def flipped(data):
        return data[:-1] + bytes([data[-1] ^ 1])

    for layer, title, found in (
        ("mac", "ciphertext", pairs(name, iv, flipped(ciphertext), mac)),
        ("mac", "ciphertext-cut", pairs(name, iv, ciphertext[:-1], mac)),
        ("mac", "last-bit", pairs(name, iv, ciphertext, flipped(mac))),
        ("mac", "another-name", pairs("m.cross_signing.master", iv, ciphertext, mac)),
        ("format", "iv-too-short", pairs(name, iv[:15], ciphertext, mac)),
        ("format", "mac-too-long", pairs(name, iv, ciphertext, mac + b"\x00")),
        ("format", "no-text", pairs(name, iv, *no_text)),
        ("base64", "iv", [(k, v.replace(v[3], "-") if k == "iv" else v) for k, v in pairs(name, iv, ciphertext, mac)]),
    ):
        write(out, kind, f"{layer}-{title}", SOURCE, layer, found, COMMAND)

    passphrase = "correct horse battery staple é"
    for name, iterations, salt in (("mautrix", 1_000, "MC4sXBQr+ö"), ("mautrix-one-iteration", 1, "s")):
        parameters = ssss.PassphraseMetadata(
            algorithm=ssss.PassphraseAlgorithm.PBKDF2, iterations=iterations, salt=salt
        )
        found = [
            ("passphrase", passphrase.encode().hex()),
            ("salt", salt),
            ("iterations", iterations),
            ("key", parameters.get_key(passphrase).hex()),
        ]
        write(out, "secret-storage-passphrase", name, source, "success", found, COMMAND)


def main(out):
    recovery_keys(out)
    canonical_jsons(out)
    signed_jsons(out)
    secret_storages(out)


if __name__ == "__main__":
    main(sys.argv[1])
