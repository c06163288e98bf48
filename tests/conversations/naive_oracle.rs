//! Checks of the naive oracle itself: it agrees with itself, with the specification's examples and
//! with libolm's published values.

use moceril_testing::naive::codec::{self, Value};
use moceril_testing::naive::crypto::{hmac, x25519_public};
use moceril_testing::naive::megolm::{
    NaiveGroupError, NaiveGroupSession, Ratchet, by_definition, naive_ratchet, step_by_step,
};
use moceril_testing::naive::olm::{HORIZON, NaiveError, NaiveSession};
use moceril_testing::naive::round::MessageKey;

/// A source of numbers and keys that is the same in every run.
struct Dice(u64);

impl Dice {
    fn key(&mut self) -> [u8; 32] {
        self.0 += 1;
        hmac(b"naive oracle", &self.0.to_be_bytes())
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.key()[0]) % limit
    }
}

type Message = (usize, Vec<u8>);

/// Alice's and Bob's session; Bob got one message.
fn established(version: u8, dice: &mut Dice) -> (NaiveSession, NaiveSession) {
    let (bob_identity, bob_one_time) = (dice.key(), dice.key());
    let mut alice = NaiveSession::outbound(
        version,
        dice.key(),
        x25519_public(&bob_identity),
        x25519_public(&bob_one_time),
        dice.key(),
        dice.key(),
    );
    let (message_type, bytes) = alice.encrypt(b"first", dice.key());
    assert_eq!(message_type, 0);
    let mut bob = NaiveSession::inbound(version, bob_identity, bob_one_time, &bytes).unwrap();
    assert_eq!(bob.keys(), alice.keys());
    assert_eq!(bob.decrypt(message_type, &bytes).unwrap(), b"first");
    (alice, bob)
}

#[test]
fn a_reordered_conversation_decrypts_completely_and_only_once() {
    for version in [3, 4] {
        let mut dice = Dice(0);
        let (alice, bob) = established(version, &mut dice);
        let mut parties = [alice, bob];
        let mut on_the_way: [Vec<(Message, Vec<u8>)>; 2] = [Vec::new(), Vec::new()];
        let mut delivered = 0;

        for turn in 0..600_u32 {
            let party = dice.below(2);
            // Towards the end nobody sends any more, and what is on the way arrives.
            if turn < 300 && dice.below(2) == 0 {
                let plaintext = turn.to_be_bytes().repeat(dice.below(10));
                let message = parties[party].encrypt(&plaintext, dice.key());
                on_the_way[1 - party].push((message, plaintext));
            } else if !on_the_way[party].is_empty() {
                let choice = dice.below(on_the_way[party].len());
                let ((message_type, bytes), plaintext) = on_the_way[party].swap_remove(choice);
                let receiver = &mut parties[party];
                assert_eq!(receiver.decrypt(message_type, &bytes), Ok(plaintext));
                assert_eq!(receiver.decrypt(message_type, &bytes), Err(NaiveError::AlreadyUsed));
                delivered += 1;
            }
        }

        assert!(on_the_way.iter().all(Vec::is_empty));
        assert!(delivered > 100);
        assert!(parties[0].receiving_chains().len() > 5);
        for party in parties {
            for (ratchet_key, next_index) in party.receiving_chains() {
                for index in 0..next_index {
                    let message_key = party.message_key(&ratchet_key, index);
                    assert_eq!(message_key, Some(MessageKey::Used));
                }
                assert_eq!(party.message_key(&ratchet_key, next_index), None);
            }
        }
    }
}

#[test]
fn messages_are_pre_key_messages_until_one_was_received() {
    let mut dice = Dice(1);
    let (mut alice, mut bob) = established(3, &mut dice);
    assert!(!alice.has_received());
    assert_eq!(alice.encrypt(b"second", dice.key()).0, 0);

    assert!(bob.needs_ratchet_secret());
    let (message_type, bytes) = bob.encrypt(b"reply", dice.key());
    assert_eq!(message_type, 1);
    assert!(!bob.needs_ratchet_secret());

    alice.decrypt(message_type, &bytes).unwrap();
    assert!(alice.has_received());
    assert!(alice.needs_ratchet_secret());
    assert_eq!(alice.encrypt(b"third", dice.key()).0, 1);
}

