//! S-14: the library accepts only those Ed25519 signatures on which all implementations agree.
//!
//! The twelve cases are those of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020),
//! made again here, and the test checks that each has the property it is named after. In the
//! letters of RFC 8032: `A` public key, `R` and `S` signature, `B` base point, `L` order of `B`,
//! `h` hash of `R`, `A` and message.

use curve25519_dalek::{
    EdwardsPoint, Scalar, constants::EIGHT_TORSION, edwards::CompressedEdwardsY, traits::IsIdentity,
};
use moceril::{Ed25519PublicKey, Ed25519Signature, olm::Account};
use moceril_testing::rng::SeededRng;
use sha2::{Digest, Sha512};

/// A signature, made with an `A` and `R` of any order.
struct Case {
    a: [u8; 32],
    r: [u8; 32],
    s: [u8; 32],
    message: Vec<u8>,
    /// How `A` and `R` went into the hash, where this is not how they are encoded.
    hashed: [u8; 64],
}

impl Case {
    /// Tries messages until `wanted`. `s` is computed from `h`.
    fn find(
        [a, r]: [[u8; 32]; 2],
        [hashed_a, hashed_r]: [[u8; 32]; 2],
        s: impl Fn(Scalar) -> Scalar,
        wanted: impl Fn(&Self) -> bool,
    ) -> Self {
        let hashed = [hashed_r, hashed_a].concat().try_into().unwrap();
        (0..10_000_u32)
            .map(|number| {
                let message = number.to_be_bytes().to_vec();
                let h = hash(&hashed, &message);
                Self { a, r, s: s(h).to_bytes(), message, hashed }
            })
            .find(wanted)
            .expect("one of eight or so is found")
    }

    fn points(&self) -> [EdwardsPoint; 2] {
        [self.a, self.r].map(|bytes| CompressedEdwardsY(bytes).decompress().unwrap())
    }

    fn h(&self) -> Scalar {
        hash(&self.hashed, &self.message)
    }

    /// `[S]B - R - [h]A`, which has to be zero, with or without the small-order part.
    fn remainder(&self) -> EdwardsPoint {
        let [a, r] = self.points();
        let s = Scalar::from_bytes_mod_order(self.s);
        EdwardsPoint::mul_base(&s) - r - a * self.h()
    }

    fn holds(&self) -> bool {
        self.remainder().is_identity()
    }

    fn holds_times_eight(&self) -> bool {
        self.remainder().mul_by_cofactor().is_identity()
    }

    fn accepted(&self) -> bool {
        let signature = [self.r, self.s].concat().try_into().unwrap();
        Ed25519PublicKey::from_bytes(self.a).is_ok_and(|key| {
            key.verify(&self.message, &Ed25519Signature::from_bytes(signature)).is_ok()
        })
    }
}

