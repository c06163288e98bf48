//! S-06: the MAC and the signature cover exactly the received bytes.
//!
//! What a MAC covers has one form: whoever changes it on its way, even into another form of the
//! same content, makes it unacceptable. No MAC covers the outer fields of a pre-key message. Their
//! keys must be the session's (S-09); their order and unknown fields are free.

use moceril::{
    DecodeError,
    megolm::{self, MegolmMessage},
    olm::{DecryptionError, Message, OlmMessage, PreKeyMessage},
};
use moceril_testing::{
    fixtures::{Devices, VERSIONS, group},
    forge::{Forger, KINDS, Kind, PLAINTEXT, Refusal, Value, encode_all},
};

/// The kinds with a MAC: the outer part of a pre-key message has none.
const AUTHENTICATED: [Kind; 3] = [Kind::Normal, Kind::Inner, Kind::Megolm];

fn forgers() -> impl Iterator<Item = Forger> {
    VERSIONS.into_iter().map(|version| Forger::new(version, 6))
}

/// The message with each byte changed in turn, in each of a few ways.
fn alterations(genuine: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..genuine.len()).flat_map(move |place| {
        [0x01, 0x08, 0x80, 0xff].map(|change| {
            let mut altered = genuine.to_vec();
            altered[place] ^= change;
            altered
        })
    })
}

/// What a receiver says when the MAC or signature is not over these bytes.
fn not_authentic(kind: Kind) -> Result<Vec<u8>, Refusal> {
    Err(match kind {
        Kind::Megolm => Refusal::Group(megolm::DecryptionError::Authentication),
        _ => Refusal::Decryption(DecryptionError::Authentication),
    })
}

/// Other forms of one genuine payload, with the same content.
fn re_encodings(forger: &Forger, kind: Kind) -> Vec<Vec<u8>> {
    let genuine = forger.fields(kind);
    let mut reversed = genuine.clone();
    reversed.reverse();
    let mut rotated = genuine.clone();
    rotated.rotate_left(1);
    let unknown_integer = [genuine.as_slice(), &[(9, Value::Integer(1 << 40))]].concat();
    let unknown_string = [&[(7, Value::String(b"unknown".to_vec()))], genuine.as_slice()].concat();
    [reversed, rotated, unknown_integer, unknown_string].map(|fields| encode_all(&fields)).to_vec()
}

/// There are two types of Olm messages; what is said to be of another one is not even parsed.
#[test]
fn other_message_types_are_refused() {
    for forger in forgers() {
        let message = forger.message(Kind::Normal);
        assert!(OlmMessage::from_bytes(1, &message).is_ok());
        for message_type in [2, 3, 256, usize::MAX] {
            let refused = Err(DecodeError::MessageType(message_type));
            assert_eq!(OlmMessage::from_bytes(message_type, &message), refused);
            assert_eq!(OlmMessage::from_parts(message_type, "not base64"), refused);
        }
    }
}

/// S-06: no byte of an accepted message can be changed.
#[test]
fn any_changed_byte_is_refused() {
    for forger in forgers() {
        // A whole pre-key message and the one within it are the same bytes.
        for kind in AUTHENTICATED {
            let genuine = forger.message(kind);
            assert_eq!(forger.deliver(kind, &genuine), Ok(PLAINTEXT.to_vec()));
            for altered in alterations(&genuine) {
                let result = forger.deliver(kind, &altered);
                assert!(result.is_err(), "{kind:?}: {altered:02x?}");
            }
        }
    }
}

/// S-06: the MAC of one form does not authenticate another form with the same content.
#[test]
fn a_mac_is_of_one_encoding() {
    for forger in forgers() {
        let version = forger.version.byte();
        for kind in AUTHENTICATED {
            let genuine = [vec![version], encode_all(&forger.fields(kind))].concat();
            let original = forger.mac(kind, &genuine, forger.version.mac_length());
            for payload in re_encodings(&forger, kind) {
                let altered = [&[version], payload.as_slice()].concat();
                // `finish` signs the altered Megolm message, so only the MAC can refuse it.
                let message = forger.finish(kind, altered, &original);
                assert_eq!(forger.deliver(kind, &message), not_authentic(kind), "{kind:?}");
            }
        }
    }
}

