//! Our ends: `moceril` as a client uses it.

use moceril::{
    Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature, MessageVersion, PickleKey,
    megolm::{
        ExportedSessionKey, GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage,
        Provenance, SessionKey,
    },
    olm::{
        Account, IdentityKeys, OlmMessage, PreKeyBundle, Session, SessionConfig, SignedOneTimeKey,
    },
};

use rand::rngs::SysRng;

use crate::{
    peer::{
        GroupReceiver, GroupSender, NO_SESSION, OlmPeer, PublishedKey, Refusal, Wire, refusal, text,
    },
    secrets::{DeviceSecrets, FarSender},
};

const CONTEXT: &[u8] = b"interop";

fn pickle_key() -> PickleKey {
    PickleKey::from_bytes([7; 32])
}

fn parse(message: &Wire) -> Result<OlmMessage, Refusal> {
    OlmMessage::from_parts(message.message_type, &message.body).map_err(refusal)
}

pub struct OurDevice {
    account: Account,
    session: Option<Session>,
    version: MessageVersion,
}

impl OurDevice {
    pub fn new(version: MessageVersion) -> Self {
        Self { account: Account::new().unwrap(), session: None, version }
    }

    pub fn from_secrets(version: MessageVersion, secrets: &DeviceSecrets) -> Self {
        let mut rng = secrets.as_randomness();
        let mut account = Account::with_rng(&mut rng).unwrap();
        account.generate_one_time_keys_with_rng(secrets.one_time_keys.len(), &mut rng).unwrap();
        Self { account, session: None, version }
    }

    /// The objects that the device is made of, to be pickled in other ways.
    pub fn parts(&self) -> (&Account, Option<&Session>) {
        (&self.account, self.session.as_ref())
    }

    pub fn from_parts(version: MessageVersion, account: Account, session: Option<Session>) -> Self {
        Self { account, session, version }
    }

    fn config(&self) -> SessionConfig {
        SessionConfig::default().with_version(self.version)
    }

    fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect(NO_SESSION)
    }
}

impl OlmPeer for OurDevice {
    fn identity_key(&self) -> String {
        self.account.curve25519_key().to_base64()
    }

    fn publish(&mut self, fallback: bool) -> PublishedKey {
        let (id, key) = if fallback {
            self.account.generate_fallback_key().unwrap();
            self.account.signed_fallback_key().unwrap()
        } else {
            self.account.generate_one_time_keys(1).unwrap();
            self.account.signed_one_time_keys().remove(0)
        };
        assert_eq!(self.account.mark_as_published([id]), 1);
        PublishedKey {
            ed25519: self.account.ed25519_key().to_base64(),
            curve25519: self.identity_key(),
            one_time_key: key.key.to_base64(),
            fallback: key.fallback,
            signature: key.signature.to_base64(),
        }
    }

    fn start(&mut self, key: &PublishedKey) {
        let identity_keys = IdentityKeys {
            ed25519: Ed25519PublicKey::from_base64(&key.ed25519).unwrap(),
            curve25519: Curve25519PublicKey::from_base64(&key.curve25519).unwrap(),
        };
        let signed = SignedOneTimeKey {
            key: Curve25519PublicKey::from_base64(&key.one_time_key).unwrap(),
            fallback: key.fallback,
            signature: Ed25519Signature::from_base64(&key.signature).unwrap(),
        };
        let bundle = PreKeyBundle::verify(identity_keys, &signed).unwrap();
        let config = self.config();
        let session = self.account.create_outbound_session_with_rng(&bundle, config, &mut SysRng);
        self.session = Some(session.unwrap());
    }

    fn accept(&mut self, their_identity_key: &str, message: &Wire) -> Result<String, Refusal> {
        let theirs = Curve25519PublicKey::from_base64(their_identity_key).map_err(refusal)?;
        let message = parse(message)?;
        let message = message.as_pre_key().ok_or("not a pre-key message")?;
        let config = self.config();
        let created = self
            .account
            .create_inbound_session_with_config(theirs, message, config)
            .map_err(refusal)?;
        self.session = Some(created.session);
        Ok(text(created.message.into_plaintext()))
    }

    fn matches(&self, message: &Wire) -> bool {
        let message = parse(message).unwrap();
        let session = self.session.as_ref().expect(NO_SESSION);
        message.as_pre_key().is_some_and(|message| session.matches(message))
    }

