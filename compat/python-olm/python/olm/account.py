"""Accounts: the identity of a device, and the keys that others begin sessions with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable, Dict

from _libolm import lib

from ._native import Buffer, Functions, Stored, Text, lock

if TYPE_CHECKING:
    from typing_extensions import Self

    from .session import Session


class OlmAccountError(Exception):
    """An operation of an account failed."""


class Account(Stored):
    """An account: two identity keys, up to 100 one-time keys, and fallback keys."""

    _functions = Functions("account", OlmAccountError)
    _account: Any

    def __new__(cls) -> Self:
        self = super().__new__(cls)
        self._account = self._handle
        return self

    def __init__(self) -> None:
        """Makes an account with new identity keys."""
        with Buffer.random(self._ask(lib.olm_create_account_random_length)) as random:
            self._call(lib.olm_create_account, *random)

    @property
    def identity_keys(self) -> Dict[str, str]:
        """The public identity keys, `curve25519` and `ed25519`."""
        keys: Dict[str, str] = self._json(
            lib.olm_account_identity_keys_length, lib.olm_account_identity_keys
        )
        return keys

    def sign(self, message: Text) -> str:
        """The Ed25519 signature of the message, in base64."""
        with Buffer.text(message) as data:
            length = self._ask(lib.olm_account_signature_length)
            return self._output(length, lib.olm_account_sign, *data).decode()

    @property
    def max_one_time_keys(self) -> int:
        """How many one-time keys an account keeps: the newest."""
        return self._ask(lib.olm_account_max_number_of_one_time_keys)

    def mark_keys_as_published(self) -> None:
        """Notes that the server has the one-time keys and the fallback key of this moment."""
        self._call(lib.olm_account_mark_keys_as_published)

    def generate_one_time_keys(self, count: int) -> None:
        """Makes new one-time keys. If there are too many now, the oldest are dropped."""
        length = self._ask(lib.olm_account_generate_one_time_keys_random_length, count)
        with Buffer.random(length) as random:
            self._call(lib.olm_account_generate_one_time_keys, count, *random)

    @property
    def one_time_keys(self) -> Dict[str, Dict[str, str]]:
        """The public one-time keys that are not published yet, by their ids, under `curve25519`."""
        keys: Dict[str, Dict[str, str]] = self._json(
            lib.olm_account_one_time_keys_length, lib.olm_account_one_time_keys
        )
        return keys

    def remove_one_time_keys(self, session: Session) -> None:
        """Forgets the one-time key that this inbound session has used."""
        self._call(lib.olm_remove_one_time_keys, session._session)

    def generate_fallback_key(self) -> None:
        """Makes a new fallback key. The one before it still works until the next call, or until it
        is forgotten."""
        length = self._ask(lib.olm_account_generate_fallback_key_random_length)
        with Buffer.random(length) as random:
            self._call(lib.olm_account_generate_fallback_key, *random)

    def forget_old_fallback_key(self) -> None:
        """Forgets the fallback key before the current one."""
        with lock:
            lib.olm_account_forget_old_fallback_key(self._account)

    @property
    def fallback_key(self) -> Dict[str, Dict[str, str]]:
        """The public fallback key if it is not published yet, by its id, under `curve25519`."""
        keys: Dict[str, Dict[str, str]] = self._json(
            lib.olm_account_unpublished_fallback_key_length,
            lib.olm_account_unpublished_fallback_key,
        )
        return keys

    def _json(self, length: Callable[..., int], function: Callable[..., int]) -> Any:
        with lock:
            return json.loads(self._output(length(self._account), function).decode())
