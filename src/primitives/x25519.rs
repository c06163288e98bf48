//! How a private key is multiplied with a peer's public key: one choice, explained here.
//!
//! X25519 is defined on Montgomery's form of the curve, where it takes a ladder of 255 steps. The same
//! curve has Edwards' form, whose scalar multiplication runs in vector registers on x86-64 and
//! takes two thirds of the time, the way there and back included; the u-coordinate that comes out
//! is the same. Where there are no vectors, and for points that have no Edwards form (they lie on the
//! twist), the ladder is used. The choice depends on the peer's public key and nothing else. Both ways
//! are constant-time in the private key.

use curve25519_dalek::{EdwardsPoint, MontgomeryPoint};

/// A peer's public key, made ready to be multiplied, perhaps more than once: finding the Edwards form
/// costs a fifth of an agreement.
pub(crate) enum Peer {
    Edwards(EdwardsPoint),
    Ladder(MontgomeryPoint),
}

impl Peer {
    pub(crate) fn new(public: &[u8; 32]) -> Self {
        let point = MontgomeryPoint(*public);
        // Either of the two points with this u-coordinate will do: they differ in sign, and so do their
        // multiples, which u does not see.
        match point.to_edwards(0) {
            Some(edwards) if cfg!(target_arch = "x86_64") => Self::Edwards(edwards),
            _ => Self::Ladder(point),
        }
    }

    /// The u-coordinate of the clamped private key times this point.
    pub(crate) fn multiply(&self, private: &[u8; 32]) -> MontgomeryPoint {
        match self {
            Self::Edwards(point) => point.mul_clamped(*private).to_montgomery(),
            Self::Ladder(point) => point.mul_clamped(*private),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(counter: u64) -> [u8; 32] {
        crate::primitives::kdf::sha256(&[&counter.to_be_bytes()])
    }

    /// Both ways give what x25519-dalek gives: for random private keys and random u-coordinates, half of
    /// which are on the twist.
    #[test]
    fn equals_the_ladder() {
        let (mut curve, mut twist) = (0, 0);
        for counter in 0..400 {
            let (private, mut public) = (bytes(2 * counter), bytes(2 * counter + 1));
            public[31] &= 0x7f;
            let peer = Peer::new(&public);
            match peer {
                Peer::Edwards(_) => curve += 1,
                Peer::Ladder(_) => twist += 1,
            }
            let expected = x25519_dalek::x25519(private, public);
            assert_eq!(peer.multiply(&private).to_bytes(), expected, "{counter}");
        }
        assert!(twist > 100, "the ladder was used {twist} times");
        assert!(
            curve > 100 || !cfg!(target_arch = "x86_64"),
            "Edwards' form was used {curve} times"
        );
    }
}
