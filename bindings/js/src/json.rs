//! Canonical and signed JSON.

use moceril::{Ed25519PublicKey, canonical_json, signed_json};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    account::Account,
    values::{Result, json},
};

#[wasm_bindgen(js_name = canonicalJson)]
pub fn canonical(text: &str) -> Result<String> {
    Ok(canonical_json::to_string(&json(text)?)?)
}

#[wasm_bindgen(js_name = signJson)]
pub fn sign(account: &Account, text: &str, user_id: &str, device_id: &str) -> Result<String> {
    let mut object = json(text)?;
    signed_json::sign(&mut object, user_id, device_id, &account.0)?;
    Ok(object.to_string())
}

#[wasm_bindgen(js_name = verifyJson)]
pub fn verify(text: &str, user_id: &str, key_name: &str, key: &str) -> Result<()> {
    let key = Ed25519PublicKey::from_base64(key)?;
    Ok(signed_json::verify(&json(text)?, user_id, key_name, &key)?)
}
