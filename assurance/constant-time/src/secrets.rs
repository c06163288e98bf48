//! The source of secrets, and the only way to declare a value public that is derived from them.

use std::{cell::Cell, convert::Infallible, hint::black_box};

use moceril::olm::DecryptedMessage;
use rand::{TryCryptoRng, TryRng};

use crate::memcheck;

/// A source of secret bytes: the same ones in every run, and undefined for memcheck.
pub struct SecretRng(u64);

impl SecretRng {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    pub fn text(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes);
        bytes
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in &mut *bytes {
            // Any sequence that is not constant will do: Knuth's linear congruential generator.
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (self.0 >> 56) as u8;
        }
        memcheck::make_undefined(bytes);
    }
}

impl TryRng for SecretRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.bytes()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for SecretRng {}

/// The reasons why a value that is derived from secrets is public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disclosed {
    PublicKey,
    Signature,
    Message,
    Tag,
    Pickle,
    Nonce,
    Length,
    Shown,
    Verdict,
    Frame,
}

impl Disclosed {
    pub const ALL: [(Self, &str); 10] = [
        (Self::PublicKey, "the public half of a key pair; also where an object stores it"),
        (Self::Signature, "travels with what it signs"),
        (Self::Message, "travels: ciphertext, MAC, and the public keys and indices beside them"),
        (Self::Tag, "the MAC of a verification, which travels"),
        (Self::Pickle, "encrypted, with its MAC, and given to a store that is not trusted"),
        (Self::Nonce, "travels or is stored beside what it is for"),
        (
            Self::Length,
            "how long a plaintext is, which the ciphertext's length tells up to 16 bytes",
        ),
        (Self::Shown, "what both users read on their screens and compare"),
        (Self::Verdict, "the answer to a comparison, on which the caller acts"),
        (
            Self::Frame,
            "what an encoded key or a state has around its secrets: versions, counts, indices",
        ),
    ];
}

thread_local! {
    static USES: [Cell<usize>; Disclosed::ALL.len()] = const { [const { Cell::new(0) }; Disclosed::ALL.len()] };
}

fn count(what: Disclosed) {
    USES.with(|uses| {
        let place = Disclosed::ALL.iter().position(|(public, _)| *public == what);
        let uses = &uses[place.expect("every one is in the list")];
        uses.set(uses.get() + 1);
    });
}

/// How often each was declared public.
pub fn uses() -> impl Iterator<Item = (Disclosed, &'static str, usize)> {
    let uses: Vec<_> = USES.with(|uses| uses.iter().map(Cell::get).collect());
    Disclosed::ALL.into_iter().zip(uses).map(|((public, why), uses)| (public, why, uses))
}

/// Declares these bytes public; a public key also wherever it is on the heap. **This function
/// and those below are the only ways out of secrecy.**
///
/// They must depend on a secret. If they do not, then the operation did not do what its test
/// thinks, or the secret got lost on the way, and there would be nothing left to find.
#[track_caller]
pub fn declassify(what: Disclosed, bytes: &[u8]) {
    must_be_secret(bytes);
    memcheck::make_defined(bytes);
    if what == Disclosed::PublicKey {
        memcheck::make_defined_on_the_heap(bytes);
    }
    count(what);
}

/// Declares the length of a decrypted plaintext public. What it says stays secret.
#[track_caller]
pub fn declassify_length(plaintext: &Vec<u8>) {
    memcheck::make_inline_defined(plaintext);
    must_be_secret(plaintext);
    count(Disclosed::Length);
}

/// As `declassify_length`, where the plaintext is in a message whose other parts are public.
#[track_caller]
pub fn declassify_message_length(message: &DecryptedMessage) {
    memcheck::make_inline_defined(message);
    must_be_secret(message.plaintext());
    count(Disclosed::Length);
}

/// Declares the answer of a comparison public.
#[track_caller]
pub fn declassify_verdict(verdict: bool) -> bool {
    let answer = [black_box(u8::from(verdict))];
    must_be_secret(&answer);
    memcheck::make_defined(&answer);
    count(Disclosed::Verdict);
    black_box(answer) == [1]
}

/// Declares the frame of an encoded key or state public; some of it was never secret.
pub fn declassify_frame(bytes: &[u8]) {
    memcheck::make_defined(bytes);
    count(Disclosed::Frame);
}

/// Nothing was lost on the way: these bytes still depend on a secret.
#[track_caller]
pub fn must_be_secret(bytes: &[u8]) {
    assert!(memcheck::is_undefined(bytes), "these bytes depend on no secret");
}
