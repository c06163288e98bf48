//! A sender who knows all her secrets, so that she can authenticate any bytes, and receivers for
//! them.
//!
//! If the receivers refuse such a message, it is for the reason that a test is about, not because a
//! MAC or signature is wrong. The sender is the naive oracle.

use moceril::{
    DecodeError, MessageVersion,
    megolm::{self, InboundGroupSession, MegolmMessage, SessionKey},
    olm::{
        Account, DecryptionError, Message, OlmMessage, PreKeyMessage, Session, SessionCreationError,
    },
};

use crate::{
    fixtures::{State, config},
    naive::{
        codec::{self, SessionKeys},
        crypto::{MessageCipher, ecdh, sign, x25519_public},
        megolm::NaiveGroupSession,
        round::Round,
    },
    rng::SeededRng,
};

/// What every forged message says.
pub const PLAINTEXT: &[u8] = b"forged";

/// The four kinds of message. `Inner` is the normal message within a pre-key message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Normal,
    PreKey,
    Inner,
    Megolm,
}

pub const KINDS: [Kind; 4] = [Kind::Normal, Kind::PreKey, Kind::Inner, Kind::Megolm];

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Integer(u64),
    String(Vec<u8>),
}

/// A field: its number and its value.
pub type Field = (u64, Value);

/// A field as it travels.
pub fn encode(field: &Field) -> Vec<u8> {
    let tag = |wire_type| codec::encode_varint(field.0 << 3 | wire_type);
    match &field.1 {
        Value::Integer(integer) => [tag(0), codec::encode_varint(*integer)].concat(),
        Value::String(string) => {
            [tag(2), codec::encode_varint(string.len() as u64), string.clone()].concat()
        }
    }
}

pub fn encode_all(fields: &[Field]) -> Vec<u8> {
    fields.iter().flat_map(encode).collect()
}

/// Why a message was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Decode(DecodeError),
    Decryption(DecryptionError),
    Creation(SessionCreationError),
    Group(megolm::DecryptionError),
}

impl From<SessionCreationError> for Refusal {
    fn from(error: SessionCreationError) -> Self {
        match error {
            SessionCreationError::Decryption(error) => Self::Decryption(error),
            error => Self::Creation(error),
        }
    }
}

/// The sender, and what her receivers were before they got a forged message.
pub struct Forger {
    pub version: MessageVersion,
    keys: SessionKeys,
    chain: Round,
    /// The chain index of her Olm messages: 0 for the first, which Bob has received, then 1.
    index: u32,
    group: NaiveGroupSession,
    /// Bob's account, which has the one-time key of the session.
    bob: String,
    /// Bob's end of the session, after one message.
    session: String,
    /// A receiver of the group session.
    group_receiver: String,
}

impl Forger {
    pub fn new(version: MessageVersion, seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let [identity, base, ratchet] = [rng.bytes(), rng.bytes(), rng.bytes()];
        let mut bob = Account::with_rng(&mut rng).unwrap();
        bob.generate_one_time_keys_with_rng(1, &mut rng).unwrap();
        let one_time_key = *bob.unpublished_one_time_keys()[0].1.as_bytes();

        // olm.md, "Initial setup", as Alice.
        let shared_secret = [
            ecdh(&identity, &one_time_key),
            ecdh(&base, bob.curve25519_key().as_bytes()),
            ecdh(&base, &one_time_key),
        ];
        let group = NaiveGroupSession {
            version: version.byte(),
            ratchet: [rng.bytes(), rng.bytes(), rng.bytes(), rng.bytes()],
            index: 0x100,
            signing_seed: rng.bytes(),
        };
        let group_key = SessionKey::from_bytes(&group.session_key()).unwrap();
        let mut forger = Self {
            version,
            keys: SessionKeys {
                one_time_key,
                base_key: x25519_public(&base),
                identity_key: x25519_public(&identity),
            },
            chain: Round::first(shared_secret, x25519_public(&ratchet), Some(ratchet)),
            index: 0,
            group,
            bob: bob.snapshot(),
            session: String::new(),
            group_receiver: InboundGroupSession::with_version(&group_key, version).snapshot(),
        };
        let first = PreKeyMessage::from_bytes(&forger.message(Kind::PreKey)).unwrap();
        forger.session = forger.create(&mut bob, &first, version).unwrap().snapshot();
        forger.index = 1;
        forger
    }

    /// The fields of a genuine message, in their usual order.
    pub fn fields(&self, kind: Kind) -> Vec<Field> {
        match kind {
            Kind::Normal | Kind::Inner => {
                vec![
                    (1, Value::String(self.chain.ratchet_key.to_vec())),
                    (2, Value::Integer(self.index.into())),
                    (4, Value::String(self.olm_cipher().encrypt(PLAINTEXT))),
                ]
            }
            Kind::PreKey => {
                vec![
                    (1, Value::String(self.keys.one_time_key.to_vec())),
                    (2, Value::String(self.keys.base_key.to_vec())),
                    (3, Value::String(self.keys.identity_key.to_vec())),
                    (4, Value::String(self.message(Kind::Normal))),
                ]
            }
            Kind::Megolm => {
                let ciphertext = MessageCipher::megolm(&self.group.ratchet).encrypt(PLAINTEXT);
                vec![(1, Value::Integer(self.group.index)), (2, Value::String(ciphertext))]
            }
        }
    }

