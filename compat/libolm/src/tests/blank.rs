//! Objects without keys.

use moceril::{
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
};

use super::held::{Held, input, written};
use crate::{
    account,
    base64::BLANK_KEY,
    error::Code,
    inbound,
    memory::{Out, Output},
    outbound,
    pk::signing::{self, Seed},
    sas::{self, Keys},
    session,
};

/// What a blank object has of its own is zero, and lengths are those of a new one.
#[test]
fn blank_objects_answer_what_harms_nobody() {
    let mut account = Held::<Account>::blank();
    assert_eq!(account.identity_key("ed25519"), BLANK_KEY);
    assert_eq!(account::identity_keys_length(account.object()), 116);
    assert_eq!(account.one_time_keys(), []);
    assert_eq!(account::mark_keys_as_published(account.object()), 0);

    let mut session = Held::<Session>::blank();
    assert_eq!(session::encrypt_message_type(session.object()), 0);
    assert_eq!(session::encrypt_random_length(session.object()), 32);
    assert_eq!(session::encrypt_message_length(session.object(), 5), 224);
    assert_eq!(
        written(|id| session::id(session.object(), id)),
        "LqmrkZjRY4AHQAzSw77xzHRbhkt2ARoOG8UhgKxkUtQ"
    );

    let mut sender = Held::<GroupSession>::blank();
    assert_eq!(outbound::message_index(sender.object()), 0);
    assert_eq!(outbound::encrypt_message_length(sender.object(), 5), 124);
    assert_eq!(written(|id| outbound::id(sender.object(), id)), BLANK_KEY);

    let mut receiver = Held::<InboundGroupSession>::blank();
    assert_eq!(inbound::first_known_index(receiver.object()), 0);
    assert_eq!(inbound::is_verified(receiver.object()), 0);
    assert_eq!(written(|id| inbound::id(receiver.object(), id)), BLANK_KEY);
}

/// Nothing is signed, encrypted or exported with keys of zeros.
#[test]
fn blank_objects_do_not_work_with_keys_of_zeros() {
    let mut buffer = [0; 1000];
    let mut account = Held::<Account>::blank();
    account.refuses(Code::BadAccountKey, |account| {
        account::sign(account, input("message"), Output::over(&mut buffer))
    });
    account.refuses(Code::BadAccountKey, |account| {
        account::generate_one_time_keys(account, 1, Output::over(&mut [1; 32]))
    });
    let mut session = Held::<Session>::blank();
    session.refuses(Code::BadSessionKey, |session| {
        session::encrypt(session, input(""), Output::over(&mut [1; 32]), Output::over(&mut buffer))
    });
    let mut sender = Held::<GroupSession>::blank();
    sender.refuses(Code::BadSessionKey, |sender| {
        outbound::encrypt(sender, input(""), Output::over(&mut buffer))
    });
    sender.refuses(Code::BadSessionKey, |sender| outbound::key(sender, Output::over(&mut buffer)));
    let mut receiver = Held::<InboundGroupSession>::blank();
    receiver.refuses(Code::BadSessionKey, |receiver| {
        inbound::export(receiver, Output::over(&mut buffer), 0)
    });
    receiver.refuses(Code::BadMessageVersion, |receiver| {
        inbound::decrypt(receiver, input("AAAA"), Output::over(&mut buffer), Out::null())
    });
    let mut seed = Held::<Seed>::blank();
    seed.refuses(Code::BadAccountKey, |seed| {
        signing::sign(seed, input(""), Output::over(&mut buffer))
    });
    let mut keys = Held::<Keys>::blank();
    keys.refuses(Code::SasTheirKeyNotSet, |keys| {
        sas::generate_bytes(keys, input(""), Output::over(&mut buffer))
    });
    assert_eq!(buffer, [0; 1000]);
}
