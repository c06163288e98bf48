//! The values that Olm computes for each message (`olm-handshake`, `olm-trace`): root, chain and
//! message keys are those in this library's states, its ciphers are those of the AES keys, HMAC
//! keys and IVs, and each value follows from those before it as olm.md says.

use std::{collections::HashMap, mem::take};

use moceril::{
    Curve25519PublicKey, MessageVersion,
    hazmat::Cipher,
    olm::{Account, OlmMessage, PreKeyBundle, Session, SessionKeys},
};
use moceril_testing::{
    fixtures::{State, config, pre_key},
    naive::crypto::{DEFAULT_SALT, ecdh, hkdf, hmac, x25519_public},
    rng::RecordedRng,
    vector_file::{VectorFile, assert_at_least, check_each, files, item_bytes, number},
    vodozemac_pickle::ViaVodozemac,
};
use serde_json::Value;

fn version(file: &VectorFile) -> MessageVersion {
    match file.number("version") {
        3 => MessageVersion::V3,
        4 => MessageVersion::V4,
        other => panic!("no version {other}"),
    }
}

fn public(text: &str) -> Curve25519PublicKey {
    Curve25519PublicKey::from_base64(text).unwrap()
}

fn key(item: &str) -> [u8; 32] {
    item_bytes(item).try_into().unwrap()
}

/// An account whose identity key is this one.
fn account(identity: [u8; 32]) -> Account {
    Account::with_rng(&mut RecordedRng::new([[1; 32], identity].concat())).unwrap()
}

/// The private keys of a handshake. Alice's base key may be known only in public.
struct Handshake {
    alice: Account,
    bob: Account,
    base: Option<[u8; 32]>,
    keys: SessionKeys,
    root: [u8; 32],
    chain: [u8; 32],
}

impl Handshake {
    fn check(file: &VectorFile) -> Self {
        let private = |name: &str| file.array::<32>(&format!("{name}-private"));
        let [i_a, e_a, i_b, e_b] = ["alice-identity", "alice-base", "bob-identity", "bob-one-time"]
            .map(|name| public(file.text(&format!("{name}-key"))));
        let base = file.optional("alice-base-private").map(|_| private("alice-base"));
        let (identity, theirs) = (private("alice-identity"), private("bob-identity"));
        let one_time = private("bob-one-time");

        let shared = [1, 2, 3].map(|n| file.array::<32>(&format!("shared-{n}")));
        let agreed = |secret: &[u8; 32], key: &Curve25519PublicKey| ecdh(secret, key.as_bytes());
        assert_eq!(shared[0], agreed(&identity, &e_b));
        assert_eq!(
            shared,
            [agreed(&one_time, &i_a), agreed(&theirs, &e_a), agreed(&one_time, &e_a)]
        );
        if let Some(base) = base {
            assert_eq!(shared[1..], [agreed(&base, &i_b), agreed(&base, &e_b)]);
            assert_eq!(x25519_public(&base), *e_a.as_bytes());
        }
        let (root, chain) = (file.array("root-key"), file.array("chain-key"));
        let okm: [u8; 64] = hkdf(&DEFAULT_SALT, &shared.concat(), b"OLM_ROOT");
        assert_eq!(okm, *[root, chain].concat());

        let (alice, mut bob) = (account(identity), account(theirs));
        let mut random = RecordedRng::new(one_time);
        bob.generate_one_time_keys_with_rng(1, &mut random).unwrap();
        assert_eq!((alice.curve25519_key(), bob.curve25519_key()), (i_a, i_b));
        assert_eq!(bob.unpublished_one_time_keys()[0].1, e_b);
        let keys = SessionKeys { identity_key: i_a, base_key: e_a, one_time_key: e_b };
        assert_eq!(keys.session_id(), file.text("session-id"));
        Self { alice, bob, base, keys, root, chain }
    }

    /// Alice's session, which has the root key and the chain key; `None` when not all her keys are
    /// known.
    fn outbound(&self, version: MessageVersion, ratchet: Option<[u8; 32]>) -> Option<Session> {
        let (identity, one_time) = (self.bob.curve25519_key(), self.keys.one_time_key);
        let bundle = PreKeyBundle::from_unverified_keys(identity, one_time).unwrap();
        let mut random = RecordedRng::new([self.base?, ratchet?].concat());
        let session =
            self.alice.create_outbound_session_with_rng(&bundle, config(version), &mut random);
        let session = session.unwrap();
        assert_eq!(*session.session_keys(), self.keys);
        let state = session.sending_state().unwrap();
        assert_eq!((*state.root_key(), *state.chain_key()), (self.root, self.chain));
        Some(session)
    }

    /// Bob's session from Alice's message.
    fn inbound(&mut self, version: MessageVersion, message: &OlmMessage) -> Session {
        let (sender, message) = (self.alice.curve25519_key(), pre_key(message));
        let made = self.bob.create_inbound_session_with_config(sender, &message, config(version));
        let session = made.unwrap().session;
        assert_eq!(*session.session_keys(), self.keys);
        session
    }
}

