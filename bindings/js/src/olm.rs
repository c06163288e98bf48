//! Olm sessions, their messages, and the content of Matrix's Olm events.

use js_sys::{JsString, Object, Uint8Array};
use moceril::{
    Curve25519PublicKey,
    olm::{self, IdentityKeys, Limits, OlmMessage},
    payload::{Device, OlmPayload},
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    account::{DeviceKeys, pickled},
    values::{Result, bytes, identity_keys, object, string, text},
};

#[wasm_bindgen]
pub struct Session(pub(crate) olm::Session);

pickled!(Session, olm::Session);

#[wasm_bindgen]
impl Session {
    #[wasm_bindgen(js_name = sessionId)]
    pub fn session_id(&self) -> String {
        self.0.session_id()
    }

    #[wasm_bindgen(js_name = sessionKeys)]
    pub fn session_keys(&self) -> Object {
        session_keys(self.0.session_keys())
    }

    #[wasm_bindgen(js_name = theirIdentityKey)]
    pub fn their_identity_key(&self) -> Option<String> {
        self.0.their_identity_key().map(|key| key.to_base64())
    }

    #[wasm_bindgen(js_name = setIdentityKeys)]
    pub fn set_identity_keys(
        &mut self,
        ed25519: &str,
        curve25519: &str,
        theirs: &str,
    ) -> Result<()> {
        let ours = identity_keys(ed25519, curve25519)?;
        Ok(self.0.set_identity_keys(ours, Curve25519PublicKey::from_base64(theirs)?)?)
    }

    #[wasm_bindgen(js_name = setLimits)]
    pub fn set_limits(&mut self, message_gap: u32, receiver_chains: u32, skipped_keys: u32) {
        self.0.set_limits(
            Limits::default()
                .with_message_gap(message_gap)
                .with_receiver_chains(receiver_chains)
                .with_skipped_keys(skipped_keys),
        );
    }

    pub fn limits(&self) -> Object {
        let limits = self.0.limits();
        object([
            ("messageGap", limits.message_gap().into()),
            ("receiverChains", limits.receiver_chains().into()),
            ("skippedKeys", limits.skipped_keys().into()),
        ])
    }

    #[wasm_bindgen(js_name = evictedKeys)]
    pub fn evicted_keys(&self) -> u64 {
        self.0.evicted_keys()
    }

    #[wasm_bindgen(js_name = hasReceivedMessage)]
    pub fn has_received_message(&self) -> bool {
        self.0.has_received_message()
    }

    pub fn describe(&self) -> String {
        self.0.describe()
    }

    pub fn matches(&self, message_type: u32, body: &str) -> Result<bool> {
        let message = OlmMessage::from_parts(message_type as usize, body)?;
        Ok(message.as_pre_key().is_some_and(|message| self.0.matches(message)))
    }

    pub fn encrypt(&mut self, plaintext: &Uint8Array) -> Result<Object> {
        Ok(message_parts(&self.0.encrypt(&*bytes(plaintext))?))
    }

    pub fn decrypt(&mut self, message_type: u32, body: &str) -> Result<DecryptedMessage> {
        let message = OlmMessage::from_parts(message_type as usize, body)?;
        Ok(DecryptedMessage(self.0.decrypt(&message)?))
    }
}

pub fn message_parts(message: &OlmMessage) -> Object {
    let (message_type, body) = message.to_parts();
    object([("type", message_type.into()), ("body", body.into())])
}

fn session_keys(keys: &olm::SessionKeys) -> Object {
    object([
        ("identityKey", keys.identity_key.to_base64().into()),
        ("baseKey", keys.base_key.to_base64().into()),
        ("oneTimeKey", keys.one_time_key.to_base64().into()),
    ])
}

#[wasm_bindgen]
pub struct DecryptedMessage(pub(crate) olm::DecryptedMessage);

#[wasm_bindgen]
impl DecryptedMessage {
    pub fn plaintext(&self) -> Uint8Array {
        Uint8Array::from(self.0.plaintext())
    }

    #[wasm_bindgen(js_name = senderKey)]
    pub fn sender_key(&self) -> Option<String> {
        self.0.sender_key().map(|key| key.to_base64())
    }

    #[wasm_bindgen(js_name = sessionKeys)]
    pub fn session_keys(&self) -> Object {
        session_keys(self.0.session_keys())
    }

    #[wasm_bindgen(js_name = verifyPayload)]
    pub fn verify_payload(&self, sender: &End, recipient: &End) -> Result<Object> {
        let payload = OlmPayload::verify(&self.0, &sender.device(), &recipient.device())?;
        let device_keys = payload.sender_device_keys.map(|keys| keys.to_json().to_string());
        let mut members =
            vec![("type", payload.event_type.into()), ("content", string(payload.content).into())];
        members.extend(device_keys.map(|keys| ("senderDeviceKeys", keys.into())));
        Ok(object(members))
    }
}

/// One end of an Olm session, for the content of an event.
#[wasm_bindgen]
pub struct End {
    user_id: String,
    keys: IdentityKeys,
}

#[wasm_bindgen]
impl End {
    #[wasm_bindgen(constructor)]
    pub fn new(user_id: String, ed25519: &str, curve25519: &str) -> Result<Self> {
        Ok(Self { user_id, keys: identity_keys(ed25519, curve25519)? })
    }

    fn device(&self) -> Device<'_> {
        Device { user_id: &self.user_id, keys: self.keys }
    }
}

#[wasm_bindgen(js_name = encodePayload)]
pub fn encode_payload(
    event_type: &str,
    content: &JsString,
    sender: &End,
    recipient: &End,
) -> Result<Uint8Array> {
    let content = text(content);
    let payload = OlmPayload::encode(event_type, &content, &sender.device(), &recipient.device())?;
    Ok(Uint8Array::from(payload.as_bytes()))
}

#[wasm_bindgen(js_name = encodePayloadWithDeviceKeys)]
pub fn encode_payload_with_device_keys(
    event_type: &str,
    content: &JsString,
    sender: &DeviceKeys,
    recipient: &End,
) -> Result<Uint8Array> {
    let (content, recipient) = (text(content), recipient.device());
    let payload = OlmPayload::encode_with_device_keys(event_type, &content, &sender.0, &recipient)?;
    Ok(Uint8Array::from(payload.as_bytes()))
}

/// What everybody can read in a message.
#[wasm_bindgen(js_name = readOlmMessage)]
pub fn read_olm_message(message_type: u32, body: &str) -> Result<Object> {
    let message = OlmMessage::from_parts(message_type as usize, body)?;
    let (inner, session) = match &message {
        OlmMessage::Normal(message) => (message, JsValue::UNDEFINED),
        OlmMessage::PreKey(message) => {
            (message.message(), session_keys(message.session_keys()).into())
        }
    };
    Ok(object([
        ("version", inner.version().byte().into()),
        ("ratchetKey", inner.ratchet_key().to_base64().into()),
        ("chainIndex", inner.chain_index().into()),
        ("sessionKeys", session),
    ]))
}
