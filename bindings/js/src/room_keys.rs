//! Files of exported room keys, and the keys in them.

use js_sys::{Array, JsString, Object};
use moceril::{
    key_export,
    room_keys::{self, ExportedRoomKey},
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::values::{Result, each, object, secret, string, strings, text};

#[wasm_bindgen(js_name = encryptKeyExport)]
pub fn encrypt_key_export(json: &JsString, passphrase: &JsString, rounds: u32) -> Result<String> {
    Ok(key_export::encrypt(&secret(json), &text(passphrase), rounds)?)
}

#[wasm_bindgen(js_name = decryptKeyExport)]
pub fn decrypt_key_export(file: &str, passphrase: &JsString, max_rounds: u32) -> Result<JsString> {
    Ok(string(key_export::decrypt(file, &text(passphrase), max_rounds)?))
}

#[wasm_bindgen(js_name = keyExportRounds)]
pub fn rounds(file: &str) -> Result<u32> {
    Ok(key_export::rounds(file)?)
}

#[wasm_bindgen(js_name = defaultRounds)]
pub fn default_rounds() -> u32 {
    key_export::DEFAULT_ROUNDS
}

#[wasm_bindgen(js_name = maxRounds)]
pub fn max_rounds() -> u32 {
    key_export::MAX_ROUNDS
}

/// The members of a room key, and the whole key as the JSON of an entry.
pub fn exported(key: &ExportedRoomKey) -> Object {
    let json = key.to_json().map_or(JsValue::UNDEFINED, |json| string(json).into());
    object([
        ("roomId", JsValue::from_str(&key.room_id)),
        ("sessionId", key.session_key.session_id().into()),
        ("senderKey", key.sender_key.map(|key| key.to_base64()).into()),
        ("firstIndex", key.session_key.index().into()),
        ("sessionKey", string(key.session_key.to_base64()).into()),
        ("json", json),
    ])
}

#[wasm_bindgen(js_name = readKeyExport)]
pub fn read_export(json: &JsString) -> Array {
    each(room_keys::read_export(&text(json)).map(|key| Ok(exported(&key?))))
}

#[wasm_bindgen(js_name = writeKeyExport)]
pub fn write_export(entries: &Array) -> Result<JsString> {
    let read = |entry: JsString| ExportedRoomKey::from_json(&text(&entry));
    let keys: Vec<_> = strings(entries).map(read).collect::<std::result::Result<_, _>>()?;
    Ok(string(room_keys::write_export(&keys)?))
}
