//! S-25: no freed heap block contains a secret of a verification, a channel or a backup: neither
//! their keys, at any step of the derivation, nor their plaintexts.

use hkdf::Hkdf;
use moceril::{
    ecies::{self, Ecies, EstablishedEcies},
    sas::{EstablishedSas, MacMethod, Sas},
};
use moceril_testing::{
    distinct_keys::DistinctKeys,
    searching::{
        assert_it_finds, forget_all, known_keys, learn, learn_with_texts, searched, unsearched,
    },
};
use sha2::{Sha256, Sha512};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

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
    forget_all();
    cross_signing::signatures(rng);
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
        let keys = [Sas::public_key(&alice), Sas::public_key(&bob)];
        let alice = alice.diffie_hellman(keys[1]).unwrap();
        let bob = bob.diffie_hellman(keys[0]).unwrap();
        assert_eq!(alice.bytes("string").as_bytes(), &expected[..6]);
        assert_eq!(alice.bytes_raw("string", 40).unwrap(), expected);
        let (ours, theirs) = (alice.bytes("string"), bob.bytes("string"));
        assert_eq!(ours.emoji(), theirs.emoji());
        assert_eq!(ours.emoji_indices(), theirs.emoji_indices());
        assert_eq!(ours.decimals(), theirs.decimals());
        for (method, info) in [
            (MacMethod::HkdfHmacSha256V2, "short"),
            (MacMethod::HkdfHmacSha256, "short"),
            (MacMethod::HmacSha256LongKdf, "long"),
        ] {
            let tag = alice.calculate_mac(method, "key", info);
            EstablishedSas::verify_mac(&bob, method, "key", info, &tag).unwrap();
            unsearched(|| {
                let text = alice.calculate_mac(method, "another key", info);
                learn("MAC that nobody sent", text.as_bytes());
            });
            let refused = EstablishedSas::verify_mac(&bob, method, "another key", info, &tag);
            assert!(refused.is_err());
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
        let key = Ecies::public_key(&showing);
        let outbound = scanning.establish_outbound_channel(key, PLAINTEXT).unwrap();
        let mut scanning = outbound.channel;
        let mut forged = outbound.message.clone();
        forged.ciphertext[20] ^= 1;
        let showing = showing.establish_inbound_channel(&forged).unwrap_err().unchanged;
        let message = ecies::InitialMessage::decode(&outbound.message.encode()).unwrap();
        let mut inbound = showing.establish_inbound_channel(&message).unwrap();
        let code = EstablishedEcies::check_code(&inbound.channel);
        assert_eq!(code.as_bytes(), &check_code);
        assert!(code.to_digit(ecies::DigitMode::NoLeadingZero) >= 10);
        assert_eq!(inbound.plaintext, PLAINTEXT);
        let mut message = EstablishedEcies::encrypt(&mut inbound.channel, PLAINTEXT).unwrap();
        let plaintext = EstablishedEcies::decrypt(&mut scanning, &message).unwrap();
        assert_eq!(plaintext.clone(), PLAINTEXT);
        let again = EstablishedEcies::decrypt(&mut scanning, &message);
        assert!(again.is_err(), "not the next one");
        message.ciphertext[3] ^= 1;
        assert!(EstablishedEcies::decrypt(&mut scanning, &message).is_err());
        (inbound.channel, Ecies::with_rng(rng))
    });
}

mod backup {
    use moceril::backup::{BackupDecryptionKey, BackupEncryptionKey, BackupMessage};

    use super::{
        DistinctKeys, Hkdf, PLAINTEXT, Sha256, Zeroizing, agreed, learn, learn_with_texts,
        searched, unsearched,
    };

