//! Group sessions whose sender and receivers are of either crate, and change.

use cross::{Either, Form, either, group_session, inbound, new, plaintext, trials};
use rand::RngExt;

/// Any crate receives what any crate sends, and none hears what was before its first key.
#[test]
fn s_24_group_sessions_wander_between_the_crates() {
    trials(|rng| {
        let (sender_ours, receiver_ours) = (rng.random(), rng.random());
        let mut sender = group_session(rng, sender_ours);
        let early = either!(&mut sender, sender => sender.encrypt("early").to_bytes());
        let version_2 = either!(&sender, sender => sender.session_config().version()) == 2;
        let key = either!(&sender, sender => sender.session_key().to_bytes());
        let mut receiver = new!(receiver_ours, library => {
            use library::megolm::{InboundGroupSession, SessionConfig, SessionKey};
            let config =
                if version_2 { SessionConfig::version_2() } else { SessionConfig::version_1() };
            InboundGroupSession::new(&SessionKey::from_bytes(&key).unwrap(), config)
        });
        let mut messages = Vec::new();
        for _ in 0..rng.random_range(1..10) {
            if rng.random() {
                sender = sender.cross(Form::ALL[rng.random_range(0..3)]);
            }
            let plaintext = plaintext(rng);
            let index = either!(&sender, sender => sender.message_index());
            let bytes = either!(&mut sender, sender => sender.encrypt(&plaintext).to_bytes());
            messages.push((index, bytes, plaintext));
        }
        for _ in 0..10 {
            if rng.random() {
                receiver = receiver.cross(Form::ALL[rng.random_range(0..3)]);
            }
            let (index, bytes, plaintext) = &messages[rng.random_range(0..messages.len())];
            let decrypted = decrypt(&mut receiver, bytes);
            assert_eq!(decrypted, Ok((plaintext.clone(), *index)));
            let first = either!(&receiver, receiver => receiver.first_known_index());
            assert_eq!(decrypt(&mut receiver, &early), Err((first, first - 1)));
        }
    });
}

/// The plaintext and the index; or the first known index and that of the message.
fn decrypt(
    session: &mut cross::InboundGroupSession,
    bytes: &[u8],
) -> Result<(Vec<u8>, u32), (u32, u32)> {
    macro_rules! decrypt {
        ($library:ident, $session:expr) => {{
            use $library::megolm::{DecryptionError, MegolmMessage};
            match $session.decrypt(&MegolmMessage::from_bytes(bytes).unwrap()) {
                Ok(decrypted) => Ok((decrypted.plaintext, decrypted.message_index)),
                Err(DecryptionError::UnknownMessageIndex(first, index)) => Err((first, index)),
                Err(error) => panic!("{error}"),
            }
        }};
    }
    match session {
        Either::Ours(session) => decrypt!(ours, session),
        Either::Real(session) => decrypt!(real, session),
    }
}

/// Both crates export the same key at every index, and agree on how copies of a session compare.
#[test]
fn s_24_exports_and_comparisons_are_the_same() {
    trials(|rng| {
        let sender = group_session(rng, true);
        let mut pair = [inbound(rng, &sender, true), inbound(rng, &sender, true)];
        let mut crossed = pair.each_ref().map(|session| session.cross(Form::Json));
        let index = rng.random_range(0..700);
        for (one, other) in pair.iter_mut().zip(&mut crossed) {
            let [one, other] = [one, other].map(|session| {
                either!(session, session => session.export_at(index).map(|key| key.to_base64()))
            });
            assert_eq!(one, other);
        }
        let compare = |sessions: &mut [cross::InboundGroupSession; 2]| match sessions {
            [Either::Ours(one), Either::Ours(other)] => {
                (one.connected(other), format!("{:?}", one.compare(other)))
            }
            [Either::Real(one), Either::Real(other)] => {
                (one.connected(other), format!("{:?}", one.compare(other)))
            }
            _ => unreachable!(),
        };
        assert_eq!(compare(&mut pair), compare(&mut crossed));
    });
}
