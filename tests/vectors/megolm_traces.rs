//! The values that Megolm computes for each message (`megolm-trace`): the ratchet is that of this
//! library's sessions, its cipher is that of the AES key, HMAC key and IV, and each value follows
//! from those before it as megolm.md says.

use moceril::{
    Ed25519SecretKey, MessageVersion,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage},
};
use moceril_testing::{
    naive::{
        crypto::{DEFAULT_SALT, hkdf, hmac},
        megolm::{Ratchet, by_definition},
    },
    rng::RecordedRng,
    vector_file::{VectorFile, assert_at_least, check_each, files, item_bytes, number},
};

/// Where the ratchet is in an exported session key: after the version and the index.
const RATCHET: std::ops::Range<usize> = 5..133;

#[test]
fn megolm() {
    let files = files("megolm-trace");
    check_each(&files, |file| {
        assert_eq!(file.kind, "megolm-trace");
        trace(file);
    });
    assert_at_least(&files, "megolm-trace", 8, 0);
}

fn trace(file: &VectorFile) {
    let version = match file.number("version") {
        3 => MessageVersion::V3,
        4 => MessageVersion::V4,
        other => panic!("no version {other}"),
    };
    let random: [u8; 160] = file.array("group-random");
    let initial: Ratchet = std::array::from_fn(|j| random[32 * j..][..32].try_into().unwrap());
    let signing_key = Ed25519SecretKey::from_bytes(random[128..].try_into().unwrap());
    let config = GroupSessionConfig::default().with_version(version);
    let mut sender = GroupSession::with_rng(config, &mut RecordedRng::new(random)).unwrap();
    assert_eq!(sender.session_id(), file.text("session-id"));
    let mut receiver = InboundGroupSession::with_version(&sender.session_key(), version);

    for step in file.steps() {
        let ["send", index, ref values @ .., plaintext, mac, text] = *step.as_slice() else {
            panic!("unknown step {step:?}")
        };
        let (index, plaintext) = (number(index), item_bytes(plaintext));
        let values: Vec<_> = values.iter().map(|item| item_bytes(item)).collect();
        let (ratchet, keys) = values.split_at(4);
        let lengths: Vec<_> = keys.iter().map(Vec::len).collect();
        assert_eq!(lengths, [32, 32, 16]);
        assert_eq!(by_definition(initial, 0, index.into()).concat(), ratchet.concat());
        assert_eq!(receiver.export_at(index).unwrap().to_bytes()[RATCHET], ratchet.concat());
        let okm: [u8; 80] = hkdf(&DEFAULT_SALT, &ratchet.concat(), b"MEGOLM_KEYS");
        assert_eq!(okm, *keys.concat());

        let message = MegolmMessage::from_base64(text).unwrap();
        let unsigned = message.as_bytes().len() - 64 - version.mac_length();
        let authenticated = &message.as_bytes()[..unsigned];
        let cipher = receiver.cipher_at(index).unwrap();
        assert_eq!(cipher.mac(authenticated).to_vec(), item_bytes(mac));
        assert_eq!(hmac(&keys[1], authenticated).to_vec(), item_bytes(mac));
        assert_eq!(cipher.encrypt(&plaintext), message.ciphertext());
        let made = MegolmMessage::encrypt(version, index, &cipher, &signing_key, &plaintext);
        assert_eq!(made, message);
        // The sender can only go step by step, so not everywhere.
        if index < 1_000 {
            while sender.message_index() < index {
                sender.encrypt(b"").unwrap();
            }
            assert_eq!(sender.encrypt(&plaintext).unwrap(), message);
        }
        let decrypted = receiver.decrypt(&message).unwrap();
        assert_eq!((decrypted.plaintext(), decrypted.message_index()), (&*plaintext, index));
    }
}
