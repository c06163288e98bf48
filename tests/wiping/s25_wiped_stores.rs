//! S-25: no freed heap block holds a secret of what is stored or sent besides pickles: passphrases,
//! the keys made of them, exported room keys, events, dehydrated devices.

use moceril::{DehydratedDevice, PickleKey, SecretString, olm::Account};
use moceril_testing::{
    distinct_keys::DistinctKeys,
    searching::{assert_it_finds, forget_all, known_keys, learn, learn_with_texts, searched},
};

#[test]
fn s_25_no_freed_block_holds_a_stored_secret() {
    assert_it_finds();
    dehydrated_devices(&mut known_keys(2 << 32));
    key_exports();
    passphrases();
    payloads();
    owned_bytes();
}

fn dehydrated_devices(rng: &mut DistinctKeys) {
    forget_all();
    learn_with_texts("signing key", &rng.upcoming(0));
    learn_with_texts("identity key", &rng.upcoming(1));
    let mut account = Account::with_rng(rng).unwrap();
    learn_with_texts("one-time key", &rng.upcoming(0));
    account.generate_one_time_keys_with_rng(9, rng).unwrap();
    account.generate_fallback_key_with_rng(rng).unwrap();
    let key = *b"the key of a dehydrated device..";
    learn("pickle key", &key);
    searched("dehydrated device", || {
        let key = PickleKey::from_bytes(key);
        let device = account.dehydrate_with_rng(&key, rng).unwrap();
        assert!(Account::rehydrate(&device, &PickleKey::from_bytes([1; 32])).is_err());
        let cut = DehydratedDevice { ciphertext: device.ciphertext[4..].into(), ..device.clone() };
        assert!(Account::rehydrate(&cut, &key).is_err());
        let (lossy, _) = account.dehydrate_lossy_with_rng(&key, rng).unwrap();
        [device, lossy].map(|device| Account::rehydrate(&device, &key).unwrap())
    });
    // One that is authentic and not whole: its keys were read by the time that shows.
    use moceril_testing::dehydrated_content::{KEY, open, seal};
    let device = account.dehydrate_with_rng(&PickleKey::from_bytes(KEY), rng).unwrap();
    let mut content = open(&device);
    *content.iter_mut().nth_back(32).unwrap() = 7;
    let bad = seal(&content);
    searched("bad dehydrated device", || {
        Account::rehydrate(&bad, &PickleKey::from_bytes(KEY)).err()
    });
}

/// Formats such as MessagePack can hand over byte strings in blocks of their own.
fn owned_bytes() {
    use moceril::vodozemac::Ed25519KeyPair;
    use serde::{
        Deserialize, Deserializer,
        de::{
            Visitor,
            value::{Error, MapAccessDeserializer, MapDeserializer},
        },
        forward_to_deserialize_any,
    };

    #[derive(Clone, Copy)]
    struct Owning<'a>(&'a [u8]);

    impl<'de> Deserializer<'de> for Owning<'_> {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.visit_byte_buf(self.0.to_vec())
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    impl<'de> serde::de::IntoDeserializer<'de> for Owning<'_> {
        type Deserializer = Self;

        fn into_deserializer(self) -> Self {
            self
        }
    }

    forget_all();
    let seed: [u8; 32] = std::array::from_fn(|place| 0x80 | place as u8);
    learn("seed", &seed);
    let read = |bytes: &[u8]| {
        let entries = std::iter::once(("Normal", Owning(bytes)));
        let form = MapAccessDeserializer::new(MapDeserializer::new(entries));
        Ed25519KeyPair::deserialize(form)
    };
    searched("owned bytes", || read(&seed).unwrap());
    searched("owned bytes, one too few", || read(&seed[1..]).unwrap_err());
}

