//! Opens a native pickle, lets a test change the state within, and seals it again.
//!
//! Written from the format at the top of `src/pickle/native/mod.rs` and not with its code: an
//! independent reading of it. What the bytes of the state mean is in `pickle_map`.

use base64ct::{Base64Unpadded, Encoding};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{AeadInOut, inout::InOutBuf},
};

use super::pickle_map::{Field, fields};

/// The key and the context of every pickle that the tests edit.
pub const KEY: [u8; 32] = *b"the pickle key of the editor ...";
pub const CONTEXT: &[u8] = b"@alice:example.org DEVICEID";

const VERSION: u8 = 2;
/// Version, type and nonce.
pub const HEADER_LENGTH: usize = 2 + 24;
pub const TAG_LENGTH: usize = 16;

/// A pickle, decrypted.
#[derive(Clone)]
pub struct OpenPickle {
    pub kind: u8,
    pub nonce: [u8; 24],
    pub state: Vec<u8>,
}

pub fn decode(pickle: &str) -> Vec<u8> {
    Base64Unpadded::decode_vec(pickle).unwrap()
}

pub fn encode(bytes: &[u8]) -> String {
    Base64Unpadded::encode_string(bytes)
}

/// Opens the pickle, lets `change` edit it, and seals it with the same nonce.
pub fn edit(pickle: &str, change: impl FnOnce(&mut OpenPickle)) -> String {
    let mut open = OpenPickle::open(pickle);
    change(&mut open);
    open.seal()
}

fn associated_data(kind: u8, context: &[u8]) -> Vec<u8> {
    [&[VERSION, kind], context].concat()
}

impl OpenPickle {
    pub fn open(pickle: &str) -> Self {
        Self::open_with(pickle, KEY, CONTEXT)
    }

    pub fn open_with(pickle: &str, key: [u8; 32], context: &[u8]) -> Self {
        let bytes = decode(pickle);
        let ([VERSION, kind], rest) = bytes.split_first_chunk::<2>().unwrap() else {
            panic!("unknown version {}", bytes[0]);
        };
        let (nonce, rest) = rest.split_first_chunk::<24>().unwrap();
        let (sealed, tag) = rest.split_last_chunk::<TAG_LENGTH>().unwrap();
        let mut state = sealed.to_vec();
        let buffer = InOutBuf::from(state.as_mut_slice());
        XChaCha20Poly1305::new(&key.into())
            .decrypt_inout_detached(
                nonce.into(),
                &associated_data(*kind, context),
                buffer,
                tag.into(),
            )
            .unwrap();
        Self { kind: *kind, nonce: *nonce, state }
    }

    pub fn seal(&self) -> String {
        let mut sealed = self.state.clone();
        let buffer = InOutBuf::from(sealed.as_mut_slice());
        let tag = XChaCha20Poly1305::new(&KEY.into())
            .encrypt_inout_detached(
                (&self.nonce).into(),
                &associated_data(self.kind, CONTEXT),
                buffer,
            )
            .unwrap();
        encode(&[&[VERSION, self.kind], &self.nonce[..], &sealed, &tag[..]].concat())
    }

    /// What the bytes of the state mean, in their order.
    pub fn fields(&self) -> Vec<Field> {
        fields(self.kind, &self.state)
    }

    fn field(&self, name: &str) -> Field {
        let found = self.fields().into_iter().find(|field| field.name == name);
        found.unwrap_or_else(|| panic!("the state has no field {name}"))
    }

    pub fn get(&self, name: &str) -> &[u8] {
        &self.state[self.field(name).place]
    }

    pub fn set(&mut self, name: &str, bytes: &[u8]) {
        let place = self.field(name).place;
        self.state[place].copy_from_slice(bytes);
    }

    /// The integer in a field of 1, 4 or 8 bytes.
    pub fn number(&self, name: &str) -> u64 {
        self.get(name).iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    pub fn set_number(&mut self, name: &str, number: u64) {
        let length = self.field(name).place.len();
        self.set(name, &number.to_be_bytes()[8 - length..]);
    }

    /// The bytes of an item of a list, of an option's value, or of another group of fields.
    pub fn group(&self, name: &str) -> Vec<u8> {
        self.state[self.place_of_group(name)].to_vec()
    }

    fn place_of_group(&self, name: &str) -> std::ops::Range<usize> {
        let belongs = |field: &Field| {
            let rest = field.name.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let group: Vec<_> = self.fields().into_iter().filter(belongs).collect();
        let first = group.first().unwrap_or_else(|| panic!("the state has no group {name}"));
        first.place.start..group[group.len() - 1].place.end
    }

    /// Replaces the bytes of an item, of an option, or of another group of fields.
    pub fn replace_group(&mut self, name: &str, bytes: &[u8]) {
        let place = self.place_of_group(name);
        self.state.splice(place, bytes.iter().copied());
    }

    /// Puts items before the present ones of a list.
    pub fn prepend<'a>(&mut self, list: &str, items: impl IntoIterator<Item = &'a [u8]>) {
        let place = self.field(list).place;
        let items: Vec<&[u8]> = items.into_iter().collect();
        self.set_number(list, self.number(list) + items.len() as u64);
        self.state.splice(place.end..place.end, items.concat());
    }

    /// Removes all items of a list.
    pub fn clear(&mut self, list: &str) {
        let start = self.field(list).place.end;
        let last = self.number(list).checked_sub(1);
        let end = last.map(|last| self.place_of_group(&format!("{list}[{last}]")).end);
        self.set_number(list, 0);
        self.state.drain(start..end.unwrap_or(start));
    }

    /// Exchanges two items of a list.
    pub fn swap(&mut self, one: &str, other: &str) {
        let (first, second) = (self.group(one), self.group(other));
        self.replace_group(other, &first);
        self.replace_group(one, &second);
    }
}
