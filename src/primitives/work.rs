//! Counts expensive operations, so that tests can check the bound on the work before authentication
//! (S-45). Only in tests.

use core::{cell::Cell, convert::Infallible};
use std::thread_local;

use rand::{TryCryptoRng, TryRng};

/// A source of randomness that gives different bytes for every draw, and the same ones in every
/// run.
pub(crate) struct Counting(pub(crate) u8);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0 += 1;
        bytes.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

/// How often each expensive operation was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) hmacs: usize,
    /// Of points on the curve with scalars.
    pub(crate) multiplications: usize,
    /// Of public keys into points for multiplication.
    pub(crate) conversions: usize,
    /// Of Ed25519 signatures.
    pub(crate) verifications: usize,
}

thread_local! {
    static WORK: Cell<Work> = const {
        Cell::new(Work { hmacs: 0, multiplications: 0, conversions: 0, verifications: 0 })
    };
}

fn add(more: Work) {
    let before = WORK.get();
    WORK.set(Work {
        hmacs: before.hmacs + more.hmacs,
        multiplications: before.multiplications + more.multiplications,
        conversions: before.conversions + more.conversions,
        verifications: before.verifications + more.verifications,
    });
}

pub(crate) fn count_hmacs(count: usize) {
    add(Work { hmacs: count, ..Work::default() });
}

pub(crate) fn count_multiplications(count: usize) {
    add(Work { multiplications: count, ..Work::default() });
}

pub(crate) fn count_conversion() {
    add(Work { conversions: 1, ..Work::default() });
}

pub(crate) fn count_verification() {
    add(Work { verifications: 1, ..Work::default() });
}

/// What `run` returns, and the work that it did.
pub(crate) fn of<T>(run: impl FnOnce() -> T) -> (T, Work) {
    WORK.set(Work::default());
    let returned = run();
    (returned, WORK.take())
}

/// Each kind of operation of the library is counted.
#[test]
fn every_operation_is_counted() {
    use super::{
        ed25519::{SigningKey, VerifyingKey},
        edwards::PeerPoint,
        kdf::{HmacKey, hkdf},
        secret::Secret,
        x25519::SecretKey,
    };

    let work = |run: &dyn Fn()| of(run).1;
    let hmacs = |hmacs| Work { hmacs, ..Work::default() };
    let multiplications = |multiplications| Work { multiplications, ..Work::default() };
    assert_eq!(work(&|| drop(HmacKey::new(&[1; 32]).derive(b""))), hmacs(1));
    assert_eq!(work(&|| assert_ne!(HmacKey::new(&[1; 32]).tag(b""), [0; 32])), hmacs(1));
    assert_eq!(work(&|| drop(hkdf::<64>(None, b"", b""))), hmacs(3));
    assert_eq!(work(&|| drop(hkdf::<65>(None, b"", b""))), hmacs(4));

    let key = SecretKey::from_bytes(&Secret::new([1; 32]));
    for public in [[9; 32], [2; 32]] {
        let (_, conversion) = of(|| PeerPoint::new(&public));
        assert_eq!(conversion, Work { conversions: 1, ..Work::default() });
    }
    let (edwards, ladder) = (PeerPoint::new(&[9; 32]), PeerPoint::new(&[2; 32]));
    for peer in [&edwards, &ladder] {
        assert_eq!(work(&|| drop(key.agree_with(peer))), multiplications(1));
        assert_eq!(work(&|| drop(key.public_and_agreement(peer))), multiplications(2));
        let three = [(&key, peer), (&key, &edwards), (&key, &ladder)];
        assert_eq!(work(&|| drop(SecretKey::agree_all(three))), multiplications(3));
    }
    assert_eq!(work(&|| assert_ne!(key.public(), [0; 32])), multiplications(1));
    assert_eq!(work(&|| drop(SecretKey::publics([&key; 5].into_iter()))), multiplications(5));
    assert_eq!(work(&|| drop(SigningKey::from_seed(Secret::default()))), multiplications(1));
    let verifications = |verifications| Work { verifications, ..Work::default() };
    let signing_key = SigningKey::from_seed(Secret::default());
    let verifying_key = VerifyingKey::from_bytes(signing_key.public()).unwrap();
    let (good, bad) = (signing_key.sign(b""), [0; 64]);
    assert_eq!(work(&|| assert!(verifying_key.verify(b"", &good).is_ok())), verifications(1));
    assert_eq!(work(&|| assert!(verifying_key.verify(b"", &bad).is_err())), verifications(1));
    let each = [(&b""[..], &good), (b"", &bad), (b"", &good)];
    assert_eq!(work(&|| drop(verifying_key.verify_each(&each))), verifications(3));
    let expanded = Secret::new([1; 64]);
    assert_eq!(work(&|| drop(SigningKey::from_expanded(expanded.clone()))), multiplications(1));
}
