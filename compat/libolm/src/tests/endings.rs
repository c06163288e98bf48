//! S-44: texts that are padded, or end in a NUL, a line end or a space, at every function that
//! takes a text.
//!
//! The differential run makes the same calls to libolm (`differential/src/endings.rs`).

use moceril::{
    backup::{BackupDecryptionKey, BackupEncryptionKey},
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
};

use super::held::{Held, filled, input, written, written_bytes};
use crate::{
    account, base64,
    error::Code,
    inbound,
    memory::{Input, Object, Out, Output},
    outbound,
    pickle::{self, Pickled},
    pk::{decryption, encryption},
    sas::{self, Keys},
    session,
    utility::{self, Utility},
};

const ENDINGS: [&str; 16] = [
    "", "=", "==", "===", "====", "\0", "\n", "\r\n", " ", "\0\0", "  ", "=\0", "==\0", "==\n",
    "=\r\n", "\0\0\0\0",
];

/// Lengths of plaintexts: with these, the number of digits in a last group of four is 0, 2 and 3
/// for each kind of message.
const LENGTHS: [usize; 9] = [0, 5, 20, 37, 53, 70, 86, 200, 216];

/// How a text with an ending decodes.
#[derive(Debug, PartialEq, Eq)]
enum Decodes {
    /// To the bytes that were encoded: there is no ending, or it is correct padding.
    Exactly,
    /// To those bytes and others.
    WithMore,
    /// Not at all: the length is impossible.
    Never,
}

fn decodes(text: &str, ending: &str) -> Decodes {
    let missing = (4 - text.len() % 4) % 4;
    match (text.len() + ending.len()) % 4 {
        _ if ending.is_empty() || ending == "=".repeat(missing) => Decodes::Exactly,
        1 => Decodes::Never,
        _ => Decodes::WithMore,
    }
}

/// Two accounts with a session in which both have sent one message.
struct Conversation {
    alice: Held<Account>,
    bob: Held<Account>,
    alices: Held<Session>,
    /// From Alice to Bob, and back.
    pre_key: String,
    normal: String,
}

fn conversation(plaintext: &[u8]) -> Conversation {
    let (mut alice, mut bob) = (Held::account(&[1; 64]), Held::account(&[2; 64]));
    bob.generate_one_time_keys(&[3; 32]);
    let (identity_key, one_time_key) =
        (bob.identity_key("curve25519"), bob.one_time_keys()[0].1.clone());
    let mut alices = Held::<Session>::blank();
    let (key, one_time_key) = (input(&identity_key), input(&one_time_key));
    let mut random = [4; 64];
    let random = Output::over(&mut random);
    let created =
        session::create_outbound(alices.object(), alice.object(), key, one_time_key, random);
    assert_eq!(created, 0);
    let encrypt = |session: &mut Held<Session>, random: &mut [u8]| {
        let (session, random) = (session.object(), Output::over(random));
        written(|message| session::encrypt(session, input(plaintext), random, message))
    };
    let pre_key = encrypt(&mut alices, &mut []);
    let mut bobs = Held::<Session>::blank();
    assert_eq!(session::create_inbound(bobs.object(), bob.object(), input(&pre_key)), 0);
    written_bytes(|out| session::decrypt(bobs.object(), 0, input(&pre_key), out));
    let normal = encrypt(&mut bobs, &mut [6; 32]);
    Conversation { alice, bob, alices, pre_key, normal }
}

/// Runs a check for each length of a plaintext and each ending.
#[track_caller]
fn each(check: impl Fn(&[u8], &str)) {
    for length in LENGTHS {
        for ending in ENDINGS {
            check(&vec![b'p'; length], ending);
        }
    }
}

