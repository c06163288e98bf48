//! The two libraries, and an object that lives in both.

use std::env;

use crate::{
    ffi::{Library, Memory, Value},
    functions::{Functions, Kind, Returns},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Real,
    Ours,
}

/// The place of an object in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(pub usize);

pub struct Libraries {
    pub functions: Functions,
    /// Two builds of libolm are compared, to test this test.
    pub are_both_real: bool,
    real: Library,
    ours: Library,
    /// The functions that tell the last error's code and text, by kind.
    error_functions: Vec<(usize, usize)>,
}

impl Libraries {
    pub fn open(real: &str, ours: &str) -> Result<Self, String> {
        let functions = Functions::table();
        let error_functions = Kind::ALL.into_iter().map(|kind| {
            let text = format!("olm_{}_last_error", kind.name());
            (functions.number(&format!("{text}_code")), functions.number(&text))
        });
        let error_functions = error_functions.collect();
        let real = Library::open(real, &functions)?;
        let ours = Library::open(ours, &functions)?;
        let are_both_real = env::var_os("BOTH_REAL").is_some();
        Ok(Self { functions, are_both_real, real, ours, error_functions })
    }

    pub const fn of(&self, side: Side) -> &Library {
        match side {
            Side::Real => &self.real,
            Side::Ours => &self.ours,
        }
    }

    pub fn error_functions(&self, kind: Kind) -> (usize, usize) {
        self.error_functions[kind as usize]
    }

    fn size(&self, side: Side, kind: Kind) -> usize {
        let function = self.functions.number(&format!("olm_{}_size", kind.name()));
        match self.of(side).call(function, Returns::Size, &[]) {
            Value::Number(size) => size.try_into().expect("a size"),
            _ => 0,
        }
    }
}

/// An object that lives in both libraries.
pub struct Object {
    pub kind: Kind,
    real: Memory,
    ours: Memory,
    /// Nothing ever gave it keys.
    pub is_blank: bool,
    /// A call has changed it since it was made.
    pub is_used: bool,
    /// The public key that it was asked for, if it is one of a verification.
    pub sas_key: Option<Vec<u8>>,
    /// The pickle of ours, when no call may have changed it since.
    pub known: Option<Vec<u8>>,
}

impl Object {
    /// Memory for one. What it holds is up to `filling`, and ours begins at any address.
    pub fn new(libraries: &Libraries, kind: Kind, filling: u8, shift: usize) -> Self {
        let memory = |side, shift| Memory::new(&vec![filling; libraries.size(side, kind)], shift);
        Self {
            kind,
            real: memory(Side::Real, 0),
            ours: memory(Side::Ours, shift),
            is_blank: true,
            is_used: false,
            sas_key: None,
            known: None,
        }
    }

    pub const fn memory(&self, side: Side) -> &Memory {
        match side {
            Side::Real => &self.real,
            Side::Ours => &self.ours,
        }
    }
}
