//! libolm's objects as a C program uses them: memory of the size that the library asks for, and
//! calls that ask for a length, make room and fill it.

use rand::{TryRng, rngs::SysRng};

use crate::library::{Function, Libolm, Word};

pub const PICKLE_KEY: &[u8] = b"thirty-two bytes of a pickle key";

/// What every function returns when it failed.
const ERROR: usize = usize::MAX;

fn ok(result: usize) -> usize {
    assert_ne!(result, ERROR, "a call failed");
    result
}

fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SysRng.try_fill_bytes(&mut bytes).unwrap();
    bytes
}

/// The release, or the one that the library takes the place of.
pub fn version(library: &Libolm) -> [u8; 3] {
    let mut version = [[0]; 3];
    library.olm_get_library_version.call(version.each_mut().map(|part| Out(part)));
    version.as_flattened().try_into().unwrap()
}

/// Not to be copied: libolm's objects may point into themselves. (A `Vec` that moves keeps its
/// bytes where they are.)
pub struct Object {
    library: &'static Libolm,
    memory: Vec<u8>,
}

use Word::{In, Number, Out};

impl Object {
    fn blank(library: &'static Libolm, size: Function, construct: Function) -> Self {
        let mut memory = vec![0; size.call([])];
        construct.call([Out(&mut memory)]);
        Self { library, memory }
    }

    /// A call that fills a buffer of a length that another function tells.
    fn filled(&mut self, length: Function, fill: Function) -> Vec<u8> {
        let mut buffer = vec![0; ok(length.call([In(&self.memory)]))];
        let room = buffer.len();
        ok(fill.call([Out(&mut self.memory), Out(&mut buffer), Number(room)]));
        buffer
    }

    fn pickled(&mut self, length: Function, pickle: Function) -> Vec<u8> {
        let mut buffer = vec![0; ok(length.call([In(&self.memory)]))];
        let room = buffer.len();
        let key = (In(PICKLE_KEY), Number(PICKLE_KEY.len()));
        ok(pickle.call([Out(&mut self.memory), key.0, key.1, Out(&mut buffer), Number(room)]));
        buffer
    }

    fn unpickled(mut self, unpickle: Function, pickle: &[u8]) -> Self {
        let mut pickle = pickle.to_vec();
        let length = pickle.len();
        let key = (In(PICKLE_KEY), Number(PICKLE_KEY.len()));
        ok(unpickle.call([Out(&mut self.memory), key.0, key.1, Out(&mut pickle), Number(length)]));
        self
    }

    fn blank_account(l: &'static Libolm) -> Self {
        Self::blank(l, l.olm_account_size, l.olm_account)
    }

    pub fn account(l: &'static Libolm) -> Self {
        let mut account = Self::blank_account(l);
        let mut drawn = random(l.olm_create_account_random_length.call([In(&account.memory)]));
        let length = drawn.len();
        ok(l.olm_create_account.call([Out(&mut account.memory), Out(&mut drawn), Number(length)]));
        account
    }

    pub fn generate_one_time_keys(&mut self, count: usize) {
        let l = self.library;
        let length = l
            .olm_account_generate_one_time_keys_random_length
            .call([In(&self.memory), Number(count)]);
        let mut drawn = random(length);
        ok(l.olm_account_generate_one_time_keys.call([
            Out(&mut self.memory),
            Number(count),
            Out(&mut drawn),
            Number(length),
        ]));
    }

    /// The Curve25519 identity key and a one-time key, cut out of their JSON.
    pub fn published(&mut self) -> (Vec<u8>, Vec<u8>) {
        let l = self.library;
        let identity = self.filled(l.olm_account_identity_keys_length, l.olm_account_identity_keys);
        let one_time = self.filled(l.olm_account_one_time_keys_length, l.olm_account_one_time_keys);
        let value =
            |json: Vec<u8>, nth: usize| json.split(|byte| *byte == b'"').nth(nth).unwrap().to_vec();
        // {"curve25519":"..."  and  {"curve25519":{"AAAAAQ":"..."
        (value(identity, 3), value(one_time, 5))
    }

    pub fn pickle_account(&mut self) -> Vec<u8> {
        let l = self.library;
        self.pickled(l.olm_pickle_account_length, l.olm_pickle_account)
    }

    pub fn unpickle_account(l: &'static Libolm, pickle: &[u8]) -> Self {
        Self::blank_account(l).unpickled(l.olm_unpickle_account, pickle)
    }

    fn blank_session(l: &'static Libolm) -> Self {
        Self::blank(l, l.olm_session_size, l.olm_session)
    }

    pub fn outbound(account: &Self, identity_key: &[u8], one_time_key: &[u8]) -> Self {
        let l = account.library;
        let mut session = Self::blank_session(l);
        let mut drawn =
            random(l.olm_create_outbound_session_random_length.call([In(&session.memory)]));
        let length = drawn.len();
        ok(l.olm_create_outbound_session.call([
            Out(&mut session.memory),
            In(&account.memory),
            In(identity_key),
            Number(identity_key.len()),
            In(one_time_key),
            Number(one_time_key.len()),
            Out(&mut drawn),
            Number(length),
            Number(0),
        ]));
        session
    }

    /// The session of a pre-key message, its plaintext, and the one-time key used up.
    pub fn accept(account: &mut Self, message: &(usize, Vec<u8>)) -> (Self, Vec<u8>) {
        let l = account.library;
        let mut session = Self::blank_session(l);
        let mut copy = message.1.clone();
        let length = copy.len();
        ok(l.olm_create_inbound_session.call([
            Out(&mut session.memory),
            Out(&mut account.memory),
            Out(&mut copy),
            Number(length),
        ]));
        let plaintext = session.decrypt(message);
        ok(l.olm_remove_one_time_keys.call([Out(&mut account.memory), Out(&mut session.memory)]));
        (session, plaintext)
    }

