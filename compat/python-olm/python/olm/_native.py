"""What the classes of this package share: objects of the C library, their memory, and one lock."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional, Type, Union

from _libolm import ffi, lib

if TYPE_CHECKING:
    from typing_extensions import Self

Text = Union[str, bytes]

FAILED: int = lib.olm_error()

# The C functions run without the interpreter's lock, if there is one, and an object must not be
# used by two threads at once. So each call that gets an object holds this lock, except for those
# that make its memory and wipe it: then no other thread has the object. A fork waits for this lock
# too: a child gets no object that another thread was changing, and no lock that nobody releases.
# Code that runs within an operation of the same thread, such as a signal handler, may start another
# one.
lock = threading.RLock()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
    )


class Buffer:
    """Memory for a C function: `*buffer` is its two arguments. `with` wipes it in the end, unless
    it is the caller's."""

    def __init__(self, content: Union[bytes, bytearray], ours: bool = True) -> None:
        self.content = content
        self._ours = ours

    @classmethod
    def text(cls, value: Text) -> Buffer:
        """The bytes, or the str as UTF-8."""
        if isinstance(value, bytes):
            return cls(value, ours=False)
        if isinstance(value, str):
            return cls(bytearray(value, "utf-8"))
        raise TypeError(f"Invalid type {type(value)}")

    @classmethod
    def passphrase(cls, value: Optional[str]) -> Buffer:
        return cls(bytearray(value, "utf-8") if value else bytearray())

    @classmethod
    def random(cls, length: int) -> Buffer:
        # Wiping changes an object that is immutable by rights. Nobody else has it: only results of
        # length 0 or 1 may be shared, and no length is 1.
        return cls(os.urandom(length))

    @classmethod
    def output(cls, length: int) -> Buffer:
        return cls(bytearray(length))

    def __iter__(self) -> Iterator[Any]:
        yield ffi.from_buffer(self.content)
        yield len(self.content)

    def __len__(self) -> int:
        return len(self.content)

    def __enter__(self) -> Buffer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ours:
            length = len(self.content)
            ffi.memmove(ffi.from_buffer(self.content), bytes(length), length)

    def decode(self, length: Optional[int] = None, errors: str = "strict") -> str:
        """The first bytes as a str, with no other copy in between."""
        return str(memoryview(self.content)[:length], "utf-8", errors)


class Functions:
    """The C functions that every kind of object has."""

    def __init__(self, kind: str, error: Type[Exception]) -> None:
        self.size: int = getattr(lib, f"olm_{kind}_size")()
        self.blank: Callable[..., Any] = getattr(lib, f"olm_{kind}")
        self.clear: Callable[..., int] = getattr(lib, f"olm_clear_{kind}")
        self.last_error: Callable[..., Any] = getattr(lib, f"olm_{kind}_last_error")
        self.error = error
        # Not every kind has these.
        self.pickle_length: Any = getattr(lib, f"olm_pickle_{kind}_length", None)
        self.pickle: Any = getattr(lib, f"olm_pickle_{kind}", None)
        self.unpickle: Any = getattr(lib, f"olm_unpickle_{kind}", None)

    def allocate(self) -> Any:
        """A blank object. Its memory is wiped before it is freed."""
        memory = ffi.new("char[]", self.size)
        clear = self.clear

        # The second argument keeps the memory until this has run.
        def wipe(handle: Any, memory: Any = memory) -> None:
            clear(handle)

        return ffi.gc(self.blank(memory), wipe)


class Native:
    """An object of the C library."""

    _functions: Functions
    _handle: Any

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        self = super().__new__(cls)
        self._handle = cls._functions.allocate()
        return self

    def _check_error(self, result: int) -> None:
        if result == FAILED:
            text = ffi.string(self._functions.last_error(self._handle)).decode()
            raise self._functions.error(text)

    def _call(self, function: Callable[..., int], *arguments: Any) -> int:
        with lock:
            result = function(self._handle, *arguments)
            self._check_error(result)
        return result

    def _ask(self, function: Callable[..., int], *arguments: Any) -> int:
        """Calls a function that cannot fail: most say how many bytes another one needs."""
        with lock:
            return function(self._handle, *arguments)

    def _output(self, length: int, function: Callable[..., int], *arguments: Any) -> Buffer:
        """Calls a function that writes so many bytes, to a buffer that is its last argument."""
        output = Buffer.output(length)
        self._call(function, *arguments, *output)
        return output


class Stored(Native):
    """An object that can be stored."""

    def pickle(self, passphrase: Optional[str] = "") -> bytes:
        """The object, encrypted with the passphrase, in base64."""
        with Buffer.passphrase(passphrase) as key:
            return self._pickle(key)

    def _pickle(self, key: Buffer) -> bytes:
        with lock:
            length = self._functions.pickle_length(self._handle)
            return bytes(self._output(length, self._functions.pickle, *key).content)

    @classmethod
    def from_pickle(cls, pickle: bytes, passphrase: Optional[str] = "") -> Self:
        """The object that `pickle` has stored with the same passphrase."""
        if not pickle:
            raise ValueError("Pickle can't be empty")
        with Buffer.passphrase(passphrase) as key:
            self = cls.__new__(cls)
            self._call(cls._functions.unpickle, *key, pickle, len(pickle))
        return self
