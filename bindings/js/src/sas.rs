//! Verification by short authentication strings.

use js_sys::{Array, Uint8Array};
use moceril::{
    Curve25519PublicKey,
    sas::{self, InfoStrings, MacMethod, Party, Refused},
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::values::{Result, Thrown, bytes, object, strings};

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

/// Between which devices a verification is, for the info strings.
#[wasm_bindgen]
pub struct Verification {
    us: [String; 2],
    them: [String; 2],
    we_started: bool,
    transaction_id: String,
}

#[wasm_bindgen]
impl Verification {
    #[wasm_bindgen(constructor)]
    pub fn new(
        our_user: String,
        our_device: String,
        their_user: String,
        their_device: String,
        we_started: bool,
        transaction_id: String,
    ) -> Self {
        let (us, them) = ([our_user, our_device], [their_user, their_device]);
        Self { us, them, we_started, transaction_id }
    }

    pub fn sas(&self, sas: &EstablishedSas) -> Uint8Array {
        info(&self.strings().sas(&sas.0))
    }

    #[wasm_bindgen(js_name = ourMac)]
    pub fn our_mac(&self, key_id: &str) -> Uint8Array {
        info(&self.strings().our_mac(key_id))
    }

    #[wasm_bindgen(js_name = theirMac)]
    pub fn their_mac(&self, key_id: &str) -> Uint8Array {
        info(&self.strings().their_mac(key_id))
    }

    fn strings(&self) -> InfoStrings<'_> {
        InfoStrings {
            us: party(&self.us),
            them: party(&self.them),
            we_started: self.we_started,
            transaction_id: &self.transaction_id,
        }
    }
}

fn party([user_id, device_id]: &[String; 2]) -> Party<'_> {
    Party { user_id, device_id }
}

fn info(text: &str) -> Uint8Array {
    Uint8Array::from(text.as_bytes())
}

#[wasm_bindgen(js_name = sasKeyIds)]
pub fn key_ids(ids: &Array) -> String {
    let ids: Vec<_> = strings(ids).map(String::from).collect();
    sas::key_ids(ids.iter().map(String::as_str))
}
