//! What earlier calls gave: material for later ones, right or wrong for them.

use std::collections::HashMap;

use crate::{functions::Kind, object::Id, shelf::Shelf};

/// An encrypted message on its way.
#[derive(Clone)]
pub struct Letter {
    pub from: Id,
    /// The account that it was encrypted to.
    pub to: Id,
    pub message_type: u64,
    pub text: Vec<u8>,
}

/// A message of the PK scheme.
#[derive(Clone)]
pub struct Sealed {
    pub to: Id,
    pub ephemeral_key: Vec<u8>,
    pub mac: Vec<u8>,
    pub ciphertext: Vec<u8>,
}

#[derive(Clone)]
pub struct Signed {
    pub key: Vec<u8>,
    pub message: Vec<u8>,
    pub signature: Vec<u8>,
}

#[derive(Clone)]
pub struct Pickled {
    pub kind: Kind,
    pub key: Vec<u8>,
    pub text: Vec<u8>,
}

pub struct Notes {
    /// Curve25519 and Ed25519 identity keys of accounts.
    pub identity_keys: HashMap<Id, (Vec<u8>, Vec<u8>)>,
    /// One-time and fallback keys of accounts.
    pub one_time_keys: Shelf<(Id, Vec<u8>)>,
    pub letters: Shelf<Letter>,
    /// The account of a session.
    pub account: HashMap<Id, Id>,
    /// The account at the other end of a session, and the session there.
    pub peer_account: HashMap<Id, Id>,
    pub peer: HashMap<Id, Id>,
    pub session_keys: Shelf<(Id, Vec<u8>)>,
    pub exported_keys: Shelf<Vec<u8>>,
    /// Which outbound group session an inbound one belongs to.
    pub room: HashMap<Id, Id>,
    pub room_messages: Shelf<(Id, Vec<u8>)>,
    pub sealed: Shelf<Sealed>,
    /// Public keys of PK decryption objects.
    pub recipients: HashMap<Id, Vec<u8>>,
    /// Whom a PK encryption object encrypts to.
    pub recipient: HashMap<Id, Id>,
    pub signing_keys: HashMap<Id, Vec<u8>>,
    pub signed: Shelf<Signed>,
    pub sas_keys: Shelf<Vec<u8>>,
    pub pickles: Shelf<Pickled>,
}

impl Notes {
    pub fn new() -> Self {
        Self {
            identity_keys: HashMap::new(),
            one_time_keys: Shelf::new(60),
            letters: Shelf::new(120),
            account: HashMap::new(),
            peer_account: HashMap::new(),
            peer: HashMap::new(),
            session_keys: Shelf::new(20),
            exported_keys: Shelf::new(20),
            room: HashMap::new(),
            room_messages: Shelf::new(60),
            sealed: Shelf::new(20),
            recipients: HashMap::new(),
            recipient: HashMap::new(),
            signing_keys: HashMap::new(),
            signed: Shelf::new(20),
            sas_keys: Shelf::new(10),
            pickles: Shelf::new(40),
        }
    }

    /// An object is blank again.
    pub fn forget(&mut self, id: Id) {
        self.identity_keys.remove(&id);
        self.recipients.remove(&id);
        self.signing_keys.remove(&id);
    }
}
