//! Cross-signing: how a user vouches for devices, and for the keys of other users. Feature
//! `matrix`.
//!
//! Each user has three keys. The master key is the user's identity, which others compare or verify
//! (`sas`). It signs the other two: the self-signing key, which signs the user's devices, and the
//! user-signing key, which signs the master keys of other users.
//!
//! ```
//! use moceril::{
//!     cross_signing::{CrossSigningKeys, MasterKey},
//!     device_keys::DeviceKeys,
//!     olm::Account,
//! };
//! # let account = Account::new()?;
//!
//! // Bob makes his keys, and signs his device.
//! let keys = CrossSigningKeys::new("@bob:example.org")?;
//! let mut phone = DeviceKeys::new(&account, "@bob:example.org", "PHONE")?;
//! keys.sign_device(&mut phone)?;
//! let public = keys.public_keys()?;
//! # let (phone, master) = (phone.to_json(), public.master.to_json());
//! # let self_signing = public.self_signing.to_json();
//!
//! // Alice has the three objects from the server, and knows Bob's master key.
//! let phone = DeviceKeys::verify(phone, "@bob:example.org", "PHONE")?;
//! let master = MasterKey::read(master, "@bob:example.org")?;
//! assert_eq!(master.key(), keys.master.public_key(), "or else this may not be Bob");
//! master.verify_self_signing_key(self_signing)?.verify_device(&phone)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Spec: Matrix specification, "Cross-signing".

use alloc::string::{String, ToString};

use rand::TryCryptoRng;
use serde_json::{Value, json};

use super::{
    device_keys::DeviceKeys,
    signed_json::{self, SignedJsonError, Signer, expect, expect_kind, key_id},
};
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::RandomError,
    keys::{Ed25519PublicKey, Ed25519SecretKey},
};

/// The three private keys of a user. To store them, or to give them to another device of the user,
/// put each into secret storage, as base64.
#[derive(Debug)]
pub struct CrossSigningKeys {
    /// The user to whom the keys belong.
    pub user_id: String,
    /// The user's identity. Its secret has the name `m.cross_signing.master`.
    pub master: Ed25519SecretKey,
    /// Signs the user's devices. Its secret has the name `m.cross_signing.self_signing`.
    pub self_signing: Ed25519SecretKey,
    /// Signs the master keys of other users. Its secret has the name
    /// `m.cross_signing.user_signing`.
    pub user_signing: Ed25519SecretKey,
}

impl CrossSigningKeys {
    /// Draws the keys from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn new(user_id: &str) -> Result<Self, RandomError> {
        Self::with_rng(user_id, &mut rng::system())
    }

    /// Like `new`, but with the caller's source of randomness, which gives 32 bytes for each key,
    /// in the order of the fields.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn with_rng<R: TryCryptoRng + ?Sized>(
        user_id: &str,
        rng: &mut R,
    ) -> Result<Self, RandomError> {
        Ok(Self {
            user_id: user_id.to_string(),
            master: Ed25519SecretKey::with_rng(rng)?,
            self_signing: Ed25519SecretKey::with_rng(rng)?,
            user_signing: Ed25519SecretKey::with_rng(rng)?,
        })
    }

    /// The objects that the user publishes: the master key, without a signature, and the two other
    /// keys, signed by the master key.
    ///
    /// # Errors
    ///
    /// None for valid Matrix user ids.
    pub fn public_keys(&self) -> Result<PublicKeys, SignedJsonError> {
        let user_id = &*self.user_id;
        let name = self.master.public_key().to_base64();
        let signed = |usage, key: &Ed25519SecretKey| {
            let mut key = Key::new(usage, user_id, key.public_key());
            key.sign(usage, user_id, &name, &self.master).map(|()| key)
        };
        Ok(PublicKeys {
            master: MasterKey(Key::new(MasterKey::USAGE, user_id, self.master.public_key())),
            self_signing: SelfSigningKey(signed(SelfSigningKey::USAGE, &self.self_signing)?),
            user_signing: UserSigningKey(signed(UserSigningKey::USAGE, &self.user_signing)?),
        })
    }

    /// Signs a device of the user, with the self-signing key. The caller must know that the device
    /// is the user's: it is this one, or the user has verified it.
    ///
    /// # Errors
    ///
    /// [`SignedJsonError::Mismatch`] for a device of another user; [`SignedJsonError::Malformed`]
    /// if the device's object has `signatures` of a wrong form.
    pub fn sign_device(&self, device: &mut DeviceKeys) -> Result<(), SignedJsonError> {
        if device.user_id() != self.user_id {
            return Err(SignedJsonError::Mismatch("user_id"));
        }
        let name = self.self_signing.public_key().to_base64();
        signed_json::sign(device.object_mut(), &self.user_id, &name, &self.self_signing)
    }

    /// Signs another user, with the user-signing key. The caller knows that the master key is the
    /// other user's: the two users have compared it.
    ///
    /// # Errors
    ///
    /// [`SignedJsonError::OwnUser`] for a master key of our own user, which a device signs instead;
    /// those of [`MasterKey::sign`].
    pub fn sign_user(&self, user: &mut MasterKey) -> Result<(), SignedJsonError> {
        if user.user_id() == self.user_id {
            return Err(SignedJsonError::OwnUser);
        }
        let name = self.user_signing.public_key().to_base64();
        user.0.sign(MasterKey::USAGE, &self.user_id, &name, &self.user_signing)
    }
}

