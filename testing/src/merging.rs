//! Copies of one inbound session, in any order of importing, merging, forgetting, closing,
//! exporting, decrypting and pickling, beside a naive oracle that knows a list of (index, key,
//! provenance), and nothing else (S-43, S-21, S-20, S-19).
//!
//! A test or a fuzzer calls [`run`] with any bytes, or [`go`] with steps of its own.

use std::collections::{BTreeMap, HashMap};

use moceril::{
    PickleError, PickleKey,
    megolm::{
        DecryptionError, ExportError, ExportedSessionKey, GroupSession, GroupSessionConfig,
        InboundGroupSession, MegolmMessage, Provenance, ReplayError, ReplayGuard, ReplayVerdict,
    },
};

use crate::libolm_pickle;
use crate::naive::megolm::{Ratchet, step_by_step};
use crate::pickle_editor::{CONTEXT, KEY, edit};
use crate::pickled::Pickled;
use crate::rng::SeededRng;

/// The second place is before one where three parts of the ratchet are replaced.
pub const STARTS: [u32; 2] = [0, 0x00ff_fe00];
/// So many indices, which cross four reseeds.
const COUNT: u32 = 1_100;

/// A sender, its messages, and the keys of all ratchets that can be claimed: the genuine ones, and
/// forged ones that become genuine at the next reseed.
pub struct Room {
    start: u32,
    genuine: InboundGroupSession,
    messages: Vec<MegolmMessage>,
    forged: Vec<ExportedSessionKey>,
    /// A number for each ratchet value.
    numbers: HashMap<Ratchet, usize>,
    lines: Vec<BTreeMap<u32, usize>>,
}

fn ratchet(key: &ExportedSessionKey) -> Ratchet {
    let bytes = key.to_bytes();
    std::array::from_fn(|part| bytes[5 + 32 * part..][..32].try_into().unwrap())
}

impl Room {
    pub fn new(start: u32) -> Self {
        let new = GroupSession::with_rng(GroupSessionConfig::default(), &mut SeededRng::new(4));
        let moved = edit(&new.unwrap().snapshot(), |open| open.set_number("index", start.into()));
        let mut sender = GroupSession::restore(&moved).unwrap();
        let genuine = InboundGroupSession::new(&sender.session_key());
        let messages = (0..COUNT).map(|_| sender.encrypt(b"text").unwrap()).collect();
        let (forged, numbers, lines) = (Vec::new(), HashMap::new(), Vec::new());
        let mut room = Self { start, genuine, messages, forged, numbers, lines };
        room.add_line(&room.genuine.export_at(start).unwrap());
        for index in [start, start + 255, start + 300, start + 513] {
            let mut bytes = room.genuine.export_at(index).unwrap().to_bytes();
            // The last bit of part 3.
            bytes[132] ^= 1;
            let key = ExportedSessionKey::from_bytes(&bytes).unwrap();
            room.add_line(&key);
            room.forged.push(key);
        }
        room
    }

    fn add_line(&mut self, key: &ExportedSessionKey) {
        let first = key.index();
        let (mut value, mut at) = (ratchet(key), first);
        let mut line = BTreeMap::new();
        for index in first..self.start + COUNT {
            value = step_by_step(value, at.into(), index.into());
            at = index;
            let next = self.numbers.len();
            line.insert(index, *self.numbers.entry(value).or_insert(next));
        }
        self.lines.push(line);
    }

    fn number(&self, key: &ExportedSessionKey) -> usize {
        self.numbers[&ratchet(key)]
    }
}

/// A session with its replay guard, and what the oracle knows of both.
struct Copy {
    session: InboundGroupSession,
    guard: ReplayGuard,
    closed: bool,
    /// The number of the key and its provenance, for each index from the first known one on.
    known: BTreeMap<u32, (usize, Provenance)>,
    events: HashMap<u32, u8>,
}

impl Copy {
    /// A copy that begins at the index of `key`, which is in that line.
    fn import(room: &Room, line: usize, key: &ExportedSessionKey, provenance: Provenance) -> Self {
        let session = match provenance {
            Provenance::Backup => InboundGroupSession::import_from_backup(key),
            Provenance::Exported => InboundGroupSession::import(key),
            _ => {
                let mut session = room.genuine.copy();
                session.advance_to(key.index());
                session
            }
        };
        let known = room.lines[line].range(key.index()..);
        Self {
            guard: ReplayGuard::new(&session),
            session,
            closed: false,
            known: known.map(|(index, number)| (*index, (*number, provenance))).collect(),
            events: HashMap::new(),
        }
    }

    fn first(&self) -> u32 {
        *self.known.first_key_value().unwrap().0
    }

