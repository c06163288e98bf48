//! libolm's pickles: opened, sealed, and looked at.

use aes::{
    Aes256,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding},
};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{base64, functions::Kind};

/// The key that states are compared under.
pub const STATE_KEY: &[u8] = b"to compare";

/// AES key, MAC key, IV.
fn derive(key: &[u8]) -> ([u8; 32], [u8; 32], [u8; 16]) {
    let mut bytes = [0; 80];
    Hkdf::<Sha256>::new(Some(&[0; 32]), key).expand(b"Pickle", &mut bytes).expect("80 bytes");
    let (aes, rest) = bytes.split_first_chunk().expect("32 bytes");
    let (mac, rest) = rest.split_first_chunk().expect("32 bytes");
    (*aes, *mac, rest.try_into().expect("16 bytes"))
}

fn mac(key: &[u8], ciphertext: &[u8]) -> [u8; 8] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(ciphertext);
    *mac.finalize().into_bytes().first_chunk().expect("8 bytes")
}

/// The content with its padding, if the key is the right one.
pub fn open(pickle: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let bytes = base64::decode(pickle)?;
    let (ciphertext, tag) = bytes.split_last_chunk::<8>()?;
    let (aes_key, mac_key, iv) = derive(key);
    let whole_blocks = !ciphertext.is_empty() && ciphertext.len().is_multiple_of(16);
    if !whole_blocks || mac(&mac_key, ciphertext) != *tag {
        return None;
    }
    let mut content = vec![0; ciphertext.len()];
    cbc::Decryptor::<Aes256>::new(&aes_key.into(), &iv.into())
        .decrypt_padded_b2b::<NoPadding>(ciphertext, &mut content)
        .expect("whole blocks");
    Some(content)
}

/// A pickle of a content that has its padding.
pub fn seal(padded: &[u8], key: &[u8]) -> Vec<u8> {
    let (aes_key, mac_key, iv) = derive(key);
    let mut bytes = vec![0; padded.len()];
    cbc::Encryptor::<Aes256>::new(&aes_key.into(), &iv.into())
        .encrypt_padded_b2b::<NoPadding>(padded, &mut bytes)
        .expect("whole blocks");
    let tag = mac(&mac_key, &bytes);
    bytes.extend_from_slice(&tag);
    base64::encode(&bytes)
}

/// PKCS#7.
pub fn pad(content: &[u8]) -> Vec<u8> {
    let length = 16 - content.len() % 16;
    [content, &vec![length.to_le_bytes()[0]; length]].concat()
}

/// The content without its padding, if that is PKCS#7.
pub fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let length = usize::from(*padded.last()?);
    let (content, padding) = padded.split_at_checked(padded.len().checked_sub(length)?)?;
    let is_padding = padding.iter().all(|byte| usize::from(*byte) == length);
    ((1..=16).contains(&length) && is_padding).then_some(content)
}

/// Whether a content holds no keys: what a blank object is pickled as.
pub fn is_blank(kind: Kind, content: &[u8]) -> bool {
    let keys = match kind {
        Kind::Account => 4..4 + 160,
        Kind::Session => 5..5 + 128,
        Kind::Outbound => 4 + 132..4 + 132 + 96,
        Kind::Inbound => 4 + 264..4 + 264 + 32,
        _ => 4..4 + 64,
    };
    content.get(keys).is_some_and(|keys| keys.iter().all(|byte| *byte == 0))
}
