//! The small objects: verification, backup, signing keys, and the utility.

use moceril::backup::{BackupDecryptionKey, BackupEncryptionKey};

use super::held::{Held, filled, input, written, written_bytes};
use crate::{
    error::Code,
    memory::{Input, Object, Output},
    pickle,
    pk::{
        decryption, encryption,
        signing::{self, Seed},
    },
    sas::{self, Keys},
    utility::{self, Utility},
};
use moceril_testing::vector_file::{Layer, VectorFile, assert_at_least, check_each, files};

/// S-01, S-32: bytes and MACs by all three methods are libolm's, the old encoding included; a key
/// that nobody has is refused.
#[test]
fn verifications_are_those_of_libolm() {
    let files = files("sas");
    check_each(&files, |file| {
        let mut sas = Held::<Keys>::blank();
        let private = file.bytes("our-private-key");
        assert_eq!(sas::create(sas.object(), input(&private)), 0);
        if file.expect.is_some() {
            sas.refuses(Code::BadAccountKey, |sas| {
                sas::set_their_key(sas, input(file.text("their-key")))
            });
            return;
        }
        let key = filled(43, |key| sas::public_key(sas.object(), key));
        assert_eq!(key, file.text("our-key").as_bytes());
        sas.refuses(Code::SasTheirKeyNotSet, |sas| {
            sas::calculate_mac(sas, input(""), input(""), Output::over(&mut [0; 43]))
        });
        assert_eq!(sas::is_their_key_set(sas.object()), 0);
        // Padding is garbage behind the key.
        let key = format!("{}=", file.text("their-key"));
        assert_eq!(sas::set_their_key(sas.object(), input(&key)), 0);
        assert_eq!(sas::is_their_key_set(sas.object()), 1);
        check_sas(&mut sas, file);
    });
    assert_at_least(&files, "sas", 20, 10);
}

fn check_sas(sas: &mut Held<Keys>, file: &VectorFile) {
    for unused in
        ["their-private-key", "emoji", "decimals", "start-content", "commitment", "mac-input"]
    {
        file.optional(unused);
    }
    if file.optional("info").is_some() {
        let (info, bytes) = (file.bytes("info"), file.bytes("bytes"));
        let made = filled(bytes.len(), |out| sas::generate_bytes(sas.object(), input(&info), out));
        assert_eq!(made, bytes);
    }
    type Calculate = fn(Object<Keys>, Input, Input, Output) -> usize;
    for (name, calculate) in [
        ("hkdf-hmac-sha256", sas::calculate_mac as Calculate),
        ("hkdf-hmac-sha256-v2", sas::calculate_mac_fixed_base64),
        ("hmac-sha256", sas::calculate_mac_long_kdf),
    ] {
        if let Some(mac) = file.optional(name) {
            let (text, info) = (file.bytes("mac-input"), file.bytes("mac-info"));
            let made = filled(43, |mac| calculate(sas.object(), input(&text), input(&info), mac));
            assert_eq!(made, mac.as_bytes());
        }
    }
}

/// HKDF gives 8,160 bytes, and no more.
#[test]
fn a_verification_gives_as_many_bytes_as_hkdf() {
    let mut sas = Held::<Keys>::blank();
    assert_eq!(sas::create(sas.object(), input(&[1; 32])), 0);
    let mut theirs = Held::<Keys>::blank();
    assert_eq!(sas::create(theirs.object(), input(&[2; 32])), 0);
    let their_key = filled(43, |key| sas::public_key(theirs.object(), key));
    assert_eq!(sas::set_their_key(sas.object(), input(&their_key)), 0);
    filled(0, |bytes| sas::generate_bytes(sas.object(), input("info"), bytes));
    filled(8160, |bytes| sas::generate_bytes(sas.object(), input("info"), bytes));
    sas.refuses(Code::InputBufferTooSmall, |sas| {
        sas::generate_bytes(sas, input("info"), Output::over(&mut [0; 8161]))
    });
}

/// S-31: a backup's messages are libolm's in both directions, and what does not decrypt is refused.
#[test]
fn backups_are_those_of_libolm() {
    let mut files = files("backup");
    // What libolm reads as base64 is another matter: any text of a good length.
    files.retain(|file| !matches!(file.expect, Some(Layer::Base64 | Layer::Format)));
    check_each(&files, |file| {
        let mut key = Held::<BackupDecryptionKey>::blank();
        let private = file.bytes("private-key");
        let public =
            filled(43, |public| decryption::from_private(key.object(), public, input(&private)));
        assert_eq!(public, file.text("public-key").as_bytes());
        assert_eq!(written_bytes(|out| decryption::private_key(key.object(), out)), private);
        let [ciphertext, mac, ephemeral] =
            ["ciphertext", "mac", "ephemeral-key"].map(|name| file.text(name));
        let decrypt = |key, plaintext| {
            decryption::decrypt(key, input(ephemeral), input(mac), input(ciphertext), plaintext)
        };
        if file.expect.is_some() {
            key.refuses(Code::BadMessageMac, |key| {
                decrypt(key, Output::over(&mut vec![0; ciphertext.len()]))
            });
            return;
        }
        let plaintext = file.bytes("plaintext");
        assert_eq!(written_bytes(|out| decrypt(key.object(), out)), plaintext);
        if file.optional("ephemeral-private-key").is_some() {
            let random = file.bytes("ephemeral-private-key");
            check_encryption(file, &plaintext, &random);
        }
    });
    assert_at_least(&files, "backup", 71, 20);
}

