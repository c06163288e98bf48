//! Opens a libolm pickle, lets a test change the state within, and seals it again.
//!
//! Written from the description in `src/pickle/libolm/` and not with its code: an independent
//! reading of the format.

use aes::{
    Aes256,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use base64ct::{Base64Unpadded, Encoding};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key of every pickle that the tests edit.
pub const KEY: &[u8] = b"the pickle key of libolm";

const MAC_LENGTH: usize = 8;

/// The AES key, the MAC key and the IV.
fn derive(key: &[u8]) -> ([u8; 32], [u8; 32], [u8; 16]) {
    let mut okm = [0; 80];
    Hkdf::<Sha256>::new(Some(&[0; 32]), key).expand(b"Pickle", &mut okm).unwrap();
    let part = |from: usize, to: usize| okm[from..to].to_vec();
    (
        part(0, 32).try_into().unwrap(),
        part(32, 64).try_into().unwrap(),
        part(64, 80).try_into().unwrap(),
    )
}

fn mac(key: &[u8; 32], ciphertext: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(ciphertext);
    mac.finalize().into_bytes()[..MAC_LENGTH].to_vec()
}

/// The state in a pickle.
pub fn open(pickle: &str, key: &[u8]) -> Vec<u8> {
    let bytes = Base64Unpadded::decode_vec(pickle).unwrap();
    let (ciphertext, tag) = bytes.split_last_chunk::<MAC_LENGTH>().unwrap();
    let (aes_key, mac_key, iv) = derive(key);
    assert_eq!(mac(&mac_key, ciphertext), tag);
    let mut buffer = vec![0; ciphertext.len()];
    cbc::Decryptor::<Aes256>::new(&aes_key.into(), &iv.into())
        .decrypt_padded_b2b::<Pkcs7>(ciphertext, &mut buffer)
        .unwrap()
        .to_vec()
}

/// The pickle with this state.
pub fn seal(state: &[u8], key: &[u8]) -> String {
    let (aes_key, mac_key, iv) = derive(key);
    let mut buffer = vec![0; state.len() + 16];
    let ciphertext = cbc::Encryptor::<Aes256>::new(&aes_key.into(), &iv.into())
        .encrypt_padded_b2b::<Pkcs7>(state, &mut buffer)
        .unwrap();
    Base64Unpadded::encode_string(&[ciphertext, &mac(&mac_key, ciphertext)].concat())
}

/// Takes the next `length` bytes.
fn take(state: &mut &[u8], length: usize) -> Vec<u8> {
    let (taken, rest) = state.split_at(length);
    *state = rest;
    taken.to_vec()
}

fn take_list(state: &mut &[u8], count_length: usize, item_length: usize) -> Vec<Vec<u8>> {
    let count =
        take(state, count_length).iter().fold(0, |count, byte| count << 8 | u32::from(*byte));
    (0..count).map(|_| take(state, item_length)).collect()
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(items.len()).unwrap();
    [&count.to_be_bytes()[..], &items.concat()].concat()
}

/// The places of an account's fixed part: version, Ed25519 pair, X25519 pair.
pub const ED25519_PUBLIC: usize = 4;
pub const ED25519_SECRET: usize = ED25519_PUBLIC + 32;
pub const CURVE25519_PUBLIC: usize = ED25519_SECRET + 64;
const ACCOUNT_HEAD: usize = CURVE25519_PUBLIC + 64;
/// Id, published, X25519 pair.
const STORED_KEY: usize = 4 + 1 + 64;

/// The state of an account, version 4.
pub struct AccountLayout {
    pub head: Vec<u8>,
    /// Newest first.
    pub one_time_keys: Vec<Vec<u8>>,
    /// The current one first.
    pub fallback_keys: Vec<Vec<u8>>,
    pub last_id: Vec<u8>,
}

impl AccountLayout {
    pub fn of(mut state: &[u8]) -> Self {
        let state = &mut state;
        let layout = Self {
            head: take(state, ACCOUNT_HEAD),
            one_time_keys: take_list(state, 4, STORED_KEY),
            fallback_keys: take_list(state, 1, STORED_KEY),
            last_id: take(state, 4),
        };
        assert!(state.is_empty());
        layout
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut state = self.head.clone();
        state.extend(list(&self.one_time_keys));
        state.push(self.fallback_keys.len() as u8);
        state.extend(self.fallback_keys.concat());
        state.extend(&self.last_id);
        state
    }
}

/// Version, received, three public keys, root key.
const SESSION_HEAD: usize = 4 + 1 + 3 * 32 + 32;
/// X25519 pair, chain key, index.
const SENDER_CHAIN: usize = 64 + 32 + 4;
/// Ratchet key, chain key or message key, index.
const RECEIVED_KEY: usize = 32 + 32 + 4;

/// The state of a session.
#[derive(Clone)]
pub struct SessionLayout {
    pub head: Vec<u8>,
    pub senders: Vec<Vec<u8>>,
    /// Newest first.
    pub receivers: Vec<Vec<u8>>,
    /// Newest first.
    pub skipped: Vec<Vec<u8>>,
}

impl SessionLayout {
    pub fn of(mut state: &[u8]) -> Self {
        let state = &mut state;
        let layout = Self {
            head: take(state, SESSION_HEAD),
            senders: take_list(state, 4, SENDER_CHAIN),
            receivers: take_list(state, 4, RECEIVED_KEY),
            skipped: take_list(state, 4, RECEIVED_KEY),
        };
        assert!(state.is_empty());
        layout
    }

    pub fn bytes(&self) -> Vec<u8> {
        let Self { head, senders, receivers, skipped } = self;
        [head.clone(), list(senders), list(receivers), list(skipped)].concat()
    }

    /// Drops the keys of chains that are gone; returns how many there were. Nobody can use them.
    pub fn drop_orphans(&mut self) -> usize {
        let before = self.skipped.len();
        let receivers = &self.receivers;
        self.skipped.retain(|key| receivers.iter().any(|chain| chain[..32] == key[..32]));
        before - self.skipped.len()
    }
}
