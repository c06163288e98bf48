"""Signatures and hashes that need no object."""

from __future__ import annotations

from _libolm import lib

from ._native import Buffer, Functions, Native, Text


class OlmVerifyError(Exception):
    """A signature does not hold."""


class OlmHashError(Exception):
    """A hash could not be computed."""


class _Verifier(Native):
    _functions = Functions("utility", OlmVerifyError)


class _Hasher(Native):
    _functions = Functions("utility", OlmHashError)


def ed25519_verify(key: Text, message: Text, signature: Text) -> None:
    """Verifies the Ed25519 signature of a message, or raises OlmVerifyError."""
    with Buffer.text(key) as public, Buffer.text(message) as data, Buffer.text(signature) as proof:
        _Verifier()._call(lib.olm_ed25519_verify, *public, *data, *proof)


def sha256(input_string: Text) -> str:
    """The SHA-256 hash of the text, in base64."""
    with Buffer.text(input_string) as data:
        hasher = _Hasher()
        length = hasher._ask(lib.olm_sha256_length)
        return hasher._output(length, lib.olm_sha256, *data).decode()
