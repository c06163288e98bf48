//! Verification by short authentication strings.

use js_sys::{Array, Uint8Array};
use moceril::{
    Curve25519PublicKey,
    sas::{self, MacMethod, Refused},
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::values::{Result, Thrown, bytes, object};

#[wasm_bindgen]
pub struct Sas {
    public_key: Curve25519PublicKey,
    /// Until it is used.
    pair: Option<sas::Sas>,
}

#[wasm_bindgen]
impl Sas {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Self> {
        let pair = sas::Sas::new()?;
        Ok(Self { public_key: pair.public_key(), pair: Some(pair) })
    }

    #[wasm_bindgen(js_name = publicKey)]
    pub fn public_key(&self) -> String {
        self.public_key.to_base64()
    }

    #[wasm_bindgen(js_name = diffieHellman)]
    pub fn diffie_hellman(&mut self, their_key: &str) -> Result<EstablishedSas> {
        let their_key = Curve25519PublicKey::from_base64(their_key)?;
        let pair = self.pair.take().ok_or_else(|| Thrown::new("Freed", "the key was used"))?;
        pair.diffie_hellman(their_key).map(EstablishedSas).map_err(
            |Refused { unchanged, error }| {
                self.pair = Some(unchanged);
                error.into()
            },
        )
    }
}

#[wasm_bindgen]
pub struct EstablishedSas(sas::EstablishedSas);

fn method(name: &str) -> Result<MacMethod> {
    MacMethod::from_name(name).ok_or_else(|| Thrown::new("Argument", "no such method of MACs"))
}

#[wasm_bindgen]
impl EstablishedSas {
    pub fn emoji(&self, info: &Uint8Array) -> Array {
        let emoji = self.0.bytes(&*bytes(info)).emoji();
        let entry = |emoji: &sas::Emoji| {
            let members =
                [("symbol", emoji.symbol.into()), ("description", emoji.description.into())];
            JsValue::from(object(members))
        };
        emoji.iter().map(entry).collect()
    }

    pub fn decimals(&self, info: &Uint8Array) -> Array {
        self.0.bytes(&*bytes(info)).decimals().iter().map(|number| JsValue::from(*number)).collect()
    }

    #[wasm_bindgen(js_name = calculateMac)]
    pub fn calculate_mac(
        &self,
        method_name: &str,
        input: &Uint8Array,
        info: &Uint8Array,
    ) -> Result<String> {
        Ok(self.0.calculate_mac(method(method_name)?, &*bytes(input), &*bytes(info)))
    }

    #[wasm_bindgen(js_name = verifyMac)]
    pub fn verify_mac(
        &self,
        method_name: &str,
        input: &Uint8Array,
        info: &Uint8Array,
        tag: &str,
    ) -> Result<()> {
        Ok(self.0.verify_mac(method(method_name)?, &*bytes(input), &*bytes(info), tag)?)
    }
}

#[wasm_bindgen(js_name = sasCommitment)]
pub fn commitment(public_key: &str, start_content: &str) -> Result<String> {
    Ok(sas::commitment(&Curve25519PublicKey::from_base64(public_key)?, start_content))
}
