"""Short authentication strings: two users compare a few words or emoji and know that nobody sits
between them."""

from __future__ import annotations

from typing import Any, Callable, Optional

from _libolm import lib

from ._native import Buffer, Functions, Native, Text, lock


class OlmSasError(Exception):
    """An operation of a Sas failed."""


class Sas(Native):
    """One verification of another user or device."""

    _functions = Functions("sas", OlmSasError)

    def __init__(self, other_users_pubkey: Optional[Text] = None) -> None:
        """Makes a new pair of keys. The other user's public key may be set later."""
        with Buffer.random(self._ask(lib.olm_create_sas_random_length)) as random:
            self._create_sas(*random)
        if other_users_pubkey:
            self.set_their_pubkey(other_users_pubkey)

    def _create_sas(self, buffer: Any, buffer_length: int) -> None:
        self._call(lib.olm_create_sas, buffer, buffer_length)

    @property
    def pubkey(self) -> str:
        """Our public key."""
        length = self._ask(lib.olm_sas_pubkey_length)
        return self._output(length, lib.olm_sas_get_pubkey).decode()

    @property
    def other_key_set(self) -> bool:
        """Whether the other user's public key is set."""
        with lock:
            return bool(lib.olm_sas_is_their_key_set(self._handle))

    def set_their_pubkey(self, key: Text) -> None:
        """Sets the other user's public key."""
        with Buffer.text(key) as data:
            self._call(lib.olm_sas_set_their_key, *data)

    def generate_bytes(self, extra_info: Text, length: int) -> bytes:
        """Bytes that are the same at both ends, to choose the words or emoji by."""
        if length < 1:
            raise ValueError("The length needs to be a positive integer value")
        with Buffer.text(extra_info) as info:
            with self._output(length, lib.olm_sas_generate_bytes, *info) as output:
                return bytes(output.content)

    def calculate_mac(self, message: Text, extra_info: Text) -> str:
        """The MAC of a message in libolm's own encoding, for `hkdf-hmac-sha256`."""
        return self._mac(lib.olm_sas_calculate_mac, message, extra_info)

    def calculate_mac_fixed_base64(self, message: Text, extra_info: Text) -> str:
        """The MAC of a message in base64, for `hkdf-hmac-sha256.v2`."""
        return self._mac(lib.olm_sas_calculate_mac_fixed_base64, message, extra_info)

    def calculate_mac_long_kdf(self, message: Text, extra_info: Text) -> str:
        """The MAC of a message for `hmac-sha256`, which only old peers need."""
        return self._mac(lib.olm_sas_calculate_mac_long_kdf, message, extra_info)

    def _mac(self, function: Callable[..., int], message: Text, extra_info: Text) -> str:
        with Buffer.text(message) as data, Buffer.text(extra_info) as info:
            length = self._ask(lib.olm_sas_mac_length)
            return self._output(length, function, *data, *info).decode()
