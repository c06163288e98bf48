//! S-21, S-43: trust belongs to a message index. Merging never takes the better provenance from
//! messages that had it, nor gives it to messages for which it is not proved.

use moceril::megolm::{
    ExportedSessionKey, GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage,
    Provenance,
    Provenance::{Backup, Exported, Signed, Unknown},
};
use moceril_testing::{
    libolm_pickle::KEY,
    naive::megolm::{Ratchet, step_by_step},
    pickle_editor::edit,
    pickled::Pickled,
    rng::SeededRng,
};

/// Where the sessions begin: the second crosses the places where two parts are replaced, the third
/// where three are.
const STARTS: [u32; 3] = [0, 0xfe80, 0x00ff_fe80];
/// So many messages, which cross several reseeds.
const COUNT: u32 = 1_200;

fn ratchet(key: &ExportedSessionKey) -> Ratchet {
    let bytes = key.to_bytes();
    std::array::from_fn(|part| bytes[5 + 32 * part..][..32].try_into().unwrap())
}

/// All ratchets from an index on, each one step after the one before.
struct Line {
    first: u32,
    ratchets: Vec<Ratchet>,
}

impl Line {
    fn new(mut ratchet: Ratchet, first: u32, end: u32) -> Self {
        let ratchets = (first..=end)
            .map(|index| {
                ratchet = step_by_step(
                    ratchet,
                    u64::from(first.max(index.saturating_sub(1))),
                    index.into(),
                );
                ratchet
            })
            .collect();
        Self { first, ratchets }
    }

    fn at(&self, index: u32) -> Option<&Ratchet> {
        self.ratchets.get(index.checked_sub(self.first)? as usize)
    }
}

/// A sender, the genuine ratchets, and forged ones that become genuine at the next reseed.
struct Room {
    start: u32,
    genuine: InboundGroupSession,
    messages: Vec<MegolmMessage>,
    /// The genuine line is the first.
    lines: Vec<Line>,
    forged: Vec<ExportedSessionKey>,
}

impl Room {
    fn new(start: u32) -> Self {
        let new = GroupSession::with_rng(GroupSessionConfig::default(), &mut SeededRng::new(43));
        let moved = edit(&new.unwrap().snapshot(), |open| open.set_number("index", start.into()));
        let mut sender = GroupSession::restore(&moved).unwrap();
        let genuine = InboundGroupSession::new(&sender.session_key());
        let messages = (0..COUNT).map(|_| sender.encrypt(b"text").unwrap()).collect();
        let end = start + COUNT;
        let mut room = Self { start, genuine, messages, lines: Vec::new(), forged: Vec::new() };
        room.add_line(room.genuine.export_at(start).unwrap(), end);
        for index in [start, start + 130, start + 260, start + 700] {
            let mut bytes = room.genuine.export_at(index).unwrap().to_bytes();
            // The last bit of part 3.
            bytes[132] ^= 1;
            let key = ExportedSessionKey::from_bytes(&bytes).unwrap();
            room.add_line(key.clone(), end);
            room.forged.push(key);
        }
        room
    }

    fn add_line(&mut self, key: ExportedSessionKey, end: u32) {
        self.lines.push(Line::new(ratchet(&key), key.index(), end));
    }

    fn message(&self, index: u32) -> &MegolmMessage {
        &self.messages[(index - self.start) as usize]
    }

    /// The ratchet that this one becomes.
    fn advanced(&self, from: u32, ratchet: &Ratchet, to: u32) -> Ratchet {
        let line = self.lines.iter().find(|line| line.at(from) == Some(ratchet));
        *line.expect("every ratchet is in a line").at(to).unwrap()
    }

    /// An index at which something may change: around the reseeds, or anywhere.
    fn index(&self, rng: &mut SeededRng) -> u32 {
        let block = (self.start | 0xff) + 1 + 256 * rng.below(4) as u32;
        match rng.below(3) {
            0 => self.start + rng.below(COUNT as usize) as u32,
            1 => block - rng.below(3) as u32,
            _ => block + rng.below(3) as u32,
        }
    }
}

/// What somebody once handed over: the key at an index, and how far it can be trusted.
#[derive(Clone)]
struct Claim {
    index: u32,
    ratchet: Ratchet,
    provenance: Provenance,
}

/// A session, and the naive oracle: everything that was ever claimed of its keys.
struct Subject {
    session: InboundGroupSession,
    claims: Vec<Claim>,
}

