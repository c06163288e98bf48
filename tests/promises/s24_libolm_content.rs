//! The unencrypted content of libolm's pickles (feature `hazmat`), and the other functions that a
//! library with libolm's interface needs: each shows or does what the object would.

use moceril::{
    ConversionError, LibolmPickleError, MessageVersion,
    megolm::{GroupSession, InboundGroupSession, MegolmMessage},
    olm::{
        Account, Message, OlmMessage, PreKeyBundle, PreKeyMessage, Session, SessionConfig,
        SessionCreationError,
    },
};
use moceril_testing::{
    converted::ToLibolm,
    fixtures::config,
    libolm_pickle::{KEY, open, seal},
    rng::{RecordedRng, SeededRng},
    states,
};

const V3: MessageVersion = MessageVersion::V3;

type Read<T> = fn(&[u8]) -> Result<(T, &[u8]), LibolmPickleError>;

/// S-24: for every state the content is what the pickle encrypts, it is read up to its end and no
/// further, and memory that is too short is noticed.
fn content_is_the_pickles<T>(
    name: &str,
    object: &T,
    pickle: impl Fn(&T) -> Result<String, ConversionError>,
    write: impl Fn(&T, &mut [u8]) -> Result<Option<usize>, ConversionError>,
    readers: [Read<T>; 2],
) {
    let mut memory = vec![0xaa; 20_000];
    let expected = match pickle(object) {
        Ok(pickle) => open(&pickle, KEY),
        Err(error) => {
            assert_eq!(write(object, &mut memory), Err(error), "{name}");
            return assert!(memory.iter().all(|byte| *byte == 0xaa), "{name}");
        }
    };
    let length = write(object, &mut memory).unwrap().unwrap();
    assert_eq!(&memory[..length], expected, "{name}");
    assert!(memory[length..].iter().all(|byte| *byte == 0xaa), "{name}");
    assert_eq!(write(object, &mut memory[..length]), Ok(Some(length)), "{name}");
    let mut short = vec![0xaa; length - 1];
    assert_eq!(write(object, &mut short), Ok(None), "{name}");
    assert!(short.iter().all(|byte| *byte == 0xaa), "{name}");
    for read in readers {
        let (again, rest) = read(&memory).unwrap();
        assert_eq!(rest.len(), memory.len() - length, "{name}");
        assert_eq!(pickle(&again).map(|pickle| open(&pickle, KEY)), Ok(expected.clone()), "{name}");
        assert!(read(&memory[..length - 1]).is_err(), "{name}");
    }
}

/// The lossy pickle, which the content equals also where something is dropped.
macro_rules! check {
    ($states:expr, $object:ident) => {
        for (name, object) in &$states {
            content_is_the_pickles(
                name,
                object,
                |object: &$object| object.to_libolm_pickle_lossy(KEY).map(|(pickle, _)| pickle),
                $object::write_libolm_content,
                [$object::from_libolm_content, $object::from_own_libolm_content],
            );
        }
    };
}

#[test]
fn s_24_the_content_is_what_the_pickle_encrypts() {
    let mut rng = SeededRng::new(1);
    check!(states::accounts(&mut rng), Account);
    let sessions = states::sessions(V3, &mut rng).into_iter();
    check!(sessions.map(|named| (named.name, named.session)).collect::<Vec<_>>(), Session);
    check!(states::group_sessions(V3, &mut rng), GroupSession);
    check!(states::inbound_group_sessions(V3, &mut rng).0, InboundGroupSession);
}

/// S-14: a public key that is not that of the private one is refused, except where the caller says
/// that nobody touched the bytes.
#[test]
fn s_14_only_own_content_is_believed() {
    let rng = &mut SeededRng::new(2);
    let (account, other) = (states::account(0, rng), states::account(0, rng));
    let mut content = vec![0; 1_000];
    let length = account.write_libolm_content(&mut content).unwrap().unwrap();
    content[4..36].copy_from_slice(other.ed25519_key().as_bytes());
    let refused = Account::from_libolm_content(&content).err();
    assert_eq!(refused, Some(LibolmPickleError::InvalidState));
    let pickle = seal(&content[..length], KEY);
    assert_eq!(Account::from_libolm_pickle(&pickle, KEY).err(), refused);
    let (believed, _) = Account::from_own_libolm_content(&content).unwrap();
    assert_eq!(believed.ed25519_key(), other.ed25519_key());
}

/// For every length of the index on the wire, and around every length of a block.
#[test]
fn the_length_of_a_message_is_known_before() {
    let rng = &mut SeededRng::new(3);
    for version in [V3, MessageVersion::V4] {
        let (mut alice, mut bob) = states::pair(config(version), rng);
        let mut room = states::group_sessions(version, rng).remove(0).1;
        for index in 0..300_usize {
            let plaintext = vec![7; index * 5 % 700];
            for session in [&mut alice, &mut bob] {
                let message = session.encrypt_with_rng(&plaintext, rng).unwrap();
                let inner = match &message {
                    OlmMessage::Normal(message) => message,
                    OlmMessage::PreKey(outer) => outer.message(),
                };
                let length = Message::length(version, inner.chain_index(), plaintext.len());
                assert_eq!(inner.as_bytes().len(), length, "{index}");
                if let OlmMessage::PreKey(outer) = &message {
                    assert_eq!(outer.as_bytes().len(), PreKeyMessage::length(length), "{index}");
                }
            }
            let length =
                MegolmMessage::length(room.version(), room.message_index(), plaintext.len());
            assert_eq!(room.encrypt(&plaintext).unwrap().as_bytes().len(), length, "{index}");
        }
    }
}

