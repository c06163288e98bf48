//! The accounts and sessions that tests begin with, and a way to see whether one changed.

use moceril::{
    MessageVersion, PickleKey,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
    olm::{
        Account, DecryptedMessage, OlmMessage, PreKeyBundle, PreKeyMessage, Session, SessionConfig,
    },
};

use super::rng::{RecordedRng, SeededRng};

pub const VERSIONS: [MessageVersion; 2] = [MessageVersion::V3, MessageVersion::V4];

/// The version that `version` is not.
pub fn other(version: MessageVersion) -> MessageVersion {
    match version {
        MessageVersion::V3 => MessageVersion::V4,
        _ => MessageVersion::V3,
    }
}

pub fn config(version: MessageVersion) -> SessionConfig {
    SessionConfig::default().with_version(version)
}

pub fn pickle_key() -> PickleKey {
    PickleKey::from_bytes([0x5a; 32])
}

/// An object whose whole state can be compared and copied.
pub trait State: Sized {
    /// The pickle under a fixed nonce: two are the same text exactly when the states are the same.
    fn snapshot(&self) -> String;

    /// An object in the state of the snapshot.
    fn restored(snapshot: &str) -> Self;
}

macro_rules! state {
    ($($object:ident),+) => {$(
        impl State for $object {
            fn snapshot(&self) -> String {
                let nonce = &mut RecordedRng::new([0; 24]);
                self.pickle_with_rng(&pickle_key(), b"snapshot", nonce).unwrap()
            }

            fn restored(snapshot: &str) -> Self {
                Self::from_pickle(snapshot, &pickle_key(), b"snapshot").unwrap()
            }
        }
    )+};
}

state!(Account, Session, GroupSession, InboundGroupSession);

/// Calls something that must fail, and checks that nothing has changed (S-04).
#[track_caller]
pub fn unchanged<S: State, T, E>(object: &mut S, call: impl FnOnce(&mut S) -> Result<T, E>) -> E {
    let before = object.snapshot();
    let Err(error) = call(object) else { panic!("the call succeeded") };
    assert!(object.snapshot() == before, "a failed call changed the state");
    error
}

/// Two devices. Bob has two one-time keys and a fallback key.
pub struct Devices {
    pub alice: Account,
    pub bob: Account,
    pub rng: SeededRng,
}

impl Devices {
    pub fn new(seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let alice = Account::with_rng(&mut rng).unwrap();
        let mut bob = Account::with_rng(&mut rng).unwrap();
        bob.generate_one_time_keys_with_rng(2, &mut rng).unwrap();
        bob.generate_fallback_key_with_rng(&mut rng).unwrap();
        Self { alice, bob, rng }
    }

    /// Bob's oldest one-time key, verified.
    pub fn one_time_bundle(&self) -> PreKeyBundle {
        let (_, key) = self.bob.signed_one_time_keys()[0];
        PreKeyBundle::verify(self.bob.identity_keys(), &key).unwrap()
    }

    /// Bob's fallback key, verified.
    pub fn fallback_bundle(&self) -> PreKeyBundle {
        let (_, key) = self.bob.signed_fallback_key().unwrap();
        PreKeyBundle::verify(self.bob.identity_keys(), &key).unwrap()
    }

    /// Alice's session with a bundle of Bob, and her first message in it.
    pub fn outbound(
        &mut self,
        bundle: &PreKeyBundle,
        version: MessageVersion,
    ) -> (Session, PreKeyMessage) {
        let mut session = self
            .alice
            .create_outbound_session_with_rng(bundle, config(version), &mut self.rng)
            .unwrap();
        let message = pre_key(&session.encrypt_with_rng(b"first", &mut self.rng).unwrap());
        (session, message)
    }

    /// Alice's and Bob's session. Bob has decrypted Alice's first message; nobody has replied.
    pub fn sessions(&mut self, version: MessageVersion) -> (Session, Session) {
        let (alice, message) = self.outbound(&self.one_time_bundle(), version);
        let sender = self.alice.curve25519_key();
        let inbound =
            self.bob.create_inbound_session_with_config(sender, &message, config(version));
        (alice, inbound.unwrap().session)
    }
}

/// Alice's and Bob's session, for plaintexts that a test chooses: the only way to get a decrypted
/// message is to decrypt one.
pub struct Carrier {
    alice: Session,
    bob: Session,
    rng: SeededRng,
}

impl Carrier {
    pub fn between(devices: &mut Devices) -> Self {
        let (alice, bob) = devices.sessions(MessageVersion::V3);
        Self { alice, bob, rng: SeededRng::new(0) }
    }

    /// What Bob decrypts when Alice encrypts this.
    pub fn carry(&mut self, plaintext: &[u8]) -> DecryptedMessage {
        let message = self.alice.encrypt_with_rng(plaintext, &mut self.rng).unwrap();
        self.bob.decrypt(&message).unwrap()
    }
}

/// The message as a pre-key message, which it has to be.
pub fn pre_key(message: &OlmMessage) -> PreKeyMessage {
    message.as_pre_key().expect("a pre-key message").clone()
}

/// A group session, and a receiver who knows it from its first message on.
pub fn group(version: MessageVersion, seed: u64) -> (GroupSession, InboundGroupSession) {
    let config = GroupSessionConfig::default().with_version(version);
    let sender = GroupSession::with_rng(config, &mut SeededRng::new(seed)).unwrap();
    let receiver = InboundGroupSession::with_version(&sender.session_key(), version);
    (sender, receiver)
}