    /// An index from the first known one on, and that one with probability 1 in 256.
    fn index(&self, choice: u16) -> u32 {
        let count = self.known.len();
        *self.known.keys().nth(usize::from(choice) % count).unwrap()
    }

    fn check(&self, room: &Room) {
        let first = self.first();
        assert_eq!(
            (self.session.first_known_index(), self.session.is_closed()),
            (first, self.closed)
        );
        assert_eq!(first.checked_sub(1).and_then(|index| self.session.provenance_at(index)), None);
        for (index, (_, provenance)) in &self.known {
            assert_eq!(self.session.provenance_at(*index), Some(*provenance), "index {index}");
        }
        for index in [first, first | 0xff, (first | 0xff) + 1, room.start + COUNT - 1] {
            let Some((number, _)) = self.known.get(&index) else { continue };
            let exported = self.session.export_at(index).map(|key| room.number(&key));
            assert_eq!(exported, if self.closed { Err(ExportError::Closed) } else { Ok(*number) });
        }
    }

    /// The union of both. At each index the better provenance of those with that key; before the
    /// later copy begins, that copy vouches for the keys of the same 256 messages.
    fn merge(&self, other: &Self) -> Option<Self> {
        let session = self.session.merge(&other.session).ok();
        let common = self.first().max(other.first());
        let equal = self.known[&common].0 == other.known[&common].0;
        let expected = equal && !self.closed && !other.closed;
        assert_eq!(session.is_some(), expected);
        let (earlier, later) =
            if self.first() <= other.first() { (self, other) } else { (other, self) };
        let mut known = earlier.known.clone();
        for (index, (_, provenance)) in &mut known {
            let vouching = (*index).max(later.first());
            if vouching >> 8 == index >> 8 || *index >= later.first() {
                *provenance = (*provenance).max(later.known[&vouching].1);
            }
        }
        Some(Self {
            session: session?,
            guard: self.guard.clone(),
            closed: false,
            known,
            events: self.events.clone(),
        })
    }

    fn decrypt(&mut self, room: &Room, index: u32, event: u8) {
        let message = &room.messages[(index - room.start) as usize];
        let (number, provenance) = self.known[&index];
        let decrypted = match self.session.decrypt(message) {
            Ok(decrypted) => decrypted,
            Err(error) if self.closed => return assert_eq!(error, DecryptionError::Closed),
            Err(error) => {
                assert_ne!(number, room.lines[0][&index], "a genuine message was refused");
                return assert_eq!(error, DecryptionError::Authentication);
            }
        };
        assert_eq!((number, self.closed), (room.lines[0][&index], false));
        assert_eq!(decrypted.provenance(), provenance);
        let expected = match self.events.get(&index) {
            None => Ok(ReplayVerdict::First),
            Some(seen) if *seen == event => Ok(ReplayVerdict::Again),
            Some(_) => Err(ReplayError::Replayed { index }),
        };
        assert_eq!(self.guard.check(&decrypted, &format!("event {event}")), expected);
        self.events.entry(index).or_insert(event);
    }

    /// Goes through a pickle. One with a character changed, or cut off, is refused.
    fn pickle(&mut self, choice: u16) {
        let key = PickleKey::from_bytes(KEY);
        let pickle = self.session.pickle(&key, CONTEXT).unwrap();
        let guard = self.guard.pickle(&key, CONTEXT).unwrap();
        for text in [&pickle, &guard] {
            let place = usize::from(choice) % text.len();
            let mut hostile = text.clone().into_bytes();
            hostile[place] = if hostile[place] == b'B' { b'C' } else { b'B' };
            let hostile = String::from_utf8(hostile).unwrap();
            for hostile in [&hostile, &text[..place]] {
                assert!(InboundGroupSession::from_pickle(hostile, &key, CONTEXT).is_err());
                let refused = ReplayGuard::from_pickle(hostile, &key, CONTEXT, &self.session);
                assert!(refused.is_err());
            }
        }
        let wrong = InboundGroupSession::from_pickle(&guard, &key, CONTEXT);
        assert_eq!(wrong.err(), Some(PickleError::ObjectType));
        let (old, _) = self.session.to_libolm_pickle_lossy(libolm_pickle::KEY).unwrap_or_default();
        assert_eq!(old.is_empty(), self.closed, "a closed session has no form in libolm");
        let cut = &old[..old.len() * usize::from(choice % 100) / 100];
        assert!(InboundGroupSession::from_libolm_pickle(cut, libolm_pickle::KEY).is_err());
        self.guard = ReplayGuard::from_pickle(&guard, &key, CONTEXT, &self.session).unwrap();
        self.session = InboundGroupSession::from_pickle(&pickle, &key, CONTEXT).unwrap();
    }
}

