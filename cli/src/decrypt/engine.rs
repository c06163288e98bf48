//! Decrypts many events: those of a session together, and several sessions in parallel.

use std::{
    collections::{BTreeMap, HashMap},
    panic::resume_unwind,
    sync::Mutex,
    thread,
};

use moceril::{
    MessageVersion,
    events::{EventError, MegolmContent},
    megolm::{
        DecryptedMessage, DecryptionError, MegolmMessage, ReplayError, ReplayGuard, ReplayVerdict,
    },
};
use serde_json::{Map, Value, json};

use super::ring::{Known, Ring};
use crate::pickle::object::provenance;

/// What became of an event.
#[derive(Debug)]
pub enum Outcome {
    /// It is not encrypted.
    NotEncrypted,
    Decrypted(Decrypted),
    Refused(Reason),
}

/// The content of an event, and what is known about it.
#[derive(Debug)]
pub struct Decrypted {
    pub event_type: Value,
    pub content: Value,
    pub index: u32,
    pub session_id: String,
    pub provenance: String,
    pub sender_key: String,
    /// What the replay guard says; `replay` if another event had the same index.
    pub replay: &'static str,
}

impl Decrypted {
    pub fn is_replay(&self) -> bool {
        self.replay == REPLAY
    }
}

/// Another event had this index before.
pub const REPLAY: &str = "replay";

/// Why an event stays encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    Malformed(EventError),
    /// It was encrypted for a device, not for a room.
    Olm,
    UnknownSession,
    OtherRoom {
        known: String,
    },
    /// The plaintext names this room.
    WrittenFor {
        room: String,
    },
    BeforeFirst {
        index: u32,
        first_known: u32,
    },
    Forged,
    /// The plaintext is not an event.
    NoEvent,
}

impl Reason {
    /// A name that does not change.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Olm => "for-a-device",
            Self::UnknownSession => "unknown-session",
            Self::OtherRoom { .. } => "other-room",
            Self::WrittenFor { .. } => "written-for-another-room",
            Self::BeforeFirst { .. } => "before-first-known-index",
            Self::Forged => "not-authentic",
            Self::NoEvent => "no-event",
        }
    }

    pub fn text(&self) -> String {
        match self {
            Self::Malformed(error) => error.to_string(),
            Self::Olm => "it was sent to one device, and only that device has the key".into(),
            Self::UnknownSession => "the given keys have none of its session".into(),
            Self::OtherRoom { known } => format!("its session belongs to another room, {known}"),
            Self::WrittenFor { room } => format!("its sender wrote it for another room, {room}"),
            Self::BeforeFirst { index, first_known } => {
                format!("its index is {index}, but the key is known only from {first_known} on")
            }
            Self::Forged => "it was not made by the owner of the session, or was altered".into(),
            Self::NoEvent => "its plaintext is not an event".into(),
        }
    }
}

/// An event of a session, with its place among all.
struct Job {
    place: usize,
    event_id: String,
    room_id: Option<String>,
    message: MegolmMessage,
}

/// The events of a session, and what is known about it.
struct Work {
    session_id: String,
    known: Vec<Known>,
    jobs: Vec<Job>,
}

/// Decrypts these events, in whichever order is fastest; the outcomes are in the order of the
/// events. `room_id` is the room of events that do not name one.
pub fn decrypt(ring: &mut Ring, events: &[Value], room_id: Option<&str>) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(events.len());
    let mut sessions = HashMap::<String, Vec<Job>>::new();
    for (place, event) in events.iter().enumerate() {
        if event.get("type").and_then(Value::as_str) != Some("m.room.encrypted") {
            outcomes.push(Outcome::NotEncrypted);
            continue;
        }
        let text = |name| event.get(name).and_then(Value::as_str).map(str::to_owned);
        let reason = match MegolmContent::from_json(event.get("content").unwrap_or(&Value::Null)) {
            Ok(content) => {
                sessions.entry(content.session_id).or_default().push(Job {
                    place,
                    event_id: text("event_id").unwrap_or_default(),
                    room_id: text("room_id").or_else(|| room_id.map(str::to_owned)),
                    message: content.message,
                });
                // Replaced below. An undecided event must not look like one that is not encrypted.
                Reason::UnknownSession
            }
            Err(error) => unreadable(event, error),
        };
        outcomes.push(Outcome::Refused(reason));
    }
    let work = sessions.into_iter().map(|(session_id, jobs)| {
        let known = ring.take(&session_id);
        Work { session_id, known, jobs }
    });
    for (work, results) in side_by_side(work.collect(), session) {
        for (place, outcome) in results {
            outcomes[place] = outcome;
        }
        ring.put(work.session_id, work.known);
    }
    outcomes
}

