"""The key backup `m.megolm_backup.v1.curve25519-aes-sha2`, plainly from the Matrix specification."""

from primitives import Keys, Refused, check_x25519, decode_base64, x25519, x25519_public
from textbook_libolm import Content
from textbook_pickle import open_pickle, seal_pickle
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


def pickle(private_key, key):
    return seal_pickle(pickle_content(private_key), key)


def unpickle(pickle, key):
    content = Content(open_pickle(pickle, key), (1,))
    private_key = content.pair()
    content.end()
    return private_key


def check_pickle(v):
    """Holds a file of the kind `libolm-backup-pickle` to this page."""
    key = bytes.fromhex(v["pickle-key"])
    private_key = unpickle(v["pickle"], key)
    assert private_key.hex() == v["private-key"]
    assert b64(x25519_public(private_key)) == v["public-key"]
    assert pickle(private_key, key) == v["pickle"]
