//! Group sessions: their two ends, and the memory against replays.

use std::time::Duration;

use js_sys::{Array, JsString, Object, Uint8Array};
use moceril::{
    megolm::{
        self, ExportedSessionKey, MegolmMessage, MergeError, Provenance, ReplayVerdict,
        RotationPolicy, SessionKey, SessionOrdering,
    },
    payload::RoomPayload,
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    account::pickled,
    values::{Result, Thrown, bytes, each, object, pickle_key, string, strings, text},
};

#[wasm_bindgen]
pub struct GroupSession(pub(crate) megolm::GroupSession);

pickled!(GroupSession, megolm::GroupSession);

#[wasm_bindgen]
impl GroupSession {
    #[wasm_bindgen(constructor)]
    pub fn new(created_at: u64) -> Result<Self> {
        Ok(Self(megolm::GroupSession::new(Duration::from_secs(created_at))?))
    }

    #[wasm_bindgen(js_name = sessionId)]
    pub fn session_id(&self) -> String {
        self.0.session_id()
    }

    #[wasm_bindgen(js_name = sessionKey)]
    pub fn session_key(&self) -> JsString {
        string(self.0.session_key().to_base64())
    }

    #[wasm_bindgen(js_name = messageIndex)]
    pub fn message_index(&self) -> u32 {
        self.0.message_index()
    }

    #[wasm_bindgen(js_name = createdAt)]
    pub fn created_at(&self) -> Option<u64> {
        self.0.created_at().map(|time| time.as_secs())
    }

    #[wasm_bindgen(js_name = setCreatedAt)]
    pub fn set_created_at(&mut self, seconds: u64) -> Result<()> {
        Ok(self.0.set_created_at(Duration::from_secs(seconds))?)
    }

    #[wasm_bindgen(js_name = rotationDue)]
    pub fn rotation_due(&self, messages: u32, seconds: u64, now: u64) -> bool {
        let policy = RotationPolicy::new(messages, Duration::from_secs(seconds));
        self.0.rotation_due(&policy, Duration::from_secs(now))
    }

    pub fn encrypt(&mut self, plaintext: &Uint8Array) -> Result<String> {
        Ok(self.0.encrypt(&*bytes(plaintext))?.to_base64())
    }
}

#[wasm_bindgen]
pub struct InboundGroupSession(pub(crate) megolm::InboundGroupSession);

pickled!(InboundGroupSession, megolm::InboundGroupSession);

#[wasm_bindgen]
impl InboundGroupSession {
    #[wasm_bindgen(constructor)]
    pub fn new(session_key: &JsString) -> Result<Self> {
        let key = SessionKey::from_base64(&text(session_key))?;
        Ok(Self(megolm::InboundGroupSession::new(&key)))
    }

    pub fn import(exported: &JsString) -> Result<Self> {
        let key = ExportedSessionKey::from_base64(&text(exported))?;
        Ok(Self(megolm::InboundGroupSession::import(&key)))
    }

    #[wasm_bindgen(js_name = importFromBackup)]
    pub fn import_from_backup(exported: &JsString) -> Result<Self> {
        let key = ExportedSessionKey::from_base64(&text(exported))?;
        Ok(Self(megolm::InboundGroupSession::import_from_backup(&key)))
    }

    #[wasm_bindgen(js_name = sessionId)]
    pub fn session_id(&self) -> String {
        self.0.session_id()
    }

    #[wasm_bindgen(js_name = signingKey)]
    pub fn signing_key(&self) -> String {
        self.0.signing_key().to_base64()
    }

    #[wasm_bindgen(js_name = firstKnownIndex)]
    pub fn first_known_index(&self) -> u32 {
        self.0.first_known_index()
    }

    pub fn provenance(&self) -> String {
        self.0.provenance().name().into()
    }

    #[wasm_bindgen(js_name = provenanceAt)]
    pub fn provenance_at(&self, index: u32) -> Option<String> {
        self.0.provenance_at(index).map(|provenance| provenance.name().into())
    }

    #[wasm_bindgen(js_name = setProvenance)]
    pub fn set_provenance(&mut self, name: &str) -> Result<()> {
        let stated = Provenance::from_name(name);
        let stated = stated.ok_or_else(|| Thrown::new("Argument", "no such provenance"))?;
        Ok(self.0.set_provenance(stated)?)
    }

    pub fn decrypt(&mut self, message: &str) -> Result<DecryptedGroupMessage> {
        let message = MegolmMessage::from_base64(message)?;
        Ok(DecryptedGroupMessage(self.0.decrypt(&message)?))
    }

    /// One result for each message, in order: one that is malformed does not stop the others.
    #[wasm_bindgen(js_name = decryptBatch)]
    pub fn decrypt_batch(&mut self, messages: &Array) -> Array {
        let decoded: Vec<_> = strings(messages)
            .map(|message| MegolmMessage::from_base64(&String::from(message)))
            .collect();
        let mut decrypted = self.0.decrypt_batch(decoded.iter().flatten()).into_iter();
        each(decoded.iter().map(|message| match message {
            Err(error) => Err((*error).into()),
            Ok(_) => match decrypted.next() {
                Some(result) => Ok(DecryptedGroupMessage(result?)),
                None => Err(megolm::DecryptionError::Authentication.into()),
            },
        }))
    }

