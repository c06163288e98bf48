//! S-24: pickles that old releases of vodozemac wrote are read, and their objects continue.
//! `test-vectors/README.md` describes the files.

use std::fmt::Debug;

use moceril::{
    megolm::{GroupSession, InboundGroupSession, MegolmMessage},
    olm::{Account, OlmMessage, Session},
    vodozemac::VodozemacPickleError,
};
use moceril_testing::{
    pickled::Pickled,
    vector_file::{VectorFile, assert_at_least, check_each, files, item_bytes, number},
    vodozemac_pickle::{Refusal, ViaVodozemac},
};

/// Reads both forms of the pickle, which are the same object, and hands each to `play`, with its
/// steps; once more after a trip through our own format, and once more after one through this.
///
/// S-13: one that does not say the version of its messages is read only by the call that supplies
/// it.
fn run<T: Pickled + ViaVodozemac + Debug>(
    kind: &str,
    files: Vec<VectorFile>,
    at_least: usize,
    play: fn(&mut T, &[&str]),
) {
    check_each(&files, |file| {
        assert_eq!((file.kind.as_str(), file.expect), (kind, None));
        assert!(!file.text("release").is_empty());
        let (pickle, key) = (file.text("pickle"), file.array("pickle-key"));
        let (encrypted, plain) =
            (T::from_encrypted(pickle, &key), T::from_json_text(file.text("json")));
        if kind != "vodozemac-account-pickle" && !file.text("json").contains("\"config\"") {
            assert_eq!(encrypted.err(), Some(VodozemacPickleError::MissingVersion));
            assert_eq!(plain.err(), Some(Refusal::State(VodozemacPickleError::MissingVersion)));
        }
        let encrypted = T::from_old_encrypted(pickle, &key).unwrap();
        let plain = T::from_old_json_text(file.text("json")).unwrap();
        assert_eq!(plain.snapshot(), encrypted.snapshot());
        let again = T::from_encrypted(&plain.to_encrypted(&key), &key).unwrap();
        assert_eq!(again.snapshot(), plain.snapshot());
        for mut object in [encrypted, plain.copy(), plain, again] {
            for step in file.steps() {
                play(&mut object, &step);
            }
        }
    });
    assert_at_least(&files, kind, at_least, 0);
}

fn message(kind: &str, body: &str) -> OlmMessage {
    OlmMessage::from_parts(number(kind) as usize, body).unwrap()
}

/// All messages that were under way can still be read: in order, late, and in a new chain.
#[test]
fn s_24_sessions_of_old_releases() {
    run(
        "vodozemac-session-pickle",
        files("vodozemac-session-pickle"),
        15,
        |session: &mut Session, step| match *step {
            ["receive", kind, body, plaintext] => {
                let decrypted = session.decrypt(&message(kind, body)).unwrap();
                assert_eq!(decrypted.plaintext(), item_bytes(plaintext));
            }
            _ => panic!("unknown step {step:?}"),
        },
    );
}

/// Every key that was given out still makes a session: published or not, one-time or fallback.
#[test]
fn s_24_accounts_of_old_releases() {
    run(
        "vodozemac-account-pickle",
        files("vodozemac-account-pickle"),
        6,
        |account: &mut Account, step| match *step {
            ["receive", kind, body, plaintext] => {
                let message = message(kind, body);
                let message = message.as_pre_key().unwrap();
                let created =
                    account.create_inbound_session(message.identity_key(), message).unwrap();
                assert_eq!(created.message.plaintext(), item_bytes(plaintext));
            }
            _ => panic!("unknown step {step:?}"),
        },
    );
}

/// The next messages are those that the old release would have written.
#[test]
fn s_24_group_sessions_of_old_releases() {
    run(
        "vodozemac-group-session-pickle",
        files("vodozemac-group-session-pickle"),
        8,
        |session: &mut GroupSession, step| match *step {
            ["send", plaintext, expected] => {
                let sent = session.encrypt(item_bytes(plaintext)).unwrap();
                assert_eq!(sent.to_base64(), expected);
            }
            _ => panic!("unknown step {step:?}"),
        },
    );
}

#[test]
fn s_24_inbound_group_sessions_of_old_releases() {
    let play = |session: &mut InboundGroupSession, step: &[&str]| match *step {
        ["receive", index, body, plaintext] => {
            let message = MegolmMessage::from_base64(body).unwrap();
            let decrypted = session.decrypt(&message).unwrap();
            assert_eq!(decrypted.message_index(), number(index));
            assert_eq!(decrypted.plaintext(), item_bytes(plaintext));
        }
        _ => panic!("unknown step {step:?}"),
    };
    run(
        "vodozemac-inbound-group-session-pickle",
        files("vodozemac-inbound-group-session-pickle"),
        8,
        play,
    );
}
