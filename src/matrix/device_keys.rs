//! The keys that a device publishes, as the signed objects of the specification. Feature `payload`.
//!
//! ```
//! use moceril::{device_keys::{self, DeviceKeys}, olm::Account};
//! # let mut bob_account = Account::new()?;
//! # let alice_account = Account::new()?;
//!
//! // Bob's device publishes its keys, and one-time keys.
//! let device_keys = DeviceKeys::new(&bob_account, "@bob:example.org", "PHONE")?.to_json();
//! bob_account.generate_one_time_keys(1)?;
//! let (id, key) = bob_account.signed_one_time_keys()[0];
//! let one_time_key = device_keys::one_time_key(&key, "@bob:example.org", "PHONE");
//! let name = device_keys::one_time_key_name(id); // signed_curve25519:AAAA…
//!
//! // Alice's device gets both from the server and verifies them.
//! let bob = DeviceKeys::verify(device_keys, "@bob:example.org", "PHONE")?;
//! let session = alice_account.create_outbound_session(&bob.verify_one_time_key(&one_time_key)?)?;
//! # assert_eq!(name, "signed_curve25519:AAAAAAAAAAE");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The device's own signature shows that its keys belong together. It does not show that the device
//! belongs to the user: [cross-signing](super::cross_signing) or a verification by the users shows
//! that. A device never changes its keys, so a client that knows a device compares them.
//!
//! Spec: Matrix specification, "Device keys" and "Key algorithms".

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Value, json};

use super::{
    payload::Device,
    signed_json::{self, SignedJsonError, expect, expect_kind, key_id},
};
use crate::{
    keys::{Curve25519PublicKey, Ed25519PublicKey, IdentityKeys, KeyId},
    olm::{
        account::Account,
        bundle::{PreKeyBundle, SignedOneTimeKey},
    },
};

/// The algorithms of new devices: version 1 of Olm and of Megolm, which every client knows.
const ALGORITHMS: [&str; 2] = ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"];
/// The members that identify the object of a device.
const MEMBERS: [&str; 4] = ["user_id", "device_id", "algorithms", "keys"];

/// The keys of a device, which the device has signed. There is no value of this type without a
/// valid signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKeys {
    user_id: String,
    device_id: String,
    keys: IdentityKeys,
    object: Value,
}

impl DeviceKeys {
    /// Makes and signs the object for our own device.
    ///
    /// # Errors
    ///
    /// None for valid Matrix ids.
    pub fn new(account: &Account, user_id: &str, device_id: &str) -> Result<Self, SignedJsonError> {
        let keys = account.identity_keys();
        let mut object = json!({
            "user_id": user_id,
            "device_id": device_id,
            "algorithms": ALGORITHMS,
            "keys": {
                curve25519_id(device_id): keys.curve25519.to_base64(),
                key_id(device_id): keys.ed25519.to_base64(),
            },
        });
        signed_json::sign(&mut object, user_id, device_id, account)?;
        let (user_id, device_id) = (user_id.to_string(), device_id.to_string());
        Ok(Self { user_id, device_id, keys, object })
    }

    /// Verifies the object of a device: it names this user and this device, and its Ed25519 key has
    /// signed it. The ids are those under which the server lists the object.
    ///
    /// # Errors
    ///
    /// [`SignedJsonError`].
    pub fn verify(object: Value, user_id: &str, device_id: &str) -> Result<Self, SignedJsonError> {
        let found_user = expect(&object, "user_id", user_id)?;
        let found_device = expect(&object, "device_id", device_id)?;
        expect_kind(&object, &MEMBERS)?;
        let key = |id: String| {
            let key = object.get("keys").and_then(|keys| keys.get(id)).and_then(Value::as_str);
            key.ok_or(SignedJsonError::Malformed("keys"))
        };
        let ed25519 = Ed25519PublicKey::from_base64(key(key_id(device_id))?)?;
        let curve25519 = Curve25519PublicKey::from_base64(key(curve25519_id(device_id))?)?;
        signed_json::verify(&object, user_id, device_id, &ed25519)?;
        let keys = IdentityKeys { ed25519, curve25519 };
        Ok(Self { user_id: found_user, device_id: found_device, keys, object })
    }