impl Subject {
    fn new(session: InboundGroupSession, provenance: Provenance) -> Self {
        let mut subject = Self { session, claims: Vec::new() };
        subject.claim(provenance);
        subject
    }

    fn copy(&self) -> Self {
        Self { session: self.session.copy(), claims: self.claims.clone() }
    }

    fn first(&self) -> u32 {
        self.session.first_known_index()
    }

    fn ratchet(&self, index: u32) -> Ratchet {
        ratchet(&self.session.export_at(index).unwrap())
    }

    /// Claims the key at the first index.
    fn claim(&mut self, provenance: Provenance) {
        let index = self.first();
        self.claims.push(Claim { index, ratchet: self.ratchet(index), provenance });
    }

    /// The best claim that vouches for the key at `index`, which is `ratchet`: from a claimed key
    /// this key follows, or within the same 256 messages from this key a claimed one.
    fn provenance_of(&self, index: u32, ratchet: &Ratchet, room: &Room) -> Provenance {
        let vouches = |claim: &&Claim| {
            if claim.index <= index {
                room.advanced(claim.index, &claim.ratchet, index) == *ratchet
            } else {
                claim.index >> 8 == index >> 8
                    && room.advanced(index, ratchet, claim.index) == claim.ratchet
            }
        };
        let claims = self.claims.iter().filter(vouches);
        claims.map(|claim| claim.provenance).max().unwrap_or(Unknown)
    }

    fn is_genuine(&self, index: u32, room: &Room) -> bool {
        room.lines[0].at(index) == Some(&self.ratchet(index))
    }

    fn check(&self, room: &Room) {
        let (first, end) = (self.first(), room.start + COUNT);
        assert_eq!(first.checked_sub(1).and_then(|index| self.session.provenance_at(index)), None);
        let mut indices = vec![first, first + 1, end - 1];
        for block in (room.start >> 8..=end >> 8).map(|block| block << 8) {
            indices.extend([block.saturating_sub(1), block, block + 1, block + 100]);
        }
        indices.extend(self.claims.iter().map(|claim| claim.index));
        indices.retain(|index| (first..end).contains(index));
        let expected: Vec<_> = indices
            .iter()
            .map(|index| {
                let ratchet = self.ratchet(*index);
                let is_genuine = room.lines[0].at(*index) == Some(&ratchet);
                (*index, self.provenance_of(*index, &ratchet, room), is_genuine)
            })
            .collect();
        for (index, provenance, is_genuine) in &expected {
            assert_eq!(self.session.provenance_at(*index), Some(*provenance), "index {index}");
            // Soundness: nothing forged is ever called signed.
            assert!(*provenance != Signed || *is_genuine, "index {index}");
        }
        assert_eq!(Some(self.session.provenance()), self.session.provenance_at(first));
        // Each message carries the provenance of its own index.
        let messages = indices.iter().map(|index| room.message(*index));
        let decrypted = self.session.copy().decrypt_batch(messages);
        for ((index, provenance, is_genuine), decrypted) in expected.into_iter().zip(decrypted) {
            assert_eq!(decrypted.is_ok(), is_genuine, "index {index}");
            if let Ok(decrypted) = decrypted {
                assert_eq!(decrypted.provenance(), provenance);
            }
        }
    }
}

/// One of the sources of a key.
fn source(room: &Room, rng: &mut SeededRng) -> Subject {
    let index = room.index(rng);
    let key = room.genuine.export_at(index).unwrap();
    let forged = &room.forged[rng.below(room.forged.len())];
    match rng.below(6) {
        0 | 1 => {
            let mut session = room.genuine.copy();
            session.advance_to(index);
            Subject::new(session, Signed)
        }
        2 => Subject::new(InboundGroupSession::import(&key), Exported),
        3 => Subject::new(InboundGroupSession::import_from_backup(&key), Backup),
        4 => Subject::new(InboundGroupSession::import(forged), Exported),
        _ => Subject::new(InboundGroupSession::import_from_backup(forged), Backup),
    }
}