/// The public keys of a user, as the objects that the user uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicKeys {
    /// The object `master_key`. The user's device should sign it, too: [`MasterKey::sign`].
    pub master: MasterKey,
    /// The object `self_signing_key`.
    pub self_signing: SelfSigningKey,
    /// The object `user_signing_key`.
    pub user_signing: UserSigningKey,
}

/// The object of a public key, which names its user, its usage and the key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    user_id: String,
    key: Ed25519PublicKey,
    object: Value,
}

impl Key {
    /// The members that identify the object's kind.
    const MEMBERS: [&str; 3] = ["user_id", "usage", "keys"];

    fn new(usage: &str, user_id: &str, key: Ed25519PublicKey) -> Self {
        let name = key.to_base64();
        let object = json!({
            "user_id": user_id,
            "usage": [usage],
            "keys": { key_id(&name): name },
        });
        Self { user_id: user_id.to_string(), key, object }
    }

    /// Reads an object without verifying a signature.
    fn read(usage: &str, object: Value, user_id: &str) -> Result<Self, SignedJsonError> {
        let user_id = expect(&object, "user_id", user_id)?;
        let usages = object.get("usage").and_then(Value::as_array);
        let mut usages = usages.ok_or(SignedJsonError::Malformed("usage"))?.iter();
        if !usages.any(|found| found.as_str() == Some(usage)) {
            return Err(SignedJsonError::Mismatch("usage"));
        }
        expect_kind(&object, &Self::MEMBERS)?;
        let keys = object.get("keys").and_then(Value::as_object);
        let mut keys = keys.into_iter().flatten();
        let (Some((id, key)), None) = (keys.next(), keys.next()) else {
            return Err(SignedJsonError::Malformed("keys"));
        };
        let key = key.as_str().ok_or(SignedJsonError::Malformed("keys"))?;
        let key = Ed25519PublicKey::from_base64(key)?;
        if *id != key_id(&key.to_base64()) {
            return Err(SignedJsonError::Mismatch("keys"));
        }
        Ok(Self { user_id, key, object })
    }

    /// Verifies that this key has signed an object of a user.
    fn verify(&self, object: &Value) -> Result<(), SignedJsonError> {
        signed_json::verify(object, &self.user_id, &self.key.to_base64(), &self.key)
    }

    /// Adds the signature of another key of `user_id`. The object may come from a server, which can
    /// add members: an object with other members than those of a key of this usage is not signed
    /// (S-17).
    fn sign<S: Signer + ?Sized>(
        &mut self,
        usage: &str,
        user_id: &str,
        key_name: &str,
        signer: &S,
    ) -> Result<(), SignedJsonError> {
        let is_known = |name: &String| {
            Self::MEMBERS.contains(&name.as_str())
                || matches!(name.as_str(), "signatures" | "unsigned")
        };
        if !self.object.as_object().is_some_and(|members| members.keys().all(is_known)) {
            return Err(SignedJsonError::UnexpectedMember);
        }
        if self.object.get("usage") != Some(&json!([usage])) {
            return Err(SignedJsonError::Mismatch("usage"));
        }
        signed_json::sign(&mut self.object, user_id, key_name, signer)
    }
}

/// The identity of a user. Only a comparison shows that it is the right one: with the key that was
/// verified before, or by the users themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterKey(Key);

/// The key that signs the devices of a user. There is no value of this type without a valid
/// signature of the user's master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfSigningKey(Key);

/// The key with which a user signs other users. There is no value of this type without a valid
/// signature of the user's master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSigningKey(Key);

