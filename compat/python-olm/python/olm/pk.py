"""Encryption to a public key, as Matrix's key backup uses it, and signatures with a key from a
seed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from _libolm import lib

from ._native import Buffer, Functions, Native, Stored, Text

if TYPE_CHECKING:
    from typing_extensions import Self


class PkEncryptionError(Exception):
    """An operation of a PkEncryption failed."""


class PkDecryptionError(Exception):
    """An operation of a PkDecryption failed."""


class PkSigningError(Exception):
    """An operation of a PkSigning failed."""


class PkMessage:
    """A message that PkEncryption has encrypted: three texts in base64."""

    def __init__(self, ephemeral_key: str, mac: str, ciphertext: str) -> None:
        self.ephemeral_key = ephemeral_key
        self.mac = mac
        self.ciphertext = ciphertext


class PkEncryption(Native):
    """Encrypts to a public key."""

    _functions = Functions("pk_encryption", PkEncryptionError)

    def __init__(self, recipient_key: Text) -> None:
        """Takes the `public_key` of a PkDecryption."""
        if not recipient_key:
            raise ValueError("Recipient key can't be empty")
        with Buffer.text(recipient_key) as key:
            self._call(lib.olm_pk_encryption_set_recipient_key, *key)

    def encrypt(self, plaintext: Text) -> PkMessage:
        """Encrypts a message. Nothing proves to its receiver who has sent it."""
        ephemeral_key = Buffer.output(lib.olm_pk_key_length())
        mac = Buffer.output(self._ask(lib.olm_pk_mac_length))
        with Buffer.text(plaintext) as data:
            ciphertext = Buffer.output(self._ask(lib.olm_pk_ciphertext_length, len(data)))
            with Buffer.random(self._ask(lib.olm_pk_encrypt_random_length)) as random:
                self._call(lib.olm_pk_encrypt, *data, *ciphertext, *mac, *ephemeral_key, *random)
        return PkMessage(ephemeral_key.decode(), mac.decode(), ciphertext.decode())


class PkDecryption(Stored):
    """Decrypts what was encrypted to its public key."""

    _functions = Functions("pk_decryption", PkDecryptionError)
    # None until there is a key, which is so only for an object that is just being made.
    public_key: str

    def __new__(cls) -> Self:
        self = super().__new__(cls)
        self.public_key = None  # type: ignore[assignment]
        return self

    def __init__(self) -> None:
        """Makes a new pair of keys."""
        public = Buffer.output(lib.olm_pk_key_length())
        with Buffer.random(lib.olm_pk_private_key_length()) as private:
            self._call(lib.olm_pk_key_from_private, *public, *private)
        self.public_key = public.decode()

    # Unlike those of the other classes, these two accept bytes as a passphrase, and no None.
    def pickle(self, passphrase: Text = "") -> bytes:  # type: ignore[override]
        with Buffer.text(passphrase) as key:
            return self._pickle(key)

    @classmethod
    def from_pickle(cls, pickle: bytes, passphrase: Text = "") -> Self:  # type: ignore[override]
        if not pickle:
            raise ValueError("Pickle can't be empty")
        public = Buffer.output(lib.olm_pk_key_length())
        with Buffer.text(passphrase) as key:
            self = cls.__new__(cls)
            self._call(lib.olm_unpickle_pk_decryption, *key, pickle, len(pickle), *public)
        self.public_key = public.decode()
        return self

    def decrypt(self, message: PkMessage, unicode_errors: str = "replace") -> str:
        """Decrypts a message. `unicode_errors` says what becomes of bytes that are not UTF-8, as in
        `bytes.decode`."""
        ephemeral_key = Buffer.text(message.ephemeral_key)
        mac = Buffer.text(message.mac)
        data = Buffer.text(message.ciphertext)
        # No plaintext is longer than its message.
        with Buffer.output(len(data)) as plaintext:
            length = self._call(lib.olm_pk_decrypt, *ephemeral_key, *mac, *data, *plaintext)
            return plaintext.decode(length, unicode_errors)


class PkSigning(Native):
    """Signs with a key from a seed."""

    _functions = Functions("pk_signing", PkSigningError)
    public_key: str

    def __init__(self, seed: bytes) -> None:
        """Takes 32 bytes, such as `generate_seed` makes."""
        if not seed:
            raise ValueError("seed can't be empty")
        public = Buffer.output(lib.olm_pk_signing_public_key_length())
        self._call(lib.olm_pk_signing_key_from_seed, *public, seed, len(seed))
        self.public_key = public.decode()

    @classmethod
    def generate_seed(cls) -> bytes:
        """32 random bytes."""
        return os.urandom(lib.olm_pk_signing_seed_length())

    def sign(self, message: Text) -> str:
        """The Ed25519 signature of the message, in base64."""
        with Buffer.text(message) as data:
            return self._output(lib.olm_pk_signature_length(), lib.olm_pk_sign, *data).decode()
