//! The channels between two devices: ECIES (MSC4108) and HPKE (MSC4388).

use hkdf::Hkdf;
use moceril::{
    Curve25519PublicKey,
    ecies::Ecies,
    hpke::{HpkeRecipientChannel, HpkeSenderChannel},
};
use sha2::{Sha256, Sha512};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::{PLAINTEXT, distinct_keys, look, secrets::Secrets};

const INFO: &str = "MATRIX_QR_CODE_LOGIN";

fn agreement(secret: [u8; 32], public: Curve25519PublicKey) -> [u8; 32] {
    StaticSecret::from(secret).diffie_hellman(&PublicKey::from(*public.as_bytes())).to_bytes()
}

fn add_all(met: &mut Secrets, keys: &[(&'static str, [u8; 32])]) {
    for (name, key) in keys {
        met.add(name, key);
    }
    met.add("plaintext", PLAINTEXT);
}

pub fn ecies() {
    let rng = &mut distinct_keys(1 << 34);
    let drawn = *rng;
    let showing = look(
        "ECIES: new",
        || Ecies::with_rng(rng).unwrap(),
        |_, met| {
            met.drawn(&["private key"], drawn);
        },
    );
    let scanning_key = rng.upcoming(0);
    let scanning = Ecies::with_rng(rng).unwrap();
    let (gp, sp) = (showing.public_key(), scanning.public_key());

    // "Secure channel" of MSC4108: what both ends derive.
    let shared = agreement(scanning_key, gp);
    let derive = |label: &str| {
        let info = format!("{INFO}_{label}|{}|{}", gp.to_base64(), sp.to_base64());
        let mut key = [0; 32];
        Hkdf::<Sha512>::new(None, &shared).expand(info.as_bytes(), &mut key).unwrap();
        key
    };
    let keys = [
        ("scanning device's private key", scanning_key),
        ("showing device's private key", drawn.upcoming(0)),
        ("shared secret", shared),
        ("key of the scanning device", derive("ENCKEY_S")),
        ("key of the showing device", derive("ENCKEY_G")),
    ];

    let mut scanning = Some(scanning);
    let establish = || scanning.take().unwrap().establish_outbound_channel(gp, PLAINTEXT).unwrap();
    let outgoing =
        look("ECIES: outbound channel, first message", establish, |_, met| add_all(met, &keys));
    let mut showing = Some(showing);
    let establish =
        || showing.take().unwrap().establish_inbound_channel(&outgoing.message).unwrap();
    let mut incoming =
        look("ECIES: inbound channel, first message", establish, |_, met| add_all(met, &keys));
    let encrypt = || incoming.channel.encrypt(PLAINTEXT).unwrap();
    let message = look("ECIES: encrypt", encrypt, |_, met| add_all(met, &keys));
    let mut channel = outgoing.channel;
    let decrypt = || channel.decrypt(&message).unwrap();
    look("ECIES: decrypt", decrypt, |_, met| add_all(met, &keys));
}

/// RFC 9180, section 4: `LabeledExtract`.
fn extract(suite: &[u8], salt: &[u8], label: &str, secret: &[u8]) -> [u8; 32] {
    let input = [b"HPKE-v1", suite, label.as_bytes(), secret].concat();
    Hkdf::<Sha256>::extract(Some(salt), &input).0.into()
}

/// RFC 9180, section 4: `LabeledExpand`, to 32 bytes.
fn expand(suite: &[u8], key: [u8; 32], label: &str, info: &[u8]) -> [u8; 32] {
    let info = [&32_u16.to_be_bytes(), b"HPKE-v1".as_slice(), suite, label.as_bytes(), info];
    let mut expanded = [0; 32];
    Hkdf::<Sha256>::from_prk(&key).unwrap().expand(&info.concat(), &mut expanded).unwrap();
    expanded
}

/// The KEM with X25519 and HKDF-SHA-256, and the suite with ChaCha20-Poly1305.
const KEM: &[u8] = b"KEM\x00\x20";
const SUITE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x03";

/// RFC 9180, section 7.1.3: `DeriveKeyPair`.
fn derive_key(drawn: [u8; 32]) -> [u8; 32] {
    expand(KEM, extract(KEM, b"", "dkp_prk", &drawn), "sk", b"")
}

pub fn hpke() {
    let rng = &mut distinct_keys(1 << 35);
    let recipient_drawn = rng.upcoming(0);
    let recipient_key = derive_key(recipient_drawn);
    let showing = look(
        "HPKE: recipient, new",
        || HpkeRecipientChannel::with_rng(rng).unwrap(),
        |_, met| {
            met.add("what the key is derived from", &recipient_drawn);
            met.add("recipient's private key", &recipient_key);
        },
    );
    let public_key = showing.public_key();
    let sender_drawn = rng.upcoming(0);
    let sender_key = derive_key(sender_drawn);

    // RFC 9180, sections 4.1 and 5.1: what both ends derive.
    let encapsulated = PublicKey::from(&StaticSecret::from(sender_key)).to_bytes();
    let agreed = agreement(sender_key, public_key);
    let both = [encapsulated, *public_key.as_bytes()].concat();
    let shared = expand(KEM, extract(KEM, b"", "eae_prk", &agreed), "shared_secret", &both);
    let context = [
        &[0],
        extract(SUITE, b"", "psk_id_hash", b"").as_slice(),
        &extract(SUITE, b"", "info_hash", INFO.as_bytes()),
    ]
    .concat();
    let secret = extract(SUITE, &shared, "secret", b"");
    let exporter = expand(SUITE, secret, "exp", &context);
    let response = expand(SUITE, exporter, "sec", format!("{INFO}_RESPONSE").as_bytes());
    let mut keys = vec![
        ("what the sender's key is derived from", sender_drawn),
        ("sender's private key", sender_key),
        ("recipient's private key", recipient_key),
        ("agreement", agreed),
        ("shared secret", shared),
        ("secret of the schedule", secret),
        ("sender's message key", expand(SUITE, secret, "key", &context)),
        ("exporter secret", exporter),
        ("secret of the response", response),
    ];

    let first = || {
        HpkeSenderChannel::new()
            .establish_channel_with_rng(public_key, PLAINTEXT, b"aad", rng)
            .unwrap()
    };
    let outgoing = look("HPKE: sender, first message", first, |_, met| add_all(met, &keys));
    let mut showing = Some(showing);
    let first = || showing.take().unwrap().establish_channel(&outgoing.message, b"aad").unwrap();
    let incoming = look("HPKE: recipient, first message", first, |_, met| add_all(met, &keys));

    // RFC 9458, section 4.4.
    let nonce = rng.upcoming(0);
    let mut key = [0; 32];
    let salt = [encapsulated, nonce].concat();
    Hkdf::<Sha256>::new(Some(&salt), &response).expand(b"key", &mut key).unwrap();
    keys.push(("recipient's message key", key));
    let mut recipient = Some(incoming.channel);
    let answer = || {
        let channel = recipient.take().unwrap();
        channel.establish_bidirectional_channel_with_rng(PLAINTEXT, b"aad", rng).unwrap()
    };
    let answer = look("HPKE: recipient, answer", answer, |_, met| add_all(met, &keys));
    let mut sender = Some(outgoing.channel);
    let received =
        || sender.take().unwrap().establish_bidirectional_channel(&answer.message, b"aad").unwrap();
    let mut received = look("HPKE: sender, answer", received, |_, met| add_all(met, &keys));
    let seal = || received.channel.seal(PLAINTEXT, b"aad").unwrap();
    let message = look("HPKE: encrypt", seal, |_, met| add_all(met, &keys));
    let mut channel = answer.channel;
    let open = || channel.open(&message, b"aad").unwrap();
    look("HPKE: decrypt", open, |_, met| add_all(met, &keys));
}
