//! vodozemac's pickles: JSON, in which a secret is an array of decimal digits.

use moceril::{olm::Account, vodozemac::AccountPickle};

use super::keys::published_account;
use crate::{
    memcheck,
    secrets::{SecretRng, must_be_secret},
};

pub fn write() {
    let account = published_account(&mut SecretRng::new(60));
    let pickle = account.to_vodozemac_pickle().unwrap();
    let json = serde_json::to_string(&pickle).unwrap();
    must_be_secret(json.as_bytes());
}

pub fn read() {
    let seed = [100; 32];
    let json = serde_json::json!({
        "signing_key": { "Normal": seed },
        "diffie_hellman_key": seed,
        "one_time_keys": { "next_key_id": 0, "public_keys": {}, "private_keys": {} },
        "fallback_keys": { "key_id": 0, "fallback_key": null, "previous_fallback_key": null },
    })
    .to_string();
    for (place, _) in json.match_indices("100") {
        memcheck::make_undefined(&json.as_bytes()[place..place + 3]);
    }
    let pickle: AccountPickle = serde_json::from_str(&json).unwrap();
    Account::from_vodozemac_pickle(pickle).unwrap();
}
