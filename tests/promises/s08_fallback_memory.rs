//! S-08, S-42: the memory of a fallback key is bounded, but no honest first message is refused
//! because of that: a session beyond the bounds is accepted and reported as not remembered.

use moceril::{
    Curve25519PublicKey, MessageVersion, PickleKey,
    olm::{
        Account, DecryptionError, InboundCreation, PreKeyBundle, PreKeyMessage, SessionConfig,
        SessionCreationError,
    },
};
use moceril_testing::{
    fixtures::{Devices, State, pre_key, unchanged},
    libolm_pickle,
    rng::SeededRng,
};

const SHARE: usize = Account::FALLBACK_SHARE as usize;
const DEFAULT: usize = Account::DEFAULT_FALLBACK_MEMORY as usize;

/// A first message, and whom it is from.
struct First {
    sender: Curve25519PublicKey,
    message: PreKeyMessage,
}

/// Bob, and what is sent to one of his fallback keys.
struct World {
    bob: Account,
    bundle: PreKeyBundle,
    rng: SeededRng,
}

impl World {
    fn new(seed: u64) -> Self {
        let Devices { mut bob, mut rng, .. } = Devices::new(seed);
        bob.generate_fallback_key_with_rng(&mut rng).unwrap();
        bob.forget_previous_fallback_key();
        let bundle = fallback_bundle(&bob);
        Self { bob, bundle, rng }
    }

    fn account(&mut self) -> Account {
        Account::with_rng(&mut self.rng).unwrap()
    }

    fn first(&mut self, sender: &Account) -> First {
        let (config, rng) = (SessionConfig::default(), &mut self.rng);
        let mut session =
            sender.create_outbound_session_with_rng(&self.bundle, config, rng).unwrap();
        let message = pre_key(&session.encrypt_with_rng(b"first", rng).unwrap());
        First { sender: sender.curve25519_key(), message }
    }

    /// First messages of one sender.
    fn firsts(&mut self, count: usize) -> Vec<First> {
        let sender = self.account();
        (0..count).map(|_| self.first(&sender)).collect()
    }

    /// A first message of each of so many senders.
    fn senders(&mut self, count: usize) -> Vec<First> {
        (0..count).flat_map(|_| self.firsts(1)).collect()
    }

    fn receive(&mut self, first: &First) -> Result<InboundCreation, SessionCreationError> {
        self.bob.create_inbound_session(first.sender, &first.message)
    }

    /// All are accepted. Returns which of them can make no second session.
    #[track_caller]
    fn accepted(&mut self, firsts: &[First]) -> Vec<bool> {
        let receive = |first| self.receive(first).unwrap().replay_excluded;
        firsts.iter().map(receive).collect()
    }

    #[track_caller]
    fn replayed<'a>(&mut self, firsts: impl IntoIterator<Item = &'a First>) {
        for First { sender, message } in firsts {
            let create = |bob: &mut Account| bob.create_inbound_session(*sender, message);
            assert_eq!(unchanged(&mut self.bob, create), SessionCreationError::Replayed);
        }
    }

    fn pickle_and_restore(&mut self) {
        self.bob = Account::restored(&self.bob.snapshot());
    }
}

fn fallback_bundle(bob: &Account) -> PreKeyBundle {
    let (_, key) = bob.signed_fallback_key().unwrap();
    PreKeyBundle::verify(bob.identity_keys(), &key).unwrap()
}

/// `trues`, then `falses`.
fn flags(trues: usize, falses: usize) -> Vec<bool> {
    [vec![true; trues], vec![false; falses]].concat()
}

