//! `base64(AES-CBC(content) || MAC[8])`, keyed by HKDF with the info "Pickle": the encryption of
//! libolm's pickles, and of vodozemac's.

use alloc::{string::String, vec::Vec};

use zeroize::Zeroizing;

use crate::{
    error::Base64Error,
    primitives::{
        base64,
        cbc_hmac::{self, Forged, Purpose, Sealed},
    },
};

const MAC_LENGTH: usize = 8;

pub(super) fn seal(key: &[u8], content: &[u8]) -> String {
    base64::encode(&cbc_hmac::seal(key, Purpose::Pickle, Vec::new(), content, MAC_LENGTH))
}

/// The content; `None` if the key is wrong or the text was altered.
pub(super) fn open(pickle: &str, key: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Base64Error> {
    let bytes = base64::decode(pickle)?;
    Ok(bytes.split_last_chunk::<MAC_LENGTH>().and_then(|(ciphertext, mac)| {
        let sealed = Sealed { authenticated: ciphertext, ciphertext, mac };
        let opened = cbc_hmac::open(key, Purpose::Pickle, &sealed, MAC_LENGTH, ());
        opened.map(|(content, _)| Zeroizing::new(content)).map_err(|Forged| ()).ok()
    }))
}
