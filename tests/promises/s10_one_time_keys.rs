//! S-10: the life of one-time keys, with a device that crashes, the store in which it keeps them,
//! and a server that hands them out.

use std::collections::{BTreeMap, HashMap, HashSet};

use moceril::{
    Curve25519PublicKey,
    olm::{
        Account, KeyGenerationError, KeyId, PreKeyBundle, SessionConfig, SessionCreationError,
        SignedOneTimeKey,
    },
};
use moceril_testing::{
    pickle_editor::OpenPickle,
    pickled::Pickled,
    rng::{RecordedRng, SeededRng},
    states,
};

const MAXIMUM: usize = Account::MAX_STORED_ONE_TIME_KEYS;

#[derive(Clone, Copy)]
struct Key {
    public: Curve25519PublicKey,
    published: bool,
}

/// What the account has to hold, by the rules as they are documented.
#[derive(Clone, Default)]
struct Stock(BTreeMap<KeyId, Key>);

impl Stock {
    fn unpublished(&self) -> Vec<(KeyId, Curve25519PublicKey)> {
        let unpublished = self.0.iter().filter(|(_, key)| !key.published);
        unpublished.map(|(id, key)| (*id, key.public)).collect()
    }

    /// Unpublished keys go before published ones, the oldest first.
    fn evict(&mut self, count: usize) -> Vec<(KeyId, Curve25519PublicKey)> {
        let mut order: Vec<_> = self.0.iter().map(|(id, key)| (key.published, *id)).collect();
        order.sort_unstable();
        let evicted = order.into_iter().take(count);
        evicted.map(|(_, id)| (id, self.0.remove(&id).unwrap().public)).collect()
    }
}

/// The account with what is expected of it, what the store holds of both, and what the server
/// knows.
struct World {
    rng: SeededRng,
    sender: Account,
    account: Account,
    stock: Stock,
    stored: (String, Stock),
    /// Every id that was ever uploaded. A server refuses another key under the same id.
    uploaded: HashMap<KeyId, Curve25519PublicKey>,
    /// Uploaded keys that were not given out.
    on_server: Vec<(KeyId, SignedOneTimeKey)>,
    /// Every id given out since the last start of the device, and every one that was persisted.
    issued: HashSet<KeyId>,
    persisted: HashSet<KeyId>,
}

impl World {
    fn new(seed: u64, keys: usize) -> Self {
        let mut rng = SeededRng::new(seed);
        let sender = states::account(0, &mut rng);
        let account = states::account(keys, &mut rng);
        let stock = account.unpublished_one_time_keys().into_iter();
        let stock = stock.map(|(id, public)| (id, Key { public, published: false })).collect();
        let mut world = Self {
            rng,
            sender,
            stored: (String::new(), Stock::default()),
            account,
            stock: Stock(stock),
            uploaded: HashMap::new(),
            on_server: Vec::new(),
            issued: HashSet::new(),
            persisted: HashSet::new(),
        };
        world.issued.extend(world.stock.0.keys());
        world.persist();
        world
    }

    fn step(&mut self) {
        match self.rng.below(20) {
            0..4 => self.generate(),
            4..8 => self.persist(),
            8..11 => self.upload(),
            11..13 => self.mark(),
            13 => self.remove(),
            14..19 => self.give_out(),
            _ => self.crash(),
        }
        self.check();
    }

    fn generate(&mut self) {
        let count = self.rng.below(12);
        let made = self.account.generate_one_time_keys_with_rng(count, &mut self.rng).unwrap();
        assert_eq!(made.created.len(), count);
        let excess = (self.stock.0.len() + count).saturating_sub(MAXIMUM);
        assert_eq!(made.evicted, self.stock.evict(excess));
        for (id, public) in made.created {
            assert!(!self.persisted.contains(&id), "an id was used again");
            assert!(self.issued.insert(id), "an id was used again");
            self.stock.0.insert(id, Key { public, published: false });
        }
    }

    fn persist(&mut self) {
        self.stored = (self.account.snapshot(), self.stock.clone());
        self.persisted.extend(&self.issued);
    }

