//! S-22: how much an Olm session remembers for late messages, and what it says about those that it
//! can no longer read: exactly the predicted messages fail, each with the predicted error.

use std::collections::BTreeSet;

use moceril::olm::{DecryptionError, Limits, OlmMessage, Session, SessionConfig};
use moceril_testing::{fixtures::VERSIONS, pickled::Pickled, rng::SeededRng, states};

const SKIPPED: u32 = 40;
const AHEAD: u32 = 2_000;
const CHAINS: usize = 5;
const REMEMBERED: usize = 16;

fn config(limits: Limits) -> SessionConfig {
    SessionConfig::default().with_version(VERSIONS[0]).with_limits(limits)
}

/// Bob's session with Alice, and her next messages in the chain whose first message, index 0, he
/// has decrypted: the message at place `n` has the index `n + 1`.
fn one_chain(limits: Limits, messages: u32, rng: &mut SeededRng) -> (Session, Vec<OlmMessage>) {
    let (mut alice, bob) = states::pair(config(limits), rng);
    let write = |number: u32| alice.encrypt_with_rng(number.to_be_bytes(), rng).unwrap();
    (bob, (1..=messages).map(write).collect())
}

fn shuffle<T>(items: &mut [T], rng: &mut SeededRng) {
    for end in (1..items.len()).rev() {
        items.swap(end, rng.below(end + 1));
    }
}

/// One chain of a receiver, by the rules of the documentation.
struct Model {
    limits: Limits,
    next: u32,
    skipped: BTreeSet<u32>,
    evicted_below: u32,
}

impl Model {
    fn receive(&mut self, index: u32) -> Result<(), DecryptionError> {
        let maximum = self.next + self.limits.message_gap();
        if index > maximum {
            return Err(DecryptionError::TooFarAhead { index, maximum });
        }
        if index < self.next {
            return match self.skipped.remove(&index) {
                true => Ok(()),
                false if index < self.evicted_below => Err(DecryptionError::Evicted),
                false => Err(DecryptionError::AlreadyUsed),
            };
        }
        self.skipped.extend(self.next..index);
        self.next = index + 1;
        while self.skipped.len() > self.limits.skipped_keys() as usize {
            self.evicted_below = self.skipped.pop_first().unwrap() + 1;
        }
        Ok(())
    }
}

/// The constants are what S-22 asks for.
#[test]
fn s_22_the_default_limits_are_the_promised_ones() {
    let limits = Limits::default();
    let values = (limits.skipped_keys(), limits.message_gap(), limits.receiver_chains());
    assert_eq!(values, (SKIPPED, AHEAD, CHAINS as u32));
    assert_eq!(Limits::REMEMBERED_CHAINS, REMEMBERED);
}

/// Messages of one chain in random order: those decrypt and fail that a model of the limits names,
/// each with the error it names, also when the session is pickled now and then.
#[test]
fn s_22_exactly_the_predicted_messages_fail() {
    let raised = Limits::default().with_skipped_keys(100).with_message_gap(2_050);
    let mut outcomes = [0; 4];
    for (seed, limits) in [(1, Limits::default()), (2, Limits::default()), (3, raised)] {
        let rng = &mut SeededRng::new(seed);
        let (mut bob, messages) = one_chain(limits, 4_000, rng);
        let mut model = Model { limits, next: 1, skipped: BTreeSet::new(), evicted_below: 0 };
        let mut around = 0;
        for step in 0..400 {
            around += rng.below(8) as u32;
            let index = match rng.below(10) {
                0 => model.next + limits.message_gap() + 1 + rng.below(50) as u32,
                1..3 => around.saturating_sub(rng.below(120) as u32).max(1),
                _ => around + 1 + rng.below(30) as u32,
            };
            let expected = model.receive(index);
            let decrypted =
                bob.decrypt(&messages[index as usize - 1]).map(|message| message.into_plaintext());
            let plaintext = index.to_be_bytes().to_vec();
            assert_eq!(decrypted, expected.map(|()| plaintext), "seed {seed}, index {index}");
            outcomes[match expected {
                Ok(()) => 0,
                Err(DecryptionError::AlreadyUsed) => 1,
                Err(DecryptionError::Evicted) => 2,
                Err(_) => 3,
            }] += 1;
            if step % 50 == 0 {
                bob = bob.copy();
            }
        }
    }
    assert!(outcomes.iter().all(|count| *count > 10), "{outcomes:?}");
}

/// Of a gap, the newest 40 keys are kept; the older ones are lost, and say so.
#[test]
fn s_22_forty_skipped_keys_are_kept() {
    let (bob, messages) = one_chain(Limits::default(), 60, &mut SeededRng::new(4));
    for last in [40, 41, 42, 59] {
        let mut bob = bob.copy();
        bob.decrypt(&messages[last]).unwrap();
        for (place, message) in messages[..last].iter().enumerate() {
            let expected = match last - place {
                1..=40 => Ok(()),
                _ => Err(DecryptionError::Evicted),
            };
            assert_eq!(bob.decrypt(message).map(drop), expected, "{place} of {last}");
        }
    }
}

