//! Signed JSON objects. Feature `payload`.
//!
//! A signature covers the [canonical form](super::canonical_json) of an object without the members
//! `signatures` and `unsigned`. It is in the object itself, under the user who signed and the name
//! of the key:
//!
//! ```
//! use moceril::{olm::Account, signed_json};
//! use serde_json::json;
//!
//! let account = Account::new()?;
//! let mut object = json!({ "public_key": "…", "unsigned": { "age": 1 } });
//! signed_json::sign(&mut object, "@alice:example.org", "DEVICE", &account)?;
//! assert!(object["signatures"]["@alice:example.org"]["ed25519:DEVICE"].is_string());
//!
//! object["unsigned"]["age"] = json!(2); // not signed
//! let key = account.ed25519_key();
//! signed_json::verify(&object, "@alice:example.org", "DEVICE", &key)?;
//!
//! object["public_key"] = json!("another");
//! assert!(signed_json::verify(&object, "@alice:example.org", "DEVICE", &key).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`device_keys`](super::device_keys) and [`cross_signing`](super::cross_signing) have types for
//! the objects of devices and users, whose values exist only after verification. They and
//! [`BackupVersion`](super::backup_file::BackupVersion) refuse an object that has a member of
//! another kind.
//!
//! Spec: Matrix specification, appendices, "Signing JSON".

use alloc::{
    format,
    string::{String, ToString},
};

use serde_json::{Map, Value};

use super::canonical_json::{self, CanonicalJsonError};
use crate::{
    error::{KeyError, texts},
    keys::{Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature},
    olm::account::Account,
};

/// A signer of objects: a device, or a key that is not a device's.
pub trait Signer {
    /// Signs exactly these bytes.
    fn sign(&self, message: &[u8]) -> Ed25519Signature;
}

impl Signer for Account {
    fn sign(&self, message: &[u8]) -> Ed25519Signature {
        self.sign(message)
    }
}

impl Signer for Ed25519SecretKey {
    fn sign(&self, message: &[u8]) -> Ed25519Signature {
        self.sign(message)
    }
}

/// The members that identify objects of different kinds: one-time keys, keys of devices,
/// cross-signing keys and backups.
const OF_A_KIND: [&str; 7] =
    ["key", "keys", "user_id", "device_id", "algorithms", "usage", "public_key"];

/// Checks that an object has no members of [`OF_A_KIND`] but its own. A server that adds such a
/// member and has the object signed would have a signature over an object of another kind, too
/// (S-17).
pub(super) fn expect_kind(object: &Value, own: &[&str]) -> Result<(), SignedJsonError> {
    let members = object.as_object().ok_or(SignedJsonError::Malformed("object"))?;
    let is_foreign = |name: &&str| !own.contains(name) && members.contains_key(*name);
    if OF_A_KIND.iter().any(is_foreign) { Err(SignedJsonError::UnexpectedMember) } else { Ok(()) }
}

/// Adds a signature to an object, and keeps those that it has. An earlier one by the same key is
/// replaced.
///
/// Sign nothing that a server has made: the signature covers every member, and no member says which
/// kind of object it is. A member that a server adds could make the object one of another kind, for
/// example the keys of a device, for which the signer would then vouch.
///
/// `key_name` is what follows `ed25519:` in the key's id: the device id, or the public key of a
/// cross-signing key.
///
/// # Errors
///
/// [`SignedJsonError::Malformed`] if the value or its `signatures` are not objects;
/// [`SignedJsonError::Canonical`].
pub fn sign<S: Signer + ?Sized>(
    object: &mut Value,
    user_id: &str,
    key_name: &str,
    signer: &S,
) -> Result<(), SignedJsonError> {
    let signature = signer.sign(signed_part(object)?.as_bytes()).to_base64();
    let members = object.as_object_mut().ok_or(SignedJsonError::Malformed("object"))?;
    let signatures = entry(members, "signatures")?;
    entry(signatures, user_id)?.insert(key_id(key_name), Value::String(signature));
    Ok(())
}

