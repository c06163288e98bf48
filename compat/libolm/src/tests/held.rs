//! Objects as a C program holds them, and buffers for what the functions write.

use std::marker::PhantomData;

use moceril::olm::Account;

use crate::{
    account,
    error::{Code, FAILED},
    memory::{Input, Kind, Object, Output},
    object,
};

/// An object in memory of its own, at an address of no alignment.
pub(crate) struct Held<T> {
    memory: Vec<u8>,
    kind: PhantomData<T>,
}

/// The bytes around an object, which must stay as they are.
const FENCE: u8 = 0xa5;

impl<T: Kind> Held<T> {
    pub(crate) fn blank() -> Self {
        let mut held = Self { memory: vec![FENCE; T::SIZE + 2], kind: PhantomData };
        object::create(held.object());
        held
    }

    pub(crate) fn object(&mut self) -> Object<T> {
        let end = self.memory.len() - 1;
        Object::over(&mut self.memory[1..end])
    }

    /// What lies in the memory of the object.
    pub(crate) fn bytes(&self) -> &[u8] {
        let [FENCE, bytes @ .., FENCE] = &*self.memory else { panic!("written beside the object") };
        bytes
    }

    /// The same without the last error: what a failed call must leave alone.
    pub(crate) fn state(&self) -> Vec<u8> {
        self.bytes()[1..].to_vec()
    }

    /// Changes the content: a state that no test would live to see.
    pub(crate) fn set_content(&mut self, place: usize, bytes: &[u8]) {
        self.memory[1 + 8 + place..][..bytes.len()].copy_from_slice(bytes);
    }

    pub(crate) fn error(&mut self) -> u32 {
        object::last_error_code(self.object())
    }

    /// The call fails with this error, and changes nothing else.
    #[track_caller]
    pub(crate) fn refuses(&mut self, code: Code, call: impl FnOnce(Object<T>) -> usize) {
        let before = self.state();
        assert_eq!(call(self.object()), FAILED);
        assert_eq!(self.error(), code as u32, "expected {code:?}");
        assert!(self.state() == before, "a call that failed has changed the object");
    }
}

impl Held<Account> {
    pub(crate) fn account(random: &[u8]) -> Self {
        let mut account = Self::blank();
        let mut random = random.to_vec();
        assert_eq!(account::create(account.object(), Output::over(&mut random)), 0);
        assert!(random.iter().all(|byte| *byte == 0));
        account
    }

    pub(crate) fn generate_one_time_keys(&mut self, random: &[u8]) {
        let (count, mut random) = (random.len() / 32, random.to_vec());
        let random = Output::over(&mut random);
        assert_eq!(account::generate_one_time_keys(self.object(), count, random), count);
    }

    /// The value of `"name":"…"` in the identity keys.
    pub(crate) fn identity_key(&mut self, name: &str) -> String {
        value(&written(|keys| account::identity_keys(self.object(), keys)), name)
    }

    /// The id and the key of each unpublished one-time key.
    pub(crate) fn one_time_keys(&mut self) -> Vec<(String, String)> {
        entries(&written(|keys| account::one_time_keys(self.object(), keys)))
    }
}

/// What a function writes that returns how much.
#[track_caller]
pub(crate) fn written(call: impl FnOnce(Output) -> usize) -> String {
    String::from_utf8(written_bytes(call)).unwrap()
}

#[track_caller]
pub(crate) fn written_bytes(call: impl FnOnce(Output) -> usize) -> Vec<u8> {
    let mut buffer = vec![FENCE; 1 << 17];
    let length = call(Output::over(&mut buffer));
    assert_ne!(length, FAILED);
    assert!(buffer[length..].iter().all(|byte| *byte == FENCE), "written beyond the result");
    buffer.truncate(length);
    buffer
}

/// What a function writes that returns 0.
#[track_caller]
pub(crate) fn filled(length: usize, call: impl FnOnce(Output) -> usize) -> Vec<u8> {
    let mut buffer = vec![0; length];
    assert_eq!(call(Output::over(&mut buffer)), 0);
    buffer
}

pub(crate) fn input(bytes: &(impl AsRef<[u8]> + ?Sized)) -> Input {
    Input::over(bytes.as_ref())
}

/// The value of a name in a flat JSON object.
fn value(json: &str, name: &str) -> String {
    let (_, rest) = json.split_once(&format!("\"{name}\":\"")).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// The members of `{"curve25519":{…}}`.
pub(crate) fn entries(json: &str) -> Vec<(String, String)> {
    let inner = json.strip_prefix(r#"{"curve25519":{"#).and_then(|rest| rest.strip_suffix("}}"));
    let members = inner.unwrap().split(',').filter(|member| !member.is_empty());
    let unquoted = |text: &str| text.trim_matches('"').to_owned();
    members
        .map(|member| member.split_once(':').unwrap())
        .map(|(id, key)| (unquoted(id), unquoted(key)))
        .collect()
}
