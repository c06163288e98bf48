//! Pickles that libolm wrote, and pickles that nobody should have written.

use moceril::{
    backup::BackupDecryptionKey,
    hazmat::Cipher,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
    olm::{Account, Session},
};

use super::held::{Held, entries, input, written, written_bytes};
use crate::{
    account, base64,
    error::{Code, FAILED},
    memory::Output,
    pickle::{self, Pickled},
    random::Random,
    session,
};
use moceril_testing::vector_file::{
    Layer, VectorFile, assert_at_least, check_each, files, item_bytes, number,
};

/// The errors that a refused pickle may have. The base64 is read as leniently as ever, and then has
/// no MAC that holds.
const fn codes(layer: Layer) -> &'static [Code] {
    match layer {
        Layer::Base64 | Layer::Mac => &[Code::InvalidBase64, Code::BadAccountKey],
        Layer::Version => &[Code::UnknownPickleVersion, Code::BadLegacyAccountPickle],
        _ => &[Code::CorruptedPickle, Code::PickleExtraData],
    }
}

/// The object that the file's pickle is read into; `None` if it is to be refused, and was.
fn opened<T: Pickled>(file: &VectorFile) -> Option<Held<T>> {
    let (key, text) = (file.bytes("pickle-key"), file.text("pickle"));
    let mut held = Held::<T>::blank();
    let Some(layer) = file.expect else {
        assert_eq!(pickle::read(held.object(), input(&key), input(text)), text.len());
        return Some(held);
    };
    let before = held.state();
    assert_eq!(pickle::read(held.object(), input(&key), input(text)), FAILED);
    let code = held.error();
    assert!(codes(layer).iter().any(|allowed| *allowed as u32 == code), "{layer:?}: {code}");
    assert!(held.state() == before, "a call that failed has changed the object");
    None
}

fn decrypt(session: &mut Held<Session>, kind: &str, body: &str) -> Vec<u8> {
    written_bytes(|plaintext| {
        session::decrypt(session.object(), number(kind) as usize, input(body), plaintext)
    })
}

/// Accounts of every version that libolm reads are read, with their fallback keys, and have the
/// private halves of the keys that messages were made with. Other pickles are refused.
#[test]
fn accounts_of_libolm_are_read() {
    let files = files("libolm-account-pickle");
    check_each(&files, |file| {
        let Some(mut account) = opened::<Account>(file) else { return };
        if let Some(key) = file.optional("fallback-key") {
            let json = written(|json| account::current_fallback_key(account.object(), json));
            assert_eq!(entries(&json)[0].1, key);
        }
        for step in file.steps() {
            let ["receive", kind, body, plaintext] = *step.as_slice() else {
                panic!("unknown step {step:?}")
            };
            let mut session = Held::<Session>::blank();
            let created = session::create_inbound(session.object(), account.object(), input(body));
            assert_eq!(created, 0);
            assert_eq!(decrypt(&mut session, kind, body), item_bytes(plaintext));
        }
    });
    assert_at_least(&files, "libolm-account-pickle", 8, 20);
}

/// Sessions that libolm pickled go on, and pickle to the same text.
#[test]
fn sessions_of_libolm_go_on() {
    let files = files("libolm-session-pickle");
    check_each(&files, |file| {
        let Some(mut session) = opened::<Session>(file) else { return };
        let key = file.bytes("pickle-key");
        let again = written(|again| pickle::write(session.object(), input(&key), again));
        // The other branch of libolm wrote a number more.
        let other_branch = ["published-v2.txt", "80000001.txt"];
        let is_other = other_branch.iter().any(|name| file.name.ends_with(name));
        assert_eq!(again == file.text("pickle"), !is_other, "{again}");
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
                    assert_eq!(decrypt(&mut session, kind, body), item_bytes(plaintext));
                }
                _ => panic!("unknown step {step:?}"),
            }
        }
    });
    assert_at_least(&files, "libolm-session-pickle", 7, 20);
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

/// A pickle may hold more one-time keys than libolm's 100, as one from vodozemac does, in either
/// order. The newest 100 are kept.
#[test]
fn the_newest_hundred_one_time_keys_are_kept() {
    const KEYS: usize = 4 + 160;
    const KEY: usize = 4 + 1 + 64;
    // The keys of the ids 1 to 105, the newest first. The account itself holds 100 of them.
    let mut account = Held::account(&[200; 64]);
    let mut keys = Vec::new();
    for first in [1, 36, 71] {
        let random: Vec<u8> = (first..first + 35_u8).flat_map(|id| [id; 32]).collect();
        account.generate_one_time_keys(&random);
        let content = account.bytes()[8..].to_vec();
        keys.splice(0..0, content[KEYS + 4..][..35 * KEY].to_vec());
    }
    let content = account.bytes()[8..].to_vec();
    let end = KEYS + 4 + 100 * KEY;
    for oldest_first in [false, true] {
        let mut keys: Vec<_> = keys.chunks(KEY).collect();
        if oldest_first {
            keys.reverse();
        }
        let count = 105_u32.to_be_bytes();
        // No fallback key, and the last id.
        let changed = [&content[..KEYS], &count, &keys.concat(), &content[end..end + 5]].concat();
        let mut read_back = Held::<Account>::blank();
        let text = sealed(&changed);
        assert_eq!(read(&mut read_back, &text), text.len());
        let ids: Vec<_> = read_back.one_time_keys().into_iter().map(|(id, _)| id).collect();
        let expected: Vec<_> =
            (6..=105_u32).rev().map(|id| base64::encode(&id.to_be_bytes())).collect();
        assert_eq!(ids, expected);
        assert!(read_back.state() == account.state());
    }
}

/// S-43: of the two ratchets of an inbound group session, the later one must follow from the
/// earlier one.
#[test]
fn a_later_ratchet_that_does_not_follow_is_refused() {
    let config = GroupSessionConfig::default();
    let mut sender = GroupSession::with_rng(config, &mut Random(&[7; 160])).unwrap();
    let mut receiver = InboundGroupSession::new(&sender.session_key());
    for _ in 0..300 {
        sender.encrypt(b"").unwrap();
    }
    receiver.decrypt(&sender.encrypt(b"text").unwrap()).unwrap();
    let mut content = [0; 301];
    assert_eq!(receiver.write_libolm_content(&mut content), Ok(Some(301)));
    let mut held = Held::<InboundGroupSession>::blank();
    assert_ne!(read(&mut held, &sealed(&content)), FAILED);
    // In the earlier ratchet, in the later one, and in the later one's index.
    for place in [4, 36, 68, 136, 168, 200, 232, 267] {
        let mut altered = content;
        altered[place] ^= 1;
        held.refuses(Code::CorruptedPickle, |held| {
            pickle::read(held, input(""), input(&sealed(&altered)))
        });
    }
}