/// The member with this name, an object, which is added if it is missing.
fn entry<'a>(
    members: &'a mut Map<String, Value>,
    name: &str,
) -> Result<&'a mut Map<String, Value>, SignedJsonError> {
    let value = members.entry(name).or_insert_with(|| Value::Object(Map::new()));
    value.as_object_mut().ok_or(SignedJsonError::Malformed("signatures"))
}

/// Verifies a signature over an object, strictly (S-14).
///
/// # Errors
///
/// [`SignedJsonError::MissingSignature`] if this key did not sign, [`SignedJsonError::Signature`]
/// if the signature is wrong; [`SignedJsonError::Malformed`]; [`SignedJsonError::Canonical`].
pub fn verify(
    object: &Value,
    user_id: &str,
    key_name: &str,
    key: &Ed25519PublicKey,
) -> Result<(), SignedJsonError> {
    let signed = signed_part(object)?;
    let signature = object.get("signatures").and_then(|signatures| {
        signatures.get(user_id)?.get(key_id(key_name)).and_then(Value::as_str)
    });
    let signature = signature.ok_or(SignedJsonError::MissingSignature)?;
    let signature =
        Ed25519Signature::from_base64(signature).map_err(|_| SignedJsonError::Signature)?;
    key.verify(signed.as_bytes(), &signature).map_err(|_| SignedJsonError::Signature)
}

/// What a signature over an object covers: its canonical form without `signatures` and `unsigned`.
///
/// # Errors
///
/// [`SignedJsonError::Malformed`] if the value is not an object; [`SignedJsonError::Canonical`].
pub fn signed_part(object: &Value) -> Result<String, SignedJsonError> {
    let members = object.as_object().ok_or(SignedJsonError::Malformed("object"))?;
    Ok(canonical_json::without(members, &["signatures", "unsigned"])?)
}

pub(super) fn key_id(key_name: &str) -> String {
    format!("ed25519:{key_name}")
}

/// The text that is a member of an object.
pub(super) fn text<'a>(object: &'a Value, name: &'static str) -> Result<&'a str, SignedJsonError> {
    object.get(name).and_then(Value::as_str).ok_or(SignedJsonError::Malformed(name))
}

/// Checks that a member says what the caller expects.
pub(super) fn expect(
    object: &Value,
    name: &'static str,
    expected: &str,
) -> Result<String, SignedJsonError> {
    let found = text(object, name)?;
    if found == expected { Ok(found.to_string()) } else { Err(SignedJsonError::Mismatch(name)) }
}

/// An object cannot be signed, or its signature is missing or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedJsonError {
    /// The object, or this member of it, is missing or has the wrong type.
    Malformed(&'static str),
    /// This member differs from what the caller expects: the object belongs to somebody else.
    Mismatch(&'static str),
    /// The object has a member that belongs to another kind of object, or that its kind is not
    /// known to have. A signature would cover it, too.
    UnexpectedMember,
    /// The object has no canonical form.
    Canonical(CanonicalJsonError),
    /// The object holds an invalid key.
    Key(KeyError),
    /// The key did not sign the object.
    MissingSignature,
    /// The signature does not verify.
    Signature,
    /// A one-time key is the identity key of its device, so it is not single-use.
    OneTimeKeyIsIdentityKey,
    /// A user-signing key signs other users, not its own.
    OwnUser,
}

texts!(SignedJsonError {
    Self::Malformed(name) => "the member {name} of a signed object is missing or malformed";
    Self::Mismatch(name) => "the signed object has an unexpected value for {name}";
    Self::UnexpectedMember => "a signed object has a member that its kind does not have";
    Self::Canonical(_) => "the object cannot be signed";
    Self::Key(_) => "a signed object holds a bad key";
    Self::MissingSignature => "the key did not sign the object";
    Self::Signature => "the signature of the object does not verify";
    Self::OneTimeKeyIsIdentityKey => "the one-time key is the identity key";
    Self::OwnUser => "a user-signing key does not sign its own user";
} caused by Canonical, Key);

impl From<CanonicalJsonError> for SignedJsonError {
    fn from(error: CanonicalJsonError) -> Self {
        Self::Canonical(error)
    }
}

impl From<KeyError> for SignedJsonError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}
