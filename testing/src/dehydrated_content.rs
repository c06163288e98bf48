//! Opens a dehydrated device and seals any content as one.
//!
//! Written from the format at the top of `src/pickle/dehydrated.rs` and not with its code.

use base64ct::{Base64Unpadded, Encoding};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{AeadInOut, inout::InOutBuf},
};
use moceril::DehydratedDevice;

/// The key of every device that the tests open or seal, and the nonce of those they seal.
pub const KEY: [u8; 32] = [3; 32];
const NONCE: [u8; 12] = [9; 12];

pub fn open(device: &DehydratedDevice) -> Vec<u8> {
    let decode = |text: &str| Base64Unpadded::decode_vec(text).unwrap();
    let nonce: [u8; 12] = decode(&device.nonce).try_into().unwrap();
    let mut content = decode(&device.ciphertext);
    let tag: [u8; 16] = content.split_off(content.len() - 16).try_into().unwrap();
    let buffer = InOutBuf::from(content.as_mut_slice());
    ChaCha20Poly1305::new(&KEY.into())
        .decrypt_inout_detached(&nonce.into(), &[], buffer, &tag.into())
        .unwrap();
    content
}

pub fn seal(content: &[u8]) -> DehydratedDevice {
    let mut sealed = content.to_vec();
    let buffer = InOutBuf::from(sealed.as_mut_slice());
    let cipher = ChaCha20Poly1305::new(&KEY.into());
    let tag = cipher.encrypt_inout_detached(&NONCE.into(), &[], buffer).unwrap();
    sealed.extend_from_slice(&tag);
    DehydratedDevice {
        ciphertext: Base64Unpadded::encode_string(&sealed),
        nonce: Base64Unpadded::encode_string(&NONCE),
    }
}
