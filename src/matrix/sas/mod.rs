//! SAS: two people compare a short authentication string to verify each other's keys.
//!
//! Spec: Matrix, "Short Authentication String (SAS) verification". This module has the
//! cryptography; the client handles the events that carry keys, commitments and MACs. Both devices
//! draw a single-use key pair ([`Sas`]) and exchange the public keys. One of them first sends a
//! [`commitment`] to its key, so that nobody in between can choose keys that lead to equal strings.
//! From the agreed secret ([`EstablishedSas`]), both devices derive the emoji or numbers that the
//! users compare, and the MACs of the long-term keys to verify.
//!
//! ```
//! use moceril::sas::{MacMethod, Sas, commitment};
//!
//! let alice = Sas::new()?;
//! let bob = Sas::new()?;
//!
//! // Bob commits to his key before he sees Alice's, and reveals it after he has seen hers.
//! let start = r#"{"method":"m.sas.v1"}"#; // the content of Alice's start event, as canonical JSON
//! let committed = commitment(&bob.public_key(), start);
//! let (alice_key, bob_key) = (alice.public_key(), bob.public_key());
//! assert_eq!(commitment(&bob_key, start), committed); // Alice checks this.
//!
//! // The info strings, which `InfoStrings` makes, bind users, devices and keys.
//! let info = "MATRIX_KEY_VERIFICATION_SAS|…";
//! let (alice, bob) = (alice.diffie_hellman(bob_key)?, bob.diffie_hellman(alice_key)?);
//! assert_eq!(alice.bytes(info).emoji(), bob.bytes(info).emoji()); // The users compare these.
//!
//! // Now each device vouches for its long-term keys.
//! let (method, info) = (MacMethod::default(), "MATRIX_KEY_VERIFICATION_MAC…");
//! let tag = alice.calculate_mac(method, "Alice's Ed25519 key", info);
//! bob.verify_mac(method, "Alice's Ed25519 key", info, &tag)?;
//! assert!(bob.verify_mac(method, "Mallory's Ed25519 key", info, &tag).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod emoji;
mod info;

use alloc::{boxed::Box, string::String, vec, vec::Vec};
use core::fmt;

use rand::TryCryptoRng;
use zeroize::Zeroizing;

pub use self::{
    emoji::Emoji,
    info::{InfoStrings, Party, key_ids},
};
pub use super::channel::Refused;
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{RandomError, texts},
    keys::{Curve25519KeyPair, Curve25519PublicKey},
    primitives::{
        base64,
        kdf::{self, HmacKey, hkdf},
        secret::Secret,
        stack::{SHALLOW, wiped_below},
    },
};

/// The commitment that the accepting device sends before its key: base64 (43 characters) of the
/// SHA-256 of the key's base64 followed by the content of the start event as canonical JSON.
///
/// The other device computes it again when it gets the key, and cancels if it differs.
///
/// Spec: Matrix, `m.key.verification.accept`, `commitment`.
#[must_use]
pub fn commitment(public_key: &Curve25519PublicKey, start_content_canonical_json: &str) -> String {
    let key = public_key.to_base64();
    base64::encode(&kdf::sha256(&[key.as_bytes(), start_content_canonical_json.as_bytes()]))
}

/// One device's end of a verification before it has the other device's key: a single-use key pair.
///
/// The private key is in a heap block, wiped on drop.
pub struct Sas {
    pair: Box<Curve25519KeyPair>,
}

impl Sas {
    /// Draws a key pair from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn new() -> Result<Self, RandomError> {
        Self::with_rng(&mut rng::system())
    }

    /// Like `new`, but with the caller's source of randomness, which gives the 32 bytes of the
    /// private key.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn with_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomError> {
        wiped_below::<SHALLOW, _>(|| Ok(Self { pair: Box::new(Curve25519KeyPair::generate(rng)?) }))
    }

    /// The key to send to the other device.
    #[must_use]
    pub fn public_key(&self) -> Curve25519PublicKey {
        self.pair.public()
    }

    /// Agrees on the secret. This uses up the key pair.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the key pair, and [`SasError::OwnKey`] for this device's own key, which
    /// somebody sent back to us, or [`SasError::NonContributoryKey`] (S-01), which no parsed key
    /// causes.
    pub fn diffie_hellman(
        self,
        their_public_key: Curve25519PublicKey,
    ) -> Result<EstablishedSas, Refused<Self, SasError>> {
        match self.agree(&their_public_key) {
            Ok(secret) => Ok(EstablishedSas {
                secret: Box::new(secret),
                our_public_key: self.public_key(),
                their_public_key,
            }),
            Err(error) => Err(Refused { unchanged: self, error }),
        }
    }

    fn agree(&self, their_public_key: &Curve25519PublicKey) -> Result<Secret<32>, SasError> {
        // Why: we would agree with ourselves, and whoever sent the key back could answer with our
        // own MACs.
        if *their_public_key == self.public_key() {
            return Err(SasError::OwnKey);
        }
        let agreed = self.pair.secret().agree(their_public_key.as_bytes());
        agreed.map_err(|_| SasError::NonContributoryKey)
    }
}

