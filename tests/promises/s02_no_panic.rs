//! S-02: no input of any length or content makes a public function panic, overflow or run out of
//! memory.
//!
//! Tests are built with overflow checks, so an overflow would be a panic, too.

use base64ct::{Base64Unpadded, Encoding};
use moceril::{
    MessageVersion,
    megolm::{
        ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage, ReplayGuard,
        SessionKey,
    },
    olm::{Account, Message, OlmMessage, PreKeyMessage, Session},
};
use moceril_testing::{
    entries::{Verdict, bytes_entries, text_entries},
    fixtures::{Devices, State, config, group, pickle_key},
    public_functions::{Function, public_functions},
    rng::SeededRng,
    sources::sources_of,
};

/// S-02: every public function that reads JSON from a server or a file is among the entry points.
#[test]
fn every_reader_of_json_is_an_entry_point() {
    let entries = sources_of("testing/src/entries").into_iter().map(|source| source.code);
    let entries: String = entries.collect();
    let is_reader = |function: &Function| {
        let last = function.name.rsplit("::").next().unwrap();
        let from_json = last.starts_with("from_") && last.ends_with("json");
        function.path.starts_with("matrix/") && (from_json || function.name.contains("Reader::"))
    };
    let readers: Vec<_> = public_functions().into_keys().filter(is_reader).collect();
    assert!(readers.len() > 10, "{readers:?}");
    for Function { name, .. } in readers {
        assert!(entries.contains(&format!("{name}(")), "{name}");
    }
}

/// S-02: texts of every length up to 128, and those lengths with padding, in every text entry
/// point.
#[test]
fn every_length_of_text_is_survived() {
    let entries = text_entries();
    for character in ["A", "Z", "/", "=", "é"] {
        for length in 0..=128 {
            for padding in ["", "=", "==", "==="] {
                let text = character.repeat(length) + padding;
                for entry in &entries {
                    let accepted = (entry.read)(&text) == Verdict::Accepted;
                    assert!(!accepted || entry.any_bytes, "{} accepted {text:?}", entry.name);
                }
            }
        }
    }
}

/// S-02: bytes of every length up to 300, of several fillings, in every bytes entry point, also
/// behind the version byte that each format begins with.
#[test]
fn every_length_of_bytes_is_survived() {
    let (texts, entries) = (text_entries(), bytes_entries());
    let mut rng = SeededRng::new(2);
    for length in 0..=300 {
        let random: Vec<u8> = (0..length).map(|_| rng.byte()).collect();
        let fillings =
            [0x00, 0x01, 0x08, 0x0a, 0x22, 0x7f, 0x80, 0xff].map(|byte| vec![byte; length]);
        for filling in fillings.iter().chain([&random]) {
            for version in [None, Some(1), Some(2), Some(3), Some(4)] {
                let bytes: Vec<u8> = version.into_iter().chain(filling.iter().copied()).collect();
                for entry in &entries {
                    (entry.read)(&bytes);
                }
            }
        }
        let text = Base64Unpadded::encode_string(&random);
        for entry in &texts {
            (entry.read)(&text);
        }
    }
}

/// S-02: a length field that claims more than there is, up to more than any memory has, is refused
/// before anything is set aside for it.
#[test]
fn claimed_lengths_are_not_believed() {
    let entries = bytes_entries();
    let claims = (28..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit]).chain([u64::MAX]);
    for claim in claims {
        let mut length = Vec::new();
        let mut rest = claim;
        while rest > 0x7f {
            length.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        length.push(rest as u8);
        // The string fields of all messages, and an unknown one.
        for tag in [0x0a, 0x12, 0x1a, 0x22, 0x3a] {
            for version in [3, 4] {
                for after in [0, 8, 32, 200] {
                    let bytes = [&[version, tag], length.as_slice(), &vec![7; after]].concat();
                    for entry in &entries {
                        let accepted = (entry.read)(&bytes) == Verdict::Accepted;
                        let name = entry.name;
                        assert!(
                            !accepted || entry.any_bytes,
                            "{name} accepted a length of {claim}"
                        );
                    }
                }
            }
        }
    }
}

/// Changes one to three places of `genuine`: a bit, a byte, an insertion, a deletion, or the end.
fn mutated(genuine: &[u8], rng: &mut SeededRng) -> Vec<u8> {
    let mut bytes = genuine.to_vec();
    for _ in 0..=rng.below(3) {
        let place = rng.below(bytes.len().max(1));
        match rng.below(6) {
            0 => bytes.insert(place, rng.byte()),
            1 => bytes.truncate(place),
            2 => bytes.extend(rng.bytes::<9>()),
            _ if bytes.is_empty() => {}
            3 => drop(bytes.remove(place)),
            4 => bytes[place] = rng.byte(),
            _ => bytes[place] ^= 1 << rng.below(8),
        }
    }
    // Changes can cancel out.
    if bytes == genuine { mutated(genuine, rng) } else { bytes }
}

