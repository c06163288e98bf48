//! Runs `test-vectors/primitives/` (S-36): every primitive gives what its standard says.
//! `aes-256-cbc` runs beside the cipher, in `cbc_hmac/mod.rs`.

use alloc::vec::Vec;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::super::{
    ed25519::{SigningKey, VerifyingKey},
    kdf::{self, HmacKey},
    secret::Secret,
    x25519::{SecretKey, check_public},
};

// `moceril-testing` depends on this library, so its unit tests cannot depend on it.
#[allow(dead_code, reason = "the public tests use the rest of it")]
#[path = "../../../test-vectors/vector_file.rs"]
pub(in crate::primitives) mod vector_file;

use vector_file::{Layer, VectorFile, assert_at_least, check_each, files};

#[test]
fn primitives() {
    let (elsewhere, files): (Vec<_>, Vec<_>) =
        files("primitives").into_iter().partition(|file| file.kind == "aes-256-cbc");
    check_each(&files, |file| match file.kind.as_str() {
        "x25519" => x25519(file),
        "x25519-iterated" => x25519_iterated(file),
        "ed25519" => ed25519(file),
        "ed25519-verify" => ed25519_verify(file),
        "hmac-sha256" => hmac_sha256(file),
        "hkdf-sha256" => hkdf_sha256(file),
        kind => panic!("unknown kind {kind}"),
    });
    assert_at_least(&elsewhere, "aes-256-cbc", 1, 0);
    assert_at_least(&files, "x25519", 6, 0);
    assert_at_least(&files, "x25519-iterated", 2, 0);
    assert_at_least(&files, "ed25519", 9, 0);
    assert_at_least(&files, "ed25519-verify", 0, 41);
    assert_at_least(&files, "hmac-sha256", 7, 0);
    assert_at_least(&files, "hkdf-sha256", 3, 0);
}

/// X25519 of a vector whose result is not zero.
fn agree(scalar: [u8; 32], u: &[u8; 32]) -> [u8; 32] {
    *SecretKey::from_bytes(&Secret::new(scalar)).agree(u).unwrap().as_bytes()
}

/// The agreement works as the RFC says also for a u-coordinate with a stray top bit, which this
/// library refuses when it parses a public key.
fn x25519(file: &VectorFile) {
    let (scalar, u, output) = (file.array("scalar"), file.array("u"), file.array("output"));
    assert_eq!(agree(scalar, &u), output);
    assert_eq!(check_public(&u).is_ok(), u[31] < 0x80);
    let base_point: [u8; 32] = core::array::from_fn(|place| if place == 0 { 9 } else { 0 });
    if u == base_point {
        assert_eq!(SecretKey::from_bytes(&Secret::new(scalar)).public(), output);
    }
}

fn x25519_iterated(file: &VectorFile) {
    let start = file.array("start");
    let (mut k, mut u) = (start, start);
    for _ in 0..file.number("iterations") {
        (k, u) = (agree(k, &u), k);
    }
    assert_eq!(k, file.array("output"));
}

fn ed25519(file: &VectorFile) {
    let message = file.bytes("message");
    let key = SigningKey::from_seed(Secret::new(file.array("seed")));
    assert_eq!(*key.public(), file.array("public"));
    assert_eq!(key.sign(&message), file.array("signature"));
    let public = VerifyingKey::from_bytes(&file.array("public")).unwrap();
    assert!(public.verify(&message, &file.array("signature")).is_ok());
    // S-14: as it does when only the 64 bytes are known.
    let imported = SigningKey::from_expanded(key.expanded().clone()).unwrap();
    assert_eq!(*imported.public(), file.array("public"));
    assert_eq!(imported.sign(&message), file.array("signature"));
}

fn ed25519_verify(file: &VectorFile) {
    let (message, signature) = (file.bytes("message"), file.array("signature"));
    let result = VerifyingKey::from_bytes(&file.array("public"))
        .map_err(|_| Layer::Key)
        .and_then(|public| public.verify(&message, &signature).map_err(|_| Layer::Signature));
    assert_eq!(result.err(), file.expect);
}

fn hmac_sha256(file: &VectorFile) {
    let tag = file.bytes("tag");
    assert!(!tag.is_empty() && hmac(&file.bytes("key"), &file.bytes("data")).starts_with(&tag));
}

fn hkdf_sha256(file: &VectorFile) {
    let okm = file.bytes("okm");
    assert_eq!(
        hkdf(&file.bytes("salt"), &file.bytes("ikm"), &file.bytes("info"), okm.len()),
        Some(okm)
    );
}

/// HMAC as this library calls it, if the key has the 32 bytes that all its keys have. Keys of other
/// lengths test the crate beneath.
pub(super) fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let by_crate = Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(data).finalize();
    let tag = by_crate.into_bytes().into();
    if let Ok(key) = key.try_into() {
        let key = HmacKey::new(key);
        assert_eq!(key.tag(data), tag);
        assert_eq!(*key.derive(data).as_bytes(), tag);
    }
    tag
}

/// HKDF to the lengths that vectors have; `None` for one that would not compile.
pub(super) fn hkdf(salt: &[u8], ikm: &[u8], info: &[u8], length: usize) -> Option<Vec<u8>> {
    macro_rules! of_length {
        ($($length:literal),+) => {
            match length {
                $($length => {
                    let okm = kdf::hkdf::<$length>(Some(salt), ikm, info);
                    if salt.is_empty() {
                        // RFC 5869, 2.2: no salt means 32 zeros, to which HMAC also pads an empty
                        // key.
                        assert!(okm.ct_eq(&kdf::hkdf(None, ikm, info)));
                    }
                    Some(okm.as_bytes().to_vec())
                })+
                _ => {
                    assert!(length > 255 * 32, "no vector had {length} bytes before");
                    None
                }
            }
        };
    }
    of_length!(20, 32, 42, 56, 64, 80, 82, 128, 8160)
}