fn unreadable(event: &Value, error: EventError) -> Reason {
    let olm = "m.olm.v1.curve25519-aes-sha2";
    let algorithm = event.get("content").and_then(|content| content.get("algorithm"));
    if algorithm.and_then(Value::as_str) == Some(olm) {
        Reason::Olm
    } else {
        Reason::Malformed(error)
    }
}

type Done = (Work, Vec<(usize, Outcome)>);

/// Works through the sessions with as many threads as there are processors.
fn side_by_side(
    work: Vec<Work>,
    decrypt: impl Fn(&mut Work) -> Vec<(usize, Outcome)> + Sync,
) -> Vec<Done> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(work.len());
    let queue = Mutex::new(work.into_iter());
    let next = || queue.lock().ok()?.next();
    let run = || {
        let mut done = Vec::new();
        while let Some(mut work) = next() {
            let results = decrypt(&mut work);
            done.push((work, results));
        }
        done
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let done = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        done.flatten().collect()
    })
}

/// Decrypts the events of one session.
fn session(work: &mut Work) -> Vec<(usize, Outcome)> {
    let mut outcomes = Vec::with_capacity(work.jobs.len());
    let mut left: Vec<_> = work.jobs.iter().map(|job| (job, Reason::UnknownSession)).collect();
    for known in &mut work.known {
        let (here, elsewhere): (Vec<_>, Vec<_>) = left.into_iter().partition(|(job, _)| {
            job.room_id.as_ref().is_none_or(|room_id| *room_id == known.room_id)
        });
        let room_id = &known.room_id;
        left = elsewhere
            .into_iter()
            .map(|(job, _)| (job, Reason::OtherRoom { known: room_id.clone() }))
            .collect();
        for (version, jobs) in by_version(here.into_iter().map(|(job, _)| job)) {
            let messages = jobs.iter().map(|job| &job.message);
            let results = known.in_version(version).decrypt_batch(messages);
            for (job, result) in jobs.into_iter().zip(results) {
                match result {
                    Ok(message) => {
                        outcomes.push((job.place, opened(known, &work.session_id, job, &message)));
                    }
                    Err(error) => left.push((job, refused(error))),
                }
            }
        }
    }
    outcomes.extend(left.into_iter().map(|(job, reason)| (job.place, Outcome::Refused(reason))));
    outcomes
}

/// The events of each version of messages: a session has messages of one version only, unless
/// somebody forges some.
fn by_version<'a>(jobs: impl Iterator<Item = &'a Job>) -> BTreeMap<MessageVersion, Vec<&'a Job>> {
    let mut versions = BTreeMap::<_, Vec<_>>::new();
    for job in jobs {
        versions.entry(job.message.version()).or_default().push(job);
    }
    versions
}

fn refused(error: DecryptionError) -> Reason {
    match error {
        DecryptionError::UnknownIndex { index, first_known } => {
            Reason::BeforeFirst { index, first_known }
        }
        _ => Reason::Forged,
    }
}

