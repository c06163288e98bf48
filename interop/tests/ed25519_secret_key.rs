//! Signing keys outside of an account: libolm's PK signing and vodozemac's Ed25519 keys.

use moceril::{Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature};
use olm_rs::pk::OlmPkSigning;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// S-14: one seed is one public key and gives one signature of a text, in all three libraries.
#[test]
fn seeds_and_signatures() {
    let mut rng = StdRng::seed_from_u64(1);
    for length in 0..300 {
        let seed: [u8; 32] = rng.random();
        let text: String = (0..length).map(|_| rng.random_range('!'..='~')).collect();
        let ours = Ed25519SecretKey::from_bytes(seed);
        let signature = ours.sign(text.as_bytes());

        let libolm = OlmPkSigning::new(&seed).unwrap();
        assert_eq!(libolm.public_key(), ours.public_key().to_base64());
        assert_eq!(libolm.sign(&text), signature.to_base64());

        let vodozemac = vodozemac::Ed25519SecretKey::from_slice(&seed);
        assert_eq!(vodozemac.public_key().as_bytes(), ours.public_key().as_bytes());
        assert_eq!(vodozemac.sign(text.as_bytes()).to_bytes(), *signature.as_bytes());

        let public = Ed25519PublicKey::from_base64(libolm.public_key()).unwrap();
        let read = Ed25519Signature::from_base64(&libolm.sign(&text)).unwrap();
        assert_eq!(public.verify(text.as_bytes(), &read), Ok(()));
    }
}