    /// Uploads keys, but only what was persisted before, as the documentation says. The upload may
    /// fail after any key.
    fn upload(&mut self) {
        let keys = self.account.signed_one_time_keys();
        let persisted = keys.into_iter().filter(|(id, _)| self.persisted.contains(id));
        let persisted: Vec<_> = persisted.collect();
        let arrives = self.rng.below(persisted.len() + 1).min(20);
        for (id, key) in persisted.into_iter().take(arrives) {
            match self.uploaded.insert(id, key.key) {
                Some(before) => assert_eq!(before, key.key, "two keys with one id"),
                None => self.on_server.push((id, key)),
            }
        }
    }

    /// The server confirms some ids, among them ids of keys that the account no longer has.
    fn mark(&mut self) {
        let mut ids: Vec<_> = self.uploaded.keys().copied().collect();
        ids.sort_unstable();
        ids.retain(|_| self.rng.below(3) == 0);
        let mut marked = 0;
        for id in &ids {
            if let Some(key) = self.stock.0.get_mut(id) {
                marked += usize::from(!key.published);
                key.published = true;
            }
        }
        assert_eq!(self.account.mark_as_published(ids.iter().copied()), marked);
        assert_eq!(self.account.mark_as_published(ids), 0);
    }

    fn remove(&mut self) {
        let place = self.rng.below(self.stock.0.len().max(1));
        let Some(id) = self.stock.0.keys().nth(place).copied() else { return };
        self.stock.0.remove(&id);
        assert!(self.account.remove_one_time_key(id));
        assert!(!self.account.remove_one_time_key(id));
    }

    /// The server gives a key to a sender, whose message arrives twice.
    fn give_out(&mut self) {
        if self.on_server.is_empty() {
            return;
        }
        let place = self.rng.below(self.on_server.len());
        let (id, key) = self.on_server.swap_remove(place);
        let bundle = PreKeyBundle::verify(self.account.identity_keys(), &key).unwrap();
        let config = SessionConfig::default();
        let mut session =
            self.sender.create_outbound_session_with_rng(&bundle, config, &mut self.rng).unwrap();
        let message = session.encrypt_with_rng(b"first", &mut self.rng).unwrap();
        let message = message.as_pre_key().unwrap();
        let sender = self.sender.curve25519_key();
        if self.stock.0.remove(&id).is_some() {
            let created = self.account.create_inbound_session(sender, message).unwrap();
            assert_eq!(created.message.plaintext(), b"first");
        }
        let again = self.account.create_inbound_session(sender, message);
        assert_eq!(again.err(), Some(SessionCreationError::UnknownOneTimeKey));
    }

    fn crash(&mut self) {
        self.account = Account::restore(&self.stored.0).unwrap();
        self.stock = self.stored.1.clone();
        self.issued = self.persisted.clone();
    }

    fn check(&self) {
        assert_eq!(self.account.stored_one_time_key_count(), self.stock.0.len());
        assert!(self.stock.0.len() <= MAXIMUM);
        assert_eq!(self.account.unpublished_one_time_keys(), self.stock.unpublished());
    }
}

fn run(seed: u64, keys: usize, steps: usize) -> World {
    println!("seed {seed}");
    let mut world = World::new(seed, keys);
    (0..steps).for_each(|_| world.step());
    world
}

/// Whatever happens in whatever order, and whenever the device crashes: no id gets a second key, a
/// key works once, and the account holds what it should.
#[test]
fn s_10_keys_survive_crashes_and_ids_are_never_reused() {
    let mut uploaded = 0;
    for seed in 0..15 {
        uploaded += run(seed, 0, 120).uploaded.len();
    }
    assert!(uploaded > 500);
}

/// The same close to the highest number of keys, where new keys evict old ones.
#[test]
fn s_10_keys_survive_crashes_when_the_account_is_full() {
    let world = run(100, MAXIMUM - 3, 40);
    assert!(world.persisted.len() > MAXIMUM + 20);
    assert!(world.stock.0.len() > MAXIMUM - 100);
}

