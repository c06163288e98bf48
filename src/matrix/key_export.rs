//! Files of exported room keys. Feature `key-export`.
//!
//! ```text
//! -----BEGIN MEGOLM SESSION DATA-----
//! base64(0x01 || salt[16] || IV[16] || rounds u32 || AES-256-CTR(JSON) || HMAC-SHA-256[32])
//! -----END MEGOLM SESSION DATA-----
//! ```
//!
//! Both keys come from the passphrase: `PBKDF2-HMAC-SHA-512(passphrase, salt, rounds, 64)`. What the
//! JSON says is for the caller: an array of room keys, each with a `session_key` in the export
//! format.
//!
//! Spec: Matrix specification, "Key exports".
//!
//! ```
//! use moceril::matrix::key_export;
//!
//! # let rounds = 1_000; // so that the documentation is tested in reasonable time
//! # let _ = key_export::DEFAULT_ROUNDS;
//! let file = key_export::encrypt("[]", "correct horse battery staple", rounds)?;
//! assert!(file.starts_with("-----BEGIN MEGOLM SESSION DATA-----\n"));
//!
//! let json = key_export::decrypt(&file, "correct horse battery staple", key_export::MAX_ROUNDS)?;
//! assert_eq!(&*json, "[]");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::{string::String, vec::Vec};

use rand::TryCryptoRng;
use zeroize::Zeroizing;

pub use crate::error::KeyExportError;
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::primitives::{
    base64,
    export::{self, Forged, IV_LENGTH, Parameters, SALT_LENGTH},
    rng::draw,
    secret::SecretString,
};

/// Rounds that a new file should have: half a second of work for whoever guesses a passphrase, and
/// what other clients use.
pub const DEFAULT_ROUNDS: u32 = 500_000;

/// Rounds that reading should allow: a hostile file can ask for 2^32, an hour of work.
pub const MAX_ROUNDS: u32 = 5_000_000;

const HEADER: &str = "-----BEGIN MEGOLM SESSION DATA-----";
const TRAILER: &str = "-----END MEGOLM SESSION DATA-----";
const VERSION: u8 = 1;
const HEAD_LENGTH: usize = 1 + SALT_LENGTH + IV_LENGTH + 4;
/// Characters of a line, as in PEM files.
const LINE_LENGTH: usize = 64;

/// Encrypts a JSON text as a file.
///
/// # Errors
///
/// [`KeyExportError::Rounds`] for zero rounds; [`KeyExportError::Random`].
#[cfg(feature = "std")]
pub fn encrypt(json: &str, passphrase: &str, rounds: u32) -> Result<String, KeyExportError> {
    encrypt_with_rng(json, passphrase, rounds, &mut rng::system())
}

/// As `encrypt`, with another source of randomness: it gives 16 bytes for the salt, then 16 for
/// the IV.
///
/// # Errors
///
/// See `encrypt`.
pub fn encrypt_with_rng<R: TryCryptoRng + ?Sized>(
    json: &str,
    passphrase: &str,
    rounds: u32,
    rng: &mut R,
) -> Result<String, KeyExportError> {
    if rounds == 0 {
        return Err(KeyExportError::Rounds { rounds, maximum: u32::MAX });
    }
    let salt = draw::<SALT_LENGTH, R>(rng)?;
    let mut iv = draw::<IV_LENGTH, R>(rng)?;
    // "with bit 63 set to zero", for implementations whose counter has 64 bits.
    if let Some(byte) = iv.as_mut_bytes().get_mut(8) {
        *byte &= 0x7f;
    }
    let mut head = Vec::with_capacity(HEAD_LENGTH);
    head.push(VERSION);
    head.extend(salt.as_bytes());
    head.extend(iv.as_bytes());
    head.extend(rounds.to_be_bytes());
    let parameters = Parameters { passphrase, salt: salt.as_bytes(), iv: iv.as_bytes(), rounds };
    let mut plaintext = Zeroizing::new(json.as_bytes().to_vec());
    let bytes = export::seal(&parameters, &head, &mut plaintext);
    Ok(wrap(&base64::encode_padded(&bytes)))
}

/// Breaks the text into lines between header and trailer.
fn wrap(text: &str) -> String {
    let lines = text.len().div_ceil(LINE_LENGTH);
    let frame = HEADER.len().saturating_add(TRAILER.len()).saturating_add(3);
    let mut file = String::with_capacity(text.len().saturating_add(lines).saturating_add(frame));
    file.push_str(HEADER);
    let mut rest = text;
    while let Some((line, after)) = rest.split_at_checked(LINE_LENGTH.min(rest.len()))
        && !line.is_empty()
    {
        file.push('\n');
        file.push_str(line);
        rest = after;
    }
    file.push('\n');
    file.push_str(TRAILER);
    file.push('\n');
    file
}

/// Decrypts a file to its JSON text.
///
/// The file says how many rounds of hashing its passphrase takes, before anything can be verified:
/// more than `max_rounds` are refused. [`MAX_ROUNDS`] is a good limit.
///
/// # Errors
///
/// [`KeyExportError`].
pub fn decrypt(
    file: &str,
    passphrase: &str,
    max_rounds: u32,
) -> Result<SecretString, KeyExportError> {
    let text = file.trim_ascii().strip_prefix(HEADER).and_then(|rest| rest.strip_suffix(TRAILER));
    let text: String = text.ok_or(KeyExportError::Format)?.split_ascii_whitespace().collect();
    let bytes = base64::decode(&text)?;
    let rest = bytes.as_slice();
    let ([version], rest) = split(rest)?;
    if *version != VERSION {
        return Err(KeyExportError::Version(*version));
    }
    let (salt, rest) = split::<SALT_LENGTH>(rest)?;
    let (iv, rest) = split::<IV_LENGTH>(rest)?;
    let (rounds, _) = split(rest)?;
    let rounds = u32::from_be_bytes(*rounds);
    if rounds == 0 || rounds > max_rounds {
        return Err(KeyExportError::Rounds { rounds, maximum: max_rounds });
    }
    let json = export::open(&Parameters { passphrase, salt, iv, rounds }, HEAD_LENGTH, &bytes)
        .map_err(|Forged| KeyExportError::Authentication)?;
    let mut json = Zeroizing::new(json);
    match String::from_utf8(core::mem::take(&mut *json)) {
        Ok(json) => Ok(SecretString::new(json)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(KeyExportError::Format)
        }
    }
}

fn split<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), KeyExportError> {
    bytes.split_first_chunk().ok_or(KeyExportError::Format)
}
