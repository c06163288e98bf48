//! S-21, S-41: what an exported key says of where it came from, and a stored provenance.

use moceril::{
    MessageVersion,
    megolm::{
        ExportedSessionKey, GroupSession, GroupSessionConfig, InboundGroupSession, Provenance,
    },
    room_keys::ExportedRoomKey,
};
use moceril_testing::{libolm_pickle::KEY, pickled::Pickled, rng::SeededRng, states};

/// S-41: a key that a session exports deserves no more trust than the session has at that index,
/// so that the detour over it raises nothing, and merging has nothing to spread. Its text cannot
/// say this.
#[test]
fn s_41_an_export_has_no_more_trust_than_its_session() {
    let sender =
        GroupSession::with_rng(GroupSessionConfig::default(), &mut SeededRng::new(1)).unwrap();
    let signed = InboundGroupSession::new(&sender.session_key());
    let key = signed.export_at(0).unwrap();
    let restored = InboundGroupSession::import_from_backup(&key);
    let unknown = InboundGroupSession::from_libolm_pickle(
        &signed.to_libolm_pickle_lossy(KEY).unwrap().0,
        KEY,
    )
    .unwrap();
    for session in [&restored, &unknown, &restored.copy()] {
        let export = session.export_at_first_known_index().unwrap();
        for provenance in [Provenance::Backup, Provenance::Exported, Provenance::Signed] {
            let again = InboundGroupSession::import_with_version(
                &export.clone(),
                provenance,
                MessageVersion::V3,
            );
            assert_eq!(again.provenance(), Provenance::Backup);
            let merged = restored.merge(&again).unwrap();
            assert_eq!(merged.provenance(), Provenance::Backup);
        }
        let sender = states::account(0, &mut SeededRng::new(1)).identity_keys();
        let room_key = ExportedRoomKey::new("!a", export.clone(), sender);
        assert_eq!(room_key.provenance(), Provenance::Backup);
        assert_eq!(room_key.import().provenance(), Provenance::Backup);
        let text = ExportedSessionKey::from_base64(&export.to_base64()).unwrap();
        assert_eq!(InboundGroupSession::import(&text).provenance(), Provenance::Exported);
    }
    // The key in a room key that was read from a backup, without the room key.
    let sender = states::account(0, &mut SeededRng::new(1)).identity_keys();
    let json = ExportedRoomKey::new("!a", key, sender).to_backup_json().unwrap();
    let room_key = ExportedRoomKey::from_backup_json(&json, "!a", &signed.session_id()).unwrap();
    let session = InboundGroupSession::import(&room_key.session_key);
    assert_eq!(session.provenance(), Provenance::Backup);
}

/// S-41: the trust of an export is that of its own index.
#[test]
fn s_41_an_export_has_the_trust_of_its_index() {
    let mut sender =
        GroupSession::with_rng(GroupSessionConfig::default(), &mut SeededRng::new(1)).unwrap();
    let whole = InboundGroupSession::new(&sender.session_key());
    (0..256).for_each(|_| drop(sender.encrypt(b"").unwrap()));
    let signed = InboundGroupSession::new(&sender.session_key());
    let backup = InboundGroupSession::import_from_backup(&whole.export_at(0).unwrap());
    let merged = signed.merge(&backup).unwrap();
    for (index, provenance) in [(255, Provenance::Backup), (256, Provenance::Exported)] {
        let session = InboundGroupSession::import(&merged.export_at(index).unwrap());
        assert_eq!(session.provenance(), provenance);
    }
}

/// What a client stores is read as what it was. The names are part of stored data.
#[test]
fn s_21_names_and_bytes_come_back_as_they_were() {
    let names = [
        (Provenance::Unknown, "unknown"),
        (Provenance::Backup, "backup"),
        (Provenance::Exported, "exported"),
        (Provenance::Signed, "signed"),
    ];
    for (provenance, name) in names {
        assert_eq!(provenance.name(), name);
        assert_eq!(Provenance::from_name(name), Some(provenance));
    }
    for other in ["", "Signed", "signed "] {
        assert_eq!(Provenance::from_name(other), None);
    }
    for byte in 0..=u8::MAX {
        let expected = match byte {
            3 => Some(MessageVersion::V3),
            4 => Some(MessageVersion::V4),
            _ => None,
        };
        assert_eq!(MessageVersion::from_byte(byte), expected);
        assert_eq!(expected.map_or(byte, MessageVersion::byte), byte);
    }
}
