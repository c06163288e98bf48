//! S-21: where the key of an inbound group session came from is known, and trust in one copy never
//! passes to another that has not the same ratchet.

mod common;

use common::{
    fixtures::{VERSIONS, other},
    pickled::Pickled,
    rng::SeededRng,
};
use moceril::{
    MessageVersion,
    megolm::{
        ExportedSessionKey, GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage,
        Provenance, SessionOrdering,
    },
};

/// A room that has sent 20 messages, the receiver from its first message on, and the messages.
fn room(version: MessageVersion) -> (InboundGroupSession, Vec<MegolmMessage>) {
    let config = GroupSessionConfig { version, created_at: None };
    let mut sender = GroupSession::with(config, &mut SeededRng::new(1)).unwrap();
    let receiver = InboundGroupSession::new_with_version(&sender.session_key(), version);
    let messages = (0..20_u8).map(|number| sender.encrypt(&[number]).unwrap()).collect();
    (receiver, messages)
}

/// The session's key at `index` with one bit of the ratchet changed: same id, another session.
fn forged(session: &InboundGroupSession, index: u32, bit: usize) -> ExportedSessionKey {
    let mut bytes = session.export_at(index).unwrap().to_bytes();
    bytes[5 + bit / 8] ^= 1 << (bit % 8);
    ExportedSessionKey::from_bytes(&bytes).unwrap()
}

/// Each constructor gives the trust that its input can bear, also when the caller asks for more.
#[test]
fn s_21_each_constructor_has_its_provenance() {
    for version in VERSIONS {
        let (signed, messages) = room(version);
        let key = signed.export_at(3).unwrap();
        let import =
            |provenance| InboundGroupSession::import_with_version(&key, provenance, version);
        for (session, provenance, verified) in [
            (signed, Provenance::Signed, true),
            (import(Provenance::Signed), Provenance::Exported, false),
            (import(Provenance::Exported), Provenance::Exported, false),
            (import(Provenance::Backup), Provenance::Backup, false),
        ] {
            assert_eq!(session.provenance(), provenance);
            assert_eq!(session.is_signing_key_verified(), verified);
            assert_eq!(session.copy().provenance(), provenance);
            // A message shows that the key is genuine, but not where it came from.
            let mut session = session;
            let decrypted = session.decrypt(&messages[5]).unwrap();
            assert_eq!(decrypted.provenance, provenance);
            for session in [session.copy(), session] {
                assert_eq!(session.provenance(), provenance);
                assert!(session.is_signing_key_verified());
            }
        }
    }
    let (signed, _) = room(MessageVersion::V3);
    let key = signed.export_at(0).unwrap();
    assert_eq!(InboundGroupSession::import(&key).provenance(), Provenance::Exported);
    assert_eq!(InboundGroupSession::import_from_backup(&key).provenance(), Provenance::Backup);
    assert!(Provenance::Backup < Provenance::Exported && Provenance::Exported < Provenance::Signed);
}

/// A message that does not decrypt verifies nothing.
#[test]
fn s_21_a_forged_message_does_not_verify_a_key() {
    let (signed, messages) = room(VERSIONS[0]);
    let mut copy = InboundGroupSession::import(&forged(&signed, 0, 1_000));
    assert!(copy.decrypt(&messages[5]).is_err());
    assert!(!copy.is_signing_key_verified());
}

/// Merging two copies with the same ratchet keeps the earlier index and the better provenance.
#[test]
fn s_21_connected_copies_merge_to_the_best_of_both() {
    use Provenance::{Backup, Exported, Signed};
    for version in VERSIONS {
        let (signed, messages) = room(version);
        let copy = |provenance, index| {
            if provenance == Signed {
                let mut copy = signed.copy();
                copy.advance_to(index);
                return copy;
            }
            let key = signed.export_at(index).unwrap();
            InboundGroupSession::import_with_version(&key, provenance, version)
        };
        for (one, two, expected) in [
            (Backup, Backup, Backup),
            (Backup, Exported, Exported),
            (Backup, Signed, Signed),
            (Exported, Exported, Exported),
            (Exported, Signed, Signed),
            (Signed, Signed, Signed),
        ] {
            for (first, second) in [(0, 0), (0, 7), (7, 0), (7, 15)] {
                let (one, two) = (copy(one, first), copy(two, second));
                for merged in [one.merge(&two).unwrap(), two.merge(&one).unwrap()] {
                    assert_eq!(merged.provenance(), expected);
                    assert_eq!(merged.is_signing_key_verified(), expected == Signed);
                    assert_eq!(merged.first_known_index(), first.min(second));
                    assert!(merged.generation() > one.generation().max(two.generation()));
                    assert_eq!((merged.version(), merged.is_closed()), (version, false));
                    let mut merged = merged.copy();
                    assert_eq!(merged.provenance(), expected);
                    for index in [19, first.min(second)] {
                        let decrypted = merged.decrypt(&messages[index as usize]).unwrap();
                        assert_eq!(decrypted.provenance, expected);
                    }
                }
            }
        }
        // A copy that was verified by a message hands that on, without the provenance.
        let mut verified = copy(Exported, 3);
        verified.decrypt(&messages[4]).unwrap();
        let merged = verified.merge(&copy(Backup, 0)).unwrap();
        assert!(merged.is_signing_key_verified());
        assert_eq!(merged.provenance(), Exported);
    }
}

