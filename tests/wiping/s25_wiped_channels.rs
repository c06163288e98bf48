//! S-25: no freed heap block contains a secret of a verification, a channel or a backup: neither
//! their keys, at any step of the derivation, nor their plaintexts.

use hkdf::Hkdf;
use moceril::{
    ecies::{self, Ecies},
    sas::{MacMethod, Sas},
};
use moceril_testing::{
    distinct_keys::DistinctKeys,
    searching::{
        assert_it_finds, forget_all, known_keys, learn, learn_with_texts, searched, unsearched,
    },
};
use sha2::{Sha256, Sha512};
use x25519_dalek::{PublicKey, StaticSecret};

const PLAINTEXT: &[u8] = b"what the channel carries; it is long enough for more than two blocks";

#[test]
fn s_25_no_freed_block_holds_a_secret_of_a_channel() {
    assert_it_finds();
    let rng = &mut known_keys(1 << 32);
    short_authentication_strings(rng);
    forget_all();
    ecies_channels(rng);
    forget_all();
    backup::messages(rng);
    forget_all();
    hpke::channels(rng);
    forget_all();
    secret_storage::secrets(rng);
    forget_all();
    room_keys::texts(rng);
}

fn public(private: [u8; 32]) -> [u8; 32] {
    PublicKey::from(&StaticSecret::from(private)).to_bytes()
}

/// What the two keys that are drawn next agree on, and the first one's public key.
fn agreed(rng: &DistinctKeys) -> ([u8; 32], [[u8; 32]; 2]) {
    let private = [rng.upcoming(0), rng.upcoming(1)];
    let public = private.map(public);
    let shared = x25519_dalek::x25519(private[0], public[1]);
    learn_with_texts("private key", &private[0]);
    learn_with_texts("agreed secret", &shared);
    (shared, public)
}

fn short_authentication_strings(rng: &mut DistinctKeys) {
    let (shared, _) = agreed(rng);
    let mut expected = [0; 40];
    let hkdf = Hkdf::<Sha256>::new(None, &shared);
    hkdf.expand(b"string", &mut expected).unwrap();
    let mut keys = [[0; 256]; 2];
    hkdf.expand(b"short", &mut keys[0][..32]).unwrap();
    hkdf.expand(b"long", &mut keys[1]).unwrap();
    learn("key of a MAC", &keys[0][..32]);
    learn("long key of a MAC", &keys[1]);
    searched("verification", || {
        let [alice, bob] = [(); 2].map(|()| Sas::with_rng(rng).unwrap());
        let keys = [alice.public_key(), bob.public_key()];
        let alice = alice.diffie_hellman(keys[1]).unwrap();
        let bob = bob.diffie_hellman(keys[0]).unwrap();
        assert_eq!(alice.bytes("string").as_bytes(), &expected[..6]);
        assert_eq!(alice.bytes_raw("string", 40).unwrap(), expected);
        assert_eq!(alice.bytes("string").emoji(), bob.bytes("string").emoji());
        for (method, info) in [
            (MacMethod::HkdfHmacSha256V2, "short"),
            (MacMethod::HkdfHmacSha256, "short"),
            (MacMethod::HmacSha256LongKdf, "long"),
        ] {
            let tag = alice.calculate_mac(method, "key", info);
            bob.verify_mac(method, "key", info, &tag).unwrap();
            assert!(bob.verify_mac(method, "another key", info, &tag).is_err());
        }
        // One that never gets the other's key.
        Sas::with_rng(rng)
    });
}

