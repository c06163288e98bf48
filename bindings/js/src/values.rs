//! What passes between JavaScript and the library, and how errors are thrown.

use std::{error::Error, mem};

use js_sys::{Array, JsString, Object, Reflect, Uint8Array};
use moceril::{
    Curve25519PublicKey, Ed25519PublicKey, KeyError, PickleKey, SecretString,
    olm::{IdentityKeys, KeyId},
};
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use zeroize::Zeroizing;

/// What a function throws: an `Error` whose name is the code, and whose message is the text.
pub struct Thrown(js_sys::Error);

pub type Result<T> = std::result::Result<T, Thrown>;

impl Thrown {
    pub fn new(code: &str, message: &str) -> Self {
        let error = js_sys::Error::new(message);
        error.set_name(code);
        Self(error)
    }
}

impl<E: Error> From<E> for Thrown {
    /// The code is the name of the variant, with which `Debug` begins. The message is the text of
    /// the error and of what caused it.
    fn from(error: E) -> Self {
        let debug = format!("{error:?}");
        let code = debug.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self::new(code.strip_suffix("Error").unwrap_or(code), &message)
    }
}

impl From<Thrown> for JsValue {
    fn from(thrown: Thrown) -> Self {
        thrown.0.into()
    }
}

/// A copy of bytes that may be secret, wiped when it is dropped.
pub fn bytes(value: &Uint8Array) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(value.to_vec())
}

#[wasm_bindgen]
extern "C" {
    type TextEncoder;

    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;

    #[wasm_bindgen(method)]
    fn encode(this: &TextEncoder, text: &JsString) -> Uint8Array;
}

/// A copy of a text that may be secret, wiped when it is dropped. It has its whole length from the
/// beginning. `String::from` would let it grow at the first character that is not ASCII, and leave
/// what stands before that character in memory that nobody wipes.
pub fn text(value: &JsString) -> Zeroizing<String> {
    let encoded = TextEncoder::new().encode(value).to_vec();
    // `TextEncoder` gives UTF-8 and nothing else.
    Zeroizing::new(String::from_utf8(encoded).unwrap_or_default())
}

/// The same, for functions that ask for a secret.
pub fn secret(value: &JsString) -> SecretString {
    SecretString::from(mem::take(&mut *text(value)))
}

/// A secret as a JavaScript string, without a copy that nobody wipes on this side.
pub fn string(secret: impl AsRef<str>) -> JsString {
    JsString::from(secret.as_ref())
}

pub fn pickle_key(value: &Uint8Array) -> Result<PickleKey> {
    let key = bytes(value);
    let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| KeyError::Length(key.len()))?;
    Ok(PickleKey::from_bytes(*key))
}

/// A fresh object with these members. Setting a member of a fresh object cannot fail.
pub fn object(members: impl IntoIterator<Item = (&'static str, JsValue)>) -> Object {
    let object = Object::new();
    for (name, value) in members {
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object
}

/// One value for each result; an error becomes the `Error` that would be thrown.
pub fn each<T: Into<JsValue>>(results: impl IntoIterator<Item = Result<T>>) -> Array {
    results.into_iter().map(|result| result.map_or_else(JsValue::from, T::into)).collect()
}

/// The strings of an array. The TypeScript has checked that all are strings.
pub fn strings(array: &Array) -> impl Iterator<Item = JsString> {
    array.iter().filter_map(|value| value.dyn_into().ok())
}

pub fn identity_keys(ed25519: &str, curve25519: &str) -> Result<IdentityKeys> {
    Ok(IdentityKeys {
        ed25519: Ed25519PublicKey::from_base64(ed25519)?,
        curve25519: Curve25519PublicKey::from_base64(curve25519)?,
    })
}

pub fn identity_keys_object(keys: IdentityKeys) -> Object {
    object([
        ("ed25519", keys.ed25519.to_base64().into()),
        ("curve25519", keys.curve25519.to_base64().into()),
    ])
}

pub fn keys_array(keys: &[(KeyId, Curve25519PublicKey)]) -> Array {
    let entry = |(id, key): &(KeyId, Curve25519PublicKey)| {
        JsValue::from(object([("id", id.to_base64().into()), ("key", key.to_base64().into())]))
    };
    keys.iter().map(entry).collect()
}

pub fn json(text: &str) -> Result<Value> {
    // What serde says may quote the text, which may be secret.
    serde_json::from_str(text).map_err(|_| Thrown::new("Malformed", "the text is not JSON"))
}
