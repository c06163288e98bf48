//! Verification, backup, secure channels, and files of exported keys.

use moceril::{
    backup::{BackupDecryptionKey, BackupMessage},
    ecies::{self, DigitMode, Ecies},
    hpke::{self, HpkeRecipientChannel, HpkeSenderChannel},
    key_export::{self, Encryptor, Verifier},
    sas::{MacMethod, Sas},
};

use crate::{
    memcheck,
    secrets::{
        Disclosed::{Message, Nonce, Pickle, PublicKey, Shown, Tag},
        SecretRng, declassify, declassify_length, declassify_verdict, must_be_secret,
    },
};

pub fn sas() {
    let mut rng = SecretRng::new(40);
    let [alice, bob] = [0, 1].map(|_| Sas::with_rng(&mut rng).unwrap());
    let [alice_key, bob_key] = [&alice, &bob].map(|sas| {
        let key = sas.public_key();
        declassify(PublicKey, key.as_bytes());
        key
    });
    let alice = alice.diffie_hellman(bob_key).unwrap();
    let bob = bob.diffie_hellman(alice_key).unwrap();
    let shown = [&alice, &bob].map(|sas| sas.bytes("info"));
    assert!(declassify_verdict(shown[0] == shown[1]));
    must_be_secret(&shown[0].emoji_indices());
    must_be_secret(&shown[0].decimals().map(|number| number as u8));
    declassify(Shown, shown[0].as_bytes());
    assert_eq!(shown[0].emoji().len(), 7);
    must_be_secret(&alice.bytes_raw("info", 100).unwrap());
    for method in
        [MacMethod::HkdfHmacSha256V2, MacMethod::HkdfHmacSha256, MacMethod::HmacSha256LongKdf]
    {
        let tag = alice.calculate_mac(method, "key", "info");
        declassify(Tag, tag.as_bytes());
        bob.verify_mac(method, "key", "info", &tag).unwrap();
        assert!(bob.verify_mac(method, "another key", "info", &tag).is_err());
    }
}

/// A recovery key with a wrong last letter.
const MISTYPED: &str = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4e";

pub fn backup() {
    let mut rng = SecretRng::new(41);
    let key = BackupDecryptionKey::with_rng(&mut rng).unwrap();
    must_be_secret(key.to_base64().as_bytes());
    let key = BackupDecryptionKey::from_base64(&key.to_base64()).unwrap();
    let key = BackupDecryptionKey::from_bytes(key.to_bytes());
    let text = key.to_recovery_key();
    must_be_secret(text.as_bytes());
    assert!(BackupDecryptionKey::from_recovery_key(&secret(MISTYPED)).is_err());
    let key = BackupDecryptionKey::from_recovery_key(&text).unwrap();
    let public = key.public_key();
    declassify(PublicKey, public.as_bytes());
    let text = rng.text(40);
    let message = key.encryption_key().encrypt_with_rng(&text, &mut rng).unwrap();
    declassify(Message, &message.ciphertext);
    declassify(Message, &message.mac);
    let ephemeral_key = message.ephemeral_key;
    declassify(PublicKey, ephemeral_key.as_bytes());
    let message = BackupMessage { ephemeral_key, ..message };
    declassify_length(&key.decrypt_unauthenticated(&message).unwrap().into_vec());
    let forged = BackupMessage { mac: [0; 8], ..message };
    assert!(key.decrypt_unauthenticated(&forged).is_err());
    let pickle = key.to_libolm_pickle(rng.text(32));
    declassify(Pickle, pickle.as_bytes());
    assert!(BackupDecryptionKey::from_libolm_pickle(&pickle, rng.text(32)).is_err());
}

