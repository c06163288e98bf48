"""Key backups (libolm's PK encryption) and detached signatures (its PK signing)."""

import ctypes

import olm_ctypes as olm
import textbook_backup as textbook
from derived import bad_curve25519_keys
from primitives import Refused, ed25519_sign
from textbook_pickle import seal_pickle
from vectors import Random, b64, unb64, write

SOURCE = "recorded from libolm 3.2.13"
ALTERED = SOURCE + ", then altered by the recorder; libolm decrypts it"
REFUSED = SOURCE + ", then altered by the recorder"


class Decryption(olm.Handle):
    prefix = "pk_decryption"

    def __init__(self, private_key):
        super().__init__()
        key = (ctypes.c_char * 43)()
        self.call("olm_pk_key_from_private", key, private_key)
        self.public_key = key.raw.decode()

    def decrypt(self, ciphertext, mac, ephemeral_key):
        plaintext = (ctypes.c_char * (len(ciphertext) + 1))()
        message = (part.encode() for part in (ephemeral_key, mac, ciphertext))
        used = self.call("olm_pk_decrypt", *message, plaintext)
        return plaintext.raw[:used]


    def pickle(self, key):
        pickle = (ctypes.c_char * self.call("olm_pickle_pk_decryption_length"))()
        self.call("olm_pickle_pk_decryption", key, pickle)
        return pickle.raw.decode()

    def unpickle(self, pickle, key):
        """The public key, of the object that comes out of the pickle."""
        public_key = (ctypes.c_char * 43)()
        self.call("olm_unpickle_pk_decryption", key, pickle.encode(), public_key)
        return public_key.raw.decode()


class Encryption(olm.Handle):
    prefix = "pk_encryption"

    def __init__(self, public_key):
        super().__init__()
        self.call("olm_pk_encryption_set_recipient_key", public_key.encode())

    def encrypt(self, plaintext, random):
        length = self.call("olm_pk_ciphertext_length", olm.SIZE(len(plaintext)))
        parts = [(ctypes.c_char * size)() for size in (length, 11, 43)]
        self.call("olm_pk_encrypt", plaintext, *parts, random)
        return tuple(part.raw.decode() for part in parts)


class Signing(olm.Handle):
    prefix = "pk_signing"

    def __init__(self, seed):
        super().__init__()
        key = (ctypes.c_char * 43)()
        self.call("olm_pk_signing_key_from_seed", key, seed)
        self.public_key = key.raw.decode()

    def sign(self, message):
        signature = (ctypes.c_char * 86)()
        self.call("olm_pk_sign", message, signature)
        return signature.raw.decode()


class Scene:
    """A key pair, and messages to it from libolm."""

    def __init__(self, name):
        self.random = Random(f"libolm/backup/{name}")
        self.private_key = self.random.take(32)
        self.libolm = Decryption(self.private_key)
        self.keys = [("private-key", self.private_key.hex())]
        self.keys.append(("public-key", self.libolm.public_key))

    def encrypt(self, plaintext):
        random = self.random.take(32)
        message = Encryption(self.libolm.public_key).encrypt(plaintext, random)
        assert message == textbook.encrypt(self.libolm.public_key, plaintext, random)
        assert self.decrypt(message) == plaintext
        return random, message

    def decrypt(self, message):
        plaintext = self.libolm.decrypt(*message)
        assert plaintext == textbook.decrypt(self.private_key, *message)
        return plaintext


def parts(message):
    return list(zip(("ciphertext", "mac", "ephemeral-key"), message))


def backups(out, command):
    for length in [*range(65), 1000]:
        scene = Scene(f"length-{length}")
        plaintext = scene.random.take(length)
        random, message = scene.encrypt(plaintext)
        pairs = scene.keys + [("ephemeral-private-key", random.hex())]
        pairs += [("plaintext", plaintext.hex()), *parts(message)]
        write(out, "backup", f"libolm-{length:02}", SOURCE, "success", pairs, command)


def altered(out, command):
    """The MAC does not cover the ciphertext: these decrypt, to something else."""
    scene = Scene("altered")
    text = b'{"algorithm":"m.megolm.v1.aes-sha2","session_key":"not a real one"}'
    _, (ciphertext, mac, ephemeral_key) = scene.encrypt(text)
    data = unb64(ciphertext)
    flip = lambda place: data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    changes = {"first-block": flip(0), "last-but-two-block": flip(len(data) - 48)}
    changes |= {"first-block-missing": data[16:], "blocks-swapped": data[16:32] + data[:16] + data[32:]}
    for name, changed in changes.items():
        message = b64(changed), mac, ephemeral_key
        plaintext = scene.decrypt(message)
        assert plaintext != text
        pairs = scene.keys + [("plaintext", plaintext.hex()), *parts(message)]
        write(out, "backup", f"altered-{name}", ALTERED, "success", pairs, command)