/// S-02: mutations of what each function accepts.
#[test]
fn mutated_input_is_survived() {
    let seed = 19;
    let mut rng = SeededRng::new(seed);
    for entry in text_entries() {
        assert_eq!((entry.read)(&entry.genuine), Verdict::Accepted, "{}", entry.name);
        for _ in 0..200 {
            let text = mutated(entry.genuine.as_bytes(), &mut rng);
            (entry.read)(&String::from_utf8_lossy(&text));
        }
    }
    for entry in bytes_entries() {
        for _ in 0..400 {
            (entry.read)(&mutated(&entry.genuine, &mut rng));
        }
        // Last, because it moves a channel on; and still there, because nothing else did.
        assert_eq!((entry.read)(&entry.genuine), Verdict::Accepted, "{}", entry.name);
    }
}

/// S-02: mutations of genuine messages, through parsing, decrypting and creating sessions.
#[test]
fn mutated_messages_are_survived() {
    let seed = 20;
    let mut devices = Devices::new(seed);
    let version = MessageVersion::V3;
    let (_, creating) = devices.outbound(&devices.fallback_bundle(), version);
    let (mut alice, mut bob) = devices.sessions(version);
    let pre_key = alice.encrypt_with_rng(b"second", &mut devices.rng).unwrap();
    let normal = bob.encrypt_with_rng(b"reply", &mut devices.rng).unwrap();
    let (mut sender, mut receiver) = group(version, seed);
    let to_all = sender.encrypt(b"to everybody").unwrap();

    let sender_key = devices.alice.curve25519_key();
    let mut rng = SeededRng::new(seed);
    let genuine = [creating.as_bytes(), pre_key.as_bytes(), normal.as_bytes(), to_all.as_bytes()];
    for round in 0..10_000 {
        let bytes = mutated(genuine[round % genuine.len()], &mut rng);
        if let Ok(message) = PreKeyMessage::from_bytes(&bytes) {
            // Some mutations are outside of what a message is sensitive to, such as an unknown
            // field.
            let mut account = Account::restored(&devices.bob.snapshot());
            let _ =
                account.create_inbound_session_with_config(sender_key, &message, config(version));
            let _ = bob.decrypt(&OlmMessage::PreKey(message));
        }
        if let Ok(message) = Message::from_bytes(&bytes).map(OlmMessage::Normal) {
            let _ = alice.decrypt(&message);
            let _ = bob.decrypt(&message);
        }
        if let Ok(message) = MegolmMessage::from_bytes(&bytes) {
            assert!(receiver.decrypt(&message).is_err(), "seed {seed}, round {round}");
        }
    }
    alice.decrypt(&normal).expect("the session still works");
    receiver.decrypt(&to_all).expect("the group session still works");
    let inbound = devices.bob.create_inbound_session(sender_key, &creating);
    inbound.expect("the account still works");
}

/// S-02: mutations of genuine keys, pickles and replay guards. What is still accepted is used.
#[test]
fn mutated_keys_and_pickles_are_survived() {
    let seed = 21;
    let mut rng = SeededRng::new(seed);
    let mut devices = Devices::new(seed);
    let (session, _) = devices.sessions(MessageVersion::V3);
    let (mut sender, mut receiver) = group(MessageVersion::V3, seed);
    let message = sender.encrypt(b"to everybody").unwrap();
    let mut guard = ReplayGuard::new(&receiver);
    _ = guard.check(&receiver.decrypt(&message).unwrap(), "$event").unwrap();

    let session_key = sender.session_key().to_bytes();
    let exported = receiver.export_at(0).unwrap().to_bytes();
    for round in 0..400 {
        if let Ok(key) = SessionKey::from_bytes(&mutated(&session_key, &mut rng)) {
            panic!("seed {seed}, round {round}: {key:?} is not signed");
        }
        if let Ok(key) = ExportedSessionKey::from_bytes(&mutated(&exported, &mut rng)) {
            let mut session = InboundGroupSession::import(&key);
            let _ = session.decrypt(&message);
            let _ = session.export_at(u32::MAX);
            session.advance_to(u32::MAX);
        }
        let pickle = guard.pickle(&pickle_key(), b"").unwrap();
        let mutated = String::from_utf8_lossy(&mutated(pickle.as_bytes(), &mut rng)).into_owned();
        if let Ok(read) = ReplayGuard::from_pickle(&mutated, &pickle_key(), b"", &receiver) {
            assert_eq!(read, guard, "seed {seed}, round {round}");
        }
    }

    let mut entries = text_entries();
    entries.retain(|entry| entry.name.ends_with("::from_pickle"));
    let pickles =
        [devices.bob.snapshot(), session.snapshot(), sender.snapshot(), receiver.snapshot()];
    for pickle in &pickles {
        let raw = Base64Unpadded::decode_vec(pickle).unwrap();
        for round in 0..200 {
            // As text, and below its base64.
            let text = String::from_utf8_lossy(&mutated(pickle.as_bytes(), &mut rng)).into_owned();
            let below = Base64Unpadded::encode_string(&mutated(&raw, &mut rng));
            for text in [text, below] {
                for entry in &entries {
                    let accepted = (entry.read)(&text) == Verdict::Accepted;
                    assert!(!accepted, "seed {seed}, round {round}: {}", entry.name);
                }
            }
        }
    }
    let [account, session, sender, receiver] = &pickles;
    Account::restored(account);
    Session::restored(session);
    GroupSession::restored(sender);
    InboundGroupSession::restored(receiver);
}
