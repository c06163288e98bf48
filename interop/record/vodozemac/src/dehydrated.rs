//! Dehydrated devices, and messages to all their keys.

use std::path::Path;

use vodozemac::{
    Curve25519PublicKey, base64_encode,
    olm::{Account, OlmMessage, SessionConfig},
};

use crate::{Lines, Result, hex};

const KEY: [u8; 32] = *b"the key of the dehydrated device";

fn device(folder: &Path, name: &str, one_time_keys: usize, fallback: bool) -> Result<()> {
    let (alice, mut bob) = (Account::new(), Account::new());
    let mut keys = bob.generate_one_time_keys(one_time_keys).created;
    if fallback {
        bob.generate_fallback_key();
        keys.extend(bob.fallback_key().into_values());
    }
    let device = bob.to_dehydrated_device(&KEY)?;
    let mut lines = Lines::default();
    lines.key("key", hex(KEY));
    lines.key("nonce", &device.nonce);
    lines.key("ciphertext", &device.ciphertext);
    lines.key("identity-key", bob.curve25519_key().to_base64());
    lines.key("signing-key", bob.ed25519_key().to_base64());
    let mut rehydrated = Account::from_dehydrated_device(&device.ciphertext, &device.nonce, &KEY)?;
    for (number, key) in keys.into_iter().enumerate() {
        let plaintext = format!("message to key {number}");
        lines.step(receive(&alice, &mut rehydrated, key, &plaintext)?);
    }
    lines.write(folder, "dehydrated-device", name)
}

fn receive(
    alice: &Account,
    bob: &mut Account,
    key: Curve25519PublicKey,
    plaintext: &str,
) -> Result<String> {
    let config = SessionConfig::version_1();
    let message =
        alice.create_outbound_session(config, bob.curve25519_key(), key)?.encrypt(plaintext)?;
    let OlmMessage::PreKey(pre_key) = &message else {
        return Err("not a pre-key message".into());
    };
    let made = bob.create_inbound_session(config, alice.curve25519_key(), pre_key)?;
    assert_eq!(made.plaintext, plaintext.as_bytes());
    let (kind, body) = message.to_parts();
    Ok(format!("receive {kind} {} {}", base64_encode(body), hex(plaintext)))
}

pub fn record(folder: &Path) -> Result<()> {
    device(folder, "several-keys", 3, true)?;
    device(folder, "no-one-time-key", 0, true)?;
    device(folder, "no-fallback-key", 1, false)
}
