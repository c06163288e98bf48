//! S-45: a hostile pickle is refused by its counts, before any work for each item. Whoever makes
//! one knows the pickle key, for example because a store is shared.

use alloc::vec::Vec;

use super::{
    dehydrated::{DehydratedDevice, DehydratedDeviceError},
    native::PickleKey,
};
use crate::{
    olm::account::Account,
    primitives::{
        base64, chacha20poly1305,
        secret::Secret,
        work::{self, Work},
    },
    ratchet::limits::MAX_ONE_TIME_KEYS,
};

/// A dehydrated device with this number of one-time keys and no fallback key.
fn device(count: usize) -> DehydratedDevice {
    let count = u32::try_from(count).unwrap();
    let mut state = Vec::from(1_u32.to_be_bytes());
    state.extend([1; 32 + 32]);
    state.extend(count.to_be_bytes());
    (0..count).for_each(|number| state.extend([number.to_be_bytes(); 8].as_flattened()));
    state.push(0);
    let ciphertext =
        chacha20poly1305::seal_message(&Secret::new([7; 32]), &[0; 12], &[], &state).unwrap();
    DehydratedDevice { ciphertext: base64::encode(&ciphertext), nonce: base64::encode(&[0; 12]) }
}

/// S-45: a dehydrated device with one key too many is refused before the first multiplication, and
/// whatever count it claims to have.
#[test]
fn s_45_the_keys_of_a_dehydrated_device_are_counted_first() {
    let rehydrate = |count| {
        let device = device(count);
        work::of(|| Account::rehydrate(&device, &PickleKey::from_bytes([7; 32])).map(drop))
    };
    let refused = Err(DehydratedDeviceError::InvalidState);
    assert_eq!(rehydrate(MAX_ONE_TIME_KEYS + 1), (refused, Work::default()));
    assert_eq!(rehydrate(20 * MAX_ONE_TIME_KEYS), (refused, Work::default()));
    for count in [20, MAX_ONE_TIME_KEYS] {
        let (accepted, work) = rehydrate(count);
        assert_eq!((accepted, work.multiplications), (Ok(()), count + 2));
    }
}

/// S-45: the same for an account in vodozemac's form.
#[cfg(feature = "vodozemac")]
#[test]
fn s_45_the_keys_of_a_vodozemac_account_are_counted_first() {
    use serde_json::{Map, Value};

    use crate::pickle::vodozemac::{AccountPickle, VodozemacPickleError};

    let account = Account::new().unwrap();
    let (pickle, _) = account.to_vodozemac_pickle_lossy().unwrap();
    let with_keys = |count: usize| {
        let mut json = serde_json::to_value(&pickle).unwrap();
        let key = |number: u32| Value::from([number.to_be_bytes(); 8].as_flattened());
        let keys: Map<_, _> = (0..u32::try_from(count).unwrap())
            .map(|number| (alloc::string::ToString::to_string(&number), key(number)))
            .collect();
        json["one_time_keys"]["next_key_id"] = count.into();
        json["one_time_keys"]["private_keys"] = keys.into();
        let pickle: AccountPickle = serde_json::from_value(json).unwrap();
        work::of(|| Account::from_vodozemac_pickle(pickle).map(drop))
    };
    let refused = Err(VodozemacPickleError::InvalidState);
    assert_eq!(with_keys(MAX_ONE_TIME_KEYS + 1), (refused, Work::default()));
    assert_eq!(with_keys(20 * MAX_ONE_TIME_KEYS), (refused, Work::default()));
    for count in [20, MAX_ONE_TIME_KEYS] {
        let (accepted, work) = with_keys(count);
        assert_eq!((accepted, work.multiplications), (Ok(()), count + 2));
    }
}
