//! The plaintext of an Olm event that holds a room key.

use moceril::{
    MessageVersion,
    payload::{Device, OlmPayload},
};

use super::olm::{self, Devices};
use crate::{
    memcheck,
    secrets::{declassify_frame, declassify_message_length, must_be_secret},
};

/// Letters of base64, of which a session key has 306.
const KEY: &str = "AgAAAABh5O2FqsiIpWqJnbYGcnbSdGBfCYQaIWLU1mhHcUSwhdFYPQg1";

fn content() -> String {
    format!(r#"{{"room_id":"!room:example.org","session_key":"{KEY}"}}"#)
}

/// Makes the key in the text secret from now on.
fn hide_key(text: &[u8]) {
    let place = text.windows(KEY.len()).position(|found| found == KEY.as_bytes()).unwrap();
    memcheck::make_undefined(&text[place..place + KEY.len()]);
}

pub fn encode() {
    let devices = Devices::new(70, MessageVersion::V3);
    let [alice, bob] = ends(&devices);
    let content = content();
    hide_key(content.as_bytes());
    let payload = OlmPayload::encode("m.room_key", &content, &alice, &bob).unwrap();
    must_be_secret(payload.as_bytes());
}

fn ends(devices: &Devices) -> [Device<'static>; 2] {
    [("@alice:example.org", &devices.alice), ("@bob:example.org", &devices.bob)]
        .map(|(user_id, account)| Device { user_id, keys: account.identity_keys() })
}

pub fn verify() {
    let mut devices = Devices::new(71, MessageVersion::V3);
    let (mut alice, mut bob) = devices.sessions();
    let [sender, recipient] = ends(&devices);
    let payload = OlmPayload::encode("m.room_key", &content(), &sender, &recipient).unwrap();
    let message = alice.encrypt_with_rng(payload.as_bytes(), &mut devices.rng).unwrap();
    let decrypted = bob.decrypt(&olm::on_the_wire(&message)).unwrap();
    declassify_message_length(&decrypted);
    declassify_frame(decrypted.plaintext());
    hide_key(decrypted.plaintext());
    let payload = OlmPayload::verify(&decrypted, &sender, &recipient).unwrap();
    must_be_secret(payload.content.as_bytes());
}
