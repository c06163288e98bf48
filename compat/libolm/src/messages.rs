//! Received messages: libolm's base64 and order of errors, moceril's strict parser.
//!
//! Programs count the NUL after a text, read a text with its line end, and pad base64. All of these
//! decode to bytes after the last field of a message (S-44):
//!
//! * Correct padding is removed before a text is decoded.
//! * In a pre-key message, no MAC covers the bytes after the outer fields. They are ignored where
//!   libolm ignores them. The inner message is covered by its MAC, and is parsed strictly.
//! * In a normal message and in a group message, the MAC or the signature covers the bytes after
//!   the fields, and these have moved it out of its place. Such a message fails like one with a
//!   wrong MAC.

use moceril::{
    DecodeError, Ed25519Signature,
    megolm::MegolmMessage,
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
/// MAC and signature.
const GROUP_TRAILER_LENGTH: usize = MAC_LENGTH + Ed25519Signature::LENGTH;
/// Tag and length of the identity key in a pre-key message.
const IDENTITY_KEY: [u8; 2] = [0x1a, 32];

/// The tags of the fields that a message has. A tag holds the field's number and, in its three
/// lowest bits, the type: 0 for a number, 2 for bytes.
const PRE_KEY_TAGS: &[u8] = &[0x0a, 0x12, 0x1a, 0x22];
const NORMAL_TAGS: &[u8] = &[0x0a, 0x10, 0x22];
const GROUP_TAGS: &[u8] = &[0x08, 0x12];

/// The bytes of a message.
pub(crate) fn decode(memory: &Memory, message: Input) -> Result<Vec<u8>> {
    base64::decode(base64::without_padding(memory.bytes(message)?))
}

/// A message that ends in a MAC, or in a MAC and a signature.
pub(crate) struct Received<M> {
    pub(crate) message: M,
    /// Whether bytes stood between the fields and the trailer. The trailer is then not the one that
    /// the sender wrote, and must not be accepted.
    pub(crate) has_rest: bool,
}

/// Parses a normal message.
pub(crate) fn normal(bytes: &[u8]) -> Result<Received<Message>> {
    with_trailer(bytes, NORMAL_TAGS, MAC_LENGTH, Message::from_bytes)
}

/// Parses a group message.
pub(crate) fn group(bytes: &[u8]) -> Result<Received<MegolmMessage>> {
    with_trailer(bytes, GROUP_TAGS, GROUP_TRAILER_LENGTH, MegolmMessage::from_bytes)
}

fn with_trailer<M>(
    bytes: &[u8],
    tags: &[u8],
    trailer_length: usize,
    parse: impl Fn(&[u8]) -> std::result::Result<M, DecodeError>,
) -> Result<Received<M>> {
    let fields_end = bytes.len().saturating_sub(trailer_length);
    let (fields, trailer) = bytes.split_at_checked(fields_end).unwrap_or_default();
    if fields.first() != Some(&VERSION) {
        return Err(Code::BadMessageVersion);
    }
    match parse(bytes) {
        Err(DecodeError::Format) => {
            let message = [without_rest(fields, tags), trailer].concat();
            let message = parse(&message).map_err(received)?;
            Ok(Received { message, has_rest: true })
        }
        parsed => Ok(Received { message: parsed.map_err(received)?, has_rest: false }),
    }
}

/// Parses a pre-key message. One that does not name its sender counts as sent by `identity_key`.
pub(crate) fn pre_key(
    bytes: &[u8],
    identity_key: Option<&[u8; 32]>,
) -> std::result::Result<PreKeyMessage, DecodeError> {
    let bytes = without_rest(bytes, PRE_KEY_TAGS);
    match (PreKeyMessage::from_bytes(bytes), identity_key, bytes.split_first()) {
        (Err(DecodeError::Format), Some(identity_key), Some((version, fields))) => {
            let named = [&[*version], &IDENTITY_KEY[..], identity_key, fields].concat();
            PreKeyMessage::from_bytes(&named)
        }
        (parsed, ..) => parsed,
    }
}

/// A version and fields, without what stands behind the last field that has one of the tags.
///
/// The fields are found as libolm finds them, so that what it takes for a field is never cut off: a
/// tag is one byte, fields with other tags are skipped if their type is 0 or 2, and any other type
/// or a length beyond the end ends the message. The strict parser decides whether the fields are
/// acceptable.
fn without_rest<'a>(bytes: &'a [u8], tags: &[u8]) -> &'a [u8] {
    let mut kept = bytes.get(..1).unwrap_or_default();
    let mut rest = bytes.get(1..).unwrap_or_default();
    while let Some((tag, mut behind)) = rest.split_first() {
        let is_known = tags.contains(tag);
        if !is_known {
            // Another tag may have several bytes, of which the first decides on the type.
            (_, behind) = number(rest);
        }
        let (value, behind) = number(behind);
        let length = match tag & 7 {
            0 => 0,
            2 => value,
            _ => break,
        };
        let Some(behind) = behind.get(length..) else { break };
        if is_known {
            kept = bytes.get(..bytes.len().saturating_sub(behind.len())).unwrap_or_default();
        }
        rest = behind;
    }
    kept
}

/// A number in digits of seven bits, the lowest first, and what stands behind it. A number that is
/// cut off counts with the digits that it has.
fn number(bytes: &[u8]) -> (usize, &[u8]) {
    let last = bytes.iter().position(|digit| digit & 0x80 == 0);
    let end = last.map_or(bytes.len(), |last| last.saturating_add(1));
    let (digits, behind) = bytes.split_at_checked(end).unwrap_or_default();
    let value = digits
        .iter()
        .rev()
        .fold(0, |value: usize, digit| value.wrapping_shl(7) | usize::from(digit & 0x7f));
    (value, behind)
}

/// The error for a message that is to be decrypted. An unacceptable key is one that no MAC can have
/// been made with.
pub(crate) fn received(error: DecodeError) -> Code {
    match error {
        DecodeError::Version(_) => Code::BadMessageVersion,
        DecodeError::Key(_) => Code::BadMessageMac,
        _ => Code::BadMessageFormat,
    }
}

/// How long the plaintext of a message may be, whatever the versions within.
///
/// The decryption reports what else is wrong, so in that case this is an upper bound.
pub(crate) fn max_plaintext_length(message_type: usize, mut bytes: Vec<u8>) -> Result<usize> {
    if message_type == NORMAL && bytes.len() <= MAC_LENGTH {
        return Err(Code::BadMessageFormat);
    }
    if let Some(version) = bytes.first_mut() {
        *version = VERSION;
    }
    let length = if message_type == NORMAL {
        normal(&bytes).map(|received| received.message.ciphertext().len())
    } else {
        // The sender does not matter here: the base point stands for any key.
        let anybody = std::array::from_fn(|place| if place == 0 { 9 } else { 0 });
        pre_key(&bytes, Some(&anybody))
            .map(|message| message.message().ciphertext().len())
            .map_err(received)
    };
    match length {
        Err(Code::BadMessageVersion | Code::BadMessageMac) => Ok(bytes.len()),
        length => length,
    }
}