    pub fn encrypt(&mut self, plaintext: &[u8]) -> (usize, Vec<u8>) {
        let l = self.library;
        let mut drawn = random(l.olm_encrypt_random_length.call([In(&self.memory)]));
        let kind = l.olm_encrypt_message_type.call([In(&self.memory)]);
        let length = l.olm_encrypt_message_length.call([In(&self.memory), Number(plaintext.len())]);
        let mut message = vec![0; length];
        let drawn_length = drawn.len();
        ok(l.olm_encrypt.call([
            Out(&mut self.memory),
            In(plaintext),
            Number(plaintext.len()),
            if drawn.is_empty() { Number(0) } else { Out(&mut drawn) },
            Number(drawn_length),
            Out(&mut message),
            Number(length),
        ]));
        (kind, message)
    }

    pub fn decrypt(&mut self, (kind, message): &(usize, Vec<u8>)) -> Vec<u8> {
        let l = self.library;
        let mut copy = message.clone();
        let length = copy.len();
        let mut plaintext = vec![
            0;
            ok(l.olm_decrypt_max_plaintext_length.call([
                In(&self.memory),
                Number(*kind),
                Out(&mut copy),
                Number(length),
            ]))
        ];
        copy.copy_from_slice(message);
        let room = plaintext.len();
        let decrypted = ok(l.olm_decrypt.call([
            Out(&mut self.memory),
            Number(*kind),
            Out(&mut copy),
            Number(length),
            Out(&mut plaintext),
            Number(room),
        ]));
        plaintext.truncate(decrypted);
        plaintext
    }
    pub fn pickle_session(&mut self) -> Vec<u8> {
        let l = self.library;
        self.pickled(l.olm_pickle_session_length, l.olm_pickle_session)
    }

    pub fn unpickle_session(l: &'static Libolm, pickle: &[u8]) -> Self {
        Self::blank_session(l).unpickled(l.olm_unpickle_session, pickle)
    }

    pub fn room(l: &'static Libolm) -> Self {
        let mut room =
            Self::blank(l, l.olm_outbound_group_session_size, l.olm_outbound_group_session);
        let length = l.olm_init_outbound_group_session_random_length.call([In(&room.memory)]);
        let mut drawn = random(length);
        ok(l.olm_init_outbound_group_session.call([
            Out(&mut room.memory),
            Out(&mut drawn),
            Number(length),
        ]));
        room
    }

    pub fn session_key(&mut self) -> Vec<u8> {
        let l = self.library;
        self.filled(l.olm_outbound_group_session_key_length, l.olm_outbound_group_session_key)
    }

    pub fn send(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let l = self.library;
        let length =
            l.olm_group_encrypt_message_length.call([In(&self.memory), Number(plaintext.len())]);
        let mut event = vec![0; length];
        ok(l.olm_group_encrypt.call([
            Out(&mut self.memory),
            In(plaintext),
            Number(plaintext.len()),
            Out(&mut event),
            Number(length),
        ]));
        event
    }

    fn blank_receiver(l: &'static Libolm) -> Self {
        Self::blank(l, l.olm_inbound_group_session_size, l.olm_inbound_group_session)
    }

    fn with_key(l: &'static Libolm, init: Function, key: &[u8]) -> Self {
        let mut receiver = Self::blank_receiver(l);
        ok(init.call([Out(&mut receiver.memory), In(key), Number(key.len())]));
        receiver
    }

    pub fn receiver(l: &'static Libolm, session_key: &[u8]) -> Self {
        Self::with_key(l, l.olm_init_inbound_group_session, session_key)
    }

    pub fn import(l: &'static Libolm, exported_key: &[u8]) -> Self {
        Self::with_key(l, l.olm_import_inbound_group_session, exported_key)
    }

    pub fn export(&mut self) -> Vec<u8> {
        let l = self.library;
        let length = l.olm_export_inbound_group_session_length.call([In(&self.memory)]);
        let mut key = vec![0; length];
        ok(l.olm_export_inbound_group_session.call([
            Out(&mut self.memory),
            Out(&mut key),
            Number(length),
            Number(0),
        ]));
        key
    }

    pub fn receive(&mut self, event: &[u8]) -> Vec<u8> {
        let l = self.library;
        let mut copy = event.to_vec();
        let length = copy.len();
        let mut plaintext = vec![
            0;
            ok(l.olm_group_decrypt_max_plaintext_length.call([
                Out(&mut self.memory),
                Out(&mut copy),
                Number(length),
            ]))
        ];
        copy.copy_from_slice(event);
        let room = plaintext.len();
        let mut index = [0; 4];
        let decrypted = ok(l.olm_group_decrypt.call([
            Out(&mut self.memory),
            Out(&mut copy),
            Number(length),
            Out(&mut plaintext),
            Number(room),
            Out(&mut index),
        ]));
        plaintext.truncate(decrypted);
        plaintext
    }

    pub fn pickle_receiver(&mut self) -> Vec<u8> {
        let l = self.library;
        self.pickled(l.olm_pickle_inbound_group_session_length, l.olm_pickle_inbound_group_session)
    }

    pub fn unpickle_receiver(l: &'static Libolm, pickle: &[u8]) -> Self {
        Self::blank_receiver(l).unpickled(l.olm_unpickle_inbound_group_session, pickle)
    }
}
