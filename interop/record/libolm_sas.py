"""SAS verifications in libolm, one for each file."""

import ctypes

import olm_ctypes as olm
import textbook_sas as textbook
from derived import bad_curve25519_keys
from primitives import x25519_public
from vectors import Random, b64, write

SOURCE = "recorded from libolm 3.2.13"
DERIVED = "a key that libolm's own are not like, made by the recorder"

METHODS = {
    "hkdf-hmac-sha256-v2": "olm_sas_calculate_mac_fixed_base64",
    "hkdf-hmac-sha256": "olm_sas_calculate_mac",
    "hmac-sha256": "olm_sas_calculate_mac_long_kdf",
}


class Sas(olm.Handle):
    prefix = "sas"

    def __init__(self, random):
        super().__init__()
        self.call("olm_create_sas", random)

    def public_key(self):
        return self.text("olm_sas_get_pubkey", "olm_sas_pubkey_length")

    def set_their_key(self, key):
        self.call("olm_sas_set_their_key", key.encode())

    def bytes(self, info, length):
        output = (ctypes.c_char * length)()
        self.call("olm_sas_generate_bytes", info, output)
        return output.raw

    def macs(self, data, info):
        macs = {}
        for name, function in METHODS.items():
            mac = (ctypes.c_char * 43)()
            self.call(function, data, info, mac)
            macs[name] = mac.raw.decode()
        return macs


class Utility(olm.Handle):
    prefix = "utility"

    def sha256(self, data):
        output = (ctypes.c_char * 43)()
        self.call("olm_sha256", data, output)
        return output.raw.decode()


def text(random, length):
    """Printable characters, as in Matrix's ids."""
    return bytes(33 + byte % 94 for byte in random.take(length))


def record(out, command, name, length, info, mac_input, mac_info, start_content):
    random = Random(f"libolm/sas/{name}")
    privates = random.take(32), random.take(32)
    ours, theirs = map(Sas, privates)
    keys = ours.public_key(), theirs.public_key()
    ours.set_their_key(keys[1])
    theirs.set_their_key(keys[0])

    data, macs = ours.bytes(info, length), ours.macs(mac_input, mac_info)
    commitment = Utility().sha256(keys[0].encode() + start_content)
    assert (data, macs) == (theirs.bytes(info, length), theirs.macs(mac_input, mac_info))
    book = textbook.Sas(privates[0], keys[1])
    assert (data, macs) == (book.bytes(info, length), book.macs(mac_input, mac_info))
    assert commitment == textbook.commitment(keys[0], start_content)

    pairs = [("our-private-key", privates[0].hex()), ("their-private-key", privates[1].hex())]
    pairs += [("our-key", keys[0]), ("their-key", keys[1])]
    pairs += [("info", info.hex()), ("bytes", data.hex())]
    if length >= 6:
        pairs.append(("emoji", " ".join(map(str, textbook.emoji(data)))))
        pairs.append(("decimals", " ".join(map(str, textbook.decimals(data)))))
    pairs += [("mac-input", mac_input.hex()), ("mac-info", mac_info.hex()), *macs.items()]
    pairs += [("start-content", start_content.hex()), ("commitment", commitment)]
    write(out, "sas", f"libolm-{name}", SOURCE, "success", pairs, command)


LENGTHS = [0, 1, 2, 3, 15, 16, 31, 32, 33, 43, 54, 55, 56, 63, 64, 65, 119, 127, 128, 129]
LENGTHS += [255, 256, 257, 1000]
BYTES = [6, 0, 1, 5, 6, 7, 31, 32, 33, 63, 64, 65, 255, 256, 257, 8160]


def lengths(out, command):
    """Each length once as that of the MAC's input, of both infos and of the start event."""
    for number, length in enumerate(LENGTHS):
        random = Random(f"libolm/sas/texts/{length}")
        turned = [LENGTHS[(number + turn) % len(LENGTHS)] for turn in (0, 5, 11, 17)]
        mac_input, info, mac_info, start_content = (text(random, taken) for taken in turned)
        count = BYTES[number] if number < len(BYTES) else 6
        name = f"input-{length}"
        record(out, command, name, count, info, mac_input, mac_info, start_content)


def matrix(out, command):
    """The strings that the specification asks for."""
    start = b'{"from_device":"ALICEDEVICE","hashes":["sha256"],"key_agreement_protocols":'
    start += b'["curve25519-hkdf-sha256"],"message_authentication_codes":["hkdf-hmac-sha256.v2"],'
    start += b'"method":"m.sas.v1","short_authentication_string":["decimal","emoji"],'
    start += b'"transaction_id":"$1234567890"}'
    info = "MATRIX_KEY_VERIFICATION_MAC@alice:example.orgALICEDEVICE@bob:example.orgBOBDEVICE"
    info = info.encode() + b"$1234567890"
    sas = b"MATRIX_KEY_VERIFICATION_SAS|@alice:example.org|ALICEDEVICE|"
    sas += b64(x25519_public(bytes([1]) * 32)).encode() + b"|@bob:example.org|BOBDEVICE|"
    sas += b64(x25519_public(bytes([2]) * 32)).encode() + b"|$1234567890"
    key, key_id = b64(Random("libolm/sas/device-key").take(32)).encode(), b"ed25519:ALICEDEVICE"
    record(out, command, "matrix-key", 6, sas, key, info + key_id, start)
    record(out, command, "matrix-key-ids", 6, sas, key_id, info + b"KEY_IDS", start)
    other = "@møčeril:例え.テスト🦎".encode()
    record(out, command, "not-ascii", 6, other, other * 2, other * 3, other * 4)


def refused(out, command):
    random = Random("libolm/sas/refused")
    private = random.take(32)
    for name, key in bad_curve25519_keys(x25519_public(random.take(32))):
        pairs = [("our-private-key", private.hex()), ("their-key", b64(key))]
        write(out, "sas", f"key-{name}", DERIVED, "key", pairs, command)


def verifications(out, command):
    lengths(out, command)
    matrix(out, command)
    refused(out, command)