    /// The user whose device this claims to be.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The id of the device.
    #[must_use]
    pub fn device_id(&self) -> &str {
        &self.device_id
    }

    /// The two keys.
    #[must_use]
    pub const fn identity_keys(&self) -> IdentityKeys {
        self.keys
    }

    /// The algorithms that the device supports.
    #[must_use]
    pub fn algorithms(&self) -> Vec<&str> {
        let algorithms = self.object.get("algorithms").and_then(Value::as_array);
        algorithms.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The device as one end of an Olm event (S-16).
    #[must_use]
    pub fn device(&self) -> Device<'_> {
        Device { user_id: &self.user_id, keys: self.keys }
    }

    /// The object with all its members and its current signatures.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.object.clone()
    }

    pub(super) const fn object(&self) -> &Value {
        &self.object
    }

    #[cfg(feature = "matrix")]
    pub(super) const fn object_mut(&mut self) -> &mut Value {
        &mut self.object
    }

    /// Verifies a one-time or fallback key of the device, for a session with it (S-17). Other
    /// members, which the device must have signed, too, are ignored; those that belong to an object
    /// of another kind are refused.
    ///
    /// # Errors
    ///
    /// [`SignedJsonError`].
    pub fn verify_one_time_key(&self, object: &Value) -> Result<PreKeyBundle, SignedJsonError> {
        verify_one_time_key(object, &self.user_id, &self.device_id, self.keys)
    }
}

/// Like [`DeviceKeys::verify_one_time_key`], for a caller that has stored the device's verified
/// keys.
///
/// # Errors
///
/// [`SignedJsonError`].
pub fn verify_one_time_key(
    object: &Value,
    user_id: &str,
    device_id: &str,
    keys: IdentityKeys,
) -> Result<PreKeyBundle, SignedJsonError> {
    expect_kind(object, &["key"])?;
    signed_json::verify(object, user_id, device_id, &keys.ed25519)?;
    let key = Curve25519PublicKey::from_base64(signed_json::text(object, "key")?)?;
    PreKeyBundle::from_keys(keys.curve25519, key)
        .map_err(|_| SignedJsonError::OneTimeKeyIsIdentityKey)
}

fn curve25519_id(device_id: &str) -> String {
    format!("curve25519:{device_id}")
}

/// The account's unpublished one-time and fallback keys as the members `one_time_keys` and
/// `fallback_keys` of a request to `/keys/upload`. Both may be empty.
///
/// ```
/// use moceril::{device_keys, olm::Account};
///
/// let mut account = Account::new()?;
/// account.generate_one_time_keys(50)?;
/// account.generate_fallback_key()?;
///
/// let body = device_keys::keys_to_upload(&account, "@bob:example.org", "PHONE");
/// assert_eq!(body["one_time_keys"].as_object().map(|keys| keys.len()), Some(50));
/// assert_eq!(body["fallback_keys"].as_object().map(|keys| keys.len()), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn keys_to_upload(account: &Account, user_id: &str, device_id: &str) -> Value {
    let object = |keys: Vec<(KeyId, SignedOneTimeKey)>| {
        let member = |(id, key): &(KeyId, SignedOneTimeKey)| {
            (one_time_key_name(*id), one_time_key(key, user_id, device_id))
        };
        keys.iter().map(member).collect::<Value>()
    };
    json!({
        "one_time_keys": object(account.signed_one_time_keys()),
        "fallback_keys": object(account.signed_fallback_key().into_iter().collect()),
    })
}

/// The object in which a device publishes a one-time or fallback key.
#[must_use]
pub fn one_time_key(key: &SignedOneTimeKey, user_id: &str, device_id: &str) -> Value {
    let signatures = json!({ user_id: { key_id(device_id): key.signature.to_base64() } });
    let key_text = key.key.to_base64();
    if key.fallback {
        json!({ "key": key_text, "fallback": true, "signatures": signatures })
    } else {
        json!({ "key": key_text, "signatures": signatures })
    }
}

/// The name under which a device publishes a one-time or fallback key.
#[must_use]
pub fn one_time_key_name(id: KeyId) -> String {
    format!("signed_curve25519:{}", id.to_base64())
}
