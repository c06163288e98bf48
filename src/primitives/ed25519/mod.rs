//! Ed25519 (RFC 8032), strict (S-14): S below L, no small-order or non-canonical key or R.

use alloc::boxed::Box;
use core::ops::{Add, Mul};

use curve25519_dalek::{EdwardsPoint, Scalar, scalar::clamp_integer};
use ed25519_dalek::{Signature, Verifier, VerifyingKey as DalekKey, hazmat::ExpandedSecretKey};
use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::{secret::Secret, verdict::if_equal, x25519::is_canonical};
use crate::error::{KeyError, SignatureError};

mod batch;

pub(crate) const SIGNATURE_LENGTH: usize = 64;

/// A public key that passed the strict checks. It is kept decompressed, so that verification is
/// fast.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct VerifyingKey(DalekKey);

impl VerifyingKey {
    /// Refuses non-canonical encodings, bytes that do not encode a point, and points of small
    /// order.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        check_encoding(bytes)?;
        DalekKey::from_bytes(bytes).map(Self).map_err(|_| KeyError::NotOnCurve)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The strict check. There is one error for all faults, because an honest caller cannot use the
    /// reason.
    ///
    /// `R` is not decompressed: the verifier computes its own `R` and compares the canonical
    /// encodings, so an `R` that is not canonical or does not encode a point is never equal. An `R`
    /// of small order is compared with the list of eight.
    pub(crate) fn verify(
        &self,
        message: &[u8],
        signature: &[u8; SIGNATURE_LENGTH],
    ) -> Result<(), SignatureError> {
        let signature = Signature::from_bytes(signature);
        scalar(&signature).ok_or(SignatureError)?;
        self.0.verify(message, &signature).map_err(|_| SignatureError)
    }
}

/// `S`, unless it is not below the group order, or `R` is of small order.
///
/// S-27: dalek checks `S` too, but less strictly if any crate of the program enables its feature
/// `legacy_compatibility`.
fn scalar(signature: &Signature) -> Option<Scalar> {
    #[cfg(test)]
    super::work::count_verification();
    if SMALL_ORDER.contains(signature.r_bytes()) {
        return None;
    }
    Scalar::from_canonical_bytes(*signature.s_bytes()).into()
}

/// SHA-512 of the parts, as a scalar. The hash is wiped where it was computed, because one of the
/// two hashes of a signature is secret.
fn hash_to_scalar(parts: [&[u8]; 3]) -> Scalar {
    let mut hash = Sha512::new();
    for part in parts {
        hash.update(part);
    }
    let mut hash = hash.finalize();
    let scalar = Scalar::from_bytes_mod_order_wide(hash.as_ref());
    hash.as_mut_slice().zeroize();
    scalar
}

/// Checks the bytes of a key without decompressing it: refuses non-canonical encodings and points
/// of small order.
pub(crate) fn check_encoding(bytes: &[u8; 32]) -> Result<(), KeyError> {
    let mut y = *bytes;
    // RFC 8032, 5.1.3: bit 255 is the sign of x, the rest is y.
    if let Some(top) = y.last_mut() {
        *top &= 0x7f;
    }
    if !is_canonical(&y) {
        return Err(KeyError::NonCanonical);
    }
    // Whether a point is of small order depends on y alone.
    if SMALL_ORDER.contains(&y) { Err(KeyError::LowOrder) } else { Ok(()) }
}

/// The eight points of small order, canonically encoded: y = 1, the identity; y = -1, of order 2; y
/// = 0 with both signs, of order 4; and two values of y with both signs, of order 8.
const SMALL_ORDER: [[u8; 32]; 8] = [
    y_with_ends(1, 0, 0),
    y_with_ends(0xec, 0xff, 0x7f),
    y_with_ends(0, 0, 0),
    y_with_ends(0, 0, 0x80),
    y_of_order_8_small(0x05),
    y_of_order_8_small(0x85),
    y_of_order_8_large(0x7a),
    y_of_order_8_large(0xfa),
];

const fn y_with_ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let m = middle;
    [
        first, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m,
        m, m, last,
    ]
}

const fn y_of_order_8_small(last: u8) -> [u8; 32] {
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, last,
    ]
}

const fn y_of_order_8_large(last: u8) -> [u8; 32] {
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, last,
    ]
}

