//! S-21: a key that somebody put under the id of a session does not keep out the one that the
//! session's owner has signed.

use moceril::megolm::{
    ExportedSessionKey, GroupSession, GroupSessionConfig, InboundGroupSession, MergeError,
    Provenance,
};
use moceril_testing::{pickled::Pickled, rng::RecordedRng};

/// Sessions of one owner have the same signing key, and one ratchet for each number.
fn sender(ratchet: u8) -> GroupSession {
    let draws = [[ratchet; 128].as_slice(), &[1; 32]].concat();
    GroupSession::with_rng(GroupSessionConfig::default(), &mut RecordedRng::new(draws)).unwrap()
}

/// The owner's key from its first message on, and from message 256 on.
fn signed() -> [InboundGroupSession; 2] {
    let mut sender = sender(2);
    let whole = InboundGroupSession::new(&sender.session_key());
    for _ in 0..256 {
        sender.encrypt(b"").unwrap();
    }
    [whole, InboundGroupSession::new(&sender.session_key())]
}

/// The key at `index` with another first byte of this part of the ratchet.
fn forged(session: &InboundGroupSession, index: u32, part: usize) -> InboundGroupSession {
    let mut bytes = session.export_at(index).unwrap().to_bytes();
    bytes[5 + 32 * part] ^= 1;
    InboundGroupSession::import(&ExportedSessionKey::from_bytes(&bytes).unwrap())
}

#[test]
fn s_21_a_signed_key_replaces_a_forged_one() {
    let [whole, late] = signed();
    for part in 0..4 {
        for index in [0, 255, 256, 300] {
            let forged = forged(&whole, index, part);
            for forged in
                [InboundGroupSession::import_from_backup(&forged.export_at(index).unwrap()), forged]
            {
                for signed in [&whole, &late] {
                    // What was replaced before both begin is not seen, and they are merged.
                    let same = signed.connected(&forged);
                    let refused = signed.merge(&forged).err();
                    assert_eq!(refused, (!same).then_some(MergeError::Unconnected));
                    assert_eq!(signed.replaces(&forged), !same, "part {part} at {index}");
                    assert!(!forged.replaces(signed) && !forged.replaces(&forged));
                }
            }
        }
    }
}

/// Also a forged beginning that was merged with what the owner signed of a later index.
#[test]
fn s_21_a_signed_key_replaces_a_forged_beginning() {
    let [whole, late] = signed();
    let merged = late.merge(&forged(&whole, 0, 3)).unwrap();
    assert_eq!(merged.provenance_at(256), Some(Provenance::Signed));
    assert_eq!(whole.merge(&merged).err(), Some(MergeError::Unconnected));
    assert!(whole.replaces(&merged) && !merged.replaces(&whole));
    assert!(!late.replaces(&merged), "they are connected");
}

#[test]
fn s_21_nothing_else_replaces_a_session() {
    let [whole, late] = signed();
    // A genuine copy is merged.
    let genuine = InboundGroupSession::import(&whole.export_at(3).unwrap());
    assert!(!whole.replaces(&genuine) && !late.replaces(&whole) && !whole.replaces(&late));
    // Nobody can tell which of two keys counts that the owner has signed.
    let other = InboundGroupSession::new(&sender(3).session_key());
    assert_eq!(whole.session_id(), other.session_id());
    assert_eq!(whole.merge(&other).err(), Some(MergeError::Unconnected));
    assert!(!whole.replaces(&other) && !other.replaces(&whole));
    // A key without a signature does not replace another one.
    let imported = InboundGroupSession::import(&other.export_at(0).unwrap());
    assert!(!imported.replaces(&genuine) && !genuine.replaces(&imported));
    assert!(whole.replaces(&imported));
    // A session of another id.
    let stranger = GroupSession::with_config(GroupSessionConfig::default()).unwrap();
    let stranger = InboundGroupSession::new(&stranger.session_key()).export_at(0).unwrap();
    assert!(!whole.replaces(&InboundGroupSession::import(&stranger)));
    // What was closed stays so, and brings nothing.
    let (mut closed, mut closed_import) = (whole.copy(), imported.copy());
    closed.close();
    closed_import.close();
    assert!(!whole.replaces(&closed_import) && !closed.replaces(&imported));
}
