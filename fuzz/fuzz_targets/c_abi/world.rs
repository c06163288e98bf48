//! The objects and the shelf, and one call on them, with all checks of its effects.

use c_calls::calls::{Argument, Call, Room, SLOTS, Source};
use calling::{
    Entry, Word,
    functions::{Function, Functions, Kind, Parameter, Returns},
};

use crate::memory::{self, Lent};

const FAILED: u64 = u64::MAX;
const OUTPUT_BUFFER_TOO_SMALL: u8 = 2;
/// Room for whatever a function writes: no text on the shelf is half as long.
const PLENTY: usize = 1 << 15;
const LONGEST_SHELVED: usize = PLENTY / 4;
const UNTOUCHED: u8 = 0xa5;
/// What the scenario puts there stays; of what the fuzzer's calls write, the last ones.
const SHELF: usize = 64;

/// What these write depends on the length of the buffer.
const LENGTH_MATTERS: [&str; 2] = ["olm_sas_generate_bytes", "olm_session_describe"];

/// Writes the public key only where there is a buffer for it.
const MAY_BE_NULL: &str = "olm_unpickle_pk_decryption";

pub struct Table {
    pub functions: Functions,
    entries: Vec<Entry>,
    sizes: [usize; Kind::ALL.len()],
}

impl Table {
    pub fn new(symbols: &[(&str, Entry)]) -> Self {
        let functions = Functions::table();
        let entry = |name: &str| symbols.iter().find(|(symbol, _)| *symbol == name).unwrap().1;
        let entries = functions.iter().map(|function| entry(&function.name)).collect();
        let size =
            |kind: Kind| memory::call(entry(&format!("olm_{}_size", kind.name())), &[]).addr();
        Self { sizes: Kind::ALL.map(size), functions, entries }
    }
}

#[derive(Clone)]
pub struct World {
    /// Objects as bytes, which is all that they are.
    objects: Vec<[Vec<u8>; SLOTS]>,
    shelf: Vec<Vec<u8>>,
    kept: usize,
}

/// One execution: what was lent for each parameter, before and after.
struct Outcome {
    result: u64,
    before: Vec<Vec<u8>>,
    after: Vec<Vec<u8>>,
}

impl World {
    /// With blank objects.
    pub fn new(table: &Table) -> Self {
        let objects = table.sizes.map(|size| [vec![0; size], vec![0; size]]);
        Self { objects: objects.into(), shelf: Vec::new(), kept: SHELF }
    }

    pub fn keep_shelf(&mut self) {
        self.kept = self.shelf.len();
    }

    /// Makes a call, and says whether it succeeded.
    pub fn call(&mut self, table: &Table, call: &Call) -> bool {
        let function = &table.functions[call.function];
        // Objects are only memory, so a call can be tried on copies of them.
        let trial = self.execute(table, call, None);
        let outcome = self.execute(table, call, Some(&trial));
        let failed =
            |outcome: &Outcome| function.returns == Returns::Result && outcome.result == FAILED;
        if failed(&outcome) {
            unchanged_by_failure(function, call, &outcome);
        } else {
            unchanged_by_success(function, call, &outcome);
        }
        if !LENGTH_MATTERS.contains(&function.name.as_str()) && !reads_output(call) {
            match (failed(&trial), failed(&outcome)) {
                (true, failed) => assert!(failed, "{call:?} fails only with enough room"),
                (false, false) => same(function, call, &trial, &outcome),
                (false, true) => assert_eq!(outcome.after[0][0], OUTPUT_BUFFER_TOO_SMALL),
            }
        }
        self.commit(function, call, outcome)
    }

