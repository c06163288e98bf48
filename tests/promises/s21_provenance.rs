//! S-21: an inbound group session knows where its key came from, and trust in one copy never passes
//! to another that does not have the same ratchet. `s21_provenance_by_index.rs` tests what holds at
//! which index after merging.

use moceril::{
    ConversionError, MessageVersion,
    backup::BackupDecryptionKey,
    backup_file::BackedUpKey,
    megolm::{
        ExportedSessionKey, GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage,
        MergeError, Provenance, ProvenanceError, SessionOrdering,
    },
    room_keys::ExportedRoomKey,
};
use moceril_testing::{
    fixtures::{VERSIONS, other},
    libolm_pickle::KEY,
    pickled::Pickled,
    rng::SeededRng,
    states,
};

/// A room that has sent 20 messages, the receiver from its first message on, and the messages.
fn room(version: MessageVersion) -> (InboundGroupSession, Vec<MegolmMessage>) {
    let config = GroupSessionConfig::default().with_version(version);
    let mut sender = GroupSession::with_rng(config, &mut SeededRng::new(1)).unwrap();
    let receiver = InboundGroupSession::with_version(&sender.session_key(), version);
    let messages = (0..20_u8).map(|number| sender.encrypt([number]).unwrap()).collect();
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
            (import(Provenance::Unknown), Provenance::Backup, false),
        ] {
            assert_eq!(session.provenance(), provenance);
            assert_eq!(session.is_signing_key_verified(), verified);
            assert_eq!(session.copy().provenance(), provenance);
            // A message shows that the key is genuine, but not where it came from.
            let mut session = session;
            let decrypted = session.decrypt(&messages[5]).unwrap();
            assert_eq!(decrypted.provenance(), provenance);
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
    let ascending =
        [Provenance::Unknown, Provenance::Backup, Provenance::Exported, Provenance::Signed];
    assert!(ascending.is_sorted_by(|a, b| a < b));
}

