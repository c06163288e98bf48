"""Olm sessions between two devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Union

from _libolm import ffi, lib

from ._native import FAILED, Buffer, Functions, Stored, Text, lock

if TYPE_CHECKING:
    from typing_extensions import Self

    from .account import Account


class OlmSessionError(Exception):
    """An operation of a session failed."""


class _OlmMessage:
    def __init__(self, ciphertext: Text, message_type: int) -> None:
        if not ciphertext:
            raise ValueError("Ciphertext can't be empty")
        self.ciphertext = ciphertext
        self.message_type = message_type

    def __str__(self) -> str:
        names = {
            lib.OLM_MESSAGE_TYPE_PRE_KEY: "PRE_KEY",
            lib.OLM_MESSAGE_TYPE_MESSAGE: "MESSAGE",
        }
        return f"{names[self.message_type]} {self.ciphertext!s}"


class OlmPreKeyMessage(_OlmMessage):
    """A message that can begin a session."""

    def __init__(self, ciphertext: Text) -> None:
        super().__init__(ciphertext, lib.OLM_MESSAGE_TYPE_PRE_KEY)

    def __repr__(self) -> str:
        return f"OlmPreKeyMessage({self.ciphertext!s})"


class OlmMessage(_OlmMessage):
    """A message of a session in which the sender has received one."""

    def __init__(self, ciphertext: Text) -> None:
        super().__init__(ciphertext, lib.OLM_MESSAGE_TYPE_MESSAGE)

    def __repr__(self) -> str:
        return f"OlmMessage({self.ciphertext!s})"


class Session(Stored):
    """A session with another device: an InboundSession, an OutboundSession, or either from a
    pickle."""

    _functions = Functions("session", OlmSessionError)
    _session: Any

    def __new__(cls) -> Self:
        self = super().__new__(cls)
        self._session = self._handle
        return self

    def __init__(self) -> None:
        if type(self) is Session:
            raise TypeError("Session class may not be instantiated.")

    def encrypt(self, plaintext: Text) -> Union[OlmPreKeyMessage, OlmMessage]:
        """Encrypts a message. It is an OlmPreKeyMessage until one was received in this session."""
        with Buffer.text(plaintext) as data, lock:
            message_type = lib.olm_encrypt_message_type(self._session)
            self._check_error(message_type)
            length = lib.olm_encrypt_message_length(self._session, len(data))
            with Buffer.random(lib.olm_encrypt_random_length(self._session)) as random:
                ciphertext = self._output(length, lib.olm_encrypt, *data, *random).decode()
        if message_type == lib.OLM_MESSAGE_TYPE_PRE_KEY:
            return OlmPreKeyMessage(ciphertext)
        return OlmMessage(ciphertext)

    def decrypt(self, message: _OlmMessage, unicode_errors: str = "replace") -> str:
        """Decrypts a message. `unicode_errors` says what becomes of bytes that are not UTF-8, as in
        `bytes.decode`."""
        data = _ciphertext(message)
        arguments = (message.message_type, *data)
        # No plaintext is longer than its message.
        with Buffer.output(len(data)) as plaintext, lock:
            length = lib.olm_decrypt(self._session, *arguments, *plaintext)
            if length == FAILED:
                # python-olm asks for the length first. If that fails too, its error is the one to
                # report.
                lib.olm_decrypt_max_plaintext_length(self._session, *arguments)
                self._check_error(length)
            return plaintext.decode(length, unicode_errors)

    @property
    def id(self) -> str:
        """The same text at both ends of the session."""
        length = self._ask(lib.olm_session_id_length)
        return self._output(length, lib.olm_session_id).decode()

    def matches(self, message: OlmPreKeyMessage, identity_key: Optional[Text] = None) -> bool:
        """Whether the message began this session, and comes from the device with this identity
        key."""
        if not isinstance(message, OlmPreKeyMessage):
            raise TypeError("Matches can only be called with prekey messages.")
        data = _ciphertext(message)
        if not identity_key:
            return bool(self._call(lib.olm_matches_inbound_session, *data))
        with Buffer.text(identity_key) as key:
            return bool(self._call(lib.olm_matches_inbound_session_from, *key, *data))

    def describe(self, buffer_length: int = 600) -> str:
        """The indices of the session's chains, for logs, in a text that is cut if it needs more
        room than this."""
        text = ffi.new("char[]", buffer_length)
        with lock:
            lib.olm_session_describe(self._session, text, buffer_length)
        description: str = ffi.string(text).decode()
        return description


class InboundSession(Session):
    """A session that another device has begun."""

    def __new__(
        cls, account: Account, message: OlmPreKeyMessage, identity_key: Optional[Text] = None
    ) -> Self:
        return super().__new__(cls)

    def __init__(
        self, account: Account, message: OlmPreKeyMessage, identity_key: Optional[Text] = None
    ) -> None:
        """Begins the session of a message, which must come from the device with this identity key.
        The account keeps the one-time key until `remove_one_time_keys`."""
        data = _ciphertext(message)
        super().__init__()
        if not identity_key:
            self._call(lib.olm_create_inbound_session, account._account, *data)
            return
        with Buffer.text(identity_key) as key:
            self._call(lib.olm_create_inbound_session_from, account._account, *key, *data)


class OutboundSession(Session):
    """A session that this device has begun."""

    def __new__(cls, account: Account, identity_key: Text, one_time_key: Text) -> Self:
        return super().__new__(cls)

    def __init__(self, account: Account, identity_key: Text, one_time_key: Text) -> None:
        """Begins a session with the device that has these keys."""
        if not identity_key:
            raise ValueError("Identity key can't be empty")
        if not one_time_key:
            raise ValueError("One-time key can't be empty")
        super().__init__()
        random_length = self._ask(lib.olm_create_outbound_session_random_length)
        with Buffer.text(identity_key) as identity, Buffer.text(one_time_key) as one_time:
            with Buffer.random(random_length) as random:
                self._call(
                    lib.olm_create_outbound_session,
                    account._account,
                    *identity,
                    *one_time,
                    *random,
                )


def _ciphertext(message: _OlmMessage) -> Buffer:
    if not message.ciphertext:
        raise ValueError("Ciphertext can't be empty")
    return Buffer.text(message.ciphertext)
