//! Verification of many signatures under one key.
//!
//! S-15: each signature is verified by its own equation, the one of [`VerifyingKey::verify`]: `R`
//! must be the encoding of `[S]B - [k]A`. The signatures of a batch share the inversion that an
//! encoding needs and, if there are enough of them, tables of multiples of `B` and `A`. So there is
//! no randomness, a bad signature needs no search, and a verdict does not depend on the order or on
//! the other signatures.
//!
//! Why not one equation for all with random coefficients: it takes half the time, but with a
//! probability of up to a half it does not detect a small-order component of an `R`. Detecting
//! those as reliably as a forged signature takes 128 sums, each of a random half of the `R`s and
//! multiplied by the group order. For 1,000 signatures this takes all the time that was saved, and
//! for fewer it takes more. `benches/README.md` has the numbers.

use alloc::vec::Vec;
use core::ops::{Add, AddAssign, Neg, SubAssign};

use curve25519_dalek::{
    EdwardsPoint, Scalar, constants::ED25519_BASEPOINT_POINT, traits::Identity,
};
use ed25519_dalek::Signature;

use super::{super::backend::has_avx512, SIGNATURE_LENGTH, VerifyingKey, hash_to_scalar};

/// Number of points that are encoded together and share one inversion. An inversion for each point
/// would take a tenth of a verification.
const ENCODED_TOGETHER: usize = 16;

impl VerifyingKey {
    /// The result of [`verify`](Self::verify) for each message and its signature: `true` if it is
    /// valid.
    pub(crate) fn verify_each(&self, signed: &[(&[u8], &[u8; SIGNATURE_LENGTH])]) -> Vec<bool> {
        // With AVX-512 a product by itself takes less time than the additions of points from
        // tables, which are not vectorized.
        let shape = Shape::for_count(signed.len()).filter(|_| !has_avx512());
        self.verify_with(&Products::new(self, shape), signed)
    }

    fn verify_with(
        &self,
        products: &Products,
        signed: &[(&[u8], &[u8; SIGNATURE_LENGTH])],
    ) -> Vec<bool> {
        let mut verdicts = Vec::with_capacity(signed.len());
        for signed in signed.chunks(ENCODED_TOGETHER) {
            let (possible, points): (Vec<_>, Vec<_>) = signed
                .iter()
                .map(|(message, signature)| match self.scalars(message, signature) {
                    Some((k, s)) => (true, products.sum(k, s)),
                    None => (false, EdwardsPoint::identity()),
                })
                .unzip();
            let encoded = EdwardsPoint::compress_batch_alloc(&points);
            for ((_, signature), (possible, r)) in signed.iter().zip(possible.iter().zip(&encoded))
            {
                verdicts.push(*possible && signature.starts_with(r.as_bytes()));
            }
        }
        verdicts
    }

    /// `k` and `S`, unless `S` is not below the group order or `R` is of small order.
    fn scalars(
        &self,
        message: &[u8],
        signature: &[u8; SIGNATURE_LENGTH],
    ) -> Option<(Scalar, Scalar)> {
        let signature = Signature::from_bytes(signature);
        let s = super::scalar(&signature)?;
        let k = hash_to_scalar([signature.r_bytes(), self.as_bytes(), message]);
        Some((k, s))
    }
}

/// How the products of a batch are computed.
enum Products {
    /// Each product separately; the point is the negative of the key.
    Single(EdwardsPoint),
    /// With tables of multiples of the negative key and of the base point.
    WithTables { minus_a: Multiples, base: Multiples, shape: Shape },
}

impl Products {
    fn new(key: &VerifyingKey, shape: Option<Shape>) -> Self {
        let minus_a = key.0.to_edwards().neg();
        match shape {
            None => Self::Single(minus_a),
            Some(shape) => Self::WithTables {
                minus_a: Multiples::new(minus_a, shape),
                base: Multiples::new(ED25519_BASEPOINT_POINT, shape),
                shape,
            },
        }
    }

    /// `[S]B - [k]A`, in variable time: points and scalars are public.
    fn sum(&self, k: Scalar, s: Scalar) -> EdwardsPoint {
        match self {
            Self::Single(minus_a) => {
                EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, minus_a, &s)
            }
            Self::WithTables { minus_a, base, shape } => {
                sum_of_products(&[(minus_a, k), (base, s)], *shape)
            }
        }
    }
}

