//! The ends that use libolm, through the safe interface of `olm-rs`.
//!
//! This interface has plaintexts as text, gives no message index, and has only version 3.

use moceril::MessageVersion;
use olm_rs::{
    PicklingMode,
    account::OlmAccount,
    inbound_group_session::OlmInboundGroupSession,
    outbound_group_session::OlmOutboundGroupSession,
    session::{OlmMessage, OlmSession, PreKeyMessage},
    utility::OlmUtility,
};
use serde_json::Value;

use crate::{
    peer::{
        GroupReceiver, GroupSender, NO_SESSION, OlmPeer, PublishedKey, Refusal, Wire, refusal,
        signed_text,
    },
    secrets::{DeviceSecrets, FarSender},
    vodozemac::VodozemacDevice,
};

fn pickling() -> PicklingMode {
    PicklingMode::Encrypted { key: b"interop".to_vec() }
}

fn version_3_only(version: MessageVersion) {
    assert_eq!(version, MessageVersion::V3, "libolm speaks no other version");
}

fn parse(message: &Wire) -> OlmMessage {
    OlmMessage::from_type_and_ciphertext(message.message_type, message.body.clone()).unwrap()
}

fn parse_pre_key(message: &Wire) -> Option<PreKeyMessage> {
    match parse(message) {
        OlmMessage::PreKey(message) => Some(message),
        OlmMessage::Message(_) => None,
    }
}

pub struct LibolmDevice {
    account: OlmAccount,
    session: Option<OlmSession>,
}

impl LibolmDevice {
    pub fn new(version: MessageVersion) -> Self {
        version_3_only(version);
        Self { account: OlmAccount::new(), session: None }
    }

    pub fn from_secrets(version: MessageVersion, secrets: &DeviceSecrets) -> Self {
        version_3_only(version);
        let key = b"handover";
        let pickle = VodozemacDevice::from_secrets(version, secrets).libolm_pickle(key);
        let mode = PicklingMode::Encrypted { key: key.to_vec() };
        Self { account: OlmAccount::unpickle(pickle, mode).unwrap(), session: None }
    }

    /// The objects that the device is made of, to be pickled in other ways.
    pub fn parts(&self) -> (&OlmAccount, Option<&OlmSession>) {
        (&self.account, self.session.as_ref())
    }

    pub fn from_parts(account: OlmAccount, session: Option<OlmSession>) -> Self {
        Self { account, session }
    }

    fn identity(&self, name: &str) -> String {
        let keys: Value = serde_json::from_str(&self.account.identity_keys()).unwrap();
        keys[name].as_str().unwrap().to_owned()
    }

    fn session(&self) -> &OlmSession {
        self.session.as_ref().expect(NO_SESSION)
    }
}

impl OlmPeer for LibolmDevice {
    fn identity_key(&self) -> String {
        self.identity("curve25519")
    }

    fn publish(&mut self, fallback: bool) -> PublishedKey {
        let keys = if fallback {
            self.account.generate_fallback_key();
            self.account.fallback_key()
        } else {
            self.account.generate_one_time_keys(1);
            self.account.one_time_keys()
        };
        let keys: Value = serde_json::from_str(&keys).unwrap();
        let (_, key) = keys["curve25519"].as_object().unwrap().iter().next().unwrap();
        let one_time_key = key.as_str().unwrap().to_owned();
        self.account.mark_keys_as_published();
        PublishedKey {
            ed25519: self.identity("ed25519"),
            curve25519: self.identity_key(),
            signature: self.account.sign(&signed_text(&one_time_key, fallback)),
            one_time_key,
            fallback,
        }
    }

    fn start(&mut self, key: &PublishedKey) {
        let signed = signed_text(&key.one_time_key, key.fallback);
        let verified =
            OlmUtility::new().ed25519_verify(&key.ed25519, &signed, key.signature.clone());
        assert_eq!(verified, Ok(true));
        let session = self.account.create_outbound_session(&key.curve25519, &key.one_time_key);
        self.session = Some(session.unwrap());
    }

