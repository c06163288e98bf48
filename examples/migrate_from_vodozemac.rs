//! Reads an account, an Olm session and a room key that vodozemac stored, and stores them as native
//! pickles.
//!
//! The pickles were recorded from an old release of vodozemac, with messages that were still on
//! their way. Some stores keep them encrypted by vodozemac, others as the plain serde form; both
//! are shown.
//!
//! `cargo run --features payload,vodozemac --example migrate_from_vodozemac`

mod migrating;

use moceril::{
    PickleKey,
    megolm::{GroupSession, InboundGroupSession, MegolmMessage, RotationPolicy},
    olm::{Account, OlmMessage, Session},
    payload::OlmPayload,
    vodozemac::{AccountPickle, GroupSessionPickle, InboundGroupSessionPickle, SessionPickle},
};

use migrating::{FRIEND, NEW_KEY, NOW, OldStore, Recording, Result, US, context, device, readable};

fn main() -> Result<()> {
    let new_key = PickleKey::from_bytes(NEW_KEY);

    // Encrypted by vodozemac.
    let recording = Recording::read("vodozemac-account-pickle/vodozemac-0.8.1.txt")?;
    let old = AccountPickle::from_encrypted(recording.one("pickle")?, &old_key(&recording)?)?;
    let row = context("account");
    let stored = Account::from_vodozemac_pickle(old)?.pickle(&new_key, &row)?;
    let mut account = Account::from_pickle(&stored, &new_key, &row)?;
    println!("the account {} from vodozemac", account.curve25519_key());
    println!("  has {} one-time keys", account.stored_one_time_key_count());
    for [_, kind, body, _] in recording.steps()? {
        let message = OlmMessage::from_parts(kind.parse()?, body)?;
        let message = message.as_pre_key().ok_or("not a pre-key message")?;
        let created = account.create_inbound_session(message.identity_key(), message)?;
        println!("  makes a session from {}", readable(created.message.plaintext()));
    }

    // The plain serde form, here in JSON; MessagePack and the like work as well.
    let recording = Recording::read("vodozemac-session-pickle/vodozemac-0.8.1.txt")?;
    let old: SessionPickle = serde_json::from_str(recording.one("json")?)?;
    let session = Session::from_vodozemac_pickle(old)?;
    let row = context(&session.session_id());
    let stored = session.pickle(&new_key, &row)?;
    let mut session = Session::from_pickle(&stored, &new_key, &row)?;
    println!("\n{}", session.describe());
    for [_, kind, body, _] in recording.steps()? {
        let message = OlmMessage::from_parts(kind.parse()?, body)?;
        println!("  reads {}", readable(session.decrypt(&message)?.plaintext()));
    }

    let recording = Recording::read("vodozemac-inbound-group-session-pickle/vodozemac-0.8.1.txt")?;
    let (pickle, key) = (recording.one("pickle")?, old_key(&recording)?);
    let old = InboundGroupSessionPickle::from_encrypted(pickle, &key)?;
    let room_key = InboundGroupSession::from_vodozemac_pickle(old)?;
    let row = context(&room_key.session_id());
    let stored = room_key.pickle(&new_key, &row)?;
    let mut room_key = InboundGroupSession::from_pickle(&stored, &new_key, &row)?;
    println!("\nthe room key {}", room_key.session_id());
    for [_, index, body, _] in recording.steps()? {
        let decrypted = room_key.decrypt(&MegolmMessage::from_base64(body)?)?;
        println!("  reads {} at index {index}", readable(decrypted.plaintext()));
    }
    go_on(&new_key)
}

/// The key that vodozemac encrypted the recorded pickle with.
fn old_key(recording: &Recording) -> Result<[u8; 32]> {
    recording.key()?.try_into().map_err(|_| "the key does not have 32 bytes".into())
}

/// The session continues, the sender of its next event is verified, and a group session is judged
/// by its age.
fn go_on(new_key: &PickleKey) -> Result<()> {
    let old = OldStore::new()?;
    let Pickles { account, session, room } = vodozemac_pickles(&old)?;
    let account = Account::from_vodozemac_pickle(account)?;
    let mut session = Session::from_vodozemac_pickle(session)?;
    // The pickle does not say whom the session is with; the old store does. Without this no event
    // of the session can be verified, so do it once, when the session moves.
    session.set_identity_keys(account.identity_keys(), old.sender_key)?;
    let row = context(&session.session_id());
    let stored = session.pickle(new_key, &row)?;
    let mut session = Session::from_pickle(&stored, new_key, &row)?;

    let decrypted = session.decrypt(&old.next_event)?;
    let (from, to) = (device(FRIEND, old.friend), device(US, account.identity_keys()));
    let event = OlmPayload::verify(&decrypted, &from, &to)?;
    println!("\na session with {}", old.sender_key);
    println!("  receives an event of type {}, verified to be from {FRIEND}", event.event_type);

    // Nor does the pickle say when a group session was made. Until that is known, the session is
    // due for rotation.
    let mut room = GroupSession::from_vodozemac_pickle(room)?;
    let policy = RotationPolicy::default();
    assert!(room.rotation_due(&policy, NOW));
    room.set_created_at(old.room_created_at)?;
    let due = room.rotation_due(&policy, NOW);
    println!("\na group session of a day's age is due for rotation: {due}");
    Ok(())
}

struct Pickles {
    account: AccountPickle,
    session: SessionPickle,
    room: GroupSessionPickle,
}

/// What vodozemac would have stored. Its format drops facts but no key, so no message becomes
/// unreadable.
fn vodozemac_pickles(store: &OldStore) -> Result<Pickles> {
    let (account, account_loss) = store.account.to_vodozemac_pickle_lossy()?;
    let (session, session_loss) = store.session.to_vodozemac_pickle_lossy()?;
    let (room, room_loss) = store.room.to_vodozemac_pickle_lossy()?;
    assert!([account_loss, session_loss, room_loss].iter().all(|loss| !loss.drops_keys()));
    assert!(room_loss.created_at);
    Ok(Pickles { account, session, room })
}
