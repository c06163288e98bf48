//! The book-keeping of one-time keys.

use std::ops::Range;

use moceril::olm::{Account, Session};

use super::held::{Held, entries, input, written};
use crate::{account, base64, error::Code, memory::Output, session};

fn ids(account: &mut Held<Account>) -> Vec<u32> {
    let id = |text: &str| {
        u32::from_be_bytes(base64::decode(text.as_bytes()).unwrap().try_into().unwrap())
    };
    account.one_time_keys().iter().map(|(text, _)| id(text)).collect()
}

/// Random bytes for these keys, which differ.
fn random(keys: Range<u32>) -> Vec<u8> {
    keys.flat_map(|key| [key.to_be_bytes(); 8]).flatten().collect()
}

/// More keys than an account holds: the ids go on, and the newest hundred stay, newest first.
#[test]
fn the_newest_hundred_keys_stay() {
    let mut account = Held::account(&[1; 64]);
    let blank = account::one_time_keys_length(account.object());
    assert_eq!((blank, ids(&mut account)), (17, vec![]));
    account.generate_one_time_keys(&random(0..60));
    assert_eq!(ids(&mut account), (1..=60).rev().collect::<Vec<_>>());
    account.generate_one_time_keys(&random(60..310));
    assert_eq!(ids(&mut account), (211..=310).rev().collect::<Vec<_>>());
    assert_eq!(account::one_time_keys_length(account.object()), 16 + 55 * 100);

    let mut one_by_one = Held::account(&[1; 64]);
    one_by_one.generate_one_time_keys(&random(0..60));
    for key in random(60..310).chunks(32) {
        one_by_one.generate_one_time_keys(key);
    }
    assert!(one_by_one.bytes() == account.bytes());

    // More than an account of moceril holds.
    account.generate_one_time_keys(&random(310..5_410));
    assert_eq!(ids(&mut account), (5_311..=5_410).rev().collect::<Vec<_>>());
}

/// Random bytes that make a key that is there already are no random bytes.
#[test]
fn repeated_random_bytes_make_no_keys() {
    let mut account = Held::account(&[1; 64]);
    account.generate_one_time_keys(&random(0..5));
    for random in [random(4..5), random(5..6).repeat(2)] {
        let (count, mut random) = (random.len() / 32, random);
        account.refuses(Code::NotEnoughRandom, |account| {
            account::generate_one_time_keys(account, count, Output::over(&mut random))
        });
    }
    let mut random = random(4..5);
    account.refuses(Code::NotEnoughRandom, |account| {
        account::generate_fallback_key(account, Output::over(&mut random))
    });
    assert_eq!(ids(&mut account), [5, 4, 3, 2, 1]);
}

/// The fallback key shares the counter of ids, and is not counted when keys are marked.
#[test]
fn fallback_keys_are_shown_until_published_and_kept_once_replaced() {
    let mut account = Held::account(&[1; 64]);
    let shown = |account: &mut Held<Account>| {
        let unpublished = written(|key| account::fallback_key(account.object(), key));
        let current = written(|key| account::current_fallback_key(account.object(), key));
        assert_eq!(account::fallback_key_length(account.object()), unpublished.len());
        assert_eq!(account::current_fallback_key_length(account.object()), current.len());
        (entries(&unpublished).len(), entries(&current).pop().map(|(id, _)| id))
    };
    assert_eq!(shown(&mut account), (0, None));
    account.generate_one_time_keys(&random(0..3));
    for (fill, id) in [(9, "AAAABA"), (8, "AAAABQ")] {
        let mut random = [fill; 32];
        assert_eq!(account::generate_fallback_key(account.object(), Output::over(&mut random)), 1);
        assert_eq!((random, shown(&mut account)), ([0; 32], (1, Some(id.to_owned()))));
    }
    assert_eq!(account::mark_keys_as_published(account.object()), 3);
    assert_eq!(account::mark_keys_as_published(account.object()), 0);
    assert_eq!((ids(&mut account), shown(&mut account)), (vec![], (0, Some("AAAABQ".to_owned()))));
    let before = account.state();
    account::forget_old_fallback_key(account.object());
    assert_ne!(account.state(), before);
    account::forget_old_fallback_key(account.object());
    assert_eq!(account.error(), 0);
}

/// The result is the id of the key, which is gone then; the error is the account's.
#[test]
fn a_used_key_is_removed_by_its_session() {
    let (mut alice, mut bob) = (Held::account(&[1; 64]), Held::account(&[2; 64]));
    bob.generate_one_time_keys(&random(0..5));
    let (identity_key, one_time_key) =
        (bob.identity_key("curve25519"), bob.one_time_keys()[3].1.clone());
    let mut session = Held::<Session>::blank();
    let created = session::create_outbound(
        session.object(),
        alice.object(),
        input(&identity_key),
        input(&one_time_key),
        Output::over(&mut [3; 64]),
    );
    assert_eq!(created, 0);
    assert_eq!(account::remove_one_time_keys(bob.object(), session.object()), 2);
    assert_eq!(ids(&mut bob), [5, 4, 3, 1]);
    bob.refuses(Code::BadMessageKeyId, |bob| account::remove_one_time_keys(bob, session.object()));
    assert_eq!(session.error(), 0);
}

/// S-01, S-17: keys that no honest device has make no session, and cost no random bytes.
#[test]
fn bad_keys_make_no_session() {
    let (mut alice, mut bob) = (Held::account(&[1; 64]), Held::account(&[2; 64]));
    let good = bob.identity_key("curve25519");
    let (short, low_order) = (&good[..42], base64::encode(&[0; 32]));
    let mut session = Held::<Session>::blank();
    for (identity_key, one_time_key, code) in [
        (short, &*good, Code::InvalidBase64),
        (&good, short, Code::InvalidBase64),
        (&low_order, &good, Code::BadAccountKey),
        (&good, &low_order, Code::BadAccountKey),
        (&good, &good, Code::BadAccountKey),
    ] {
        let mut random = [3; 64];
        session.refuses(code, |session| {
            let (identity_key, one_time_key) = (input(identity_key), input(one_time_key));
            let random = Output::over(&mut random);
            session::create_outbound(session, alice.object(), identity_key, one_time_key, random)
        });
        assert_eq!(random, [3; 64]);
    }
}