/// The content of a decrypted message: the event that its sender meant for this room.
fn opened(known: &mut Known, session_id: &str, job: &Job, message: &DecryptedMessage) -> Outcome {
    let Ok(Value::Object(mut event)) = serde_json::from_slice(message.plaintext()) else {
        return Outcome::Refused(Reason::NoEvent);
    };
    // The server chooses the room in which it shows an event; the sender chooses the encrypted one.
    match event.get("room_id").and_then(Value::as_str) {
        Some(room_id) if room_id == known.room_id => {}
        Some(room_id) => {
            return Outcome::Refused(Reason::WrittenFor { room: room_id.to_owned() });
        }
        None => return Outcome::Refused(Reason::NoEvent),
    }
    let (Some(event_type), Some(content)) = (event.remove("type"), event.remove("content")) else {
        return Outcome::Refused(Reason::NoEvent);
    };
    let guard = known.guard.get_or_insert_with(|| Box::new(ReplayGuard::new(&known.session)));
    let replay = match guard.check(message, &job.event_id) {
        Ok(ReplayVerdict::First) => "first",
        Ok(ReplayVerdict::Again) => "again",
        Ok(_) => "unknown",
        Err(ReplayError::Replayed { .. } | _) => REPLAY,
    };
    Outcome::Decrypted(Decrypted {
        event_type,
        content,
        index: message.message_index(),
        session_id: session_id.to_owned(),
        provenance: provenance(message.provenance()),
        sender_key: known.sender_key.clone(),
        replay,
    })
}

/// The name of the member with our findings.
const FINDINGS: &str = "moceril";

/// Removes all members with this name, because the sender of an event could write findings into it.
fn remove_findings(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove(FINDINGS);
            members.values_mut().for_each(remove_findings);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_findings),
        _ => {}
    }
}