/// No MAC covers what stands behind the outer fields, so any ending is read.
#[test]
fn pre_key_messages_are_read_with_every_ending() {
    each(|plaintext, ending| {
        let Conversation { mut alice, mut bob, pre_key, .. } = conversation(plaintext);
        let case = format!("{} bytes, {ending:?}", plaintext.len());
        let key = alice.identity_key("curve25519");
        let text = format!("{pre_key}{ending}");
        let mut plain = Held::<Session>::blank();
        assert_eq!(session::create_inbound(plain.object(), bob.object(), input(&pre_key)), 0);
        let mut created = Held::<Session>::blank();
        let (key, text) = (input(&key), input(&text));
        if decodes(&pre_key, ending) == Decodes::Never {
            created.refuses(Code::InvalidBase64, |created| {
                session::create_inbound(created, bob.object(), text)
            });
            created.refuses(Code::InvalidBase64, |created| {
                session::create_inbound_from(created, bob.object(), key, text)
            });
            plain.refuses(Code::InvalidBase64, |session| session::matches(session, text));
            plain.refuses(Code::InvalidBase64, |session| {
                session::decrypt(session, 0, text, Output::over(&mut [0; 300]))
            });
            return;
        }
        let bobs = bob.object();
        assert_eq!(session::create_inbound(created.object(), bobs, text), 0, "{case}");
        assert!(created.state() == plain.state(), "{case}: another session");
        assert_eq!(session::create_inbound_from(created.object(), bobs, key, text), 0, "{case}");
        assert!(created.state() == plain.state(), "{case}: another session");
        assert_eq!(session::matches(plain.object(), text), 1, "{case}");
        assert_eq!(session::matches_from(plain.object(), key, text), 1, "{case}");
        let padded = plaintext.len() / 16 * 16 + 16;
        let most = session::decrypt_max_plaintext_length(plain.object(), 0, text);
        assert_eq!(most, padded, "{case}");
        let decrypted = written_bytes(|out| session::decrypt(plain.object(), 0, text, out));
        assert_eq!(decrypted, plaintext, "{case}");
    });
}

/// The MAC is at the end. Behind correct padding it is found there; other endings are errors, as in
/// libolm.
#[test]
fn normal_messages_are_read_with_correct_padding_only() {
    each(|plaintext, ending| {
        let Conversation { mut alices, normal, .. } = conversation(plaintext);
        let text = format!("{normal}{ending}");
        let text = input(&text);
        let most = |alices: &mut Held<Session>| {
            session::decrypt_max_plaintext_length(alices.object(), 1, text)
        };
        let code = match decodes(&normal, ending) {
            Decodes::Exactly => {
                assert_eq!(most(&mut alices), plaintext.len() / 16 * 16 + 16);
                let decrypted =
                    written_bytes(|out| session::decrypt(alices.object(), 1, text, out));
                assert_eq!(decrypted, plaintext);
                return;
            }
            Decodes::WithMore => Code::BadMessageMac,
            Decodes::Never => Code::InvalidBase64,
        };
        alices
            .refuses(code, |alices| session::decrypt(alices, 1, text, Output::over(&mut [0; 300])));
        if code == Code::BadMessageMac {
            assert_eq!(most(&mut alices), plaintext.len() / 16 * 16 + 16);
            alices.refuses(Code::OutputBufferTooSmall, |alices| {
                session::decrypt(alices, 1, text, Output::over(&mut [0; 15]))
            });
        }
    });
}

/// The same for the signature of group messages. The index is known in any case.
#[test]
fn group_messages_are_read_with_correct_padding_only() {
    each(|plaintext, ending| {
        let (key, message) = group_message(plaintext);
        let mut receiver = Held::<InboundGroupSession>::blank();
        assert_eq!(inbound::init(receiver.object(), input(&key)), 0);
        let text = format!("{message}{ending}");
        let text = input(&text);
        let mut index = [0xff; 4];
        let code = match decodes(&message, ending) {
            Decodes::Exactly => {
                let index = Out::over(&mut index);
                let decrypted =
                    written_bytes(|out| inbound::decrypt(receiver.object(), text, out, index));
                assert_eq!(decrypted, plaintext);
                None
            }
            Decodes::WithMore => Some(Code::BadSignature),
            Decodes::Never => Some(Code::InvalidBase64),
        };
        if let Some(code) = code {
            receiver.refuses(code, |receiver| {
                let mut room = [0; 300];
                let room = Output::over(&mut room);
                inbound::decrypt(receiver, text, room, Out::over(&mut index))
            });
        }
        if code != Some(Code::InvalidBase64) {
            assert_eq!(index, [0; 4]);
            let most = inbound::decrypt_max_plaintext_length(receiver.object(), text);
            assert_eq!(most, plaintext.len() / 16 * 16 + 16);
        }
    });
}