fn ecies_channels(rng: &mut DistinctKeys) {
    let (shared, [gp, sp]) = agreed(rng);
    let [gp, sp] =
        [gp, sp].map(|key| moceril::Curve25519PublicKey::from_bytes(key).unwrap().to_base64());
    let hkdf = Hkdf::<Sha512>::new(None, &shared);
    let mut check_code = [0; 2];
    hkdf.expand(format!("test_CHECKCODE|{gp}|{sp}").as_bytes(), &mut check_code).unwrap();
    for label in ["ENCKEY_S", "ENCKEY_G"] {
        let mut key = [0; 32];
        hkdf.expand(format!("test_{label}|{gp}|{sp}").as_bytes(), &mut key).unwrap();
        learn("key of a direction", &key);
    }
    learn_with_texts("plaintext", PLAINTEXT);
    searched("ECIES", || {
        let showing = Ecies::with_rng(rng).unwrap().with_info("test");
        let scanning = Ecies::with_rng(rng).unwrap().with_info("test");
        let key = showing.public_key();
        let outbound = scanning.establish_outbound_channel(key, PLAINTEXT).unwrap();
        let mut scanning = outbound.channel;
        let mut forged = outbound.message.clone();
        forged.ciphertext[20] ^= 1;
        let showing = showing.establish_inbound_channel(&forged).unwrap_err().unchanged;
        let message = ecies::InitialMessage::decode(&outbound.message.encode()).unwrap();
        let mut inbound = showing.establish_inbound_channel(&message).unwrap();
        assert_eq!(inbound.channel.check_code().as_bytes(), &check_code);
        assert_eq!(inbound.plaintext, PLAINTEXT);
        let mut message = inbound.channel.encrypt(PLAINTEXT).unwrap();
        assert_eq!(scanning.decrypt(&message).unwrap().clone(), PLAINTEXT);
        assert!(scanning.decrypt(&message).is_err(), "not the next one");
        message.ciphertext[3] ^= 1;
        assert!(scanning.decrypt(&message).is_err());
        (inbound.channel, Ecies::with_rng(rng))
    });
}

mod backup {
    use moceril::backup::{BackupDecryptionKey, BackupEncryptionKey, BackupMessage};

    use super::{
        DistinctKeys, Hkdf, PLAINTEXT, Sha256, agreed, learn, learn_with_texts, searched,
        unsearched,
    };

    pub fn messages(rng: &mut DistinctKeys) {
        let (shared, _) = agreed(rng);
        let mut keys = [0; 80];
        Hkdf::<Sha256>::new(None, &shared).expand(b"", &mut keys).unwrap();
        learn("keys of a message", &keys);
        learn_with_texts("plaintext", PLAINTEXT);
        searched("backup", || {
            let key = BackupDecryptionKey::with_rng(rng).unwrap();
            let text = key.to_base64();
            assert!(BackupDecryptionKey::from_base64(&text[..42]).is_err());
            assert!(BackupDecryptionKey::from_base64(&text[..40]).is_err());
            let key = BackupDecryptionKey::from_base64(&text).unwrap();
            let text = key.to_recovery_key();
            unsearched(|| learn("recovery key", text.as_bytes()));
            assert!(BackupDecryptionKey::from_recovery_key(&text[..58]).is_err());
            let key = BackupDecryptionKey::from_recovery_key(&text).unwrap();
            let pickle = key.to_libolm_pickle(b"key");
            assert!(BackupDecryptionKey::from_libolm_pickle(&pickle, b"other").is_err());
            let key = BackupDecryptionKey::from_libolm_pickle(&pickle, b"key").unwrap();

            let to = BackupEncryptionKey::from_trusted_key(key.public_key());
            let message = to.encrypt_with_rng(PLAINTEXT, rng).unwrap();
            assert_eq!(key.decrypt_unauthenticated(&message).unwrap(), PLAINTEXT);
            // The MAC is right and the padding is not: most of the plaintext was decrypted by then.
            let mut ciphertext = message.ciphertext.clone();
            *ciphertext.last_mut().unwrap() ^= 1;
            let forged = BackupMessage { ciphertext, ..message };
            assert!(key.decrypt_unauthenticated(&forged).is_err());
            key
        });
    }
}

mod room_keys {
    use moceril::{
        Curve25519PublicKey,
        megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
        room_keys::{self, ExportedRoomKey, RoomKey},
    };

    use super::{DistinctKeys, learn_with_texts, public, searched, unsearched};

    pub fn texts(rng: &mut DistinctKeys) {
        let session = GroupSession::with_rng(GroupSessionConfig::default(), rng).unwrap();
        let shared = session.session_key();
        let exported = InboundGroupSession::new(&shared).export_at(0).unwrap();
        // What follows the index, and is in both keys.
        learn_with_texts("session key", &shared.to_bytes()[..132]);
        learn_with_texts("ratchet", &exported.to_bytes()[5..133]);
        learn_with_texts("exported session key", &exported.to_bytes()[..132]);
        let sender_key = Curve25519PublicKey::from_bytes(public([7; 32])).unwrap();
        searched("room keys", || {
            let shared = RoomKey::new("!room:example.org", shared).to_json().unwrap();
            let key = ExportedRoomKey::new("!room:example.org", exported, sender_key);
            let file = room_keys::write_export(&[key.clone(), key]).unwrap();
            let keys: Vec<_> = room_keys::read_export(&file).map(Result::unwrap).collect();
            let backup = keys[0].to_backup_json().unwrap();
            assert!(ExportedRoomKey::from_backup_json(&backup, "!room", "another").is_err());
            assert!(RoomKey::from_json(&keys[1].to_json().unwrap()).is_err(), "another format");
            let key = RoomKey::from_json(&shared).unwrap();
            let escaped = unsearched(|| shared.replace('/', "\\/"));
            RoomKey::from_json(&escaped).unwrap();
            unsearched(|| drop(escaped));
            (key, keys, file)
        });
    }
}

