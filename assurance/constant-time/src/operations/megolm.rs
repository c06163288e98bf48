//! Megolm sessions, all of whose randomness is secret.

use moceril::{
    Ed25519SecretKey, MessageVersion,
    megolm::{
        DecryptedMessage, DecryptionError, ExportedSessionKey, GroupSession, GroupSessionConfig,
        InboundGroupSession, MegolmMessage, Provenance, ReplayGuard, SessionKey,
    },
};

use crate::secrets::{
    Disclosed::{Message, PublicKey, Signature},
    SecretRng, declassify, declassify_frame, declassify_length, must_be_secret,
};

/// Where the ratchet is in both forms of a session key, and the texts of those that have no other
/// bits.
const RATCHET: std::ops::Range<usize> = 5..5 + 128;
const RATCHET_TEXT: std::ops::Range<usize> = RATCHET.start.div_ceil(3) * 4..RATCHET.end / 3 * 4;

pub fn new_session(rng: &mut SecretRng) -> GroupSession {
    let session = GroupSession::with_rng(GroupSessionConfig::default(), rng).unwrap();
    let key = session.session_key();
    declassify(PublicKey, key.signing_key().as_bytes());
    session
}

/// The bytes of a session key: all but the ratchet is public.
fn session_key_bytes(session: &GroupSession) -> [u8; 229] {
    let bytes = session.session_key().to_bytes();
    declassify(Signature, &bytes[229 - 64..]);
    declassify_frame(&bytes[..RATCHET.start]);
    must_be_secret(&bytes[RATCHET]);
    bytes
}

pub fn receiver(session: &GroupSession) -> InboundGroupSession {
    InboundGroupSession::new(&SessionKey::from_bytes(&session_key_bytes(session)).unwrap())
}

/// What arrives of a message with a secret text.
fn send(session: &mut GroupSession, rng: &mut SecretRng) -> MegolmMessage {
    let message = session.encrypt(rng.text(40)).unwrap();
    declassify(Message, message.as_bytes());
    MegolmMessage::from_bytes(message.as_bytes()).unwrap()
}

fn must_be_readable(message: DecryptedMessage) {
    let plaintext = message.into_plaintext();
    declassify_length(&plaintext);
    assert_eq!(plaintext.len(), 40);
}

fn receive(session: &mut InboundGroupSession, message: &MegolmMessage) {
    must_be_readable(session.decrypt(message).unwrap());
}

pub fn session_key() {
    let session = new_session(&mut SecretRng::new(20));
    must_be_secret(session.session_key().to_base64().as_bytes());
    session_key_bytes(&session);
}

pub fn encrypt() {
    let mut rng = SecretRng::new(21);
    let mut session = new_session(&mut rng);
    // Past the place where a part of the ratchet reseeds the one below it.
    for _ in 0..257 {
        session.encrypt(b"").unwrap();
    }
    send(&mut session, &mut rng);
}

pub fn inbound() {
    let session = new_session(&mut SecretRng::new(22));
    receiver(&session);
    let text = session.session_key().to_base64();
    declassify_frame(&text.as_bytes()[..RATCHET_TEXT.start]);
    declassify_frame(&text.as_bytes()[RATCHET_TEXT.end..]);
    must_be_secret(text.as_bytes());
    let key = SessionKey::from_base64(&text).unwrap();
    must_be_secret(&key.to_bytes());
}

pub fn decrypt() {
    let mut rng = SecretRng::new(23);
    let mut session = new_session(&mut rng);
    let mut inbound = receiver(&session);
    let messages: Vec<_> = (0..4).map(|_| send(&mut session, &mut rng)).collect();
    for place in [3, 0, 1, 1] {
        receive(&mut inbound, &messages[place]);
    }
}

pub fn decrypt_batch() {
    let mut rng = SecretRng::new(27);
    let mut session = new_session(&mut rng);
    let mut inbound = receiver(&session);
    let mut messages: Vec<_> = (0..20).map(|_| send(&mut session, &mut rng)).collect();
    messages.reverse();
    for result in inbound.decrypt_batch(&messages) {
        must_be_readable(result.unwrap());
    }
}

pub fn forged() {
    let mut rng = SecretRng::new(24);
    let mut session = new_session(&mut rng);
    let mut other = new_session(&mut rng);
    let mut inbound = receiver(&session);
    let message = send(&mut session, &mut rng);
    let mut bytes = message.as_bytes().to_vec();
    // A bad signature, which is looked at first.
    *bytes.last_mut().unwrap() ^= 1;
    let forged = MegolmMessage::from_bytes(&bytes).unwrap();
    assert_eq!(inbound.decrypt(&forged), Err(DecryptionError::Authentication));
    // The owner signs what another ratchet has sealed.
    let mut state = inbound_with_another_ratchet(&session, &other);
    let message = send(&mut session, &mut rng);
    assert_eq!(state.decrypt(&message), Err(DecryptionError::Authentication));
    send(&mut other, &mut rng);
}