/// A room key remembers what it was read from, so that the obvious way to import it records the
/// right trust.
#[test]
fn s_21_a_room_key_is_imported_as_what_it_was_read_from() {
    let (signed, _) = room(MessageVersion::V3);
    let sender = states::account(0, &mut SeededRng::new(1)).identity_keys();
    let made = ExportedRoomKey::new("!a", signed.export_at(3).unwrap(), sender);
    let entry = ExportedRoomKey::from_json(&made.to_json().unwrap()).unwrap();
    let forwarded = made.to_forwarded_json().unwrap();
    let forwarded = ExportedRoomKey::from_forwarded_json(&forwarded).unwrap();
    let backup = made.to_backup_json().unwrap();
    let key = BackupDecryptionKey::from_bytes([1; 32]);
    let backed_up = BackedUpKey::encrypt(&made, &key.encryption_key()).unwrap();
    let backed_up = backed_up.decrypt(&key).unwrap();
    let backup = ExportedRoomKey::from_backup_json(&backup, "!a", &signed.session_id()).unwrap();
    let (exported, from_backup) = (Provenance::Exported, Provenance::Backup);
    for (key, provenance) in [
        (made, exported),
        (entry, exported),
        (forwarded, exported),
        (backup, from_backup),
        (backed_up, from_backup),
    ] {
        assert_eq!(key.provenance(), provenance);
        let of_version_4 = key.import_with_version(MessageVersion::V4);
        assert_eq!(of_version_4.provenance(), provenance);
        assert_eq!(of_version_4.version(), MessageVersion::V4);
        let session = key.clone().import();
        assert_eq!(session.provenance(), provenance);
        assert!(session.connected(&signed) && session.first_known_index() == 3);
    }
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
                        assert_eq!(decrypted.provenance(), expected);
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
        let config = GroupSessionConfig::default().with_version(version);
        let another = GroupSession::with_rng(config, &mut SeededRng::new(2)).unwrap();
        let mut unconnected = vec![
            closed,
            import(&genuine, Provenance::Exported, other(version)),
            InboundGroupSession::with_version(&another.session_key(), version),
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
                let expected =
                    if copy.is_closed() { MergeError::Closed } else { MergeError::Unconnected };
                for refused in [session.merge(copy), copy.merge(session)] {
                    assert_eq!(refused.err(), Some(expected), "{place}");
                }
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
    for refused in [closed.merge(&zeros), zeros.merge(&closed)] {
        assert_eq!(refused.err(), Some(MergeError::Closed));
    }
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
    let pickle = |session: &InboundGroupSession| session.to_libolm_pickle_lossy(KEY).unwrap().0;
    let expected = pickle(&read);
    assert_ne!(pickle(&whole), expected);
    for (one, two) in [(&whole, &later), (&later, &whole), (&whole, &read), (&read, &whole)] {
        let merged = one.merge(two).unwrap();
        assert_eq!(pickle(&merged), expected);
    }
}

/// The session as the other formats bring it back, which do not say where its key came from.
fn moved(session: &InboundGroupSession) -> Vec<InboundGroupSession> {
    let (pickle, _) = session.to_libolm_pickle_lossy(KEY).unwrap();
    let through_libolm = InboundGroupSession::from_libolm_pickle(&pickle, KEY).unwrap();
    let (pickle, _) = session.to_vodozemac_pickle_lossy().unwrap();
    vec![through_libolm, InboundGroupSession::from_vodozemac_pickle(pickle).unwrap()]
}

/// S-41: nothing rises on the way through a format that does not hold the provenance, and what is
/// lost is named. What the format's flag says is kept.
#[test]
fn s_41_no_conversion_raises_trust() {
    let (signed, messages) = room(MessageVersion::V3);
    let key = signed.export_at(3).unwrap();
    let (exported, backup) =
        (InboundGroupSession::import(&key), InboundGroupSession::import_from_backup(&key));
    let mut verified = backup.copy();
    verified.decrypt(&messages[4]).unwrap();
    for original in [signed, exported, backup, verified] {
        let Err(ConversionError::Lossy(loss)) = original.to_libolm_pickle(KEY) else {
            panic!("the loss is not named")
        };
        assert!(loss.provenance && !loss.drops_keys());
        let Err(ConversionError::Lossy(loss)) = original.to_vodozemac_pickle() else {
            panic!("the loss is not named")
        };
        assert!(loss.provenance && !loss.drops_keys());
        for session in moved(&original) {
            assert_eq!(session.provenance(), Provenance::Unknown);
            assert_eq!(session.copy().provenance(), Provenance::Unknown);
            assert_eq!(session.is_signing_key_verified(), original.is_signing_key_verified());
            // There and back again is no loss: the pickle had no provenance.
            assert!(!session.to_libolm_pickle_lossy(KEY).unwrap().1.provenance);
            let mut session = session;
            let decrypted = session.decrypt(&messages[5]).unwrap();
            assert_eq!(decrypted.provenance(), Provenance::Unknown);
            assert!(session.is_signing_key_verified());
            assert_eq!(session.provenance(), Provenance::Unknown);
        }
    }
}

/// S-41: the caller can state the provenance that a foreign pickle does not hold, by name and once.
#[test]
fn s_41_an_unknown_provenance_can_be_stated_once() {
    use Provenance::{Backup, Exported, Signed, Unknown};
    let (signed, messages) = room(MessageVersion::V3);
    for stated in [Backup, Exported, Signed] {
        for mut session in moved(&signed) {
            let before = session.snapshot();
            assert_eq!(session.set_provenance(Unknown), Ok(()));
            assert_eq!(session.snapshot(), before);
            assert_eq!(session.set_provenance(stated), Ok(()));
            assert_eq!(session.generation(), 1);
            let after = session.snapshot();
            for mut session in [session.copy(), session] {
                assert_eq!(session.provenance(), stated);
                let decrypted = session.decrypt(&messages[5]).unwrap();
                assert_eq!(decrypted.provenance(), stated);
                assert_eq!(session.set_provenance(stated), Ok(()));
                for other in [Unknown, Backup, Exported, Signed] {
                    if other != stated {
                        assert_eq!(session.set_provenance(other), Err(ProvenanceError::Known));
                    }
                }
                assert_eq!(session.snapshot(), after, "S-04: an error changes nothing");
            }
        }
    }
    // What was known from the beginning cannot be stated anew.
    for (mut session, known) in [
        (signed.copy(), Signed),
        (InboundGroupSession::import(&signed.export_at(0).unwrap()), Exported),
    ] {
        let before = session.snapshot();
        for stated in [Unknown, Backup, Exported, Signed] {
            let expected = if stated == known { Ok(()) } else { Err(ProvenanceError::Known) };
            assert_eq!(session.set_provenance(stated), expected);
            assert_eq!(session.snapshot(), before);
        }
    }
    // The pickle says that the owner has not signed with this session: then it cannot be signed.
    for mut session in moved(&InboundGroupSession::import(&signed.export_at(0).unwrap())) {
        let before = session.snapshot();
        assert_eq!(session.set_provenance(Signed), Err(ProvenanceError::NotSigned));
        assert_eq!(session.snapshot(), before);
        assert_eq!(session.set_provenance(Exported), Ok(()));
    }
}

/// S-43: what is stated holds from the first index on, and takes nothing from a better key.
#[test]
fn s_43_stating_a_provenance_keeps_what_is_known_of_later_messages() {
    let mut sender =
        GroupSession::with_rng(GroupSessionConfig::default(), &mut SeededRng::new(3)).unwrap();
    let whole = InboundGroupSession::new(&sender.session_key());
    for _ in 0..300 {
        sender.encrypt(b"").unwrap();
    }
    let signed = InboundGroupSession::new(&sender.session_key());
    for unknown in moved(&whole) {
        let mut merged = unknown.merge(&signed).unwrap();
        let expected = [
            (0, Provenance::Unknown),
            (255, Provenance::Unknown),
            (256, Provenance::Signed),
            (u32::MAX, Provenance::Signed),
        ];
        for (index, provenance) in expected {
            assert_eq!(merged.provenance_at(index), Some(provenance));
        }
        assert!(merged.to_libolm_pickle_lossy(KEY).unwrap().1.provenance);
        merged.set_provenance(Provenance::Backup).unwrap();
        for merged in [merged.copy(), merged] {
            for (index, provenance) in expected {
                let provenance = provenance.max(Provenance::Backup);
                assert_eq!(merged.provenance_at(index), Some(provenance));
            }
        }
    }
}

/// S-18: what was authenticated can be taken out by value, and is the same.
#[test]
fn s_18_the_parts_of_a_decrypted_message() {
    let (mut session, messages) = room(VERSIONS[0]);
    let decrypted = session.decrypt(&messages[7]).unwrap();
    assert_eq!((decrypted.plaintext(), decrypted.message_index()), (&[7][..], 7));
    let shown = format!("{decrypted:?}");
    let parts = decrypted.clone().into_parts();
    assert_eq!(format!("{parts:?}"), shown.replace("DecryptedMessage", "DecryptedMessageParts"));
    assert_eq!(parts.plaintext, decrypted.plaintext());
    assert_eq!(parts.message_index, decrypted.message_index());
    assert_eq!(&parts.fingerprint, decrypted.fingerprint());
    assert_eq!(&parts.signing_key, decrypted.signing_key());
    assert_eq!(parts.signing_key, *session.signing_key());
    assert_eq!(parts.provenance, decrypted.provenance());
    assert_eq!(decrypted.into_plaintext(), parts.plaintext);
}

/// A part of the ratchet that is replaced between the two copies says nothing about what it was
/// before: a forged one could hide there. So trust passes within the same 256 messages only.
#[test]
fn s_21_trust_does_not_pass_where_a_part_is_replaced() {
    let mut sender =
        GroupSession::with_rng(GroupSessionConfig::default(), &mut SeededRng::new(2)).unwrap();
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
        assert_eq!(merged.provenance_at(255), Some(Provenance::Exported));
        assert_eq!(merged.provenance_at(256), Some(Provenance::Signed));
        assert!(!merged.is_signing_key_verified());
    }
    // Within 256 messages equal ratchets vouch for each other.
    let later = InboundGroupSession::import(&first.export_at(255).unwrap());
    let merged = later.merge(&first).unwrap();
    assert_eq!((merged.first_known_index(), merged.provenance()), (0, Provenance::Signed));
}
