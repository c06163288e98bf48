"""Olm and Megolm, the end-to-end encryption ratchets of Matrix, with the interface of python-olm on
moceril."""

from .account import Account, OlmAccountError
from .group_session import InboundGroupSession, OlmGroupSessionError, OutboundGroupSession
from .pk import (
    PkDecryption,
    PkDecryptionError,
    PkEncryption,
    PkEncryptionError,
    PkMessage,
    PkSigning,
    PkSigningError,
)
from .sas import OlmSasError, Sas
from .session import (
    InboundSession,
    OlmMessage,
    OlmPreKeyMessage,
    OlmSessionError,
    OutboundSession,
    Session,
)
from .utility import OlmHashError, OlmVerifyError, ed25519_verify, sha256

__version__ = "3.2.16"

__all__ = [
    "Account",
    "InboundGroupSession",
    "InboundSession",
    "OlmAccountError",
    "OlmGroupSessionError",
    "OlmHashError",
    "OlmMessage",
    "OlmPreKeyMessage",
    "OlmSasError",
    "OlmSessionError",
    "OlmVerifyError",
    "OutboundGroupSession",
    "OutboundSession",
    "PkDecryption",
    "PkDecryptionError",
    "PkEncryption",
    "PkEncryptionError",
    "PkMessage",
    "PkSigning",
    "PkSigningError",
    "Sas",
    "Session",
    "ed25519_verify",
    "sha256",
]