    #[wasm_bindgen(js_name = exportAt)]
    pub fn export_at(&self, index: u32) -> Result<JsString> {
        Ok(string(self.0.export_at(index)?.to_base64()))
    }

    #[wasm_bindgen(js_name = advanceTo)]
    pub fn advance_to(&mut self, index: u32) -> bool {
        self.0.advance_to(index)
    }

    pub fn close(&mut self) {
        self.0.close();
    }

    #[wasm_bindgen(js_name = isClosed)]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    pub fn compare(&self, other: &Self) -> String {
        let order = match self.0.compare(&other.0) {
            SessionOrdering::Equal => "equal",
            SessionOrdering::Better => "better",
            SessionOrdering::Worse => "worse",
            SessionOrdering::Unconnected => "unconnected",
        };
        order.into()
    }

    /// `None` for sessions that are not the same one, of which one may replace the other.
    pub fn merge(&self, other: &Self) -> Result<Option<Self>> {
        match self.0.merge(&other.0) {
            Err(MergeError::Unconnected) => Ok(None),
            merged => Ok(Some(Self(merged?))),
        }
    }

    pub fn replaces(&self, other: &Self) -> bool {
        self.0.replaces(&other.0)
    }
}

#[wasm_bindgen]
pub struct DecryptedGroupMessage(megolm::DecryptedMessage);

#[wasm_bindgen]
impl DecryptedGroupMessage {
    pub fn plaintext(&self) -> Uint8Array {
        Uint8Array::from(self.0.plaintext())
    }

    #[wasm_bindgen(js_name = messageIndex)]
    pub fn message_index(&self) -> u32 {
        self.0.message_index()
    }

    pub fn provenance(&self) -> String {
        self.0.provenance().name().into()
    }

    #[wasm_bindgen(js_name = signingKey)]
    pub fn signing_key(&self) -> String {
        self.0.signing_key().to_base64()
    }

    pub fn fingerprint(&self) -> Uint8Array {
        Uint8Array::from(self.0.fingerprint().as_slice())
    }

    #[wasm_bindgen(js_name = verifyPayload)]
    pub fn verify_payload(&self, room_id: &str) -> Result<Object> {
        let payload = RoomPayload::verify(&self.0, room_id)?;
        Ok(object([
            ("type", payload.event_type.into()),
            ("content", string(payload.content).into()),
        ]))
    }
}

#[wasm_bindgen(js_name = encodeRoomPayload)]
pub fn encode_room_payload(
    event_type: &str,
    content: &JsString,
    room_id: &str,
) -> Result<Uint8Array> {
    let payload = RoomPayload::encode(event_type, &text(content), room_id)?;
    Ok(Uint8Array::from(payload.as_bytes()))
}

#[wasm_bindgen]
pub struct ReplayGuard(megolm::ReplayGuard);

#[wasm_bindgen]
impl ReplayGuard {
    #[wasm_bindgen(constructor)]
    pub fn new(session: &InboundGroupSession, capacity: u32) -> Self {
        Self(megolm::ReplayGuard::with_capacity(&session.0, capacity))
    }

    #[wasm_bindgen(js_name = defaultCapacity)]
    pub fn default_capacity() -> u32 {
        megolm::ReplayGuard::DEFAULT_CAPACITY
    }

    pub fn check(&mut self, message: &DecryptedGroupMessage, event_id: &str) -> Result<String> {
        let verdict = match self.0.check(&message.0, event_id)? {
            ReplayVerdict::First => "first",
            ReplayVerdict::Again => "again",
            ReplayVerdict::FirstNotRemembered => "first-not-remembered",
            _ => "unknown",
        };
        Ok(verdict.into())
    }

    pub fn capacity(&self) -> u32 {
        self.0.capacity()
    }

    #[wasm_bindgen(js_name = raiseCapacity)]
    pub fn raise_capacity(&mut self, capacity: u32) {
        self.0.raise_capacity(capacity);
    }

    pub fn generation(&self) -> u64 {
        self.0.generation()
    }

    pub fn pickle(&self, key: &Uint8Array, context: &Uint8Array) -> Result<String> {
        Ok(self.0.pickle(&pickle_key(key)?, &*bytes(context))?)
    }

    #[wasm_bindgen(js_name = fromPickle)]
    pub fn from_pickle(
        pickle: &str,
        key: &Uint8Array,
        context: &Uint8Array,
        session: &InboundGroupSession,
    ) -> Result<Self> {
        let (key, context) = (pickle_key(key)?, bytes(context));
        Ok(Self(megolm::ReplayGuard::from_pickle(pickle, &key, &*context, &session.0)?))
    }
}
