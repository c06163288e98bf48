//! Randomized Megolm sessions of our library with each of the others, in both roles.
//!
//! S-39: any receiver, made from a session key or an export at any index, decrypts exactly the
//! messages from that index on, in any order and repeatedly. The exports of all libraries are
//! equal, byte for byte.

use interop::{
    LIBOLM, Library, MessageVersion, Pair, SeededRng, VODOZEMAC, VODOZEMAC_V4, for_each_seed,
    peer::{GroupReceiver, GroupSender},
    random_length, random_text,
    secrets::FarSender,
};

/// For each pair and each role of ours.
const SESSIONS: u64 = 550;
/// Sessions whose sender starts at an index it would take too long to reach, for each pair and each
/// role.
const FAR_SESSIONS: u64 = 150;

#[test]
fn we_send_to_vodozemac() {
    sessions(VODOZEMAC, Library::Ours);
}

#[test]
fn vodozemac_sends_to_us() {
    sessions(VODOZEMAC, Library::Vodozemac);
}

#[test]
fn we_send_version_4_to_vodozemac() {
    sessions(VODOZEMAC_V4, Library::Ours);
}

#[test]
fn vodozemac_sends_version_4_to_us() {
    sessions(VODOZEMAC_V4, Library::Vodozemac);
}

#[test]
fn we_send_to_libolm() {
    sessions(LIBOLM, Library::Ours);
}

#[test]
fn libolm_sends_to_us() {
    sessions(LIBOLM, Library::Libolm);
}

/// The first messages of a session, and sometimes some hundreds: the ratchet's parts are reseeded
/// at 256.
fn sessions(pair: Pair, sender: Library) {
    for_each_seed(SESSIONS, |seed, rng| {
        let mut sender = sender.group_sender(pair.version);
        for _ in 0..some_or_hundreds(rng, 20) {
            sender.encrypt("before the session key was shared");
        }
        session(seed, rng, pair, sender);
    });
}

#[test]
fn we_send_from_far_indices_to_vodozemac() {
    far_sessions(VODOZEMAC, Library::Ours);
}

#[test]
fn vodozemac_sends_from_far_indices_to_us() {
    far_sessions(VODOZEMAC, Library::Vodozemac);
}

#[test]
fn we_send_from_far_indices_to_libolm() {
    far_sessions(LIBOLM, Library::Ours);
}

#[test]
fn libolm_sends_from_far_indices_to_us() {
    far_sessions(LIBOLM, Library::Libolm);
}

/// Where the index gets longer on the wire and where each part of the ratchet is reseeded, up to
/// half of the range, which is as far as receivers look ahead in common.
fn far_sessions(pair: Pair, sender: Library) {
    for_each_seed(FAR_SESSIONS, |seed, rng| {
        let near = [1 << 7, 1 << 8, 1 << 14, 1 << 16, 1 << 21, 1 << 24, 1 << 28, 1 << 30];
        let index = match rng.below(3) {
            0 => u32::from_be_bytes(rng.bytes()) >> 1,
            _ => near[rng.below(near.len())] - 1 - rng.below(20) as u32,
        };
        let sender = sender.far_group_sender(&FarSender::random(rng, index));
        assert_eq!(sender.message_index(), index, "seed {seed}");
        session(seed, rng, pair, sender);
    });
}

struct Sent {
    index: u32,
    plaintext: String,
    message: String,
}

