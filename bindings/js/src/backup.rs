//! Key backup, which does not authenticate what it encrypts, and recovery keys.

use js_sys::{Array, JsString, Object, Uint8Array};
use moceril::{
    Curve25519PublicKey,
    backup::{self, BackupEncryptionKey, BackupMessage},
    backup_file::{self, BackedUpKey, BackupFileError, BackupReader},
    room_keys::ExportedRoomKey,
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    room_keys::exported,
    values::{Result, bytes, each, object, string, strings, text},
};

#[wasm_bindgen]
pub struct BackupDecryptionKey(backup::BackupDecryptionKey);

#[wasm_bindgen]
impl BackupDecryptionKey {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Self> {
        Ok(Self(backup::BackupDecryptionKey::new()?))
    }

    #[wasm_bindgen(js_name = fromRecoveryKey)]
    pub fn from_recovery_key(key: &JsString) -> Result<Self> {
        Ok(Self(backup::BackupDecryptionKey::from_recovery_key(&text(key))?))
    }

    #[wasm_bindgen(js_name = toRecoveryKey)]
    pub fn to_recovery_key(&self) -> JsString {
        string(self.0.to_recovery_key())
    }

    #[wasm_bindgen(js_name = fromBase64)]
    pub fn from_base64(key: &JsString) -> Result<Self> {
        Ok(Self(backup::BackupDecryptionKey::from_base64(&text(key))?))
    }

    #[wasm_bindgen(js_name = toBase64)]
    pub fn to_base64(&self) -> JsString {
        string(self.0.to_base64())
    }

    #[wasm_bindgen(js_name = publicKey)]
    pub fn public_key(&self) -> String {
        self.0.public_key().to_base64()
    }

    #[wasm_bindgen(js_name = decryptUnauthenticated)]
    pub fn decrypt_unauthenticated(
        &self,
        ciphertext: &str,
        mac: &str,
        ephemeral: &str,
    ) -> Result<Uint8Array> {
        let message = BackupMessage::from_base64(ciphertext, mac, ephemeral)?;
        Ok(Uint8Array::from(&*self.0.decrypt_unauthenticated(&message)?))
    }

    /// The keys of a whole backup, one result for each.
    #[wasm_bindgen(js_name = decryptBackup)]
    pub fn decrypt_backup(&self, json: &str) -> Result<Array> {
        let one = |entry: std::result::Result<_, BackupFileError>| {
            let entry: BackedUpKey = entry?;
            Ok(exported(&entry.decrypt(&self.0)?))
        };
        Ok(each(BackupReader::new(json)?.map(one)))
    }
}

/// The text of a whole backup, which is also the body of a request to `/room_keys/keys`.
#[wasm_bindgen(js_name = encryptBackup)]
pub fn encrypt_backup(public_key: &str, entries: &Array) -> Result<String> {
    let key = BackupEncryptionKey::from_trusted_key(Curve25519PublicKey::from_base64(public_key)?);
    let one = |entry: JsString| -> Result<BackedUpKey> {
        Ok(BackedUpKey::encrypt(&ExportedRoomKey::from_json(&text(&entry))?, &key)?)
    };
    let keys: Vec<_> = strings(entries).map(one).collect::<Result<_>>()?;
    Ok(backup_file::write(&keys))
}

#[wasm_bindgen(js_name = encryptForBackup)]
pub fn encrypt_for_backup(public_key: &str, plaintext: &Uint8Array) -> Result<Object> {
    let key = BackupEncryptionKey::from_trusted_key(Curve25519PublicKey::from_base64(public_key)?);
    let message = key.encrypt(&*bytes(plaintext))?.to_base64();
    Ok(object([
        ("ciphertext", JsValue::from(message.ciphertext)),
        ("mac", message.mac.into()),
        ("ephemeral", message.ephemeral_key.into()),
    ]))
}