/// How scalars are recoded into signed digits. This changes the time of a batch, but not its
/// result.
#[derive(Clone, Copy)]
struct Shape {
    /// Number of bits of a digit, a multiple of three.
    width: u32,
    /// Only digit positions divisible by this number have a table. The other positions are computed
    /// in further rounds with the same tables, with doublings in between. More rounds take more
    /// doublings, but save additions for making tables.
    rounds: usize,
}

/// The largest number of digits: 253 bits make ⌈253/6⌉ = 43 signed digits of 6 bits; the top digit
/// has room for the carry.
const MAX_DIGITS: usize = 43;

impl Shape {
    /// The fastest shape for this number of signatures, as measured. `None` if there are so few
    /// that making a table takes longer than it saves.
    const fn for_count(count: usize) -> Option<Self> {
        match count {
            0..24 => None,
            24..64 => Some(Self { width: 6, rounds: 4 }),
            64..512 => Some(Self { width: 6, rounds: 2 }),
            _ => Some(Self { width: 9, rounds: 2 }),
        }
    }

    /// The greatest digit, and the number of points in a table.
    const fn half(self) -> usize {
        1 << self.width.saturating_sub(1)
    }

    const fn tables(self) -> usize {
        254_usize.div_ceil(self.width as usize).div_ceil(self.rounds)
    }

    /// The signed digits, least significant first, each from `1 - half` to `half`.
    fn digits(self, scalar: &Scalar) -> [i16; MAX_DIGITS] {
        let number =
            |bytes: &[u8]| bytes.iter().rfold(0, |number, byte| number << 8 | u128::from(*byte));
        let (low, high) = scalar.as_bytes().split_at(16);
        let (mut low, mut high) = (number(low), number(high));
        let (mut carry, half) = (0, self.half() as i16);
        let unit = half.saturating_mul(2);
        let mut digits = [0; MAX_DIGITS];
        for digit in &mut digits {
            let value = (low as i16 & unit.saturating_sub(1)).saturating_add(carry);
            carry = i16::from(value > half);
            *digit = value.saturating_sub(carry.saturating_mul(unit));
            low = low >> self.width | high << u128::BITS.saturating_sub(self.width);
            high >>= self.width;
        }
        digits
    }

    /// The point times `2^width`.
    fn next_place(self, point: &EdwardsPoint) -> EdwardsPoint {
        // Each step multiplies by the cofactor, 8, which is three doublings.
        (0..self.width / 3).fold(*point, |point, _| point.mul_by_cofactor())
    }
}

/// For each digit position that has a table, the multiples of the position's point by 1 to `half`.
struct Multiples(Vec<EdwardsPoint>);

impl Multiples {
    fn new(mut point: EdwardsPoint, shape: Shape) -> Self {
        let mut multiples = Vec::with_capacity(shape.tables().saturating_mul(shape.half()));
        for _ in 0..shape.tables() {
            let products = core::iter::successors(Some(point), |product| Some(product.add(point)));
            multiples.extend(products.take(shape.half()));
            point = (0..shape.rounds).fold(point, |point, _| shape.next_place(&point));
        }
        Self(multiples)
    }
}