/// A chain of one end, and what is known of it.
struct Chain {
    public: [u8; 32],
    root: [u8; 32],
    /// One more than message keys.
    keys: Vec<[u8; 32]>,
    message_keys: Vec<[u8; 32]>,
}

struct Sent {
    chain: usize,
    index: u32,
    plaintext: Vec<u8>,
    message: OlmMessage,
}

/// The chains are Alice's and Bob's in turn.
struct Trace {
    version: MessageVersion,
    handshake: Handshake,
    chains: Vec<Chain>,
    sent: Vec<Sent>,
    sessions: HashMap<String, Session>,
    /// The newest chain that an end knows.
    newest: HashMap<String, usize>,
    /// Of an end and a chain: the index of the next message.
    next: HashMap<(String, usize), u32>,
    /// What the next message begins a chain with.
    random: Vec<u8>,
    /// Who keeps the keys of which messages, when this is not yet said.
    kept: Vec<(String, usize, u32)>,
}

impl Trace {
    fn play(file: &VectorFile) {
        let mut trace = Self {
            version: version(file),
            handshake: Handshake::check(file),
            chains: Vec::new(),
            sent: Vec::new(),
            sessions: HashMap::new(),
            newest: HashMap::new(),
            next: HashMap::new(),
            random: Vec::new(),
            kept: Vec::new(),
        };
        for step in file.steps() {
            assert!(step[1] == "keep" || trace.kept.is_empty(), "a key is kept and not named");
            match *step.as_slice() {
                [who, "chain", private, public, shared, root, chain] => {
                    let private = (private != "-").then(|| key(private));
                    trace.chain(who, private, public, shared, [key(root), key(chain)]);
                }
                [who, "send", index, message_key, ref rest @ ..] => {
                    trace.send(who, number(index), key(message_key), rest);
                }
                [who, "receive", n, root, chain, next] => {
                    trace.receive(who, n, key(root), key(chain), number(next));
                }
                [who, "keep", public, index, message_key] => {
                    trace.keep(who, public, number(index), key(message_key));
                }
                _ => panic!("unknown step {step:?}"),
            }
        }
        assert!(trace.kept.is_empty() && trace.random.is_empty() && !trace.sessions.is_empty());
    }

    fn chain(
        &mut self,
        who: &str,
        private: Option<[u8; 32]>,
        ratchet_key: &str,
        shared: &str,
        [root, chain]: [[u8; 32]; 2],
    ) {
        let public = *public(ratchet_key).as_bytes();
        assert!(private.is_none_or(|private| x25519_public(&private) == public));
        if let Some(before) = self.chains.last() {
            assert_eq!(self.newest[who], self.chains.len() - 1);
            let private = private.unwrap();
            assert_eq!(ecdh(&private, &before.public), key(shared));
            let okm: [u8; 64] = hkdf(&before.root, &key(shared), b"OLM_RATCHET");
            assert_eq!(okm, *[root, chain].concat());
            self.random = private.to_vec();
        } else {
            assert_eq!((who, shared), ("alice", "-"));
            assert_eq!((root, chain), (self.handshake.root, self.handshake.chain));
            let session = self.handshake.outbound(self.version, private);
            self.sessions.extend(session.map(|session| (who.to_owned(), session)));
        }
        self.newest.insert(who.to_owned(), self.chains.len());
        self.chains.push(Chain { public, root, keys: vec![chain], message_keys: Vec::new() });
    }

    fn send(&mut self, who: &str, index: u32, message_key: [u8; 32], rest: &[&str]) {
        let [aes, mac_key, iv, plaintext, mac, chain, kind, body] = *rest else {
            panic!("unknown step")
        };
        let (place, plaintext, chain) = (self.newest[who], item_bytes(plaintext), key(chain));
        let own = &mut self.chains[place];
        let before = *own.keys.last().unwrap();
        assert_eq!(own.message_keys.len(), index as usize);
        assert_eq!((hmac(&before, b"\x01"), hmac(&before, b"\x02")), (message_key, chain));
        own.keys.push(chain);
        own.message_keys.push(message_key);
        let okm: [u8; 80] = hkdf(&DEFAULT_SALT, &message_key, b"OLM_KEYS");
        assert_eq!(okm, *[aes, mac_key, iv].map(item_bytes).concat());

        let message = OlmMessage::from_parts(number(kind) as usize, body).unwrap();
        let inner = match &message {
            OlmMessage::Normal(message) => message,
            OlmMessage::PreKey(message) => message.message(),
        };
        assert_eq!((inner.ratchet_key().as_bytes(), inner.chain_index()), (&own.public, index));
        let authenticated = &inner.as_bytes()[..inner.as_bytes().len() - self.version.mac_length()];
        let cipher = Cipher::olm(&message_key);
        assert_eq!(cipher.mac(authenticated), key(mac));
        assert_eq!(hmac(&key(mac_key), authenticated), key(mac));
        assert_eq!(cipher.encrypt(&plaintext), inner.ciphertext());

        let random = take(&mut self.random);
        if let Some(session) = self.sessions.get_mut(who) {
            let mut parts = Session::restored(&session.snapshot());
            let rng = &mut RecordedRng::new(random.clone());
            let next = parts.next_message_key_with_rng(rng).unwrap();
            assert_eq!((*next.key(), next.index()), (message_key, index));
            assert_eq!(next.ratchet_key().as_bytes(), &own.public);
            let sent = session.encrypt_with_rng(&plaintext, &mut RecordedRng::new(random)).unwrap();
            assert_eq!(sent, message);
            let state = session.sending_state().unwrap();
            assert_eq!((*state.root_key(), *state.chain_key()), (own.root, chain));
            assert_eq!(x25519_public(state.ratchet_key()), own.public);
        }
        self.sent.push(Sent { chain: place, index, plaintext, message });
    }