impl From<Refused<Sas, Self>> for SasError {
    fn from(refused: Refused<Sas, Self>) -> Self {
        refused.error
    }
}

impl fmt::Debug for Sas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sas").field("public_key", &self.public_key()).finish_non_exhaustive()
    }
}

/// One device's end of a verification, with the agreed secret in a heap block that is wiped on
/// drop.
///
/// Every result here depends only on the secret and the arguments; nothing changes the object.
pub struct EstablishedSas {
    secret: Box<Secret<32>>,
    our_public_key: Curve25519PublicKey,
    their_public_key: Curve25519PublicKey,
}

impl EstablishedSas {
    /// This device's key.
    #[must_use]
    pub const fn our_public_key(&self) -> Curve25519PublicKey {
        self.our_public_key
    }

    /// The other device's key.
    #[must_use]
    pub const fn their_public_key(&self) -> Curve25519PublicKey {
        self.their_public_key
    }

    /// The short authentication string: `HKDF(0, secret, info, 6)`.
    ///
    /// Spec: Matrix, "SAS HKDF calculation". [`InfoStrings::sas`] makes `info`.
    #[must_use]
    pub fn bytes(&self, info: impl AsRef<[u8]>) -> SasBytes {
        SasBytes(hkdf(None, self.secret.as_bytes(), info.as_ref()))
    }

    /// Like [`bytes`](Self::bytes), but returns `count` bytes, for other ways to show them. The
    /// caller must wipe them.
    ///
    /// # Errors
    ///
    /// [`SasError::TooManyBytes`] for a count above 8,160, the most that HKDF gives.
    pub fn bytes_raw(&self, info: impl AsRef<[u8]>, count: usize) -> Result<Vec<u8>, SasError> {
        let maximum = kdf::MAX_OUTPUT;
        let too_many = SasError::TooManyBytes { requested: count, maximum };
        // Before memory is set aside for them.
        if count > maximum {
            return Err(too_many);
        }
        let mut bytes = vec![0; count];
        kdf::hkdf_into(None, self.secret.as_bytes(), info.as_ref(), &mut bytes)
            .map_err(|kdf::TooLong| too_many)?;
        Ok(bytes)
    }

    /// The MAC of a key or of a list of key ids, as 43 characters of base64.
    ///
    /// Spec: Matrix, "MAC calculation", which defines `input` and `info`. The method is the one
    /// that the accept event names; choose [`MacMethod::default`] whenever both devices know it.
    #[must_use]
    pub fn calculate_mac(
        &self,
        method: MacMethod,
        input: impl AsRef<[u8]>,
        info: impl AsRef<[u8]>,
    ) -> String {
        base64::encode(self.mac(method, input.as_ref(), info.as_ref()).as_bytes())
    }

    /// Verifies the other device's MAC, in constant time.
    ///
    /// # Errors
    ///
    /// [`SasError::Mac`], whatever is wrong with the tag; cancel the verification.
    pub fn verify_mac(
        &self,
        method: MacMethod,
        input: impl AsRef<[u8]>,
        info: impl AsRef<[u8]>,
        tag: &str,
    ) -> Result<(), SasError> {
        let Ok(Some(tag)) = base64::decode_secret(tag) else { return Err(SasError::Mac) };
        self.mac(method, input.as_ref(), info.as_ref()).if_equal(&tag, SasError::Mac, || Ok(()))
    }

