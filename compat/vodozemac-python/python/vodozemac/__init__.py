"""Olm and Megolm, the end-to-end encryption ratchets of Matrix, with the interface of the package
vodozemac on moceril."""

from .vodozemac import *

__all__ = [
    "KeyException",
    "SignatureException",
    "DecodeException",
    "LibolmPickleException",
    "SessionKeyDecodeException",
    "PickleException",
    "SessionCreationException",
    "SasException",
    "OlmEncryptionException",
    "OlmDecryptionException",
    "MegolmDecryptionException",
    "PkInvalidKeySizeException",
    "PkDecodeException",
    "Curve25519PublicKey",
    "Curve25519SecretKey",
    "Ed25519PublicKey",
    "Ed25519Signature",
    "AnyOlmMessage",
    "PreKeyMessage",
    "MegolmMessage",
    "Account",
    "Session",
    "SessionKey",
    "ExportedSessionKey",
    "GroupSession",
    "InboundGroupSession",
    "Sas",
    "EstablishedSas",
    "Message",
    "PkDecryption",
    "PkEncryption",
]
