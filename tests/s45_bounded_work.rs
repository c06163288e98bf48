//! S-45: how much memory is allocated before authentication. The library's own tests, beside the
//! code, count hashes and multiplications.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use moceril::{
    MessageVersion, PassphraseCost, PassphraseError, PassphraseKey, key_export,
    megolm::InboundGroupSession,
    olm::{
        Account, DecryptionError, Limits, Message, OlmMessage, PreKeyMessage, Session,
        SessionConfig, SessionCreationError,
    },
    room_keys::{self, ExportedRoomKey},
};
use moceril_testing::{
    fixtures::group,
    libolm_pickle::{self, KEY, SessionLayout},
    pickled::Pickled,
    rng::SeededRng,
    states,
};

/// Counts the bytes that the present thread asks for.
struct Counting;

#[derive(Clone, Copy, Debug, Default)]
struct Bytes {
    /// In all blocks together, also those that were freed since.
    allocated: usize,
    live: usize,
    /// The most that was live.
    peak: usize,
}

thread_local! {
    static BYTES: Cell<Bytes> = const { Cell::new(Bytes { allocated: 0, live: 0, peak: 0 }) };
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Bytes { allocated, live, peak } = BYTES.get();
        let live = live + layout.size();
        BYTES.set(Bytes { allocated: allocated + layout.size(), live, peak: peak.max(live) });
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let bytes = BYTES.get();
        // A block may come from another thread.
        BYTES.set(Bytes { live: bytes.live.saturating_sub(layout.size()), ..bytes });
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `run` returns, and the bytes that it took beyond those that were live before.
fn measured<T>(run: impl FnOnce() -> T) -> (T, Bytes) {
    BYTES.set(Bytes::default());
    let returned = run();
    (returned, BYTES.get())
}

const MAX: u32 = Limits::MAX_MESSAGE_GAP;

fn raised() -> SessionConfig {
    let limits = Limits::default().with_message_gap(MAX).with_skipped_keys(MAX);
    SessionConfig::default().with_version(MessageVersion::V3).with_limits(limits)
}

/// Alice's session with Bob and Bob's with Alice, after a round trip.
fn pair(rng: &mut SeededRng) -> (Session, Session) {
    let (mut alice, mut bob) = states::pair(raised(), rng);
    states::turn(&mut bob, &mut alice, 1, rng);
    states::turn(&mut alice, &mut bob, 1, rng);
    (alice, bob)
}

/// The last of so many messages.
fn last_of(session: &mut Session, messages: u32, rng: &mut SeededRng) -> OlmMessage {
    for _ in 1..messages {
        session.encrypt_with_rng(b"lost", rng).unwrap();
    }
    session.encrypt_with_rng(b"here", rng).unwrap()
}

fn forged(message: &OlmMessage) -> OlmMessage {
    let mut bytes = message.as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    match message {
        OlmMessage::PreKey(_) => OlmMessage::PreKey(PreKeyMessage::from_bytes(&bytes).unwrap()),
        OlmMessage::Normal(_) => OlmMessage::Normal(Message::from_bytes(&bytes).unwrap()),
    }
}

/// More than a forged message ever needs, and less than a key for each message that it skips.
const SOME_BYTES: usize = 2_000;

/// S-45: a forged message takes as much memory as one without a gap: no key of a skipped message is
/// stored before the MAC was checked. It changes nothing, and the genuine one decrypts.
#[test]
fn s_45_a_forged_message_takes_no_memory_for_its_gap() {
    let rng = &mut SeededRng::new(1);
    let (mut alice, mut bob) = pair(rng);
    for messages in [1, 100, 20_000, MAX - 30_000] {
        let message = last_of(&mut alice, messages, rng);
        let forged = forged(&message);
        let before = bob.snapshot();
        let (refused, bytes) = measured(|| bob.decrypt(&forged).map(drop));
        assert_eq!(refused, Err(DecryptionError::Authentication));
        assert!(bytes.allocated < SOME_BYTES, "{bytes:?} for {messages} messages");
        assert_eq!(bob.snapshot(), before);
        assert!(bob.decrypt(&message).is_ok());
    }
}

/// S-45: the same for a message that begins a new chain.
#[test]
fn s_45_a_forged_new_chain_takes_no_memory_for_its_gap() {
    let rng = &mut SeededRng::new(2);
    let (mut alice, mut bob) = pair(rng);
    states::turn(&mut bob, &mut alice, 1, rng);
    let message = last_of(&mut alice, MAX + 1, rng);
    let (refused, bytes) = measured(|| bob.decrypt(&forged(&message)).map(drop));
    assert_eq!(refused, Err(DecryptionError::Authentication));
    assert!(bytes.allocated < SOME_BYTES, "{bytes:?}");
    assert!(bob.decrypt(&message).is_ok());
}

/// S-45: the same for the first message of a session.
#[test]
fn s_45_a_forged_pre_key_message_takes_no_memory_for_its_gap() {
    let rng = &mut SeededRng::new(3);
    let (alice, mut bob) = (states::account(0, rng), states::account(1, rng));
    let bundle = states::bundle(&bob);
    let mut session = alice.create_outbound_session_with_rng(&bundle, raised(), rng).unwrap();
    let message = last_of(&mut session, MAX + 1, rng);
    let create = |bob: &mut Account, message: &OlmMessage| {
        let message = message.as_pre_key().unwrap();
        bob.create_inbound_session_with_config(alice.curve25519_key(), message, raised()).map(drop)
    };
    let forged = forged(&message);
    let (refused, bytes) = measured(|| create(&mut bob, &forged));
    let forgery = SessionCreationError::Decryption(DecryptionError::Authentication);
    assert_eq!(refused, Err(forgery));
    assert!(bytes.allocated < 2 * SOME_BYTES, "{bytes:?}");
    assert_eq!(create(&mut bob, &message), Ok(()));
}

/// S-45: the genuine message takes the keys that are kept, each once, and no more. When as many are
/// kept as the limit allows, the next ones take the places of the oldest.
#[test]
fn s_45_a_genuine_message_takes_the_keys_that_it_keeps() {
    let rng = &mut SeededRng::new(4);
    let (mut alice, mut bob) = pair(rng);
    let message = last_of(&mut alice, MAX + 1, rng);
    let (decrypted, bytes) = measured(|| bob.decrypt(&message).map(drop));
    assert_eq!(decrypted, Ok(()));
    assert!(bytes.peak <= 48 * MAX as usize + SOME_BYTES, "{bytes:?}");

    let message = last_of(&mut alice, 1_000, rng);
    let (decrypted, bytes) = measured(|| bob.decrypt(&message).map(drop));
    assert_eq!(decrypted, Ok(()));
    assert!(bytes.allocated < SOME_BYTES, "{bytes:?}");
    assert_eq!(bob.evicted_keys(), 999);
}

/// An entry of a list of chains or skipped keys.
fn entries(count: usize) -> Vec<Vec<u8>> {
    let entry = |number: usize| {
        let mut entry = vec![5; 68];
        entry[..8].copy_from_slice(&number.to_be_bytes());
        entry
    };
    (0..count).map(entry).collect()
}

/// S-45: a hostile pickle takes memory in proportion to its length: twice for the encrypted content
/// and the decrypted one, and nothing for each item of a list that is too long.
#[test]
fn s_45_a_hostile_libolm_pickle_takes_memory_in_proportion_to_its_length() {
    let (_, bob) = pair(&mut SeededRng::new(5));
    let (pickle, _) = bob.to_libolm_pickle_lossy(KEY).unwrap();
    let layout = SessionLayout::of(&libolm_pickle::open(&pickle, KEY));
    for count in [300, 3_000, 30_000] {
        for (chains, skipped) in [(count, 0), (0, count), (count, count)] {
            let mut layout = layout.clone();
            layout.receivers.extend(entries(chains));
            layout.skipped.extend(entries(skipped));
            let pickle = libolm_pickle::seal(&layout.bytes(), KEY);
            let (refused, bytes) = measured(|| Session::from_libolm_pickle(&pickle, KEY).map(drop));
            assert!(refused.is_err());
            let ratio = bytes.allocated as f64 / pickle.len() as f64;
            assert!(ratio < 1.6, "{ratio} for {chains} chains and {skipped} keys");
        }
    }
}

/// A file of exported keys is read entry by entry: beside its text, reading takes the memory of one
/// entry, however many there are. Writing takes that of the text, decrypting twice that.
#[test]
fn a_file_of_keys_takes_the_memory_of_one_entry() {
    const ENTRIES: usize = 5_000;
    let session = InboundGroupSession::new(&group(MessageVersion::V3, 1).0.session_key());
    let device = states::account(0, &mut SeededRng::new(1)).identity_keys();
    let mut key = ExportedRoomKey::new("!room:example.org", session.export_at(0).unwrap(), device);
    key.other.insert(String::from("org.example.note"), "x".repeat(3_500).into());
    let entry = key.to_json().unwrap().len();

    let keys = vec![key; ENTRIES];
    let (json, bytes) = measured(|| room_keys::write_export(&keys).unwrap());
    assert!(json.len() > 20_000_000, "{} bytes", json.len());
    assert!(bytes.peak < json.len() + 4 * entry, "{bytes:?} to write {} bytes", json.len());
    drop(keys);

    let (read, bytes) = measured(|| room_keys::read_export(&json).filter(Result::is_ok).count());
    assert_eq!(read, ENTRIES);
    assert!(bytes.peak < 4 * entry, "{bytes:?} to read entries of {entry} bytes");

    let rng = &mut SeededRng::new(1);
    let file = key_export::encrypt_weak_with_rng(&json, "passphrase", 1, rng).unwrap();
    let (decrypted, bytes) = measured(|| key_export::decrypt(&file, "passphrase", 1).unwrap());
    assert!(*decrypted == *json);
    assert!(bytes.peak < json.len() / 2 * 5, "{bytes:?} to decrypt {} bytes", json.len());

    // In pieces, it takes no memory of its own, but 32 bytes for each 64 KiB.
    let (read, bytes) = measured(|| {
        let pieces = || file.as_bytes().chunks(1 << 16);
        let mut verifier = key_export::Verifier::new("passphrase", 1);
        pieces().for_each(|piece| verifier.update(piece));
        let mut decryptor = verifier.finish().unwrap();
        let (mut parser, mut read) = (room_keys::ExportParser::new(), 0);
        for piece in pieces() {
            parser.update(decryptor.update(piece).unwrap());
            while let Some(key) = parser.next_key() {
                read += usize::from(key.is_ok());
            }
        }
        parser.update(decryptor.finish().unwrap());
        while let Some(key) = parser.next_key() {
            read += usize::from(key.is_ok());
        }
        parser.finish().unwrap();
        read
    });
    assert_eq!(read, ENTRIES);
    assert!(bytes.peak < 1_000_000, "{bytes:?} to decrypt {} bytes in pieces", json.len());
}

/// S-45: the longest entry that is read, in small pieces, takes a few times its length, also in all
/// blocks together.
#[test]
fn s_45_a_long_entry_takes_a_few_times_its_length() {
    const LONGEST: usize = room_keys::ExportParser::MAX_ENTRY_LENGTH;
    let (_, receiver) = group(MessageVersion::V3, 1);
    let device = states::account(0, &mut SeededRng::new(2)).identity_keys();
    let mut key = ExportedRoomKey::new("!room", receiver.export_at(0).unwrap(), device);
    key.other.insert(String::from("a"), "a".repeat(LONGEST - 1_000).into());
    let json = room_keys::write_export(&[key]).unwrap();
    let (read, bytes) = measured(|| {
        let (mut parser, mut read) = (room_keys::ExportParser::new(), 0);
        for piece in json.as_bytes().chunks(100) {
            parser.update(piece);
            while let Some(key) = parser.next_key() {
                read += usize::from(key.is_ok());
            }
        }
        parser.finish().unwrap();
        read
    });
    assert_eq!(read, 1);
    assert!(bytes.peak < 4 * LONGEST && bytes.allocated < 6 * LONGEST, "{bytes:?}");
}

/// S-45: a pickle that states a cost beyond the limit costs nothing: Argon2 is not given its memory
/// first.
#[test]
fn s_45_argon2_takes_no_memory_beyond_its_limit() {
    let cost = PassphraseCost { memory_kib: 64, passes: 1, lanes: 1 };
    let key = PassphraseKey::weak("passphrase", cost).unwrap();
    let pickle = Account::new().unwrap().pickle_with_passphrase(&key, b"").unwrap();
    let limit = PassphraseCost { memory_kib: 63, ..cost };
    let open = |limit| measured(|| PassphraseKey::for_pickle(&pickle, "passphrase", limit).err());
    let (refused, bytes) = open(limit);
    assert_eq!(refused, Some(PassphraseError::Cost));
    assert!(bytes.allocated < SOME_BYTES, "{bytes:?}");
    let (accepted, bytes) = open(cost);
    assert_eq!(accepted, None);
    assert!(bytes.allocated > 64 << 10, "{bytes:?}");
}
