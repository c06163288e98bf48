//! The scalar multiplication of X25519, in one of two forms of the curve.
//!
//! X25519 is defined on the Montgomery form of the curve, where it takes a ladder of 255 steps. The
//! same curve has an Edwards form, which gives the same u-coordinate. Where the scalar
//! multiplication there uses vector registers, it takes two thirds of the time, including the
//! conversions. Everywhere else, one agreement takes a quarter more, and the agreements of a new
//! session or a turn of a conversation, which share conversions and inversions, take as long as
//! with the ladder.
//!
//! So the Edwards form is used with vector registers, for points that have an Edwards form; the
//! other points are on the twist. The choice depends only on the build, the processor and the
//! peer's public key. Both forms take constant time for any private key.

use alloc::vec::Vec;

use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, traits::Identity};
use zeroize::{Zeroize, Zeroizing};

use super::backend::is_vectorized;

/// A peer's public key, converted for multiplication. It can be used for several agreements: the
/// conversion to the Edwards form takes a fifth of an agreement.
#[derive(Clone)]
pub(crate) enum PeerPoint {
    Edwards(EdwardsPoint),
    Ladder(MontgomeryPoint),
}

impl PeerPoint {
    pub(crate) fn new(public: &[u8; 32]) -> Self {
        #[cfg(test)]
        super::work::count_conversion();
        // The conversion is the second condition, so that it is not done where it is of no use.
        let edwards = if is_vectorized() { Self::in_edwards_form(public) } else { None };
        edwards.unwrap_or(Self::Ladder(MontgomeryPoint(*public)))
    }

    /// Either of the two points with this u-coordinate is right: they differ in sign, as their
    /// multiples do, and the u-coordinate does not depend on the sign.
    fn in_edwards_form(public: &[u8; 32]) -> Option<Self> {
        MontgomeryPoint(*public).to_edwards(0).map(Self::Edwards)
    }

    /// The u-coordinate of the clamped private key times this point.
    pub(crate) fn multiply(&self, private: &[u8; 32]) -> MontgomeryPoint {
        #[cfg(test)]
        super::work::count_multiplications(1);
        match self {
            Self::Edwards(point) => point.mul_clamped(*private).to_montgomery(),
            Self::Ladder(point) => point.mul_clamped(*private),
        }
    }

    /// Several [`multiply`](Self::multiply), which is faster together if all peers are in Edwards
    /// form.
    pub(crate) fn multiply_all<const N: usize>(
        factors: [(&Self, &[u8; 32]); N],
    ) -> [MontgomeryPoint; N] {
        // Decided before the first multiplication, so no choice of keys makes us compute a product
        // twice (S-45).
        let all_edwards = factors.iter().all(|(peer, _)| matches!(peer, Self::Edwards(_)));
        let mut points = [EdwardsPoint::identity(); N];
        for (point, (peer, private)) in points.iter_mut().zip(factors) {
            match peer {
                Self::Edwards(peer) if all_edwards => {
                    #[cfg(test)]
                    super::work::count_multiplications(1);
                    *point = peer.mul_clamped(*private);
                }
                _ => return factors.map(|(peer, private)| peer.multiply(private)),
            }
        }
        together(points)
    }

    /// The public key of the private one, and its product with this point.
    pub(crate) fn public_and_product(&self, private: &[u8; 32]) -> [MontgomeryPoint; 2] {
        #[cfg(test)]
        super::work::count_multiplications(1);
        let public = EdwardsPoint::mul_base_clamped(*private);
        match self {
            Self::Edwards(point) => {
                #[cfg(test)]
                super::work::count_multiplications(1);
                together([public, point.mul_clamped(*private)])
            }
            Self::Ladder(_) => [public.to_montgomery(), self.multiply(private)],
        }
    }
}

/// The public keys of many private keys, in their order.
pub(crate) fn public_keys<'a>(private: impl Iterator<Item = &'a [u8; 32]>) -> Vec<[u8; 32]> {
    let mut points: Vec<_> = private.map(|key| EdwardsPoint::mul_base_clamped(*key)).collect();
    #[cfg(test)]
    super::work::count_multiplications(points.len());
    let coordinates = u_coordinates(&points);
    points.iter_mut().for_each(Zeroize::zeroize);
    coordinates.iter().map(MontgomeryPoint::to_bytes).collect()
}