/// Whatever is done to a session leaves each index with exactly the provenance that the oracle
/// finds.
fn act(subject: &mut Subject, room: &Room, rng: &mut SeededRng) {
    let index = room.index(rng).max(subject.first());
    match rng.below(6) {
        0 => {
            subject.session.advance_to(index);
            for claim in subject.claims.iter_mut().filter(|claim| claim.index < index) {
                claim.ratchet = room.advanced(claim.index, &claim.ratchet, index);
                claim.index = index;
            }
        }
        1 => {
            let key = subject.session.export_at(index).unwrap();
            // S-41: what was restored from a backup, or nobody knows from where, stays so.
            let known = subject.provenance_of(index, &subject.ratchet(index), room);
            let exported = if known < Exported { Backup } else { Exported };
            let text = ExportedSessionKey::from_base64(&key.to_base64()).unwrap();
            *subject = match rng.below(3) {
                0 => Subject::new(InboundGroupSession::import(&key), exported),
                1 => Subject::new(InboundGroupSession::import(&text), Exported),
                _ => Subject::new(InboundGroupSession::import_from_backup(&key), Backup),
            };
        }
        2 => subject.session = subject.session.copy(),
        3 => {
            let (pickle, loss) = subject.session.to_libolm_pickle_lossy(KEY).unwrap();
            let known = subject.session.provenance_at(u32::MAX) != Some(Unknown);
            assert_eq!(loss.provenance, known);
            subject.session = InboundGroupSession::from_libolm_pickle(&pickle, KEY).unwrap();
            subject.claims.clear();
        }
        4 => {
            let stated = [Backup, Exported, Signed][rng.below(3)];
            let honest = stated != Signed || subject.is_genuine(subject.first(), room);
            if honest && subject.session.set_provenance(stated).is_ok() {
                subject.claim(stated);
            }
        }
        _ => {
            let genuine = subject.is_genuine(index, room);
            assert_eq!(subject.session.decrypt(room.message(index)).is_ok(), genuine);
        }
    }
}

/// The union of both, if they are the same session.
fn merge(one: &Subject, other: &Subject, room: &Room) -> Option<Subject> {
    let common = one.first().max(other.first());
    let same = one.ratchet(common) == other.ratchet(common);
    let merged = one.session.merge(&other.session).ok();
    assert_eq!(merged.is_some(), same);
    let claims = [one.claims.as_slice(), &other.claims].concat();
    let merged = Subject { session: merged?, claims };
    merged.check(room);
    Some(merged)
}

/// Merging in any order, with forgetting, exporting, importing, decrypting and every kind of pickle
/// in between, across several reseeds, among genuine copies and forged ones.
#[test]
fn s_43_each_index_has_the_provenance_of_the_oracle() {
    let (mut merges, mut mixed) = (0, 0);
    let rooms = STARTS.map(Room::new);
    for (seed, room) in (0..15).zip(rooms.iter().cycle()) {
        let rng = &mut SeededRng::new(seed);
        let mut pool: Vec<_> = (0..6).map(|_| source(room, rng)).collect();
        for _ in 0..50 {
            let place = rng.below(pool.len());
            match rng.below(5) {
                0 => pool[place] = source(room, rng),
                1 => act(&mut pool[place], room, rng),
                _ => {
                    let other = rng.below(pool.len());
                    if let Some(merged) = merge(&pool[place], &pool[other], room) {
                        merges += 1;
                        let levels = [merged.first(), u32::MAX]
                            .map(|index| merged.session.provenance_at(index));
                        mixed += usize::from(levels[0] != levels[1]);
                        pool[place] = merged;
                    }
                }
            }
            pool[place].check(room);
        }
    }
    assert!(merges > 150 && mixed > 50, "{merges} merges, {mixed} of them mixed");
}

/// The order of merging does not matter.
#[test]
fn s_43_every_order_of_merging_gives_the_same() {
    const ORDERS: [[usize; 4]; 8] = [
        [0, 1, 2, 3],
        [3, 2, 1, 0],
        [1, 0, 3, 2],
        [2, 0, 3, 1],
        [1, 3, 0, 2],
        [3, 0, 2, 1],
        [0, 2, 1, 3],
        [2, 3, 1, 0],
    ];
    let room = Room::new(0);
    for seed in 0..10 {
        let rng = &mut SeededRng::new(100 + seed);
        let sources: Vec<_> = std::iter::repeat_with(|| source(&room, rng))
            .filter(|subject| subject.is_genuine(subject.first(), &room))
            .take(4)
            .collect();
        let merged = |one: Subject, other: &Subject| merge(&one, other, &room).unwrap();
        let one_by_one = |order: [usize; 4]| {
            let rest = order[1..].iter().map(|place| &sources[*place]);
            rest.fold(sources[order[0]].copy(), merged)
        };
        let in_pairs = |[a, b, c, d]: [usize; 4]| {
            let pair = merged(sources[a].copy(), &sources[b]);
            merged(pair, &merged(sources[c].copy(), &sources[d]))
        };
        let expected = one_by_one(ORDERS[0]);
        for subject in ORDERS.iter().flat_map(|order| [one_by_one(*order), in_pairs(*order)]) {
            assert_eq!(subject.first(), expected.first());
            for index in expected.first()..COUNT {
                let provenance = expected.session.provenance_at(index);
                assert_eq!(subject.session.provenance_at(index), provenance);
            }
        }
    }
}

