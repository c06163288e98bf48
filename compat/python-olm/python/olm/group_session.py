"""Megolm sessions: one sender, many receivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Tuple

from _libolm import ffi, lib

from ._native import FAILED, Buffer, Functions, Stored, Text, lock

if TYPE_CHECKING:
    from typing_extensions import Self


class OlmGroupSessionError(Exception):
    """An operation of a group session failed."""


class InboundGroupSession(Stored):
    """The session of a receiver."""

    _functions = Functions("inbound_group_session", OlmGroupSessionError)
    _session: Any

    def __new__(cls, session_key: Optional[Text] = None) -> Self:
        self = super().__new__(cls)
        self._session = self._handle
        return self

    def __init__(self, session_key: Text) -> None:
        """Begins the session of a key that its sender has shared."""
        with Buffer.text(session_key) as key:
            self._call(lib.olm_init_inbound_group_session, *key)

    def decrypt(self, ciphertext: Text, unicode_errors: str = "replace") -> Tuple[str, int]:
        """Decrypts a message to its plaintext and its index. The caller must reject an index that
        it has seen for another message. `unicode_errors` says what becomes of bytes that are not
        UTF-8, as in `bytes.decode`."""
        if not ciphertext:
            raise ValueError("Ciphertext can't be empty.")
        data = Buffer.text(ciphertext)
        index = ffi.new("uint32_t *")
        # No plaintext is longer than its message.
        with Buffer.output(len(data)) as plaintext, lock:
            length = lib.olm_group_decrypt(self._session, *data, *plaintext, index)
            if length == FAILED:
                # python-olm asks for the length first. If that fails too, its error is the one to
                # report.
                lib.olm_group_decrypt_max_plaintext_length(self._session, *data)
                self._check_error(length)
            return plaintext.decode(length, unicode_errors), index[0]

    @property
    def id(self) -> str:
        """The same text as the sender's."""
        length = self._ask(lib.olm_inbound_group_session_id_length)
        return self._output(length, lib.olm_inbound_group_session_id).decode()

    @property
    def first_known_index(self) -> int:
        """The index of the first message that can be decrypted."""
        return self._ask(lib.olm_inbound_group_session_first_known_index)

    def export_session(self, message_index: int) -> str:
        """A key with which messages can be decrypted from this index on, for `import_session`."""
        length = self._ask(lib.olm_export_inbound_group_session_length)
        with Buffer.output(length) as key:
            self._call(lib.olm_export_inbound_group_session, *key, message_index)
            return key.decode()

    @classmethod
    def import_session(cls, session_key: Text) -> Self:
        """The session of an exported key. Nothing proves whose session it is."""
        self = cls.__new__(cls)
        with Buffer.text(session_key) as key:
            self._call(lib.olm_import_inbound_group_session, *key)
        return self


class OutboundGroupSession(Stored):
    """The session of the sender."""

    _functions = Functions("outbound_group_session", OlmGroupSessionError)
    _session: Any

    def __new__(cls) -> Self:
        self = super().__new__(cls)
        self._session = self._handle
        return self

    def __init__(self) -> None:
        """Makes a new session."""
        length = self._ask(lib.olm_init_outbound_group_session_random_length)
        with Buffer.random(length) as random:
            self._call(lib.olm_init_outbound_group_session, *random)

    def encrypt(self, plaintext: Text) -> str:
        """Encrypts the next message."""
        with Buffer.text(plaintext) as data, lock:
            length = lib.olm_group_encrypt_message_length(self._session, len(data))
            return self._output(length, lib.olm_group_encrypt, *data).decode()

    @property
    def id(self) -> str:
        """The same text as the receivers'."""
        length = self._ask(lib.olm_outbound_group_session_id_length)
        return self._output(length, lib.olm_outbound_group_session_id).decode()

    @property
    def message_index(self) -> int:
        """The index of the next message."""
        return self._ask(lib.olm_outbound_group_session_message_index)

    @property
    def session_key(self) -> str:
        """The key to share with receivers. They can decrypt from the next message on."""
        length = self._ask(lib.olm_outbound_group_session_key_length)
        with self._output(length, lib.olm_outbound_group_session_key) as key:
            return key.decode()
