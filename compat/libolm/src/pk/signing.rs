//! `OlmPkSigning`: an Ed25519 seed.

use moceril::Ed25519SecretKey;
use zeroize::Zeroizing;

use super::KEY;
use crate::{
    base64::{KEY_LENGTH, SIGNATURE_LENGTH},
    error::Code,
    memory::{Input, Kind, Object, Output},
    object::{Stored, call, load, size_with, store},
};

pub(crate) struct Seed(Zeroizing<[u8; KEY]>);

impl Seed {
    fn key(&self) -> Ed25519SecretKey {
        Ed25519SecretKey::from_bytes(*self.0)
    }
}

impl Kind for Seed {
    const SIZE: usize = size_with(KEY);
}

impl Stored for Seed {
    const BLANK: Code = Code::BadAccountKey;

    fn read(content: &[u8]) -> Option<Self> {
        content.try_into().ok().map(Zeroizing::new).map(Self)
    }

    fn write(&self, content: &mut [u8]) -> Option<usize> {
        *content.first_chunk_mut()? = *self.0;
        Some(KEY)
    }
}

/// `olm_pk_signing_seed_length`
pub(crate) fn seed_length() -> usize {
    KEY
}

/// `olm_pk_signing_public_key_length`
pub(crate) fn public_key_length() -> usize {
    KEY_LENGTH
}

/// `olm_pk_signing_key_from_seed`: returns 0, and writes the public key.
pub(crate) fn from_seed(signing: Object<Seed>, public_key: Output, seed: Input) -> usize {
    call(signing, |memory| {
        let room = memory.room(public_key, KEY_LENGTH)?;
        let seed = memory.bytes(seed)?.first_chunk().copied();
        let seed = Seed(Zeroizing::new(seed.ok_or(Code::InputBufferTooSmall)?));
        store(memory, signing, &seed)?;
        memory.write(room, seed.key().public_key().to_base64().as_bytes());
        Ok(0)
    })
}

/// `olm_pk_signature_length`
pub(crate) fn signature_length() -> usize {
    SIGNATURE_LENGTH
}

/// `olm_pk_sign`
pub(crate) fn sign(signing: Object<Seed>, message: Input, signature: Output) -> usize {
    call(signing, |memory| {
        let room = memory.room(signature, SIGNATURE_LENGTH)?;
        let message = memory.bytes(message)?;
        let signature = load(memory, signing)?.key().sign(message).to_base64();
        Ok(memory.write(room, signature.as_bytes()))
    })
}
