//! The shared library of the Python module `_libolm`: the C functions of `moceril-libolm`.

extern crate olm as _;
