//! README.md, "One-time keys": ids, eviction, and how many there can be.

use vodozemac::{KeyId, olm::Account};

/// The number of an id.
fn number(id: &KeyId) -> u64 {
    serde_json::to_value(id).unwrap().as_u64().unwrap()
}

/// S-10: one-time and fallback keys share their ids, which begin at 1, also after a pickle.
#[test]
fn s_10_ids() {
    let mut account = Account::new();
    account.generate_one_time_keys(2);
    account.generate_fallback_key();
    account.generate_one_time_keys(1);
    let ids = |account: &Account| {
        let mut one_time: Vec<_> = account.one_time_keys().keys().map(number).collect();
        one_time.sort_unstable();
        (one_time, account.fallback_key().keys().map(number).collect::<Vec<_>>())
    };
    assert_eq!(ids(&account), (vec![1, 2, 4], vec![3]));
    let mut account = Account::from_pickle(account.pickle());
    account.generate_one_time_keys(1);
    account.generate_fallback_key();
    account.generate_one_time_keys(1);
    assert_eq!(ids(&account), (vec![1, 2, 4, 5, 7], vec![6]));
}

/// More one-time keys than fit are not generated at all.
#[test]
fn s_10_at_most_5000_keys_at_once() {
    let mut account = Account::new();
    let generated = account.generate_one_time_keys(usize::MAX);
    assert_eq!((generated.created.len(), generated.removed.len()), (5_000, 0));
    assert_eq!(account.stored_one_time_key_count(), 5_000);
}

/// S-10: a full account drops keys that nobody has seen before those on the server, each the oldest
/// first.
#[test]
fn s_10_eviction() {
    let mut account = Account::new();
    let published = account.generate_one_time_keys(4_990).created;
    account.mark_keys_as_published();
    let unpublished = account.generate_one_time_keys(10).created;
    let removed = account.generate_one_time_keys(4).removed;
    assert_eq!(removed, unpublished[..4]);
    account.mark_keys_as_published();
    let removed = account.generate_one_time_keys(7).removed;
    assert_eq!(removed, published[..7]);
}

/// S-10: the ids of a rehydrated device were never given to another key, and the next ones go on
/// from there.
#[test]
fn s_10_ids_of_a_rehydrated_device() {
    let mut account = Account::new();
    account.generate_one_time_keys(3);
    account.generate_fallback_key();
    let device = account.to_dehydrated_device(&[7; 32]).unwrap();
    let rehydrate =
        || Account::from_dehydrated_device(&device.ciphertext, &device.nonce, &[7; 32]).unwrap();
    let mut rehydrated = rehydrate();
    rehydrated.generate_one_time_keys(1);
    rehydrated.generate_fallback_key();
    let ids = |account: &Account| {
        let keys = account.one_time_keys().into_keys().chain(account.fallback_key().into_keys());
        keys.map(|id| number(&id)).collect::<Vec<_>>()
    };
    let new = ids(&rehydrated);
    assert_eq!(new.len(), 2);
    assert!(new[0] > 1 << 61 && new[1] == new[0] + 1);
    let mut again = rehydrate();
    again.generate_one_time_keys(1);
    assert_eq!(ids(&again), new[..1]);
    #[cfg(feature = "libolm-compat")]
    assert!(rehydrated.to_libolm_pickle(b"key").is_err());
}
