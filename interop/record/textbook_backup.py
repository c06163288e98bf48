"""The key backup `m.megolm_backup.v1.curve25519-aes-sha2`, plainly from the Matrix specification."""

from primitives import Keys, Refused, check_x25519, decode_base64, x25519, x25519_public
from vectors import b64, unb64


def keys(private_key, public_key):
    return Keys(x25519(private_key, public_key), b"")


def encrypt(public_key, plaintext, ephemeral_private_key):
    shared = keys(ephemeral_private_key, unb64(public_key))
    ephemeral_key = b64(x25519_public(ephemeral_private_key))
    return b64(shared.encrypt(plaintext)), b64(shared.mac(b"", 8)), ephemeral_key


def decrypt(private_key, ciphertext, mac, ephemeral_key):
    ciphertext, mac, ephemeral_key = map(decode_base64, (ciphertext, mac, ephemeral_key))
    if len(mac) != 8 or len(ephemeral_key) != 32:
        raise Refused("format")
    shared = keys(private_key, check_x25519(ephemeral_key))
    if shared.mac(b"", 8) != mac:
        raise Refused("mac")
    return shared.decrypt(ciphertext)


def check(v):
    """Holds a file of the kind `backup` to this page."""
    private_key = bytes.fromhex(v["private-key"])
    message = v["ciphertext"], v["mac"], v["ephemeral-key"]
    plaintext = decrypt(private_key, *message)
    if v["expect"] == "success":
        assert b64(x25519_public(private_key)) == v["public-key"]
        assert plaintext.hex() == v["plaintext"]
    if "ephemeral-private-key" in v:
        random = bytes.fromhex(v["ephemeral-private-key"])
        assert encrypt(v["public-key"], plaintext, random) == message


def pickle_content(private_key):
    return (1).to_bytes(4, "big") + x25519_public(private_key) + private_key


def seal_pickle(content, key):
    keys = Keys(key, b"Pickle")
    ciphertext = keys.encrypt(content)
    return b64(ciphertext + keys.mac(ciphertext, 8))


def pickle(private_key, key):
    return seal_pickle(pickle_content(private_key), key)


def unpickle(pickle, key):
    keys, data = Keys(key, b"Pickle"), unb64(pickle)
    if keys.mac(data[:-8], 8) != data[-8:]:
        raise Refused("mac")
    content = keys.decrypt(data[:-8])
    if len(content) < 4:
        raise Refused("format")
    if content[:4] != bytes([0, 0, 0, 1]):
        raise Refused("version")
    if len(content) != 68:
        raise Refused("format")
    if x25519_public(content[36:]) != check_x25519(content[4:36]):
        raise Refused("format")
    return content[36:]


def check_pickle(v):
    """Holds a file of the kind `libolm-backup-pickle` to this page."""
    key = bytes.fromhex(v["pickle-key"])
    private_key = unpickle(v["pickle"], key)
    assert private_key.hex() == v["private-key"]
    assert b64(x25519_public(private_key)) == v["public-key"]
    assert pickle(private_key, key) == v["pickle"]
