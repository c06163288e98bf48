//! Files of exported room keys. Feature `key-export`.
//!
//! ```text
//! -----BEGIN MEGOLM SESSION DATA-----
//! base64(0x01 || salt[16] || IV[16] || rounds u32 || AES-256-CTR(JSON) || HMAC-SHA-256[32])
//! -----END MEGOLM SESSION DATA-----
//! ```
//!
//! Both keys come from the passphrase: `PBKDF2-HMAC-SHA-512(passphrase, salt, rounds, 64)`. The
//! caller reads and writes the JSON: an array of room keys, each with a `session_key` in the export
//! format.
//!
//! Spec: Matrix specification, "Key exports".
//!
//! ```
//! use moceril::{SecretString, key_export};
//!
//! # let rounds = key_export::MIN_ROUNDS; // so that the documentation is tested in reasonable time
//! # let _ = key_export::DEFAULT_ROUNDS;
//! let json = SecretString::from(String::from("[]")); // or from `room_keys::write_export`
//! let file = key_export::encrypt(&json, "correct horse battery staple", rounds)?;
//! assert!(file.starts_with("-----BEGIN MEGOLM SESSION DATA-----\n"));
//!
//! let json = key_export::decrypt(&file, "correct horse battery staple", key_export::MAX_ROUNDS)?;
//! assert_eq!(&*json, "[]");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A file that does not fit into memory is read twice, in pieces: [`Verifier`] verifies it, then
//! [`Decryptor`] decrypts it. [`Encryptor`] writes one in pieces.
//!
//! Files come from many programs, and pass through editors and mail. So a reader ignores everything
//! before the header and after the trailer, and all white space between them.

mod pieces;
mod text;

use alloc::{string::String, vec::Vec};

use rand::TryCryptoRng;

pub use self::pieces::{Decryptor, Encryptor, Scanner, Verifier};
use self::text::Frame;
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{Base64Error, RandomError, texts},
    primitives::{
        base64,
        ctr_hmac::{self, Forged, IV_LENGTH, Keys, SALT_LENGTH, Verifying},
        rng::draw,
        secret::SecretString,
        stack::{MEDIUM, wiped_below},
    },
};

/// The rounds that a new file should have. Each guess at the passphrase then costs as many rounds
/// of PBKDF2. Other clients use the same number.
pub const DEFAULT_ROUNDS: u32 = 500_000;

/// The fewest rounds that the Matrix specification allows in a new file.
pub const MIN_ROUNDS: u32 = 100_000;

/// The most rounds that reading should allow. A hostile file can ask for 2^32 - 1, which is 859
/// times as much work, before its MAC can be checked.
pub const MAX_ROUNDS: u32 = 5_000_000;

const HEADER: &str = "-----BEGIN MEGOLM SESSION DATA-----";
const TRAILER: &str = "-----END MEGOLM SESSION DATA-----";
const VERSION: u8 = 1;
const HEAD_LENGTH: usize = 1 + SALT_LENGTH + IV_LENGTH + 4;
/// The number of characters in a line, the same as in PEM files.
const LINE_LENGTH: usize = 64;

/// Encrypts a JSON text as a file.
///
/// # Errors
///
/// [`KeyExportError::EmptyPassphrase`]; [`KeyExportError::Rounds`] for fewer than [`MIN_ROUNDS`];
/// [`KeyExportError::Random`].
#[cfg(feature = "std")]
pub fn encrypt(
    json: &SecretString,
    passphrase: &str,
    rounds: u32,
) -> Result<String, KeyExportError> {
    encrypt_with_rng(json, passphrase, rounds, &mut rng::system())
}

/// Like `encrypt`, but with the caller's source of randomness, which gives 16 bytes for the salt,
/// then 16 for the IV.
///
/// # Errors
///
/// See `encrypt`.
pub fn encrypt_with_rng<R: TryCryptoRng + ?Sized>(
    json: &SecretString,
    passphrase: &str,
    rounds: u32,
    rng: &mut R,
) -> Result<String, KeyExportError> {
    if passphrase.is_empty() {
        return Err(KeyExportError::EmptyPassphrase);
    }
    check_rounds(rounds, MIN_ROUNDS, u32::MAX)?;
    encrypt_weak_with_rng(json, passphrase, rounds, rng)
}