/// Publication is marked by id: for these keys and no others, the fallback key included.
#[test]
fn s_10_keys_are_marked_by_id() {
    let rng = &mut SeededRng::new(1);
    let mut account = states::account(4, rng);
    account.generate_fallback_key_with_rng(rng).unwrap();
    let keys = account.unpublished_one_time_keys();
    let (fallback, _) = account.unpublished_fallback_key().unwrap();
    // The text does not say the kind, so that accounts of vodozemac can have one id twice.
    assert!(fallback.is_fallback() && !keys.iter().any(|(id, _)| id.is_fallback()));
    assert_eq!(
        format!("{fallback:?} {:?}", keys[0].0),
        "fallback-key-id:AAAAAAAAAAU one-time-key-id:AAAAAAAAAAE"
    );
    assert_eq!(account.mark_as_published([keys[2].0, keys[0].0, keys[2].0]), 2);
    assert_eq!(account.unpublished_one_time_keys(), [keys[1], keys[3]]);
    assert!(account.unpublished_fallback_key().is_some());
    assert_eq!(account.mark_as_published([fallback, keys[0].0]), 1);
    assert_eq!(account.unpublished_fallback_key(), None);
    assert_eq!(account.stored_one_time_key_count(), 4);
    assert_eq!(account.stored_one_time_keys(), keys, "published or not");
    // A late confirmation of the previous fallback key does not mark the new one.
    account.generate_fallback_key_with_rng(rng).unwrap();
    assert_eq!(account.mark_as_published([fallback]), 0);
    assert!(account.unpublished_fallback_key().is_some());

    // Keys that were generated between upload and confirmation are not marked with the others.
    let new = account.generate_one_time_keys_with_rng(1, rng).unwrap().created;
    assert_eq!(account.mark_as_published([keys[1].0, keys[3].0]), 2);
    assert_eq!(account.unpublished_one_time_keys(), new);
    // Nor does an id that is gone mean another key.
    assert!(account.remove_one_time_key(keys[1].0));
    assert_eq!(account.mark_as_published([keys[1].0]), 0);
    assert_eq!(account.unpublished_one_time_keys(), new);
}

/// An older copy of the account was restored, and the server has other keys under the ids of those
/// that wait. They can be removed, and those that are generated in their place get other ids, also
/// after one more restart.
#[test]
fn s_10_unpublished_keys_can_be_replaced_under_new_ids() {
    let rng = &mut SeededRng::new(6);
    let mut account = states::account(4, rng);
    let keys = account.unpublished_one_time_keys();
    account.mark_as_published([keys[0].0]);
    let mut restored = account.copy();
    let mut known: HashSet<_> = keys.iter().map(|(id, _)| *id).collect();
    for _ in 0..3 {
        let waiting = restored.unpublished_one_time_keys();
        assert_eq!(waiting.len(), 3);
        for (id, key) in &waiting {
            assert!(restored.remove_one_time_key(*id));
            assert_eq!(restored.key_id(key), None);
        }
        let mut emptied = restored.copy();
        let made = emptied.generate_one_time_keys_with_rng(waiting.len(), rng).unwrap().created;
        assert!(made.iter().all(|(id, _)| known.insert(*id)), "an id was used again");
        assert_eq!(emptied.key_id(&keys[0].1), Some(keys[0].0), "what was published stays");
        restored = emptied;
    }
}

/// A source that gives a key which is there already has failed. No account gets a key twice, so
/// what it pickles can be read.
#[test]
fn s_10_a_source_that_repeats_makes_no_keys() {
    let key = |number: u8| [number; 32];
    let mut account = states::account(0, &mut SeededRng::new(5));
    account.generate_one_time_keys_with_rng(1, &mut RecordedRng::new(key(10))).unwrap();
    account.generate_fallback_key_with_rng(&mut RecordedRng::new(key(20))).unwrap();
    account.generate_fallback_key_with_rng(&mut RecordedRng::new(key(30))).unwrap();
    let before = account.snapshot();
    // The identity key is such a key, too.
    let identity: [u8; 32] =
        OpenPickle::open(&before).get("identity_key.secret").try_into().unwrap();
    for bytes in [key(10), key(20), key(30), identity] {
        let rng = || RecordedRng::new(bytes);
        let keys = account.generate_one_time_keys_with_rng(1, &mut rng());
        assert_eq!(keys, Err(KeyGenerationError::Random), "{bytes:?}");
        let fallback = account.generate_fallback_key_with_rng(&mut rng());
        assert_eq!(fallback, Err(KeyGenerationError::Random), "{bytes:?}");
    }
    let twice = &mut RecordedRng::new([key(40), key(40)].concat());
    let keys = account.generate_one_time_keys_with_rng(2, twice);
    assert_eq!(keys, Err(KeyGenerationError::Random));
    assert_eq!(account.snapshot(), before);
    account.generate_one_time_keys_with_rng(1, &mut RecordedRng::new(key(40))).unwrap();
    account.copy();
}

