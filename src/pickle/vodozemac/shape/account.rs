//! The shape of an account.

use serde::{Deserialize, Serialize};

use super::{
    SigningKeyShape,
    values::{NumberMap, PublicKey, Sequence},
};

#[derive(Serialize, Deserialize)]
pub(crate) struct AccountShape {
    pub(crate) signing_key: SigningKeyShape,
    pub(crate) diffie_hellman_key: Sequence<32>,
    pub(crate) one_time_keys: OneTimeKeysShape,
    pub(crate) fallback_keys: FallbackKeysShape,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct OneTimeKeysShape {
    #[serde(alias = "key_id")]
    pub(crate) next_key_id: u64,
    pub(crate) public_keys: NumberMap<PublicKey>,
    pub(crate) private_keys: NumberMap<Sequence<32>>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct FallbackKeysShape {
    pub(crate) key_id: u64,
    pub(crate) fallback_key: Option<FallbackKeyShape>,
    pub(crate) previous_fallback_key: Option<FallbackKeyShape>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct FallbackKeyShape {
    pub(crate) key_id: u64,
    pub(crate) key: Sequence<32>,
    pub(crate) published: bool,
}