fn check_encryption(file: &VectorFile, plaintext: &[u8], random: &[u8]) {
    let mut key = Held::<BackupEncryptionKey>::blank();
    assert_eq!(encryption::set_recipient_key(key.object(), input(file.text("public-key"))), 0);
    let length = encryption::ciphertext_length(key.object(), plaintext.len());
    let (mut ciphertext, mut mac, mut ephemeral) = (vec![0; length], [0; 11], [0; 43]);
    let encrypted = encryption::encrypt(
        key.object(),
        input(plaintext),
        Output::over(&mut ciphertext),
        Output::over(&mut mac),
        Output::over(&mut ephemeral),
        input(random),
    );
    assert_eq!(encrypted, 8);
    assert_eq!(ciphertext, file.text("ciphertext").as_bytes());
    assert_eq!(mac, file.text("mac").as_bytes());
    assert_eq!(ephemeral, file.text("ephemeral-key").as_bytes());
    for short in [8, 10] {
        key.refuses(Code::OutputBufferTooSmall, |key| {
            let mac = Output::over(&mut mac[..short]);
            let ciphertext = Output::over(&mut ciphertext);
            let ephemeral = Output::over(&mut ephemeral);
            encryption::encrypt(key, input(plaintext), ciphertext, mac, ephemeral, input(random))
        });
    }
}

/// S-24: the private key of a backup is read from libolm's pickle and written back to the same
/// text.
#[test]
fn backup_keys_of_libolm_are_read() {
    let files = files("libolm-backup-pickle");
    check_each(&files, |file| {
        let (key, text) = (file.bytes("pickle-key"), file.text("pickle"));
        let mut held = Held::<BackupDecryptionKey>::blank();
        let read = |held, public| decryption::unpickle(held, input(&key), input(text), public);
        if file.expect.is_some() {
            assert_eq!(read(held.object(), Output::null(0)), crate::error::FAILED);
            return;
        }
        let mut public = [0; 43];
        assert_eq!(read(held.object(), Output::over(&mut public)), text.len());
        assert_eq!(public, file.text("public-key").as_bytes());
        let private = written_bytes(|out| decryption::private_key(held.object(), out));
        assert_eq!(private, file.bytes("private-key"));
        assert_eq!(written(|again| pickle::write(held.object(), input(&key), again)), text);
        held.refuses(Code::OutputBufferTooSmall, |held| read(held, Output::over(&mut [0; 42])));
    });
    assert_at_least(&files, "libolm-backup-pickle", 4, 7);
}

/// S-14: a signature that was made verifies; cut, altered, or with S beyond the group order it does
/// not.
#[test]
fn signatures_are_verified_strictly() {
    let mut seed = Held::<Seed>::blank();
    let key = filled(43, |key| signing::from_seed(seed.object(), key, input(&[7; 32])));
    let signature = written(|out| signing::sign(seed.object(), input("message"), out));
    let mut utility = Held::<Utility>::blank();
    let verify = |utility, key: &[u8], message: &str, signature: &str| {
        utility::ed25519_verify(utility, input(key), input(message), input(signature))
    };
    assert_eq!(verify(utility.object(), &key, "message", &signature), 0);
    // What stands behind the signature does not count.
    assert_eq!(verify(utility.object(), &key, "message", &format!("{signature}==")), 0);
    let altered =
        signature.replacen(|_| true, if signature.starts_with('A') { "B" } else { "A" }, 1);
    for (key, message, signature, code) in [
        (&key[..], "massage", &*signature, Code::BadMessageMac),
        (&key, "message", &altered, Code::BadMessageMac),
        (&key, "message", &signature[..84], Code::BadMessageMac),
        (&key, "message", "", Code::BadMessageMac),
        (&key, "message", &signature[..85], Code::InvalidBase64),
        (&key[..42], "message", &signature, Code::InvalidBase64),
        (&[b'A'; 43], "message", &signature, Code::BadMessageMac),
        (&key, "message", &with_larger_s(&signature), Code::BadMessageMac),
    ] {
        utility.refuses(code, |utility| verify(utility, key, message, signature));
    }
}

/// The signature with the group order added to S.
fn with_larger_s(signature: &str) -> String {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut bytes = crate::base64::decode(signature.as_bytes()).unwrap();
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    crate::base64::encode(&bytes)
}

/// SHA-256 of "abc" (FIPS 180-4).
#[test]
fn hashes() {
    let mut utility = Held::<Utility>::blank();
    let hash = written(|hash| utility::sha256(utility.object(), input("abc"), hash));
    assert_eq!(hash, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0");
    utility.refuses(Code::OutputBufferTooSmall, |utility| {
        utility::sha256(utility, input("abc"), Output::over(&mut [0; 42]))
    });
}