/// A session key and the first message.
fn group_message(plaintext: &[u8]) -> (String, String) {
    let mut sender = Held::<GroupSession>::blank();
    assert_eq!(outbound::init(sender.object(), Output::over(&mut [1; 160])), 0);
    let key = written(|key| outbound::key(sender.object(), key));
    (key, written(|out| outbound::encrypt(sender.object(), input(plaintext), out)))
}

/// What stands between the fields and the MAC is covered by it: bytes that are put in there do not
/// leave a message that decrypts.
#[test]
fn bytes_before_a_mac_are_not_ignored() {
    let with_rest = |text: &str, trailer: usize, rest: &[u8]| {
        let mut bytes = base64::decode(text.as_bytes()).unwrap();
        let end = bytes.len() - trailer;
        bytes.splice(end..end, rest.iter().copied());
        base64::encode(&bytes)
    };
    // What libolm stops at, and a field that it skips.
    for rest in [&[0x3f][..], &[0xff], &[0x3f, 0xff, 0xff], &[0x38, 0x05]] {
        let Conversation { mut alices, normal, .. } = conversation(b"hello");
        let text = with_rest(&normal, 8, rest);
        alices.refuses(Code::BadMessageMac, |alices| {
            session::decrypt(alices, 1, input(&text), Output::over(&mut [0; 300]))
        });
        let (key, message) = group_message(b"hello");
        let mut receiver = Held::<InboundGroupSession>::blank();
        assert_eq!(inbound::init(receiver.object(), input(&key)), 0);
        let text = with_rest(&message, 8 + 64, rest);
        receiver.refuses(Code::BadSignature, |receiver| {
            let mut room = [0; 300];
            let room = Output::over(&mut room);
            inbound::decrypt(receiver, input(&text), room, Out::null())
        });
    }
}

/// Behind the outer fields only that is ignored which libolm ignores, and nothing within the
/// message. A field that stands there a second time would be libolm's choice of key or message
/// (S-07).
#[test]
fn fields_behind_a_pre_key_message_are_not_ignored() {
    let Conversation { mut bob, pre_key, .. } = conversation(b"hello");
    let bytes = base64::decode(pre_key.as_bytes()).unwrap();
    let mut session = Held::<Session>::blank();
    let mut create = |bytes: &[u8], code: Option<Code>| {
        let text = base64::encode(bytes);
        let mut created = |session| session::create_inbound(session, bob.object(), input(&text));
        match code {
            None => assert_eq!(created(session.object()), 0, "{bytes:?}"),
            Some(code) => session.refuses(code, created),
        }
    };
    let one_time_key = &bytes[1..35];
    let (base_key, message) = (&bytes[35..69], &bytes[103..]);
    for rest in [one_time_key, base_key, message, &[0x0a, 0], &[0x22, 0], &[0x12]] {
        create(&[&bytes[..], rest].concat(), Some(Code::BadMessageFormat));
        // Behind a field that is skipped, too.
        create(&[&bytes[..], &[0x38, 0x05], rest].concat(), Some(Code::BadMessageFormat));
    }
    // Unknown fields, types that end the message, and lengths beyond the end.
    let ignored: [&[u8]; 7] = [
        &[0x38, 5],
        &[0x3a, 2, 1, 2],
        &[0x3d],
        &[0xff],
        &[0x0a, 33],
        &[0x22, 0xff],
        &[0x3a, 9, 0x0a, 0],
    ];
    for rest in ignored {
        create(&[&bytes[..], rest].concat(), None);
    }
    // What ends the message for libolm ends it also before a field.
    for end in [0x3d, 0xff] {
        create(&[&bytes[..], &[end], one_time_key].concat(), None);
    }
    // The message within ends in its MAC, and stays strict.
    let [0x22, length, inner @ ..] = message else {
        panic!("the message within is the last field")
    };
    assert_eq!(usize::from(*length), inner.len());
    let longer = [&bytes[..103], &[0x22, length + 2], inner, &[0x3f, 0xff]].concat();
    create(&longer, Some(Code::BadMessageFormat));
}

