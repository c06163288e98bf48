//! What a server says about a backup as a whole.

use alloc::string::{String, ToString};

use serde_json::{Value, json};

use super::BackupFileError;
use crate::{
    keys::Curve25519PublicKey,
    matrix::signed_json::{self, SignedJsonError, Signer, expect_kind, text},
};

/// The only algorithm of backups.
const ALGORITHM: &str = "m.megolm_backup.v1.curve25519-aes-sha2";

/// What a server says about a backup. Its signatures are in `auth_data`, an object for
/// [`signed_json`](crate::signed_json).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupVersion {
    /// The key to which the room keys are encrypted.
    pub public_key: Curve25519PublicKey,
    /// The object that has the public key, and signatures of it.
    pub auth_data: Value,
    /// The number that the server has given to the backup.
    pub version: Option<String>,
    /// How many keys the server says that it has.
    pub count: Option<u64>,
}

impl BackupVersion {
    /// A backup that no server has yet, without a signature.
    #[must_use]
    pub fn new(public_key: Curve25519PublicKey) -> Self {
        let auth_data = json!({ "public_key": public_key.to_base64(), "signatures": {} });
        Self { public_key, auth_data, version: None, count: None }
    }

    /// Adds a signature of the user. `key_name` is the public key of the master key, or the id of
    /// the device that signs. Clients trust a backup only if one of these has signed it, or if they
    /// have its key from elsewhere. Spec: "Server-side key backups", "Recovering keys".
    ///
    /// The signature covers all members of `auth_data`, also those that only the server has made
    /// (S-17).
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

    /// The key in `auth_data`, which is an object of no other kind.
    fn signed_key(&self) -> Result<Curve25519PublicKey, SignedJsonError> {
        let key = Curve25519PublicKey::from_base64(text(&self.auth_data, "public_key")?)?;
        expect_kind(&self.auth_data, &["public_key"])?;
        Ok(key)
    }

    /// The body of `POST /room_keys/version`, with which a server makes the backup.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "algorithm": ALGORITHM, "auth_data": self.auth_data })
    }

    /// Reads the answer of the server.
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
    use crate::{keys::Ed25519SecretKey, matrix::backup::BackupDecryptionKey};

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
        let verify =
            |object: &Value| signed_json::verify(object, "@me:a", &name, &master.public_key());
        verify(&read.auth_data).unwrap();
        let mut other = read.auth_data;
        other["public_key"] = json!("other");
        assert_eq!(verify(&other), Err(SignedJsonError::Signature));
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
