//! S-12 and S-13: a session has one version, and a version has one length of MAC.
//!
//! Only those who make a session choose the shorter MAC. An attacker on the network cannot choose
//! it.

use moceril::{
    DecodeError, MessageVersion, megolm,
    olm::{DecryptionError, SessionCreationError},
};
use moceril_testing::{
    fixtures::{VERSIONS, other},
    forge::{Forger, KINDS, Kind, PLAINTEXT, Refusal, encode_all},
};

/// S-12: of all lengths of a genuine MAC only the version's own is accepted.
#[test]
fn the_length_of_a_mac_is_exact() {
    for version in VERSIONS {
        let forger = Forger::new(version, 12);
        for kind in [Kind::Normal, Kind::Inner, Kind::Megolm] {
            let payload = encode_all(&forger.fields(kind));
            let authenticated = [&[version.byte()], payload.as_slice()].concat();
            for length in 0..=40 {
                // The genuine MAC has 32 bytes; zeros make it longer.
                let mut mac = forger.mac(kind, &authenticated, 32);
                mac.resize(length, 0);
                let message = forger.finish(kind, authenticated.clone(), &mac);
                let accepted = forger.deliver(kind, &message) == Ok(PLAINTEXT.to_vec());
                assert_eq!(accepted, length == version.mac_length(), "{kind:?}, {length} bytes");
            }
        }
    }
}

/// S-12: the outer part of a pre-key message has no MAC. Bytes in its place are refused, unless
/// they are whole fields: those are not covered (S-06).
#[test]
fn nothing_follows_a_pre_key_message() {
    for version in VERSIONS {
        let forger = Forger::new(version, 13);
        for length in 1..=40 {
            for byte in [0x00, 0xff] {
                let mac = vec![byte; length];
                let message = forger.finish(Kind::PreKey, forger.message(Kind::PreKey), &mac);
                let refusal = forger.deliver(Kind::PreKey, &message).unwrap_err();
                assert_eq!(refusal, Refusal::Decode(DecodeError::Format), "{length} bytes");
            }
        }
    }
}

/// S-12: every byte of the MAC is compared.
#[test]
fn a_mac_is_compared_whole() {
    for version in VERSIONS {
        let forger = Forger::new(version, 14);
        for kind in [Kind::Normal, Kind::Inner, Kind::Megolm] {
            let payload = encode_all(&forger.fields(kind));
            let authenticated = [&[version.byte()], payload.as_slice()].concat();
            let genuine = forger.mac(kind, &authenticated, version.mac_length());
            for bit in 0..8 * genuine.len() {
                let mut mac = genuine.clone();
                mac[bit / 8] ^= 1 << (bit % 8);
                let message = forger.finish(kind, authenticated.clone(), &mac);
                let expected = match kind {
                    Kind::Megolm => Refusal::Group(megolm::DecryptionError::Authentication),
                    _ => Refusal::Decryption(DecryptionError::Authentication),
                };
                assert_eq!(forger.deliver(kind, &message), Err(expected), "{kind:?}, bit {bit}");
            }
        }
    }
}

/// S-13: a pre-key message has version 3; the others have version 3 or 4, and their session accepts
/// its own version only.
#[test]
fn only_the_version_of_the_session_is_accepted() {
    for version in VERSIONS {
        let forger = Forger::new(version, 15);
        for kind in KINDS {
            let payload = encode_all(&forger.fields(kind));
            for byte in 0..=255 {
                let result = forger.deliver(kind, &forger.seal(kind, byte, &payload));
                let expected = if byte == forger.version_byte(kind) {
                    Ok(PLAINTEXT.to_vec())
                } else if kind != Kind::PreKey && byte == other(version).byte() {
                    Err(version_mismatch(kind))
                } else {
                    Err(Refusal::Decode(DecodeError::Version(byte)))
                };
                assert_eq!(result, expected, "{kind:?}, version byte {byte}");
            }
        }
    }
}

fn version_mismatch(kind: Kind) -> Refusal {
    match kind {
        Kind::Megolm => Refusal::Group(megolm::DecryptionError::VersionMismatch),
        _ => Refusal::Decryption(DecryptionError::VersionMismatch),
    }
}

/// S-13: a new session has the version that its maker asks for, not the one of the message: a
/// genuine message of the other version creates nothing and does not use up the one-time key.
#[test]
fn the_other_side_cannot_choose_the_version_of_a_new_session() {
    for version in VERSIONS {
        let forger = Forger::new(version, 16);
        let message = forger.message(Kind::PreKey);
        let mismatch = SessionCreationError::Decryption(DecryptionError::VersionMismatch);
        assert_eq!(
            forger.deliver_to(Kind::PreKey, &message, other(version)),
            Err(Refusal::from(mismatch))
        );
        assert_eq!(forger.deliver(Kind::PreKey, &message), Ok(PLAINTEXT.to_vec()));
    }
}

/// S-13: version 3 is what one gets without asking.
#[test]
fn version_3_is_the_default() {
    assert_eq!(MessageVersion::default(), MessageVersion::V3);
    assert_eq!(moceril::olm::SessionConfig::default().version, MessageVersion::V3);
    assert_eq!(megolm::GroupSessionConfig::default().version, MessageVersion::V3);
    let (sender, _) = moceril_testing::fixtures::group(MessageVersion::V3, 17);
    let receiver = megolm::InboundGroupSession::new(&sender.session_key());
    assert_eq!(receiver.version(), MessageVersion::V3);
    let exported = receiver.export_at(0).unwrap();
    assert_eq!(megolm::InboundGroupSession::import(&exported).version(), MessageVersion::V3);
    let restored = megolm::InboundGroupSession::import_from_backup(&exported);
    assert_eq!(restored.version(), MessageVersion::V3);
}