/// A fallback key that is not marked is uploaded again as it is, also after a restart, and then no
/// key is forgotten that the server may have handed out. Each new key forgets the one before the
/// present one, published or not, and says so.
#[test]
fn s_10_an_upload_that_is_tried_again_forgets_no_fallback_key() {
    let rng = &mut SeededRng::new(4);
    let mut account = states::account(0, rng);
    let mut upload = |account: &mut Account| {
        let generation = account.generate_fallback_key_with_rng(rng).unwrap();
        let (id, key) = account.signed_fallback_key().unwrap();
        assert_eq!((generation.created, generation.forgotten), ((id, key.key), None));
        (id, key)
    };
    let (id, first) = upload(&mut account);
    assert_eq!(account.mark_as_published([id]), 1);
    let (_, second) = upload(&mut account);
    // The upload fails.
    let mut account = account.copy();
    assert_eq!(account.signed_fallback_key().unwrap().1, second);
    assert!([first, second].iter().all(|key| account.key_id(&key.key).is_some()));

    let generation = account.generate_fallback_key_with_rng(rng).unwrap();
    assert_eq!(generation.forgotten, Some((id, first.key)));
    assert_eq!(account.fallback_key(), Some(generation.created));
    assert_eq!(account.key_id(&first.key), None);
    assert!(account.key_id(&second.key).is_some());
}

/// A full account drops unpublished keys first, then published ones, the oldest first, and says
/// which.
#[test]
fn s_10_eviction_is_ordered_and_reported() {
    let rng = &mut SeededRng::new(2);
    let mut account = states::account(MAXIMUM, rng);
    let keys = account.unpublished_one_time_keys();
    // All but the ids at places 10, 20 and 30 are published.
    let unpublished = [keys[10], keys[20], keys[30]];
    let ids = keys.iter().filter(|key| !unpublished.contains(key)).map(|(id, _)| *id);
    assert_eq!(account.mark_as_published(ids), MAXIMUM - 3);

    let first = account.generate_one_time_keys_with_rng(2, rng).unwrap();
    assert_eq!(first.evicted, unpublished[..2]);
    // The remaining old one, then the two new ones, then the published ones.
    let second = account.generate_one_time_keys_with_rng(5, rng).unwrap();
    let expected = [unpublished[2], first.created[0], first.created[1], keys[0], keys[1]];
    assert_eq!(second.evicted, expected);
    assert_eq!(account.unpublished_one_time_keys(), second.created);
    assert_eq!(account.stored_one_time_key_count(), MAXIMUM);

    // Room that was made is used before anything is evicted.
    assert!(account.remove_one_time_key(keys[500].0));
    let third = account.generate_one_time_keys_with_rng(1, rng).unwrap();
    assert_eq!(third.evicted, []);
    let all = account.generate_one_time_keys_with_rng(MAXIMUM, rng).unwrap();
    assert_eq!((all.created.len(), all.evicted.len()), (MAXIMUM, MAXIMUM));
    assert_eq!(account.unpublished_one_time_keys(), all.created);
}

/// More keys at once than an account holds are refused before anything is drawn.
#[test]
fn s_10_counts_over_the_maximum_are_refused() {
    let mut account = states::account(1, &mut SeededRng::new(3));
    let before = account.snapshot();
    for requested in [MAXIMUM + 1, MAXIMUM * 2, usize::MAX] {
        let rng = &mut RecordedRng::new([]);
        let generated = account.generate_one_time_keys_with_rng(requested, rng);
        let expected = KeyGenerationError::TooMany { requested, maximum: MAXIMUM };
        assert_eq!(generated, Err(expected));
        assert_eq!(account.snapshot(), before);
    }
}