/// S-06: the signature of one form does not sign another form, whose MAC is right.
#[test]
fn a_signature_is_of_one_encoding() {
    for forger in forgers() {
        let genuine = forger.message(Kind::Megolm);
        let signature = &genuine[genuine.len() - 64..];
        for payload in re_encodings(&forger, Kind::Megolm) {
            let mut message = forger.seal(Kind::Megolm, forger.version.byte(), &payload);
            message.truncate(message.len() - signature.len());
            message.extend(signature);
            assert_eq!(forger.deliver(Kind::Megolm, &message), not_authentic(Kind::Megolm));
        }
    }
}

/// S-06: a peer that encodes in another way than we do, and authenticates that, is understood.
#[test]
fn another_encoding_with_a_mac_of_its_own_is_accepted() {
    for forger in forgers() {
        for kind in KINDS {
            for payload in re_encodings(&forger, kind) {
                let message = forger.seal(kind, forger.version_byte(kind), &payload);
                assert_eq!(forger.deliver(kind, &message), Ok(PLAINTEXT.to_vec()), "{kind:?}");
            }
        }
    }
}

/// S-06: no MAC covers the outer fields of a pre-key message. Another order, and unknown fields,
/// make another text of the same message: the same keys and the same inner message, and the session
/// takes one of them.
#[test]
fn the_outer_fields_of_a_pre_key_message_are_free() {
    for forger in forgers() {
        let parse = |bytes: &[u8]| PreKeyMessage::from_bytes(bytes).unwrap();
        let genuine = parse(&forger.message(Kind::PreKey));
        for payload in re_encodings(&forger, Kind::PreKey) {
            let other = forger.finish(Kind::PreKey, [&[3], payload.as_slice()].concat(), &[]);
            assert_eq!(forger.deliver(Kind::PreKey, &other), Ok(PLAINTEXT.to_vec()));
            let other = parse(&other);
            assert_ne!(other, genuine);
            assert_eq!(other.session_keys(), genuine.session_keys());
            assert_eq!(other.message(), genuine.message());
        }
    }
    // The same message in two texts is still one message.
    let mut devices = Devices::new(8);
    let (mut alice, mut bob) = devices.sessions(VERSIONS[0]);
    let message = alice.encrypt_with_rng(b"once", &mut devices.rng).unwrap();
    let unknown_field = [message.as_bytes(), &[0x48, 0]].concat();
    let other = PreKeyMessage::from_bytes(&unknown_field).map(OlmMessage::PreKey).unwrap();
    assert_eq!(bob.decrypt(&other).unwrap().plaintext(), b"once");
    assert_eq!(bob.decrypt(&message), Err(DecryptionError::AlreadyUsed));
}

/// S-06: the same for messages that the library itself made, in sessions it made itself.
#[test]
fn any_changed_byte_of_our_own_messages_is_refused() {
    for version in VERSIONS {
        let mut devices = Devices::new(7);
        let (mut alice, mut bob) = devices.sessions(version);
        let pre_key = alice.encrypt_with_rng(b"second", &mut devices.rng).unwrap();
        let reply = bob.encrypt_with_rng(b"reply", &mut devices.rng).unwrap();
        let (mut sender, mut receiver) = group(version, 7);
        let to_all = sender.encrypt(b"to everybody").unwrap();

        for altered in alterations(pre_key.as_bytes()) {
            let message = PreKeyMessage::from_bytes(&altered).map(OlmMessage::PreKey);
            assert!(message.is_err() || bob.decrypt(&message.unwrap()).is_err());
        }
        for altered in alterations(reply.as_bytes()) {
            let message = Message::from_bytes(&altered).map(OlmMessage::Normal);
            assert!(message.is_err() || alice.decrypt(&message.unwrap()).is_err());
        }
        for altered in alterations(to_all.as_bytes()) {
            let message = MegolmMessage::from_bytes(&altered);
            assert!(message.is_err() || receiver.decrypt(&message.unwrap()).is_err());
        }
        assert_eq!(bob.decrypt(&pre_key).unwrap().plaintext(), b"second");
        assert_eq!(alice.decrypt(&reply).unwrap().plaintext(), b"reply");
        assert_eq!(receiver.decrypt(&to_all).unwrap().plaintext(), b"to everybody");
    }
}
