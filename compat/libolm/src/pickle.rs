//! Pickles: `base64(AES-CBC(content) || MAC8)` under the caller's key.

use moceril::{LibolmPickleError, hazmat::Cipher};
use zeroize::Zeroizing;

use crate::{
    base64,
    error::{Code, Result},
    memory::{Input, Memory, Object, Output},
    object::{Stored, call, content, make_blank, store},
};

const MAC_LENGTH: usize = 8;
const VERSION_LENGTH: usize = 4;

/// An object that can be pickled.
pub(crate) trait Pickled: Stored {
    /// Blank objects: the version and the length of their content, which is zeros after the
    /// version. The first is the one that is written.
    const BLANKS: &'static [(u32, usize)];

    /// The newest version that is refused with an error of its own.
    const LEGACY: Option<u32> = None;

    /// The part of an object's content that a pickle holds.
    fn pickled(content: &[u8]) -> &[u8] {
        content
    }

    /// Reads foreign content, and what stands after it.
    fn unpickle(content: &[u8]) -> std::result::Result<(Self, &[u8]), LibolmPickleError>;
}

/// `olm_pickle_…_length(object)`
pub(crate) fn length<T: Pickled>(object: Object<T>) -> usize {
    call(object, |memory| Ok(pickle_length(content_length(memory, object))))
}

/// `olm_pickle_…(object, …)`: returns the length of the pickle.
pub(crate) fn write<T: Pickled>(object: Object<T>, key: Input, pickled: Output) -> usize {
    call(object, |memory| {
        let needed = pickle_length(content_length(memory, object));
        let room = memory.room(pickled, needed)?;
        let key = memory.bytes(key)?;
        let pickle = match content(memory, object) {
            Some(content) => seal(key, T::pickled(content)),
            None => seal(key, &blank_content::<T>()),
        };
        Ok(memory.write(room, pickle.as_bytes()))
    })
}

/// `olm_unpickle_…(object, …)`: returns the length it was given.
pub(crate) fn read<T: Pickled>(object: Object<T>, key: Input, pickled: Input) -> usize {
    call(object, |memory| {
        read_into(memory, object, key, pickled)?;
        Ok(pickled.length)
    })
}

/// Reads a pickle into an object; returns the new state, `None` for a blank one.
pub(crate) fn read_into<T: Pickled>(
    memory: &mut Memory,
    object: Object<T>,
    key: Input,
    pickled: Input,
) -> Result<Option<T>> {
    let pickled = base64::decode(memory.bytes(pickled)?)?;
    let content = open(memory.bytes(key)?, &pickled)?;
    let (state, rest) = match after_blank::<T>(&content) {
        Some(rest) => (None, rest),
        None => {
            T::unpickle(&content).map(|(state, rest)| (Some(state), rest)).map_err(code::<T>)?
        }
    };
    if !rest.is_empty() {
        return Err(Code::PickleExtraData);
    }
    match &state {
        Some(state) => store(memory, object, state)?,
        None => make_blank(memory, object)?,
    }
    Ok(state)
}

fn code<T: Pickled>(error: LibolmPickleError) -> Code {
    match error {
        LibolmPickleError::Version(version) if T::LEGACY == Some(version) => {
            Code::BadLegacyAccountPickle
        }
        LibolmPickleError::Version(_) => Code::UnknownPickleVersion,
        _ => Code::CorruptedPickle,
    }
}

fn content_length<T: Pickled>(memory: &Memory, object: Object<T>) -> usize {
    let blank = || blank_content::<T>().len();
    content(memory, object).map_or_else(blank, |content| T::pickled(content).len())
}

/// The length of a pickle: the content is padded to whole blocks, with at least one byte.
const fn pickle_length(content_length: usize) -> usize {
    let blocks = (content_length / 16).saturating_add(1);
    base64::encoded_length(blocks.saturating_mul(16).saturating_add(MAC_LENGTH))
}

fn blank_content<T: Pickled>() -> Vec<u8> {
    let (version, length) = T::BLANKS.first().copied().unwrap_or_default();
    let mut content = version.to_be_bytes().to_vec();
    content.resize(length, 0);
    content
}

/// What stands after the content of a blank object; `None` if it is not one.
fn after_blank<T: Pickled>(content: &[u8]) -> Option<&[u8]> {
    let version = u32::from_be_bytes(*content.first_chunk()?);
    let (_, length) = T::BLANKS.iter().find(|(blank, _)| *blank == version)?;
    let (blank, rest) = content.split_at_checked(*length)?;
    let zeros = blank.get(VERSION_LENGTH..)?;
    (zeros.iter().fold(0, |all, byte| all | byte) == 0).then_some(rest)
}

fn seal(key: &[u8], content: &[u8]) -> String {
    let cipher = Cipher::pickle(key);
    let mut sealed = cipher.encrypt(content);
    let mac = cipher.mac(&sealed);
    let [a, b, c, d, e, f, g, h, ..] = mac;
    let mac: [u8; MAC_LENGTH] = [a, b, c, d, e, f, g, h];
    sealed.extend_from_slice(&mac);
    base64::encode(&sealed)
}

/// The content; the MAC is verified before anything is decrypted.
fn open(key: &[u8], pickled: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let (ciphertext, mac) = pickled.split_last_chunk::<MAC_LENGTH>().ok_or(Code::BadAccountKey)?;
    let cipher = Cipher::pickle(key);
    let content =
        if cipher.verify_mac(ciphertext, mac) { cipher.decrypt(ciphertext) } else { None };
    content.map(Zeroizing::new).ok_or(Code::BadAccountKey)
}