    /// Without a trial before it, every buffer that is written has plenty of room, and memory of
    /// its own.
    fn execute(&self, table: &Table, call: &Call, trial: Option<&Outcome>) -> Outcome {
        let function = &table.functions[call.function];
        let mut lent: Vec<Option<Lent>> = Vec::new();
        let mut words: Vec<Word> = Vec::new();
        // Pointer and true length of each buffer, for those that are the same.
        let mut buffers: Vec<[Word; 2]> = Vec::new();
        for (place, argument) in call.arguments.iter().enumerate() {
            let mut lend = |content: &[u8], shift| {
                let memory = Lent::new(content, shift);
                let start = memory.start();
                lent.push(Some(memory));
                start
            };
            let null = std::ptr::null_mut();
            let (mut buffer, mut said) = (None, None);
            match argument {
                Argument::Number(number) => words.push(memory::number(*number)),
                Argument::Object { slot: None, .. } | Argument::Place { shift: None } => {
                    words.push(null)
                }
                Argument::Object { slot: Some(slot), shift } => {
                    let kind = kind_of(function, place);
                    words.push(lend(&self.objects[kind][*slot], *shift));
                }
                Argument::Place { shift: Some(shift) } => {
                    let wide = function.parameters[place] == Parameter::Index;
                    words.push(lend(&[UNTOUCHED; 4][..if wide { 4 } else { 1 }], *shift));
                }
                Argument::Bytes { source, shift } => {
                    buffer = Some(match source {
                        Source::Null { length } => [null, memory::number((*length).into())],
                        Source::Enormous { below_maximum } => {
                            said = Some(memory::number(u64::MAX - u64::from(*below_maximum)));
                            [lend(&[UNTOUCHED], *shift), memory::number(1)]
                        }
                        Source::Same(other) => same_as(&buffers, *other),
                        source => {
                            let content = self.content(source);
                            let length = memory::number(content.len() as u64);
                            [lend(&content, *shift), length]
                        }
                    });
                }
                Argument::Room { room, shift } => {
                    let needed = trial.map_or(PLENTY, |trial| touched(&trial.after[place]));
                    let room = if trial.is_some() { room } else { &Room::Exact };
                    let length = match room {
                        Room::More(more) => needed + usize::from(*more),
                        Room::Less(less) => needed.saturating_sub((*less).into()),
                        Room::Fixed(length) => (*length).into(),
                        _ => needed,
                    };
                    said = (*room == Room::Enormous).then_some(memory::number(u64::MAX));
                    buffer = Some(match room {
                        Room::Same(other) => same_as(&buffers, *other),
                        Room::Null => [null, memory::number(length as u64)],
                        _ => {
                            [lend(&vec![UNTOUCHED; length], *shift), memory::number(length as u64)]
                        }
                    });
                }
            }
            lent.resize_with(place + 1, || None);
            if let Some([start, length]) = buffer {
                words.extend([start, said.unwrap_or(length)]);
                buffers.push([start, length]);
            }
        }
        let content = |lent: &Option<Lent>| lent.as_ref().map_or(Vec::new(), Lent::bytes);
        let before = lent.iter().map(content).collect();
        let result = memory::call(table.entries[call.function], &words);
        let after = lent.iter().map(content).collect();
        let result = match function.returns {
            Returns::Result | Returns::Size => result.addr() as u64,
            // The upper half is not defined.
            Returns::Int => u64::from(result.addr() as u32),
            Returns::Text => memory::text_length(result) as u64,
            Returns::Pointer => {
                assert_eq!(result, words[0], "a maker returns its argument");
                0
            }
            Returns::Nothing => 0,
        };
        Outcome { result, before, after }
    }

    fn content(&self, source: &Source) -> Vec<u8> {
        let entry = |number: &u8| {
            let place = usize::from(*number).checked_rem(self.shelf.len());
            place.map_or(&[][..], |place| &self.shelf[place])
        };
        match source {
            Source::Shelf(number) => entry(number).to_vec(),
            Source::Part { entry: number, start, length } => {
                let rest = entry(number).iter().skip((*start).into()).copied();
                rest.chain(std::iter::repeat(b'A')).take((*length).into()).collect()
            }
            Source::Altered { entry: number, at, mask } => {
                let mut content = entry(number).to_vec();
                if let Some(place) = usize::from(*at).checked_rem(content.len()) {
                    content[place] ^= mask;
                }
                content
            }
            Source::Literal(literal) => literal.clone(),
            Source::Filled { byte, length } => vec![*byte; (*length).into()],
            Source::Random { seed, length } => random(*seed).take((*length).into()).collect(),
            Source::Null { .. } | Source::Enormous { .. } | Source::Same(_) => {
                unreachable!("not a content")
            }
        }
    }