    /// The identity key is not handed on: the C function that takes it needs messages that have
    /// one.
    fn accept(&mut self, _: &str, message: &Wire) -> Result<String, Refusal> {
        let pre_key = parse_pre_key(message).ok_or("not a pre-key message")?;
        let session = self.account.create_inbound_session(pre_key).map_err(refusal)?;
        let plaintext = session.decrypt(parse(message)).map_err(refusal)?;
        self.account.remove_one_time_keys(&session).map_err(refusal)?;
        self.session = Some(session);
        Ok(plaintext)
    }

    fn matches(&self, message: &Wire) -> bool {
        parse_pre_key(message)
            .is_some_and(|message| self.session().matches_inbound_session(message).unwrap())
    }

    fn session_id(&self) -> String {
        self.session().session_id()
    }

    fn encrypt(&mut self, plaintext: &str) -> Wire {
        let (message_type, body) = self.session().encrypt(plaintext).to_tuple();
        Wire { message_type: message_type.into(), body }
    }

    fn decrypt(&mut self, message: &Wire) -> Result<String, Refusal> {
        self.session().decrypt(parse(message)).map_err(refusal)
    }

    fn fresh(&self) -> Box<dyn OlmPeer> {
        let account = OlmAccount::unpickle(self.account.pickle(pickling()), pickling()).unwrap();
        let session = self
            .session
            .as_ref()
            .map(|session| OlmSession::unpickle(session.pickle(pickling()), pickling()).unwrap());
        Box::new(Self { account, session })
    }
}

pub struct LibolmGroupSender(OlmOutboundGroupSession);

impl LibolmGroupSender {
    pub fn new(version: MessageVersion) -> Self {
        version_3_only(version);
        Self(OlmOutboundGroupSession::new())
    }

    pub fn far(secrets: &FarSender) -> Self {
        let mode = PicklingMode::Encrypted { key: FarSender::PICKLE_KEY.to_vec() };
        Self(OlmOutboundGroupSession::unpickle(secrets.pickle.clone(), mode).unwrap())
    }
}

impl GroupSender for LibolmGroupSender {
    fn session_id(&self) -> String {
        self.0.session_id()
    }

    fn session_key(&self) -> String {
        self.0.session_key()
    }

    fn message_index(&self) -> u32 {
        self.0.session_message_index()
    }

    fn encrypt(&mut self, plaintext: &str) -> String {
        self.0.encrypt(plaintext)
    }

    fn fresh(&self) -> Box<dyn GroupSender> {
        let pickle = self.0.pickle(pickling());
        Box::new(Self(OlmOutboundGroupSession::unpickle(pickle, pickling()).unwrap()))
    }
}

pub struct LibolmGroupReceiver(OlmInboundGroupSession);

impl LibolmGroupReceiver {
    pub fn new(version: MessageVersion, session_key: &str) -> Result<Self, Refusal> {
        version_3_only(version);
        OlmInboundGroupSession::new(session_key).map(Self).map_err(refusal)
    }

    pub fn import(version: MessageVersion, exported: &str) -> Result<Self, Refusal> {
        version_3_only(version);
        OlmInboundGroupSession::import(exported).map(Self).map_err(refusal)
    }
}

impl GroupReceiver for LibolmGroupReceiver {
    fn session_id(&self) -> String {
        self.0.session_id()
    }

    fn first_known_index(&self) -> u32 {
        self.0.first_known_index()
    }

    fn decrypt(&mut self, message: &str) -> Result<(String, Option<u32>), Refusal> {
        let (plaintext, _) = self.0.decrypt(message.to_owned()).map_err(refusal)?;
        Ok((plaintext, None))
    }

    fn export_at(&mut self, index: u32) -> Result<String, Refusal> {
        self.0.export(index).map_err(refusal)
    }

    fn fresh(&self) -> Box<dyn GroupReceiver> {
        let pickle = self.0.pickle(pickling());
        Box::new(Self(OlmInboundGroupSession::unpickle(pickle, pickling()).unwrap()))
    }
}