    fn session_id(&self) -> String {
        self.session.as_ref().expect(NO_SESSION).session_id()
    }

    fn encrypt(&mut self, plaintext: &str) -> Wire {
        let (message_type, body) = self.session().encrypt(plaintext.as_bytes()).unwrap().to_parts();
        Wire { message_type, body }
    }

    fn decrypt(&mut self, message: &Wire) -> Result<String, Refusal> {
        let decrypted = self.session().decrypt(&parse(message)?).map_err(refusal)?;
        Ok(text(decrypted.into_plaintext()))
    }

    fn fresh(&self) -> Box<dyn OlmPeer> {
        let (key, version) = (pickle_key(), self.version);
        let account = self.account.pickle(&key, CONTEXT).unwrap();
        let account = Account::from_pickle(&account, &key, CONTEXT).unwrap();
        let session = self.session.as_ref().map(|session| {
            let session = session.pickle(&key, CONTEXT).unwrap();
            Session::from_pickle(&session, &key, CONTEXT).unwrap()
        });
        Box::new(Self { account, session, version })
    }
}

pub struct OurGroupSender(GroupSession);

impl OurGroupSender {
    pub fn new(version: MessageVersion) -> Self {
        let config = GroupSessionConfig::default().with_version(version);
        Self(GroupSession::with_rng(config, &mut SysRng).unwrap())
    }

    pub fn far(secrets: &FarSender) -> Self {
        Self(GroupSession::from_libolm_pickle(&secrets.pickle, FarSender::PICKLE_KEY).unwrap())
    }
}

impl GroupSender for OurGroupSender {
    fn session_id(&self) -> String {
        self.0.session_id()
    }

    fn session_key(&self) -> String {
        String::from(&*self.0.session_key().to_base64())
    }

    fn message_index(&self) -> u32 {
        self.0.message_index()
    }

    fn encrypt(&mut self, plaintext: &str) -> String {
        self.0.encrypt(plaintext.as_bytes()).unwrap().to_base64()
    }

    fn fresh(&self) -> Box<dyn GroupSender> {
        let key = pickle_key();
        let pickle = self.0.pickle(&key, CONTEXT).unwrap();
        Box::new(Self(GroupSession::from_pickle(&pickle, &key, CONTEXT).unwrap()))
    }
}

pub struct OurGroupReceiver(InboundGroupSession);

impl OurGroupReceiver {
    pub fn new(version: MessageVersion, session_key: &str) -> Result<Self, Refusal> {
        let key = SessionKey::from_base64(session_key).map_err(refusal)?;
        Ok(Self(InboundGroupSession::with_version(&key, version)))
    }

    pub fn import(version: MessageVersion, exported: &str) -> Result<Self, Refusal> {
        let key = ExportedSessionKey::from_base64(exported).map_err(refusal)?;
        // That the signing key is a point would be checked with the first message; the comparison
        // with the other libraries offers none.
        Ed25519PublicKey::from_bytes(*key.signing_key().as_bytes()).map_err(refusal)?;
        let provenance = Provenance::Exported;
        Ok(Self(InboundGroupSession::import_with_version(&key, provenance, version)))
    }
}

impl GroupReceiver for OurGroupReceiver {
    fn session_id(&self) -> String {
        self.0.session_id()
    }

    fn first_known_index(&self) -> u32 {
        self.0.first_known_index()
    }

    fn decrypt(&mut self, message: &str) -> Result<(String, Option<u32>), Refusal> {
        let message = MegolmMessage::from_base64(message).map_err(refusal)?;
        let decrypted = self.0.decrypt(&message).map_err(refusal)?;
        let index = decrypted.message_index();
        Ok((text(decrypted.into_plaintext()), Some(index)))
    }

    fn export_at(&mut self, index: u32) -> Result<String, Refusal> {
        let exported = self.0.export_at(index).map_err(refusal)?;
        Ok(String::from(&*exported.to_base64()))
    }

    fn fresh(&self) -> Box<dyn GroupReceiver> {
        let key = pickle_key();
        let pickle = self.0.pickle(&key, CONTEXT).unwrap();
        Box::new(Self(InboundGroupSession::from_pickle(&pickle, &key, CONTEXT).unwrap()))
    }
}