/// Ciphertexts of a backup. No MAC covers them, so one that is not of whole blocks is an error.
#[test]
fn backups_are_read_with_correct_padding_only() {
    each(|plaintext, ending| {
        let mut key = Held::<BackupDecryptionKey>::blank();
        let public =
            filled(43, |public| decryption::from_private(key.object(), public, input(&[7; 32])));
        let mut recipient = Held::<BackupEncryptionKey>::blank();
        assert_eq!(encryption::set_recipient_key(recipient.object(), input(&public)), 0);
        let length = encryption::ciphertext_length(recipient.object(), plaintext.len());
        let (mut ciphertext, mut mac, mut ephemeral) = (vec![0; length], [0; 11], [0; 43]);
        let encrypted = encryption::encrypt(
            recipient.object(),
            input(plaintext),
            Output::over(&mut ciphertext),
            Output::over(&mut mac),
            Output::over(&mut ephemeral),
            input(&[8; 32]),
        );
        assert_eq!(encrypted, 8);
        let ciphertext = String::from_utf8(ciphertext).unwrap();
        let text = format!("{ciphertext}{ending}");
        let decrypt =
            |key, out| decryption::decrypt(key, input(&ephemeral), input(&mac), input(&text), out);
        let code = match decodes(&ciphertext, ending) {
            Decodes::Exactly => {
                assert_eq!(written_bytes(|out| decrypt(key.object(), out)), plaintext);
                return;
            }
            // libolm checks the room first, and no room is enough for an impossible length.
            Decodes::Never => Code::OutputBufferTooSmall,
            Decodes::WithMore => Code::BadMessageMac,
        };
        let bytes = base64::decode(text.as_bytes()).unwrap_or_default();
        if code == Code::BadMessageMac && bytes.len().is_multiple_of(16) {
            return;
        }
        key.refuses(code, |key| decrypt(key, Output::over(&mut [0; 300])));
    });
}

/// A recipient's key is 43 characters. What follows may be padding, NULs or white space. A text
/// with more digits, such as a key that was encoded twice, is another key in its first 43.
#[test]
fn a_recipients_key_has_43_characters() {
    let mut recipient = Held::<BackupEncryptionKey>::blank();
    let mut private = Held::<BackupDecryptionKey>::blank();
    let key = filled(43, |key| decryption::from_private(private.object(), key, input(&[7; 32])));
    let key = String::from_utf8(key).unwrap();
    assert_eq!(encryption::set_recipient_key(recipient.object(), input(&key)), 0);
    let before = recipient.state();
    for ending in ENDINGS {
        let (mut recipient, text) = (Held::blank(), format!("{key}{ending}"));
        let set = encryption::set_recipient_key(recipient.object(), input(&text));
        assert_eq!(set, 0, "{ending:?}");
        assert!(recipient.state() == before, "{ending:?}: another key");
    }
    let twice = base64::encode(key.as_bytes());
    let endings = ["A", "/", "+", "z", "9", "=A", "\0A", "\r\nA", "AAAA"];
    let longer = endings.map(|ending| format!("{key}{ending}"));
    for text in longer.iter().chain([&twice, &format!("{key}{key}")]) {
        recipient.refuses(Code::InvalidBase64, |recipient| {
            encryption::set_recipient_key(recipient, input(text))
        });
    }
    recipient.refuses(Code::InputBufferTooSmall, |recipient| {
        encryption::set_recipient_key(recipient, input(&key[..42]))
    });
    assert!(recipient.state() == before);
}

/// Keys of exactly 43 characters, and the MAC of a backup.
#[test]
fn keys_of_a_fixed_length_have_no_ending() {
    let Conversation { mut alice, mut bob, pre_key, .. } = conversation(b"hello");
    let (key, one_time_key) = (bob.identity_key("curve25519"), bob.one_time_keys()[0].1.clone());
    let signing_key = alice.identity_key("ed25519");
    let signature = written(|out| account::sign(alice.object(), input("message"), out));
    for ending in ENDINGS {
        let longer = |text: &str| format!("{text}{ending}");
        let code = if ending.is_empty() { None } else { Some(Code::InvalidBase64) };
        let mut session = Held::<Session>::blank();
        for (key, one_time_key) in
            [(longer(&key), one_time_key.clone()), (key.clone(), longer(&one_time_key))]
        {
            gives(&mut session, code, |session| {
                let (key, one_time_key) = (input(&key), input(&one_time_key));
                let mut random = [4; 64];
                let random = Output::over(&mut random);
                session::create_outbound(session, alice.object(), key, one_time_key, random)
            });
        }
        let sender = longer(&alice.identity_key("curve25519"));
        let mut inbound = Held::<Session>::blank();
        gives(&mut inbound, code, |inbound| {
            session::create_inbound_from(inbound, bob.object(), input(&sender), input(&pre_key))
        });
        let key = longer(&signing_key);
        let mut utility = Held::<Utility>::blank();
        gives(&mut utility, code, |utility| {
            utility::ed25519_verify(utility, input(&key), input("message"), input(&signature))
        });
    }
}