/// A receiver that has the right signing key and a wrong ratchet.
fn inbound_with_another_ratchet(
    session: &GroupSession,
    other: &GroupSession,
) -> InboundGroupSession {
    let mut export = export_bytes(&receiver(session));
    export[RATCHET].copy_from_slice(&session_key_bytes(other)[RATCHET]);
    InboundGroupSession::import(&ExportedSessionKey::from_bytes(&export).unwrap())
}

/// The bytes of an export: all but the ratchet is public.
fn export_bytes(session: &InboundGroupSession) -> [u8; 165] {
    let bytes = session.export_at_first_known_index().unwrap().to_bytes();
    must_be_secret(&bytes[RATCHET]);
    bytes
}

pub fn export() {
    let mut rng = SecretRng::new(25);
    let mut session = new_session(&mut rng);
    let inbound = receiver(&session);
    let exported = inbound.export_at(300).unwrap();
    must_be_secret(exported.to_base64().as_bytes());
    must_be_secret(&exported.to_bytes());
    let key = ExportedSessionKey::from_bytes(&export_bytes(&inbound)).unwrap();
    let mut imported = InboundGroupSession::import(&key);
    receive(&mut imported, &send(&mut session, &mut rng));
    let text = key.to_base64();
    declassify_frame(&text.as_bytes()[..RATCHET_TEXT.start]);
    declassify_frame(&text.as_bytes()[RATCHET_TEXT.end..]);
    must_be_secret(ExportedSessionKey::from_base64(&text).unwrap().to_base64().as_bytes());
}

pub fn compare() {
    let mut rng = SecretRng::new(26);
    let (session, other) = (new_session(&mut rng), new_session(&mut rng));
    let (mut first, second) = (receiver(&session), receiver(&session));
    assert!(first.connected(&second));
    assert!(first.merge(&second).is_ok());
    let other = inbound_with_another_ratchet(&session, &other);
    assert!(!first.connected(&other));
    assert!(first.merge(&other).is_err());
    assert!(first.advance_to(3));
    must_be_secret(&export_bytes(&first));
    first.close();
}

pub fn versions() {
    let mut rng = SecretRng::new(28);
    let config = GroupSessionConfig::default().with_version(MessageVersion::V4);
    let mut session = GroupSession::with_rng(config, &mut rng).unwrap();
    declassify(PublicKey, session.session_key().signing_key().as_bytes());
    let key = SessionKey::from_bytes(&session_key_bytes(&session)).unwrap();
    let mut signed = InboundGroupSession::with_version(&key, MessageVersion::V4);
    let key = ExportedSessionKey::from_bytes(&export_bytes(&signed)).unwrap();
    let mut imported =
        InboundGroupSession::import_with_version(&key, Provenance::Backup, MessageVersion::V4);
    let message = send(&mut session, &mut rng);
    receive(&mut signed, &message);
    receive(&mut imported, &message);
}

/// The cipher of one index, and a message that was put together from it.
pub fn parts() {
    let mut rng = SecretRng::new(29);
    let session = new_session(&mut rng);
    let inbound = receiver(&session);
    let cipher = inbound.cipher_at(3).unwrap();
    let key = Ed25519SecretKey::with_rng(&mut rng).unwrap();
    declassify(PublicKey, key.public_key().as_bytes());
    let version = MessageVersion::V3;
    let message = MegolmMessage::encrypt(version, 3, &cipher, &key, rng.text(40));
    declassify(Message, message.as_bytes());
    let sign = |bytes: &[u8]| key.sign(bytes);
    let message = MegolmMessage::encrypt_signed_by(version, 3, &cipher, sign, rng.text(40));
    declassify(Message, message.as_bytes());
}

pub fn replay_guard() {
    let mut rng = SecretRng::new(19);
    let mut session = new_session(&mut rng);
    let mut inbound = receiver(&session);
    let decrypted = inbound.decrypt(&send(&mut session, &mut rng)).unwrap();
    let mut guard = ReplayGuard::new(&inbound);
    for _ in 0..2 {
        _ = guard.check(&decrypted, "$event").unwrap();
    }
    assert!(guard.check(&decrypted, "$another").is_err());
    must_be_readable(decrypted);
}
