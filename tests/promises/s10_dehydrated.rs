//! Dehydrated devices (MSC3814): the device on the server receives what was sent to it.

use std::collections::BTreeMap;

use moceril::{
    Base64Error, Curve25519PublicKey, DehydratedDevice, DehydratedDeviceError, Ed25519SecretKey,
    Loss, PickleKey,
    olm::{Account, PreKeyBundle, SessionCreationError, SignedOneTimeKey},
};
use moceril_testing::{
    converted::ToLibolm,
    dehydrated_content::{KEY, open, seal},
    rng::RecordedRng,
};

fn key() -> PickleKey {
    PickleKey::from_bytes(KEY)
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
    assert!(rehydrated.unpublished_one_time_keys().is_empty(), "all keys count as published");
    let alice = Account::new().unwrap();
    let keys = account.signed_one_time_keys().into_iter().chain(account.signed_fallback_key());
    for (_, signed) in keys {
        let bundle = PreKeyBundle::verify(account.identity_keys(), &signed).unwrap();
        let message =
            alice.create_outbound_session(&bundle).unwrap().encrypt(b"welcome back").unwrap();
        let pre_key = message.as_pre_key().unwrap();
        let inbound = rehydrated.create_inbound_session(alice.curve25519_key(), pre_key).unwrap();
        assert_eq!(inbound.message.plaintext(), b"welcome back");
    }
    assert_eq!(rehydrated.stored_one_time_key_count(), 0);
}

/// The ids of all keys that the rehydrated device stores, and of the next ones it generates, one of
/// each kind.
fn ids(rehydrated: &mut Account, keys: &[Curve25519PublicKey]) -> (Vec<u64>, Vec<u64>) {
    let stored = keys.iter().map(|key| rehydrated.key_id(key).unwrap().number()).collect();
    let (one_time_id, _) = rehydrated.generate_one_time_keys(1).unwrap().created[0];
    rehydrated.generate_fallback_key().unwrap();
    let (fallback_id, _) = rehydrated.unpublished_fallback_key().unwrap();
    (stored, vec![one_time_id.number(), fallback_id.number()])
}

/// All public keys of the account, in the order in which a device stores them.
fn public_keys(account: &Account) -> Vec<Curve25519PublicKey> {
    account
        .unpublished_one_time_keys()
        .into_iter()
        .chain(account.unpublished_fallback_key())
        .map(|(_, key)| key)
        .collect()
}

/// S-10: the format has no ids, and keys were published under ids before. So the keys of a
/// rehydrated device get ids that no other key has: none that an account counts from 1, and none of
/// another device or of the same device with other keys.
#[test]
fn s_10_ids_of_a_rehydrated_device_belong_to_no_other_key() {
    let (mut account, _) = device();
    let mut known: BTreeMap<u64, Curve25519PublicKey> = BTreeMap::new();
    for round in 0..4 {
        let device = account.dehydrate_lossy(&key()).unwrap().0;
        let keys = public_keys(&account);
        let [first, again] = [(); 2].map(|()| {
            let mut rehydrated = Account::rehydrate(&device, &key()).unwrap();
            ids(&mut rehydrated, &keys)
        });
        assert_eq!(first, again, "the same device has the same ids");
        let (stored, new) = first;
        let counted = stored.iter().chain(&new).copied();
        let smallest = stored[0];
        assert!(counted.clone().eq(smallest..smallest + counted.count() as u64));
        assert!((1 << 61..1 << 62).contains(&smallest), "there is room above");
        for (id, key) in stored.iter().zip(&keys) {
            assert!(known.insert(*id, *key).is_none(), "round {round}: id {id} names two keys");
        }
        assert!(new.iter().all(|id| !known.contains_key(id)));
        // The same device with one key more, and at last another device.
        match round {
            0 | 1 => drop(account.generate_one_time_keys(1).unwrap()),
            _ => account = self::device().0,
        }
    }
}

/// S-10: an id names one key also if the device is dehydrated again and again.
#[test]
fn s_10_ids_of_a_device_that_is_rehydrated_twice() {
    let (account, device) = device();
    let keys = public_keys(&account);
    let mut rehydrated = Account::rehydrate(&device, &key()).unwrap();
    let (mut known, new) = ids(&mut rehydrated, &keys);
    known.extend(new);
    let new_keys = public_keys(&rehydrated);
    let (device, loss) = rehydrated.dehydrate_lossy(&key()).unwrap();
    assert!(loss.previous_fallback_key);
    let mut rehydrated = Account::rehydrate(&device, &key()).unwrap();
    let (stored, new) = ids(&mut rehydrated, &new_keys);
    assert!(stored.iter().chain(&new).all(|id| !known.contains(id)));
}