fn key_exports() {
    use base64ct::{Base64, Encoding};
    use hmac::{Hmac, KeyInit, Mac};
    use moceril::key_export;
    use moceril_testing::rng::RecordedRng;
    use sha2::{Sha256, Sha512};

    const JSON: &str = r#"[{"session_key":"a room key, in base64 in truth","room_id":"!cave"}]"#;
    const PASSPHRASE: &str = "correct horse battery staple";
    let json = || SecretString::from(String::from(JSON));
    forget_all();
    let mut keys = [0; 64];
    pbkdf2::pbkdf2_hmac::<Sha512>(PASSPHRASE.as_bytes(), &[5; 16], 10, &mut keys);
    learn_with_texts("exported keys", JSON.as_bytes());
    learn_with_texts("passphrase", PASSPHRASE.as_bytes());
    learn("keys from the passphrase", &keys);
    let rng = &mut RecordedRng::new([5; 32]);
    searched("key export", || {
        let file = key_export::encrypt_weak_with_rng(&json(), PASSPHRASE, 10, rng).unwrap();
        assert!(key_export::decrypt(&file, "correct horse", 10).is_err());
        let json = key_export::decrypt(&file, PASSPHRASE, 10).unwrap();
        assert_eq!(&*json, JSON);
        json
    });
    let rng = &mut RecordedRng::new([5; 32]);
    let file = key_export::encrypt_weak_with_rng(&json(), PASSPHRASE, 10, rng).unwrap();
    searched("key export in pieces", || {
        let mut verifier = key_export::Verifier::new(PASSPHRASE, 10);
        key_export::Verifier::update(&mut verifier, &file);
        let mut decryptor = key_export::Verifier::finish(verifier).unwrap();
        let mut parser = moceril::room_keys::ExportParser::new();
        for _ in 0..2 {
            let first = key_export::Decryptor::update(&mut decryptor, &file).unwrap();
            assert_eq!(first, b"");
            let json = key_export::Decryptor::finish(&mut decryptor).unwrap();
            assert_eq!(json, JSON.as_bytes());
            json.chunks(9).for_each(|piece| parser.update(piece));
            assert!(parser.next_key().is_some());
        }
        (decryptor, parser)
    });
    // The plaintext of a piece has room for all of it from the start.
    let rng = &mut RecordedRng::new([5; 32]);
    let long = SecretString::from(format!("{JSON}{}", " ".repeat(3 << 16)));
    let file = key_export::encrypt_weak_with_rng(&long, PASSPHRASE, 10, rng).unwrap();
    searched("long key export in one piece", || {
        let mut verifier = key_export::Verifier::new(PASSPHRASE, 10);
        key_export::Verifier::update(&mut verifier, &file);
        let mut decryptor = key_export::Verifier::finish(verifier).unwrap();
        let json = key_export::Decryptor::update(&mut decryptor, &file).unwrap();
        assert!(json.starts_with(JSON.as_bytes()) && json.len() >= 2 << 16);
        key_export::Decryptor::finish(&mut decryptor).unwrap();
        decryptor
    });
    let rng = &mut RecordedRng::new([5; 64]);
    searched("key export written in pieces", || {
        let mut encryptor = key_export::Encryptor::with_rng(PASSPHRASE, 100_000, rng).unwrap();
        key_export::Encryptor::update(&mut encryptor, JSON);
        drop(key_export::Encryptor::finish(encryptor));
        let mut unfinished = key_export::Encryptor::with_rng(PASSPHRASE, 100_000, rng).unwrap();
        key_export::Encryptor::update(&mut unfinished, JSON);
        unfinished
    });
    // An authentic file whose content is no text, which shows only when it is decrypted.
    let rng = &mut RecordedRng::new([5; 32]);
    let file = key_export::encrypt_weak_with_rng(&json(), PASSPHRASE, 10, rng).unwrap();
    let lines: Vec<_> = file.lines().collect();
    let [header, text @ .., trailer] = lines.as_slice() else { panic!("{file}") };
    let mut bytes = Base64::decode_vec(&text.concat()).unwrap();
    bytes.truncate(bytes.len() - 32);
    *bytes.last_mut().unwrap() ^= 0x80;
    let mac = Hmac::<Sha256>::new_from_slice(&keys[32..]).unwrap().chain_update(&bytes);
    bytes.extend(mac.finalize().into_bytes());
    let file = format!("{header}{}{trailer}", Base64::encode_string(&bytes));
    searched("key export that is no text", || {
        let refused = key_export::decrypt(&file, PASSPHRASE, 10).unwrap_err();
        assert_eq!(refused, key_export::KeyExportError::NotText);
        String::from("something to search")
    });
}