/// A message 2,000 ahead decrypts and one 2,001 ahead does not, in a chain in use and in a new one.
#[test]
fn s_22_two_thousand_messages_ahead_is_the_end() {
    let rng = &mut SeededRng::new(5);
    // The chain's next index is 1, and the message at place n has the index n + 1.
    let (bob, messages) = one_chain(Limits::default(), AHEAD + 2, rng);
    let maximum = AHEAD + 1;
    let index = AHEAD + 2;
    let too_far = Err(DecryptionError::TooFarAhead { index, maximum });
    let mut in_use = bob.copy();
    assert_eq!(in_use.decrypt(&messages[AHEAD as usize + 1]).map(drop), too_far);
    assert!(in_use.decrypt(&messages[AHEAD as usize]).is_ok());
    assert!(in_use.decrypt(&messages[AHEAD as usize + 1]).is_ok());

    let (mut alice, mut bob) = states::pair(config(Limits::default()), rng);
    let reply = bob.encrypt_with_rng(b"reply", rng).unwrap();
    alice.decrypt(&reply).unwrap();
    let write = |_| alice.encrypt_with_rng(b"new chain", rng).unwrap();
    let messages: Vec<_> = (0..AHEAD + 2).map(write).collect();
    let index = AHEAD + 1;
    let too_far = Err(DecryptionError::TooFarAhead { index, maximum: AHEAD });
    assert_eq!(bob.decrypt(&messages[index as usize]).map(drop), too_far);
    assert!(bob.decrypt(&messages[AHEAD as usize]).is_ok());
    assert!(bob.decrypt(&messages[index as usize]).is_ok());
}

/// Under raised limits, 2,000 messages in random order all decrypt, each once.
#[test]
fn s_22_raised_limits_let_every_message_decrypt() {
    let rng = &mut SeededRng::new(6);
    let limits = Limits::default().with_skipped_keys(2_000);
    let (bob, messages) = one_chain(limits, 2_000, rng);
    let mut bob = bob.copy();
    let mut order: Vec<_> = messages.iter().enumerate().collect();
    shuffle(&mut order, rng);
    for (place, message) in order {
        let plaintext = bob.decrypt(message).unwrap().into_plaintext();
        assert_eq!(plaintext, (place as u32 + 1).to_be_bytes());
        assert_eq!(bob.decrypt(message), Err(DecryptionError::AlreadyUsed));
    }
}

/// Bob after `turns` chains of Alice, of each of which the first message is still on the way. The
/// last one is the newest.
fn many_chains(limits: Limits, turns: usize, rng: &mut SeededRng) -> (Session, Vec<OlmMessage>) {
    let (mut alice, mut bob) = states::pair(config(limits), rng);
    let mut late = Vec::new();
    for _ in 0..turns {
        states::turn(&mut bob, &mut alice, 1, rng);
        late.extend(states::turn(&mut alice, &mut bob, 2, rng));
    }
    (bob, late)
}

/// Late messages of the newest chains decrypt; those of the 16 chains before are known to be lost;
/// what is older still cannot be told from a forgery.
#[test]
fn s_22_five_chains_are_kept_and_sixteen_remembered() {
    let rng = &mut SeededRng::new(7);
    let raised = Limits::default().with_receiver_chains(8);
    for (limits, kept) in [(Limits::default(), CHAINS), (raised, 8)] {
        let (bob, late) = many_chains(limits, 30, rng);
        // The answer is the same whether or not Bob has a chain of his own.
        for answers in [false, true] {
            let mut bob = bob.copy();
            if answers {
                bob.encrypt_with_rng(b"reply", rng).unwrap();
            }
            for (age, message) in late.iter().rev().enumerate() {
                let expected = match age {
                    _ if age < kept => Ok(()),
                    _ if age < kept + REMEMBERED => Err(DecryptionError::Evicted),
                    _ => Err(DecryptionError::Authentication),
                };
                assert_eq!(bob.decrypt(message).map(drop), expected, "{age} chains ago");
            }
        }
    }
}

/// With the limit raised to its maximum, 250 chains are kept.
#[test]
fn s_22_the_number_of_chains_can_be_raised() {
    let limits = Limits::default().with_receiver_chains(Limits::MAX_RECEIVER_CHAINS);
    let (mut bob, mut late) = many_chains(limits, 250, &mut SeededRng::new(8));
    shuffle(&mut late, &mut SeededRng::new(9));
    for message in &late {
        assert!(bob.decrypt(message).is_ok());
    }
}