fn session(
    seed: u64,
    rng: &mut SeededRng,
    Pair { theirs, version }: Pair,
    mut sender: Box<dyn GroupSender>,
) {
    let first = sender.message_index();
    let key = sender.session_key();
    let mut receivers: Vec<_> = [Library::Ours, theirs]
        .map(|library| library.group_receiver(version, &key).unwrap())
        .into();
    let mut sent = Vec::new();
    for _ in 0..some_or_hundreds(rng, 25) + 1 {
        sent.push(send(seed, rng, &mut *sender));
    }
    for _ in 0..4 {
        if rng.below(2) == 0 {
            let import = import_of_an_export(seed, rng, theirs, version, &mut receivers, &sent);
            receivers.push(import);
        }
        if rng.below(3) == 0 {
            sender = sender.fresh();
            sent.push(send(seed, rng, &mut *sender));
        }
        for receiver in &mut receivers {
            assert_eq!(receiver.session_id(), sender.session_id(), "seed {seed}");
            receive_some(seed, rng, receiver, &sent);
        }
    }
    assert!(receivers[..2].iter().all(|receiver| receiver.first_known_index() == first));
    assert_same_exports(seed, rng, first, &mut receivers);
}

/// Mostly a few, up to `few`, but now and then hundreds.
fn some_or_hundreds(rng: &mut SeededRng, few: usize) -> usize {
    if rng.below(25) == 0 { 200 + rng.below(200) } else { rng.below(few) }
}

fn send(seed: u64, rng: &mut SeededRng, sender: &mut dyn GroupSender) -> Sent {
    let index = sender.message_index();
    let length = random_length(rng);
    let plaintext = random_text(rng, length);
    let message = sender.encrypt(&plaintext);
    assert_eq!(sender.message_index(), index + 1, "seed {seed}");
    Sent { index, plaintext, message }
}

/// A receiver of either library that knows the session from somewhere among the messages on.
fn import_of_an_export(
    seed: u64,
    rng: &mut SeededRng,
    theirs: Library,
    version: MessageVersion,
    receivers: &mut [Box<dyn GroupReceiver>],
    sent: &[Sent],
) -> Box<dyn GroupReceiver> {
    let source = &mut receivers[rng.below(receivers.len())];
    let known = source.first_known_index();
    if known > sent[0].index {
        assert!(source.export_at(known - 1).is_err(), "seed {seed}: an export from before {known}");
    }
    let index = sent[rng.below(sent.len())].index.max(known);
    let exported = source.export_at(index).unwrap();
    let library = [Library::Ours, theirs][rng.below(2)];
    let import = library.import_group_receiver(version, &exported).unwrap();
    assert_eq!(import.first_known_index(), index, "seed {seed}");
    import
}

/// Some messages in any order, also more than once.
fn receive_some(
    seed: u64,
    rng: &mut SeededRng,
    receiver: &mut Box<dyn GroupReceiver>,
    sent: &[Sent],
) {
    for _ in 0..5 {
        if rng.below(5) == 0 {
            *receiver = receiver.fresh();
        }
        let Sent { index, plaintext, message } = &sent[rng.below(sent.len())];
        let known = receiver.first_known_index();
        match receiver.decrypt(message) {
            Ok((decrypted, told_index)) => {
                assert!(*index >= known, "seed {seed}: index {index} is before {known}");
                assert_eq!(decrypted, *plaintext, "seed {seed}: index {index}");
                assert!(told_index.is_none_or(|told| told == *index), "seed {seed}");
            }
            Err(error) => {
                assert!(*index < known, "seed {seed}: index {index} from {known} on: {error}");
            }
        }
    }
}

/// The ratchet, which is most of an export, is the same at every index, also at those far ahead.
fn assert_same_exports(
    seed: u64,
    rng: &mut SeededRng,
    first: u32,
    receivers: &mut [Box<dyn GroupReceiver>],
) {
    // Half of the range ahead at most: receivers do not look further in common.
    let latest = receivers.iter().map(|receiver| receiver.first_known_index()).max().unwrap();
    let ahead = (1 << 31) - 1 - (latest - first);
    for _ in 0..3 {
        let bits = rng.below(31);
        let index = latest + (u32::from_be_bytes(rng.bytes()) >> (31 - bits)).min(ahead);
        let exports = receivers.iter_mut().map(|receiver| receiver.export_at(index).unwrap());
        let exports: Vec<_> = exports.collect();
        assert!(exports.iter().all(|export| *export == exports[0]), "seed {seed}: at {index}");
    }
}
