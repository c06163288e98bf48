//! The keys inside an Olm session, so that a page can show which there are, and what somebody who
//! copied them can read; and objects made from random bytes that the page knows, so that it can
//! write down how to make them again. Only with the feature `inspect`.

use std::io::{self, Read};

use js_sys::{JsString, Object, Uint8Array};
use moceril::{
    hazmat::Cipher,
    megolm::{self, GroupSessionConfig},
    olm::{self, OlmMessage},
};
use rand::{TryCryptoRng, TryRng};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    account::{Account, PreKeyBundle},
    group::GroupSession,
    olm::Session,
    values::{Result, Thrown, bytes, object, string},
};

/// Random bytes of the page, given out in their order.
struct Given<'a>(&'a [u8]);

impl TryRng for Given<'_> {
    type Error = io::Error;

    fn try_next_u32(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.0.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.0.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> io::Result<()> {
        self.0.read_exact(destination)
    }
}

/// The page draws them with `crypto.getRandomValues`.
impl TryCryptoRng for Given<'_> {}

#[wasm_bindgen]
impl Account {
    /// From the Ed25519 seed and the Curve25519 private key.
    #[wasm_bindgen(js_name = fromRandom)]
    pub fn from_random(random: &Uint8Array) -> Result<Self> {
        Ok(Self(olm::Account::with_rng(&mut Given(&bytes(random)))?))
    }

    /// A one-time key for each 32 bytes.
    #[wasm_bindgen(js_name = generateOneTimeKeysFrom)]
    pub fn generate_one_time_keys_from(&mut self, random: &Uint8Array) -> Result<()> {
        let random = bytes(random);
        self.0.generate_one_time_keys_with_rng(random.len() / 32, &mut Given(&random))?;
        Ok(())
    }

    #[wasm_bindgen(js_name = generateFallbackKeyFrom)]
    pub fn generate_fallback_key_from(&mut self, random: &Uint8Array) -> Result<()> {
        self.0.generate_fallback_key_with_rng(&mut Given(&bytes(random)))?;
        Ok(())
    }

    /// From the base key and the first ratchet key.
    #[wasm_bindgen(js_name = createOutboundSessionFrom)]
    pub fn create_outbound_session_from(
        &self,
        bundle: &PreKeyBundle,
        random: &Uint8Array,
    ) -> Result<Session> {
        let (config, random) = (olm::SessionConfig::default(), bytes(random));
        let session =
            self.0.create_outbound_session_with_rng(&bundle.0, config, &mut Given(&random))?;
        Ok(Session(session))
    }
}

#[wasm_bindgen]
impl GroupSession {
    /// From the ratchet and the Ed25519 seed.
    #[wasm_bindgen(js_name = fromRandom)]
    pub fn from_random(random: &Uint8Array) -> Result<Self> {
        let (config, random) = (GroupSessionConfig::default(), bytes(random));
        Ok(Self(megolm::GroupSession::with_rng(config, &mut Given(&random))?))
    }
}

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
    /// `random` is the ratchet key if the message begins a chain. `drew` says whether it does.
    #[wasm_bindgen(js_name = encryptShowingKey)]
    pub fn encrypt_showing_key(
        &mut self,
        plaintext: &Uint8Array,
        random: &Uint8Array,
    ) -> Result<Object> {
        let random = bytes(random);
        let mut random = Given(&random);
        let key = self.0.next_message_key_with_rng(&mut random)?;
        let shown = Uint8Array::from(key.key().as_slice());
        let message = key.encrypt(self.0.version(), &*bytes(plaintext));
        Ok(object([
            ("type", 1.into()),
            ("body", message.to_base64().into()),
            ("key", shown.into()),
            ("drew", random.0.is_empty().into()),
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