/// Like `encrypt`, but also allows an empty passphrase and fewer than [`MIN_ROUNDS`] rounds: for
/// tests, and for files that need no protection. Whoever gets such a file can soon read it.
///
/// # Errors
///
/// [`KeyExportError::Rounds`] for zero rounds; [`KeyExportError::Random`].
#[cfg(feature = "std")]
pub fn encrypt_weak(
    json: &SecretString,
    passphrase: &str,
    rounds: u32,
) -> Result<String, KeyExportError> {
    encrypt_weak_with_rng(json, passphrase, rounds, &mut rng::system())
}

/// Like `encrypt_weak`, but with the caller's source of randomness, which gives 16 bytes for the
/// salt, then 16 for the IV.
///
/// # Errors
///
/// See `encrypt_weak`.
pub fn encrypt_weak_with_rng<R: TryCryptoRng + ?Sized>(
    json: &SecretString,
    passphrase: &str,
    rounds: u32,
    rng: &mut R,
) -> Result<String, KeyExportError> {
    check_rounds(rounds, 1, u32::MAX)?;
    let mut encryptor = Encryptor::weak_with_rng(passphrase, rounds, rng)?;
    let mut file = encryptor.update(json.as_bytes());
    file.push_str(&encryptor.finish());
    Ok(file)
}

/// Adds lines of base64 to a file.
fn put_lines(file: &mut String, text: &str) {
    file.reserve(text.len().saturating_add(text.len().div_ceil(LINE_LENGTH)));
    let mut rest = text;
    while let Some((line, after)) = rest.split_at_checked(LINE_LENGTH.min(rest.len()))
        && !line.is_empty()
    {
        file.push('\n');
        file.push_str(line);
        rest = after;
    }
}

/// Decrypts a file to its JSON text.
///
/// The file states how many rounds of hashing its passphrase takes, before anything can be
/// verified: a file with more than `max_rounds` is refused. [`MAX_ROUNDS`] is a good limit.
///
/// # Errors
///
/// [`KeyExportError`], which distinguishes what can be distinguished without the right passphrase:
/// a text that is not a key file, a file that was cut off, a damaged one, and another version. A
/// wrong passphrase and a change that leaves the base64 intact look the same: both are
/// [`KeyExportError::Authentication`].
pub fn decrypt(
    file: &str,
    passphrase: &str,
    max_rounds: u32,
) -> Result<SecretString, KeyExportError> {
    let bytes = base64::decode(&content(file)?)?;
    let (head, _) = bytes.split_at_checked(HEAD_LENGTH).unwrap_or((&bytes, &[]));
    let head = Head::read(head)?;
    let (authenticated, tag) = bytes.split_last_chunk().ok_or(KeyExportError::TooShort)?;
    if authenticated.len() < HEAD_LENGTH {
        return Err(KeyExportError::TooShort);
    }
    check_rounds(head.rounds, 1, max_rounds)?;
    let json = wiped_below::<MEDIUM, _>(|| {
        let keys = head.keys(passphrase);
        ctr_hmac::open(&keys, &head.iv, HEAD_LENGTH, authenticated, tag)
    });
    let json = json.map_err(|Forged| KeyExportError::Authentication)?;
    SecretString::from_utf8(json).ok_or(KeyExportError::NotText)
}

/// How many rounds of hashing the passphrase of a file takes. Nothing has verified this number.
///
/// # Errors
///
/// Those of [`KeyExportError`] that need no passphrase; not [`KeyExportError::Rounds`].
pub fn rounds(file: &str) -> Result<u32, KeyExportError> {
    let mut scanner = Scanner::new();
    scanner.update(file);
    scanner.finish()
}

/// The base64 between header and trailer, without its white space.
fn content(file: &str) -> Result<String, KeyExportError> {
    // A file can be large, and text that grows takes twice its memory.
    let mut content = String::with_capacity(file.len());
    let mut frame = Frame::new();
    frame.read(file.as_bytes(), &mut |letters| content.push_str(letters));
    frame.finish()?;
    Ok(content)
}

const fn check_rounds(rounds: u32, minimum: u32, maximum: u32) -> Result<(), KeyExportError> {
    if rounds < minimum || rounds > maximum {
        return Err(KeyExportError::Rounds { rounds, minimum, maximum });
    }
    Ok(())
}

/// The head of a file.
struct Head {
    salt: [u8; SALT_LENGTH],
    iv: [u8; IV_LENGTH],
    rounds: u32,
}