fn hash(r_and_a: &[u8; 64], message: &[u8]) -> Scalar {
    let hash = Sha512::digest([r_and_a, message].concat());
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

fn compress(point: EdwardsPoint) -> [u8; 32] {
    point.compress().to_bytes()
}

/// Two numbers, and the points of order 8 and 4.
struct Setting {
    a: Scalar,
    r: Scalar,
    torsion: EdwardsPoint,
}

const ZERO: Scalar = Scalar::ZERO;

impl Setting {
    fn new() -> Self {
        let setting = Self {
            a: Scalar::from_bytes_mod_order([0x61; 32]),
            r: Scalar::from_bytes_mod_order([0x72; 32]),
            torsion: EIGHT_TORSION[1],
        };
        assert!(!(setting.torsion * Scalar::from(4_u8)).is_identity(), "its order is 8");
        setting
    }

    /// `[scalar]B`, of order `L`.
    fn prime(scalar: Scalar) -> EdwardsPoint {
        let point = EdwardsPoint::mul_base(&scalar);
        assert!(point.is_torsion_free() && !point.is_identity());
        point
    }

    /// `[scalar]B` and a small-order part: of order `8L`.
    fn mixed(&self, scalar: Scalar) -> EdwardsPoint {
        let point = Self::prime(scalar) + self.torsion;
        assert!(!point.is_torsion_free() && !point.is_small_order());
        point
    }

    /// A case with these points, encoded and hashed canonically.
    fn case(
        a: EdwardsPoint,
        r: EdwardsPoint,
        s: impl Fn(Scalar) -> Scalar,
        wanted: impl Fn(&Case) -> bool,
    ) -> Case {
        let bytes = [compress(a), compress(r)];
        Case::find(bytes, bytes, s, wanted)
    }
}

/// Cases 0 to 2: `A` or `R` of small order. Nobody, or everybody, could have signed.
#[test]
fn small_order_is_refused() {
    let setting = Setting::new();
    let Setting { a, r, .. } = setting;
    for torsion in EIGHT_TORSION {
        let cases = [
            Setting::case(torsion, torsion, |_| ZERO, Case::holds),
            Setting::case(torsion, Setting::prime(r) + torsion, |_| r, Case::holds),
            Setting::case(setting.mixed(a), torsion, |h| h * a, Case::holds),
        ];
        for (number, case) in cases.iter().enumerate() {
            assert!(case.points().iter().any(EdwardsPoint::is_small_order));
            assert!(case.holds() && !case.accepted(), "case {number}");
            let key = Ed25519PublicKey::from_bytes(case.a);
            assert_eq!(key.is_ok(), number == 2, "a key of small order is refused at parse");
        }
    }
}

/// Cases 3 to 5: the small-order parts of `A` and `R` have to cancel out. Only then do verifying
/// one by one and all verifiers agree.
#[test]
fn the_equation_is_checked_without_the_cofactor() {
    let setting = Setting::new();
    let Setting { a, r, .. } = setting;
    let (mixed_a, mixed_r) = (setting.mixed(a), setting.mixed(r));
    let s = |h: Scalar| r + h * a;

    let case_3 = Setting::case(mixed_a, mixed_r, s, Case::holds);
    assert!(case_3.accepted(), "the holder of a mixed key may sign");

    let only_times_eight = |case: &Case| !case.holds();
    let case_4 = Setting::case(mixed_a, mixed_r, s, only_times_eight);
    assert!(case_4.holds_times_eight() && !case_4.accepted());

    // Multiplying h by eight before reducing it modulo L gives another point.
    let eight_h_differs = |case: &Case| {
        let eight_h = case.h() * Scalar::from(8_u8);
        !case.holds() && !(setting.torsion * eight_h).is_identity()
    };
    let case_5 = Setting::case(mixed_a, Setting::prime(r), s, eight_h_differs);
    assert!(case_5.holds_times_eight() && !case_5.accepted());
}

/// Adds `L` to a little-endian number, unless that overflows.
fn plus_l(number: [u8; 32]) -> Option<[u8; 32]> {
    // L is one more than the largest scalar.
    let mut l = (ZERO - Scalar::ONE).to_bytes();
    l[0] += 1;
    let mut carry = 0;
    let sum = std::array::from_fn(|place| {
        let byte = u16::from(number[place]) + u16::from(l[place]) + carry;
        carry = byte >> 8;
        byte as u8
    });
    (carry == 0).then_some(sum)
}

/// Cases 6 and 7: `S` of `L` or more, a little or as much as fits, would be a second signature.
#[test]
fn s_is_below_l() {
    let Setting { a, r, .. } = Setting::new();
    let good = Setting::case(Setting::prime(a), Setting::prime(r), |h| r + h * a, Case::holds);
    assert!(good.accepted());
    let mut s = good.s;
    let mut count = 0;
    while let Some(larger) = plus_l(s) {
        s = larger;
        count += 1;
        let case = Case { s, message: good.message.clone(), ..good };
        assert!(case.holds() && !case.accepted(), "S + {count} L");
    }
    assert_eq!(count, 15);
}

/// S-14: the same for a signature of the library's own.
#[test]
fn our_own_signatures_have_no_second_form() {
    let account = Account::with_rng(&mut SeededRng::new(14)).unwrap();
    let signature = account.sign(b"message");
    let key = account.ed25519_key();
    key.verify(b"message", &signature).unwrap();
    let (r, s) = signature.as_bytes().split_at(32);
    let mut s: [u8; 32] = s.try_into().unwrap();
    while let Some(larger) = plus_l(s) {
        s = larger;
        let other = Ed25519Signature::from_bytes([r, &s].concat().try_into().unwrap());
        assert!(key.verify(b"message", &other).is_err());
    }
    for bit in 0..512 {
        let mut altered = *signature.as_bytes();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(key.verify(b"message", &Ed25519Signature::from_bytes(altered)).is_err());
    }
}

/// Cases 8 to 11: `R` or `A` in an encoding that is not its own, hashed as it would be encoded or
/// as it is. Every such encoding of a point of small order is tried: only of these can the maker of
/// a signature know what the verifier computes.
#[test]
fn other_encodings_are_refused() {
    let setting = Setting::new();
    let Setting { a, r, .. } = setting;
    let mixed_a = compress(setting.mixed(a));
    for odd in other_encodings() {
        let point = CompressedEdwardsY(odd).decompress().unwrap();
        let canonical = compress(point);
        assert!(point.is_small_order() && canonical != odd);
        let r_point = compress(Setting::prime(r) + point);
        for hashed in [canonical, odd] {
            let with_r = Case::find([mixed_a, odd], [mixed_a, hashed], |h| h * a, Case::holds);
            let with_a = Case::find([odd, r_point], [hashed, r_point], |_| r, Case::holds);
            for case in [with_r, with_a] {
                assert!(case.holds() && !case.accepted(), "{odd:02x?}");
            }
        }
        assert!(Ed25519PublicKey::from_bytes(odd).is_err());
    }
}

/// y = p and p + 1 in place of 0 and 1, with both signs of x; y = 1 and p - 1 with the sign that
/// zero does not have.
fn other_encodings() -> [[u8; 32]; 6] {
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    let mut one = [0; 32];
    one[0] = 1;
    let with = |mut bytes: [u8; 32], first: u8, last: u8| {
        (bytes[0], bytes[31]) = (first, last);
        bytes
    };
    [
        p,
        with(p, 0xed, 0xff),
        with(p, 0xee, 0x7f),
        with(p, 0xee, 0xff),
        with(one, 0x01, 0x80),
        with(p, 0xec, 0xff),
    ]
}
