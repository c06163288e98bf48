//! S-25: no heap block that is freed holds a secret.
//!
//! The allocator of this test knows every secret there is, and searches each block that is freed or
//! moved. Threshold: none.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    convert::Infallible,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
};

use moceril::{
    PickleKey,
    megolm::{
        ExportedSessionKey, GroupSession, GroupSessionConfig, InboundGroupSession, SessionKey,
    },
    olm::{Account, PreKeyBundle, Session, SessionConfig},
};
use rand::{TryCryptoRng, TryRng};

/// The beginnings of the secrets: eight bytes are enough to know one by.
static NEEDLES: [AtomicU64; 512] = [const { AtomicU64::new(0) }; 512];
static KNOWN: AtomicUsize = AtomicUsize::new(0);
static FOUND: AtomicUsize = AtomicUsize::new(0);
static SEARCHED: AtomicUsize = AtomicUsize::new(0);

std::thread_local! {
    /// Whether what this thread frees is searched.
    static SEARCHING: Cell<bool> = const { Cell::new(false) };
}

struct Searching;

#[global_allocator]
static ALLOCATOR: Searching = Searching;

impl Searching {
    /// Counts the secrets in a block that is about to be freed.
    ///
    /// # Safety
    ///
    /// `block` must be valid for reads of `length` bytes. Bytes that were never written are read as
    /// whatever they are; the allocations of this process are all initialized here, in `alloc`.
    unsafe fn search(block: *const u8, length: usize) {
        if !SEARCHING.try_with(Cell::get).unwrap_or(false) {
            return;
        }
        // SAFETY: the caller vouches for the block, and `alloc` and `realloc` have initialized it.
        let bytes = unsafe { std::slice::from_raw_parts(block, length) };
        SEARCHED.fetch_add(1, SeqCst);
        for window in bytes.windows(8) {
            let window = u64::from_le_bytes(window.try_into().unwrap());
            if NEEDLES[..KNOWN.load(SeqCst)].iter().any(|needle| needle.load(SeqCst) == window) {
                FOUND.fetch_add(1, SeqCst);
            }
        }
    }
}

// SAFETY: every call is passed on to the system's allocator, with the arguments it came with; `realloc`
// is `alloc`, copy and `dealloc`, as the trait allows.
unsafe impl GlobalAlloc for Searching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised. Zeroed, so that searching reads initialized memory.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is valid until it is freed here.
        unsafe {
            Self::search(block, layout.size());
            System.dealloc(block, layout);
        }
    }
}

fn learn(secret: &[u8]) {
    let beginning = u64::from_le_bytes(secret[..8].try_into().unwrap());
    NEEDLES[KNOWN.fetch_add(1, SeqCst)].store(beginning, SeqCst);
}

/// Runs `call` while everything that is freed is searched, and drops its result in there, too.
fn searched<T>(name: &str, call: impl FnOnce() -> T) {
    let (found, blocks) = (FOUND.load(SeqCst), SEARCHED.load(SeqCst));
    SEARCHING.set(true);
    drop(call());
    SEARCHING.set(false);
    assert_eq!(FOUND.load(SeqCst) - found, 0, "{name}: a freed block holds a secret");
    assert!(SEARCHED.load(SeqCst) > blocks, "{name}: nothing was freed, so nothing was searched");
}

/// Draws distinct secrets and makes each known. It uses no heap.
struct Known(u64);

impl TryRng for Known {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are drawn as bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            // A permutation of the counter: distinct numbers without many zeros.
            self.0 += 1;
            let number = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) | 1;
            chunk.copy_from_slice(&number.to_le_bytes()[..chunk.len()]);
        }
        // Nonces of 24 bytes are not secret.
        if bytes.len() != 24 {
            bytes.chunks(32).for_each(learn);
        }
        Ok(())
    }
}

impl TryCryptoRng for Known {}

/// The state of a group session, all of whose parts are secret.
fn learn_ratchet(session: &InboundGroupSession, index: u32) {
    session.export_at(index).unwrap().to_bytes()[5..133].chunks(32).for_each(learn);
}

#[cfg(feature = "hazmat")]
fn learn_sending(session: &Session) {
    if let Some(state) = session.sending_state() {
        for key in [state.root_key(), state.chain_key(), state.ratchet_key()] {
            learn(key);
        }
    }
}

#[cfg(not(feature = "hazmat"))]
fn learn_sending(_: &Session) {}

