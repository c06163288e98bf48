//! Reads an account and a session that libolm stored, and stores them as native pickles.
//!
//! The pickles were recorded from libolm, with the messages that were still on their way. A client
//! that changes libraries does the same with each row of its store, once:
//! `Session::from_libolm_pickle`, `set_identity_keys`, then `pickle`.
//!
//! `cargo run --features payload --example migrate_from_libolm`

mod migrating;

use moceril::{
    PickleKey,
    megolm::{GroupSession, RotationPolicy},
    olm::{Account, OlmMessage, Session},
    payload::OlmPayload,
};

use migrating::{FRIEND, NEW_KEY, NOW, OldStore, Recording, Result, US, context, device, readable};

const ACCOUNT: &str = "libolm-account-pickle/libolm-published-v3.txt";
const SESSION: &str = "libolm-session-pickle/libolm-skipped-keys.txt";

/// The key with which the old store called libolm.
const OLD_KEY: &[u8] = b"the key of the old store";

fn main() -> Result<()> {
    let new_key = PickleKey::from_bytes(NEW_KEY);

    let recording = Recording::read(ACCOUNT)?;
    let account = Account::from_libolm_pickle(recording.one("pickle")?, recording.key()?)?;
    let row = context("account");
    let stored = account.pickle(&new_key, &row)?;
    let account = Account::from_pickle(&stored, &new_key, &row)?;
    println!("the account {}", account.curve25519_key());
    println!("  has {} one-time keys", account.stored_one_time_key_count());
    println!("  is now a native pickle of {} characters", stored.len());

    let recording = Recording::read(SESSION)?;
    let session = Session::from_libolm_pickle(recording.one("pickle")?, recording.key()?)?;
    let row = context(&session.session_id());
    let stored = session.pickle(&new_key, &row)?;
    let mut session = Session::from_pickle(&stored, &new_key, &row)?;
    println!("\n{}", session.describe());
    println!("  is now a native pickle of {} characters", stored.len());
    for [_, kind, body, _] in recording.steps()? {
        let message = OlmMessage::from_parts(kind.parse()?, body)?;
        let late = session.decrypt(&message)?;
        println!("  still reads the late message {}", readable(late.plaintext()));
    }
    go_on(&new_key)
}

/// The session continues, the sender of its next event is verified, and a group session is judged
/// by its age.
fn go_on(new_key: &PickleKey) -> Result<()> {
    let old = OldStore::new()?;
    let Pickles { account, session, room } = libolm_pickles(&old)?;
    let account = Account::from_libolm_pickle(&account, OLD_KEY)?;
    let mut session = Session::from_libolm_pickle(&session, OLD_KEY)?;
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
    let mut room = GroupSession::from_libolm_pickle(&room, OLD_KEY)?;
    let policy = RotationPolicy::default();
    assert!(room.rotation_due(&policy, NOW));
    room.set_created_at(old.room_created_at)?;
    let due = room.rotation_due(&policy, NOW);
    println!("\na group session of a day's age is due for rotation: {due}");
    Ok(())
}

struct Pickles {
    account: String,
    session: String,
    room: String,
}

/// What libolm would have stored. Its format drops facts but no key, so no message becomes
/// unreadable.
fn libolm_pickles(store: &OldStore) -> Result<Pickles> {
    let (account, account_loss) = store.account.to_libolm_pickle_lossy(OLD_KEY)?;
    let (session, session_loss) = store.session.to_libolm_pickle_lossy(OLD_KEY)?;
    let (room, room_loss) = store.room.to_libolm_pickle_lossy(OLD_KEY)?;
    assert!([account_loss, session_loss, room_loss].iter().all(|loss| !loss.drops_keys()));
    assert!(room_loss.created_at);
    Ok(Pickles { account, session, room })
}
