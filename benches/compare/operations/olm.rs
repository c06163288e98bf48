//! Accounts and Olm sessions. Where a row does not say that it is about text, messages are not
//! encoded in base64, except by libolm, whose interface has nothing else.

use ::vodozemac::{
    base64_decode, base64_encode,
    olm::{
        Account as VodozemacAccount, AccountPickle, OlmMessage as VodozemacMessage,
        Session as VodozemacSession,
    },
};
use moceril::olm::{Account, OlmMessage};
use olm_rs::account::OlmAccount;

use crate::{
    contender::{Contender, Who, prepared, repeated},
    ends::{TEXT_AS_STR, libolm, ours, vodozemac},
    lower_bound::{self, TEXT},
    measure::{Contenders, Row},
};

/// What a client generates at a time.
const ONE_TIME_KEYS: usize = 50;

pub fn rows() -> Vec<Row> {
    vec![
        Row::new("account, new", 1, account),
        Row::new("one-time key, each", ONE_TIME_KEYS, one_time_keys),
        Row::new("outbound Olm session + first message", 1, outbound),
        Row::new("inbound Olm session from pre-key message", 1, inbound),
        Row::new("Olm encrypt, established chain", 1, encrypt),
        Row::new("Olm encrypt + decrypt in order", 1, encrypt_and_decrypt),
        Row::new("Olm encrypt to text", 1, encrypt_to_text),
        Row::new("Olm encrypt + decrypt in order, from text to text", 1, text_to_text),
        Row::new("Olm ping-pong, two messages, DH ratchet each", 1, ping_pong),
    ]
}

fn account() -> Contenders {
    vec![
        (Who::Ours, repeated(|| Account::new().unwrap())),
        (Who::Vodozemac, repeated(VodozemacAccount::new)),
        (Who::Libolm, repeated(OlmAccount::new)),
        (Who::LowerBound, repeated(lower_bound::olm::account)),
    ]
}

fn one_time_keys() -> Contenders {
    vec![
        (
            Who::Ours,
            prepared(
                || ours::account(0),
                |account| account.generate_one_time_keys(ONE_TIME_KEYS).unwrap(),
            ),
        ),
        (
            Who::Vodozemac,
            prepared(VodozemacAccount::new, |account| {
                account.generate_one_time_keys(ONE_TIME_KEYS)
            }),
        ),
        (
            Who::Libolm,
            prepared(OlmAccount::new, |account| account.generate_one_time_keys(ONE_TIME_KEYS)),
        ),
        (Who::LowerBound, repeated(|| lower_bound::olm::one_time_keys(ONE_TIME_KEYS))),
    ]
}

fn outbound() -> Contenders {
    let (our_alice, our_bundle) = (ours::account(0), ours::bundle(&ours::account(1)));
    let (alice, bob) = (vodozemac::account(0), vodozemac::account(1));
    let (identity_key, one_time_key) =
        (bob.curve25519_key(), *bob.one_time_keys().values().next().unwrap());
    let libolm_alice = libolm::account(0);
    let libolm_keys = libolm::published(&libolm::account(1));
    let mut handshake = lower_bound::olm::Handshake::new();
    vec![
        (
            Who::Ours,
            repeated(move || {
                let mut session = our_alice.create_outbound_session(&our_bundle).unwrap();
                let message = session.encrypt(TEXT).unwrap();
                (session, message)
            }),
        ),
        (
            Who::Vodozemac,
            repeated(move || {
                let config = vodozemac::olm_config();
                let mut session =
                    alice.create_outbound_session(config, identity_key, one_time_key).unwrap();
                let message = session.encrypt(TEXT).unwrap();
                (session, message)
            }),
        ),
        (
            Who::Libolm,
            repeated(move || {
                let session =
                    libolm_alice.create_outbound_session(&libolm_keys.0, &libolm_keys.1).unwrap();
                let message = session.encrypt(TEXT_AS_STR);
                (session, message)
            }),
        ),
        (Who::LowerBound, repeated(move || handshake.outbound())),
    ]
}

/// Each time with an account of 50 one-time keys, one of which is used up.
fn inbound() -> Contenders {
    vec![
        (Who::Ours, our_inbound()),
        (Who::Vodozemac, vodozemac_inbound()),
        (Who::Libolm, libolm_inbound()),
        (Who::LowerBound, {
            let (handshake, sealed) =
                (lower_bound::olm::Handshake::new(), lower_bound::olm::sealed_message());
            prepared(move || sealed.clone(), move |sealed| handshake.inbound(sealed))
        }),
    ]
}

fn our_inbound() -> Box<dyn Contender> {
    let (alice, bob) = (ours::account(0), ours::account(ONE_TIME_KEYS));
    let (_, message) = ours::first_message(&alice, &bob);
    let key = ours::pickle_key();
    let pickle = bob.pickle(&key, b"").unwrap();
    prepared(
        move || Account::from_pickle(&pickle, &key, b"").unwrap(),
        move |bob| {
            let message = message.as_pre_key().unwrap();
            bob.create_inbound_session(alice.curve25519_key(), message).unwrap()
        },
    )
}

fn vodozemac_inbound() -> Box<dyn Contender> {
    let (alice, bob) = (vodozemac::account(0), vodozemac::account(ONE_TIME_KEYS));
    let (_, message) = vodozemac::first_message(&alice, &bob);
    let pickle = serde_json::to_string(&bob.pickle()).unwrap();
    prepared(
        move || {
            let pickle: AccountPickle = serde_json::from_str(&pickle).unwrap();
            VodozemacAccount::from_pickle(pickle)
        },
        move |bob| vodozemac::accept(&alice, bob, &message),
    )
}