    fn commit(&mut self, function: &Function, call: &Call, outcome: Outcome) -> bool {
        let failed = function.returns == Returns::Result && outcome.result == FAILED;
        for (place, (argument, mut after)) in call.arguments.iter().zip(outcome.after).enumerate() {
            match argument {
                Argument::Object { slot: Some(slot), .. } => {
                    self.objects[kind_of(function, place)][*slot] = after;
                }
                Argument::Room { .. } if !failed => {
                    after.truncate(touched(&after).min(LONGEST_SHELVED));
                    if self.shelf.len() >= SHELF {
                        self.shelf.remove(self.kept);
                    }
                    self.shelf.push(after);
                }
                _ => {}
            }
        }
        !failed
    }
}

/// The kind of the object at a place, as an index.
fn kind_of(function: &Function, place: usize) -> usize {
    let is_it = |kind: &Kind| match function.parameters[place] {
        Parameter::Object { kind: wanted, .. } => *kind == wanted,
        _ => function.makes(*kind),
    };
    Kind::ALL.iter().position(is_it).expect("the place of an object")
}

fn same_as(buffers: &[[Word; 2]], number: u8) -> [Word; 2] {
    let place = usize::from(number).checked_rem(buffers.len());
    place.map_or([std::ptr::null_mut(); 2], |place| buffers[place])
}

/// How much of a buffer was written to.
fn touched(after: &[u8]) -> usize {
    after.iter().rposition(|byte| *byte != UNTOUCHED).map_or(0, |last| last + 1)
}

fn random(seed: u8) -> impl Iterator<Item = u8> {
    let mut state = u64::from(seed);
    std::iter::repeat_with(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
}

/// S-04: of an object, only the last error; of buffers, nothing. Random bytes may be wiped, and
/// `olm_group_decrypt` may have written the index.
fn unchanged_by_failure(function: &Function, call: &Call, outcome: &Outcome) {
    let wiped = overlap(call) && function.parameters.contains(&Parameter::Random);
    for (place, parameter) in function.parameters.iter().enumerate() {
        let (before, after) = (&outcome.before[place], &outcome.after[place]);
        let unchanged = match parameter {
            Parameter::Object { .. } => before.get(1..) == after.get(1..),
            Parameter::Random | Parameter::Index => true,
            Parameter::In if wiped => true,
            _ => before == after,
        };
        assert!(unchanged, "{} failed and changed argument {place}", function.name);
    }
}

/// Inputs, and objects that are only asked.
fn unchanged_by_success(function: &Function, call: &Call, outcome: &Outcome) {
    for (place, parameter) in function.parameters.iter().enumerate() {
        let read_only = match parameter {
            Parameter::Object { may_change, .. } => !may_change,
            Parameter::In | Parameter::Scratch => !overlap(call),
            _ => false,
        };
        let unchanged = outcome.before[place] == outcome.after[place];
        assert!(unchanged || !read_only, "{} changed argument {place}", function.name);
    }
}

/// Whether an input may be the memory of an output before it, whose length is another in the trial.
fn reads_output(call: &Call) -> bool {
    let arguments = call.arguments.iter();
    let mut from_output =
        arguments.skip_while(|argument| !matches!(argument, Argument::Room { .. }));
    from_output.any(|argument| matches!(argument, Argument::Bytes { source: Source::Same(_), .. }))
}

/// Whether buffers of a call are the same memory.
fn overlap(call: &Call) -> bool {
    call.arguments.iter().any(|argument| match argument {
        Argument::Bytes { source, .. } => matches!(source, Source::Same(_)),
        Argument::Room { room, .. } => matches!(room, Room::Same(_)),
        _ => false,
    })
}

/// However long the buffers are, and wherever: the same result, the same objects, the same output.
fn same(function: &Function, call: &Call, trial: &Outcome, outcome: &Outcome) {
    assert_eq!(trial.result, outcome.result, "{}", function.name);
    for (place, parameter) in function.parameters.iter().enumerate() {
        let (expected, after) = (&trial.after[place], &outcome.after[place]);
        let same = match parameter {
            Parameter::Out if overlap(call) => true,
            Parameter::Out if function.name == MAY_BE_NULL && after.is_empty() => true,
            Parameter::Out => {
                let (start, rest) = expected.split_at(after.len().min(expected.len()));
                *after == start && rest.iter().all(|byte| *byte == UNTOUCHED)
            }
            Parameter::Object { .. } | Parameter::Memory => expected == after,
            _ => true,
        };
        assert!(same, "{}: argument {place} depends on the length of a buffer", function.name);
    }
}
