//! What recorded conversations do not show of sessions.

use moceril::{
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
};

use super::held::{Held, entries, input, written, written_bytes};
use crate::{
    account, base64, describe,
    error::Code,
    inbound,
    memory::{Out, Output},
    outbound, pickle, session,
};

struct Pair {
    alice: Held<Account>,
    bob: Held<Account>,
    session: Held<Session>,
}

fn pair() -> Pair {
    let (mut alice, mut bob) = (Held::account(&[1; 64]), Held::account(&[2; 64]));
    bob.generate_one_time_keys(&[3; 32]);
    let (identity_key, one_time_key) =
        (bob.identity_key("curve25519"), bob.one_time_keys()[0].1.clone());
    let mut session = Held::blank();
    let mut random = [4; 64];
    random[32..].fill(5);
    let created = session::create_outbound(
        session.object(),
        alice.object(),
        input(&identity_key),
        input(&one_time_key),
        Output::over(&mut random),
    );
    assert_eq!(created, 0);
    Pair { alice, bob, session }
}

fn encrypt(session: &mut Held<Session>, random: &mut [u8], plaintext: &str) -> String {
    let random = Output::over(random);
    written(|message| session::encrypt(session.object(), input(plaintext), random, message))
}

fn decrypt(session: &mut Held<Session>, kind: usize, message: &str) -> Vec<u8> {
    written_bytes(|out| session::decrypt(session.object(), kind, input(message), out))
}

fn describe(session: &mut Held<Session>, length: usize) -> String {
    let mut buffer = vec![b'?'; length];
    describe::describe(session.object(), Output::over(&mut buffer));
    String::from_utf8(buffer).unwrap()
}

/// The text of `olm_session_describe`, and how it is cut: shorter than 23 bytes it is empty, and
/// one byte too short it loses that byte only.
#[test]
fn descriptions_are_cut_as_in_libolm() {
    const BLANK: &str = "sender chain index: 0 receiver chain indices: skipped message keys:";
    let mut blank = Held::<Session>::blank();
    assert_eq!(describe(&mut blank, 600).split('\0').next(), Some(BLANK));
    assert_eq!(describe(&mut blank, 0), "");
    assert_eq!(describe(&mut blank, 1), "\0");
    assert_eq!(describe(&mut blank, 22), format!("\0{}", "?".repeat(21)));
    assert_eq!(describe(&mut blank, 23), "sender chain index:...\0");
    assert_eq!(describe(&mut blank, 66), format!("{}...\0", &BLANK[..62]));
    assert_eq!(describe(&mut blank, 67), format!("{}\0", &BLANK[..66]));
    assert_eq!(describe(&mut blank, 68), format!("{BLANK}\0"));

    let Pair { mut bob, mut session, .. } = pair();
    let messages: Vec<_> = (0..5).map(|_| encrypt(&mut session, &mut [], "x")).collect();
    assert!(describe(&mut session, 600).starts_with("sender chain index: 5 receiver"));
    let mut inbound = Held::<Session>::blank();
    let created = session::create_inbound(inbound.object(), bob.object(), input(&messages[0]));
    assert_eq!(created, 0);
    decrypt(&mut inbound, 0, &messages[4]);
    decrypt(&mut inbound, 0, &messages[1]);
    let expected = "sender chain index: 0 receiver chain indices: 5 skipped message keys: 3 2 0\0";
    assert!(describe(&mut inbound, 600).starts_with(expected));
}

