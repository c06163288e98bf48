//! What a server says about a backup as a whole.

use alloc::string::{String, ToString};

use serde_json::{Value, json};

use super::BackupFileError;
use crate::{
    keys::{Curve25519PublicKey, Ed25519PublicKey},
    matrix::{
        backup::{BackupDecryptionKey, BackupEncryptionKey},
        signed_json::{self, SignedJsonError, Signer, expect_kind, text},
    },
};

/// The only algorithm of backups.
const ALGORITHM: &str = "m.megolm_backup.v1.curve25519-aes-sha2";

/// What a server says about a backup.
///
/// Before room keys are encrypted to its key, the key must be known to be the user's: the user has
/// its private half ([`is_of`](Self::is_of)), or a key of the user that is trusted has signed it
/// ([`verify`](Self::verify)).
///
/// ```
/// use moceril::{backup::BackupDecryptionKey, backup_file::BackupVersion};
/// # use moceril::cross_signing::CrossSigningKeys;
/// # let master = CrossSigningKeys::new("@alice:example.org")?.master;
/// # let key = BackupDecryptionKey::new()?;
/// # let mut version = BackupVersion::new(key.public_key());
/// # version.sign("@me:example.org", &master.public_key().to_base64(), &master)?;
/// # let (json, master) = (version.to_json().to_string(), master.public_key());
///
/// let version = BackupVersion::from_json(&json)?;
/// assert!(version.is_of(&key));
/// let public = version.verify("@me:example.org", &master.to_base64(), &master)?;
/// let message = public.encrypt("a room key")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupVersion {
    /// The key to which the room keys are encrypted. It is only the server's claim until
    /// `auth_data` is verified, or the key is found to be that of the user's private key.
    pub public_key: Curve25519PublicKey,
    /// The object that has the public key and its signatures.
    pub auth_data: Value,
    /// The version number that the server has given to the backup.
    pub version: Option<String>,
    /// How many keys the backup has, according to the server.
    pub count: Option<u64>,
}

impl BackupVersion {
    /// Makes a backup that no server has yet, without a signature.
    #[must_use]
    pub fn new(public_key: Curve25519PublicKey) -> Self {
        let auth_data = json!({ "public_key": public_key.to_base64(), "signatures": {} });
        Self { public_key, auth_data, version: None, count: None }
    }

    /// Adds a signature of the user. `key_name` is the public key of the master key, or the id of
    /// the device that signs. Clients trust a backup only if one of these has signed it, or if they
    /// got its key from elsewhere. Spec: "Server-side key backups", "Recovering keys".
    ///
    /// The signature covers all members of `auth_data`, including those that only the server has
    /// made (S-17).
    ///
    /// # Errors
    ///
    /// [`SignedJsonError::Mismatch`] if the key in `auth_data` is not [`public_key`];
    /// [`SignedJsonError::UnexpectedMember`] if `auth_data` has a member of an object of another
    /// kind; [`SignedJsonError::Malformed`], [`SignedJsonError::Key`],
    /// [`SignedJsonError::Canonical`].
    ///
    /// [`public_key`]: Self::public_key
    pub fn sign<S: Signer + ?Sized>(
        &mut self,
        user_id: &str,
        key_name: &str,
        signer: &S,
    ) -> Result<(), SignedJsonError> {
        if self.signed_key()? != self.public_key {
            return Err(SignedJsonError::Mismatch("public_key"));
        }
        signed_json::sign(&mut self.auth_data, user_id, key_name, signer)
    }

    /// Verifies that a key of the user has signed the backup. `key_name` is the public key of the
    /// master key, or the id of the device. The caller must know that the key is the user's.
    ///
    /// # Errors
    ///
    /// [`SignedJsonError::MissingSignature`] if the key did not sign,
    /// [`SignedJsonError::Signature`] if the signature is wrong;
    /// [`SignedJsonError::UnexpectedMember`] if `auth_data` has a member of an object of another
    /// kind (S-17); [`SignedJsonError::Malformed`],
    /// [`SignedJsonError::Key`], [`SignedJsonError::Canonical`].
    pub fn verify(
        &self,
        user_id: &str,
        key_name: &str,
        key: &Ed25519PublicKey,
    ) -> Result<BackupEncryptionKey, SignedJsonError> {
        let signed_key = self.signed_key()?;
        signed_json::verify(&self.auth_data, user_id, key_name, key)?;
        Ok(BackupEncryptionKey::from_trusted_key(signed_key))
    }

