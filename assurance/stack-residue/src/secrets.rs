//! The secrets that are searched for.

use hkdf::Hkdf;
use moceril_testing::distinct_keys::DistinctKeys;
use sha2::Sha256;

/// So many bytes in a row are a find. Half of a key, because a key may have been partly
/// overwritten.
const WINDOW: usize = 16;

/// The secrets that an operation meets, by name.
#[derive(Default)]
pub struct Secrets(Vec<(&'static str, Vec<u8>)>);

impl Secrets {
    pub fn add(&mut self, name: &'static str, secret: &[u8]) -> &mut Self {
        self.0.push((name, secret.to_vec()));
        self
    }

    /// The private keys that will be drawn from the source of randomness.
    pub fn drawn(&mut self, names: &[&'static str], rng: DistinctKeys) -> &mut Self {
        for (number, name) in (0..).zip(names) {
            self.add(name, &rng.upcoming(number));
        }
        self
    }

    pub fn all(&mut self, secrets: &[(&'static str, Vec<u8>)]) -> &mut Self {
        for (name, secret) in secrets {
            self.add(name, secret);
        }
        self
    }

    /// A message key, and what the cipher's keys are that come from it.
    pub fn message_key(&mut self, key: &[u8], info: &str) -> &mut Self {
        let mut keys = [0; 80];
        Hkdf::<Sha256>::new(Some(&[0; 32]), key).expand(info.as_bytes(), &mut keys).unwrap();
        self.add("message key", key)
            .add("AES key", &keys[..32])
            .add("MAC key", &keys[32..64])
            .add("IV", &keys[64..])
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The names of those that are there, each with how often.
    pub fn found_in(&self, stack: &[u8]) -> Vec<(&'static str, usize)> {
        let count = |secret: &[u8]| {
            let parts: Vec<_> = secret.chunks_exact(WINDOW).collect();
            stack.windows(WINDOW).filter(|window| parts.contains(window)).count()
        };
        self.0
            .iter()
            .map(|(name, secret)| (*name, count(secret)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}