/// A signing key: the 64 bytes that RFC 8032, 5.1.5, derives from a seed, and the public key.
///
/// The public key is not kept decompressed, because signing needs only its encoding.
#[derive(Clone)]
pub(crate) struct ExpandedKey {
    expanded: Secret<64>,
    public: [u8; 32],
}

impl ExpandedKey {
    pub(crate) const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// Signs deterministically, as in RFC 8032, 5.1.6, so a failing random source cannot reveal the
    /// key. The letters are those of the RFC.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        let key = ExpandedSecretKey::from_bytes(self.expanded.as_bytes());
        let mut r = hash_to_scalar([&key.hash_prefix, &[], message]);
        let point = EdwardsPoint::mul_base(&r).compress();
        let k = hash_to_scalar([point.as_bytes(), &self.public, message]);
        let s = k.mul(key.scalar).add(r);
        r.zeroize();
        Signature::from_components(point.to_bytes(), s.to_bytes()).to_bytes()
    }
}

/// A key with its seed. Both are kept, because expanding the seed again would make each signature
/// slower.
#[derive(Clone)]
pub(crate) struct SeededKey {
    seed: Secret<32>,
    key: ExpandedKey,
}

impl SeededKey {
    pub(crate) fn from_seed(seed: Secret<32>) -> Self {
        let expanded = expand(&seed);
        let public = derive_public(&expanded);
        Self { seed, key: ExpandedKey { expanded, public } }
    }

    pub(crate) const fn seed(&self) -> &Secret<32> {
        &self.seed
    }

    pub(crate) const fn key(&self) -> &ExpandedKey {
        &self.key
    }
}

/// A signing key whose seed may be unknown: libolm keeps only the 64 bytes.
///
/// Each form is in its own heap block, for the same reason as [`Apart`](super::secret::Apart):
/// inline, the shorter one would leave old bytes in place.
#[derive(Clone)]
pub(crate) enum SigningKey {
    Seeded(Box<SeededKey>),
    Expanded(Box<ExpandedKey>),
}

impl SigningKey {
    pub(crate) fn from_seed(seed: Secret<32>) -> Self {
        Self::Seeded(Box::new(SeededKey::from_seed(seed)))
    }

    /// A key in libolm's form. S-14: the public key is derived here, never taken from the input,
    /// because signing with a foreign public key reveals the private one.
    ///
    /// S-37: refuses a key whose first or second half is its own public key, a sign of a damaged
    /// store whose nonces would be predictable.
    pub(crate) fn from_expanded(expanded: Secret<64>) -> Result<Self, KeyError> {
        let public = derive_public(&expanded);
        let (scalar, prefix) = (expanded.part::<0, 32>(), expanded.part::<32, 32>());
        let held = scalar.as_bytes().ct_eq(&public) | prefix.as_bytes().ct_eq(&public);
        if_equal(!held, KeyError::PublicInSecret, || {
            Ok(Self::Expanded(Box::new(ExpandedKey { expanded, public })))
        })
    }

    /// A key from a native pickle. The stored public key is right, because the pickle is
    /// authenticated; it is still checked to be a point.
    pub(crate) fn from_seed_and_public(
        seed: Secret<32>,
        public: [u8; 32],
    ) -> Result<Self, KeyError> {
        VerifyingKey::from_bytes(&public)?;
        let key = ExpandedKey { expanded: expand(&seed), public };
        Ok(Self::Seeded(Box::new(SeededKey { seed, key })))
    }

    /// A key in libolm's form from memory that the caller trusts. Only the encoding of the public
    /// key is checked.
    #[cfg(feature = "hazmat")]
    pub(crate) fn from_expanded_and_public(
        expanded: Secret<64>,
        public: [u8; 32],
    ) -> Result<Self, KeyError> {
        check_encoding(&public)?;
        Ok(Self::Expanded(Box::new(ExpandedKey { expanded, public })))
    }

    const fn key(&self) -> &ExpandedKey {
        match self {
            Self::Seeded(seeded) => &seeded.key,
            Self::Expanded(key) => key,
        }
    }

    pub(crate) const fn public(&self) -> &[u8; 32] {
        self.key().public()
    }

    pub(crate) const fn seed(&self) -> Option<&Secret<32>> {
        match self {
            Self::Seeded(seeded) => Some(&seeded.seed),
            Self::Expanded(_) => None,
        }
    }

    pub(crate) const fn expanded(&self) -> &Secret<64> {
        &self.key().expanded
    }

