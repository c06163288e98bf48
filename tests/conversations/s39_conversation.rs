//! S-39, S-04, S-22: in any conversation over any network, the library does what the specification
//! says within its limits, and a refused message changes nothing.

use moceril::olm::{DecryptionError, SessionCreationError};
use moceril_testing::{
    conversation::{EVENT_LENGTH, Event, How, Outcome, Setup, Who, converse, events, run},
    rng::SeededRng,
};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use Who::{Alice, Bob};

/// Every kind of setup.
fn setups() -> [Setup; 8] {
    [0, 1, 2, 3, 4, 5, 6, 7].map(|flags| Setup::from_bytes([flags, flags]))
}

/// Has random conversations; one that fails is shown in its shortest form.
fn random_conversations(seed: u8, cases: u32, length: usize) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let list = vec(any::<[u8; EVENT_LENGTH]>(), 0..length).prop_map(|all| events(&all.concat()));
    let setup = any::<[u8; 2]>().prop_map(Setup::from_bytes);
    TestRunner::new_with_rng(config, rng)
        .run(&(setup, list), |(setup, events)| {
            converse(setup, &events);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("with seed {seed}: {error}"));
}

/// S-39, S-04, S-22: random conversations of up to 150 events go as the textbook says.
#[test]
fn random_conversations_go_as_the_textbook_says() {
    random_conversations(1, 80, 150);
}

/// S-39, S-05: so do many short ones, in which more happens before Bob has his session.
#[test]
fn random_beginnings_go_as_the_textbook_says() {
    random_conversations(2, 200, 20);
}

/// S-39: storing and restoring both devices after each event makes no difference.
#[test]
fn pickling_at_every_step_makes_no_difference() {
    for (seed, setup) in (0..).zip(setups()) {
        let mut rng = SeededRng::new(seed);
        let events = events(&rng.bytes::<{ 60 * EVENT_LENGTH }>());
        let pickling =
            |event: &Event| [*event, Event::Pickle { who: Alice }, Event::Pickle { who: Bob }];
        let pickled: Vec<Event> = events.iter().flat_map(pickling).collect();
        assert_eq!(converse(setup, &pickled), converse(setup, &events), "seed {seed}");
    }
}

/// S-39: any bytes are a conversation, so that a fuzzer can write them.
#[test]
fn any_bytes_are_a_conversation() {
    for length in 0..20 {
        run(&vec![0; length]);
        run(&vec![0xFF; length]);
    }
    let kinds: Vec<u8> = (0..=255).flat_map(|byte| [0, 0, 9, 1, byte, byte, byte, byte]).collect();
    run(&kinds);
}

fn send_and_receive(who: Who, place: u8) -> [Event; 2] {
    [Event::Send { who, length: 30 }, Event::Receive { which: place }]
}

fn plaintexts(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Plaintext(_))).count()
}

fn refusals(outcomes: &[Outcome], error: DecryptionError) -> usize {
    outcomes.iter().filter(|outcome| **outcome == Outcome::Refused(error)).count()
}

/// S-39: an orderly conversation stays understood for twenty turns of the ratchet.
#[test]
fn twenty_turns_of_the_ratchet() {
    for setup in setups() {
        let turn = [send_and_receive(Alice, 0), send_and_receive(Bob, 0)].concat();
        assert_eq!(plaintexts(&converse(setup, &turn.repeat(10))), 20);
    }
}

/// S-22: late messages of the last five chains (seven when that limit is raised so) decrypt. Those
/// of the sixteen chains before are known to be lost, and those of even older ones are like
/// messages of a stranger.
#[test]
fn late_messages_of_old_chains() {
    for setup in setups() {
        // In each turn Alice sends a message that gets stuck, and one that arrives.
        let stuck = Event::Send { who: Alice, length: 5 };
        let turn = |place: u8| {
            let [arrives, reply] = [Alice, Bob].map(|who| send_and_receive(who, place + 1));
            [&[stuck][..], &arrives, &reply].concat()
        };
        let outcomes = converse(setup, &(0..30).flat_map(turn).collect::<Vec<_>>());
        let late = &outcomes[60..];
        let kept = if setup.raised_limits { 7 } else { 5 };
        assert_eq!(late.len(), 30);
        assert_eq!(plaintexts(&late[30 - kept..]), kept);
        assert_eq!(refusals(&late[14 - kept..30 - kept], DecryptionError::Evicted), 16);
        let strangers = &late[..14 - kept];
        assert_eq!(refusals(strangers, DecryptionError::Authentication), strangers.len());
    }
}