mod secret_storage {
    use hmac::{Hmac, KeyInit, Mac};
    use moceril::secret_storage::{
        EncryptedSecret, KeyDescription, PassphraseParameters, SecretStorageError, SecretStorageKey,
    };

    use super::{
        DistinctKeys, Hkdf, PLAINTEXT, Sha256, Sha512, learn, learn_with_texts, searched,
        unsearched,
    };

    const NAME: &str = "m.megolm_backup.v1";

    /// Makes known what is derived from the key of the storage. The keys of the named secret.
    fn learn_keys(key: &[u8; 32]) -> [u8; 64] {
        learn_with_texts("key of the storage", key);
        [NAME, ""].map(|name| {
            let mut keys = [0; 64];
            Hkdf::<Sha256>::new(None, key).expand(name.as_bytes(), &mut keys).unwrap();
            learn("keys of a secret", &keys);
            keys
        })[0]
    }

    pub fn secrets(rng: &mut DistinctKeys) {
        let keys = learn_keys(&rng.upcoming(0));
        let mut derived = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha512>(b"passphrase", b"salt", 2, &mut derived);
        learn_keys(&derived);
        learn_with_texts("secret", PLAINTEXT);
        let secret = str::from_utf8(PLAINTEXT).unwrap();
        searched("secret storage", || {
            let key = SecretStorageKey::with_rng(rng).unwrap();
            let text = key.to_recovery_key();
            unsearched(|| learn("recovery key", text.as_bytes()));
            let key = SecretStorageKey::from_recovery_key(&text).unwrap();
            let stored = key.encrypt_with_rng(NAME, secret, rng).unwrap();
            assert_eq!(&*key.decrypt(NAME, &stored).unwrap(), secret);
            let description = KeyDescription::of_with_rng(&key, rng).unwrap();
            description.check(&key).unwrap();
            let parameters = PassphraseParameters { salt: String::from("salt"), iterations: 2 };
            let other = SecretStorageKey::from_passphrase("passphrase", &parameters, 2).unwrap();
            assert!(description.check(&other).is_err());
            assert!(other.decrypt(NAME, &stored).is_err());
            // The MAC is right and the last byte is not text: all of it was decrypted by then.
            let mut ciphertext = stored.ciphertext.clone();
            *ciphertext.last_mut().unwrap() ^= 0x80;
            let mac = Hmac::<Sha256>::new_from_slice(&keys[32..]).unwrap();
            let mac = mac.chain_update(&ciphertext).finalize().into_bytes().into();
            let no_text = EncryptedSecret { ciphertext, mac, ..stored };
            assert_eq!(key.decrypt(NAME, &no_text).err(), Some(SecretStorageError::NotText));
            [key, other]
        });
    }
}

mod hpke {
    //! RFC 9180 and MSC4388, step by step, so that every secret on the way is known.

    use moceril::hpke::{HpkeRecipientChannel, HpkeSenderChannel, InitialMessage, InitialResponse};

    use super::{DistinctKeys, Hkdf, PLAINTEXT, Sha256, learn, learn_with_texts, public, searched};
    use moceril_testing::rng::SeededRng;

    /// The nonce of the response is not secret.
    const NONCE_SEED: u64 = 25;
    const KEM: &[u8] = b"KEM\x00\x20";
    const SUITE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x03";

    /// RFC 9180, section 4: `LabeledExtract` of a suite. The result is made known.
    fn extract(suite: &[u8], salt: &[u8], label: &'static str, ikm: &[u8]) -> [u8; 32] {
        let ikm = [b"HPKE-v1", suite, label.as_bytes(), ikm].concat();
        let prk: [u8; 32] = Hkdf::<Sha256>::extract(Some(salt), &ikm).0.into();
        learn(label, &prk);
        prk
    }

