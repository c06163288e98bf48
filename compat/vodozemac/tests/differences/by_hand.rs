//! Messages that only somebody who holds the keys can make, by hand.

use vodozemac::{
    Ed25519Keypair,
    hazmat::{Cipher, Mac},
    megolm::{self, GroupSession, InboundGroupSession, MegolmMessage},
    olm::{DecryptionError, Message, Session},
    pk_encryption::{self, PkDecryption, PkEncryption},
};

use super::sessions;

/// An unknown field, which is authenticated as everything else.
const UNKNOWN: [u8; 2] = [0x78, 1];

/// A tag, a length below 128, and the bytes.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [&[tag, bytes.len().try_into().unwrap()], bytes].concat()
}

/// What is left of a ciphertext of zeros without its last block: a zero is no padding.
fn badly_padded(cipher: &Cipher) -> Vec<u8> {
    cipher.encrypt(&[0; 16])[..16].to_vec()
}

/// The session's next message, with this ciphertext and something unknown.
fn olm_message(sender: &mut Session, ciphertext: impl Fn(&Cipher) -> Vec<u8>) -> Message {
    let key = sender.next_message_key().unwrap();
    let cipher = Cipher::new(key.key());
    let ratchet_key = field(0x0a, key.ratchet_key().as_ref().as_bytes());
    let index = [0x10, key.index().try_into().unwrap()];
    let ciphertext = field(0x22, &ciphertext(&cipher));
    let mut message = [&[3], &ratchet_key[..], &index, &UNKNOWN, &ciphertext].concat();
    let mac = cipher.mac(&message);
    message.extend(mac.truncate());
    Message::from_bytes(&message).unwrap()
}

/// S-06, S-28: the MAC covers the bytes received, and who made it with a wrong padding learns
/// nothing.
#[test]
fn s_28_olm() {
    let (mut sender, mut receiver) = sessions();
    let message = olm_message(&mut sender, |cipher| cipher.encrypt(b"text"));
    assert_eq!(receiver.decrypt(&message.into()).unwrap(), b"text");
    let message = olm_message(&mut sender, badly_padded);
    let refused = receiver.decrypt(&message.into()).unwrap_err();
    assert!(matches!(refused, DecryptionError::InvalidMAC(_)));
}

/// The same for Megolm, where the signature covers everything before it, too.
#[test]
fn s_28_megolm() {
    let sender = GroupSession::default();
    let mut receiver = InboundGroupSession::from(&sender);
    let pickle = serde_json::to_value(sender.pickle()).unwrap();
    let signing_key: Ed25519Keypair =
        serde_json::from_value(pickle["signing_key"].clone()).unwrap();
    let cipher = receiver.get_cipher_at(0).unwrap();
    let message = |ciphertext: Vec<u8>| {
        let mut message = [&[3, 0x08, 0], &UNKNOWN[..], &field(0x12, &ciphertext)].concat();
        let mac = cipher.mac(&message);
        message.extend(mac.truncate());
        let signature = signing_key.sign(&message);
        message.extend(signature.to_bytes());
        MegolmMessage::from_bytes(&message).unwrap()
    };
    let decrypted = receiver.decrypt(&message(cipher.encrypt(b"text"))).unwrap();
    assert_eq!(decrypted.plaintext, b"text");
    let refused = receiver.decrypt(&message(badly_padded(&cipher))).unwrap_err();
    assert!(matches!(refused, megolm::DecryptionError::InvalidMAC(_)));
}

/// S-12, S-28: a backup's MAC has exactly 8 bytes, and a wrong padding is a wrong MAC.
#[test]
fn s_28_backup() {
    let key = PkDecryption::new();
    let mut message = PkEncryption::from(&key).encrypt(&[0; 16]).unwrap();
    let mac = message.mac.clone();
    for length in 0..=32 {
        message.mac = [&mac[..], &[0; 24]].concat()[..length].to_vec();
        let decrypted = key.decrypt(&message);
        if length == 8 {
            assert_eq!(decrypted.unwrap(), [0; 16]);
        } else {
            assert!(matches!(decrypted, Err(pk_encryption::Error::Mac(_))));
        }
    }
    message.mac = mac;
    message.ciphertext.truncate(16);
    assert!(matches!(key.decrypt(&message), Err(pk_encryption::Error::Mac(_))));
}

/// S-12: the truncated MAC has 8 bytes; only all 32 are as good.
#[test]
fn s_12_truncated_macs() {
    let cipher = Cipher::new(&[5; 32]);
    let mac = cipher.mac(b"text");
    for length in 0..=Mac::LENGTH {
        let accepted = cipher.verify_truncated_mac(b"text", &mac.as_bytes()[..length]).is_ok();
        assert_eq!(accepted, [Mac::TRUNCATED_LEN, Mac::LENGTH].contains(&length), "{length}");
    }
}