/// The call returns 0, or fails with this error.
#[track_caller]
fn gives<T: crate::memory::Kind>(
    held: &mut Held<T>,
    code: Option<Code>,
    call: impl FnOnce(Object<T>) -> usize,
) {
    match code {
        None => assert_eq!(call(held.object()), 0),
        Some(code) => held.refuses(code, call),
    }
}

/// A signature and the other side's key of a verification count with their first bytes.
#[test]
fn signatures_and_verification_keys_may_have_an_ending() {
    let mut alice = Held::account(&[1; 64]);
    let signing_key = alice.identity_key("ed25519");
    let signature = written(|out| account::sign(alice.object(), input("message"), out));
    let mut other = Held::<Keys>::blank();
    assert_eq!(sas::create(other.object(), input(&[9; 32])), 0);
    let key = filled(43, |key| sas::public_key(other.object(), key));
    let key = String::from_utf8(key).unwrap();
    for ending in ENDINGS {
        let never =
            |text: &str| (decodes(text, ending) == Decodes::Never).then_some(Code::InvalidBase64);
        let text = format!("{signature}{ending}");
        gives(&mut Held::<Utility>::blank(), never(&signature), |utility| {
            utility::ed25519_verify(utility, input(&signing_key), input("message"), input(&text))
        });
        let text = format!("{key}{ending}");
        let mut sas = Held::<Keys>::blank();
        assert_eq!(sas::create(sas.object(), input(&[10; 32])), 0);
        gives(&mut sas, never(&key), |sas| sas::set_their_key(sas, input(&text)));
    }
}

/// Session keys and pickles have exactly their length. An impossible one is an error of its own.
#[test]
fn session_keys_and_pickles_have_no_ending() {
    let (key, _) = group_message(b"hello");
    let mut receiver = Held::<InboundGroupSession>::blank();
    assert_eq!(inbound::init(receiver.object(), input(&key)), 0);
    let exported = written(|key| inbound::export(receiver.object(), key, 0));
    type Read = fn(Object<InboundGroupSession>, Input) -> usize;
    for (text, read) in [(key, inbound::init as Read), (exported, inbound::import)] {
        for ending in ENDINGS {
            let code = match decodes(&text, ending) {
                Decodes::Never => Some(Code::InvalidBase64),
                _ if ending.is_empty() => None,
                _ => Some(Code::BadSessionKey),
            };
            let text = format!("{text}{ending}");
            gives(&mut Held::blank(), code, |session| read(session, input(&text)));
        }
    }
    pickles_have_no_ending(&mut receiver);
    let Conversation { mut alice, mut alices, .. } = conversation(b"hello");
    pickles_have_no_ending(&mut alice);
    pickles_have_no_ending(&mut alices);
    let mut sender = Held::<GroupSession>::blank();
    assert_eq!(outbound::init(sender.object(), Output::over(&mut [1; 160])), 0);
    pickles_have_no_ending(&mut sender);
    let mut private = Held::<BackupDecryptionKey>::blank();
    filled(43, |key| decryption::from_private(private.object(), key, input(&[7; 32])));
    pickles_have_no_ending(&mut private);
}

fn pickles_have_no_ending<T: Pickled>(held: &mut Held<T>) {
    let text = written(|text| pickle::write(held.object(), input("key"), text));
    for ending in ENDINGS {
        let longer = format!("{text}{ending}");
        let read = |object| pickle::read(object, input("key"), input(&longer));
        let code = match decodes(&text, ending) {
            Decodes::Never => Code::InvalidBase64,
            _ if ending.is_empty() => {
                assert_eq!(read(held.object()), text.len());
                continue;
            }
            _ => Code::BadAccountKey,
        };
        held.refuses(code, read);
    }
}