/// S-42: one greedy sender and 1,500 others use one fallback key. Nobody is refused; the greedy one
/// fills its share and nothing else; everybody whom the memory has room for is protected against
/// replays, also after pickling and when the key was replaced; whoever is not is told.
#[test]
fn s_42_a_greedy_sender_and_1500_others() {
    let mut world = World::new(1);
    let empty = world.bob.snapshot().len();
    let greedy = world.firsts(2_000);
    assert_eq!(world.accepted(&greedy), flags(SHARE, 2_000 - SHARE));
    let others = world.senders(1_500);
    let remembered = DEFAULT - SHARE;
    assert_eq!(world.accepted(&others), flags(remembered, 1_500 - remembered));

    // The size of a full memory: 6 bytes for each session, in base64.
    let full = world.bob.snapshot().len();
    assert_eq!((full - empty).next_multiple_of(4), DEFAULT * 8);

    for replaced in [false, true] {
        world.pickle_and_restore();
        world.replayed(greedy[..SHARE].iter().chain(&others[..remembered]).step_by(50));
        world.replayed([&greedy[SHARE - 1], &others[remembered - 1]]);
        // Those that are not remembered can be replayed, and are never said to be the first.
        let again = [&greedy[SHARE], &greedy[1_999], &others[remembered], &others[1_499]];
        for first in again {
            assert!(!world.receive(first).unwrap().replay_excluded);
        }
        // So are new sessions of old and new senders, for good.
        let new = world.senders(3);
        assert_eq!(world.accepted(&new), [false; 3]);
        if !replaced {
            world.bob.generate_fallback_key_with_rng(&mut world.rng).unwrap();
        }
    }

    // The key that replaced it has an empty memory.
    world.bundle = fallback_bundle(&world.bob);
    let new = world.senders(3);
    assert_eq!(world.accepted(&new), [true; 3]);
    world.replayed(&new);
}

/// S-42: what a sender sends beyond its share costs nobody else anything: neither their protection
/// nor the flag that says so.
#[test]
fn s_42_a_share_is_the_senders_own() {
    let mut world = World::new(2);
    let honest = world.account();
    let before: Vec<_> = (0..3).map(|_| world.first(&honest)).collect();
    assert_eq!(world.accepted(&before), [true; 3]);
    let greedy = world.firsts(100);
    assert_eq!(world.accepted(&greedy), flags(SHARE, 100 - SHARE));
    world.pickle_and_restore();
    let after: Vec<_> = (3..SHARE + 1).map(|_| world.first(&honest)).collect();
    assert_eq!(world.accepted(&after), flags(SHARE - 3, 1));
    world.replayed(before.iter().chain(&after[..SHARE - 3]));
    let (beyond, new) = (&after[SHARE - 3], world.senders(1));
    assert!(!world.receive(beyond).unwrap().replay_excluded);
    assert_eq!(world.accepted(&new), [true]);
}

/// S-42: a raised memory remembers more. Raised too late it remembers from then on, but what did
/// not fit before can be replayed, so no session of that key is said to be the first any more.
#[test]
fn s_42_the_memory_can_be_raised() {
    let mut raised = World::new(3);
    raised.bob.set_fallback_memory(2_000);
    raised.pickle_and_restore();
    assert_eq!(raised.bob.fallback_memory(), 2_000);
    let senders = raised.senders(1_500);
    assert_eq!(raised.accepted(&senders), [true; 1_500]);
    // Lowering it forgets nothing.
    raised.bob.set_fallback_memory(0);
    assert_eq!(raised.bob.fallback_memory(), Account::DEFAULT_FALLBACK_MEMORY);
    raised.pickle_and_restore();
    raised.replayed(senders.iter().step_by(100).chain(senders.last()));
    let new = raised.senders(2);
    assert_eq!(raised.accepted(&new), [false; 2]);

    raised.bob.set_fallback_memory(u32::MAX);
    assert_eq!(raised.bob.fallback_memory(), Account::MAX_FALLBACK_MEMORY);
    raised.pickle_and_restore();
    assert_eq!(raised.accepted(&new), [false; 2]);
    raised.replayed(&new);
    raised.bob.generate_fallback_key_with_rng(&mut raised.rng).unwrap();
    raised.bundle = fallback_bundle(&raised.bob);
    let new = raised.senders(2);
    assert_eq!(raised.accepted(&new), [true; 2]);
}

/// S-35: a number that changes is a change, one that stays is none.
#[test]
fn s_35_raising_the_memory_is_a_change() {
    let mut bob = World::new(4).bob;
    for (sessions, kept, changes) in [
        (0, 1_024, 0),
        (1_024, 1_024, 0),
        (1_025, 1_025, 1),
        (65_536, 65_536, 1),
        (u32::MAX, 65_536, 0),
        (65_535, 65_535, 1),
    ] {
        let before = bob.generation();
        bob.set_fallback_memory(sessions);
        assert_eq!(bob.fallback_memory(), kept);
        assert_eq!(bob.generation() - before, changes, "{sessions}");
    }
}

