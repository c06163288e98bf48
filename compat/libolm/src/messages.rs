//! Received Olm messages: libolm's base64 and order of errors, moceril's strict parser.

use moceril::{
    DecodeError,
    olm::{Message, PreKeyMessage},
};

use crate::{
    base64,
    error::{Code, Result},
    memory::{Input, Memory},
};

/// `OLM_MESSAGE_TYPE_MESSAGE`. Every other type is taken for a pre-key message.
pub(crate) const NORMAL: usize = 1;

const VERSION: u8 = 3;
const MAC_LENGTH: usize = 8;
/// Tag and length of the identity key in a pre-key message.
const IDENTITY_KEY: [u8; 2] = [0x1a, 32];

/// The bytes of a message.
pub(crate) fn decode(memory: &Memory, message: Input) -> Result<Vec<u8>> {
    base64::decode(memory.bytes(message)?)
}

/// Whether the bytes are too few for the trailer of a message, or of another version.
pub(crate) fn is_of_other_version(bytes: &[u8], trailer_length: usize) -> bool {
    bytes.len() <= trailer_length || bytes.first() != Some(&VERSION)
}

/// Parses a normal message.
pub(crate) fn normal(bytes: &[u8]) -> Result<Message> {
    if is_of_other_version(bytes, MAC_LENGTH) {
        return Err(Code::BadMessageVersion);
    }
    Message::from_bytes(bytes).map_err(received)
}

/// Parses a pre-key message. One that does not name its sender counts as sent by `identity_key`.
pub(crate) fn pre_key(
    bytes: &[u8],
    identity_key: Option<&[u8; 32]>,
) -> std::result::Result<PreKeyMessage, DecodeError> {
    match (PreKeyMessage::from_bytes(bytes), identity_key, bytes.split_first()) {
        (Err(DecodeError::Format), Some(identity_key), Some((version, fields))) => {
            let named = [&[*version], &IDENTITY_KEY[..], identity_key, fields].concat();
            PreKeyMessage::from_bytes(&named)
        }
        (parsed, ..) => parsed,
    }
}

/// The error for a message that is to be decrypted. An unacceptable key is one that no MAC can have been
/// made with.
pub(crate) fn received(error: DecodeError) -> Code {
    match error {
        DecodeError::Version(_) => Code::BadMessageVersion,
        DecodeError::Key(_) => Code::BadMessageMac,
        _ => Code::BadMessageFormat,
    }
}

/// How long the plaintext of a message may be, whatever the versions within.
///
/// What is wrong besides the fields is for the decryption to say, so this gives an upper bound then.
pub(crate) fn max_plaintext_length(message_type: usize, mut bytes: Vec<u8>) -> Result<usize> {
    if message_type == NORMAL && bytes.len() <= MAC_LENGTH {
        return Err(Code::BadMessageFormat);
    }
    if let Some(version) = bytes.first_mut() {
        *version = VERSION;
    }
    let ciphertext_length = |message: &Message| message.ciphertext().len();
    let length = if message_type == NORMAL {
        Message::from_bytes(&bytes).map(|message| ciphertext_length(&message))
    } else {
        // Whose message it is does not matter here: the base point stands for any key.
        let anybody = std::array::from_fn(|place| if place == 0 { 9 } else { 0 });
        pre_key(&bytes, Some(&anybody)).map(|message| ciphertext_length(message.message()))
    };
    match length {
        Err(DecodeError::Version(_) | DecodeError::Key(_)) => Ok(bytes.len()),
        length => length.map_err(|_| Code::BadMessageFormat),
    }
}
