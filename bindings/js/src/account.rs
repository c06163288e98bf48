//! Accounts, the keys that they publish, and the keys of other devices.

use js_sys::{Array, Object, Uint8Array};
use moceril::{
    Curve25519PublicKey, Ed25519Signature,
    device_keys::{self, DeviceKeys as Device},
    olm::{self, PreKeyMessage, SignedOneTimeKey},
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    olm::{DecryptedMessage, Session},
    values::{
        Result, bytes, identity_keys, identity_keys_object, json, keys_array, object, strings,
    },
};

#[wasm_bindgen]
pub struct Account(pub(crate) olm::Account);

/// What every object with pickles has.
macro_rules! pickled {
    ($name:ident, $object:ty) => {
        #[wasm_bindgen]
        impl $name {
            pub fn pickle(
                &self,
                key: &js_sys::Uint8Array,
                context: &js_sys::Uint8Array,
            ) -> $crate::values::Result<String> {
                let (key, context) =
                    ($crate::values::pickle_key(key)?, $crate::values::bytes(context));
                Ok(self.0.pickle(&key, &*context)?)
            }

            #[wasm_bindgen(js_name = fromPickle)]
            pub fn from_pickle(
                pickle: &str,
                key: &js_sys::Uint8Array,
                context: &js_sys::Uint8Array,
            ) -> $crate::values::Result<Self> {
                let (key, context) =
                    ($crate::values::pickle_key(key)?, $crate::values::bytes(context));
                Ok(Self(<$object>::from_pickle(pickle, &key, &*context)?))
            }

            #[wasm_bindgen(js_name = fromLibolmPickle)]
            pub fn from_libolm_pickle(
                pickle: &str,
                key: &js_sys::Uint8Array,
            ) -> $crate::values::Result<Self> {
                let key = $crate::values::bytes(key);
                Ok(Self(<$object>::from_libolm_pickle(pickle, &*key)?))
            }

            pub fn generation(&self) -> u64 {
                self.0.generation()
            }
        }
    };
}
pub(crate) use pickled;

pickled!(Account, olm::Account);

fn signed(key: &SignedOneTimeKey) -> Object {
    object([
        ("key", key.key.to_base64().into()),
        ("fallback", key.fallback.into()),
        ("signature", key.signature.to_base64().into()),
    ])
}

#[wasm_bindgen]
impl Account {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Self> {
        Ok(Self(olm::Account::new()?))
    }

    #[wasm_bindgen(js_name = identityKeys)]
    pub fn identity_keys(&self) -> Object {
        identity_keys_object(self.0.identity_keys())
    }

    pub fn sign(&self, message: &Uint8Array) -> String {
        self.0.sign(&*bytes(message)).to_base64()
    }

    #[wasm_bindgen(js_name = generateOneTimeKeys)]
    pub fn generate_one_time_keys(&mut self, count: u32) -> Result<Object> {
        let generation = self.0.generate_one_time_keys(count as usize)?;
        Ok(object([
            ("created", keys_array(&generation.created).into()),
            ("evicted", keys_array(&generation.evicted).into()),
        ]))
    }

    #[wasm_bindgen(js_name = oneTimeKeys)]
    pub fn one_time_keys(&self) -> Array {
        keys_array(&self.0.unpublished_one_time_keys())
    }

    #[wasm_bindgen(js_name = signedOneTimeKeys)]
    pub fn signed_one_time_keys(&self) -> Array {
        self.0.signed_one_time_keys().iter().map(|(_, key)| signed(key)).collect()
    }

    #[wasm_bindgen(js_name = storedOneTimeKeyCount)]
    pub fn stored_one_time_key_count(&self) -> usize {
        self.0.stored_one_time_key_count()
    }

    #[wasm_bindgen(js_name = generateFallbackKey)]
    pub fn generate_fallback_key(&mut self) -> Result<Option<String>> {
        Ok(self.0.generate_fallback_key()?.forgotten.map(|(_, key)| key.to_base64()))
    }

    #[wasm_bindgen(js_name = signedFallbackKey)]
    pub fn signed_fallback_key(&self) -> Option<Object> {
        self.0.signed_fallback_key().map(|(_, key)| signed(&key))
    }

    #[wasm_bindgen(js_name = forgetPreviousFallbackKey)]
    pub fn forget_previous_fallback_key(&mut self) -> bool {
        self.0.forget_previous_fallback_key()
    }

    #[wasm_bindgen(js_name = fallbackMemory)]
    pub fn fallback_memory(&self) -> u32 {
        self.0.fallback_memory()
    }

