//! Devices and senders made from known secrets, so that all three libraries can have the same one.

use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use vodozemac::{base64_encode, hazmat::Cipher};

use crate::{RecordedRng, SeededRng, naive::crypto};

/// All private keys of a device.
pub struct DeviceSecrets {
    pub ed25519_seed: [u8; 32],
    pub curve25519: [u8; 32],
    pub one_time_keys: Vec<[u8; 32]>,
}

impl DeviceSecrets {
    pub fn random(rng: &mut SeededRng, one_time_keys: usize) -> Self {
        Self {
            ed25519_seed: rng.bytes(),
            curve25519: rng.bytes(),
            one_time_keys: (0..one_time_keys).map(|_| rng.bytes()).collect(),
        }
    }

    /// The secrets in the order in which our account draws them.
    pub fn as_randomness(&self) -> RecordedRng {
        let identity = [self.ed25519_seed, self.curve25519];
        RecordedRng::new([&identity, self.one_time_keys.as_slice()].concat().concat())
    }

    /// What the account looks like as a serde value of vodozemac.
    pub fn vodozemac_pickle(&self) -> Value {
        let numbered: serde_json::Map<_, _> = self
            .one_time_keys
            .iter()
            .enumerate()
            .map(|(id, key)| (id.to_string(), json!(key)))
            .collect();
        json!({
            "signing_key": { "Normal": self.ed25519_seed },
            "diffie_hellman_key": self.curve25519,
            "one_time_keys": {
                "next_key_id": self.one_time_keys.len(),
                "public_keys": {},
                "private_keys": numbered,
            },
            "fallback_keys": { "key_id": 0, "fallback_key": null, "previous_fallback_key": null },
        })
    }
}

/// The sender of a group session that is at a chosen index, as a libolm pickle: no library makes
/// one by itself, but all three read this.
pub struct FarSender {
    pub pickle: String,
}

impl FarSender {
    pub const PICKLE_KEY: &[u8] = b"far sender";

    pub fn random(rng: &mut SeededRng, index: u32) -> Self {
        let (ratchet, seed): ([u8; 128], [u8; 32]) = (rng.bytes(), rng.bytes());
        let mut expanded: [u8; 64] = Sha512::digest(seed).into();
        // RFC 8032, 5.1.5: the lower half is the scalar, clamped.
        expanded[0] &= 0xf8;
        expanded[31] &= 0x7f;
        expanded[31] |= 0x40;
        // Version, ratchet, index, and the two halves of the signing key.
        let mut state = 1_u32.to_be_bytes().to_vec();
        state.extend(ratchet);
        state.extend(index.to_be_bytes());
        state.extend(crypto::ed25519_public(&seed));
        state.extend(expanded);
        let sealed = Cipher::new_pickle(Self::PICKLE_KEY).encrypt_pickle(&state);
        Self { pickle: base64_encode(sealed) }
    }
}
