//! What channels, backups and verifications read.

use std::cell::RefCell;

use moceril::{
    ecies::{self, Ecies},
    sas::{MacMethod, Sas},
};

use super::{BytesEntry, Entry, TextEntry, somewhere, verdict};
use crate::rng::SeededRng;

/// Both ends of an ECIES channel, and its first message.
fn ecies_channel() -> (ecies::InitialMessage, [ecies::EstablishedEcies; 2]) {
    let rng = &mut SeededRng::new(31);
    let [showing, scanning] = [(); 2].map(|()| Ecies::with_rng(rng).unwrap());
    let outbound = scanning.establish_outbound_channel(showing.public_key(), b"first").unwrap();
    let inbound = showing.establish_inbound_channel(&outbound.message).unwrap();
    (outbound.message, [outbound.channel, inbound.channel])
}

pub fn text_entries() -> Vec<TextEntry> {
    let (first, [mut ours, _]) = ecies_channel();
    let (first, second) = (first.encode(), ours.encrypt(b"second").unwrap().encode());
    let (ciphertext, key) = first.split_once('|').unwrap();
    let before = format!("{ciphertext}|");
    let after = format!("|{key}");
    let rng = &mut SeededRng::new(32);
    let [alice, bob] = [(); 2].map(|()| Sas::with_rng(rng).unwrap());
    let sas = alice.diffie_hellman(bob.public_key()).unwrap();
    let tag = sas.calculate_mac(MacMethod::default(), "input", "info");
    let mut entries = vec![
        Entry::new("ecies::InitialMessage, its ciphertext", ciphertext, move |text: &str| {
            verdict(ecies::InitialMessage::decode(&format!("{text}{after}")))
        })
        .any_bytes(),
        Entry::new("ecies::InitialMessage, its key", key, move |text: &str| {
            verdict(ecies::InitialMessage::decode(&format!("{before}{text}")))
        }),
        Entry::new("ecies::Message", second, |text: &str| verdict(ecies::Message::decode(text)))
            .any_bytes(),
        Entry::new("EstablishedSas::verify_mac", tag, move |text: &str| {
            somewhere(sas.verify_mac(MacMethod::default(), "input", "info", text).is_ok())
        }),
    ];
    entries.extend(backup::text_entries());
    entries.extend(hpke::text_entries());
    entries
}

pub fn bytes_entries() -> Vec<BytesEntry> {
    let (first, [mut ours, theirs]) = ecies_channel();
    let (second, theirs) = (ours.encrypt(b"second").unwrap(), RefCell::new(theirs));
    let mut entries = vec![
        Entry::new("ecies::InitialMessage", first.encode(), |bytes: &[u8]| {
            verdict(ecies::InitialMessage::decode(&String::from_utf8_lossy(bytes)))
        }),
        Entry::new("EstablishedEcies::decrypt", second.ciphertext, move |bytes: &[u8]| {
            let message = ecies::Message { ciphertext: bytes.to_vec() };
            somewhere(theirs.borrow_mut().decrypt(&message).is_ok())
        }),
        Entry::new("MacMethod::from_name", MacMethod::default().name(), |bytes: &[u8]| {
            somewhere(MacMethod::from_name(&String::from_utf8_lossy(bytes)).is_some())
        }),
    ];
    entries.extend(backup::bytes_entries());
    entries.extend(hpke::bytes_entries());
    entries
}

mod backup {
    use moceril::backup::{
        BackupDecryptionKey, BackupEncryptionKey, BackupMessage, BackupMessageBase64,
    };

    use super::{BytesEntry, Entry, SeededRng, TextEntry, somewhere, verdict};

    fn backup() -> (BackupDecryptionKey, BackupMessage) {
        let rng = &mut SeededRng::new(33);
        let key = BackupDecryptionKey::with_rng(rng).unwrap();
        let message =
            BackupEncryptionKey::from_trusted_key(key.public_key()).encrypt_with_rng(b"key", rng);
        (key, message.unwrap())
    }

