//! Matrix's signed JSON: the canonical form, and the signatures in an object.

use anyhow::{Context, Result};
use moceril::{Ed25519PublicKey, Ed25519Signature, olm::Account};
use serde_json::{Value, json};

/// The canonical form that signatures cover: sorted members, no spaces. `serde_json` writes just
/// that unless its feature `preserve_order` is on.
pub fn canonical(value: &Value) -> String {
    value.to_string()
}

/// The text at a JSON pointer; the error names what is missing.
pub fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("{pointer} is missing"))
}

/// What a signature covers: everything but the signatures and what servers add.
fn signed_part(value: &Value) -> String {
    let mut signed = value.clone();
    if let Some(members) = signed.as_object_mut() {
        members.remove("signatures");
        members.remove("unsigned");
    }
    canonical(&signed)
}

/// Adds our device's signature.
pub fn sign(account: &Account, user_id: &str, device_id: &str, value: &mut Value) {
    let signature = account.sign(signed_part(value).as_bytes()).to_base64();
    value["signatures"] = json!({ user_id: { format!("ed25519:{device_id}"): signature } });
}

/// The device's signature, not verified.
pub fn signature(value: &Value, user_id: &str, device_id: &str) -> Result<Ed25519Signature> {
    let signature = value["signatures"][user_id][format!("ed25519:{device_id}")].as_str();
    Ok(Ed25519Signature::from_base64(signature.context("the device did not sign it")?)?)
}

/// Verifies the device's signature.
pub fn verify(key: &Ed25519PublicKey, user_id: &str, device_id: &str, value: &Value) -> Result<()> {
    let signature = signature(value, user_id, device_id)?;
    Ok(key.verify(signed_part(value).as_bytes(), &signature)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_is_that_of_the_specification() {
        for (json, canonical_json) in [
            ("{ }", "{}"),
            (r#"{"b": "2", "a": "1"}"#, r#"{"a":"1","b":"2"}"#),
            (r#"{"本": 2, "日": 1}"#, r#"{"日":1,"本":2}"#),
            (r#"{"a": "\u65E5"}"#, r#"{"a":"日"}"#),
            (r#"{"a": "\n\u0001\u007f\/\""}"#, "{\"a\":\"\\n\\u0001\u{7f}/\\\"\"}"),
            (
                r#"{"a": [null, true, -7, {"c": 1, "b": 2}]}"#,
                r#"{"a":[null,true,-7,{"b":2,"c":1}]}"#,
            ),
        ] {
            assert_eq!(canonical(&serde_json::from_str(json).unwrap()), canonical_json);
        }
    }

    #[test]
    fn a_signature_covers_everything_but_what_servers_add() {
        let account = Account::new().unwrap();
        let mut object = json!({ "a": 1, "unsigned": { "age": 1 } });
        sign(&account, "@a:b", "D", &mut object);
        object["unsigned"]["age"] = json!(2);
        let key = account.ed25519_key();
        verify(&key, "@a:b", "D", &object).unwrap();
        assert!(verify(&key, "@a:b", "E", &object).is_err());
        assert!(verify(&key, "@c:b", "D", &object).is_err());
        object["a"] = json!(2);
        assert!(verify(&key, "@a:b", "D", &object).is_err());
    }
}
