//! What a device does, with the library's interface alone.

use core::convert::Infallible;

use moceril::{
    PickleKey, TryCryptoRng, TryRng,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
    olm::{Account, PreKeyBundle, Session, SessionConfig},
};

/// A linear congruential generator. A real board has a source of randomness: this one repeats
/// itself with every start.
struct Repeating(u64);

impl TryRng for Repeating {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Ok((self.0 >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.try_next_u32()?) << 32 | u64::from(self.try_next_u32()?))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = (self.try_next_u32()? >> 24) as u8;
        }
        Ok(())
    }
}

impl TryCryptoRng for Repeating {}

pub fn run() {
    let rng = &mut Repeating(1);
    let alice = Account::with_rng(rng).unwrap();
    let mut bob = Account::with_rng(rng).unwrap();
    bob.generate_one_time_keys_with_rng(1, rng).unwrap();
    let (_, one_time_key) = bob.signed_one_time_keys()[0];
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key).unwrap();
    let mut to_bob =
        alice.create_outbound_session_with_rng(&bundle, SessionConfig::default(), rng).unwrap();
    let first = to_bob.encrypt_with_rng("hello", rng).unwrap();
    let inbound =
        bob.create_inbound_session(alice.curve25519_key(), first.as_pre_key().unwrap()).unwrap();
    assert_eq!(inbound.message.plaintext(), b"hello");
    let mut to_alice = inbound.session;
    let reply = to_alice.encrypt_with_rng("yes", rng).unwrap();
    assert_eq!(to_bob.decrypt(&reply).unwrap().plaintext(), b"yes");

    let key = PickleKey::from_bytes([7; 32]);
    let pickle = to_bob.pickle_with_rng(&key, "board", rng).unwrap();
    to_bob = Session::from_pickle(&pickle, &key, "board").unwrap();
    let again = to_bob.encrypt_with_rng("again", rng).unwrap();
    assert_eq!(to_alice.decrypt(&again).unwrap().plaintext(), b"again");

    let mut room = GroupSession::with_rng(GroupSessionConfig::default(), rng).unwrap();
    let mut theirs = InboundGroupSession::new(&room.session_key());
    let event = room.encrypt("to all").unwrap();
    assert_eq!(theirs.decrypt(&event).unwrap().plaintext(), b"to all");
}
