//! `OlmPkDecryption`: a private key.

use moceril::{
    Curve25519PublicKey, LibolmPickleError,
    backup::{BackupDecryptionKey, BackupMessage},
};
use zeroize::Zeroizing;

use super::{KEY, MAC_LENGTH};
use crate::{
    base64::{self, BLANK_KEY, KEY_LENGTH, decoded_length},
    error::{Code, FAILED},
    memory::{Input, Kind, Object, Output},
    object::{Stored, call, load, load_or_blank, size_with, store},
    pickle::{self, Pickled},
};

const VERSION: u32 = 1;
/// Version, public and private key.
const CONTENT: usize = 4 + KEY + KEY;

impl Kind for BackupDecryptionKey {
    const SIZE: usize = size_with(CONTENT);
}

impl Stored for BackupDecryptionKey {
    const BLANK: Code = Code::BadAccountKey;

    fn read(content: &[u8]) -> Option<Self> {
        content.last_chunk().copied().map(Self::from_bytes)
    }

    fn write(&self, content: &mut [u8]) -> Option<usize> {
        let (version, rest) = content.split_first_chunk_mut()?;
        let (public, rest) = rest.split_first_chunk_mut()?;
        *version = VERSION.to_be_bytes();
        *public = *self.public_key().as_bytes();
        *rest.first_chunk_mut()? = *Zeroizing::new(self.to_bytes());
        Some(CONTENT)
    }
}

impl Pickled for BackupDecryptionKey {
    const BLANKS: &'static [(u32, usize)] = &[(VERSION, CONTENT)];

    fn unpickle(content: &[u8]) -> std::result::Result<(Self, &[u8]), LibolmPickleError> {
        let invalid = LibolmPickleError::InvalidState;
        let (version, rest) = content.split_first_chunk().ok_or(invalid)?;
        match u32::from_be_bytes(*version) {
            VERSION => {}
            other => return Err(LibolmPickleError::Version(other)),
        }
        let (public, rest) = rest.split_first_chunk::<KEY>().ok_or(invalid)?;
        let (private, rest) = rest.split_first_chunk().ok_or(invalid)?;
        let key = Self::from_bytes(*private);
        if key.public_key().as_bytes() == public { Ok((key, rest)) } else { Err(invalid) }
    }
}

/// `olm_pk_private_key_length`, and `olm_pk_generate_key_random_length`.
pub(crate) fn private_key_length() -> usize {
    KEY
}

/// `olm_pk_key_from_private`, and `olm_pk_generate_key`: returns 0, and writes the public key.
pub(crate) fn from_private(
    decryption: Object<BackupDecryptionKey>,
    public_key: Output,
    private_key: Input,
) -> usize {
    call(decryption, |memory| {
        let room = memory.room(public_key, KEY_LENGTH)?;
        let private = memory.bytes(private_key)?.first_chunk().copied();
        let key = BackupDecryptionKey::from_bytes(private.ok_or(Code::InputBufferTooSmall)?);
        store(memory, decryption, &key)?;
        memory.write(room, key.public_key().to_base64().as_bytes());
        Ok(0)
    })
}

/// `olm_pk_get_private_key`: the 32 bytes as they were given.
pub(crate) fn private_key(decryption: Object<BackupDecryptionKey>, private_key: Output) -> usize {
    call(decryption, |memory| {
        let room = memory.room(private_key, KEY)?;
        let key = Zeroizing::new(load(memory, decryption)?.to_bytes());
        Ok(memory.write(room, &key[..]))
    })
}

/// `olm_pk_max_plaintext_length`: `olm_error()` for a length that no base64 has.
pub(crate) fn max_plaintext_length(
    _: Object<BackupDecryptionKey>,
    ciphertext_length: usize,
) -> usize {
    decoded_length(ciphertext_length).unwrap_or(FAILED)
}

/// `olm_pk_decrypt`: returns the length of the plaintext, **which nothing authenticates**.
pub(crate) fn decrypt(
    decryption: Object<BackupDecryptionKey>,
    ephemeral_key: Input,
    mac: Input,
    ciphertext: Input,
    plaintext: Output,
) -> usize {
    call(decryption, |memory| {
        let needed = max_plaintext_length(decryption, ciphertext.length);
        let room = memory.room(plaintext, needed)?;
        let key = base64::decode_key(memory.bytes(ephemeral_key)?)?;
        if mac.length != MAC_LENGTH {
            return Err(Code::InvalidBase64);
        }
        let mac = base64::first_chunk(&base64::decode(memory.bytes(mac)?)?)?;
        let ciphertext = base64::decode(base64::without_padding(memory.bytes(ciphertext)?))?;
        let ephemeral_key =
            Curve25519PublicKey::from_bytes(key).map_err(|_| Code::BadMessageMac)?;
        let decrypted = load_or_blank(memory, decryption)?
            .ok_or(Code::BadMessageMac)?
            .decrypt_unauthenticated(&BackupMessage { ciphertext, mac, ephemeral_key })
            .map_err(|_| Code::BadMessageMac)?;
        Ok(memory.write(room, &decrypted))
    })
}

/// `olm_unpickle_pk_decryption`: returns the length it was given. Writes the public key, unless the
/// pointer is null.
pub(crate) fn unpickle(
    decryption: Object<BackupDecryptionKey>,
    key: Input,
    pickled: Input,
    public_key: Output,
) -> usize {
    call(decryption, |memory| {
        let room =
            if public_key.is_null() { None } else { Some(memory.room(public_key, KEY_LENGTH)?) };
        let state = pickle::read_into(memory, decryption, key, pickled)?;
        if let Some(room) = room {
            let key = state.map(|key| key.public_key().to_base64());
            memory.write(room, key.as_deref().unwrap_or(BLANK_KEY).as_bytes());
        }
        Ok(pickled.length)
    })
}