/// A copy with another ratchet, of another version or closed, whatever its id, does not merge.
#[test]
fn s_21_trust_needs_an_equal_ratchet() {
    for version in VERSIONS {
        let (signed, _) = room(version);
        let import = |key: &ExportedSessionKey, provenance, version| {
            InboundGroupSession::import_with_version(key, provenance, version)
        };
        let genuine = signed.export_at(4).unwrap();
        let mut closed = signed.copy();
        closed.close();
        let config = GroupSessionConfig { version, created_at: None };
        let another = GroupSession::with(config, &mut SeededRng::new(2)).unwrap();
        let mut unconnected = vec![
            closed,
            import(&genuine, Provenance::Exported, other(version)),
            InboundGroupSession::new_with_version(&another.session_key(), version),
        ];
        for provenance in [Provenance::Backup, Provenance::Exported, Provenance::Signed] {
            for index in [0, 4] {
                // The first and the last bit of each of the four parts.
                for bit in [0, 255, 256, 511, 512, 767, 768, 1_023] {
                    let key = forged(&signed, index, bit);
                    unconnected.push(import(&key, provenance, version));
                }
            }
        }
        let mut late = signed.copy();
        late.advance_to(4);
        for (place, copy) in unconnected.iter().enumerate() {
            if place != 2 {
                assert_eq!(copy.session_id(), signed.session_id());
            }
            for session in [&signed, &late] {
                assert!(!session.connected(copy) && !copy.connected(session), "{place}");
                assert!(session.merge(copy).is_none(), "{place}");
                assert!(copy.merge(session).is_none(), "{place}");
            }
        }
    }
}

/// `connected` is symmetric, and `compare` of two sessions turned around is the opposite.
#[test]
fn s_21_comparing_is_symmetric() {
    use SessionOrdering::{Better, Equal, Unconnected, Worse};
    let (signed, messages) = room(VERSIONS[0]);
    let mut sessions: Vec<_> = [0, 0, 3, 9]
        .map(|index| InboundGroupSession::import(&signed.export_at(index).unwrap()))
        .into();
    sessions[1].decrypt(&messages[12]).unwrap();
    sessions.push(InboundGroupSession::import(&forged(&signed, 3, 7)));
    sessions.push(sessions[2].copy());
    sessions[5].close();
    // Expected for each pair in the order of the list; below the diagonal, the opposite.
    let expected = [
        [Equal, Equal, Better, Better, Unconnected, Unconnected],
        [Equal, Equal, Better, Better, Unconnected, Unconnected],
        [Worse, Worse, Equal, Better, Unconnected, Unconnected],
        [Worse, Worse, Worse, Equal, Unconnected, Unconnected],
        [Unconnected, Unconnected, Unconnected, Unconnected, Equal, Unconnected],
        [Unconnected; 6],
    ];
    for (one, row) in sessions.iter().zip(expected) {
        for (two, expected) in sessions.iter().zip(row) {
            assert_eq!(one.compare(two), expected);
            assert_eq!(one.connected(two), expected != Unconnected);
            assert_eq!(one.connected(two), two.connected(one));
        }
    }
}

/// A closed session has forgotten its ratchet: not even one of zeros is the same.
#[test]
fn s_21_nothing_is_connected_with_a_closed_session() {
    let (signed, _) = room(VERSIONS[0]);
    let mut zeros = signed.export_at(3).unwrap().to_bytes();
    zeros[5..133].fill(0);
    let zeros = InboundGroupSession::import(&ExportedSessionKey::from_bytes(&zeros).unwrap());
    let mut closed = zeros.copy();
    assert!(closed.connected(&zeros));
    closed.close();
    assert!(!closed.connected(&zeros) && !zeros.connected(&closed));
    assert!(closed.merge(&zeros).is_none() && zeros.merge(&closed).is_none());
}

/// Later messages are reached from the later one of both, as libolm's form of the session shows.
#[test]
fn the_latest_ratchet_is_that_of_either() {
    let (whole, messages) = room(VERSIONS[0]);
    let (mut read, mut later) = (whole.copy(), whole.copy());
    later.advance_to(3);
    for session in [&mut read, &mut later] {
        session.decrypt(&messages[12]).unwrap();
    }
    let expected = read.to_libolm_pickle(b"key").unwrap();
    assert_ne!(whole.to_libolm_pickle(b"key").unwrap(), expected);
    for (one, two) in [(&whole, &later), (&later, &whole), (&whole, &read), (&read, &whole)] {
        let merged = one.merge(two).unwrap();
        assert_eq!(merged.to_libolm_pickle(b"key").unwrap(), expected);
    }
}

/// A part of the ratchet that is replaced between the two copies says nothing about what it was before:
/// a forged one could hide there. So trust passes within the same 256 messages only.
#[test]
fn s_21_trust_does_not_pass_where_a_part_is_replaced() {
    let mut sender =
        GroupSession::with(GroupSessionConfig::default(), &mut SeededRng::new(2)).unwrap();
    let first = InboundGroupSession::new(&sender.session_key());
    for _ in 0..256 {
        sender.encrypt(b"").unwrap();
    }
    let signed = InboundGroupSession::new(&sender.session_key());
    // Part 3 is replaced at 256, so a change in it is not visible there.
    let forged = InboundGroupSession::import(&forged(&first, 0, 3 * 256));
    assert!(signed.connected(&forged));
    assert!(!forged.connected(&first));
    for merged in [signed.merge(&forged).unwrap(), forged.merge(&signed).unwrap()] {
        assert_eq!(merged.first_known_index(), 0);
        assert_eq!(merged.provenance(), Provenance::Exported);
        assert!(!merged.is_signing_key_verified());
    }
    // Within 256 messages equal ratchets vouch for each other.
    let later = InboundGroupSession::import(&first.export_at(255).unwrap());
    let merged = later.merge(&first).unwrap();
    assert_eq!((merged.first_known_index(), merged.provenance()), (0, Provenance::Signed));
}