/// What is done, to which copy, and two more choices.
pub type Step = (u8, u8, u16, u8);

/// Where something may change: around the reseeds, or anywhere.
fn place(room: &Room, choice: u16) -> u32 {
    match choice % 4 {
        0 => room.start + u32::from(choice / 4) % COUNT,
        kind => room.start + (256 * u32::from(choice / 4 % 4) + 255 + u32::from(kind)) % COUNT,
    }
}

fn source(room: &Room, choice: u16, kind: u8) -> Copy {
    let provenance = [Provenance::Backup, Provenance::Exported, Provenance::Signed];
    let (forged, provenance) = (kind % 5, provenance[usize::from(kind / 5) % 3]);
    match room.forged.get(usize::from(forged)) {
        Some(key) if provenance != Provenance::Signed => {
            Copy::import(room, usize::from(forged) + 1, key, provenance)
        }
        _ => {
            let key = room.genuine.export_at(place(room, choice)).unwrap();
            Copy::import(room, 0, &key, provenance)
        }
    }
}

/// Takes the steps with one copy for each source, and holds every copy to be as the oracle says
/// after each. Returns how many steps merged.
pub fn go(room: &Room, sources: &[(u16, u8)], steps: &[Step]) -> usize {
    let copy = |(choice, kind): &(u16, u8)| source(room, *choice, *kind);
    let mut copies: Vec<_> = sources.iter().map(copy).collect();
    steps.iter().filter(|step| take(room, &mut copies, **step)).count()
}

/// The same for bytes: one for the place of the session, six for two sources, then five for each
/// step.
pub fn run(rooms: &[Room; 2], data: &[u8]) {
    let (setup, steps) = data.split_at(data.len().min(7));
    let Ok([place, first @ .., low, high, kind]) = <[u8; 7]>::try_from(setup) else { return };
    let [first_low, first_high, first_kind] = first;
    let sources = [
        (u16::from_le_bytes([first_low, first_high]), first_kind),
        (u16::from_le_bytes([low, high]), kind),
    ];
    let steps: Vec<Step> = steps
        .as_chunks()
        .0
        .iter()
        .map(|[kind, who, low, high, other]| {
            (*kind, *who, u16::from_le_bytes([*low, *high]), *other)
        })
        .collect();
    go(&rooms[usize::from(place) % rooms.len()], &sources, &steps);
}

/// Whether it merged.
fn take(room: &Room, copies: &mut [Copy], (kind, who, choice, other): Step) -> bool {
    let (who, other_copy) = (usize::from(who) % copies.len(), usize::from(other) % copies.len());
    match kind % 16 {
        0 => copies[who] = source(room, choice, other),
        1 => {
            let index = place(room, choice);
            let copy = &mut copies[who];
            let forgets = !copy.closed && index > copy.first();
            assert_eq!(copy.session.advance_to(index), forgets);
            if forgets {
                copy.known = copy.known.split_off(&index);
            }
        }
        2 if choice % 4 == 0 => {
            copies[who].session.close();
            copies[who].closed = true;
        }
        3 | 4 if !copies[who].closed => {
            let copy = &copies[who];
            let index = copy.index(choice);
            let key = copy.session.export_at(index).unwrap();
            let asked = [Provenance::Backup, Provenance::Exported][usize::from(other) % 2];
            // S-41: the export has no more trust than its session has at this index; its bytes do
            // not say it.
            let provenance = match other / 2 % 2 {
                0 => asked.min(copy.known[&index].1),
                _ => asked,
            };
            let key = match other / 2 % 2 {
                0 => key,
                _ => ExportedSessionKey::from_bytes(&key.to_bytes()).unwrap(),
            };
            let mut new =
                Copy::import(room, 0, &room.genuine.export_at(index).unwrap(), provenance);
            new.session = match asked {
                Provenance::Backup => InboundGroupSession::import_from_backup(&key),
                _ => InboundGroupSession::import(&key),
            };
            let keys = copy.known.range(index..).map(|(index, (number, _))| (*index, *number));
            new.known = keys.map(|(index, number)| (index, (number, provenance))).collect();
            copies[who] = new;
        }
        5..=7 => {
            let index = copies[who].index(choice);
            copies[who].decrypt(room, index, other % 2);
        }
        8 => copies[who].pickle(choice),
        _ => {
            let merged = copies[who].merge(&copies[other_copy]);
            let changed = merged.is_some();
            if let Some(merged) = merged {
                copies[who] = merged;
            }
            copies[who].check(room);
            return changed;
        }
    }
    copies[who].check(room);
    false
}
