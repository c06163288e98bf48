//! The ends that use `vodozemac`, with its serde pickles.

use moceril::MessageVersion;
use vodozemac::{
    Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature, base64_decode, base64_encode,
    megolm::{
        self, ExportedSessionKey, GroupSession, GroupSessionPickle, InboundGroupSession,
        InboundGroupSessionPickle, MegolmMessage, SessionKey,
    },
    olm::{self, Account, AccountPickle, OlmMessage, Session, SessionPickle},
};

use crate::{
    peer::{
        GroupReceiver, GroupSender, NO_SESSION, OlmPeer, PublishedKey, Refusal, Wire, refusal,
        signed_text, text,
    },
    secrets::{DeviceSecrets, FarSender},
};

const PICKLE_KEY: &[u8; 32] = &[8; 32];

/// Version 4 of a message belongs to version 2 of the protocol.
fn olm_config(version: MessageVersion) -> olm::SessionConfig {
    match version {
        MessageVersion::V3 => olm::SessionConfig::version_1(),
        MessageVersion::V4 => olm::SessionConfig::version_2(),
        other => panic!("vodozemac has no {other:?}"),
    }
}

fn megolm_config(version: MessageVersion) -> megolm::SessionConfig {
    match version {
        MessageVersion::V3 => megolm::SessionConfig::version_1(),
        MessageVersion::V4 => megolm::SessionConfig::version_2(),
        other => panic!("vodozemac has no {other:?}"),
    }
}

fn parse(message: &Wire) -> Result<OlmMessage, Refusal> {
    let bytes = base64_decode(&message.body).map_err(refusal)?;
    OlmMessage::from_parts(message.message_type, &bytes).map_err(refusal)
}

pub struct VodozemacDevice {
    account: Account,
    session: Option<Session>,
    version: MessageVersion,
}

impl VodozemacDevice {
    pub fn new(version: MessageVersion) -> Self {
        Self { account: Account::new(), session: None, version }
    }

    pub fn from_secrets(version: MessageVersion, secrets: &DeviceSecrets) -> Self {
        let pickle: AccountPickle = serde_json::from_value(secrets.vodozemac_pickle()).unwrap();
        Self { account: Account::from_pickle(pickle), session: None, version }
    }

    /// The account in libolm's format.
    pub fn libolm_pickle(&self, key: &[u8]) -> String {
        self.account.to_libolm_pickle(key).unwrap()
    }

    /// The objects that the device is made of, to be pickled in other ways.
    pub fn parts(&self) -> (&Account, Option<&Session>) {
        (&self.account, self.session.as_ref())
    }

    pub fn from_parts(version: MessageVersion, account: Account, session: Option<Session>) -> Self {
        Self { account, session, version }
    }

    fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect(NO_SESSION)
    }
}

impl OlmPeer for VodozemacDevice {
    fn identity_key(&self) -> String {
        self.account.curve25519_key().to_base64()
    }

    fn publish(&mut self, fallback: bool) -> PublishedKey {
        let keys = if fallback {
            self.account.generate_fallback_key();
            self.account.fallback_key()
        } else {
            self.account.generate_one_time_keys(1);
            self.account.one_time_keys()
        };
        let one_time_key = keys.values().next().unwrap().to_base64();
        self.account.mark_keys_as_published();
        PublishedKey {
            ed25519: self.account.ed25519_key().to_base64(),
            curve25519: self.identity_key(),
            signature: self.account.sign(signed_text(&one_time_key, fallback)).to_base64(),
            one_time_key,
            fallback,
        }
    }

    fn start(&mut self, key: &PublishedKey) {
        let signer = Ed25519PublicKey::from_base64(&key.ed25519).unwrap();
        let signature = Ed25519Signature::from_base64(&key.signature).unwrap();
        let signed = signed_text(&key.one_time_key, key.fallback);
        signer.verify(signed.as_bytes(), &signature).unwrap();
        let session = self.account.create_outbound_session(
            olm_config(self.version),
            Curve25519PublicKey::from_base64(&key.curve25519).unwrap(),
            Curve25519PublicKey::from_base64(&key.one_time_key).unwrap(),
        );
        self.session = Some(session.unwrap());
    }