/// S-42: a fallback key serves any number of sessions, also of one sender, and its account does not
/// grow.
#[test]
fn a_fallback_key_serves_1500_sessions() {
    let (mut alice, mut bob) = (Held::account(&[1; 64]), Held::account(&[2; 64]));
    assert_eq!(account::generate_fallback_key(bob.object(), Output::over(&mut [3; 32])), 1);
    let identity_key = bob.identity_key("curve25519");
    let (_, fallback_key) =
        entries(&written(|key| account::fallback_key(bob.object(), key))).remove(0);
    let before = bob.state();
    for number in 0..1_500_u16 {
        let (mut outbound, mut inbound) = (Held::<Session>::blank(), Held::<Session>::blank());
        let mut random = [4; 64];
        random[..2].copy_from_slice(&number.to_be_bytes());
        let (identity_key, fallback_key) = (input(&identity_key), input(&fallback_key));
        let (session, alice, random) =
            (outbound.object(), alice.object(), Output::over(&mut random));
        let created = session::create_outbound(session, alice, identity_key, fallback_key, random);
        assert_eq!(created, 0);
        let message = encrypt(&mut outbound, &mut [], "hello");
        let created = session::create_inbound(inbound.object(), bob.object(), input(&message));
        assert_eq!(created, 0, "session {number}");
        assert_eq!(decrypt(&mut inbound, 0, &message), b"hello");
        account::remove_one_time_keys(bob.object(), inbound.object());
    }
    assert!(bob.state() == before);
}

/// A message of a known sender may leave out whom it is from; S-09: another sender's key is
/// refused.
#[test]
fn the_senders_key_may_come_from_the_caller() {
    let Pair { mut alice, mut bob, mut session } = pair();
    let message = encrypt(&mut session, &mut [], "hello");
    let mut bytes = base64::decode(message.as_bytes()).unwrap();
    // Version, one-time key and base key come first.
    let identity_key: Vec<u8> = bytes.drain(69..69 + 34).collect();
    assert_eq!(identity_key[..2], [0x1a, 32]);
    let nameless = base64::encode(&bytes);

    let mut inbound = Held::<Session>::blank();
    inbound.refuses(Code::BadMessageFormat, |inbound| {
        session::create_inbound(inbound, bob.object(), input(&nameless))
    });
    let (alice_key, bob_key) = (alice.identity_key("curve25519"), bob.identity_key("curve25519"));
    inbound.refuses(Code::BadMessageKeyId, |inbound| {
        session::create_inbound_from(inbound, bob.object(), input(&bob_key), input(&message))
    });
    let (key, text) = (input(&alice_key), input(&nameless));
    assert_eq!(session::create_inbound_from(inbound.object(), bob.object(), key, text), 0);
    assert_eq!(session::matches_from(inbound.object(), key, text), 1);
    assert_eq!(session::matches_from(inbound.object(), input(&bob_key), text), 0);
    assert_eq!(session::matches(inbound.object(), text), 0);
    assert_eq!(session::matches(inbound.object(), input(&message)), 1);
    assert_eq!(decrypt(&mut inbound, 0, &nameless), b"hello");
}

/// The errors of `olm_decrypt`, in their order; none changes the session.
#[test]
fn decryption_reports_the_first_error() {
    let Pair { mut bob, mut session, .. } = pair();
    let message = encrypt(&mut session, &mut [], "hello");
    let mut inbound = Held::<Session>::blank();
    assert_eq!(session::create_inbound(inbound.object(), bob.object(), input(&message)), 0);
    decrypt(&mut inbound, 0, &message);
    let normal = encrypt(&mut inbound, &mut [6; 32], "hello");
    let changed = |place: usize, value: u8| {
        let mut bytes = base64::decode(normal.as_bytes()).unwrap();
        bytes[place] = value;
        base64::encode(&bytes)
    };
    for (message, room, code) in [
        (&normal[..41], 0, Code::InvalidBase64),
        (&changed(0, 4), 0, Code::BadMessageVersion),
        ("AwAAAAAAAAA", 0, Code::BadMessageVersion),
        (&changed(1, 0x0b), 0, Code::BadMessageFormat),
        (&normal, 15, Code::OutputBufferTooSmall),
        (&changed(60, 0), 16, Code::BadMessageMac),
        // S-01: a ratchet key that is not canonical.
        (&changed(34, 0xff), 16, Code::BadMessageMac),
    ] {
        session.refuses(code, |session| {
            session::decrypt(session, 1, input(message), Output::over(&mut vec![0; room]))
        });
    }
    for (message, length) in [(&*normal, 16), (&changed(0, 4), 16), (&changed(34, 0xff), 63)] {
        let found = session::decrypt_max_plaintext_length(session.object(), 1, input(message));
        assert_eq!(found, length);
    }
    assert_eq!(decrypt(&mut session, 1, &normal), b"hello");
    session.refuses(Code::BadMessageMac, |session| {
        session::decrypt(session, 1, input(&normal), Output::over(&mut [0; 16]))
    });
}

