//! The table of the 150 functions, `functions.txt`, as data.

use std::{collections::HashMap, ops::Deref};

/// The kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Account,
    Session,
    Outbound,
    Inbound,
    Utility,
    PkEncryption,
    PkDecryption,
    PkSigning,
    Sas,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Account,
        Self::Session,
        Self::Outbound,
        Self::Inbound,
        Self::Utility,
        Self::PkEncryption,
        Self::PkDecryption,
        Self::PkSigning,
        Self::Sas,
    ];

    /// As in the names of its functions: `olm_account`, `olm_account_size`, `olm_clear_account`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Session => "session",
            Self::Outbound => "outbound_group_session",
            Self::Inbound => "inbound_group_session",
            Self::Utility => "utility",
            Self::PkEncryption => "pk_encryption",
            Self::PkDecryption => "pk_decryption",
            Self::PkSigning => "pk_signing",
            Self::Sas => "sas",
        }
    }

    pub const fn can_be_pickled(self) -> bool {
        matches!(
            self,
            Self::Account | Self::Session | Self::Outbound | Self::Inbound | Self::PkDecryption
        )
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().split("_group").next() == Some(name))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// A `size_t` that may be `olm_error()`.
    Result,
    /// A `size_t` that cannot.
    Size,
    /// 32 bits: `int`, `uint32_t`, an enum.
    Int,
    Text,
    Pointer,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    Object { kind: Kind, may_change: bool },
    Memory,
    In,
    Random,
    Out,
    Scratch,
    Index,
    Byte,
    Number,
}

pub struct Function {
    pub name: String,
    pub returns: Returns,
    pub parameters: Vec<Parameter>,
    /// The errors that it can report, without the prefix `OLM_` that three of them have.
    pub errors: Vec<String>,
}

impl Function {
    /// Whether it is the constructor of a kind.
    pub fn makes(&self, kind: Kind) -> bool {
        self.parameters.first() == Some(&Parameter::Memory)
            && self.name.strip_prefix("olm_") == Some(kind.name())
    }
}

pub struct Functions {
    list: Vec<Function>,
    numbers: HashMap<String, usize>,
}

impl Functions {
    pub fn table() -> Self {
        let lines = include_str!("functions.txt").lines();
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let list: Vec<_> = lines.map(parse).collect();
        assert_eq!(list.len(), 150, "libolm has 150 functions");
        let numbers = list.iter().enumerate().map(|(n, function)| (function.name.clone(), n));
        Self { numbers: numbers.collect(), list }
    }

    /// The number of a function.
    pub fn number(&self, name: &str) -> usize {
        *self.numbers.get(name).unwrap_or_else(|| panic!("{name} is not in the table"))
    }
}

impl Deref for Functions {
    type Target = [Function];

    fn deref(&self) -> &[Function] {
        &self.list
    }
}

fn parse(line: &str) -> Function {
    let (signature, errors) = line.split_once('|').unwrap_or((line, ""));
    let mut words = signature.split_whitespace();
    let returns = match words.next() {
        Some("result") => Returns::Result,
        Some("size") => Returns::Size,
        Some("int") => Returns::Int,
        Some("text") => Returns::Text,
        Some("pointer") => Returns::Pointer,
        Some("nothing") => Returns::Nothing,
        _ => panic!("no result: {line}"),
    };
    let name = words.next().unwrap_or_else(|| panic!("no name: {line}")).into();
    let errors = errors.split_whitespace().map(Into::into).collect();
    Function { name, returns, parameters: words.map(parse_parameter).collect(), errors }
}

fn parse_parameter(word: &str) -> Parameter {
    match word {
        "memory" => Parameter::Memory,
        "in" => Parameter::In,
        "random" => Parameter::Random,
        "out" => Parameter::Out,
        "scratch" => Parameter::Scratch,
        "index" => Parameter::Index,
        "byte" => Parameter::Byte,
        "number" => Parameter::Number,
        object => {
            let may_change = object.ends_with('*');
            let kind = Kind::parse(object.trim_end_matches('*'));
            let kind = kind.unwrap_or_else(|| panic!("no such parameter: {object}"));
            Parameter::Object { kind, may_change }
        }
    }
}
