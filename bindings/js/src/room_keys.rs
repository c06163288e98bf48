//! Files of exported room keys, and the keys in them.

use js_sys::{Array, JsString, Object};
use moceril::{
    key_export,
    room_keys::{self, ExportedRoomKey, RoomKey},
};
use serde_json::{Map, Value};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    group::{GroupSession, InboundGroupSession},
    values::{Result, each, identity_keys, object, secret, string, strings, text},
};

/// The member that says whether the key may be given to users who join the room later.
fn note_shared_history(other: &mut Map<String, Value>, shared: bool) {
    if shared {
        other.insert("shared_history".into(), true.into());
    }
}

#[wasm_bindgen]
impl GroupSession {
    #[wasm_bindgen(js_name = roomKey)]
    pub fn room_key(&self, room_id: &str, shared_history: bool) -> Result<JsString> {
        let mut key = RoomKey::new(room_id, self.0.session_key());
        note_shared_history(&mut key.other, shared_history);
        Ok(string(key.to_json()?))
    }
}

#[wasm_bindgen(js_name = readRoomKey)]
pub fn read_room_key(json: &JsString) -> Result<Object> {
    let key = RoomKey::from_json(&text(json))?;
    let shared_history = key.shared_history();
    Ok(object([
        ("roomId", JsValue::from(key.room_id)),
        ("sessionId", key.session_key.session_id().into()),
        ("sessionKey", string(key.session_key.to_base64()).into()),
        ("sharedHistory", shared_history.into()),
    ]))
}

#[wasm_bindgen]
impl InboundGroupSession {
    /// The sender has both keys, or is not known.
    #[wasm_bindgen(js_name = exportRoomKey)]
    pub fn export_room_key(
        &self,
        room_id: &str,
        index: u32,
        ed25519: Option<String>,
        curve25519: Option<String>,
        shared_history: bool,
    ) -> Result<Object> {
        let key = self.0.export_at(index)?;
        let mut key = match ed25519.zip(curve25519) {
            Some((ed25519, curve25519)) => {
                ExportedRoomKey::new(room_id, key, identity_keys(&ed25519, &curve25519)?)
            }
            None => ExportedRoomKey::with_unknown_sender(room_id, key),
        };
        note_shared_history(&mut key.other, shared_history);
        Ok(exported(&key))
    }
}

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
        ("sharedHistory", key.shared_history().into()),
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