#[test]
fn fallback_and_one_time_ids_of_a_rehydrated_device_are_told_apart() {
    let (account, device) = device();
    let mut rehydrated = Account::rehydrate(&device, &key()).unwrap();
    let fallback_id = rehydrated.key_id(&account.unpublished_fallback_key().unwrap().1).unwrap();
    assert!(!rehydrated.remove_one_time_key(fallback_id));
    assert_eq!(rehydrated.stored_one_time_key_count(), 3);
}

/// A new sender makes a session with Bob's present fallback key.
fn use_fallback_key(bob: &mut Account) {
    let alice = Account::new().unwrap();
    let (_, fallback_key) = bob.fallback_key().unwrap();
    let signature =
        bob.sign(format!(r#"{{"fallback":true,"key":"{}"}}"#, fallback_key.to_base64()).as_bytes());
    let signed = SignedOneTimeKey { key: fallback_key, fallback: true, signature };
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &signed).unwrap();
    let message = alice.create_outbound_session(&bundle).unwrap().encrypt(b"first").unwrap();
    bob.create_inbound_session(alice.curve25519_key(), message.as_pre_key().unwrap()).unwrap();
}

/// S-24, S-41: what the format cannot hold is an error that names it, and `dehydrate_lossy` reports
/// the same. The generation and the memory of the fallback key begin anew by definition: only
/// `dehydrate_lossy` names them.
#[test]
fn s_41_what_a_dehydrated_device_cannot_hold_is_named() {
    let loss = |change: &dyn Fn(&mut Loss)| {
        let mut loss = Loss::default();
        change(&mut loss);
        loss
    };
    #[track_caller]
    fn drops(account: &Account, expected: Loss) {
        let found = account.dehydrate_lossy(&key()).unwrap().1;
        let mut with_what_begins_anew = expected;
        with_what_begins_anew.generation = true;
        with_what_begins_anew.fallback_memory = true;
        assert_eq!(found, with_what_begins_anew);
        let exact = account.dehydrate(&key()).map(drop);
        let refused = Err(DehydratedDeviceError::Lossy(expected));
        assert_eq!(exact, if expected.is_none() { Ok(()) } else { refused });
    }
    let new = Account::new().unwrap();
    assert_eq!(new.dehydrate_lossy(&key()).unwrap().1, Loss::default());
    new.dehydrate(&key()).unwrap();
    // The memory of a rehydrated fallback key is not known to be complete.
    let rehydrated = Account::rehydrate(&device().1, &key()).unwrap();
    assert_eq!(rehydrated.dehydrate_lossy(&key()).unwrap().1, Loss::default());

    let (mut account, _) = device();
    drops(&account, Loss::default());
    use_fallback_key(&mut account);
    use_fallback_key(&mut account);
    drops(&account, loss(&|loss| loss.fallback_sessions = 2));
    let text = account.dehydrate(&key()).unwrap_err().to_string();
    assert!(text.contains("2 remembered fallback sessions"), "{text}");
    // The previous key is dropped together with what it remembers.
    account.generate_fallback_key().unwrap();
    drops(&account, loss(&|loss| loss.previous_fallback_key = true));
    use_fallback_key(&mut account);
    account.set_fallback_memory(5_000);
    drops(
        &account,
        loss(&|loss| {
            (loss.previous_fallback_key, loss.fallback_sessions, loss.limits) = (true, 1, true);
        }),
    );
    account.forget_previous_fallback_key();
    account.generate_fallback_key().unwrap();
    account.forget_previous_fallback_key();
    account.set_fallback_memory(0);
    drops(&account, Loss::default());
}

/// S-08, S-42: nobody knows what a rehydrated fallback key was used for. No first message is
/// refused, and each says that it may be a replay; replays of what is remembered from now on are
/// recognized.
#[test]
fn s_42_a_rehydrated_fallback_key_says_that_replays_are_possible() {
    let (mut account, device) = device();
    let bundle = {
        let (_, signed) = account.signed_fallback_key().unwrap();
        PreKeyBundle::verify(account.identity_keys(), &signed).unwrap()
    };
    let alice = Account::new().unwrap();
    let first = alice.create_outbound_session(&bundle).unwrap().encrypt(b"first").unwrap();
    let (sender, first) = (alice.curve25519_key(), first.as_pre_key().unwrap());
    assert!(account.create_inbound_session(sender, first).unwrap().replay_excluded);

    let mut rehydrated = Account::rehydrate(&device, &key()).unwrap();
    assert!(!rehydrated.create_inbound_session(sender, first).unwrap().replay_excluded);
    let replayed = rehydrated.create_inbound_session(sender, first).unwrap_err();
    assert_eq!(replayed, SessionCreationError::Replayed);
    rehydrated.generate_fallback_key().unwrap();
    let (_, signed) = rehydrated.signed_fallback_key().unwrap();
    let bundle = PreKeyBundle::verify(rehydrated.identity_keys(), &signed).unwrap();
    let message = alice.create_outbound_session(&bundle).unwrap().encrypt(b"second").unwrap();
    let message = message.as_pre_key().unwrap();
    assert!(rehydrated.create_inbound_session(sender, message).unwrap().replay_excluded);
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
    for (_, key) in account.unpublished_one_time_keys() {
        assert_eq!(public(take(32)), key);
    }
    assert_eq!(take(1), [1]);
    assert_eq!(public(take(32)), account.unpublished_fallback_key().unwrap().1);
    assert!(rest.is_empty());
}

/// An account of libolm has no seed, only what was made of it: that does not fit, and nothing else
/// is written in its place.
#[test]
fn an_account_without_a_seed_cannot_be_dehydrated() {
    let (account, _) = device();
    let pickle = account.to_libolm(b"key");
    let account = Account::from_libolm_pickle(&pickle, b"key").unwrap();
    assert_eq!(account.dehydrate(&key()), Err(DehydratedDeviceError::Unrepresentable));
    let lossy = account.dehydrate_lossy(&key());
    assert_eq!(lossy.err(), Some(DehydratedDeviceError::Unrepresentable));
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
    assert_eq!(refused(ciphertext, &nonce[4..]), DehydratedDeviceError::Nonce(9));
    assert_eq!(refused(ciphertext, "AAAAAAAAAAAAAAAA"), DehydratedDeviceError::Authentication);
    assert_eq!(refused("_", nonce), DehydratedDeviceError::Base64(Base64Error::Invalid));
    assert_eq!(refused(ciphertext, "?"), DehydratedDeviceError::Base64(Base64Error::Invalid));
    let wrong_key = Account::rehydrate(&device, &PickleKey::from_bytes([4; 32]));
    assert_eq!(wrong_key.unwrap_err(), DehydratedDeviceError::Authentication);
}

/// The server cannot know the key, but whoever has it may be wrong about the content.
#[test]
fn content_that_is_no_account_is_refused() {
    let account = |version: u32, count: u32, keys: usize, fallback: &[u8]| {
        let mut content = version.to_be_bytes().to_vec();
        content.extend([1; 64]);
        content.extend(count.to_be_bytes());
        let keys = (0..keys as u64).map(|number| [number.to_be_bytes(); 4]);
        content.extend(keys.flat_map(|key| key.concat()));
        content.extend(fallback);
        content
    };
    let verdict = |content: &[u8]| Account::rehydrate(&seal(content), &key()).map(|_| ());
    assert_eq!(verdict(&account(1, 2, 2, &[0])), Ok(()));
    let fallback = |key: u8| [&[1][..], &[key; 32]].concat();
    assert_eq!(verdict(&account(1, 2, 2, &fallback(5))), Ok(()));
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
        // The first one-time key once more, and the same key with bits that do not count.
        account(1, 2, 2, &fallback(0)),
        account(1, 2, 2, &[&[1, 7], &[0; 31][..]].concat()),
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
    let mut rng = RecordedRng::new([9; 12]);
    let (device, _) = account.dehydrate_lossy_with_rng(&key(), &mut rng).unwrap();
    assert_eq!(rng.left(), 0);
    let exact = account.dehydrate_with_rng(&key(), &mut RecordedRng::new([9; 12]));
    assert_eq!(Ok(device), exact);
    let short = account.dehydrate_lossy_with_rng(&key(), &mut RecordedRng::new([9; 11]));
    assert_eq!(short.err(), Some(DehydratedDeviceError::Random));
}
