"""A private function of python-olm that its own tests import."""

from ._native import Buffer, Text


def to_bytes(string: Text) -> bytes:
    return bytes(Buffer.text(string).content)
