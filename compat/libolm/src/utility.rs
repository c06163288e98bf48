//! `OlmUtility`: only an error.

use moceril::{Ed25519PublicKey, Ed25519Signature};
use sha2::{Digest, Sha256};

use crate::{
    base64::{self, KEY_LENGTH},
    error::Code,
    memory::{Input, Kind, Object, Output},
    object::{call, size_with},
};

pub(crate) struct Utility;

impl Kind for Utility {
    const SIZE: usize = size_with(0);
}

/// `olm_sha256_length`
pub(crate) fn sha256_length(_: Object<Utility>) -> usize {
    KEY_LENGTH
}

/// `olm_sha256`
pub(crate) fn sha256(utility: Object<Utility>, input: Input, output: Output) -> usize {
    call(utility, |memory| {
        let room = memory.room(output, KEY_LENGTH)?;
        let hash = base64::encode(&Sha256::digest(memory.bytes(input)?));
        Ok(memory.write(room, hash.as_bytes()))
    })
}

/// `olm_ed25519_verify`: 0 if the signature holds. What follows its first 64 bytes does not count.
pub(crate) fn ed25519_verify(
    utility: Object<Utility>,
    key: Input,
    message: Input,
    signature: Input,
) -> usize {
    call(utility, |memory| {
        let key = base64::decode_key(memory.bytes(key)?)?;
        let signature = base64::decode(memory.bytes(signature)?)?;
        let signature = signature.first_chunk().copied().ok_or(Code::BadMessageMac)?;
        let message = memory.bytes(message)?;
        let key = Ed25519PublicKey::from_bytes(key).map_err(|_| Code::BadMessageMac)?;
        key.verify(message, &Ed25519Signature::from_bytes(signature))
            .map_err(|_| Code::BadMessageMac)?;
        Ok(0)
    })
}