/// Limits are clamped to their range, one by one, and survive pickling.
#[test]
fn s_22_limits_are_clamped_and_pickled() {
    let values =
        |limits: &Limits| [limits.skipped_keys(), limits.message_gap(), limits.receiver_chains()];
    let raise = |skipped, gap, chains| {
        Limits::default()
            .with_skipped_keys(skipped)
            .with_message_gap(gap)
            .with_receiver_chains(chains)
    };
    for (asked, expected) in [
        ([0, 0, 0], [40, 2_000, 5]),
        ([39, 1_999, 4], [40, 2_000, 5]),
        ([41, 2_001, 6], [41, 2_001, 6]),
        ([65_536, 65_536, 255], [65_536, 65_536, 255]),
        ([65_537, 65_537, 256], [65_536, 65_536, 255]),
        ([u32::MAX; 3], [65_536, 65_536, 255]),
        ([100, 0, 0], [100, 2_000, 5]),
        ([0, 3_000, 0], [40, 3_000, 5]),
        ([0, 0, 7], [40, 2_000, 7]),
    ] {
        let limits = raise(asked[0], asked[1], asked[2]);
        assert_eq!(values(&limits), expected);
        let (alice, bob) = states::pair(config(limits), &mut SeededRng::new(10));
        for session in [alice, bob] {
            assert_eq!(values(session.limits()), expected);
            assert_eq!(values(session.copy().limits()), expected);
        }
    }
}

/// Nothing is dropped silently: whatever way keys go, they are counted, also in a pickle.
#[test]
fn s_22_evictions_are_counted() {
    let rng = &mut SeededRng::new(9);
    let (mut bob, messages) = one_chain(Limits::default(), 200, rng);
    // The message at place 49 has index 50: indices 1 to 49 are skipped, 40 of them are kept.
    bob.decrypt(&messages[49]).unwrap();
    assert_eq!(bob.evicted_keys(), 9);
    // Indices 51 to 60 join the 40, and as many go.
    bob.decrypt(&messages[60]).unwrap();
    assert_eq!(bob.evicted_keys(), 19);
    bob.decrypt(&messages[59]).unwrap();
    bob.decrypt(&messages[61]).unwrap();
    assert_eq!(bob.copy().evicted_keys(), 19, "messages in order or late evict nothing");

    // The first chain has no late message, and each other one has one: two go with their chains.
    let (bob, _) = many_chains(Limits::default(), CHAINS + 2, rng);
    assert_eq!(bob.evicted_keys(), 2);
    assert_eq!(bob.copy().evicted_keys(), 2);

    // A new chain whose 44th message, index 43, comes first: 43 are skipped, 40 of them are kept.
    let (mut alice, mut bob) = states::pair(config(Limits::default()), rng);
    states::turn(&mut bob, &mut alice, 1, rng);
    let late: Vec<_> = (0..44).map(|_| alice.encrypt_with_rng(b"", rng).unwrap()).collect();
    bob.decrypt(&late[43]).unwrap();
    assert_eq!(bob.evicted_keys(), 3);
}

/// Limits can be raised for a session that has fewer, and lowering them drops the oldest at once.
#[test]
fn s_22_limits_can_be_changed_later() {
    let rng = &mut SeededRng::new(10);
    let (mut bob, messages) = one_chain(Limits::default(), 3_000, rng);
    let raised = Limits::default().with_skipped_keys(2_500).with_message_gap(2_900);
    assert!(matches!(bob.decrypt(&messages[2_500]), Err(DecryptionError::TooFarAhead { .. })));
    bob.set_limits(raised);
    assert_eq!(bob.copy().limits(), &raised);
    bob.decrypt(&messages[2_500]).unwrap();
    bob.decrypt(&messages[1]).unwrap();
    assert_eq!(bob.evicted_keys(), 0);

    // Indices 1 and 3 to 2,500 are kept: all but the last 40 go.
    bob.set_limits(Limits::default());
    assert_eq!(bob.evicted_keys(), 2_499 - u64::from(SKIPPED));
    assert_eq!(bob.decrypt(&messages[0]).unwrap_err(), DecryptionError::Evicted);
    assert_eq!(bob.decrypt(&messages[2_459]).unwrap_err(), DecryptionError::Evicted);
    bob.decrypt(&messages[2_460]).unwrap();

    // A message 2,001 ahead was allowed, and no longer is.
    let (mut bob, messages) = one_chain(raised, AHEAD + 2, rng);
    bob.set_limits(Limits::default());
    let error = bob.decrypt(&messages[AHEAD as usize + 1]).unwrap_err();
    assert!(matches!(error, DecryptionError::TooFarAhead { .. }));

    // The oldest chains go, and what is left can be stored.
    let (mut bob, late) = many_chains(Limits::default().with_receiver_chains(8), 10, rng);
    assert_eq!(bob.evicted_keys(), 2);
    bob.set_limits(Limits::default());
    assert_eq!(bob.evicted_keys(), 5);
    let mut bob = bob.copy();
    for (age, message) in late.iter().rev().enumerate() {
        let expected = if age < CHAINS { Ok(()) } else { Err(DecryptionError::Evicted) };
        assert_eq!(bob.decrypt(message).map(drop), expected, "{age} chains ago");
    }
}
