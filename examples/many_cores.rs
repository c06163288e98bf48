//! Decrypts 10,000 events of 200 sessions with one thread, and with as many as there are cores.
//!
//! Sessions share nothing, so the work is divided by session; the crate itself starts no threads.
//!
//! `cargo run --release --example many_cores`

use std::{
    error::Error,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use moceril::megolm::{GroupSession, InboundGroupSession, MegolmMessage, SessionKey};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SESSIONS: usize = 200;
const EVENTS_OF_EACH: usize = 50;

/// A session's key and events, as a client has them when it starts.
struct Stored {
    key: SessionKey,
    events: Vec<String>,
}

/// The events that members of rooms have sent.
fn rooms() -> Result<Vec<Stored>> {
    (0..SESSIONS)
        .map(|_| {
            let mut room = GroupSession::new(Duration::ZERO)?;
            let key = room.session_key();
            let events = (0..EVENTS_OF_EACH)
                .map(|number| Ok(room.encrypt(format!("event {number}"))?.to_base64()))
                .collect::<Result<_>>()?;
            Ok(Stored { key, events })
        })
        .collect()
}

/// Parses and decrypts all events of one session together. Returns how many could be read.
fn open(room: &Stored) -> usize {
    let mut session = InboundGroupSession::new(&room.key);
    let events: Vec<_> =
        room.events.iter().filter_map(|event| MegolmMessage::from_base64(event).ok()).collect();
    session.decrypt_batch(&events).iter().filter(|decrypted| decrypted.is_ok()).count()
}

/// Each thread takes the next session until none is left. Returns the number of events read, and
/// the time.
fn open_all(rooms: &[Stored], threads: usize) -> (usize, Duration) {
    let start = Instant::now();
    let work = Mutex::new(rooms.iter());
    // The lock is held only while the next session is taken.
    let next = || work.lock().ok()?.next();
    let run = || std::iter::from_fn(next).map(open).sum::<usize>();
    let read = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
    });
    (read, start.elapsed())
}

fn main() -> Result<()> {
    let rooms = rooms()?;
    let cores = thread::available_parallelism()?.get();
    let (read, alone) = open_all(&rooms, 1);
    println!("{read} events with one thread:  {alone:?}");
    let (read_by_all, together) = open_all(&rooms, cores);
    println!("{read_by_all} events with {cores} threads: {together:?}");
    println!("{:.2} times as fast", alone.as_secs_f64() / together.as_secs_f64());
    if (read, read_by_all) != (SESSIONS * EVENTS_OF_EACH, SESSIONS * EVENTS_OF_EACH) {
        return Err("an event could not be read".into());
    }
    Ok(())
}