    #[wasm_bindgen(js_name = setFallbackMemory)]
    pub fn set_fallback_memory(&mut self, sessions: u32) {
        self.0.set_fallback_memory(sessions);
    }

    /// The members `one_time_keys` and `fallback_keys` of a request to `/keys/upload`.
    #[wasm_bindgen(js_name = keysToUpload)]
    pub fn keys_to_upload(&self, user_id: &str, device_id: &str) -> String {
        device_keys::keys_to_upload(&self.0, user_id, device_id).to_string()
    }

    /// Names keys by their public halves: an id alone does not say of which kind a key is.
    #[wasm_bindgen(js_name = markAsPublished)]
    pub fn mark_as_published(&mut self, keys: &Array) -> Result<usize> {
        let keys: Vec<_> = strings(keys)
            .map(|key| Curve25519PublicKey::from_base64(&String::from(key)))
            .collect::<std::result::Result<_, _>>()?;
        let ids: Vec<_> = keys.iter().filter_map(|key| self.0.key_id(key)).collect();
        Ok(self.0.mark_as_published(ids))
    }

    #[wasm_bindgen(js_name = removeOneTimeKey)]
    pub fn remove_one_time_key(&mut self, key: &str) -> Result<bool> {
        let id = self.0.key_id(&Curve25519PublicKey::from_base64(key)?);
        Ok(id.is_some_and(|id| self.0.remove_one_time_key(id)))
    }

    #[wasm_bindgen(js_name = createOutboundSession)]
    pub fn create_outbound_session(&self, bundle: &PreKeyBundle) -> Result<Session> {
        Ok(Session(self.0.create_outbound_session(&bundle.0)?))
    }

    #[wasm_bindgen(js_name = createInboundSession)]
    pub fn create_inbound_session(&mut self, sender_key: &str, body: &str) -> Result<Object> {
        let sender_key = Curve25519PublicKey::from_base64(sender_key)?;
        let message = PreKeyMessage::from_base64(body)?;
        let creation = self.0.create_inbound_session(sender_key, &message)?;
        Ok(object([
            ("session", Session(creation.session).into()),
            ("message", DecryptedMessage(creation.message).into()),
            ("replayExcluded", creation.replay_excluded.into()),
        ]))
    }
}

#[wasm_bindgen]
pub struct PreKeyBundle(pub(crate) olm::PreKeyBundle);

#[wasm_bindgen]
impl PreKeyBundle {
    pub fn verify(
        ed25519: &str,
        curve25519: &str,
        key: &str,
        fallback: bool,
        signature: &str,
    ) -> Result<Self> {
        let key = SignedOneTimeKey {
            key: Curve25519PublicKey::from_base64(key)?,
            fallback,
            signature: Ed25519Signature::from_base64(signature)?,
        };
        Ok(Self(olm::PreKeyBundle::verify(identity_keys(ed25519, curve25519)?, &key)?))
    }

    #[wasm_bindgen(js_name = identityKey)]
    pub fn identity_key(&self) -> String {
        self.0.identity_key().to_base64()
    }

    #[wasm_bindgen(js_name = oneTimeKey)]
    pub fn one_time_key(&self) -> String {
        self.0.one_time_key().to_base64()
    }
}

#[wasm_bindgen]
pub struct DeviceKeys(pub(crate) Device);

#[wasm_bindgen]
impl DeviceKeys {
    pub fn of(account: &Account, user_id: &str, device_id: &str) -> Result<Self> {
        Ok(Self(Device::new(&account.0, user_id, device_id)?))
    }

    pub fn verify(text: &str, user_id: &str, device_id: &str) -> Result<Self> {
        Ok(Self(Device::verify(json(text)?, user_id, device_id)?))
    }

    #[wasm_bindgen(js_name = userId)]
    pub fn user_id(&self) -> String {
        self.0.user_id().into()
    }

    #[wasm_bindgen(js_name = deviceId)]
    pub fn device_id(&self) -> String {
        self.0.device_id().into()
    }

    #[wasm_bindgen(js_name = identityKeys)]
    pub fn identity_keys(&self) -> Object {
        identity_keys_object(self.0.identity_keys())
    }

    #[wasm_bindgen(js_name = toJson)]
    pub fn to_json(&self) -> String {
        self.0.to_json().to_string()
    }

    #[wasm_bindgen(js_name = verifyOneTimeKey)]
    pub fn verify_one_time_key(&self, text: &str) -> Result<PreKeyBundle> {
        Ok(PreKeyBundle(self.0.verify_one_time_key(&json(text)?)?))
    }
}