    /// The 32 bytes whose base64 is the MAC's text.
    fn mac(&self, method: MacMethod, input: &[u8], info: &[u8]) -> Secret<32> {
        let secret = self.secret.as_bytes();
        let key = match method {
            MacMethod::HkdfHmacSha256V2 | MacMethod::HkdfHmacSha256 => {
                HmacKey::new(hkdf::<32>(None, secret, info).as_bytes())
            }
            MacMethod::HmacSha256LongKdf => {
                HmacKey::from_long_key(hkdf::<256>(None, secret, info).as_bytes())
            }
        };
        let mac = key.derive(input);
        match method {
            MacMethod::HkdfHmacSha256V2 => mac,
            MacMethod::HkdfHmacSha256 | MacMethod::HmacSha256LongKdf => overwritten(mac),
        }
    }
}

impl fmt::Debug for EstablishedSas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EstablishedSas")
            .field("our_public_key", &self.our_public_key)
            .field("their_public_key", &self.their_public_key)
            .finish_non_exhaustive()
    }
}

/// The bytes that the two old methods encode (S-32). They write the text over the MAC while they
/// read it: three bytes are read where four characters go, so the place of a byte that is read
/// holds, from the second group on, characters of the text written so far.
fn overwritten(mut mac: Secret<32>) -> Secret<32> {
    // Eleven groups of at most four characters: it does not grow.
    let mut text = Zeroizing::new(String::with_capacity(44));
    for (start, group) in (0_usize..).step_by(3).zip(mac.as_mut_bytes().chunks_mut(3)) {
        for (byte, written) in group.iter_mut().zip(text.bytes().skip(start)) {
            *byte = written;
        }
        text.push_str(&base64::encode_secret(group));
    }
    mac
}

/// How the MACs of a verification are calculated: `message_authentication_code` in its events.
///
/// Every method derives a key with HKDF and makes an HMAC-SHA-256. They differ in the length of the
/// key and in what they encode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MacMethod {
    /// `hkdf-hmac-sha256.v2`: the MAC in base64. All current clients use it.
    #[default]
    HkdfHmacSha256V2,
    /// `hkdf-hmac-sha256`: deprecated by the specification, and forbidden when both devices know
    /// the default. Its text is not the base64 of the MAC: only six of the MAC's 32 bytes count,
    /// which is 48 bits against a forger instead of 256.
    HkdfHmacSha256,
    /// `hmac-sha256`, which no version of the specification has had: a key of 256 bytes, and the
    /// text of [`HkdfHmacSha256`](Self::HkdfHmacSha256).
    HmacSha256LongKdf,
}

impl MacMethod {
    const ALL: [Self; 3] = [Self::HkdfHmacSha256V2, Self::HkdfHmacSha256, Self::HmacSha256LongKdf];

    /// The name of the method in the events of a verification.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HkdfHmacSha256V2 => "hkdf-hmac-sha256.v2",
            Self::HkdfHmacSha256 => "hkdf-hmac-sha256",
            Self::HmacSha256LongKdf => "hmac-sha256",
        }
    }

    /// The name of the default method in its proposal, MSC3783, before the specification adopted
    /// it. Older clients offer it.
    const PROPOSED: &str = "org.matrix.msc3783.hkdf-hmac-sha256";

    /// The method with exactly this name. The default method has two names: that of the
    /// specification and that of its proposal, MSC3783. Answer a device with the name that it
    /// offered.
    ///
    /// ```
    /// use moceril::sas::MacMethod;
    ///
    /// let default = Some(MacMethod::default());
    /// assert_eq!(MacMethod::from_name("hkdf-hmac-sha256.v2"), default);
    /// assert_eq!(MacMethod::from_name("org.matrix.msc3783.hkdf-hmac-sha256"), default);
    /// assert_eq!(MacMethod::from_name("hkdf-hmac-sha256.v3"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name == Self::PROPOSED {
            return Some(Self::HkdfHmacSha256V2);
        }
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// A short authentication string: 6 bytes, to be shown as emoji or as numbers.
#[derive(Clone)]
pub struct SasBytes(Secret<6>);

