//! Which public keys a strict library refuses.

use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, Scalar, edwards::CompressedEdwardsY};

/// 2^255 - 19, little-endian.
const P: [u8; 32] = {
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    p
};

fn is_below_p(bytes: &[u8; 32]) -> bool {
    bytes.iter().rev().cmp(P.iter().rev()).is_lt()
}

/// Whether a Curve25519 key is canonical and not of low order (S-01).
pub fn is_good_curve25519(key: &[u8]) -> bool {
    let Ok(key) = <[u8; 32]>::try_from(key) else { return false };
    let point = MontgomeryPoint(key);
    // Clamped scalars are multiples of 8: they send exactly the points of low order to zero.
    is_below_p(&key) && point.mul_clamped([0; 32]) != MontgomeryPoint([0; 32])
}

fn decompress(key: [u8; 32]) -> Option<EdwardsPoint> {
    let mut y = key;
    y[31] &= 0x7f;
    let point = CompressedEdwardsY(key).decompress()?;
    (is_below_p(&y) && point.compress().0 == key).then_some(point)
}

/// Whether an Ed25519 key is a point, canonical and not of low order (S-14).
pub fn is_good_ed25519(key: &[u8]) -> bool {
    let Ok(key) = <[u8; 32]>::try_from(key) else { return false };
    decompress(key).is_some_and(|point| !point.is_small_order())
}

/// Whether a signature has a reduced S and an R that is not of low order (S-14).
pub fn is_good_signature(signature: &[u8]) -> bool {
    let Some((r, s)) = signature.split_first_chunk::<32>() else { return false };
    let Some(s) = s.first_chunk::<32>() else { return false };
    is_good_ed25519(r) && bool::from(Scalar::from_canonical_bytes(*s).is_some())
}

/// S + L: another encoding of the same scalar.
pub fn add_order(s: &mut [u8; 32]) {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, order) in s.iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
}

/// Whether the halves of an X25519 pair belong together.
pub fn is_x25519_pair(public: &[u8], private: &[u8]) -> bool {
    let private = private.try_into().expect("32 bytes");
    MontgomeryPoint::mul_base_clamped(private).0 == public
}

/// Whether the halves of an Ed25519 pair belong together, and neither half of the private key is
/// the public one (S-37).
pub fn is_ed25519_pair(public: &[u8], private: &[u8]) -> bool {
    let (scalar, prefix) = private.split_at(32);
    let clamped = curve25519_dalek::scalar::clamp_integer(scalar.try_into().expect("32 bytes"));
    let derived = EdwardsPoint::mul_base_clamped(clamped).compress();
    derived.0 == public && scalar != public && prefix != public
}

/// Whether the scalar of an Ed25519 private key is one that comes from a seed.
pub fn is_clamped(private: &[u8]) -> bool {
    private[0] & 0b111 == 0 && private[31] & 0b1100_0000 == 0b0100_0000
}

/// Keys that a strict library refuses: low order (the first seven), and not canonical.
pub const BAD_CURVE25519: [[u8; 32]; 10] = {
    let order_8_a = *b"\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a\xda\x09\x8d\xeb\x9c\x32\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8\x00";
    let order_8_b = *b"\x5f\x9c\x95\xbc\xa3\x50\x8c\x24\xb1\xd0\xb1\x55\x9c\x83\xef\x5b\x04\x44\x5c\xc4\x58\x1c\x8e\x86\xd8\x22\x4e\xdd\xd0\x9f\x11\x57";
    let mut keys = [[0; 32], [0; 32], P, P, P, order_8_a, order_8_b, [9; 32], [0xff; 32], P];
    keys[1][0] = 1;
    keys[3][0] = 0xec;
    keys[4][0] = 0xee;
    keys[7][31] = 0x89;
    keys[9][0] = 0xf6;
    keys
};