    /// RFC 9180, section 4: `LabeledExpand` of a suite. The result is made known if it is long
    /// enough.
    fn expand<const N: usize>(
        suite: &[u8],
        prk: &[u8; 32],
        label: &'static str,
        info: &[u8],
    ) -> [u8; N] {
        let length = (N as u16).to_be_bytes();
        let info = [&length[..], b"HPKE-v1", suite, label.as_bytes(), info].concat();
        let mut okm = [0; N];
        Hkdf::<Sha256>::from_prk(prk).unwrap().expand(&info, &mut okm).unwrap();
        if N >= 8 {
            learn(label, &okm);
        }
        okm
    }

    /// RFC 9180, section 7.1.3: `DeriveKeyPair`.
    fn derive_private(ikm: [u8; 32]) -> [u8; 32] {
        expand(KEM, &extract(KEM, b"", "dkp_prk", &ikm), "sk", b"")
    }

    /// Makes every secret known of a channel from the two keys that are drawn next; its check code.
    fn learn_channel(rng: &DistinctKeys, info: &str, response_nonce: [u8; 32]) -> [u8; 2] {
        let recipient = derive_private(rng.upcoming(0));
        let sender = derive_private(rng.upcoming(1));
        let (gp, sp) = (public(recipient), public(sender));
        let dh = x25519_dalek::x25519(sender, gp);
        learn_with_texts("agreed secret", &dh);
        let prk = extract(KEM, b"", "eae_prk", &dh);
        let shared: [u8; 32] = expand(KEM, &prk, "shared_secret", &[sp, gp].concat());

        // Section 5.1: the key schedule. The first two are not secret, but no one else computes
        // them.
        let psk_id_hash = extract(SUITE, b"", "psk_id_hash", b"");
        let info_hash = extract(SUITE, b"", "info_hash", info.as_bytes());
        let context = [&[0][..], &psk_id_hash, &info_hash].concat();
        let secret = extract(SUITE, &shared, "secret", b"");
        let _: [u8; 32] = expand(SUITE, &secret, "key", &context);
        let _: [u8; 12] = expand(SUITE, &secret, "base_nonce", &context);
        let exporter: [u8; 32] = expand(SUITE, &secret, "exp", &context);

        // MSC4388: the way back, and the check code.
        let way_back = format!("{info}_RESPONSE");
        let response: [u8; 32] = expand(SUITE, &exporter, "sec", way_back.as_bytes());
        let hkdf = Hkdf::<Sha256>::new(Some(&[sp, response_nonce].concat()), &response);
        let mut keys = [0; 44];
        hkdf.expand(b"key", &mut keys[..32]).unwrap();
        hkdf.expand(b"nonce", &mut keys[32..]).unwrap();
        learn("key of the way back", &keys[..32]);
        learn("base nonce of the way back", &keys[32..]);
        let check = [format!("{info}_CHECKCODE").as_bytes(), &gp, &sp].concat();
        expand(SUITE, &exporter, "sec", &check)
    }

    pub fn channels(rng: &mut DistinctKeys) {
        let check_code = learn_channel(rng, "test", SeededRng::new(NONCE_SEED).bytes());
        learn_with_texts("plaintext", PLAINTEXT);
        searched("HPKE", || {
            let showing = HpkeRecipientChannel::with_rng(rng).unwrap().with_info("test");
            let key = showing.public_key();
            let scanning = HpkeSenderChannel::new().with_info("test");
            let scanning = scanning.establish_channel_with_rng(key, PLAINTEXT, b"", rng).unwrap();
            let message = InitialMessage::decode(&scanning.message.encode()).unwrap();
            let showing = showing.establish_channel(&message, b"wrong").unwrap_err().unchanged;
            let showing = showing.establish_channel(&message, b"").unwrap();
            assert_eq!(showing.plaintext, PLAINTEXT);

            let nonce = &mut SeededRng::new(NONCE_SEED);
            let showing = showing.channel;
            let showing =
                showing.establish_bidirectional_channel_with_rng(PLAINTEXT, b"", nonce).unwrap();
            let message = InitialResponse::decode(&showing.message.encode()).unwrap();
            let refused = scanning.channel.establish_bidirectional_channel(&message, b"wrong");
            let scanning = refused.unwrap_err().unchanged;
            let scanning = scanning.establish_bidirectional_channel(&message, b"").unwrap();
            assert_eq!(showing.channel.check_code().as_bytes(), &check_code);

            let (mut showing, mut scanning) = (showing.channel, scanning.channel);
            let message = scanning.seal(PLAINTEXT, b"").unwrap();
            assert!(showing.open(&message, b"wrong").is_err());
            assert_eq!(showing.open(&message, b"").unwrap(), PLAINTEXT);
            (showing, scanning, HpkeRecipientChannel::with_rng(rng))
        });
    }
}