pub fn ecies() {
    let mut rng = SecretRng::new(42);
    let [scanner, shower] = [0, 1].map(|_| Ecies::with_rng(&mut rng).unwrap());
    let [scanner_key, shower_key] = [&scanner, &shower].map(|ecies| {
        let key = ecies.public_key();
        declassify(PublicKey, key.as_bytes());
        key
    });
    let text = rng.text(40);
    let created = scanner.establish_outbound_channel(shower_key, &text).unwrap();
    declassify(Message, &created.message.ciphertext);
    let ciphertext = created.message.ciphertext.clone();
    let initial = ecies::InitialMessage { public_key: scanner_key, ciphertext };
    let (mut scanner, mut shower) =
        (created.channel, shower.establish_inbound_channel(&initial).unwrap());
    must_be_secret(&shower.plaintext);
    let reply = shower.channel.encrypt(&text).unwrap();
    declassify(Message, &reply.ciphertext);
    let mut forged = ecies::Message { ciphertext: reply.ciphertext.clone() };
    forged.ciphertext[0] ^= 1;
    assert!(scanner.decrypt(&forged).is_err());
    must_be_secret(&scanner.decrypt(&reply).unwrap());
    for mode in [DigitMode::AllowLeadingZero, DigitMode::NoLeadingZero] {
        must_be_secret(&[scanner.check_code().to_digit(mode)]);
    }
    declassify(Shown, scanner.check_code().as_bytes());
}

pub fn hpke() {
    let mut rng = SecretRng::new(43);
    let recipient = HpkeRecipientChannel::with_rng(&mut rng).unwrap();
    let recipient_key = recipient.public_key();
    declassify(PublicKey, recipient_key.as_bytes());
    let text = rng.text(40);
    let sender = HpkeSenderChannel::new()
        .establish_channel_with_rng(recipient_key, &text, b"aad", &mut rng)
        .unwrap();
    let encapsulated_key = sender.message.encapsulated_key;
    declassify(PublicKey, encapsulated_key.as_bytes());
    declassify(Message, &sender.message.ciphertext);
    let ciphertext = sender.message.ciphertext.clone();
    let initial = hpke::InitialMessage { encapsulated_key, ciphertext };
    let received = recipient.establish_channel(&initial, b"aad").unwrap();
    must_be_secret(&received.plaintext);
    let answer =
        received.channel.establish_bidirectional_channel_with_rng(&text, b"aad", &mut rng).unwrap();
    declassify(Nonce, &answer.message.base_response_nonce);
    declassify(Message, &answer.message.ciphertext);
    let opened = sender.channel.establish_bidirectional_channel(&answer.message, b"aad").unwrap();
    must_be_secret(&opened.plaintext);
    let (mut sender, mut recipient) = (opened.channel, answer.channel);
    let message = sender.seal(&text, b"aad").unwrap();
    declassify(Message, &message.ciphertext);
    must_be_secret(&recipient.open(&message, b"aad").unwrap());
    declassify(Shown, sender.check_code().as_bytes());
}

const PASSPHRASE: &str = "correct horse battery staple";
const JSON: &str = r#"[{"session_key":"AQAAAAA"}]"#;
const ROUNDS: u32 = 10;

/// A text that is secret from now on.
pub fn secret(text: &str) -> String {
    let text = String::from(text);
    memcheck::make_undefined(text.as_bytes());
    text
}

fn exported() -> String {
    let mut rng = SecretRng::new(44);
    let (json, passphrase) = (secret(JSON), secret(PASSPHRASE));
    let file =
        key_export::encrypt_weak_with_rng(&json.into(), &passphrase, ROUNDS, &mut rng).unwrap();
    declassify(Message, file.as_bytes());
    file
}

pub fn key_export() {
    exported();
}

pub fn key_import() {
    let file = exported();
    let json = key_export::decrypt(&file, &secret(PASSPHRASE), ROUNDS).unwrap();
    must_be_secret(json.as_bytes());
    assert!(key_export::decrypt(&file, &secret("wrong"), ROUNDS).is_err());
}

pub fn key_export_in_pieces() {
    let mut rng = SecretRng::new(45);
    let passphrase = secret(PASSPHRASE);
    let mut encryptor = Encryptor::with_rng(&passphrase, key_export::MIN_ROUNDS, &mut rng).unwrap();
    let file = encryptor.update(secret(JSON)) + &encryptor.finish();
    declassify(Message, file.as_bytes());
}

pub fn key_import_in_pieces() {
    let file = exported();
    let mut verifier = Verifier::new(&secret(PASSPHRASE), ROUNDS);
    verifier.update(&file);
    let mut decryptor = verifier.finish().unwrap();
    decryptor.update(&file).unwrap();
    must_be_secret(decryptor.finish().unwrap());
    let mut verifier = Verifier::new(&secret("wrong"), ROUNDS);
    verifier.update(&file);
    assert!(verifier.finish().is_err());
}