fn libolm_inbound() -> Box<dyn Contender> {
    let (alice, bob) = (libolm::account(0), libolm::account(ONE_TIME_KEYS));
    let (_, message) = libolm::first_message(&alice, &bob);
    let pickle = bob.pickle(libolm::pickling());
    prepared(
        move || OlmAccount::unpickle(pickle.clone(), libolm::pickling()).unwrap(),
        move |bob| libolm::accept(bob, libolm::pre_key(&message)),
    )
}

fn encrypt() -> Contenders {
    let (mut our_end, _) = ours::conversation();
    let (mut end, _) = vodozemac::conversation();
    let (libolm_end, _) = libolm::conversation();
    let mut chain = lower_bound::olm::Chain::new();
    vec![
        (Who::Ours, repeated(move || our_end.encrypt(TEXT).unwrap())),
        (Who::Vodozemac, repeated(move || end.encrypt(TEXT).unwrap())),
        (Who::Libolm, repeated(move || libolm_end.encrypt(TEXT_AS_STR))),
        (Who::LowerBound, repeated(move || chain.send())),
    ]
}

fn encrypt_and_decrypt() -> Contenders {
    let (mut our_a, mut our_b) = ours::conversation();
    let (mut a, mut b) = vodozemac::conversation();
    let (libolm_a, libolm_b) = libolm::conversation();
    let mut chain = lower_bound::olm::Chain::new();
    vec![
        (Who::Ours, repeated(move || ours::ping(&mut our_a, &mut our_b))),
        (Who::Vodozemac, repeated(move || vodozemac::ping(&mut a, &mut b))),
        (Who::Libolm, repeated(move || libolm::ping(&libolm_a, &libolm_b))),
        (Who::LowerBound, repeated(move || chain.send_and_receive())),
    ]
}

/// The base64 of the lower bound's message, which ends in a MAC of eight bytes.
fn lower_bound_text() -> lower_bound::Base64 {
    lower_bound::Base64::new(&vec![0; lower_bound::Message::olm().bytes().len() + 8])
}

fn vodozemac_text(session: &mut VodozemacSession) -> (usize, String) {
    let (message_type, bytes) = session.encrypt(TEXT).unwrap().to_parts();
    (message_type, base64_encode(bytes))
}

fn encrypt_to_text() -> Contenders {
    let (mut our_end, _) = ours::conversation();
    let (mut end, _) = vodozemac::conversation();
    let (libolm_end, _) = libolm::conversation();
    let (mut chain, mut text) = (lower_bound::olm::Chain::new(), lower_bound_text());
    vec![
        (Who::Ours, repeated(move || our_end.encrypt(TEXT).unwrap().to_parts())),
        (Who::Vodozemac, repeated(move || vodozemac_text(&mut end))),
        (Who::Libolm, repeated(move || libolm_end.encrypt(TEXT_AS_STR))),
        (
            Who::LowerBound,
            repeated(move || {
                text.encode();
                chain.send()
            }),
        ),
    ]
}

fn text_to_text() -> Contenders {
    let (mut our_a, mut our_b) = ours::conversation();
    let (mut a, mut b) = vodozemac::conversation();
    let (libolm_a, libolm_b) = libolm::conversation();
    let (mut chain, mut text) = (lower_bound::olm::Chain::new(), lower_bound_text());
    vec![
        (
            Who::Ours,
            repeated(move || {
                let (message_type, body) = our_a.encrypt(TEXT).unwrap().to_parts();
                our_b.decrypt(&OlmMessage::from_parts(message_type, &body).unwrap()).unwrap()
            }),
        ),
        (
            Who::Vodozemac,
            repeated(move || {
                let (message_type, body) = vodozemac_text(&mut a);
                let bytes = base64_decode(body).unwrap();
                b.decrypt(&VodozemacMessage::from_parts(message_type, &bytes).unwrap()).unwrap()
            }),
        ),
        (Who::Libolm, repeated(move || libolm::ping(&libolm_a, &libolm_b))),
        (
            Who::LowerBound,
            repeated(move || {
                text.encode();
                text.decode();
                chain.send_and_receive()
            }),
        ),
    ]
}

fn ping_pong() -> Contenders {
    let (mut our_a, mut our_b) = ours::conversation();
    let (mut a, mut b) = vodozemac::conversation();
    let (libolm_a, libolm_b) = libolm::conversation();
    let mut lower_bound = lower_bound::olm::PingPong::new();
    vec![
        (
            Who::Ours,
            repeated(move || {
                ours::ping(&mut our_b, &mut our_a);
                ours::ping(&mut our_a, &mut our_b);
            }),
        ),
        (
            Who::Vodozemac,
            repeated(move || {
                vodozemac::ping(&mut b, &mut a);
                vodozemac::ping(&mut a, &mut b);
            }),
        ),
        (
            Who::Libolm,
            repeated(move || {
                libolm::ping(&libolm_b, &libolm_a);
                libolm::ping(&libolm_a, &libolm_b);
            }),
        ),
        (
            Who::LowerBound,
            repeated(move || {
                lower_bound.receive_and_reply();
                lower_bound.receive_and_reply();
            }),
        ),
    ]
}
