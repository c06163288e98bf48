//! An owner of a signing key whose signatures do not follow RFC 8032.

use curve25519_dalek::{EdwardsPoint, Scalar, scalar::clamp_integer};
use sha2::{Digest, Sha512};

/// `a` and `A` of a key.
pub struct Signer {
    secret: Scalar,
    public: [u8; 32],
}

impl Signer {
    /// The key of this seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let hash = Sha512::digest(seed);
        let secret = Scalar::from_bytes_mod_order(clamp_integer(hash[..32].try_into().unwrap()));
        Self { secret, public: EdwardsPoint::mul_base(&secret).compress().to_bytes() }
    }

    /// The key to which a point of small order was added.
    pub fn plus(self, torsion: EdwardsPoint) -> Self {
        let public = EdwardsPoint::mul_base(&self.secret) + torsion;
        Self { public: public.compress().to_bytes(), ..self }
    }

    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// A signature with `R = [r]B` and a point of small order. With the identity as that point it
    /// is good, otherwise only for those who multiply the equation by eight.
    pub fn sign(&self, message: &[u8], r: u64, torsion: EdwardsPoint) -> [u8; 64] {
        let r = Scalar::from(r);
        let r_point = (EdwardsPoint::mul_base(&r) + torsion).compress().to_bytes();
        let hash = Sha512::digest([&r_point, &self.public, message].concat());
        let s = r + Scalar::from_bytes_mod_order_wide(&hash.into()) * self.secret;
        [r_point, s.to_bytes()].concat().try_into().unwrap()
    }
}

/// A signature with the group order added to its `S`.
pub fn plus_group_order(mut signature: [u8; 64]) -> [u8; 64] {
    // One less than the order is the largest scalar.
    let order = (Scalar::ZERO - Scalar::ONE).to_bytes();
    let mut carry = 1;
    for (byte, order) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    signature
}