#[test]
fn the_indices_of_chains_are_those_of_the_messages() {
    let rng = &mut SeededRng::new(4);
    let (mut alice, mut bob) = states::pair(config(V3), rng);
    let indices = alice.chain_indices();
    assert_eq!((indices.sending, indices.receiving.len()), (Some(1), 0));
    assert_eq!(bob.chain_indices().sending, None);
    assert_eq!(bob.chain_indices().receiving, [1]);
    let first = states::turn(&mut bob, &mut alice, 3, rng);
    states::turn(&mut alice, &mut bob, 1, rng);
    let second = states::turn(&mut bob, &mut alice, 2, rng);
    assert_eq!(alice.chain_indices().receiving, [2, 3], "the newest chain first");
    assert_eq!(alice.chain_indices().skipped, [0, 1, 0], "the newest key first");
    alice.decrypt(&first[1]).unwrap();
    assert_eq!(alice.chain_indices().skipped, [0, 0]);
    alice.decrypt(&second[0]).unwrap();
    assert_eq!(alice.chain_indices().skipped, [0]);
}

/// A session made without decrypting is the session that decrypting would have made; the account is
/// not touched, and the checks of the keys are the same.
#[test]
fn a_session_from_an_unread_message() {
    let rng = &mut SeededRng::new(5);
    let (alice, mut bob) = (states::account(0, rng), states::account(1, rng));
    let config = SessionConfig::default();
    let mut to_bob =
        alice.create_outbound_session_with_rng(&states::bundle(&bob), config, rng).unwrap();
    let message = to_bob.encrypt_with_rng(b"read later", rng).unwrap();
    let pre_key = message.as_pre_key().unwrap();
    let sender = alice.curve25519_key();
    let refused = bob.create_inbound_session_unread(bob.curve25519_key(), pre_key, config);
    assert_eq!(refused.err(), Some(SessionCreationError::IdentityKeyMismatch));

    let generation = bob.generation();
    let mut unread = bob.create_inbound_session_unread(sender, pre_key, config).unwrap();
    assert!(!unread.has_received_message());
    assert_eq!((bob.generation(), bob.stored_one_time_key_count()), (generation, 1));
    assert_eq!(unread.decrypt(&message).unwrap().plaintext(), b"read later");
    let read = bob.create_inbound_session(sender, pre_key).unwrap().session;
    assert_eq!(unread.to_libolm(KEY), read.to_libolm(KEY));
    let used_up = bob.create_inbound_session_unread(sender, pre_key, config);
    assert_eq!(used_up.err(), Some(SessionCreationError::UnknownOneTimeKey));
}

/// The id of a key tells which of the three kinds it is found among.
#[test]
fn keys_are_found_by_their_public_half() {
    let rng = &mut SeededRng::new(6);
    let mut account = states::account(2, rng);
    let [(first, first_key), (second, second_key)] = account.unpublished_one_time_keys()[..] else {
        panic!("two keys")
    };
    assert_eq!((first.number(), second.number()), (1, 2));
    account.generate_fallback_key_with_rng(rng).unwrap();
    let (previous, previous_key) = account.fallback_key().unwrap();
    account.generate_fallback_key_with_rng(rng).unwrap();
    let (current, current_key) = account.fallback_key().unwrap();
    account.mark_as_published([current]);
    assert_eq!(account.unpublished_fallback_key(), None);
    assert_eq!(account.fallback_key(), Some((current, current_key)), "published or not");
    for (id, key) in
        [(first, first_key), (second, second_key), (previous, previous_key), (current, current_key)]
    {
        assert_eq!(account.key_id(&key), Some(id));
    }
    assert_eq!(account.key_id(&account.curve25519_key()), None);
    account.forget_previous_fallback_key();
    assert_eq!(account.key_id(&previous_key), None);
    account.remove_one_time_key(first);
    assert_eq!(account.key_id(&first_key), None);
}

/// Bundles with a key that is not in use draw no more randomness than the session needs.
#[test]
fn an_outbound_session_draws_64_bytes() {
    let rng = &mut SeededRng::new(7);
    let (alice, bob) = (states::account(0, rng), states::account(1, rng));
    let (_, key) = bob.unpublished_one_time_keys()[0];
    let bundle = PreKeyBundle::from_unverified_keys(bob.curve25519_key(), key).unwrap();
    let mut enough = RecordedRng::new([9; 64]);
    let config = SessionConfig::default();
    assert!(alice.create_outbound_session_with_rng(&bundle, config, &mut enough).is_ok());
    let mut short = RecordedRng::new([9; 63]);
    let refused = alice.create_outbound_session_with_rng(&bundle, config, &mut short);
    assert_eq!(refused.err(), Some(SessionCreationError::Random));
}
