//! Key backups between this library, libolm and vodozemac (S-31).

use moceril::{
    Curve25519PublicKey,
    backup::{BackupDecryptionKey, BackupEncryptionKey, BackupMessage},
};
use olm_rs::pk::{OlmPkDecryption, OlmPkEncryption, PkMessage};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use vodozemac::{
    Curve25519SecretKey,
    pk_encryption::{Message, PkDecryption, PkEncryption},
};

/// The same private key in all three libraries.
struct Keys {
    ours: BackupDecryptionKey,
    libolm: OlmPkDecryption,
    vodozemac: PkDecryption,
}

impl Keys {
    fn new(rng: &mut StdRng) -> Self {
        let bytes: [u8; 32] = rng.random();
        let ours = BackupDecryptionKey::from_bytes(bytes);
        let libolm = OlmPkDecryption::from_bytes(&bytes).unwrap();
        let vodozemac = PkDecryption::from_key(Curve25519SecretKey::from_slice(&bytes));
        assert_eq!(ours.public_key().to_base64(), libolm.public_key());
        assert_eq!(ours.public_key().as_bytes(), &vodozemac.public_key().to_bytes());
        Self { ours, libolm, vodozemac }
    }
}

fn to_libolm(message: &BackupMessage) -> PkMessage {
    let texts = message.to_base64();
    PkMessage::new(texts.ephemeral_key, texts.mac, texts.ciphertext)
}

fn to_vodozemac(message: &BackupMessage) -> Message {
    let texts = message.to_base64();
    Message::from_base64(&texts.ciphertext, &texts.mac, &texts.ephemeral_key).unwrap()
}

/// S-31: what any of the three encrypts, all three decrypt.
#[test]
fn everybody_reads_everybody() {
    let mut rng = StdRng::seed_from_u64(1);
    for length in (0..100).chain([1_000, 65_537]) {
        let keys = Keys::new(&mut rng);
        let text: String = (0..length).map(|_| rng.random_range('!'..='~')).collect();

        let key = BackupEncryptionKey::from_trusted_key(keys.ours.public_key());
        let from_us = key.encrypt_with_rng(text.as_bytes(), &mut rng).unwrap();
        let message = OlmPkEncryption::new(keys.libolm.public_key()).encrypt(&text);
        let (ciphertext, mac) = (&message.ciphertext, &message.mac);
        let from_libolm =
            BackupMessage::from_base64(ciphertext, mac, &message.ephemeral_key).unwrap();
        let message = PkEncryption::from(&keys.vodozemac).encrypt(text.as_bytes()).unwrap();
        let from_vodozemac = BackupMessage {
            ciphertext: message.ciphertext,
            mac: message.mac.try_into().unwrap(),
            ephemeral_key: Curve25519PublicKey::from_bytes(message.ephemeral_key.to_bytes())
                .unwrap(),
        };

        for message in [from_us, from_libolm, from_vodozemac] {
            let plaintext = keys.ours.decrypt_unauthenticated(&message).unwrap();
            assert_eq!(plaintext, text.as_bytes(), "{message:?}");
            assert_eq!(keys.libolm.decrypt(to_libolm(&message)).unwrap(), text);
            let plaintext = keys.vodozemac.decrypt(&to_vodozemac(&message)).unwrap();
            assert_eq!(plaintext, text.as_bytes());
        }
    }
}

/// S-31: this library and vodozemac accept the same altered messages and read the same in them.
#[test]
fn altered_messages() {
    let mut rng = StdRng::seed_from_u64(2);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..2_000 {
        let keys = Keys::new(&mut rng);
        let key = BackupEncryptionKey::from_trusted_key(keys.ours.public_key());
        let plaintext = vec![3; rng.random_range(0..80)];
        let mut message = key.encrypt_with_rng(&plaintext, &mut rng).unwrap();
        match rng.random_range(0..10) {
            0 => message.mac[rng.random_range(0..8)] ^= 1 << rng.random_range(0..8),
            1 => message.ephemeral_key = keys.ours.public_key(),
            2 | 3 => message.ciphertext.truncate(rng.random_range(0..80)),
            _ => {
                let place = rng.random_range(0..message.ciphertext.len());
                message.ciphertext[place] ^= 1 << rng.random_range(0..8);
            }
        }
        let ours = keys.ours.decrypt_unauthenticated(&message).ok();
        let theirs = keys.vodozemac.decrypt(&to_vodozemac(&message)).ok();
        // An empty ciphertext is nobody's encryption of anything.
        let theirs = theirs.filter(|_| !message.ciphertext.is_empty());
        assert_eq!(ours.as_deref(), theirs.as_deref(), "{message:?}");
        *(if ours.is_some() { &mut accepted } else { &mut refused }) += 1;
    }
    assert!(accepted > 200 && refused > 200, "{accepted} accepted, {refused} refused");
}