/// The sum of the products of points and scalars, in variable time.
fn sum_of_products(factors: &[(&Multiples, Scalar); 2], shape: Shape) -> EdwardsPoint {
    let factors = factors.each_ref().map(|(multiples, scalar)| (multiples, shape.digits(scalar)));
    let mut sum = EdwardsPoint::identity();
    for round in (0..shape.rounds).rev() {
        if round < shape.rounds.saturating_sub(1) {
            sum = shape.next_place(&sum);
        }
        for (multiples, digits) in &factors {
            let digits = digits.iter().skip(round).step_by(shape.rounds);
            for (digit, products) in digits.zip(multiples.0.chunks_exact(shape.half())) {
                // The digit 0 has no product.
                let place = usize::from(digit.unsigned_abs()).wrapping_sub(1);
                match (digit.signum(), products.get(place)) {
                    (1, Some(product)) => sum.add_assign(product),
                    (-1, Some(product)) => sum.sub_assign(product),
                    _ => {}
                }
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use curve25519_dalek::constants::EIGHT_TORSION;

    use super::*;
    use crate::primitives::{
        ed25519::{SMALL_ORDER, SigningKey},
        secret::Secret,
    };

    /// The numbers of signatures around each number at which another shape begins.
    const COUNTS: [usize; 12] = [0, 1, 15, 16, 17, 23, 24, 63, 64, 65, 511, 513];

    /// The least and greatest scalars, and scalars with every type of digit: carries through the
    /// whole number, the greatest and the least digits.
    fn scalars() -> Vec<Scalar> {
        let patterns = [0x00, 0x01, 0x0f, 0x55, 0x77, 0x7f, 0x80, 0x81, 0xaa, 0xf8, 0xff];
        let mut scalars = vec![Scalar::ZERO, Scalar::ONE, Scalar::ZERO - Scalar::ONE];
        scalars.extend(patterns.map(|byte| {
            let mut bytes = [byte; 32];
            bytes[31] &= 0x0f;
            Scalar::from_bytes_mod_order(bytes)
        }));
        scalars
    }

    /// The digits sum up to the scalar, and a table has the multiple for each digit.
    #[test]
    fn digits_are_those_of_the_scalar() {
        for shape in [24, 64, 512].map(|count| Shape::for_count(count).unwrap()) {
            let (unit, half) = (Scalar::from(1_u64 << shape.width), shape.half() as i16);
            for scalar in scalars() {
                let digits = shape.digits(&scalar);
                assert!(digits.iter().all(|digit| (1 - half..=half).contains(digit)));
                let sum = digits.iter().rev().fold(Scalar::ZERO, |sum, digit| {
                    let value = Scalar::from(digit.unsigned_abs());
                    sum * unit + if *digit < 0 { -value } else { value }
                });
                assert_eq!(sum, scalar);
            }
        }
    }

    /// Shapes change only the time of a batch, so no other test would fail.
    #[test]
    fn the_shapes_are_those_that_were_measured() {
        let shape = |count| Shape::for_count(count).map(|shape| (shape.width, shape.rounds));
        for (first, last, expected) in [
            (0, 23, None),
            (24, 63, Some((6, 4))),
            (64, 511, Some((6, 2))),
            (512, usize::MAX, Some((9, 2))),
        ] {
            assert_eq!((shape(first), shape(last)), (expected, expected));
        }
    }

    /// S-15: with tables of every shape the product is right, also for a point with a small-order
    /// component, for which a scalar and the scalar plus the group order give different products.
    #[test]
    fn equals_the_plain_product() {
        for shape in [24, 64, 512].map(|count| Shape::for_count(count).unwrap()) {
            for torsion in EIGHT_TORSION {
                let a = EdwardsPoint::mul_base(&Scalar::from(5_u8)) + torsion;
                let a_table = Multiples::new(a, shape);
                let b_table = Multiples::new(ED25519_BASEPOINT_POINT, shape);
                for k in scalars() {
                    for s in scalars() {
                        let sum = sum_of_products(&[(&a_table, k), (&b_table, s)], shape);
                        assert_eq!(sum, a * k + EdwardsPoint::mul_base(&s));
                    }
                }
            }
        }
    }

    /// S-15: in a batch of any size, with tables of every shape and without, each signature has the
    /// same verdict as alone, while every other one is valid or damaged: any byte flipped, the
    /// group order added to `S`, an `R` of small order.
    #[test]
    fn equals_single_verification() {
        let key = SigningKey::from_seed(Secret::new([1; 32]));
        let damaged = |number: usize| {
            let message = [number as u8; 5];
            let mut signature = key.sign(&message);
            match number % 7 {
                0 => signature[number % 64] ^= 1 << (number % 8),
                2 => signature[..32].copy_from_slice(&SMALL_ORDER[number % 8]),
                // Setting bit 252 of `S` makes it exceed the group order; no lower bit does.
                4 => signature[63] |= 0x10,
                _ => {}
            }
            (message, signature)
        };
        let all: Vec<_> = (0..513).map(damaged).collect();
        let public = VerifyingKey::from_bytes(key.public()).unwrap();
        for count in COUNTS {
            let signed: Vec<_> = all[..count].iter().map(|(m, s)| (&m[..], s)).collect();
            let single: Vec<_> = signed.iter().map(|(m, s)| public.verify(m, s).is_ok()).collect();
            assert_eq!(public.verify_each(&signed), single);
            // The processor decides which is used; each must be right.
            for shape in [0, 24, 64, 512].map(Shape::for_count) {
                let (products, few) = (Products::new(&public, shape), count.min(17));
                let verdicts = public.verify_with(&products, &signed[..few]);
                assert_eq!(verdicts, single[..few]);
            }
            assert!(count < 7 || (single.contains(&true) && single.contains(&false)));
        }
    }
}