/// The examples of the requirement: a signed key at 256 and a backup at 0; two copies within a
/// block.
#[test]
fn s_43_a_signed_key_keeps_its_messages_when_a_backup_is_merged() {
    let room = Room::new(0);
    let at = |index, provenance| {
        let key = room.genuine.export_at(index).unwrap();
        match provenance {
            Signed => {
                let mut session = room.genuine.copy();
                session.advance_to(index);
                session
            }
            Exported => InboundGroupSession::import(&key),
            _ => InboundGroupSession::import_from_backup(&key),
        }
    };
    let provenances = |session: &InboundGroupSession| {
        [0, 3, 255, 256, 257, 511, 512, 1_023, 1_024, u32::MAX]
            .map(|index| session.provenance_at(index).unwrap())
    };
    const B: Provenance = Backup;
    const E: Provenance = Exported;
    const S: Provenance = Signed;
    for (one, two, expected) in [
        ((0, Backup), (256, Signed), [B, B, B, S, S, S, S, S, S, S]),
        ((0, Backup), (257, Signed), [B, B, B, S, S, S, S, S, S, S]),
        ((0, Backup), (511, Signed), [B, B, B, S, S, S, S, S, S, S]),
        ((0, Backup), (512, Signed), [B, B, B, B, B, B, S, S, S, S]),
        ((0, Backup), (1_100, Exported), [B, B, B, B, B, B, B, B, E, E]),
        ((0, Backup), (3, Signed), [S; 10]),
        ((0, Backup), (255, Signed), [S; 10]),
        ((0, Signed), (300, Backup), [S; 10]),
        ((0, Exported), (0, Signed), [S; 10]),
    ] {
        let (one, two) = (at(one.0, one.1), at(two.0, two.1));
        for merged in [one.merge(&two).unwrap(), two.merge(&one).unwrap()] {
            assert_eq!(provenances(&merged), expected);
            assert_eq!(provenances(&merged.copy()), expected);
            let mut merged = merged;
            for index in [0, 3, 255, 256, 257, 511, 512, 1_023, 1_024] {
                let decrypted = merged.decrypt(room.message(index)).unwrap();
                assert_eq!(Some(decrypted.provenance()), merged.provenance_at(index));
            }
            // Once the less trusted messages are forgotten, the session is as good as the better
            // copy.
            merged.advance_to(1_100);
            assert_eq!(merged.provenance(), expected[9]);
            assert_eq!(merged.copy().provenance(), expected[9]);
        }
    }
}

/// A session that begins with a signed key again says that its owner signed, whatever was merged
/// before.
#[test]
fn s_43_forgetting_the_unsigned_part_leaves_a_signed_session() {
    let room = Room::new(0);
    let backup = InboundGroupSession::import_from_backup(&room.genuine.export_at(0).unwrap());
    let mut signed = room.genuine.copy();
    signed.advance_to(700);
    let mut merged = backup.merge(&signed).unwrap();
    assert!(!merged.is_signing_key_verified());
    merged.advance_to(512);
    assert_eq!(merged.provenance(), Signed);
    assert!(merged.is_signing_key_verified());
    assert!(merged.copy().is_signing_key_verified());
}

/// A signature under a message of the later copy says who signed the earlier copy's key only
/// within the same 256, like a provenance.
#[test]
fn s_43_a_signature_counts_as_far_back_as_a_provenance() {
    let room = Room::new(0);
    let import = |index| InboundGroupSession::import(&room.genuine.export_at(index).unwrap());
    for (first, later, counts) in
        [(0, 255, true), (0, 256, false), (300, 305, true), (300, 511, true), (300, 512, false)]
    {
        let (one, mut two) = (import(first), import(later));
        two.decrypt(room.message(later)).unwrap();
        assert!(!one.is_signing_key_verified() && two.is_signing_key_verified());
        for merged in [one.merge(&two).unwrap(), two.merge(&one).unwrap()] {
            assert_eq!(merged.is_signing_key_verified(), counts, "{first} and {later}");
        }
    }
}
