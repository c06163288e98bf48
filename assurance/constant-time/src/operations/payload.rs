//! The plaintext of an Olm event that holds a room key.

use moceril::{
    MessageVersion,
    matrix::payload::{Device, OlmPayload},
    olm::Session,
};

use super::{
    channels::secret,
    olm::{self, Devices},
};
use crate::{
    memcheck,
    secrets::{declassify_frame, must_be_secret},
};

/// Letters of base64, of which a session key has 306.
const KEY: &str = "AgAAAABh5O2FqsiIpWqJnbYGcnbSdGBfCYQaIWLU1mhHcUSwhdFYPQg1";

/// The content of an event, in which the key is secret.
fn content() -> String {
    let content = format!(r#"{{"room_id":"!room:example.org","session_key":"{}"}}"#, secret(KEY));
    let place = content.len() - KEY.len() - r#""}"#.len();
    declassify_frame(content.as_bytes());
    memcheck::make_undefined(&content.as_bytes()[place..place + KEY.len()]);
    content
}

pub fn encode() {
    let devices = Devices::new(70, MessageVersion::V3);
    let [alice, bob] = ends(&devices);
    let payload = OlmPayload::encode("m.room_key", &content(), &alice, &bob).unwrap();
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
    let decrypted = decrypt(&mut bob, &olm::on_the_wire(&message));
    let plaintext = &decrypted.plaintext;
    declassify_frame(plaintext);
    let place = plaintext.windows(KEY.len()).position(|found| found == KEY.as_bytes()).unwrap();
    memcheck::make_undefined(&plaintext[place..place + KEY.len()]);
    let payload = OlmPayload::verify(&decrypted, &sender, &recipient).unwrap();
    must_be_secret(payload.content.as_bytes());
}

fn decrypt(session: &mut Session, message: &moceril::olm::OlmMessage) -> moceril::olm::DecryptedMessage {
    let decrypted = session.decrypt(message).unwrap();
    crate::secrets::declassify_length(&decrypted.plaintext);
    decrypted
}
