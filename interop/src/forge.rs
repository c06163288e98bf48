//! Messages of a sender whose secrets are known, and altered variants of them, also with a valid
//! MAC and signature.
//!
//! An altered message with the old MAC tests little more than the MAC. A sender with the message
//! keys can authenticate any bytes, and such messages test the decoders.

use moceril::{
    MessageVersion,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
    olm::{Account, PreKeyBundle, PreKeyMessage, SessionConfig},
};

use crate::{
    RecordedRng, SeededRng,
    mutation::{add_group_order, flip_bits, mutate_body, mutate_bytes, mutate_key_format},
    naive::{
        codec::{self, Value},
        crypto::{self, MessageCipher},
        megolm::naive_ratchet,
        round::Round,
    },
    random_text,
    secrets::DeviceSecrets,
    tolerant::last_value,
};

/// What is offered to a receiver, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To an account: the message that makes a session.
    FirstPreKey,
    /// To the session: a message of the initiator who has had no answer yet.
    LaterPreKey,
    /// To the session.
    Normal,
    Group,
    SessionKey,
    ExportedSessionKey,
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::FirstPreKey,
        Self::LaterPreKey,
        Self::Normal,
        Self::Group,
        Self::SessionKey,
        Self::ExportedSessionKey,
    ];
}

/// A variant of a valid message or key.
#[derive(Clone)]
pub struct Variant {
    pub kind: Kind,
    pub bytes: Vec<u8>,
    /// Whether its innermost part was sealed again after the mutation.
    pub sealed: bool,
}

/// A sender of everything.
pub struct Sender {
    pub version: MessageVersion,
    pub identity_key: String,
    pub bob: DeviceSecrets,
    /// The first pre-key messages of a session with Bob, with their plaintexts.
    pre_key_messages: Vec<(PreKeyMessage, String)>,
    /// The chain they belong to.
    chain: Round,
    pub session_key: Vec<u8>,
    exported_key: Vec<u8>,
    group_messages: Vec<(Vec<u8>, String)>,
    ratchet: [u8; 128],
    signing_seed: [u8; 32],
}

const MESSAGES: usize = 6;

impl Sender {
    pub fn random(rng: &mut SeededRng, version: MessageVersion) -> Self {
        let (alice, bob) = (DeviceSecrets::random(rng, 0), DeviceSecrets::random(rng, 1));
        let (base, first_ratchet): ([u8; 32], [u8; 32]) = (rng.bytes(), rng.bytes());
        let (ratchet, signing_seed): ([u8; 128], [u8; 32]) = (rng.bytes(), rng.bytes());
        let plaintexts = [(); MESSAGES].map(|()| {
            let length = rng.below(80);
            random_text(rng, length)
        });

        let account = Account::with_rng(&mut alice.as_randomness()).unwrap();
        let bundle = bundle(&bob);
        let config = SessionConfig::default().with_version(version);
        let mut source = RecordedRng::new([base, first_ratchet].concat());
        let mut session =
            account.create_outbound_session_with_rng(&bundle, config, &mut source).unwrap();
        let pre_key_messages = plaintexts.clone().map(|plaintext| {
            let message = session.encrypt(plaintext.as_bytes()).unwrap();
            (message.as_pre_key().unwrap().clone(), plaintext)
        });
        let (their_identity, their_one_time_key) = (bundle.identity_key(), bundle.one_time_key());
        let shared_secret = [
            crypto::ecdh(&alice.curve25519, their_one_time_key.as_bytes()),
            crypto::ecdh(&base, their_identity.as_bytes()),
            crypto::ecdh(&base, their_one_time_key.as_bytes()),
        ];
        let ratchet_key = crypto::x25519_public(&first_ratchet);
        let chain = Round::first(shared_secret, ratchet_key, Some(first_ratchet));

        let config = GroupSessionConfig::default().with_version(version);
        let mut source = RecordedRng::new([&ratchet[..], &signing_seed].concat());
        let mut group = GroupSession::with_rng(config, &mut source).unwrap();
        let key = group.session_key();
        let exported = InboundGroupSession::new(&key).export_at_first_known_index().unwrap();
        let group_messages = plaintexts.map(|plaintext| {
            (group.encrypt(plaintext.as_bytes()).unwrap().as_bytes().to_vec(), plaintext)
        });
        Self {
            version,
            identity_key: account.curve25519_key().to_base64(),
            bob,
            pre_key_messages: pre_key_messages.into(),
            chain,
            session_key: key.to_bytes().to_vec(),
            exported_key: exported.to_bytes().to_vec(),
            group_messages: group_messages.into(),
            ratchet,
            signing_seed,
        }
    }

