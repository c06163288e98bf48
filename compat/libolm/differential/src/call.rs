//! One call of one function: its arguments, and everything that it did on one side.

use std::fmt::{self, Debug, Formatter};

use crate::{
    ffi::{Memory, Value, Word},
    functions::{Parameter, Returns},
    object::{Id, Libraries, Object, Side},
};

#[derive(Clone)]
pub enum Arg {
    Object(Id),
    /// Bytes to read, or a buffer to write to with what it holds before.
    Bytes(Vec<u8>),
    /// A null pointer, and length 0 where a length goes with it.
    Null,
    /// A null pointer with a length that is not 0: only for our library.
    NullWithLength(u64),
    Number(u64),
}

/// What a buffer to write to holds before: an encoder's output is no such byte.
const CANARY: u8 = 0xa7;

impl Arg {
    /// A buffer to write to.
    pub fn room(length: usize) -> Self {
        Self::Bytes(vec![CANARY; length])
    }

    pub fn bytes(&self) -> &[u8] {
        if let Self::Bytes(bytes) = self { bytes } else { &[] }
    }
}

impl From<&[u8]> for Arg {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Arg {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Id> for Arg {
    fn from(id: Id) -> Self {
        Self::Object(id)
    }
}

impl From<u64> for Arg {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Arg {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

/// As text where it is text: for the report of a difference.
impl Debug for Arg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(Id(place)) => write!(f, "object {place}"),
            Self::Bytes(bytes) if bytes.iter().all(|byte| *byte == CANARY) => {
                write!(f, "room[{}]", bytes.len())
            }
            Self::Bytes(bytes) => write!(f, "[{}] {}", bytes.len(), Bytes(bytes)),
            Self::Null => write!(f, "null"),
            Self::NullWithLength(length) => write!(f, "null[{length}]"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// Bytes for a human: quoted when they are printable, else hexadecimal.
pub struct Bytes<'a>(pub &'a [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            return write!(f, "\"{}\"", self.0.escape_ascii());
        }
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a call did on one side.
#[derive(Clone, PartialEq, Eq)]
pub struct Outcome {
    pub value: Value,
    /// What the buffers hold after the call, one for each argument; empty where it is not compared.
    pub buffers: Vec<Vec<u8>>,
    /// Last error of each object among the arguments: code and text.
    pub errors: Vec<(Value, Value)>,
    /// Whether nothing beside the buffers was written.
    pub guards_hold: bool,
}

impl Outcome {
    /// Of a call that was not made.
    pub const fn nothing() -> Self {
        Self { value: Value::Nothing, buffers: Vec::new(), errors: Vec::new(), guards_hold: true }
    }

    /// Whether it is `olm_error()`.
    pub fn failed(&self) -> bool {
        self.value == Value::Number(u64::MAX)
    }

    pub fn number(&self) -> u64 {
        if let Value::Number(number) = self.value { number } else { 0 }
    }

    /// The last error of the first object, without the prefix that three of them have.
    pub fn error(&self) -> &str {
        match self.errors.first() {
            Some((_, Value::Text(text))) => text.strip_prefix("OLM_").unwrap_or(text),
            _ => "",
        }
    }
}

/// A function of the table with its arguments.
pub struct Call {
    pub function: usize,
    pub args: Vec<Arg>,
    /// Where our buffers lie: the distance of the first from an aligned address. libolm's are
    /// aligned.
    pub shift: usize,
}

/// Makes the call in the library of one side.
pub fn perform(libraries: &Libraries, side: Side, call: &Call, objects: &[Object]) -> Outcome {
    let function = &libraries.functions[call.function];
    let library = libraries.of(side);
    assert_eq!(function.parameters.len(), call.args.len(), "arguments of {}", function.name);
    let shift = |place: usize| match side {
        Side::Real => 0,
        Side::Ours => (call.shift + 5 * place) % 16,
    };
    let buffers = call.args.iter().enumerate().map(|(place, arg)| match arg {
        Arg::Bytes(bytes) => Some(Memory::new(bytes, shift(place))),
        _ => None,
    });
    let buffers: Vec<_> = buffers.collect();
    let objects_of_call: Vec<_> = call.objects().map(|Id(place)| &objects[place]).collect();

    let mut words = Vec::new();
    for ((parameter, arg), buffer) in function.parameters.iter().zip(&call.args).zip(&buffers) {
        if let (Parameter::Object { kind, .. }, Arg::Object(Id(place))) = (parameter, arg) {
            assert_eq!(*kind, objects[*place].kind, "an object for {}", function.name);
        }
        let one_word = matches!(parameter, Parameter::Index | Parameter::Byte | Parameter::Number);
        match (arg, buffer) {
            (Arg::Object(Id(place)), _) => words.push(Word::Pointer(objects[*place].memory(side))),
            (Arg::Number(number), _) => words.push(Word::Number(*number)),
            (_, Some(memory)) => words.push(Word::Pointer(memory)),
            _ => words.push(Word::Null),
        }
        match arg {
            Arg::Bytes(bytes) if !one_word => words.push(Word::Number(bytes.len() as u64)),
            Arg::Null if !one_word => words.push(Word::Number(0)),
            Arg::NullWithLength(length) => words.push(Word::Number(*length)),
            _ => {}
        }
    }

    let mut value = library.call(call.function, function.returns, &words);
    if let Some(object) = objects_of_call.first() {
        // What must be equal is not the address or the size, but that it is the object's own.
        let own = match function.returns {
            Returns::Pointer => Some(object.memory(side).address()),
            _ if function.name.starts_with("olm_clear_") => Some(object.memory(side).length()),
            _ => None,
        };
        if let Some(own) = own {
            value = Value::Number((value == Value::Number(own as u64)).into());
        }
    }

    let memories = objects_of_call.iter().map(|object| object.memory(side));
    let guards_hold = memories.chain(buffers.iter().flatten()).all(Memory::guards_hold);
    let is_scratch = |place: usize| function.parameters[place] == Parameter::Scratch;
    let contents = buffers.iter().enumerate().map(|(place, buffer)| match buffer {
        Some(buffer) if !is_scratch(place) => buffer.bytes(),
        _ => Vec::new(),
    });
    let errors = objects_of_call.iter().map(|object| {
        let words = [Word::Pointer(object.memory(side))];
        let (code, text) = libraries.error_functions(object.kind);
        (library.call(code, Returns::Int, &words), library.call(text, Returns::Text, &words))
    });
    Outcome { value, buffers: contents.collect(), errors: errors.collect(), guards_hold }
}

impl Call {
    /// The objects among the arguments.
    pub fn objects(&self) -> impl Iterator<Item = Id> {
        self.args.iter().filter_map(|arg| if let Arg::Object(id) = arg { Some(*id) } else { None })
    }
}