impl Head {
    /// A head with a new salt and a new IV.
    fn draw<R: TryCryptoRng + ?Sized>(rounds: u32, rng: &mut R) -> Result<Self, RandomError> {
        let salt = *draw::<SALT_LENGTH, R>(rng)?.as_bytes();
        Ok(Self { salt, iv: ctr_hmac::draw_iv(rng)?, rounds })
    }

    /// Reads the bytes of a head, some of which can be missing.
    fn read(bytes: &[u8]) -> Result<Self, KeyExportError> {
        let ([version], rest) = split(bytes)?;
        if *version != VERSION {
            return Err(KeyExportError::Version(*version));
        }
        let (salt, rest) = split(rest)?;
        let (iv, rest) = split(rest)?;
        let (rounds, _) = split(rest)?;
        Ok(Self { salt: *salt, iv: *iv, rounds: u32::from_be_bytes(*rounds) })
    }

    fn to_bytes(&self) -> Vec<u8> {
        [&[VERSION][..], &self.salt, &self.iv, &self.rounds.to_be_bytes()].concat()
    }

    fn keys(&self, passphrase: &str) -> Keys {
        Keys::from_passphrase(passphrase, &self.salt, self.rounds)
    }

    fn verifying(&self, passphrase: &str) -> Verifying {
        Verifying::new(self.keys(passphrase), &self.iv, &self.to_bytes())
    }
}

fn split<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), KeyExportError> {
    bytes.split_first_chunk().ok_or(KeyExportError::TooShort)
}

/// A file of exported keys could not be written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyExportError {
    /// No line begins with the header of a file of exported keys: this is another file.
    NoHeader,
    /// There is a header and no trailer: the end of the file is missing.
    CutOff,
    /// The content between header and trailer is shorter than that of any file of exported keys.
    TooShort,
    /// The content between header and trailer is not base64: the file is damaged.
    Base64(Base64Error),
    /// The file has another version than 1.
    Version(u8),
    /// The rounds of hashing, of a file that is read or of one to be written, are not within the
    /// limits.
    Rounds {
        /// The requested number.
        rounds: u32,
        /// The lowest allowed number.
        minimum: u32,
        /// The highest allowed number.
        maximum: u32,
    },
    /// The passphrase is wrong, or the content was altered, or a part of it is missing. The MAC of
    /// the file is keyed by the passphrase, so these look the same.
    Authentication,
    /// The passphrase is right, but the plaintext is not UTF-8.
    NotText,
    /// The passphrase of a file to be written is empty.
    EmptyPassphrase,
    /// The random source failed.
    Random,
}

texts!(KeyExportError {
    Self::NoHeader => "not a file of exported keys: it has no header line";
    Self::CutOff => "the file of exported keys is cut off: it has no trailer line";
    Self::TooShort => "the content of the file of exported keys is too short";
    Self::Base64(_) => "the file of exported keys is damaged: its content is not valid base64";
    Self::Version(found) => "unknown version {found} of a file of exported keys";
    Self::Rounds { rounds, minimum, maximum } =>
        "{rounds} rounds of hashing, allowed are {minimum} to {maximum}";
    Self::Authentication => "wrong passphrase, or the file was altered";
    Self::NotText => "the content of the file of exported keys is not UTF-8";
    Self::EmptyPassphrase => "the passphrase is empty";
    Self::Random => "the random source failed";
} caused by Base64);

impl From<Base64Error> for KeyExportError {
    fn from(error: Base64Error) -> Self {
        Self::Base64(error)
    }
}

impl From<RandomError> for KeyExportError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rounds_are_read_without_the_passphrase() {
        let file = encrypt_weak(&String::from("[]").into(), "", 1_234).unwrap();
        assert_eq!(rounds(&file), Ok(1_234));
        assert_eq!(rounds("[]"), Err(KeyExportError::NoHeader));
        assert_eq!(rounds(&file[..80]), Err(KeyExportError::CutOff));
        let [head, tail] = [HEADER, TRAILER];
        for (content, refusal) in [
            ("", KeyExportError::TooShort),
            ("AQ", KeyExportError::TooShort),
            ("Ag", KeyExportError::Version(2)),
            ("?", KeyExportError::Base64(Base64Error::Invalid)),
        ] {
            assert_eq!(rounds(&[head, "\n", content, "\n", tail].concat()), Err(refusal));
        }
    }
}