impl SasBytes {
    /// The bytes themselves.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 6] {
        self.0.as_bytes()
    }

    /// The numbers of seven emoji, each below 64: the first 42 bits, six at a time.
    ///
    /// Spec: Matrix, "SAS method: emoji".
    #[must_use]
    pub fn emoji_indices(&self) -> [u8; 7] {
        [42, 36, 30, 24, 18, 12, 6].map(|shift| (self.bits().wrapping_shr(shift) & 0x3f) as u8)
    }

    /// The seven emoji.
    #[must_use]
    pub fn emoji(&self) -> [Emoji; 7] {
        self.emoji_indices().map(Emoji::numbered)
    }

    /// Three numbers from 1000 to 9191: the first 39 bits, thirteen at a time, plus 1000.
    ///
    /// Spec: Matrix, "SAS method: decimal".
    #[must_use]
    pub fn decimals(&self) -> [u16; 3] {
        [35, 22, 9].map(|shift| {
            let bits = (self.bits().wrapping_shr(shift) & 0x1fff) as u16;
            bits.saturating_add(1000)
        })
    }

    /// The 48 bits as a number, first byte highest.
    const fn bits(&self) -> u64 {
        let [a, b, c, d, e, f] = *self.0.as_bytes();
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

/// In constant time.
impl PartialEq for SasBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0)
    }
}

impl Eq for SasBytes {}

impl fmt::Debug for SasBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SasBytes").finish_non_exhaustive()
    }
}

/// A step of a SAS verification failed. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SasError {
    /// The key agreement came out as zero (S-01).
    NonContributoryKey,
    /// The other device's key is this device's own: somebody sent it back. Cancel the verification.
    OwnKey,
    /// More bytes were requested than HKDF gives.
    TooManyBytes {
        /// How many were requested.
        requested: usize,
        /// The most that HKDF gives.
        maximum: usize,
    },
    /// The MAC is not the other device's: cancel the verification.
    Mac,
}

texts!(SasError {
    Self::NonContributoryKey => "the key agreement was not contributory";
    Self::OwnKey => "the other device's key is this device's own key";
    Self::TooManyBytes { requested, maximum } =>
        "{requested} bytes requested, {maximum} is the maximum";
    Self::Mac => "the MAC does not verify";
});

#[cfg(test)]
mod tests {
    use super::*;

    fn sas(bytes: [u8; 6]) -> SasBytes {
        SasBytes(Secret::new(bytes))
    }

    /// The first and last numbers, and each emoji and number at a place of its own.
    #[test]
    fn bits_are_taken_from_the_front() {
        assert_eq!(sas([0; 6]).emoji_indices(), [0; 7]);
        assert_eq!(sas([0; 6]).decimals(), [1000; 3]);
        assert_eq!(sas([0xff; 6]).emoji_indices(), [63; 7]);
        assert_eq!(sas([0xff; 6]).decimals(), [9191; 3]);

        // 000001 000010 000011 000100 000101 000110 000111, and six bits that no emoji shows.
        let in_sixes =
            sas([0b00000100, 0b00100000, 0b11000100, 0b00010100, 0b01100001, 0b11101010]);
        assert_eq!(in_sixes.emoji_indices(), [1, 2, 3, 4, 5, 6, 7]);
        // 0000000000001 0000000000010 0000000000011, and nine bits that no number shows.
        let in_thirteens = sas([0, 0b00001000, 0b00000000, 0b10000000, 0b00000111, 0b11111111]);
        assert_eq!(in_thirteens.decimals(), [1001, 1002, 1003]);
    }

    /// The last bits belong to no emoji and no number.
    #[test]
    fn the_last_bits_are_not_shown() {
        let (one, other) = (sas([1, 2, 3, 4, 5, 0b11000000]), sas([1, 2, 3, 4, 5, 0b11111111]));
        assert_eq!(one.emoji_indices(), other.emoji_indices());
        assert_eq!(one.decimals(), other.decimals());
        assert_ne!(one, other);
    }

    /// S-32: the old encoding, in the words of a program that has one buffer for MAC and text.
    #[test]
    fn overwritten_is_what_one_buffer_does() {
        for fill in 0..=255_u8 {
            let mac: [u8; 32] = core::array::from_fn(|place| fill.wrapping_mul(place as u8 + 1));
            let mut buffer = [0; 43];
            buffer[..32].copy_from_slice(&mac);
            for n in 0..10 {
                let text = base64::encode(&buffer[3 * n..3 * n + 3]);
                buffer[4 * n..4 * n + 4].copy_from_slice(text.as_bytes());
            }
            let text = base64::encode(&buffer[30..32]);
            buffer[40..].copy_from_slice(text.as_bytes());
            let encoded = base64::encode(overwritten(Secret::new(mac)).as_bytes());
            assert_eq!(encoded.as_bytes(), buffer);
        }
    }
}