    /// The keys that are in every pre-key message.
    pub fn session_keys(&self) -> codec::SessionKeys {
        codec::decode_pre_key(self.pre_key_messages[0].0.as_bytes()).unwrap().keys
    }

    /// A valid message or key, and the plaintext of a message. The first pre-key message is always
    /// the same one, and the others are not it.
    pub fn genuine(&self, rng: &mut SeededRng, kind: Kind) -> (Vec<u8>, String) {
        let place = 1 + rng.below(MESSAGES - 1);
        let (message, plaintext) = &self.pre_key_messages[place];
        match kind {
            Kind::FirstPreKey => {
                let (message, plaintext) = &self.pre_key_messages[0];
                (message.as_bytes().to_vec(), plaintext.clone())
            }
            Kind::LaterPreKey => (message.as_bytes().to_vec(), plaintext.clone()),
            Kind::Normal => (message.message().as_bytes().to_vec(), plaintext.clone()),
            Kind::Group => self.group_messages[place].clone(),
            Kind::SessionKey => (self.session_key.clone(), String::new()),
            Kind::ExportedSessionKey => (self.exported_key.clone(), String::new()),
        }
    }

    pub fn variant(&self, rng: &mut SeededRng, kind: Kind) -> Variant {
        let (genuine, _) = self.genuine(rng, kind);
        let (bytes, sealed) = match kind {
            Kind::FirstPreKey | Kind::LaterPreKey => self.pre_key_variant(rng, &genuine),
            Kind::Normal | Kind::Group => {
                let (body, trailer) = genuine.split_at(genuine.len() - self.trailer_length(kind));
                self.variant_of_parts(rng, kind, body, trailer, mutate_body)
            }
            Kind::SessionKey => {
                let (body, signature) = genuine.split_at(genuine.len() - SIGNATURE_LENGTH);
                self.variant_of_parts(rng, kind, body, signature, mutate_key_format)
            }
            Kind::ExportedSessionKey => (mutate_key_format(rng, &genuine), false),
        };
        Variant { kind, bytes, sealed }
    }

    /// Either the keys around are mutated, which nothing protects, or the message within.
    fn pre_key_variant(&self, rng: &mut SeededRng, genuine: &[u8]) -> (Vec<u8>, bool) {
        if rng.below(2) == 0 {
            return (mutate_body(rng, genuine), false);
        }
        let outer = PreKeyMessage::from_bytes(genuine).unwrap();
        let inner = outer.message().as_bytes();
        let (body, mac) = inner.split_at(inner.len() - self.trailer_length(Kind::Normal));
        let (inner, sealed) = self.variant_of_parts(rng, Kind::Normal, body, mac, mutate_body);
        let keys = codec::decode_pre_key(genuine).unwrap().keys;
        (codec::encode_pre_key(&keys, &inner), sealed)
    }

    fn variant_of_parts(
        &self,
        rng: &mut SeededRng,
        kind: Kind,
        body: &[u8],
        trailer: &[u8],
        mutate: fn(&mut SeededRng, &[u8]) -> Vec<u8>,
    ) -> (Vec<u8>, bool) {
        match rng.below(5) {
            0 => {
                let mut trailer = trailer.to_vec();
                self.mutate_trailer(rng, kind, &mut trailer);
                ([body, &trailer].concat(), false)
            }
            1 => ([&mutate(rng, body), trailer].concat(), false),
            _ => (self.seal(kind, mutate(rng, body)), true),
        }
    }

    /// Another message's, of another length, mutated, or with the same signature in another
    /// encoding.
    fn mutate_trailer(&self, rng: &mut SeededRng, kind: Kind, trailer: &mut Vec<u8>) {
        match rng.below(4) {
            0 if kind == Kind::Normal || kind == Kind::Group => {
                let (other, _) = self.genuine(rng, kind);
                *trailer = other[other.len() - trailer.len()..].to_vec();
            }
            1 if trailer.len() >= SIGNATURE_LENGTH => add_group_order(trailer),
            2 => flip_bits(rng, trailer),
            _ => mutate_bytes(rng, trailer),
        }
    }

