//! The errors of the root module.

use thiserror::Error;

use crate::{
    Base64DecodeError, ProtoBufDecodeError, cipher,
    types::{KeyError, SignatureError},
};

/// A pickle could not be read.
#[derive(Debug, Error)]
pub enum PickleError {
    /// The text is not base64.
    #[error("the pickle is not valid base64: {0}")]
    Base64(#[from] Base64DecodeError),
    /// Wrong key, or the pickle was altered or cut off.
    #[error("the pickle does not decrypt: {0}")]
    Decryption(#[from] cipher::DecryptionError),
    /// The content is not a pickle of this type, or not a possible state of the object.
    #[error("the pickle's content is not acceptable: {0}")]
    Serialization(#[from] serde_json::Error),
}

/// A pickle in libolm's format could not be read or written.
#[derive(Debug, Error)]
pub enum LibolmPickleError {
    /// The content is too short to have a version.
    #[error("the pickle has no version")]
    MissingVersion,
    /// The pickle has another version than the one that is known.
    // matrix-nio looks for the words "unsupported version".
    #[error("unsupported version {1} of a pickle, expected {0}")]
    Version(u32, u32),
    /// The text is not base64.
    #[error("the pickle is not valid base64: {0}")]
    Base64(#[from] Base64DecodeError),
    /// Wrong key, or the pickle was altered or cut off.
    #[error("the pickle does not decrypt: {0}")]
    Decryption(#[from] cipher::DecryptionError),
    /// The content holds an unacceptable key.
    #[error("the pickle holds a bad key: {0}")]
    PublicKey(#[from] KeyError),
    /// The content is not a possible state of an Olm session.
    #[error("the pickle does not hold a possible Olm session")]
    InvalidSession,
    /// The content is not a possible state of the object.
    #[error(transparent)]
    Decode(#[from] matrix_pickle::DecodeError),
    /// The format has no form for this object.
    #[error(transparent)]
    Encode(#[from] matrix_pickle::EncodeError),
}

/// A dehydrated device could not be made or taken over.
#[derive(Debug, Error)]
pub enum DehydratedDeviceError {
    /// The content is too short to have a version.
    #[error("the dehydrated device has no version")]
    MissingVersion,
    /// The device has another version than the one that is known.
    #[error("unknown version {1} of a dehydrated device, expected {0}")]
    Version(u32, u32),
    /// The nonce does not have 12 bytes.
    #[error("the nonce does not have 12 bytes")]
    InvalidNonce,
    /// The ciphertext or the nonce is not base64.
    #[error("the dehydrated device is not valid base64: {0}")]
    Base64(#[from] Base64DecodeError),
    /// Wrong key, or the device was altered or cut off.
    #[error("the dehydrated device does not decrypt: {0}")]
    Decryption(#[from] aead::Error),
    /// The content is not a possible state of an account.
    #[error(transparent)]
    LibolmPickle(#[from] LibolmPickleError),
    /// The format has no form for this account, whose Ed25519 seed is not known: it came from
    /// libolm.
    #[error("the account's Ed25519 seed is not known")]
    InvalidAccount,
}

/// The bytes or text are not a message of the expected kind.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// The message type is neither 0 nor 1.
    #[error("unknown Olm message type {0}")]
    MessageType(usize),
    /// There is not a single byte.
    #[error("the message has no version")]
    MissingVersion,
    /// The message has too few bytes for its fixed parts.
    #[error("the message has only {0} bytes")]
    MessageTooShort(usize),
    /// The message has an unknown version.
    #[error("unknown message version {1}, expected {0}")]
    InvalidVersion(u8, u8),
    /// A field holds an unacceptable key.
    #[error("the message holds a bad key: {0}")]
    InvalidKey(#[from] KeyError),
    /// The MAC has the wrong length.
    #[error("the MAC has {1} bytes, expected {0}")]
    InvalidMacLength(usize, usize),
    /// The signature is malformed.
    #[error("the message holds a bad signature: {0}")]
    Signature(#[from] SignatureError),
    /// A field is missing, repeated, of the wrong type, length or range.
    #[error(transparent)]
    ProtoBufError(#[from] ProtoBufDecodeError),
    /// The text is not base64.
    #[error("the message is not valid base64: {0}")]
    Base64(#[from] Base64DecodeError),
}
