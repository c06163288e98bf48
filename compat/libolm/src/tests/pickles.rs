//! Pickles that libolm wrote, and pickles that nobody should have written.

use moceril::{
    backup::BackupDecryptionKey,
    hazmat::Cipher,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
};

use super::{
    held::{Held, entries, input, written, written_bytes},
    vector_file::{Layer, assert_at_least, check_each, files, item_bytes, number},
};
use crate::{
    account, base64,
    error::{Code, FAILED},
    memory::Output,
    pickle::{self, Pickled},
    session,
};

/// Read, the account has the fallback key; written again, it is the same pickle if libolm would still
/// write that version.
#[test]
fn accounts_of_libolm_are_read() {
    let files = files("libolm-account-pickle");
    check_each(&files, |file| {
        let (key, text) = (file.bytes("pickle-key"), file.text("pickle"));
        let mut account = Held::<Account>::blank();
        if file.expect.is_some() {
            assert_eq!(file.expect, Some(Layer::Version));
            account.refuses(Code::BadLegacyAccountPickle, |account| {
                pickle::read(account, input(&key), input(text))
            });
            return;
        }
        assert_eq!(pickle::read(account.object(), input(&key), input(text)), text.len());
        let json = written(|json| account::current_fallback_key(account.object(), json));
        assert_eq!(entries(&json)[0].1, file.text("fallback-key"));
    });
    assert_at_least(&files, "libolm-account-pickle", 1, 1);
}

/// Sessions that libolm pickled go on, and pickle to the same text.
#[test]
fn sessions_of_libolm_go_on() {
    let files = files("libolm-session-pickle");
    check_each(&files, |file| {
        let (key, text) = (file.bytes("pickle-key"), file.text("pickle"));
        let mut session = Held::<Session>::blank();
        assert_eq!(pickle::read(session.object(), input(&key), input(text)), text.len());
        let again = written(|again| pickle::write(session.object(), input(&key), again));
        // The other branch of libolm wrote a number more.
        assert!(again == text || file.name.ends_with("published-v2.txt"), "{again}");
        for step in file.steps() {
            match *step.as_slice() {
                ["send", plaintext, kind, body] => {
                    let plaintext = item_bytes(plaintext);
                    let kind = number(kind) as usize;
                    assert_eq!(session::encrypt_message_type(session.object()), kind);
                    let made = written(|message| {
                        let none = Output::over(&mut []);
                        session::encrypt(session.object(), input(&plaintext), none, message)
                    });
                    assert_eq!(made, body);
                }
                ["receive", kind, body, plaintext] => {
                    let kind = number(kind) as usize;
                    let made = written_bytes(|plaintext| {
                        session::decrypt(session.object(), kind, input(body), plaintext)
                    });
                    assert_eq!(made, item_bytes(plaintext));
                }
                _ => panic!("unknown step {step:?}"),
            }
        }
    });
    assert_at_least(&files, "libolm-session-pickle", 7, 0);
}

/// The content that is read, under the empty key.
fn sealed(content: &[u8]) -> String {
    let cipher = Cipher::pickle(b"");
    let mut sealed = cipher.encrypt(content);
    let mac = cipher.mac(&sealed);
    sealed.extend_from_slice(&mac[..8]);
    base64::encode(&sealed)
}

fn read<T: Pickled>(held: &mut Held<T>, text: &str) -> usize {
    pickle::read(held.object(), input(""), input(text))
}

/// A blank object has a pickle: the version, then zeros.
#[test]
fn blank_objects_are_pickled_and_read() {
    fn check<T: Pickled>(length: usize) {
        let (version, content_length) = T::BLANKS[0];
        let mut content = version.to_be_bytes().to_vec();
        content.resize(content_length, 0);
        let mut held = Held::<T>::blank();
        let text = written(|text| pickle::write(held.object(), input(""), text));
        assert_eq!((&text, text.len()), (&sealed(&content), length));
        assert_eq!(pickle::length(held.object()), length);
        assert_eq!(read(&mut held, &text), length);
        assert!(held.bytes().iter().all(|byte| *byte == 0));

        content.push(0);
        held.refuses(Code::PickleExtraData, |held| {
            pickle::read(held, input(""), input(&sealed(&content)))
        });
    }
    check::<Account>(246);
    check::<Session>(224);
    check::<GroupSession>(331);
    check::<InboundGroupSession>(416);
    check::<BackupDecryptionKey>(118);
}

/// S-23: what is too short, too long, of another version or under another key is refused, each with
/// its error, and the object stays what it was.
#[test]
fn bad_pickles_are_refused() {
    let mut account = Held::account(&[7; 64]);
    let text = written(|text| pickle::write(account.object(), input(""), text));
    let content = account.bytes()[8..181].to_vec();
    assert_eq!(sealed(&content), text);
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut content = content.clone();
        change(&mut content);
        sealed(&content)
    };
    for (text, code) in [
        (text[..text.len() - 1].to_owned(), Code::InvalidBase64),
        (text[..text.len() - 2].to_owned(), Code::BadAccountKey),
        (String::new(), Code::BadAccountKey),
        ("AAAAAAAAAA".to_owned(), Code::BadAccountKey),
        (text.replacen(&text[5..6], "!", 1), Code::BadAccountKey),
        (with(&|content| content[3] = 5), Code::UnknownPickleVersion),
        (with(&|content| content[3] = 1), Code::BadLegacyAccountPickle),
        (with(&|content| content.truncate(172)), Code::CorruptedPickle),
        (with(&|content| content.truncate(2)), Code::CorruptedPickle),
        (with(&|content| content[168] = 3), Code::CorruptedPickle),
        // S-14: the public half of the signing key is not the private half's.
        (with(&|content| content[4] ^= 1), Code::CorruptedPickle),
        // S-01: a key of low order.
        (with(&|content| content[100..132].fill(0)), Code::CorruptedPickle),
        (with(&|content| content.push(0)), Code::PickleExtraData),
    ] {
        account.refuses(code, |account| pickle::read(account, input(""), input(&text)));
    }
    account.refuses(Code::BadAccountKey, |account| pickle::read(account, input("x"), input(&text)));
    assert_eq!(read(&mut account, &text), text.len());
    assert_ne!(account.error(), 0, "success does not take the last error back");
    account.refuses(Code::OutputBufferTooSmall, |account| {
        pickle::write(account, input(""), Output::over(&mut vec![0; text.len() - 1]))
    });
    assert_ne!(read(&mut account, &text), FAILED);
}
