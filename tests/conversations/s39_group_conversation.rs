//! S-39, S-04, S-43: in any group conversation the library does what the specification says, and a
//! refused message changes nothing.

use moceril::MessageVersion;
use moceril::megolm::DecryptionError;
use moceril_testing::group_conversation::{
    DISTANCES, EVENT_LENGTH, Event, How, Outcome, STARTS, Setup, converse, events, run,
};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Every kind of setup.
fn setups() -> impl Iterator<Item = Setup> {
    (0..10).map(|choices| Setup::from_bytes([choices, choices]))
}

/// S-39, S-04: random group conversations of up to 100 events go as the textbook says. One that
/// fails is shown in its shortest form.
#[test]
fn random_groups_go_as_the_textbook_says() {
    let config = Config { cases: 100, failure_persistence: None, ..Config::default() };
    let seed = [1; 32];
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let list = vec(any::<[u8; EVENT_LENGTH]>(), 0..100).prop_map(|all| events(&all.concat()));
    let setup = any::<[u8; 2]>().prop_map(Setup::from_bytes);
    TestRunner::new_with_rng(config, rng)
        .run(&(setup, list), |(setup, events)| {
            converse(setup, &events);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("with seed {seed:?}: {error}"));
}

/// S-39: any bytes are a group conversation, so that a fuzzer can write them.
#[test]
fn any_bytes_are_a_group_conversation() {
    for length in 0..20 {
        run(&vec![0; length]);
        run(&vec![0xFF; length]);
    }
}

/// S-39: whoever joins at any index, by a signed or an exported key, reads every message from that
/// index on, in any order and repeatedly, and learns of every older one that it is older. The
/// messages are on both sides of every place where a part of the ratchet is renewed.
#[test]
fn members_read_from_their_index_on() {
    for setup in setups() {
        let mut events = vec![Event::Join];
        for _ in 0..5 {
            events.push(Event::Send { length: 7 });
        }
        events.extend([Event::Lose { count: 3 }, Event::Join]);
        events.extend([0, 1, 2].map(|distance| Event::Export { from: 0, distance }));
        for _ in 0..3 {
            events.push(Event::Send { length: 40 });
        }
        let sent = 8;
        let orders: [fn(u8) -> u8; 3] = [|n| n, |n| 7 - n, |n| n * 5 % 8];
        for who in 0..5 {
            for which in orders.into_iter().flat_map(|order| (0..sent).map(order)) {
                events.push(Event::Receive { who, which });
            }
        }
        let outcomes = converse(setup, &events);

        let plaintexts = |member: &[Outcome]| {
            member.iter().filter(|outcome| matches!(outcome, Outcome::Plaintext { .. })).count()
        };
        let read: Vec<usize> = outcomes.chunks(24).map(plaintexts).collect();
        assert_eq!(read, [8, 3, 8, 7, 6].map(|messages| 3 * messages), "{setup:?}");
        let older =
            DecryptionError::UnknownIndex { index: setup.start, first_known: setup.start + 8 };
        assert_eq!(outcomes[24], Outcome::Refused(older));
    }
}

/// S-11: the last index is used, and then none.
#[test]
fn the_last_message_is_the_last() {
    for version in [MessageVersion::V3, MessageVersion::V4] {
        let setup = Setup { version, start: STARTS[4], seed: 0 };
        let events = [Event::Join, Event::Lose { count: 10 }, Event::Send { length: 1 }];
        let more = [Event::Pickle { who: 1 }, Event::Send { length: 1 }];
        let receive = [Event::Receive { who: 0, which: 255 }];
        let outcomes = converse(setup, &[&events[..], &more, &receive].concat());
        let Outcome::Plaintext { index, .. } = outcomes[0] else { panic!("{outcomes:?}") };
        assert_eq!(index, u32::MAX);
    }
}

/// S-20, S-21, S-04: forgetting and merging at all distances, with forgeries of every kind in
/// between.
#[test]
fn forgeries_of_every_kind_and_sessions_at_all_distances() {
    let hows: Vec<How> = [How::OtherSigner, How::Mac, How::Version]
        .into_iter()
        .chain((0..1_400).step_by(67).map(How::FlipBit))
        .chain((0..170).step_by(19).map(How::Truncate))
        .chain((0..10).map(How::Extend))
        .chain((0..10).map(How::Index))
        .chain((0..3).map(How::SwapBodies))
        .collect();
    for setup in setups() {
        let mut events = vec![Event::Join, Event::Export { from: 0, distance: 1 }];
        events.extend([Event::Send { length: 0 }; 3]);
        let forge = |how| [0, 1].map(|who| Event::Forge { who, which: 1, how });
        events.extend(hows.iter().copied().flat_map(forge));
        for distance in DISTANCES {
            events.push(Event::Export { from: 1, distance });
            events.push(Event::Receive { who: 2, which: 2 });
            let receive = Event::Receive { who: 1, which: 2 };
            events.extend([receive, Event::Advance { who: 1, distance }, receive]);
            events.extend([0, 1, 2, 3].map(|other| Event::Merge { who: 1, other }));
        }
        converse(setup, &events);
    }
}