/// S-42: a one-time key makes one session, whatever the fallback keys remember.
#[test]
fn s_42_one_time_keys_exclude_replays() {
    let mut devices = Devices::new(5);
    let bundle = devices.one_time_bundle();
    let (_, message) = devices.outbound(&bundle, MessageVersion::V3);
    let sender = devices.alice.curve25519_key();
    assert!(devices.bob.create_inbound_session(sender, &message).unwrap().replay_excluded);
}

/// S-04, S-42: whoever cannot make an authentic message uses up nothing of the memory.
#[test]
fn s_42_a_forged_message_is_not_remembered() {
    let mut world = World::new(6);
    let sender = world.account();
    let First { sender, message } = world.first(&sender);
    let mut forged = message.as_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = PreKeyMessage::from_bytes(&forged).unwrap();
    let error = unchanged(&mut world.bob, |bob| bob.create_inbound_session(sender, &forged));
    assert_eq!(error, SessionCreationError::Decryption(DecryptionError::Authentication));
    assert_eq!(world.accepted(&[First { sender, message }]), [true]);
}

/// The account after it was somewhere else, with a name.
type Format = (&'static str, fn(&Account) -> Account);

fn formats() -> Vec<Format> {
    vec![
        ("libolm", |account| {
            let (pickle, _) = account.to_libolm_pickle_lossy(libolm_pickle::KEY).unwrap();
            Account::from_libolm_pickle(&pickle, libolm_pickle::KEY).unwrap()
        }),
        ("vodozemac", |account| {
            Account::from_vodozemac_pickle(account.to_vodozemac_pickle_lossy().unwrap().0).unwrap()
        }),
        ("dehydrated device", |account| {
            let key = PickleKey::from_bytes([7; 32]);
            let (device, _) = account.dehydrate_lossy(&key).unwrap();
            Account::rehydrate(&device, &key).unwrap()
        }),
    ]
}

/// S-42: no other format holds the memory. A key that comes from one accepts every first message,
/// never says that it is the first, and recognizes replays of what it accepts from then on, also
/// after pickling. The next key knows all again.
#[test]
fn s_42_keys_from_formats_without_a_memory() {
    for (format, move_through) in formats() {
        let mut world = World::new(7);
        let before = world.senders(2);
        assert_eq!(world.accepted(&before), [true; 2], "{format}");
        world.bob = move_through(&world.bob);
        assert_eq!(world.accepted(&before), [false; 2], "{format}");
        world.replayed(&before);
        let (greedy, new) = (world.firsts(SHARE + 10), world.senders(2));
        assert_eq!(world.accepted(&greedy), flags(0, SHARE + 10), "{format}");
        assert_eq!(world.accepted(&new), [false; 2], "{format}");
        for replaced in [false, true] {
            world.pickle_and_restore();
            world.replayed(before.iter().chain(&greedy[..SHARE]).chain(&new));
            assert!(!world.receive(&greedy[SHARE]).unwrap().replay_excluded, "{format}");
            if !replaced {
                world.bob.generate_fallback_key_with_rng(&mut world.rng).unwrap();
            }
        }
        world.bundle = fallback_bundle(&world.bob);
        let new = world.senders(2);
        assert_eq!(world.accepted(&new), [true; 2], "{format}");
    }
}

/// S-42: also the previous fallback key of an account that was moved has no memory.
#[test]
fn s_42_previous_keys_from_formats_without_a_memory() {
    for (format, move_through) in formats().into_iter().filter(|(name, _)| !name.contains(' ')) {
        let mut world = World::new(8);
        let first = world.senders(1);
        assert_eq!(world.accepted(&first), [true]);
        world.bob.generate_fallback_key_with_rng(&mut world.rng).unwrap();
        world.bob = move_through(&world.bob);
        assert_eq!(world.accepted(&first), [false], "{format}");
        world.replayed(&first);
    }
}

/// S-41: a raised memory is a limit that no other format holds, and each conversion names it.
#[test]
fn s_41_a_raised_memory_is_named() {
    let mut bob = World::new(9).bob;
    let key = PickleKey::from_bytes([7; 32]);
    for (sessions, lost) in [(1_024, false), (1_025, true), (0, false)] {
        bob.set_fallback_memory(sessions);
        assert_eq!(bob.to_libolm_pickle_lossy(libolm_pickle::KEY).unwrap().1.limits, lost);
        assert_eq!(bob.dehydrate_lossy(&key).unwrap().1.limits, lost);
        assert_eq!(bob.to_vodozemac_pickle_lossy().unwrap().1.limits, lost);
    }
}

/// What a fallback key has to remember, by the rules as they are documented.
#[derive(Clone, Default)]
struct Model {
    /// Number of the sender and number of its message.
    recorded: Vec<(usize, usize)>,
    overflowed: bool,
}

impl Model {
    /// What receiving the message says: a replay is `None`.
    fn receive(&mut self, message: (usize, usize), memory: usize) -> Option<bool> {
        let of_sender = self.recorded.iter().filter(|(sender, _)| *sender == message.0).count();
        if self.recorded.contains(&message) {
            return None;
        } else if of_sender >= SHARE {
            return Some(false);
        } else if self.recorded.len() >= memory {
            self.overflowed = true;
            return Some(false);
        }
        self.recorded.push(message);
        Some(!self.overflowed)
    }
}

/// S-08, S-42: whatever arrives, again and again, in whatever order, between pickles, new keys and
/// raised bounds: what is accepted, refused and said is what the rules say. The senders are so few
/// that most fill their share, and the memory is nearly full from the beginning.
#[test]
fn s_42_the_memory_follows_its_rules() {
    let mut world = World::new(10);
    let filling = world.senders(DEFAULT - 100);
    let mut memory = DEFAULT;
    let mut current = Model::default();
    assert_eq!(world.accepted(&filling), vec![true; DEFAULT - 100]);
    // Each of these senders stands for itself alone.
    current.recorded.extend((0..filling.len()).map(|place| (1_000 + place, 0)));
    let senders: Vec<_> = (0..5).map(|_| world.account()).collect();
    let mut previous: Option<(PreKeyBundle, Model)> = None;
    let mut sent: Vec<(bool, (usize, usize), First)> = Vec::new();
    for step in 0..1_500 {
        match world.rng.below(100) {
            0 => world.pickle_and_restore(),
            1 if step > 900 => {
                memory += 20;
                world.bob.set_fallback_memory(memory as u32);
            }
            2 if step > 1_200 && previous.is_none() => {
                world.bob.generate_fallback_key_with_rng(&mut world.rng).unwrap();
                let old = std::mem::replace(&mut world.bundle, fallback_bundle(&world.bob));
                previous = Some((old, std::mem::take(&mut current)));
                sent.iter_mut().for_each(|(is_current, ..)| *is_current = false);
            }
            3..30 if !sent.is_empty() => {
                let place = world.rng.below(sent.len());
                let (is_current, number, first) = &sent[place];
                let model =
                    if *is_current { &mut current } else { &mut previous.as_mut().unwrap().1 };
                let expected = model.receive(*number, memory);
                assert_eq!(said(&mut world.bob, first), expected, "step {step}");
            }
            _ => {
                // The first sender sends as much as all others.
                let sender = world.rng.below(10).saturating_sub(5);
                let (first, number) = (world.first(&senders[sender]), (sender, step));
                assert_eq!(
                    said(&mut world.bob, &first),
                    current.receive(number, memory),
                    "step {step}"
                );
                sent.push((true, number, first));
            }
        }
    }
    let (_, previous) = previous.unwrap();
    assert!(
        previous.overflowed && previous.recorded.len() > DEFAULT && !current.recorded.is_empty()
    );
}

/// What receiving a first message says: `replay_excluded`, or `None` for a replay.
fn said(bob: &mut Account, first: &First) -> Option<bool> {
    match bob.create_inbound_session(first.sender, &first.message) {
        Ok(created) => Some(created.replay_excluded),
        Err(error) => {
            assert_eq!(error, SessionCreationError::Replayed);
            None
        }
    }
}