#[test]
fn skipped_message_keys_stay_available() {
    let mut dice = Dice(2);
    let (mut alice, mut bob) = established(3, &mut dice);
    let messages: Vec<Message> = (0..3).map(|n| alice.encrypt(&[n], dice.key())).collect();
    let (ratchet_key, next_index) = bob.receiving_chains()[0];
    assert_eq!(alice.sending_chain(), Some((ratchet_key, 4)));
    assert_eq!(next_index, 1);

    bob.decrypt(messages[2].0, &messages[2].1).unwrap();
    assert_eq!(bob.receiving_chains(), [(ratchet_key, 4)]);
    for (index, available) in [(0, false), (1, true), (2, true), (3, false)] {
        let message_key = bob.message_key(&ratchet_key, index).unwrap();
        assert_eq!(matches!(message_key, MessageKey::Available(_)), available);
    }
    assert_eq!(bob.decrypt(messages[0].0, &messages[0].1), Ok(vec![0]));
}

#[test]
fn a_failed_decrypt_changes_nothing() {
    for version in [3, 4] {
        let mut dice = Dice(3);
        let (mut alice, mut bob) = established(version, &mut dice);
        let (_, reply) = bob.encrypt(b"reply", dice.key());
        let before = alice.clone();

        for position in 0..reply.len() {
            for bit in 0..8 {
                let mut altered = reply.clone();
                altered[position] ^= 1 << bit;
                let error = alice.decrypt(1, &altered).unwrap_err();
                assert!(matches!(error, NaiveError::Format | NaiveError::BadMac));
                assert_eq!(alice, before);
            }
            assert!(alice.decrypt(1, &reply[..position]).is_err());
            assert_eq!(alice, before);
        }
        assert_eq!(alice.decrypt(1, &reply).unwrap(), b"reply");
    }
}

#[test]
fn a_new_chain_needs_a_sender_chain_of_ours() {
    let mut dice = Dice(4);
    let (mut alice, mut bob) = established(3, &mut dice);
    let mut forged = codec::encode_normal(3, &dice.key(), 0, &[0; 16]);
    forged.extend([0; 8]);

    assert_eq!(bob.decrypt(1, &forged), Err(NaiveError::UnknownChain));
    bob.encrypt(b"reply", dice.key());
    assert_eq!(bob.decrypt(1, &forged), Err(NaiveError::BadMac));
    assert_eq!(alice.decrypt(1, &forged), Err(NaiveError::BadMac));
}

#[test]
fn the_other_refusals_are_told_apart() {
    let mut dice = Dice(5);
    let (mut alice, mut bob) = established(3, &mut dice);
    let (_, pre_key) = alice.encrypt(b"second", dice.key());
    let (ratchet_key, next_index) = bob.receiving_chains()[0];

    let mut far = codec::encode_normal(3, &ratchet_key, next_index + HORIZON + 1, &[0; 16]);
    far.extend([0; 8]);
    assert_eq!(bob.decrypt(1, &far), Err(NaiveError::BeyondHorizon));
    assert_eq!(bob.decrypt(2, &pre_key), Err(NaiveError::Format));
    assert_eq!(bob.decrypt(1, &pre_key), Err(NaiveError::Format));

    let stranger = NaiveSession::inbound(3, dice.key(), dice.key(), &pre_key);
    assert_eq!(stranger, Err(NaiveError::UnknownOneTimeKey));
    let other_version = NaiveSession::inbound(4, dice.key(), dice.key(), &pre_key);
    assert_eq!(other_version, Err(NaiveError::Format));
}