    /// Whether this is the private key of the backup.
    #[must_use]
    pub fn is_of(&self, key: &BackupDecryptionKey) -> bool {
        self.public_key == key.public_key()
    }

    /// The key in `auth_data`, which must not be an object of another kind.
    fn signed_key(&self) -> Result<Curve25519PublicKey, SignedJsonError> {
        let key = Curve25519PublicKey::from_base64(text(&self.auth_data, "public_key")?)?;
        expect_kind(&self.auth_data, &["public_key"])?;
        Ok(key)
    }

    /// The body of `POST /room_keys/version`, which makes the backup on the server.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "algorithm": ALGORITHM, "auth_data": self.auth_data })
    }

    /// Reads the server's answer.
    ///
    /// # Errors
    ///
    /// [`BackupFileError::Algorithm`], [`BackupFileError::Malformed`], [`BackupFileError::Key`].
    pub fn from_json(json: &str) -> Result<Self, BackupFileError> {
        let malformed = BackupFileError::Malformed;
        let object: Value = serde_json::from_str(json).map_err(|_| malformed("object"))?;
        let algorithm = object.get("algorithm").and_then(Value::as_str);
        if algorithm.ok_or(malformed("algorithm"))? != ALGORITHM {
            return Err(BackupFileError::Algorithm);
        }
        let auth_data = object.get("auth_data").ok_or(malformed("auth_data"))?;
        let public_key = auth_data.get("public_key").and_then(Value::as_str);
        let public_key = public_key.ok_or(malformed("public_key"))?;
        Ok(Self {
            public_key: Curve25519PublicKey::from_base64(public_key)?,
            auth_data: auth_data.clone(),
            version: object.get("version").and_then(Value::as_str).map(ToString::to_string),
            count: object.get("count").and_then(Value::as_u64),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::keys::Ed25519SecretKey;

    #[test]
    fn a_new_version_is_signed_and_read() {
        let public_key = BackupDecryptionKey::from_bytes([1; 32]).public_key();
        let master = Ed25519SecretKey::from_bytes([2; 32]);
        let name = master.public_key().to_base64();
        let mut version = BackupVersion::new(public_key);
        version.sign("@me:a", &name, &master).unwrap();
        let json = version.to_json();
        let read = BackupVersion::from_json(&json.to_string()).unwrap();
        assert_eq!(read, version);
        let verify = |version: &BackupVersion| version.verify("@me:a", &name, &master.public_key());
        assert_eq!(verify(&read).map(|key| key.public_key()), Ok(public_key));
        let [own, other] = [1, 2].map(|byte| BackupDecryptionKey::from_bytes([byte; 32]));
        assert!(read.is_of(&own) && !read.is_of(&other));
        // The key is that which was signed, whatever the field says.
        let mut altered = read;
        altered.public_key = other.public_key();
        assert_eq!(verify(&altered).map(|key| key.public_key()), Ok(public_key));
        altered.auth_data["public_key"] = json!(other.public_key().to_base64());
        assert_eq!(verify(&altered), Err(SignedJsonError::Signature));
        altered.auth_data["signatures"] = json!({});
        assert_eq!(verify(&altered), Err(SignedJsonError::MissingSignature));
    }

    #[test]
    fn a_version_has_the_key_of_the_known_algorithm() {
        let public_key = BackupDecryptionKey::from_bytes([1; 32]).public_key();
        let version = |algorithm: &str, key: &str| {
            let auth_data = json!({ "public_key": key, "signatures": {} });
            let count = 3;
            let version = json!({
                "algorithm": algorithm,
                "auth_data": auth_data,
                "count": count,
                "version": "1",
            });
            BackupVersion::from_json(&version.to_string())
        };
        let read = version(ALGORITHM, &public_key.to_base64()).unwrap();
        assert_eq!((read.public_key, read.count), (public_key, Some(3)));
        assert_eq!(read.version.as_deref(), Some("1"));
        let refusal = version("m.other", &public_key.to_base64()).unwrap_err();
        assert_eq!(refusal, BackupFileError::Algorithm);
        let refusal = version(ALGORITHM, "AAAA").unwrap_err();
        assert!(matches!(refusal, BackupFileError::Key(_)), "{refusal}");
        let refusal = BackupVersion::from_json("{}").unwrap_err();
        assert_eq!(refusal, BackupFileError::Malformed("algorithm"));
    }
}
