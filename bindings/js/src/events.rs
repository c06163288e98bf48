//! The contents of encrypted events, and the policy of a room.

use js_sys::Object;
use moceril::{
    Curve25519PublicKey,
    events::{MegolmContent, OlmContent},
    megolm::{MegolmMessage, RotationPolicy},
    olm::OlmMessage,
};
use serde_json::Value;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    olm::message_parts,
    values::{Result, Thrown, json, object},
};

#[wasm_bindgen(js_name = readOlmContent)]
pub fn read_olm_content(text: &str, recipient: &str) -> Result<Object> {
    let recipient = Curve25519PublicKey::from_base64(recipient)?;
    let content = OlmContent::from_json(&json(text)?, &recipient)?;
    Ok(object([
        ("senderKey", content.sender_key.to_base64().into()),
        ("message", message_parts(&content.message).into()),
    ]))
}

#[wasm_bindgen(js_name = writeOlmContent)]
pub fn write_olm_content(
    sender_key: &str,
    message_type: u32,
    body: &str,
    recipient: &str,
) -> Result<String> {
    let content = OlmContent {
        sender_key: Curve25519PublicKey::from_base64(sender_key)?,
        message: OlmMessage::from_parts(message_type as usize, body)?,
    };
    Ok(content.to_json(&Curve25519PublicKey::from_base64(recipient)?).to_string())
}

#[wasm_bindgen(js_name = readMegolmContent)]
pub fn read_megolm_content(text: &str) -> Result<Object> {
    let content = MegolmContent::from_json(&json(text)?)?;
    Ok(object([
        ("sessionId", JsValue::from(content.session_id)),
        ("message", content.message.to_base64().into()),
        ("other", Value::Object(content.other).to_string().into()),
    ]))
}

#[wasm_bindgen(js_name = writeMegolmContent)]
pub fn write_megolm_content(session_id: &str, message: &str, other: &str) -> Result<String> {
    let mut content = MegolmContent::new(session_id, MegolmMessage::from_base64(message)?);
    let Value::Object(other) = json(other)? else {
        return Err(Thrown::new("Malformed", "the other members are not a JSON object"));
    };
    content.other = other;
    Ok(content.to_json().to_string())
}

#[wasm_bindgen(js_name = readRotationPolicy)]
pub fn read_rotation_policy(text: &str) -> Result<Object> {
    let policy = RotationPolicy::from_json(&json(text)?);
    Ok(object([("messages", JsValue::from(policy.messages)), ("age", policy.age.as_secs().into())]))
}