def refused(out, command):
    scene = Scene("refused")
    random, (ciphertext, mac, key) = scene.encrypt(b"thirty-two bytes are two blocks.")
    shared = textbook.keys(random, unb64(scene.libolm.public_key))
    data, tag, public = unb64(ciphertext), unb64(mac), unb64(key)

    def write_refused(layer, name, message):
        try:
            textbook.decrypt(scene.private_key, *message)
        except Refused as refused:
            assert refused.args[0] == layer
        else:
            raise AssertionError(f"{name} is accepted")
        pairs = scene.keys + parts(message)
        write(out, "backup", f"{layer}-{name}", REFUSED, layer, pairs, command)

    for place in (0, 7):
        flipped = bytearray(tag)
        flipped[place] ^= 0x80
        write_refused("mac", f"bit-in-byte-{place}", (ciphertext, b64(flipped), key))
    write_refused("mac", "over-the-ciphertext", (ciphertext, b64(shared.mac(data, 8)), key))
    write_refused("mac", "to-another-key", Scene("another").encrypt(b"not for you")[1])

    for length in (0, 7, 9, 32):
        cut = b64(shared.mac(b"", 32)[:length])
        write_refused("format", f"mac-of-{length}-bytes", (ciphertext, cut, key))
    for length, wrong in ((0, b""), (31, public[:31]), (33, public + b"\0")):
        write_refused("format", f"key-of-{length}-bytes", (ciphertext, mac, b64(wrong)))

    for name, bad in bad_curve25519_keys(public):
        write_refused("key", name, (ciphertext, mac, b64(bad)))

    for length in (0, 1, 15, 17, 47):
        write_refused("padding", f"ciphertext-of-{length}-bytes", (b64(data[:length]), mac, key))
    blocks = {"0": bytes(16), "17": bytes([17]) * 16, "255": bytes([255]) * 16}
    blocks |= {"not-uniform": bytes(12) + bytes([3, 4, 4, 4]), "first-byte": bytes([15]) + bytes([16]) * 15}
    for name, block in blocks.items():
        padded = shared.encrypt_blocks(bytes(16) + block)
        write_refused("padding", name, (b64(padded), mac, key))

    for name, change in (
        ("underscore", lambda text: "_" + text[1:]),
        ("space", lambda text: text[:5] + " " + text[5:]),
        ("padding-3", lambda text: text + "==="),
        ("length", lambda text: text[: (len(text) - 1) // 4 * 4 + 1]),
    ):
        for place, part in enumerate(("ciphertext", "mac", "key")):
            message = [ciphertext, mac, key]
            message[place] = change(message[place])
            write_refused("base64", f"{name}-in-{part}", message)


def pickles(out, command):
    """The private key, pickled by libolm and read back; and contents that must be refused."""
    area = "libolm-backup-pickle"
    for length in (0, 1, 32, 200):
        scene = Scene(f"pickle-{length}")
        key = scene.random.take(length)
        pickle = scene.libolm.pickle(key)
        assert pickle == textbook.pickle(scene.private_key, key)
        assert scene.libolm.unpickle(pickle, key) == scene.libolm.public_key
        pairs = [("pickle-key", key.hex()), ("pickle", pickle), *scene.keys]
        write(out, area, f"libolm-key-of-{length}-bytes", SOURCE, "success", pairs, command)

    private = Random("libolm/backup/pickle/refused").take(32)
    good = textbook.pickle_content(private)
    other_half = bytes([good[4] ^ 1]) + good[5:36]
    for layer, name, content in (
        ("version", "0", bytes(4) + good[4:]),
        ("version", "2", bytes([0, 0, 0, 2]) + good[4:]),
        ("format", "empty", b""),
        ("format", "one-byte-less", good[:-1]),
        ("format", "one-byte-more", good + bytes(1)),
        ("format", "another-public-key", good[:4] + other_half + good[36:]),
        ("key", "low-order", good[:4] + bytes(32) + good[36:]),
    ):
        pairs = [("pickle-key", "6b6579"), ("pickle", seal_pickle(content, b"key"))]
        write(out, area, f"{layer}-{name}", "made by the recorder", layer, pairs, command)


def signatures(out, command):
    """PK signing is Ed25519 with the seed as its private key."""
    for length in (0, 1, 32, 1000):
        random = Random(f"libolm/pk-signing/{length}")
        seed, message = random.take(32), random.take(length)
        signing = Signing(seed)
        signature = unb64(signing.sign(message))
        assert signature == ed25519_sign(seed, message)
        pairs = [("seed", seed.hex()), ("public", unb64(signing.public_key).hex())]
        pairs += [("message", message.hex()), ("signature", signature.hex())]
        name = f"ed25519-libolm-pk-signing-{length}"
        write(out, "ed25519", name, SOURCE, "success", pairs, command, area="primitives")


def everything(out, command):
    for make in (backups, altered, refused, pickles, signatures):
        make(out, command)