/// The methods that the three types of public keys share.
macro_rules! public_key {
    ($name:ident, $usage:literal) => {
        impl $name {
            const USAGE: &str = $usage;

            /// The user whose key this claims to be.
            #[must_use]
            pub fn user_id(&self) -> &str {
                &self.0.user_id
            }

            /// The key itself.
            #[must_use]
            pub const fn key(&self) -> Ed25519PublicKey {
                self.0.key
            }

            /// The object with all its members and its current signatures.
            #[must_use]
            pub fn to_json(&self) -> Value {
                self.0.object.clone()
            }
        }
    };
}

public_key!(MasterKey, "master");
public_key!(SelfSigningKey, "self_signing");
public_key!(UserSigningKey, "user_signing");

impl MasterKey {
    /// Reads the object that the server lists under `user_id`. This verifies no signature: compare
    /// the [`key`](Self::key) with the one that is known, or let a [`UserSigningKey`] vouch for it.
    ///
    /// # Errors
    ///
    /// [`SignedJsonError::Malformed`], [`SignedJsonError::Mismatch`],
    /// [`SignedJsonError::UnexpectedMember`], [`SignedJsonError::Key`].
    pub fn read(object: Value, user_id: &str) -> Result<Self, SignedJsonError> {
        Key::read(Self::USAGE, object, user_id).map(Self)
    }

    /// Adds the signature of a device of the user, so that those who have verified the device can
    /// trust the key.
    ///
    /// # Errors
    ///
    /// [`SignedJsonError::UnexpectedMember`] if the object has members that no master key has, and
    /// [`SignedJsonError::Mismatch`] if it also has another usage: the server may have added them.
    /// [`SignedJsonError::Malformed`] if it has `signatures` of a wrong form.
    pub fn sign<S: Signer + ?Sized>(
        &mut self,
        device_id: &str,
        device: &S,
    ) -> Result<(), SignedJsonError> {
        let user_id = self.0.user_id.clone();
        self.0.sign(Self::USAGE, &user_id, device_id, device)
    }

    /// Verifies that a device of the user has signed this key.
    ///
    /// # Errors
    ///
    /// [`SignedJsonError`].
    pub fn verify_signature_of(&self, device: &DeviceKeys) -> Result<(), SignedJsonError> {
        same_user(&self.0, device.user_id())?;
        let key = device.identity_keys().ed25519;
        signed_json::verify(&self.0.object, device.user_id(), device.device_id(), &key)
    }

    /// Verifies that this master key has signed the user's self-signing key.
    ///
    /// # Errors
    ///
    /// [`SignedJsonError`].
    pub fn verify_self_signing_key(
        &self,
        object: Value,
    ) -> Result<SelfSigningKey, SignedJsonError> {
        self.verified(SelfSigningKey::USAGE, object).map(SelfSigningKey)
    }

    /// Verifies that this master key has signed the user's user-signing key.
    ///
    /// # Errors
    ///
    /// [`SignedJsonError`].
    pub fn verify_user_signing_key(
        &self,
        object: Value,
    ) -> Result<UserSigningKey, SignedJsonError> {
        self.verified(UserSigningKey::USAGE, object).map(UserSigningKey)
    }

    fn verified(&self, usage: &str, object: Value) -> Result<Key, SignedJsonError> {
        let key = Key::read(usage, object, &self.0.user_id)?;
        self.0.verify(&key.object)?;
        Ok(key)
    }
}

impl SelfSigningKey {
    /// Verifies that the user has signed the device.
    ///
    /// # Errors
    ///
    /// [`SignedJsonError::Mismatch`] for a device of another user;
    /// [`SignedJsonError::MissingSignature`], [`SignedJsonError::Signature`].
    pub fn verify_device(&self, device: &DeviceKeys) -> Result<(), SignedJsonError> {
        same_user(&self.0, device.user_id())?;
        self.0.verify(device.object())
    }
}

impl UserSigningKey {
    /// Verifies that the user has signed the master key of another user.
    ///
    /// # Errors
    ///
    /// [`SignedJsonError::MissingSignature`], [`SignedJsonError::Signature`].
    pub fn verify_user(&self, user: &MasterKey) -> Result<(), SignedJsonError> {
        self.0.verify(&user.0.object)
    }
}

fn same_user(key: &Key, user_id: &str) -> Result<(), SignedJsonError> {
    if key.user_id == user_id { Ok(()) } else { Err(SignedJsonError::Mismatch("user_id")) }
}
