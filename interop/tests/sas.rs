//! SAS verifications with libolm and vodozemac at the other end.
//!
//! The peers draw their own keys, so the message of a failure contains everything that is needed to
//! find the cause.

use moceril::{
    Curve25519PublicKey,
    sas::{EstablishedSas, MacMethod, Sas},
};
use olm_rs::sas::OlmSas;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Text of up to 300 characters, some of which are longer than a byte.
fn text(rng: &mut StdRng) -> String {
    let characters = ['a', 'Z', '0', '|', '@', '$', ' ', '\0', '\n', 'é', '🔑'];
    let length = rng.random_range(0..=300);
    (0..length).map(|_| characters[rng.random_range(0..characters.len())]).collect()
}

fn with_libolm() -> (EstablishedSas, OlmSas) {
    let (ours, mut theirs) = (Sas::new().unwrap(), OlmSas::new());
    let their_key = Curve25519PublicKey::from_base64(&theirs.public_key()).unwrap();
    theirs.set_their_public_key(ours.public_key().to_base64()).unwrap();
    (ours.diffie_hellman(their_key).unwrap(), theirs)
}

fn with_vodozemac() -> (EstablishedSas, vodozemac::sas::EstablishedSas) {
    let (ours, theirs) = (Sas::new().unwrap(), vodozemac::sas::Sas::new());
    let their_key = Curve25519PublicKey::from_bytes(theirs.public_key().to_bytes()).unwrap();
    let our_key = vodozemac::Curve25519PublicKey::from_bytes(*ours.public_key().as_bytes());
    let theirs = theirs.diffie_hellman(our_key).unwrap();
    (ours.diffie_hellman(their_key).unwrap(), theirs)
}

/// S-32: 10,000 MACs of the old method are those of libolm, and libolm's verify.
#[test]
fn macs_of_libolm() {
    let mut rng = StdRng::seed_from_u64(1);
    for _ in 0..100 {
        let (ours, theirs) = with_libolm();
        for _ in 0..100 {
            let (input, info) = (text(&mut rng), text(&mut rng));
            let tag = theirs.calculate_mac(&input, &info).unwrap();
            let method = MacMethod::HkdfHmacSha256;
            assert_eq!(ours.calculate_mac(method, &input, &info), tag, "{input:?} {info:?}");
            assert_eq!(ours.verify_mac(method, &input, &info, &tag), Ok(()));
        }
    }
}

/// S-32: 10,000 MACs of the default method and 10,000 of the old one are those of vodozemac, and
/// each side verifies the other one's.
#[test]
fn macs_of_vodozemac() {
    let mut rng = StdRng::seed_from_u64(2);
    for _ in 0..100 {
        let (ours, theirs) = with_vodozemac();
        for _ in 0..100 {
            let (input, info) = (text(&mut rng), text(&mut rng));
            let tag = ours.calculate_mac(MacMethod::default(), &input, &info);
            let their_tag = theirs.calculate_mac(&input, &info);
            assert_eq!(tag, their_tag.to_base64(), "{input:?} {info:?}");
            let read = vodozemac::sas::Mac::from_base64(&tag).unwrap();
            theirs.verify_mac(&input, &info, &read).unwrap();
            assert_eq!(ours.verify_mac(MacMethod::default(), &input, &info, &tag), Ok(()));

            let old = theirs.calculate_mac_invalid_base64(&input, &info);
            let method = MacMethod::HkdfHmacSha256;
            assert_eq!(ours.calculate_mac(method, &input, &info), old, "{input:?} {info:?}");
        }
    }
}

/// Both libraries show the users the same emoji and numbers.
#[test]
fn short_strings() {
    let mut rng = StdRng::seed_from_u64(3);
    for _ in 0..1_000 {
        let info = text(&mut rng);
        let (ours, theirs) = with_vodozemac();
        let (mine, yours) = (ours.bytes(&info), theirs.bytes(&info));
        assert_eq!(mine.as_bytes(), yours.as_bytes(), "{info:?}");
        assert_eq!(mine.emoji_indices(), yours.emoji_indices());
        assert_eq!(<(u16, u16, u16)>::from(mine.decimals()), yours.decimals());

        let (ours, theirs) = with_libolm();
        let count = rng.random_range(1..=1_000);
        let expected = theirs.generate_bytes(&info, count).unwrap();
        assert_eq!(ours.bytes_raw(&info, count), Ok(expected), "{info:?}");
    }
}

/// The longest output, and that one byte more is an error on both sides.
#[test]
fn the_most_that_hkdf_gives() {
    let (ours, theirs) = with_vodozemac();
    assert_eq!(ours.bytes_raw("info", 8160).unwrap(), theirs.bytes_raw("info", 8160).unwrap());
    assert!(ours.bytes_raw("info", 8161).is_err() && theirs.bytes_raw("info", 8161).is_err());
}
