//! `OlmPkEncryption`: a recipient's public key.

use moceril::{Curve25519PublicKey, backup::BackupEncryptionKey};

use super::{KEY, MAC_LENGTH};
use crate::{
    base64::{self, KEY_LENGTH, encoded_length},
    error::Code,
    memory::{Input, Kind, Object, Output},
    object::{Stored, call, load, size_with, store},
    random::Random,
};

/// Length of the MAC in bytes, which is what `olm_pk_encrypt` returns.
const RAW_MAC_LENGTH: usize = 8;

impl Kind for BackupEncryptionKey {
    const SIZE: usize = size_with(KEY);
}

impl Stored for BackupEncryptionKey {
    const BLANK: Code = Code::BadAccountKey;

    fn read(content: &[u8]) -> Option<Self> {
        Curve25519PublicKey::from_slice(content).ok().map(Self::from_trusted_key)
    }

    fn write(&self, content: &mut [u8]) -> Option<usize> {
        *content.first_chunk_mut()? = *self.public_key().as_bytes();
        Some(KEY)
    }
}

/// `olm_pk_encryption_set_recipient_key`: 43 characters, behind which others may stand that are no
/// digits, such as `=`, NUL or a line end.
///
/// Of a longer text with more digits, such as a key that was encoded twice, the first 43 characters
/// are another key, and nobody could read what is encrypted to it (S-44).
pub(crate) fn set_recipient_key(encryption: Object<BackupEncryptionKey>, key: Input) -> usize {
    call(encryption, |memory| {
        let text = memory.bytes(key)?;
        let (key, end) = text.split_at_checked(KEY_LENGTH).ok_or(Code::InputBufferTooSmall)?;
        if end.iter().any(|character| base64::is_digit(*character)) {
            return Err(Code::InvalidBase64);
        }
        let key = base64::decode_key(key)?;
        let key = Curve25519PublicKey::from_bytes(key).map_err(|_| Code::BadAccountKey)?;
        store(memory, encryption, &BackupEncryptionKey::from_trusted_key(key))?;
        Ok(0)
    })
}

/// `olm_pk_ciphertext_length`
pub(crate) fn ciphertext_length(_: Object<BackupEncryptionKey>, plaintext_length: usize) -> usize {
    encoded_length((plaintext_length / 16).saturating_add(1).saturating_mul(16))
}

/// `olm_pk_mac_length`
pub(crate) fn mac_length(_: Object<BackupEncryptionKey>) -> usize {
    MAC_LENGTH
}

/// `olm_pk_encrypt_random_length`
pub(crate) fn random_length(_: Object<BackupEncryptionKey>) -> usize {
    KEY
}

/// `olm_pk_encrypt`: the random bytes are the ephemeral private key; they are left alone.
pub(crate) fn encrypt(
    encryption: Object<BackupEncryptionKey>,
    plaintext: Input,
    ciphertext: Output,
    mac: Output,
    ephemeral_key: Output,
    random: Input,
) -> usize {
    call(encryption, |memory| {
        let needed = ciphertext_length(encryption, plaintext.length);
        let rooms = [
            memory.room(ciphertext, needed)?,
            memory.room(mac, MAC_LENGTH)?,
            memory.room(ephemeral_key, KEY_LENGTH)?,
        ];
        let random = memory.random(random)?;
        let random = random.get(..KEY).ok_or(Code::NotEnoughRandom)?;
        let plaintext = memory.bytes(plaintext)?;
        let message = load(memory, encryption)?
            .encrypt_with_rng(plaintext, &mut Random(random))
            .map_err(|_| Code::BadAccountKey)?
            .to_base64();
        for (room, text) in
            rooms.into_iter().zip([message.ciphertext, message.mac, message.ephemeral_key])
        {
            memory.write(room, text.as_bytes());
        }
        Ok(RAW_MAC_LENGTH)
    })
}