    fn trailer_length(&self, kind: Kind) -> usize {
        let signature = if kind == Kind::Group { SIGNATURE_LENGTH } else { 0 };
        self.version.mac_length() + signature
    }

    /// The part of a genuine message or key that a fuzzer writes, of a pre-key message the one
    /// within.
    pub fn body(&self, kind: Kind, genuine: &[u8]) -> Vec<u8> {
        let (bytes, trailer) = match kind {
            Kind::FirstPreKey | Kind::LaterPreKey => {
                let outer = PreKeyMessage::from_bytes(genuine).unwrap();
                (outer.message().as_bytes().to_vec(), self.trailer_length(Kind::Normal))
            }
            Kind::Normal | Kind::Group => (genuine.to_vec(), self.trailer_length(kind)),
            Kind::SessionKey => (genuine.to_vec(), SIGNATURE_LENGTH),
            Kind::ExportedSessionKey => (genuine.to_vec(), 0),
        };
        bytes[..bytes.len() - trailer].to_vec()
    }

    /// A message or key with this body and everything that authenticates it.
    pub fn sealed(&self, kind: Kind, body: &[u8]) -> Vec<u8> {
        match kind {
            Kind::FirstPreKey | Kind::LaterPreKey => {
                let inner = self.seal(Kind::Normal, body.to_vec());
                codec::encode_pre_key(&self.session_keys(), &inner)
            }
            Kind::Normal | Kind::Group | Kind::SessionKey => self.seal(kind, body.to_vec()),
            Kind::ExportedSessionKey => body.to_vec(),
        }
    }

    /// Appends what authenticates the body.
    fn seal(&self, kind: Kind, mut body: Vec<u8>) -> Vec<u8> {
        if let Some(cipher) = self.cipher(kind, &body) {
            body.extend(cipher.mac(self.version.byte(), &body));
        }
        if kind != Kind::Normal {
            body.extend(crypto::sign(&self.signing_seed, &body));
        }
        body
    }

    /// The cipher of the index that the most tolerant reader finds in the body, if it is not too
    /// far.
    fn cipher(&self, kind: Kind, body: &[u8]) -> Option<MessageCipher> {
        let tag = match kind {
            Kind::Normal => 0x10,
            Kind::Group => 0x08,
            _ => return None,
        };
        let index = match last_value(body, tag) {
            Some(Value::Integer(index)) => index as u32,
            _ => 0,
        };
        let index = if index < 3_000 { index } else { 0 };
        Some(if kind == Kind::Normal {
            self.chain.clone().take_cipher(index).unwrap()
        } else {
            let mut parts = self.ratchet.chunks_exact(32).map(|part| part.try_into().unwrap());
            let ratchet = [(); 4].map(|()| parts.next().unwrap());
            MessageCipher::megolm(&naive_ratchet(ratchet, 0, index))
        })
    }

    /// The ciphertext that the most tolerant reader finds, and what it decrypts to if its padding
    /// is that of PKCS#7.
    pub fn ciphertext(&self, variant: &Variant) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        let (kind, message) = match variant.kind {
            Kind::FirstPreKey | Kind::LaterPreKey => match last_value(&variant.bytes, 0x22)? {
                Value::String(inner) => (Kind::Normal, inner),
                Value::Integer(_) => return None,
            },
            Kind::Normal | Kind::Group => (variant.kind, variant.bytes.clone()),
            Kind::SessionKey | Kind::ExportedSessionKey => return None,
        };
        let body = &message[..message.len().checked_sub(self.trailer_length(kind))?];
        let tag = if kind == Kind::Normal { 0x22 } else { 0x12 };
        let Value::String(ciphertext) = last_value(body, tag)? else { return None };
        let plaintext = self.cipher(kind, body)?.decrypt(&ciphertext);
        Some((ciphertext, plaintext))
    }
}

const SIGNATURE_LENGTH: usize = 64;

/// Bob's verified keys.
fn bundle(bob: &DeviceSecrets) -> PreKeyBundle {
    let mut source = bob.as_randomness();
    let mut bob = Account::with_rng(&mut source).unwrap();
    bob.generate_one_time_keys_with_rng(1, &mut source).unwrap();
    PreKeyBundle::verify(bob.identity_keys(), &bob.signed_one_time_keys()[0].1).unwrap()
}
