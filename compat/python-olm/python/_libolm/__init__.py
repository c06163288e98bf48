"""The C functions of libolm: `lib` has them, `ffi` is cffi's interface to their types."""

from typing import Any

from . import _libolm as _module

ffi: Any = _module.ffi
lib: Any = _module.lib