fn together<const N: usize>(mut points: [EdwardsPoint; N]) -> [MontgomeryPoint; N] {
    let coordinates = u_coordinates(&points);
    let mut coordinates = coordinates.iter().copied();
    let products =
        points.each_ref().map(|point| coordinates.next().unwrap_or_else(|| point.to_montgomery()));
    points.iter_mut().for_each(Zeroize::zeroize);
    products
}

/// The u-coordinate of each point. The points share one inversion, which for a single point takes a
/// tenth of an agreement, and a fifth of making a key pair.
///
/// dalek frees here, without wiping it, the inverse of `Z - Y` of each point. Without `Z`, which
/// nobody can guess, it says nothing about the u-coordinate, `(Z + Y) / (Z - Y)`. Where that is
/// public, as for a key pair, `Z` follows from both, and with it perhaps a few bits of the scalar
/// (SECURITY.md).
fn u_coordinates(points: &[EdwardsPoint]) -> Zeroizing<Vec<MontgomeryPoint>> {
    let mut coordinates = Zeroizing::new(EdwardsPoint::to_montgomery_batch(points));
    // This always holds. A key pair without its coordinate would publish a key of zeros (S-47).
    if coordinates.len() != points.len() {
        *coordinates = points.iter().map(EdwardsPoint::to_montgomery).collect();
    }
    coordinates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(counter: u64) -> [u8; 32] {
        crate::primitives::kdf::sha256(&[&counter.to_be_bytes()])
    }

    fn ladder(public: [u8; 32]) -> PeerPoint {
        PeerPoint::Ladder(MontgomeryPoint(public))
    }

    /// Every form that a public key has, on this processor and on others.
    fn forms(public: [u8; 32]) -> impl Iterator<Item = PeerPoint> {
        PeerPoint::in_edwards_form(&public).into_iter().chain([ladder(public)])
    }

    /// Several products computed together are the same as one by one, in any combination of forms.
    #[test]
    fn several_at_once() {
        let private = [bytes(0), bytes(1), bytes(2)];
        let mut ladders = [0; 4];
        for counter in 0..40 {
            let peers = [3, 4, 5].map(|number| {
                let public = bytes(9 * counter + number);
                PeerPoint::in_edwards_form(&public).unwrap_or(ladder(public))
            });
            let factors = [0, 1, 2].map(|place| (&peers[place], &private[place]));
            let expected = factors.map(|(peer, private)| peer.multiply(private));
            assert_eq!(PeerPoint::multiply_all(factors), expected, "{counter}");
            ladders[peers.iter().filter(|peer| matches!(peer, PeerPoint::Ladder(_))).count()] += 1;
        }
        assert!(ladders.iter().all(|count| *count > 0), "{ladders:?}");
        let alone =
            private.map(|key| x25519_dalek::x25519(key, x25519_dalek::X25519_BASEPOINT_BYTES));
        assert_eq!(public_keys(private.iter()), alone);
        for number in 0..20 {
            for peer in forms(bytes(number)) {
                let expected = [MontgomeryPoint(alone[0]), peer.multiply(&private[0])];
                assert_eq!(peer.public_and_product(&private[0]), expected, "{number}");
            }
        }
    }

    /// Both forms give the result of x25519-dalek, for random private keys and random
    /// u-coordinates, half of which are on the twist.
    #[test]
    fn equals_the_ladder() {
        let mut products = 0;
        for counter in 0..400 {
            let (private, mut public) = (bytes(2 * counter), bytes(2 * counter + 1));
            public[31] &= 0x7f;
            let expected = x25519_dalek::x25519(private, public);
            for peer in forms(public).chain([PeerPoint::new(&public)]) {
                assert_eq!(peer.multiply(&private).to_bytes(), expected, "{counter}");
                products += 1;
            }
        }
        // 400 ladders, 400 of the form that this processor uses, and those that are on the curve.
        assert!((900..1100).contains(&products), "{products}");
    }

    /// The build and the processor determine the form, and a key on the twist takes the ladder on
    /// all of them.
    #[test]
    fn the_faster_form_is_chosen() {
        let on_the_curve = |public: &_| PeerPoint::in_edwards_form(public).is_some();
        let keys = || (0..100).map(bytes);
        assert!(keys().any(|public| on_the_curve(&public)));
        for public in keys() {
            let edwards = matches!(PeerPoint::new(&public), PeerPoint::Edwards(_));
            assert_eq!(edwards, is_vectorized() && on_the_curve(&public));
        }
    }
}