    /// The 64 bytes with the scalar's bits clamped, as libolm stores them (RFC 8032, 5.1.5, step
    /// 2).
    pub(crate) fn clamped(&self) -> Secret<64> {
        let expanded = self.expanded();
        let scalar = clamp_integer(*expanded.part::<0, 32>().as_bytes());
        let prefix = expanded.part::<32, 32>();
        Secret::concat((Secret::new(scalar).as_bytes(), prefix.as_bytes()))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        self.key().sign(message)
    }
}

fn derive_public(expanded: &Secret<64>) -> [u8; 32] {
    #[cfg(test)]
    super::work::count_multiplications(1);
    let key = ExpandedSecretKey::from_bytes(expanded.as_bytes());
    EdwardsPoint::mul_base(&key.scalar).compress().to_bytes()
}

/// RFC 8032, 5.1.5, step 1. The scalar's bits are clamped where it is used.
fn expand(seed: &Secret<32>) -> Secret<64> {
    let mut hash = Sha512::digest(seed.as_bytes());
    let expanded = Secret::new(hash.into());
    hash.as_mut_slice().zeroize();
    expanded
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use curve25519_dalek::constants::EIGHT_TORSION;
    use ed25519_dalek::{Signer, SigningKey as DalekSigningKey};

    use super::*;

    #[test]
    fn the_table_of_small_order_points_is_complete() {
        let torsion: BTreeSet<_> =
            EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()).collect();
        assert_eq!(torsion, BTreeSet::from(SMALL_ORDER));
    }

    /// S-14: for signatures with each small-order `R` and each type of damage, the verdict is that
    /// of the strict check in the dalek crate.
    #[test]
    fn equals_verify_strict() {
        let mut verdicts = [0, 0];
        for seed in 0..16 {
            let key = SigningKey::from_seed(Secret::new([seed; 32]));
            let public = VerifyingKey::from_bytes(key.public()).unwrap();
            let message = [seed; 40];
            let good = key.sign(&message);
            let with_r = |r: &[u8; 32]| {
                let mut signature = good;
                signature[..32].copy_from_slice(r);
                signature
            };
            let flipped = (0..512).map(|bit| {
                let mut signature = good;
                signature[bit / 8] ^= 1 << (bit % 8);
                signature
            });
            let small = SMALL_ORDER.iter().map(with_r);
            for signature in flipped.chain(small).chain([good]) {
                let ours = public.verify(&message, &signature).is_ok();
                let strict = public.0.verify_strict(&message, &Signature::from_bytes(&signature));
                assert_eq!(ours, strict.is_ok());
                verdicts[usize::from(ours)] += 1;
            }
        }
        assert_eq!(verdicts, [16 * 520, 16]);
    }

    /// Signatures are those of the dalek crate, for keys with any seed and in both forms, and for
    /// messages around the lengths at which SHA-512 takes another block.
    #[test]
    fn signs_as_the_crate_does() {
        for seed in 0..16 {
            let seeded = SigningKey::from_seed(Secret::new([seed; 32]));
            let clamped = SigningKey::from_expanded(seeded.clamped()).unwrap();
            let theirs = DalekSigningKey::from_bytes(&[seed; 32]);
            assert_eq!(seeded.public(), theirs.verifying_key().as_bytes());
            for length in (0..64).step_by(9).chain(76..84).chain(108..116).chain(200..203) {
                let message = &[length as u8; 210][..length];
                let expected = theirs.sign(message).to_bytes();
                assert_eq!(seeded.sign(message), expected, "{length}");
                assert_eq!(clamped.sign(message), expected, "{length}");
            }
        }
    }

    /// S-37: a key whose second half is its public key is refused. (Nobody can compute a key whose
    /// first half is its public key, because the scalar would have to encode its own multiple of
    /// the base point.)
    #[test]
    fn a_public_key_is_no_secret() {
        let key = SigningKey::from_seed(Secret::new([7; 32]));
        let mut expanded = key.expanded().clone();
        assert!(SigningKey::from_expanded(expanded.clone()).is_ok());
        let (_, nonce_half) = expanded.as_mut_bytes().split_at_mut(32);
        nonce_half.copy_from_slice(key.public());
        assert_eq!(SigningKey::from_expanded(expanded).err(), Some(KeyError::PublicInSecret));
    }
}