/// S-22: the forty newest messages (64 when that limit is raised so) that others have overtaken
/// still decrypt, each once. Older ones are known to be lost, whether one message overtook them all
/// or several did, one after the other.
#[test]
fn messages_that_were_overtaken() {
    for setup in setups() {
        let kept: u8 = if setup.raised_limits { 64 } else { 40 };
        let last = kept + 5;
        for (overtaking, lost) in [(&[last][..], 5), (&[10, last - 1], 4)] {
            let send = Event::Send { who: Alice, length: 1 };
            let mut events = vec![send; usize::from(last) + 1];
            events.extend(overtaking.iter().map(|which| Event::Receive { which: *which }));
            let late = events.len() - 2 * overtaking.len();
            events.extend((0..u8::try_from(late).unwrap()).map(|which| Event::Duplicate { which }));
            let outcomes = converse(setup, &events);

            let (overtaken, again) = outcomes[overtaking.len()..].split_at(late);
            for outcomes in [overtaken, again] {
                assert_eq!(refusals(&outcomes[..lost], DecryptionError::Evicted), lost);
            }
            assert_eq!(plaintexts(&overtaken[lost..]), usize::from(kept));
            assert_eq!(refusals(&again[lost..], DecryptionError::AlreadyUsed), usize::from(kept));
        }
    }
}

/// S-22: a message may be 2,000 ahead (2,500 when that limit is raised so) and not one more: in the
/// first chain before and after Bob has his session, and in a chain that the message begins.
#[test]
fn messages_that_are_far_ahead() {
    for setup in [setups()[0], setups()[7]] {
        let gap: u16 = if setup.raised_limits { 2_500 } else { 2_000 };
        let first = send_and_receive(Alice, 0).to_vec();
        for (before, who, next) in [(&[][..], Alice, 0), (&first, Alice, 1), (&first, Bob, 0)] {
            let after_losing = |count| {
                let lost = Event::Lose { who, count };
                let events = [before, &[lost], &send_and_receive(who, 0)].concat();
                converse(setup, &events).pop().unwrap()
            };
            assert!(matches!(after_losing(gap), Outcome::Plaintext(_)));

            let maximum = next + u32::from(gap);
            let refusal = DecryptionError::TooFarAhead { index: maximum + 1, maximum };
            let expected = if before.is_empty() {
                Outcome::NotCreated(SessionCreationError::Decryption(refusal))
            } else {
                Outcome::Refused(refusal)
            };
            assert_eq!(after_losing(gap + 1), expected);
        }
    }
}

/// S-04, S-39: forgeries of every kind, of messages of both types, at every stage of a session.
#[test]
fn forgeries_at_every_stage() {
    let each = |kind: fn(u16) -> How, numbers: std::ops::Range<u16>| numbers.map(kind);
    // Bits and lengths in steps that are no multiple of a byte or block.
    let hows: Vec<How> = (0..2_500_u16)
        .step_by(67)
        .map(How::FlipBit)
        .chain((0..300).step_by(37).map(How::Truncate))
        .chain(each(How::Extend, 0..8))
        .chain(each(How::SwapBodies, 0..3))
        .chain(each(How::RatchetKey, 0..2))
        .chain(each(How::Index, 0..10))
        .chain(each(How::OuterKey, 0..3))
        .chain(each(How::OtherSession, 0..3))
        // The last two are accepted, by who has a session to decrypt with.
        .chain([How::OtherType, How::Reflect, How::Unwrap, How::WrapMore])
        .collect();
    for setup in [setups()[0], setups()[3]] {
        let stages = [
            // Before Bob has his session; when only he has received; when Alice has, too; after
            // another turn.
            vec![],
            send_and_receive(Alice, 0).to_vec(),
            [Alice, Bob].map(|who| send_and_receive(who, 0)).concat(),
            [Alice, Bob, Alice].map(|who| send_and_receive(who, 0)).concat(),
        ];
        for mut events in stages {
            events.extend([Alice, Bob, Alice].map(|who| Event::Send { who, length: 20 }));
            let forge = |how| [0, 1, 2].map(|which| Event::Forge { which, how });
            events.extend(hows.iter().copied().flat_map(forge));
            converse(setup, &events);
        }
    }
}
