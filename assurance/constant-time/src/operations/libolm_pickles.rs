//! libolm's pickles.
//!
//! They are encrypted with a block cipher, so what is undefined in the text would make whole blocks
//! undefined, lengths and public keys with them. Reading is therefore done in two halves: the
//! decryption in `keys.rs`, with the same cipher, and here the content, in which nothing but the
//! private halves and the symmetric keys is undefined.

use moceril::{
    MessageVersion,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
};

use super::{keys::published_account, megolm, olm::Devices};
use crate::{
    memcheck,
    secrets::{Disclosed::Pickle, SecretRng, declassify, declassify_frame, must_be_secret},
};

/// An account in the form that libolm has: its Ed25519 key is the 64 expanded bytes.
fn account() -> Account {
    let account = published_account(&mut SecretRng::new(50));
    let content = content(|memory| account.write_libolm_content(memory).unwrap(), account_layout);
    Account::from_own_libolm_content(&content).unwrap().0
}

/// Writes the content, and leaves undefined what the layout says is secret.
fn content(write: impl FnOnce(&mut [u8]) -> Option<usize>, layout: fn(&mut Layout)) -> Vec<u8> {
    let mut memory = vec![0; 4096];
    let length = write(&mut memory).unwrap();
    memory.truncate(length);
    must_be_secret(&memory);
    declassify_frame(&memory);
    let mut walk = Layout { memory: &memory, position: 0 };
    layout(&mut walk);
    assert_eq!(walk.position, length, "the layout is another one");
    memory
}

/// Walks through the content of a pickle.
struct Layout<'a> {
    memory: &'a [u8],
    position: usize,
}

impl Layout<'_> {
    fn take(&mut self, length: usize) -> &[u8] {
        let start = self.position;
        self.position += length;
        &self.memory[start..self.position]
    }

    fn public(&mut self, length: usize) {
        self.take(length);
    }

    fn secret(&mut self, length: usize) {
        memcheck::make_undefined(self.take(length));
    }

    fn list(&mut self, count_length: usize, item: fn(&mut Self)) {
        let count =
            self.take(count_length).iter().fold(0, |count, byte| count << 8 | *byte as usize);
        (0..count).for_each(|_| item(self));
    }

    fn pair(&mut self) {
        self.public(32);
        self.secret(32);
    }

    fn stored_key(&mut self) {
        self.public(4 + 1);
        self.pair();
    }

    fn received_key(&mut self) {
        self.pair();
        self.public(4);
    }

    fn ratchet(&mut self) {
        self.secret(128);
        self.public(4);
    }
}

fn account_layout(layout: &mut Layout) {
    layout.public(4 + 32);
    layout.secret(64);
    layout.pair();
    layout.list(4, Layout::stored_key);
    layout.list(1, Layout::stored_key);
    layout.public(4);
}

fn session_layout(layout: &mut Layout) {
    layout.public(4 + 1 + 3 * 32);
    layout.secret(32);
    layout.list(4, |layout| {
        layout.pair();
        layout.secret(32);
        layout.public(4);
    });
    layout.list(4, Layout::received_key);
    layout.list(4, Layout::received_key);
}

fn group_session_layout(layout: &mut Layout) {
    layout.public(4);
    layout.ratchet();
    layout.public(32);
    layout.secret(64);
}

fn inbound_group_session_layout(layout: &mut Layout) {
    layout.public(4);
    layout.ratchet();
    layout.ratchet();
    layout.public(32 + 1);
}

pub fn write() {
    let mut rng = SecretRng::new(51);
    let mut devices = Devices::new(52, MessageVersion::V3);
    let (alice, _) = devices.sessions();
    let group_session = megolm::new_session(&mut rng);
    let pickles = [
        account().to_libolm_pickle_lossy(rng.text(32)).unwrap().0,
        alice.to_libolm_pickle_lossy(rng.text(32)).unwrap().0,
        group_session.to_libolm_pickle_lossy(rng.text(32)).unwrap().0,
        megolm::receiver(&group_session).to_libolm_pickle_lossy(rng.text(32)).unwrap().0,
    ];
    for pickle in pickles {
        declassify(Pickle, pickle.as_bytes());
    }
}

pub fn read_account() {
    let account = account();
    let content = content(|memory| account.write_libolm_content(memory).unwrap(), account_layout);
    let (account, _) = Account::from_libolm_content(&content).unwrap();
    must_be_secret(account.sign(b"still secret").as_bytes());
}

pub fn read_session() {
    let mut devices = Devices::new(53, MessageVersion::V3);
    let (mut alice, _) = devices.sessions();
    devices.send(&mut alice);
    let content = content(|memory| alice.write_libolm_content(memory).unwrap(), session_layout);
    let (mut alice, _) = Session::from_libolm_content(&content).unwrap();
    must_be_secret(alice.encrypt_with_rng(b"text", &mut devices.rng).unwrap().as_bytes());
}

pub fn read_group_sessions() {
    let session = megolm::new_session(&mut SecretRng::new(54));
    let inbound = megolm::receiver(&session);
    let memory =
        content(|memory| session.write_libolm_content(memory).unwrap(), group_session_layout);
    let (mut session, _) = GroupSession::from_libolm_content(&memory).unwrap();
    must_be_secret(session.encrypt(b"text").unwrap().as_bytes());
    let memory = content(
        |memory| inbound.write_libolm_content(memory).unwrap(),
        inbound_group_session_layout,
    );
    let (inbound, _) = InboundGroupSession::from_libolm_content(&memory).unwrap();
    must_be_secret(&inbound.export_at_first_known_index().unwrap().to_bytes());
}

/// The content of an object, read as the caller's own.
pub fn read_own() {
    let mut devices = Devices::new(56, MessageVersion::V3);
    let (mut alice, _) = devices.sessions();
    devices.send(&mut alice);
    let group_session = megolm::new_session(&mut devices.rng);
    let inbound = megolm::receiver(&group_session);
    let memory = content(|memory| account().write_libolm_content(memory).unwrap(), account_layout);
    let (account, _) = Account::from_own_libolm_content(&memory).unwrap();
    must_be_secret(account.sign(b"still secret").as_bytes());
    let memory = content(|memory| alice.write_libolm_content(memory).unwrap(), session_layout);
    let (mut alice, _) = Session::from_own_libolm_content(&memory).unwrap();
    must_be_secret(alice.encrypt_with_rng(b"text", &mut devices.rng).unwrap().as_bytes());
    let memory =
        content(|memory| group_session.write_libolm_content(memory).unwrap(), group_session_layout);
    let (mut group_session, _) = GroupSession::from_own_libolm_content(&memory).unwrap();
    must_be_secret(group_session.encrypt(b"text").unwrap().as_bytes());
    let memory = content(
        |memory| inbound.write_libolm_content(memory).unwrap(),
        inbound_group_session_layout,
    );
    let (inbound, _) = InboundGroupSession::from_own_libolm_content(&memory).unwrap();
    must_be_secret(&inbound.export_at_first_known_index().unwrap().to_bytes());
}

pub fn wrong_key() {
    let mut rng = SecretRng::new(55);
    let pickle = account().to_libolm_pickle_lossy(rng.text(32)).unwrap().0;
    declassify(Pickle, pickle.as_bytes());
    let wrong = rng.text(32);
    assert!(Account::from_libolm_pickle(&pickle, &wrong).is_err());
    assert!(Session::from_libolm_pickle(&pickle, &wrong).is_err());
    assert!(GroupSession::from_libolm_pickle(&pickle, &wrong).is_err());
    assert!(InboundGroupSession::from_libolm_pickle(&pickle, &wrong).is_err());
}