/// The event with our findings. Only decrypted content, which its sender has written, can have
/// other members with that name.
pub fn annotated(mut event: Value, outcome: Outcome) -> Value {
    remove_findings(&mut event);
    let mut event = match event {
        Value::Object(event) => event,
        other => Map::from_iter([("event".to_owned(), other)]),
    };
    let findings = match outcome {
        Outcome::NotEncrypted => return Value::Object(event),
        Outcome::Refused(reason) => json!({ "error": reason.name(), "text": reason.text() }),
        Outcome::Decrypted(mut decrypted) => {
            let findings = json!({
                "session_id": decrypted.session_id,
                "index": decrypted.index,
                "provenance": decrypted.provenance,
                "sender_key": decrypted.sender_key,
                "replay": decrypted.replay,
            });
            // Relations are not encrypted, so that the server can group events.
            let relation = event.get("content").and_then(|content| content.get("m.relates_to"));
            if let (Some(relation), Value::Object(content)) = (relation, &mut decrypted.content) {
                content.entry("m.relates_to").or_insert_with(|| relation.clone());
            }
            event.insert("type".into(), decrypted.event_type);
            event.insert("content".into(), decrypted.content);
            findings
        }
    };
    event.insert(FINDINGS.into(), findings);
    Value::Object(event)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use moceril::{
        megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
        room_keys::ExportedRoomKey,
    };

    use super::*;

    const ROOM: &str = "!room:example.org";

    /// A ring with the key of this session.
    fn ring_for(sender: &GroupSession) -> Ring {
        let key = InboundGroupSession::new(&sender.session_key()).export_at(0).unwrap();
        let mut ring = Ring::default();
        ring.add(&ExportedRoomKey::with_unknown_sender(ROOM, key)).unwrap();
        ring
    }

    fn event(sender: &GroupSession, message: MegolmMessage, event_id: &str) -> Value {
        let content = MegolmContent::new(&sender.session_id(), message).to_json();
        json!({ "type": "m.room.encrypted", "event_id": event_id, "room_id": ROOM,
            "content": content })
    }

    /// The outcome for an event in `ROOM` with this plaintext.
    fn outcome_of(plaintext: &Value) -> Outcome {
        let mut sender = GroupSession::new(Duration::ZERO).unwrap();
        let mut ring = ring_for(&sender);
        let message = sender.encrypt(plaintext.to_string()).unwrap();
        decrypt(&mut ring, &[event(&sender, message, "$1")], None).remove(0)
    }

    /// No file of keys says of which version a session is.
    #[test]
    fn messages_of_every_version_are_decrypted() {
        let plaintext = json!({ "type": "m.a", "content": {}, "room_id": ROOM }).to_string();
        for version in [MessageVersion::V3, MessageVersion::V4] {
            let config = GroupSessionConfig::default().with_version(version);
            let mut sender = GroupSession::with_config(config).unwrap();
            let mut ring = ring_for(&sender);
            let [one, two] = [(); 2].map(|()| sender.encrypt(&plaintext).unwrap());
            assert_eq!(one.version(), version);
            let mut altered = two.as_bytes().to_vec();
            altered[20] ^= 1;
            let altered = MegolmMessage::from_bytes(&altered).unwrap();
            let events = [
                event(&sender, one, "$1"),
                event(&sender, two.clone(), "$2"),
                event(&sender, altered, "$3"),
                event(&sender, two, "$4"),
            ];
            let outcomes: Vec<_> = decrypt(&mut ring, &events, None)
                .into_iter()
                .map(|outcome| match outcome {
                    Outcome::Decrypted(decrypted) => (decrypted.replay, decrypted.provenance),
                    Outcome::Refused(reason) => (reason.name(), String::new()),
                    Outcome::NotEncrypted => panic!("encrypted"),
                })
                .collect();
            let exported = |replay| (replay, "exported".to_owned());
            let refused = ("not-authentic", String::new());
            let expected = [exported("first"), exported("first"), refused, exported("replay")];
            assert_eq!(outcomes, expected, "{version:?}");
        }
    }

    #[test]
    fn the_room_in_the_plaintext_is_that_of_the_session() {
        let plaintext = |room| json!({ "type": "m.a", "content": {}, "room_id": room });
        assert!(matches!(outcome_of(&plaintext(ROOM)), Outcome::Decrypted(_)));
        let Outcome::Refused(reason) = outcome_of(&plaintext("!other")) else { panic!("opened") };
        assert_eq!(reason, Reason::WrittenFor { room: "!other".into() });
        assert_eq!(reason.text(), "its sender wrote it for another room, !other");
        let without = json!({ "type": "m.a", "content": {} });
        assert!(matches!(outcome_of(&without), Outcome::Refused(Reason::NoEvent)));
    }

    #[test]
    fn findings_are_only_those_of_the_command() {
        let forged = json!({ "provenance": "signed" });
        let event = json!({
            "moceril": forged,
            "content": { "moceril": forged, "m.relates_to": { "moceril": forged, "a": 1 } },
            "unsigned": { "relations": [{ "latest": { "moceril": forged, "type": "m.a" } }] },
        });
        let rest = json!({
            "content": { "m.relates_to": { "a": 1 } },
            "unsigned": { "relations": [{ "latest": { "type": "m.a" } }] },
        });
        assert_eq!(annotated(event.clone(), Outcome::NotEncrypted), rest);
        let list = json!({ "event": [[rest]] });
        assert_eq!(annotated(json!([[event]]), Outcome::NotEncrypted), list);

        let mut refused = rest.clone();
        let reason = Reason::UnknownSession;
        refused["moceril"] = json!({ "error": reason.name(), "text": reason.text() });
        assert_eq!(annotated(event.clone(), Outcome::Refused(reason)), refused);

        let plaintext = json!({ "type": "m.a", "content": { "moceril": 1 }, "room_id": ROOM });
        let decrypted = annotated(event, outcome_of(&plaintext));
        assert_eq!(decrypted["moceril"]["provenance"], "exported");
        assert_eq!(decrypted["content"], json!({ "moceril": 1, "m.relates_to": { "a": 1 } }));
        assert_eq!(decrypted["unsigned"], rest["unsigned"]);
    }

    /// A thread that panics must not leave its events as they were.
    #[test]
    #[should_panic(expected = "of one session")]
    fn a_panic_is_no_outcome() {
        let work = ["one", "two"].map(|id| Work {
            session_id: id.into(),
            known: Vec::new(),
            jobs: Vec::new(),
        });
        side_by_side(work.into(), |work| {
            assert_ne!(work.session_id, "two", "of one session");
            Vec::new()
        });
    }
}