#[test]
fn varints_are_as_specified_and_shortest() {
    for (integer, bytes) in [
        (0, &[0x00][..]),
        (0x7F, &[0x7F]),
        (0x80, &[0x80, 0x01]),
        (300, &[0xAC, 0x02]),
        (u32::MAX.into(), &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
        (u64::MAX, &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
    ] {
        assert_eq!(codec::encode_varint(integer), bytes);
        assert_eq!(codec::decode_varint(bytes), Some((integer, &[][..])));
    }
    assert_eq!(codec::decode_varint(&[0x80, 0x00]), None);
    assert_eq!(codec::decode_varint(&[0x80]), None);
    assert_eq!(codec::decode_varint(&[]), None);
    // 2^64, and more bytes than any integer has.
    assert_eq!(codec::decode_varint(&[[0x80; 9].as_slice(), &[0x02]].concat()), None);
    assert_eq!(codec::decode_varint(&[[0xFF; 40].as_slice(), &[0x01]].concat()), None);
}

#[test]
fn fields_come_once_and_unknown_ones_are_skipped() {
    let ratchet_key = [7; 32];
    let message = codec::encode_normal(3, &ratchet_key, 2, b"ciphertext");
    let with = |more: &[u8]| codec::decode_normal(&[&message, more, &[0; 8]].concat());

    assert_eq!(message[..3], [0x03, 0x0A, 0x20]);
    assert_eq!(message[35..39], [0x10, 0x02, 0x22, 0x0A]);
    assert_eq!(with(b"").unwrap().ratchet_key, ratchet_key);
    assert_eq!(with(b"").unwrap().chain_index, 2);
    assert_eq!(with(b"").unwrap().ciphertext, b"ciphertext");
    assert_eq!(with(b"\x28\x05").unwrap().chain_index, 2);
    assert_eq!(with(b"\x32\x01x").unwrap().chain_index, 2);
    assert_eq!(with(b"\x10\x02"), None);
    assert_eq!(with(b"\x35\0\0\0\0"), None);
    assert_eq!(with(b"\x32\x02x"), None);
    assert_eq!(
        codec::decode_fields(b"\x08\x05\x12\x01x"),
        Some(vec![(0x08, Value::Integer(5)), (0x12, Value::String(b"x".to_vec()))])
    );
}

/// "0123456789ABCDEF" eight times, the initial value of libolm's test.
const INITIAL: Ratchet = [*b"0123456789ABCDEF0123456789ABCDEF"; 4];

fn hex(digits: &str) -> [u8; 32] {
    let bytes: Vec<u8> = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect();
    bytes.try_into().unwrap()
}

// The values are those of libolm tests/test_megolm.cpp, "Megolm::advance".
#[test]
fn the_megolm_ratchet_has_libolms_values() {
    let initial_part = INITIAL[0];
    let at_1 = [
        initial_part,
        initial_part,
        initial_part,
        hex("ba9cd955741d1c162323ec825e7c5ce889bbb423a18f23828fb2090d6e2af86a"),
    ];
    let at_0x1000000 = [
        hex("54022d7dc0298e1637e21c97153092f933c056ff74fe1b922d971f2482c2859c"),
        hex("7004c01ee49bd6efe0073525af9b1632c5be726d12349cc5bd472bdc2df6540f"),
        hex("3112591194fda617e568c683101eaecd7eddd6de1fbc0767ae34da1a09a54eab"),
        hex("ba9cd955741d1c162323ec825e7c5ce889bbb423a18f23828fb2090d6e2af86a"),
    ];
    let at_0x1041506 = [
        hex("54022d7dc0298e1637e21c97153092f933c056ff74fe1b922d971f2482c2859c"),
        hex("55588df5b7a48878428927868164589f3663447b51edc3595b036ca604c46dcd"),
        hex("5c54850bfa98a1fd79a9df1cbe8fc5681937d30c85c8c31f7bb828816cf9ff3b"),
        hex("956cbf807e65126a49558d45c84a2e4cd56f03e24416b98e1cfd97c206aa907a"),
    ];

    assert_eq!(step_by_step(INITIAL, 0, 1), at_1);
    assert_eq!(naive_ratchet(INITIAL, 0, 1), at_1);
    assert_eq!(naive_ratchet(INITIAL, 0, 0x0100_0000), at_0x1000000);
    assert_eq!(naive_ratchet(at_1, 1, 0x0100_0000), at_0x1000000);
    assert_eq!(naive_ratchet(INITIAL, 0, 0x0104_1506), at_0x1041506);
    assert_eq!(naive_ratchet(at_0x1000000, 0x0100_0000, 0x0104_1506), at_0x1041506);
    let at_0x1040000 = naive_ratchet(INITIAL, 0, 0x0104_0000);
    assert_eq!(step_by_step(at_0x1040000, 0x0104_0000, 0x0104_1506), at_0x1041506);
}

// The equalities are those of libolm tests/test_megolm.cpp, "Megolm::advance wraparound" and the
// two after it.
#[test]
fn a_megolm_counter_that_overflows_goes_on_as_if_it_were_wider() {
    let last = u64::from(u32::MAX);
    let zero_again = last + 1;

    assert_eq!(
        by_definition(INITIAL, last, zero_again + 0x0100_0000),
        by_definition(INITIAL, 0, 0x0200_0000)
    );
    assert_eq!(by_definition(INITIAL, last, zero_again), step_by_step(INITIAL, last, zero_again));
    assert_eq!(
        by_definition(by_definition(INITIAL, 1, 0x8000_0000), 0x8000_0000, zero_again),
        by_definition(INITIAL, 1, zero_again)
    );
}

#[test]
fn both_ways_to_advance_megolm_agree() {
    let mut dice = Dice(6);
    let initial = [dice.key(), dice.key(), dice.key(), dice.key()];
    for boundary in [0x100, 0x0001_0000, 0x0100_0000, 0x0100_0100, 0x0101_0000, 0xFF00_0000] {
        for start in boundary - 3..=boundary + 3 {
            for distance in [0, 1, 2, 3, 4, 6, 255, 256, 257, 300] {
                assert_eq!(
                    step_by_step(initial, start, start + distance),
                    by_definition(initial, start, start + distance)
                );
            }
        }
    }
    for (start, target) in [(0, 70_000), (0x00FF_FF00, 0x0101_0001)] {
        assert_eq!(step_by_step(initial, start, target), by_definition(initial, start, target));
    }
}

#[test]
fn group_messages_decrypt_in_any_order_and_more_than_once() {
    for version in [3, 4] {
        let mut dice = Dice(7);
        let mut sender = NaiveGroupSession {
            version,
            ratchet: [dice.key(), dice.key(), dice.key(), dice.key()],
            index: 250,
            signing_seed: dice.key(),
        };
        let receiver = sender.to_inbound();
        let late_receiver_key = receiver.export_at(253);
        let messages: Vec<_> =
            (250..260_u32).map(|index| (index, sender.encrypt(&index.to_be_bytes()))).collect();
        for (index, message) in messages.iter().rev().chain(&messages) {
            let plaintext = index.to_be_bytes().to_vec();
            assert_eq!(receiver.decrypt(message), Ok((plaintext, *index)));
        }

        let late_receiver = sender.to_inbound();
        assert_eq!(late_receiver.export_at(260), receiver.export_at(260));
        assert_eq!(late_receiver.decrypt(&messages[9].1), Err(NaiveGroupError::UnknownIndex));
        assert_eq!(late_receiver_key.len(), 165);
        assert_eq!(late_receiver_key[..5], [1, 0, 0, 0, 253]);

        let session_key = sender.session_key();
        assert_eq!(session_key.len(), 229);
        assert_eq!(session_key[..5], [2, 0, 0, 1, 4]);
        assert_eq!(session_key[5..165], receiver.export_at(260)[5..]);
    }
}

#[test]
fn altered_group_messages_are_refused() {
    let mut dice = Dice(8);
    let mut sender = NaiveGroupSession {
        version: 3,
        ratchet: [dice.key(), dice.key(), dice.key(), dice.key()],
        index: 0,
        signing_seed: dice.key(),
    };
    let receiver = sender.to_inbound();
    let message = sender.encrypt(b"to everybody");
    for position in 0..message.len() {
        let mut altered = message.clone();
        altered[position] ^= 1;
        let error = receiver.decrypt(&altered).unwrap_err();
        assert!(matches!(error, NaiveGroupError::Format | NaiveGroupError::BadSignature));
    }

    // A sender who signs a message of another ratchet with the right key.
    let mut other = NaiveGroupSession { ratchet: INITIAL, index: 0, ..sender };
    let foreign = other.encrypt(b"to everybody");
    assert_eq!(receiver.decrypt(&foreign), Err(NaiveGroupError::BadMac));
}

#[test]
fn the_last_group_message_has_the_last_index() {
    let mut dice = Dice(9);
    let mut sender = NaiveGroupSession {
        version: 3,
        ratchet: INITIAL,
        index: u64::from(u32::MAX) - 1,
        signing_seed: dice.key(),
    };
    let receiver = sender.to_inbound();
    for index in [u32::MAX - 1, u32::MAX] {
        let message = sender.encrypt(b"almost over");
        assert_eq!(receiver.decrypt(&message).unwrap().1, index);
    }
    assert!(std::panic::catch_unwind(move || sender.encrypt(b"over")).is_err());
}
