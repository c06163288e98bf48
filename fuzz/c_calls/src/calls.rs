//! One call, and its form in bytes. Every string of bytes is a sequence of calls.

use calling::functions::{Functions, Parameter};

/// Objects of each kind.
pub const SLOTS: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number in the table.
    pub function: usize,
    pub arguments: Vec<Argument>,
}

/// `shift` is the distance from an aligned address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    Object {
        slot: Option<usize>,
        shift: usize,
    },
    Bytes {
        source: Source,
        shift: usize,
    },
    Room {
        room: Room,
        shift: usize,
    },
    /// For one number that is written; `None` is a null pointer.
    Place {
        shift: Option<usize>,
    },
    Number(u64),
}

/// What is in a buffer that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// What an earlier call wrote.
    Shelf(u8),
    /// A part of it. What lies beyond its end is filled up.
    Part {
        entry: u8,
        start: u16,
        length: u16,
    },
    /// All of it, and one byte is another.
    Altered {
        entry: u8,
        at: u16,
        mask: u8,
    },
    Literal(Vec<u8>),
    Filled {
        byte: u8,
        length: u16,
    },
    Random {
        seed: u8,
        length: u16,
    },
    Null {
        length: u8,
    },
    /// One byte of memory, and a length that no buffer can have.
    Enormous {
        below_maximum: u8,
    },
    /// The memory of an earlier argument of this call.
    Same(u8),
}

/// How long a buffer is that is written, compared with what the function has to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Room {
    Exact,
    More(u8),
    Less(u8),
    Fixed(u16),
    Null,
    /// What is needed is there, and the length is said to be one that no buffer can have.
    Enormous,
    Same(u8),
}

/// The longest buffer that is read.
const MAX_LENGTH: u16 = 8192;
const NULL_OBJECT: u8 = 0x0f;

impl Call {
    /// Takes a call from the front; `None` at the end. Missing bytes are zeros.
    pub fn decode(functions: &Functions, bytes: &mut &[u8]) -> Option<Self> {
        let (number, rest) = bytes.split_first()?;
        *bytes = rest;
        let function = usize::from(*number) % functions.len();
        let parameters = functions[function].parameters.iter();
        let arguments = parameters.map(|parameter| Argument::decode(*parameter, bytes)).collect();
        Some(Self { function, arguments })
    }

    pub fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::try_from(self.function).expect("fewer than 256 functions"));
        self.arguments.iter().for_each(|argument| argument.encode(bytes));
    }
}

impl Argument {
    fn decode(parameter: Parameter, bytes: &mut &[u8]) -> Self {
        let [head] = take(bytes);
        let (tag, shift) = (head & 0x0f, usize::from(head >> 4 & 7));
        match parameter {
            Parameter::Object { .. } | Parameter::Memory => {
                let slot = (tag != NULL_OBJECT).then_some(usize::from(tag) % SLOTS);
                Self::Object { slot, shift }
            }
            Parameter::In | Parameter::Scratch | Parameter::Random => {
                Self::Bytes { source: Source::decode(tag, bytes), shift }
            }
            Parameter::Out => Self::Room { room: Room::decode(tag, bytes), shift },
            Parameter::Index | Parameter::Byte => {
                Self::Place { shift: (tag == 0).then_some(shift) }
            }
            Parameter::Number => Self::Number(match tag % 4 {
                0 => take::<1>(bytes)[0].into(),
                1 => u16::from_le_bytes(take(bytes)).into(),
                2 => u32::from_le_bytes(take(bytes)).into(),
                _ => u64::MAX - u64::from(take::<1>(bytes)[0]),
            }),
        }
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        let head = |tag: u8, shift: &usize| tag | (*shift as u8) << 4;
        match self {
            Self::Object { slot, shift } => {
                bytes.push(head(slot.map_or(NULL_OBJECT, |slot| slot as u8), shift));
            }
            Self::Bytes { source, shift } => source.encode(bytes, |tag| head(tag, shift)),
            Self::Room { room, shift } => room.encode(bytes, |tag| head(tag, shift)),
            Self::Place { shift } => bytes.push(shift.map_or(1, |shift| head(0, &shift))),
            Self::Number(number) => {
                bytes.push(2);
                let number = u32::try_from(*number).expect("no larger ones in seeds");
                bytes.extend(number.to_le_bytes());
            }
        }
    }
}

