//! S-01 and S-14: every function that reads a public key refuses an invalid one.
//!
//! With a key of low order, an agreement is the same for every private key. If a key has two
//! encodings, equal keys look different. No honest party has such a key.

use std::time::Duration;

use base64ct::{Base64, Base64Unpadded, Encoding};
use curve25519_dalek::{
    MontgomeryPoint, Scalar, constants::EIGHT_TORSION, edwards::CompressedEdwardsY,
};
use moceril::{
    Curve25519PublicKey, DecodeError, Ed25519PublicKey, KeyError,
    megolm::{
        DecryptionError, ExportedSessionKey, GroupSession, InboundGroupSession, SessionKey,
        SessionKeyError,
    },
};
use moceril_testing::{
    fixtures::VERSIONS,
    forge::{Forger, Kind, PLAINTEXT, Refusal, Value, encode_all},
    naive,
};

/// p + `distance`, little-endian, for a distance between -19 and 18.
fn p_plus(distance: i8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed_u8.wrapping_add_signed(distance);
    bytes[31] = 0x7f;
    bytes
}

fn with_top_bit(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes[31] |= 0x80;
    bytes
}

fn small(value: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = value;
    bytes
}

/// The canonical u-coordinates of low order: of the curve's small subgroup, and p - 1 of its twist.
fn low_order() -> Vec<[u8; 32]> {
    let mut keys: Vec<_> = EIGHT_TORSION.map(|point| point.to_montgomery().to_bytes()).to_vec();
    keys.extend([small(1), p_plus(-1)]);
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Every Curve25519 key that has to be refused, and why: those of low order, and other encodings of
/// these and of harmless keys.
fn bad_curve25519_keys() -> Vec<([u8; 32], KeyError)> {
    let low_order = low_order();
    let not_reduced = (0..=18).map(p_plus);
    let with_top_bit = low_order
        .iter()
        .copied()
        .chain([small(9), p_plus(-2)])
        .chain(not_reduced.clone())
        .map(with_top_bit);
    let non_canonical: Vec<_> = not_reduced.chain(with_top_bit).collect();
    let low_order = low_order.into_iter().map(|key| (key, KeyError::LowOrder));
    low_order.chain(non_canonical.into_iter().map(|key| (key, KeyError::NonCanonical))).collect()
}

/// The tables above are what they say, by the arithmetic of the curve.
#[test]
fn the_tables_are_right() {
    let times_eight = |key: [u8; 32]| (MontgomeryPoint(key) * Scalar::from(8_u8)).to_bytes();
    assert_eq!(low_order().len(), 5, "0, 1, p - 1 and two of order 8");
    for key in low_order() {
        assert_eq!(times_eight(key), [0; 32]);
        assert_eq!(naive::crypto::ecdh(&[0x77; 32], &key), [0; 32]);
    }
    for key in [small(2), small(9), p_plus(-2)] {
        assert_ne!(times_eight(key), [0; 32]);
    }
    // Reduced by the library that computes with it, each other encoding is another key's.
    for (key, error) in bad_curve25519_keys() {
        let canonical = (MontgomeryPoint(key) * Scalar::ONE).to_bytes() == key;
        assert!(error == KeyError::LowOrder || !canonical);
    }
    assert!(bad_curve25519_keys().len() > 40);
}

/// S-01: each way to read a Curve25519 key refuses all of them and says why.
#[test]
fn a_bad_curve25519_key_is_refused() {
    for (key, error) in bad_curve25519_keys() {
        assert_eq!(Curve25519PublicKey::from_bytes(key), Err(error), "{key:02x?}");
        assert_eq!(Curve25519PublicKey::from_slice(&key), Err(error));
        assert_eq!(Curve25519PublicKey::from_base64(&Base64::encode_string(&key)), Err(error));
        let unpadded = Base64Unpadded::encode_string(&key);
        assert_eq!(Curve25519PublicKey::from_base64(&unpadded), Err(error));
    }
    for good in [small(2), small(9), p_plus(-2), p_plus(-19)] {
        assert_eq!(Curve25519PublicKey::from_bytes(good).unwrap().as_bytes(), &good);
    }
}

/// S-01: in no place of a message may such a key stand, although the message is authenticated: as
/// one-time, base or identity key, or as ratchet key, within a pre-key message or not. The message
/// is refused before any account or session sees it.
#[test]
fn a_message_with_a_bad_key_is_refused() {
    for version in VERSIONS {
        let forger = Forger::new(version, 1);
        for (kind, places) in [(Kind::PreKey, 0..3), (Kind::Normal, 0..1), (Kind::Inner, 0..1)] {
            for place in places {
                for (key, error) in bad_curve25519_keys() {
                    let mut fields = forger.fields(kind);
                    fields[place].1 = Value::String(key.to_vec());
                    let payload = encode_all(&fields);
                    let message = forger.seal(kind, forger.version_byte(kind), &payload);
                    let refused = Err(Refusal::Decode(DecodeError::Key(error)));
                    assert_eq!(forger.deliver(kind, &message), refused, "{kind:?} {key:02x?}");
                }
            }
            // What Bob has for the genuine message is still there.
            let genuine = forger.message(kind);
            assert_eq!(forger.deliver(kind, &genuine), Ok(PLAINTEXT.to_vec()));
        }
    }
}

/// Every Ed25519 key that has to be refused, and why. RFC 8032, 5.1.3: the lower 255 bits are y,
/// the highest is the sign of x.
fn bad_ed25519_keys() -> Vec<([u8; 32], KeyError)> {
    let small_order = EIGHT_TORSION.map(|point| point.compress().to_bytes());
    let negative_zero = [small(1), p_plus(-1)].map(with_top_bit);
    let not_reduced = (0..=18).map(p_plus).flat_map(|y| [y, with_top_bit(y)]);
    let off_curve = (2..=255).map(small).filter(|y| !on_curve(y));
    let mut keys = Vec::new();
    keys.extend(small_order.into_iter().chain(negative_zero).map(|key| (key, KeyError::LowOrder)));
    keys.extend(not_reduced.map(|key| (key, KeyError::NonCanonical)));
    keys.extend(off_curve.map(|key| (key, KeyError::NotOnCurve)));
    keys
}

fn on_curve(y: &[u8; 32]) -> bool {
    CompressedEdwardsY(*y).decompress().is_some()
}

/// S-14: each way to read an Ed25519 key, alone or in a session key, refuses small-order,
/// non-canonical and impossible keys, and says why. An impossible key in an exported session key
/// decrypts nothing.
#[test]
fn a_bad_ed25519_key_is_refused() {
    for (key, error) in bad_ed25519_keys() {
        assert_eq!(Ed25519PublicKey::from_bytes(key), Err(error), "{key:02x?}");
        assert_eq!(Ed25519PublicKey::from_slice(&key), Err(error));
        assert_eq!(Ed25519PublicKey::from_base64(&Base64::encode_string(&key)), Err(error));
        let unpadded = Base64Unpadded::encode_string(&key);
        assert_eq!(Ed25519PublicKey::from_base64(&unpadded), Err(error));

        // megolm.md, "Session sharing format" and "Session export format".
        let body = [[0; 4].as_slice(), &[7; 128], &key].concat();
        let shared = [&[2], body.as_slice(), &[0; 64]].concat();
        let exported = [&[1], body.as_slice()].concat();
        let refused = SessionKeyError::Key(error);
        assert_eq!(SessionKey::from_bytes(&shared).unwrap_err(), refused);
        let exported = ExportedSessionKey::from_bytes(&exported);
        if error == KeyError::NotOnCurve {
            // That it is a point is checked with the first message.
            let message = GroupSession::new(Duration::ZERO).unwrap().encrypt(b"text").unwrap();
            let mut session = InboundGroupSession::import(&exported.unwrap());
            assert_eq!(session.decrypt(&message), Err(DecryptionError::InvalidSigningKey));
        } else {
            assert_eq!(exported.unwrap_err(), refused);
        }
    }
}

/// S-14: whatever else is a point of the curve is a key.
#[test]
fn a_good_ed25519_key_is_accepted() {
    let mut accepted = 0;
    for key in (2..=255).map(small).filter(on_curve) {
        assert_eq!(Ed25519PublicKey::from_bytes(key).unwrap().as_bytes(), &key);
        accepted += 1;
    }
    assert!(accepted > 100, "about half of all numbers are the y of a point");
}

/// S-01, S-14: a key has 32 bytes.
#[test]
fn a_key_of_another_length_is_refused() {
    for length in (0..=100).filter(|length| *length != 32) {
        let error = KeyError::Length(length);
        let text = Base64::encode_string(&vec![7; length]);
        assert_eq!(Curve25519PublicKey::from_slice(&vec![7; length]), Err(error));
        assert_eq!(Curve25519PublicKey::from_base64(&text), Err(error));
        assert_eq!(Ed25519PublicKey::from_slice(&vec![7; length]), Err(error));
        assert_eq!(Ed25519PublicKey::from_base64(&text), Err(error));
    }
}