fn passphrases() {
    use argon2::{Algorithm, Argon2, Block, Params, Version};
    use moceril::{PassphraseCost, PassphraseKey};
    use moceril_testing::rng::RecordedRng;

    const PASSPHRASE: &str = "correct horse battery staple";
    let cost = PassphraseCost { memory_kib: 16, passes: 2, lanes: 1 };
    let salt = [6; 16];
    forget_all();
    learn_with_texts("passphrase", PASSPHRASE.as_bytes());
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(64)).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    // Whoever has the last block of Argon2's memory can compute the key.
    let mut memory = vec![Block::new(); 16];
    let mut key = [0; 64];
    let bytes = PASSPHRASE.as_bytes();
    argon2.hash_password_into_with_memory(bytes, &salt, &mut key, &mut memory).unwrap();
    // The other half is the commitment, which stands in the pickle.
    learn_with_texts("key from the passphrase", &key[..32]);
    let last: Vec<u8> = memory[15].as_ref().iter().flat_map(|word| word.to_le_bytes()).collect();
    learn("memory of Argon2", &last[..64]);
    let account = Account::new().unwrap();
    searched("passphrase", || {
        let rng = &mut RecordedRng::new(salt);
        let key = PassphraseKey::weak_with_rng(PASSPHRASE, cost, rng).unwrap();
        let pickle = account.pickle_with_passphrase(&key, b"here").unwrap();
        let key = PassphraseKey::for_pickle(&pickle, PASSPHRASE, cost).unwrap();
        assert!(Account::from_passphrase_pickle(&pickle, &key, b"there").is_err());
        Account::from_passphrase_pickle(&pickle, &key, b"here").unwrap()
    });
}

fn payloads() {
    use moceril::{
        megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
        payload::{Device, OlmPayload, RoomPayload},
    };
    use moceril_testing::fixtures::{Carrier, Devices};

    // The escapes would be resolved in a buffer by whoever reads this as more than JSON.
    const CONTENT: &str = r#"{"session_key":"AgAAAA a room\u0020key, \"in base64\" in truth"}"#;
    forget_all();
    let mut devices = Devices::new(25);
    let mut carrier = Carrier::between(&mut devices);
    let [alice, bob] = [("@alice:a", &devices.alice), ("@bob:b", &devices.bob)]
        .map(|(user_id, account)| Device { user_id, keys: account.identity_keys() });
    learn("content of an event", CONTENT.as_bytes());
    learn("content of an event without escapes", br#" a room key, "in base64" in truth"#);
    searched("payload", || {
        let text = OlmPayload::encode("m.room_key", CONTENT, &alice, &bob).unwrap();
        assert!(OlmPayload::encode("m.room_key", &CONTENT[1..], &alice, &bob).is_err());
        let message = carrier.carry(text.as_bytes());
        assert!(OlmPayload::verify(&message, &bob, &bob).is_err());
        assert!(OlmPayload::verify(&message, &alice, &alice).is_err());
        let payload = OlmPayload::verify(&message, &alice, &bob).unwrap();
        assert_eq!(&*payload.content, CONTENT);
        drop(message);
        let config = GroupSessionConfig::default();
        let mut room =
            GroupSession::with_rng(config, &mut moceril_testing::rng::SeededRng::new(26)).unwrap();
        let mut theirs = InboundGroupSession::new(&room.session_key());
        let text = RoomPayload::encode("m.room.message", CONTENT, "!room").unwrap();
        let message = theirs.decrypt(&room.encrypt(text.as_bytes()).unwrap()).unwrap();
        assert!(RoomPayload::verify(&message, "!another").is_err());
        let event = RoomPayload::verify(&message, "!room").unwrap();
        (payload.clone(), payload, event)
    });
}