    pub fn messages(rng: &mut DistinctKeys) {
        let (shared, _) = agreed(rng);
        let mut keys = [0; 80];
        Hkdf::<Sha256>::new(None, &shared).expand(b"", &mut keys).unwrap();
        learn("keys of a message", &keys);
        learn_with_texts("plaintext", PLAINTEXT);
        searched("backup", || {
            let key = BackupDecryptionKey::with_rng(rng).unwrap();
            let key = BackupDecryptionKey::from_bytes(BackupDecryptionKey::to_bytes(&key));
            let text = BackupDecryptionKey::to_base64(&key);
            assert!(BackupDecryptionKey::from_base64(&text[..42]).is_err());
            assert!(BackupDecryptionKey::from_base64(&text[..40]).is_err());
            let key = BackupDecryptionKey::from_base64(&text).unwrap();
            let text = BackupDecryptionKey::to_recovery_key(&key);
            unsearched(|| learn("recovery key", text.as_bytes()));
            assert!(BackupDecryptionKey::from_recovery_key(&text[..58]).is_err());
            let key = BackupDecryptionKey::from_recovery_key(&text).unwrap();
            let pickle = key.to_libolm_pickle(b"key");
            assert!(BackupDecryptionKey::from_libolm_pickle(&pickle, b"other").is_err());
            let key = BackupDecryptionKey::from_libolm_pickle(&pickle, b"key").unwrap();

            let to = BackupEncryptionKey::from_trusted_key(BackupDecryptionKey::public_key(&key));
            let message = BackupEncryptionKey::encrypt_with_rng(&to, PLAINTEXT, rng).unwrap();
            let plaintext = key.decrypt_unauthenticated(&message).unwrap();
            // They are the caller's, who wipes them.
            let bytes = Zeroizing::new(plaintext.into_vec());
            assert_eq!(*bytes, PLAINTEXT);
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
        Curve25519PublicKey, Ed25519SecretKey,
        backup::BackupDecryptionKey,
        backup_file::BackedUpKey,
        megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
        olm::IdentityKeys,
        room_keys::{self, ExportParser, ExportedRoomKey, RoomKey},
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
        let curve25519 = Curve25519PublicKey::from_bytes(public([7; 32])).unwrap();
        let ed25519 = Ed25519SecretKey::from_bytes([7; 32]).public_key();
        let sender = IdentityKeys { ed25519, curve25519 };
        let backup_key = BackupDecryptionKey::with_rng(rng).unwrap();
        let to = backup_key.encryption_key();
        searched("room keys", || {
            let shared = RoomKey::to_json(&RoomKey::new("!room:example.org", shared)).unwrap();
            let mut key = ExportedRoomKey::new("!room:example.org", exported, sender);
            key.other.insert("shared_history".into(), true.into());
            let file = room_keys::write_export(&[key.clone(), key]).unwrap();
            let keys: Vec<_> = room_keys::read_export(&file).map(Result::unwrap).collect();
            let backup = keys[0].to_backup_json().unwrap();
            assert!(ExportedRoomKey::from_backup_json(&backup, "!room", "another").is_err());
            let text = ExportedRoomKey::to_json(&keys[1]).unwrap();
            assert!(RoomKey::from_json(&text).is_err(), "another format");
            drop(ExportedRoomKey::from_json(&text).unwrap());
            let text = keys[1].to_forwarded_json().unwrap();
            assert!(ExportedRoomKey::from_forwarded_json(&text[1..]).is_err());
            drop(ExportedRoomKey::from_forwarded_json(&text).unwrap());
            let bundle = room_keys::write_bundle(&keys, &[]).unwrap();
            assert_eq!(
                room_keys::read_bundle(&bundle, "!room:example.org").unwrap().room_keys.len(),
                2
            );
            let mut parser = ExportParser::new();
            parser.update(&*file);
            for _ in 0..2 {
                assert!(parser.next_key().unwrap().is_ok());
            }
            ExportParser::finish(parser).unwrap();
            drop(BackedUpKey::encrypt(&keys[0], &to).unwrap());
            let mut entry = BackedUpKey::encrypt_with_rng(&keys[0], &to, rng).unwrap();
            drop(BackedUpKey::decrypt(&entry, &backup_key).unwrap());
            entry.session_id.push('x');
            assert!(BackedUpKey::decrypt(&entry, &backup_key).is_err());
            let key = RoomKey::from_json(&shared).unwrap();
            let escaped = unsearched(|| shared.replace('/', "\\/"));
            RoomKey::from_json(&escaped).unwrap();
            unsearched(|| drop(escaped));
            (key, keys, file)
        });
    }
}

mod cross_signing {
    use moceril::{
        cross_signing::{CrossSigningKeys, MasterKey},
        device_keys::DeviceKeys,
        olm::Account,
        signed_json,
    };

    use super::{DistinctKeys, learn_with_texts, searched};

    pub fn signatures(rng: &mut DistinctKeys) {
        for key in 0..4 {
            learn_with_texts("signing key", &rng.upcoming(key));
        }
        searched("cross-signing", || {
            let keys = CrossSigningKeys::with_rng("@alice:example.org", rng).unwrap();
            let account = Account::with_rng(rng).unwrap();
            let mut device = DeviceKeys::new(&account, "@alice:example.org", "DEVICE").unwrap();
            keys.sign_device(&mut device).unwrap();
            let mut master = keys.public_keys().unwrap().master;
            MasterKey::sign(&mut master, "DEVICE", &account).unwrap();
            let bob = CrossSigningKeys::with_rng("@bob:example.org", rng).unwrap();
            keys.sign_user(&mut bob.public_keys().unwrap().master).unwrap();
            let mut object = master.to_json();
            signed_json::sign(&mut object, "@alice:example.org", "KEY", &keys.master).unwrap();
            (keys, device, object)
        });
    }
}

mod secret_storage {
    use hmac::{Hmac, KeyInit, Mac};
    use moceril::{
        SecretString,
        secret_storage::{
            EncryptedSecret, KeyDescription, PassphraseParameters, SecretStorageError,
            SecretStorageKey,
        },
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
            let to_store = SecretString::from(String::from(secret));
            let key = SecretStorageKey::with_rng(rng).unwrap();
            let key = SecretStorageKey::from_bytes(SecretStorageKey::to_bytes(&key));
            let text = SecretStorageKey::to_recovery_key(&key);
            unsearched(|| learn("recovery key", text.as_bytes()));
            let key = SecretStorageKey::from_recovery_key(&text).unwrap();
            let stored = SecretStorageKey::encrypt_with_rng(&key, NAME, &to_store, rng).unwrap();
            assert_eq!(&*SecretStorageKey::decrypt(&key, NAME, &stored).unwrap(), secret);
            let description = KeyDescription::of_with_rng(&key, rng).unwrap();
            KeyDescription::check(&description, &key).unwrap();
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

    use moceril::hpke::{
        EstablishedHpkeChannel, HpkeRecipientChannel, HpkeSenderChannel, InitialMessage,
        InitialResponse,
    };

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
            let key = HpkeRecipientChannel::public_key(&showing);
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
            let code = EstablishedHpkeChannel::check_code(&showing.channel);
            assert_eq!(code.as_bytes(), &check_code);

            let (mut showing, mut scanning) = (showing.channel, scanning.channel);
            let message = scanning.seal(PLAINTEXT, b"").unwrap();
            assert!(showing.open(&message, b"wrong").is_err());
            assert_eq!(showing.open(&message, b"").unwrap(), PLAINTEXT);
            (showing, scanning, HpkeRecipientChannel::with_rng(rng))
        });
    }
}