    fn accept(&mut self, their_identity_key: &str, message: &Wire) -> Result<String, Refusal> {
        let theirs = Curve25519PublicKey::from_base64(their_identity_key).map_err(refusal)?;
        let OlmMessage::PreKey(message) = parse(message)? else {
            return Err("not a pre-key message".into());
        };
        let config = olm_config(self.version);
        let created =
            self.account.create_inbound_session(config, theirs, &message).map_err(refusal)?;
        self.session = Some(created.session);
        Ok(text(created.plaintext))
    }

    fn matches(&self, message: &Wire) -> bool {
        let session = self.session.as_ref().expect(NO_SESSION);
        match parse(message).unwrap() {
            OlmMessage::PreKey(message) => message.session_keys() == session.session_keys(),
            OlmMessage::Normal(_) => false,
        }
    }

    fn session_id(&self) -> String {
        self.session.as_ref().expect(NO_SESSION).session_id()
    }

    fn encrypt(&mut self, plaintext: &str) -> Wire {
        let (message_type, bytes) = self.session().encrypt(plaintext).unwrap().to_parts();
        Wire { message_type, body: base64_encode(bytes) }
    }

    fn decrypt(&mut self, message: &Wire) -> Result<String, Refusal> {
        self.session().decrypt(&parse(message)?).map(text).map_err(refusal)
    }

    fn fresh(&self) -> Box<dyn OlmPeer> {
        let account = self.account.pickle().encrypt(PICKLE_KEY);
        let account = AccountPickle::from_encrypted(&account, PICKLE_KEY).unwrap().into();
        let session = self.session.as_ref().map(|session| {
            let session = session.pickle().encrypt(PICKLE_KEY);
            SessionPickle::from_encrypted(&session, PICKLE_KEY).unwrap().into()
        });
        Box::new(Self { account, session, version: self.version })
    }
}

pub struct VodozemacGroupSender(GroupSession);

impl VodozemacGroupSender {
    pub fn new(version: MessageVersion) -> Self {
        Self(GroupSession::new(megolm_config(version)))
    }

    pub fn far(secrets: &FarSender) -> Self {
        Self(GroupSession::from_libolm_pickle(&secrets.pickle, FarSender::PICKLE_KEY).unwrap())
    }
}

impl GroupSender for VodozemacGroupSender {
    fn session_id(&self) -> String {
        self.0.session_id()
    }

    fn session_key(&self) -> String {
        self.0.session_key().to_base64()
    }

    fn message_index(&self) -> u32 {
        self.0.message_index()
    }

    fn encrypt(&mut self, plaintext: &str) -> String {
        self.0.encrypt(plaintext).to_base64()
    }

    fn fresh(&self) -> Box<dyn GroupSender> {
        let pickle = self.0.pickle().encrypt(PICKLE_KEY);
        Box::new(Self(GroupSessionPickle::from_encrypted(&pickle, PICKLE_KEY).unwrap().into()))
    }
}

pub struct VodozemacGroupReceiver(InboundGroupSession);

impl VodozemacGroupReceiver {
    pub fn new(version: MessageVersion, session_key: &str) -> Result<Self, Refusal> {
        let key = SessionKey::from_base64(session_key).map_err(refusal)?;
        Ok(Self(InboundGroupSession::new(&key, megolm_config(version))))
    }

    pub fn import(version: MessageVersion, exported: &str) -> Result<Self, Refusal> {
        let key = ExportedSessionKey::from_base64(exported).map_err(refusal)?;
        Ok(Self(InboundGroupSession::import(&key, megolm_config(version))))
    }
}

impl GroupReceiver for VodozemacGroupReceiver {
    fn session_id(&self) -> String {
        self.0.session_id()
    }

    fn first_known_index(&self) -> u32 {
        self.0.first_known_index()
    }

    fn decrypt(&mut self, message: &str) -> Result<(String, Option<u32>), Refusal> {
        let message = MegolmMessage::from_base64(message).map_err(refusal)?;
        let decrypted = self.0.decrypt(&message).map_err(refusal)?;
        Ok((text(decrypted.plaintext), Some(decrypted.message_index)))
    }

    fn export_at(&mut self, index: u32) -> Result<String, Refusal> {
        let exported = self.0.export_at(index).ok_or("unknown index")?;
        Ok(exported.to_base64())
    }

    fn fresh(&self) -> Box<dyn GroupReceiver> {
        let pickle = self.0.pickle().encrypt(PICKLE_KEY);
        Box::new(Self(
            InboundGroupSessionPickle::from_encrypted(&pickle, PICKLE_KEY).unwrap().into(),
        ))
    }
}