/// One test, because the registry of secrets is one for the process.
#[test]
fn s_25_no_freed_block_holds_a_secret() {
    // The search sees what it should see.
    let planted = [0xabcd_ef01_2345_6789_u64; 4].map(u64::to_le_bytes).concat();
    learn(&planted);
    SEARCHING.set(true);
    drop(planted.clone());
    SEARCHING.set(false);
    assert!(FOUND.swap(0, SeqCst) > 0, "the planted secret was not found");

    let rng = &mut Known(0);
    searched("account", || {
        let mut account = Account::with_rng(rng).unwrap();
        for count in [1, 3, 20] {
            account.generate_one_time_keys_with_rng(count, rng).unwrap();
        }
        let ids: Vec<_> = account.one_time_keys().into_iter().map(|(id, _)| id).collect();
        account.remove_one_time_key(ids[7]);
        account.remove_one_time_key(ids[0]);
        for _ in 0..3 {
            account.generate_fallback_key_with_rng(rng).unwrap();
        }
        account.forget_previous_fallback_key();
        account.sign(b"message")
    });
    NEEDLES.iter().for_each(|needle| needle.store(0, SeqCst));
    KNOWN.store(0, SeqCst);

    let alice = Account::with_rng(rng).unwrap();
    let mut bob = Account::with_rng(rng).unwrap();
    bob.generate_one_time_keys_with_rng(3, rng).unwrap();
    let key = PickleKey::new(*b"a pickle key, which is a secret.");
    learn(b"a pickle key, which is a secret.");
    searched("sessions", || conversation(&alice, &mut bob, rng, &key));
    searched("account pickle", || {
        let pickle = bob.pickle_with_rng(&key, b"context", rng).unwrap();
        let restored = Account::from_pickle(&pickle, &key, b"context").unwrap();
        assert!(Account::from_pickle(&pickle, &key, b"other").is_err());
        restored.to_libolm_pickle(b"key").unwrap()
    });
    searched("group sessions", || group_sessions(rng, &key));
}

fn conversation(alice: &Account, bob: &mut Account, rng: &mut Known, key: &PickleKey) {
    let (_, one_time_key) = bob.signed_one_time_keys()[0];
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key).unwrap();
    let config = SessionConfig::default();
    let mut ours = alice.create_outbound_session_with(&bundle, config, rng).unwrap();
    learn_sending(&ours);
    let first = ours.encrypt_with_rng(b"first", rng).unwrap();
    let pre_key = first.as_pre_key().unwrap();
    let mut theirs = bob.create_inbound_session(alice.curve25519_key(), pre_key).unwrap().session;
    // Enough turns and skipped messages for keys and chains to be evicted.
    for _ in 0..7 {
        for turn in 0..2 {
            let (from, to) =
                if turn == 0 { (&mut theirs, &mut ours) } else { (&mut ours, &mut theirs) };
            let messages: Vec<_> = (0..50)
                .map(|_| {
                    let message = from.encrypt_with_rng(b"message", rng).unwrap();
                    if KNOWN.load(SeqCst) < 300 {
                        learn_sending(from);
                    }
                    message
                })
                .collect();
            to.decrypt(&messages[49]).unwrap();
            to.decrypt(&messages[20]).unwrap();
            to.decrypt(&messages[30]).unwrap();
            assert!(to.decrypt(&messages[20]).is_err());
        }
    }
    let pickle = ours.pickle_with_rng(key, b"context", rng).unwrap();
    drop(Session::from_pickle(&pickle, key, b"context").unwrap());
    let (pickle, _) = ours.to_libolm_pickle_lossy(b"key").unwrap();
    drop(Session::from_libolm_pickle(&pickle, b"key").unwrap());
    #[cfg(feature = "vodozemac")]
    {
        use moceril::vodozemac::SessionPickle;
        let (pickle, _) = ours.to_vodozemac_pickle_lossy().unwrap();
        let pickle = pickle.encrypt(&[1; 32]).unwrap();
        let pickle = SessionPickle::from_encrypted(&pickle, &[1; 32]).unwrap();
        drop(Session::from_vodozemac_pickle(pickle).unwrap());
    }
}

fn group_sessions(rng: &mut Known, key: &PickleKey) {
    let mut sender = GroupSession::with(GroupSessionConfig::default(), rng).unwrap();
    let session_key = SessionKey::from_base64(&sender.session_key().to_base64()).unwrap();
    let mut receiver = InboundGroupSession::new(&session_key);
    for index in [1, 2, 7, 8] {
        learn_ratchet(&receiver, index);
    }
    let messages: Vec<_> = (0..9).map(|_| sender.encrypt(b"message").unwrap()).collect();
    for index in [8, 2, 5, 0] {
        receiver.decrypt(&messages[index]).unwrap();
    }
    let export = receiver.export_at(7).unwrap().to_base64();
    let import = InboundGroupSession::import(&ExportedSessionKey::from_base64(&export).unwrap());
    drop(receiver.merge(&import).unwrap());
    assert!(ExportedSessionKey::from_base64(&export[..219]).is_err());
    receiver.advance_to(3);
    let pickle = receiver.pickle_with_rng(key, b"", rng).unwrap();
    drop(InboundGroupSession::from_pickle(&pickle, key, b"").unwrap());
    let pickle = receiver.to_libolm_pickle(b"key").unwrap();
    drop(InboundGroupSession::from_libolm_pickle(&pickle, b"key").unwrap());
    let pickle = sender.to_libolm_pickle(b"key").unwrap();
    drop(GroupSession::from_libolm_pickle(&pickle, b"key").unwrap());
    receiver.close();
}