impl Source {
    fn decode(tag: u8, bytes: &mut &[u8]) -> Self {
        let number = |bytes: &mut &[u8]| u16::from_le_bytes(take(bytes)) % MAX_LENGTH;
        let [operand] = take(bytes);
        match tag % 9 {
            0 => Self::Shelf(operand),
            1 => Self::Part { entry: operand, start: number(bytes), length: number(bytes) },
            2 => Self::Altered { entry: operand, at: number(bytes), mask: take::<1>(bytes)[0] },
            3 => {
                let (literal, rest) = bytes.split_at(bytes.len().min(operand.into()));
                *bytes = rest;
                Self::Literal(literal.to_vec())
            }
            4 => Self::Filled { byte: operand, length: number(bytes) },
            5 => Self::Random { seed: operand, length: number(bytes) },
            6 => Self::Null { length: operand },
            7 => Self::Enormous { below_maximum: operand },
            _ => Self::Same(operand),
        }
    }

    fn encode(&self, bytes: &mut Vec<u8>, head: impl Fn(u8) -> u8) {
        match self {
            Self::Shelf(entry) => bytes.extend([head(0), *entry]),
            Self::Part { entry, start, length } => {
                bytes.extend([head(1), *entry]);
                bytes.extend([start.to_le_bytes(), length.to_le_bytes()].as_flattened());
            }
            Self::Altered { entry, at, mask } => {
                let [low, high] = at.to_le_bytes();
                bytes.extend([head(2), *entry, low, high, *mask]);
            }
            Self::Literal(literal) => {
                bytes.extend([head(3), u8::try_from(literal.len()).expect("a short literal")]);
                bytes.extend(literal);
            }
            Self::Filled { byte: operand, length } | Self::Random { seed: operand, length } => {
                let tag = if matches!(self, Self::Filled { .. }) { 4 } else { 5 };
                bytes.extend([head(tag), *operand]);
                bytes.extend(length.to_le_bytes());
            }
            Self::Null { length } => bytes.extend([head(6), *length]),
            Self::Enormous { below_maximum } => bytes.extend([head(7), *below_maximum]),
            Self::Same(argument) => bytes.extend([head(8), *argument]),
        }
    }
}

impl Room {
    fn decode(tag: u8, bytes: &mut &[u8]) -> Self {
        match tag % 7 {
            0 => Self::Exact,
            1 => Self::More(take::<1>(bytes)[0]),
            2 => Self::Less(take::<1>(bytes)[0]),
            3 => Self::Fixed(u16::from_le_bytes(take(bytes)) % MAX_LENGTH),
            4 => Self::Null,
            5 => Self::Enormous,
            _ => Self::Same(take::<1>(bytes)[0]),
        }
    }

    fn encode(&self, bytes: &mut Vec<u8>, head: impl Fn(u8) -> u8) {
        match self {
            Self::Exact => bytes.push(head(0)),
            Self::More(difference) => bytes.extend([head(1), *difference]),
            Self::Less(difference) => bytes.extend([head(2), *difference]),
            Self::Fixed(length) => {
                bytes.push(head(3));
                bytes.extend(length.to_le_bytes());
            }
            Self::Null => bytes.push(head(4)),
            Self::Enormous => bytes.push(head(5)),
            Self::Same(argument) => bytes.extend([head(6), *argument]),
        }
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (taken, rest) = bytes.split_at(bytes.len().min(N));
    *bytes = rest;
    let mut array = [0; N];
    array[..taken.len()].copy_from_slice(taken);
    array
}
