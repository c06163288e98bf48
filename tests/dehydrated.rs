//! Dehydrated devices (MSC3814): what waits on the server receives what was sent to it.

mod common;

use common::{
    dehydrated_content::{KEY, open, seal},
    rng::RecordedRng,
};
use moceril::{
    Curve25519PublicKey, DehydratedDevice, DehydratedDeviceError, Ed25519SecretKey, PickleKey,
    olm::{Account, PreKeyBundle},
};

fn key() -> PickleKey {
    PickleKey::new(KEY)
}

fn device() -> (Account, DehydratedDevice) {
    let mut account = Account::new().unwrap();
    account.generate_one_time_keys(3).unwrap();
    account.generate_fallback_key().unwrap();
    let device = account.dehydrate(&key()).unwrap();
    (account, device)
}

#[test]
fn messages_to_every_published_key_can_be_read_after_rehydration() {
    let (account, device) = device();
    let mut rehydrated = Account::rehydrate(&device, &key()).unwrap();
    assert_eq!(rehydrated.identity_keys(), account.identity_keys());
    assert!(rehydrated.one_time_keys().is_empty(), "all keys count as published");
    let alice = Account::new().unwrap();
    let keys = account.signed_one_time_keys().into_iter().chain(account.signed_fallback_key());
    for (_, signed) in keys {
        let bundle = PreKeyBundle::verify(account.identity_keys(), &signed).unwrap();
        let message =
            alice.create_outbound_session(&bundle).unwrap().encrypt(b"welcome back").unwrap();
        let pre_key = message.as_pre_key().unwrap();
        let inbound = rehydrated.create_inbound_session(alice.curve25519_key(), pre_key).unwrap();
        assert_eq!(inbound.message.plaintext, b"welcome back");
    }
    assert_eq!(rehydrated.stored_one_time_key_count(), 0);
}

#[test]
fn new_keys_of_a_rehydrated_device_have_new_ids() {
    let (_, device) = device();
    let mut rehydrated = Account::rehydrate(&device, &key()).unwrap();
    let created = rehydrated.generate_one_time_keys(1).unwrap().created;
    assert_eq!(created[0].0.to_base64(), "AAAAAAAAAAM");
    rehydrated.generate_fallback_key().unwrap();
    let (fallback_id, _) = rehydrated.fallback_key().unwrap();
    assert_eq!(fallback_id.to_base64(), "AAAAAAAAAAE");
    // There is a one-time key of that number, too, and it is not the one that is meant.
    assert!(!rehydrated.remove_one_time_key(fallback_id));
    assert_eq!(rehydrated.stored_one_time_key_count(), 4);
}

/// The form that other clients read, from the documentation of `src/pickle/dehydrated.rs`.
#[test]
fn the_format_is_the_documented_one() {
    let (account, _) = device();
    let device = account.dehydrate_with_rng(&key(), &mut RecordedRng::new([9; 12])).unwrap();
    assert_eq!(device.nonce, "CQkJCQkJCQkJCQkJ");
    let content = open(&device);
    assert_eq!(seal(&content), device);
    let mut rest = content.as_slice();
    let mut take = |length| rest.split_off(..length).unwrap();
    let public = |private: &[u8]| {
        let private: [u8; 32] = private.try_into().unwrap();
        let public = x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from(private));
        Curve25519PublicKey::from_bytes(public.to_bytes()).unwrap()
    };
    assert_eq!(take(4), 1_u32.to_be_bytes());
    assert_eq!(public(take(32)), account.curve25519_key());
    let seed = take(32).try_into().unwrap();
    assert_eq!(Ed25519SecretKey::from_bytes(seed).public_key(), account.ed25519_key());
    assert_eq!(take(4), 3_u32.to_be_bytes());
    for (_, key) in account.one_time_keys() {
        assert_eq!(public(take(32)), key);
    }
    assert_eq!(take(1), [1]);
    assert_eq!(public(take(32)), account.fallback_key().unwrap().1);
    assert!(rest.is_empty());
}

/// An account of libolm has no seed, only what was made of it: that does not fit, and nothing else is
/// written in its place.
#[test]
fn an_account_without_a_seed_cannot_be_dehydrated() {
    let (account, _) = device();
    let pickle = account.to_libolm_pickle(b"key").unwrap();
    let account = Account::from_libolm_pickle(&pickle, b"key").unwrap();
    assert_eq!(account.dehydrate(&key()), Err(DehydratedDeviceError::Unrepresentable));
}

#[test]
fn what_was_altered_or_cut_off_is_refused() {
    let (_, device) = device();
    let refused = |ciphertext: &str, nonce: &str| {
        let device = DehydratedDevice { ciphertext: ciphertext.into(), nonce: nonce.into() };
        Account::rehydrate(&device, &key()).unwrap_err()
    };
    let DehydratedDevice { ciphertext, nonce } = &device;
    assert_eq!(refused("", nonce), DehydratedDeviceError::Authentication);
    assert_eq!(refused(&ciphertext[4..], nonce), DehydratedDeviceError::Authentication);
    assert_eq!(refused(&ciphertext[..8], nonce), DehydratedDeviceError::Authentication);
    assert_eq!(refused(ciphertext, &nonce[4..]), DehydratedDeviceError::Nonce);
    assert_eq!(refused(ciphertext, "AAAAAAAAAAAAAAAA"), DehydratedDeviceError::Authentication);
    assert_eq!(refused("_", nonce), DehydratedDeviceError::Base64);
    assert_eq!(refused(ciphertext, "?"), DehydratedDeviceError::Base64);
    let wrong_key = Account::rehydrate(&device, &PickleKey::new([4; 32]));
    assert_eq!(wrong_key.unwrap_err(), DehydratedDeviceError::Authentication);
}

/// The server cannot know the key, but whoever has it may be wrong about the content.
#[test]
fn content_that_is_no_account_is_refused() {
    let account = |version: u32, count: u32, keys: usize, fallback: &[u8]| {
        let mut content = version.to_be_bytes().to_vec();
        content.extend([1; 64]);
        content.extend(count.to_be_bytes());
        content.extend(vec![5; 32 * keys]);
        content.extend(fallback);
        content
    };
    let verdict = |content: &[u8]| Account::rehydrate(&seal(content), &key()).map(|_| ());
    assert_eq!(verdict(&account(1, 2, 2, &[0])), Ok(()));
    for version in [0, 2, u32::MAX] {
        assert_eq!(
            verdict(&account(version, 0, 0, &[0])),
            Err(DehydratedDeviceError::Version(version))
        );
    }
    for content in [
        account(1, 3, 2, &[0]),
        account(1, u32::MAX, 2, &[0]),
        account(1, 5_001, 5_001, &[0]),
        account(1, 0, 0, &[2]),
        account(1, 0, 0, &[1]),
        account(1, 0, 0, &[0, 0]),
        account(1, 0, 0, &[]),
        Vec::new(),
    ] {
        assert_eq!(verdict(&content), Err(DehydratedDeviceError::InvalidState));
    }
}

#[test]
fn draws_what_it_says() {
    let (account, _) = device();
    let mut rng = RecordedRng::new([9; 12]);
    account.dehydrate_with_rng(&key(), &mut rng).unwrap();
    assert_eq!(rng.left(), 0);
    let short = account.dehydrate_with_rng(&key(), &mut RecordedRng::new([9; 11]));
    assert_eq!(short, Err(DehydratedDeviceError::Random));
}