    fn receive(&mut self, who: &str, n: &str, root: [u8; 32], chain: [u8; 32], next: u32) {
        let Sent { chain: place, index, ref plaintext, ref message } =
            self.sent[number(n) as usize];
        let at = self.next.entry((who.to_owned(), place)).or_default();
        self.kept = (*at..index).map(|index| (who.to_owned(), place, index)).collect();
        *at = (index + 1).max(*at);
        let newest = self.newest.entry(who.to_owned()).or_default();
        *newest = place.max(*newest);
        let own = &self.chains[place];
        assert_eq!((self.chains[*newest].root, own.keys[next as usize]), (root, chain));
        assert_eq!(next, *at);

        if let Some(session) = self.sessions.get_mut(who) {
            assert_eq!(session.decrypt(message).unwrap().plaintext(), *plaintext);
        } else if who == "bob" {
            let session = self.handshake.inbound(self.version, message);
            self.sessions.insert(who.to_owned(), session);
        } else {
            return;
        }
        let state = self.sessions[who].to_json().unwrap();
        let ratchet = &state["sending_ratchet"];
        let root_key = match ratchet["type"].as_str() {
            Some("active") => &ratchet["active_ratchet"]["root_key"],
            _ => &ratchet["root_key"]["key"],
        };
        assert_eq!(bytes(root_key), root);
        let stored = &receiving(&state, &own.public)["hkdf_ratchet"];
        assert_eq!((bytes(&stored["key"]), &stored["index"]), (chain.to_vec(), &Value::from(next)));
    }

    fn keep(&mut self, who: &str, ratchet_key: &str, index: u32, message_key: [u8; 32]) {
        let ratchet_key = *public(ratchet_key).as_bytes();
        let place = self.chains.iter().position(|chain| chain.public == ratchet_key).unwrap();
        assert_eq!(self.kept.remove(0), (who.to_owned(), place, index));
        assert_eq!(self.chains[place].message_keys[index as usize], message_key);
        let Some(session) = self.sessions.get(who) else { return };
        let state = session.to_json().unwrap();
        let skipped = &receiving(&state, &ratchet_key)["skipped_message_keys"]["inner"];
        let found = skipped.as_array().unwrap().iter().find(|kept| kept["index"] == index);
        assert_eq!(bytes(&found.unwrap()["key"]), message_key);
    }
}

/// Bytes that JSON holds as an array of numbers.
fn bytes(value: &Value) -> Vec<u8> {
    serde_json::from_value(value.clone()).unwrap()
}

/// What a session in JSON has of the receiving chain with this key.
fn receiving<'a>(state: &'a Value, ratchet_key: &[u8; 32]) -> &'a Value {
    let chains = state["receiving_chains"]["inner"].as_array().unwrap();
    chains.iter().find(|chain| bytes(&chain["ratchet_key"]) == ratchet_key).unwrap()
}

#[test]
fn handshakes() {
    let files = files("olm-handshake");
    check_each(&files, |file| {
        assert_eq!(file.kind, "olm-handshake");
        let handshake = Handshake::check(file);
        let ratchet = Some([7; 32]);
        let mut theirs = Handshake::check(file);
        let Some(mut session) = handshake.outbound(MessageVersion::V3, ratchet) else { return };
        let message = session.encrypt_with_rng(b"", &mut RecordedRng::new([])).unwrap();
        theirs.inbound(MessageVersion::V3, &message);
    });
    assert_at_least(&files, "olm-handshake", 5, 0);
}

#[test]
fn olm() {
    let files = files("olm-trace");
    check_each(&files, |file| {
        assert_eq!(file.kind, "olm-trace");
        Trace::play(file);
    });
    assert_at_least(&files, "olm-trace", 16, 0);
}