/// The errors of `olm_group_decrypt`, in their order. The index is known as soon as the message
/// parses.
#[test]
fn group_decryption_reports_the_first_error() {
    let mut sender = Held::<GroupSession>::blank();
    assert_eq!(outbound::init(sender.object(), Output::over(&mut [1; 160])), 0);
    let early = written(|out| outbound::encrypt(sender.object(), input("early"), out));
    let key = written(|key| outbound::key(sender.object(), key));
    let message = written(|out| outbound::encrypt(sender.object(), input("message"), out));
    let mut receiver = Held::<InboundGroupSession>::blank();
    assert_eq!(inbound::init(receiver.object(), input(&key)), 0);
    let changed = |place: usize, value: u8| {
        let mut bytes = base64::decode(message.as_bytes()).unwrap();
        bytes[place] = value;
        base64::encode(&bytes)
    };
    for (message, room, code, index) in [
        (&message[..41], 0, Code::InvalidBase64, None),
        (&changed(0, 4), 0, Code::BadMessageVersion, None),
        (&"A".repeat(96), 0, Code::BadMessageVersion, None),
        (&changed(1, 0x09), 0, Code::BadMessageFormat, None),
        (&changed(2, 9), 0, Code::BadSignature, Some(9)),
        (&message, 15, Code::OutputBufferTooSmall, Some(1)),
        (&early, 16, Code::UnknownMessageIndex, Some(0)),
    ] {
        let mut found = [0xff; 4];
        receiver.refuses(code, |receiver| {
            let plaintext = Output::over(&mut vec![0; room]);
            inbound::decrypt(receiver, input(message), plaintext, Out::over(&mut found))
        });
        assert_eq!(u32::from_ne_bytes(found), index.unwrap_or(u32::MAX), "{code:?}");
    }
    receiver.refuses(Code::UnknownMessageIndex, |receiver| {
        inbound::export(receiver, Output::over(&mut [0; 220]), 0)
    });
    let before = receiver.state();
    written(|key| inbound::export(receiver.object(), key, 1000));
    assert_eq!(receiver.state(), before, "an export changes nothing");
}