    pub fn text_entries() -> Vec<TextEntry> {
        let (key, message) = backup();
        let genuine = message.to_base64();
        let BackupMessageBase64 { ciphertext, mac, ephemeral_key } = genuine.clone();
        let [around, around_mac, around_key] = [(); 3].map(|()| genuine.clone());
        vec![
            Entry::new("BackupDecryptionKey", &*key.to_base64(), |text: &str| {
                verdict(BackupDecryptionKey::from_base64(text))
            })
            .any_bytes(),
            Entry::new("BackupMessage, its ciphertext", ciphertext, move |text: &str| {
                verdict(BackupMessage::from_base64(text, &around.mac, &around.ephemeral_key))
            })
            .any_bytes(),
            Entry::new("BackupMessage, its MAC", mac, move |text: &str| {
                let BackupMessageBase64 { ciphertext, ephemeral_key, .. } = &around_mac;
                verdict(BackupMessage::from_base64(ciphertext, text, ephemeral_key))
            })
            .any_bytes(),
            Entry::new("BackupMessage, its key", ephemeral_key, move |text: &str| {
                let BackupMessageBase64 { ciphertext, mac, .. } = &around_key;
                verdict(BackupMessage::from_base64(ciphertext, mac, text))
            }),
        ]
    }

    pub fn bytes_entries() -> Vec<BytesEntry> {
        let (key, message) = backup();
        let decrypt = move |bytes: &[u8]| {
            let altered = BackupMessage { ciphertext: bytes.to_vec(), ..message.clone() };
            somewhere(key.decrypt_unauthenticated(&altered).is_ok())
        };
        let (key, BackupMessage { ciphertext, .. }) = backup();
        vec![
            Entry::new("decrypt_unauthenticated", ciphertext, decrypt).any_bytes(),
            Entry::new("from_recovery_key", key.to_recovery_key().as_bytes(), |text: &[u8]| {
                let text = String::from_utf8_lossy(text);
                somewhere(BackupDecryptionKey::from_recovery_key(&text).is_ok())
            }),
        ]
    }
}

mod hpke {
    use moceril::hpke::{
        EstablishedHpkeChannel, HpkeRecipientChannel, HpkeSenderChannel, Incoming, InitialMessage,
        InitialResponse, Message, Outgoing,
    };

    use super::{BytesEntry, Entry, RefCell, SeededRng, TextEntry, somewhere, verdict};

    type Answer = Outgoing<EstablishedHpkeChannel, InitialResponse>;

    fn channel() -> (InitialMessage, Answer, Incoming<EstablishedHpkeChannel>) {
        let rng = &mut SeededRng::new(34);
        let showing = HpkeRecipientChannel::with_rng(rng).unwrap();
        let scanning = HpkeSenderChannel::new();
        let scanning =
            scanning.establish_channel_with_rng(showing.public_key(), b"", b"", rng).unwrap();
        let showing = showing.establish_channel(&scanning.message, b"").unwrap().channel;
        let showing = showing.establish_bidirectional_channel_with_rng(b"", b"", rng).unwrap();
        let established = scanning.channel.establish_bidirectional_channel(&showing.message, b"");
        (scanning.message, showing, established.unwrap())
    }

    pub fn text_entries() -> Vec<TextEntry> {
        let (first, mut showing, _) = channel();
        let third = showing.channel.seal(b"third", b"").unwrap();
        vec![
            Entry::new("hpke::InitialMessage", first.encode(), |text: &str| {
                verdict(InitialMessage::decode(text))
            })
            .any_bytes(),
            Entry::new("hpke::InitialResponse", showing.message.encode(), |text: &str| {
                verdict(InitialResponse::decode(text))
            })
            .any_bytes(),
            Entry::new("hpke::Message", third.encode(), |text: &str| {
                verdict(Message::decode(text))
            })
            .any_bytes(),
        ]
    }

    pub fn bytes_entries() -> Vec<BytesEntry> {
        let (first, mut showing, scanning) = channel();
        let third = showing.channel.seal(b"third", b"").unwrap();
        let scanning = RefCell::new(scanning.channel);
        vec![
            Entry::new("hpke::InitialMessage", first.to_bytes(), |bytes: &[u8]| {
                verdict(InitialMessage::from_bytes(bytes))
            })
            .any_bytes(),
            Entry::new("hpke::InitialResponse", showing.message.to_bytes(), |bytes: &[u8]| {
                verdict(InitialResponse::from_bytes(bytes))
            })
            .any_bytes(),
            Entry::new("EstablishedHpkeChannel::open", third.ciphertext, move |bytes: &[u8]| {
                let message = Message { ciphertext: bytes.to_vec() };
                somewhere(scanning.borrow_mut().open(&message, b"").is_ok())
            }),
        ]
    }
}
