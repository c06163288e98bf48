//! The keys inside an Olm session, so that a page can show which there are, and what somebody who
//! copied them can read. Only with the feature `inspect`.

use js_sys::{JsString, Object, Uint8Array};
use moceril::{
    hazmat::Cipher,
    olm::{self, OlmMessage},
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    olm::Session,
    values::{Result, Thrown, bytes, object, string},
};

#[wasm_bindgen]
impl Session {
    /// vodozemac's form of the session, as JSON. It names each key by its place in the ratchet.
    pub fn inspect(&self) -> Result<JsString> {
        let (pickle, _) = self.0.to_vodozemac_pickle_lossy()?;
        let json = serde_json::to_string(&pickle);
        let json =
            json.map_err(|_| Thrown::new("InvalidState", "the session cannot be written"))?;
        Ok(string(zeroize::Zeroizing::new(json).as_str()))
    }

    /// Encrypts a normal message, and gives its message key, too, which the session has deleted.
    #[wasm_bindgen(js_name = encryptShowingKey)]
    pub fn encrypt_showing_key(&mut self, plaintext: &Uint8Array) -> Result<Object> {
        let key = self.0.next_message_key()?;
        let shown = Uint8Array::from(key.key().as_slice());
        let message = key.encrypt(self.0.version(), &*bytes(plaintext));
        Ok(object([
            ("type", 1.into()),
            ("body", message.to_base64().into()),
            ("key", shown.into()),
        ]))
    }

    /// The plaintext of a message that this end sends, now or later, from its present chain; the
    /// session stays as it is. `undefined` for every other message.
    #[wasm_bindgen(js_name = readOwn)]
    pub fn read_own(&self, message_type: u32, body: &str) -> Result<Option<Uint8Array>> {
        let message = OlmMessage::from_parts(message_type as usize, body)?;
        let message = match &message {
            OlmMessage::Normal(message) => message,
            OlmMessage::PreKey(message) => message.message(),
        };
        let Some(state) = self.0.sending_state() else { return Ok(None) };
        let ahead = u64::from(message.chain_index()).checked_sub(state.chain_index());
        let Some(ahead @ 0..=1_000) = ahead else { return Ok(None) };
        let mut copy = olm::Session::from_vodozemac_pickle(self.0.to_vodozemac_pickle_lossy()?.0)?;
        for _ in 0..ahead {
            copy.next_message_key()?;
        }
        let key = copy.next_message_key()?;
        let same_chain = key.ratchet_key() == message.ratchet_key();
        let plaintext = Cipher::olm(key.key()).decrypt(message.ciphertext());
        let read = plaintext.filter(|_| same_chain);
        Ok(read.map(|plaintext| Uint8Array::from(plaintext.as_slice())))
    }
}