    fn olm_cipher(&self) -> MessageCipher {
        self.chain.clone().take_cipher(self.index).unwrap()
    }

    /// The version byte of a genuine message.
    pub fn version_byte(&self, kind: Kind) -> u8 {
        if kind == Kind::PreKey { 3 } else { self.version.byte() }
    }

    /// A genuine message.
    pub fn message(&self, kind: Kind) -> Vec<u8> {
        self.seal(kind, self.version_byte(kind), &encode_all(&self.fields(kind)))
    }

    /// A message of any payload, authenticated as its kind and version are.
    pub fn seal(&self, kind: Kind, version: u8, payload: &[u8]) -> Vec<u8> {
        let authenticated = [&[version], payload].concat();
        let mac = self.mac(kind, &authenticated, if version == 4 { 32 } else { 8 });
        self.finish(kind, authenticated, &mac)
    }

    /// The first bytes of the MAC that a message of this kind has. The outer part of a pre-key
    /// message has none. The index that chooses the key is always the genuine one.
    pub fn mac(&self, kind: Kind, authenticated: &[u8], length: usize) -> Vec<u8> {
        let mac = match kind {
            Kind::PreKey => Vec::new(),
            Kind::Megolm => MessageCipher::megolm(&self.group.ratchet).mac(4, authenticated),
            Kind::Normal | Kind::Inner => self.olm_cipher().mac(4, authenticated),
        };
        mac.into_iter().take(length).collect()
    }

    /// Appends the MAC, and what the kind has around it: a genuine signature, or genuine outer
    /// keys.
    pub fn finish(&self, kind: Kind, mut message: Vec<u8>, mac: &[u8]) -> Vec<u8> {
        message.extend(mac);
        match kind {
            Kind::Normal | Kind::PreKey => {}
            Kind::Inner => message = codec::encode_pre_key(&self.keys, &message),
            Kind::Megolm => message.extend(sign(&self.group.signing_seed, &message)),
        }
        message
    }

    /// Gives the message to every receiver that can take its kind. All of them accept or all
    /// refuse, and a refusal leaves them as they were (S-04).
    pub fn deliver(&self, kind: Kind, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.deliver_to(kind, bytes, self.version)
    }

    /// As `deliver`, but an account expects a new session of another version.
    pub fn deliver_to(
        &self,
        kind: Kind,
        bytes: &[u8],
        version: MessageVersion,
    ) -> Result<Vec<u8>, Refusal> {
        match kind {
            Kind::Normal => {
                let message = Message::from_bytes(bytes).map_err(Refusal::Decode)?;
                self.decrypt(&OlmMessage::Normal(message)).map_err(Refusal::Decryption)
            }
            Kind::PreKey | Kind::Inner => {
                let message = PreKeyMessage::from_bytes(bytes).map_err(Refusal::Decode)?;
                let created = attempt(&self.bob, |bob: &mut Account| {
                    self.create(bob, &message, version).map(drop)
                });
                let decrypted = self.decrypt(&OlmMessage::PreKey(message));
                if version == self.version {
                    assert_eq!(created.is_ok(), decrypted.is_ok(), "{created:?}, {decrypted:?}");
                }
                created?;
                decrypted.map_err(Refusal::Decryption)
            }
            Kind::Megolm => {
                let message = MegolmMessage::from_bytes(bytes).map_err(Refusal::Decode)?;
                attempt(&self.group_receiver, |receiver: &mut InboundGroupSession| {
                    receiver.decrypt(&message).map(|decrypted| decrypted.into_plaintext())
                })
                .map_err(Refusal::Group)
            }
        }
    }

    fn decrypt(&self, message: &OlmMessage) -> Result<Vec<u8>, DecryptionError> {
        attempt(&self.session, |session: &mut Session| {
            session.decrypt(message).map(|decrypted| decrypted.into_plaintext())
        })
    }

    fn create(
        &self,
        bob: &mut Account,
        message: &PreKeyMessage,
        version: MessageVersion,
    ) -> Result<Session, SessionCreationError> {
        let sender = moceril::Curve25519PublicKey::from_bytes(self.keys.identity_key).unwrap();
        let inbound = bob.create_inbound_session_with_config(sender, message, config(version))?;
        assert_eq!(inbound.message.plaintext(), PLAINTEXT);
        Ok(inbound.session)
    }
}

/// Calls something on an object in this state, which an error must not change.
fn attempt<S: State, T, E>(state: &str, call: impl FnOnce(&mut S) -> Result<T, E>) -> Result<T, E> {
    let mut object = S::restored(state);
    let result = call(&mut object);
    if result.is_err() {
        assert!(object.snapshot() == state, "a failed call changed the state");
    }
    result
}
