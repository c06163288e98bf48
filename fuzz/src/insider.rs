//! A sender whose secrets the fuzzer knows: its bytes get past MAC and signature into the decoders.

use interop::{
    MessageVersion, SeededRng,
    forge::{Kind, Sender},
    naive::{
        codec::{self, Value},
        crypto::{self, MessageCipher},
        megolm::naive_ratchet,
        round::Round,
    },
    secrets::DeviceSecrets,
};

pub struct Insider {
    pub sender: Sender,
    chain: Round,
    ratchet: [u8; 128],
    signing_seed: [u8; 32],
}

/// Always the same one, so that a message in a corpus stays what it is.
const SEED: u64 = 39;

impl Insider {
    pub fn new(version: MessageVersion) -> Self {
        let sender = Sender::random(&mut SeededRng::new(SEED), version);
        // The sender keeps its secrets, so they are drawn once more in the same order.
        let rng = &mut SeededRng::new(SEED);
        let (alice, bob) = (DeviceSecrets::random(rng, 0), DeviceSecrets::random(rng, 1));
        let (base, ratchet_secret): ([u8; 32], [u8; 32]) = (rng.bytes(), rng.bytes());
        let (ratchet, signing_seed) = (rng.bytes(), rng.bytes());
        let one_time_key = crypto::x25519_public(&bob.one_time_keys[0]);
        let shared_secret = [
            crypto::ecdh(&alice.curve25519, &one_time_key),
            crypto::ecdh(&base, &crypto::x25519_public(&bob.curve25519)),
            crypto::ecdh(&base, &one_time_key),
        ];
        let ratchet_key = crypto::x25519_public(&ratchet_secret);
        let chain = Round::first(shared_secret, ratchet_key, Some(ratchet_secret));
        let insider = Self { sender, chain, ratchet, signing_seed };
        insider.check();
        insider
    }

    /// What is sealed again is what the sender has sealed.
    fn check(&self) {
        for kind in Kind::ALL {
            let genuine = self.genuine(kind);
            let body = self.body(kind, &genuine);
            assert!(self.seal(kind, &body) == genuine, "{kind:?} is sealed in another way");
        }
    }

    pub fn genuine(&self, kind: Kind) -> Vec<u8> {
        self.sender.genuine(&mut SeededRng::new(0), kind).0
    }

    /// The part of a genuine message or key that a fuzzer writes.
    pub fn body(&self, kind: Kind, genuine: &[u8]) -> Vec<u8> {
        let mac = self.sender.version.mac_length();
        let (bytes, trailer) = match kind {
            Kind::FirstPreKey | Kind::LaterPreKey => {
                (codec::decode_pre_key(genuine).unwrap().message.authenticated, 0)
            }
            Kind::Normal => (genuine.to_vec(), mac),
            Kind::Group => (genuine.to_vec(), mac + 64),
            Kind::SessionKey => (genuine.to_vec(), 64),
            Kind::ExportedSessionKey => (genuine.to_vec(), 0),
        };
        bytes[..bytes.len() - trailer].to_vec()
    }

    /// A message or key with this body and everything that authenticates it.
    pub fn seal(&self, kind: Kind, body: &[u8]) -> Vec<u8> {
        let mut bytes = body.to_vec();
        match kind {
            Kind::FirstPreKey | Kind::LaterPreKey => {
                let keys = self.sender.session_keys();
                return codec::encode_pre_key(&keys, &self.seal(Kind::Normal, body));
            }
            Kind::Normal | Kind::Group => {
                bytes.extend(self.cipher(kind, body).mac(self.sender.version.byte(), body));
            }
            Kind::SessionKey | Kind::ExportedSessionKey => {}
        }
        if matches!(kind, Kind::Group | Kind::SessionKey) {
            bytes.extend(crypto::sign(&self.signing_seed, &bytes));
        }
        bytes
    }

    /// The cipher of the index in the body, or of the first one.
    fn cipher(&self, kind: Kind, body: &[u8]) -> MessageCipher {
        let tag = if kind == Kind::Normal { 0x10 } else { 0x08 };
        let fields = body.get(1..).and_then(codec::decode_fields).unwrap_or_default();
        let index = fields.into_iter().rev().find_map(|field| match field {
            (found, Value::Integer(index)) if found == tag => Some(index as u32),
            _ => None,
        });
        let index = index.filter(|index| *index < 3_000).unwrap_or(0);
        if kind == Kind::Normal {
            return self.chain.clone().take_cipher(index).unwrap();
        }
        let part = |place: usize| self.ratchet[32 * place..32 * place + 32].try_into().unwrap();
        MessageCipher::megolm(&naive_ratchet([part(0), part(1), part(2), part(3)], 0, index))
    }
}
