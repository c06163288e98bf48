//! Megolm: the ratchet alone, single messages, and whole sessions.

use moceril::{
    MessageVersion,
    megolm::{
        ExportError, ExportedSessionKey, GroupSession, GroupSessionConfig, InboundGroupSession,
        MegolmMessage, Provenance, SessionKey,
    },
};

use crate::refusal::{decode_layer, is_megolm_error};
use moceril_testing::{
    fixtures::{State, group, unchanged},
    rng::RecordedRng,
    vector_file::{Layer, VectorFile, item_bytes, number},
};

pub fn version(file: &VectorFile) -> MessageVersion {
    match file.number("version") {
        3 => MessageVersion::V3,
        4 => MessageVersion::V4,
        other => panic!("no version {other}"),
    }
}

/// The ratchet is set by an import and read by an export, which is the only public access to it.
pub fn ratchet(file: &VectorFile) {
    let (start, target) = (file.number("start"), file.number("target"));
    let (_, any_session) = group(MessageVersion::V3, 1);
    let bytes = |index: u32, ratchet| {
        let key = any_session.signing_key().as_bytes().to_vec();
        [vec![1], index.to_be_bytes().to_vec(), ratchet, key].concat()
    };
    let key = ExportedSessionKey::from_bytes(&bytes(start, file.bytes("initial"))).unwrap();
    let expected = bytes(target, file.bytes("output"));
    let mut session = InboundGroupSession::import(&key);
    if target < start {
        // The vector wraps around at 2^32, where this library has no way back.
        let error = ExportError::UnknownIndex { index: target, first_known: start };
        assert_eq!(session.export_at(target).unwrap_err(), error);
        assert!(!session.advance_to(target));
        return;
    }
    assert_eq!(session.export_at(target).unwrap().to_bytes(), *expected);
    assert_eq!(session.advance_to(target), target > start);
    assert_eq!(session.export_at_first_known_index().unwrap().to_bytes(), *expected);
}

fn inbound(file: &VectorFile) -> InboundGroupSession {
    let version = version(file);
    match (file.optional("session-key"), file.optional("exported-session-key")) {
        (Some(key), None) => {
            let key = SessionKey::from_base64(key).unwrap();
            InboundGroupSession::with_version(&key, version)
        }
        (None, Some(key)) => {
            let key = ExportedSessionKey::from_base64(key).unwrap();
            InboundGroupSession::import_with_version(&key, Provenance::Exported, version)
        }
        _ => panic!("one of the two kinds of key is present"),
    }
}

pub fn decrypt(file: &VectorFile) {
    let mut session = inbound(file);
    let message = file.text("message");
    match file.expect {
        None => {
            let message = MegolmMessage::from_base64(message).unwrap();
            let expected = (file.bytes("plaintext"), file.number("index"));
            receive(&mut session, &message, &expected);
            // S-19: decrypting it again is not an error here.
            receive(&mut session, &message, &expected);
            receive(&mut State::restored(&session.snapshot()), &message, &expected);
        }
        Some(layer) => refuse(&mut session, layer, message),
    }
}

fn receive(session: &mut InboundGroupSession, message: &MegolmMessage, expected: &(Vec<u8>, u32)) {
    let decrypted = session.decrypt(message).unwrap();
    assert_eq!((decrypted.plaintext(), decrypted.message_index()), (&*expected.0, expected.1));
    assert_eq!(decrypted.signing_key(), session.signing_key());
    assert_eq!(decrypted.provenance(), session.provenance());
}

/// The layer refuses the message, and nothing has changed (S-04).
fn refuse(session: &mut InboundGroupSession, layer: Layer, message: &str) {
    let message = match MegolmMessage::from_base64(message) {
        Ok(message) => message,
        Err(error) => return assert_eq!(decode_layer(error), layer),
    };
    // The error is the same for signature, MAC and padding; this tells at least one of them.
    let signature = message.signature();
    let signed = message.as_bytes().strip_suffix(signature.as_bytes()).unwrap();
    let signature_holds = session.signing_key().verify(signed, signature).is_ok();
    assert_eq!(signature_holds, layer != Layer::Signature, "the fault is in another layer");
    let error = unchanged(session, |session| session.decrypt(&message));
    assert!(is_megolm_error(layer, error), "{error:?} is not of the layer {layer:?}");
}

/// Both ends, once straight through and once pickled and restored before every step.
pub fn transcript(file: &VectorFile) {
    play(file, false);
    play(file, true);
}

fn play(file: &VectorFile, restoring: bool) {
    let version = version(file);
    let config = GroupSessionConfig::default().with_version(version);
    let mut rng = RecordedRng::new(file.array::<160>("group-random"));
    let mut sender = GroupSession::with_rng(config, &mut rng).unwrap();
    assert_eq!(rng.left(), 0);
    assert_eq!(sender.session_id(), file.text("session-id"));
    assert_eq!(&*sender.session_key().to_base64(), file.text("session-key"));
    let key = SessionKey::from_base64(file.text("session-key")).unwrap();
    let mut receiver = InboundGroupSession::with_version(&key, version);
    assert_eq!(receiver.session_id(), file.text("session-id"));

    let mut sent = Vec::new();
    for step in file.steps() {
        if restoring {
            sender = State::restored(&sender.snapshot());
            receiver = State::restored(&receiver.snapshot());
        }
        match *step.as_slice() {
            ["send", plaintext, message] => {
                let expected = (item_bytes(plaintext), sender.message_index());
                assert_eq!(sender.encrypt(&expected.0).unwrap().to_base64(), message);
                sent.push((MegolmMessage::from_base64(message).unwrap(), expected));
            }
            ["advance", count] => {
                for _ in 0..number(count) {
                    sender.encrypt(b"").unwrap();
                }
            }
            ["session-key", key] => assert_eq!(&*sender.session_key().to_base64(), key),
            ["export", index, key] => {
                let exported = receiver.export_at(number(index)).unwrap();
                assert_eq!(&*exported.to_base64(), key);
            }
            ["receive", n] => {
                let (message, expected) = &sent[number(n) as usize];
                receive(&mut receiver, message, expected);
            }
            ["refuse", layer, message] => {
                refuse(&mut receiver, Layer::parse(layer).unwrap(), message);
            }
            _ => panic!("unknown step {step:?}"),
        }
    }
}