/// An inbound group session that is read backwards has earlier ratchets behind its content. They
/// are not in its pickle, stay when a new message is read, and are not left in an object that
/// becomes another session.
#[test]
fn earlier_ratchets_are_beside_the_state() {
    let mut sender = Held::<GroupSession>::blank();
    assert_eq!(outbound::init(sender.object(), Output::over(&mut [1; 160])), 0);
    let key = written(|key| outbound::key(sender.object(), key));
    let events: Vec<_> = (0..100)
        .map(|_| written(|out| outbound::encrypt(sender.object(), input("event"), out)))
        .collect();
    let make = || {
        let mut receiver = Held::<InboundGroupSession>::blank();
        assert_eq!(inbound::init(receiver.object(), input(&key)), 0);
        receiver
    };
    let read = |receiver: &mut Held<InboundGroupSession>, index: usize| {
        let event = input(&events[index]);
        let read = |out| inbound::decrypt(receiver.object(), event, out, Out::null());
        assert_eq!(written_bytes(read), b"event");
    };
    let pickled = |receiver: &mut Held<InboundGroupSession>| {
        let length = pickle::length(receiver.object());
        let text = written(|text| pickle::write(receiver.object(), input("key"), text));
        assert_eq!(text.len(), length);
        text
    };
    let mut forged = base64::decode(events[10].as_bytes()).unwrap();
    forged[20] ^= 1;
    let forged = base64::encode(&forged);
    let beside = |receiver: &Held<InboundGroupSession>| receiver.bytes()[8 + 301..].to_vec();

    let (mut backwards, mut forwards) = (make(), make());
    read(&mut backwards, 98);
    read(&mut forwards, 98);
    assert_eq!(beside(&backwards), [0; 264]);
    for index in (0..98).rev() {
        read(&mut backwards, index);
    }
    assert_eq!(beside(&backwards), [0; 264], "the earliest ratchet is in the state already");
    for index in [97, 80, 75] {
        read(&mut backwards, index);
        let rungs = beside(&backwards);
        assert_eq!(rungs[128..132], 64_u32.to_be_bytes());
        assert_eq!(rungs[260..], (index as u32 / 8 * 8).to_be_bytes());
        assert_eq!(pickled(&mut backwards), pickled(&mut forwards));
        backwards.refuses(Code::BadSignature, |backwards| {
            inbound::decrypt(backwards, input(&forged), Output::over(&mut [0; 99]), Out::null())
        });
    }
    let rungs = beside(&backwards);
    read(&mut backwards, 99);
    read(&mut forwards, 99);
    assert_eq!(beside(&backwards), rungs);
    assert_eq!(pickled(&mut backwards), pickled(&mut forwards));
    read(&mut backwards, 3);
    assert_eq!(beside(&backwards), [0; 264]);
    read(&mut backwards, 90);
    assert_eq!(inbound::init(backwards.object(), input(&key)), 0);
    assert_eq!(beside(&backwards), [0; 264]);
}

/// S-11: the last index is not used, because the state after it would have no form.
#[test]
fn the_last_group_index_is_refused() {
    let mut sender = Held::<GroupSession>::blank();
    assert_eq!(outbound::init(sender.object(), Output::over(&mut [1; 160])), 0);
    sender.set_content(4 + 128, &(u32::MAX - 1).to_be_bytes());
    written(|message| outbound::encrypt(sender.object(), input("x"), message));
    assert_eq!(outbound::message_index(sender.object()), u32::MAX);
    sender.refuses(Code::UnknownMessageIndex, |sender| {
        outbound::encrypt(sender, input("x"), Output::over(&mut [0; 1000]))
    });
}

/// S-11: the same in a chain of the peer, who has a library that uses the last index.
#[test]
fn the_last_index_of_the_peer_is_refused() {
    const SENDER_INDEX: usize = 4 + 1 + 4 * 32 + 4 + 3 * 32;
    const RECEIVER_INDEX: usize = 4 + 1 + 4 * 32 + 4 + 4 + 2 * 32;
    for (index, refused) in [(u32::MAX - 1, false), (u32::MAX, true)] {
        let Pair { mut bob, mut session, .. } = pair();
        let first = encrypt(&mut session, &mut [], "x");
        let mut inbound = Held::<Session>::blank();
        assert_eq!(session::create_inbound(inbound.object(), bob.object(), input(&first)), 0);
        decrypt(&mut inbound, 0, &first);
        session.set_content(SENDER_INDEX, &index.to_be_bytes());
        inbound.set_content(RECEIVER_INDEX, &index.to_be_bytes());
        let pickle = written(|text| pickle::write(session.object(), input("key"), text));
        let mut peer = Session::from_libolm_pickle(&pickle, "key").unwrap();
        let message = peer.encrypt("last").unwrap().to_base64();
        if refused {
            inbound.refuses(Code::UnknownMessageIndex, |inbound| {
                session::decrypt(inbound, 0, input(&message), Output::over(&mut [0; 99]))
            });
        } else {
            assert_eq!(decrypt(&mut inbound, 0, &message), b"last");
        }
    }
}
