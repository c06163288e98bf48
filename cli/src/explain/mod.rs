//! `moceril explain`: why an event cannot be decrypted or a pickle cannot be opened, and what would
//! help.

mod pickle;

use clap::Args;
use moceril::events::MegolmContent;
use serde_json::Value;

use crate::{
    decrypt::{
        engine::{self, Outcome, Reason},
        events::Events,
        ring::{KeyFiles, Known, Ring},
    },
    failure::{Failure, Result},
    input::Input,
    pickle::object::AnyKey,
    report::{self, Report},
    secrets::Secret,
};

/// How many events are in memory at a time, if they are lines.
const BATCH: usize = 1_024;

/// Say why messages cannot be decrypted or a pickle cannot be opened, and what would help
///
/// For messages, give the available keys with --keys or --store; the messages are not printed. For
/// a pickle, the stored account or session of a client, give --pickle-key; without it, only the
/// form of the pickle is examined.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril explain event.json --keys keys.txt
  moceril explain events.jsonl --store bot.db --store-key env:PICKLE_KEY --room '!a:example.org'
  moceril explain account.pickle --pickle-key env:PICKLE_KEY")]
pub struct Explain {
    /// The file with the events or the pickle; - is standard input
    #[arg(value_name = "FILE")]
    input: Input,
    #[command(flatten)]
    keys: KeyFiles,
    /// The room of events that do not name one, such as those of /sync
    #[arg(long, value_name = "ROOM_ID")]
    room: Option<String>,
    /// Where the key of the pickle is: file:PATH, env:NAME, fd:NUMBER or prompt
    #[arg(long, value_name = "SOURCE", conflicts_with = "room")]
    pickle_key: Option<Secret>,
    /// The context of a pickle that moceril wrote
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    context: String,
}

pub fn run(args: &Explain, json: bool) -> Result<()> {
    if args.pickle_key.is_some() || !args.keys.are_named() {
        let text = args.input.text()?;
        let key = args.pickle_key.as_ref();
        if let Some(key) = key {
            let key = AnyKey::read(Some(key), &args.context)?;
            return pickle::with_key(text.trim(), &key, json);
        }
        if let Some(report) =
            pickle::without_key(text.trim()).map_err(|failure| failure.at(args.input.name()))?
        {
            return report.print(json);
        }
    }
    events(args, json)
}

fn events(args: &Explain, json: bool) -> Result<()> {
    let (mut ring, refusals) = args.keys.ring(&args.input)?;
    let mut events = Events::open(&args.input)?;
    let (mut encrypted, mut unread) = (0_u64, 0_u64);
    loop {
        let batch = events.take(BATCH)?;
        if batch.is_empty() {
            break;
        }
        let outcomes = engine::decrypt(&mut ring, &batch, args.room.as_deref());
        let mut reports = Vec::new();
        for (event, outcome) in batch.iter().zip(outcomes) {
            encrypted += u64::from(!matches!(outcome, Outcome::NotEncrypted));
            if let Some(report) = explain(event, &outcome, &ring, args.room.as_deref()) {
                unread += 1;
                reports.push(report);
            }
        }
        report::print(&reports, json)?;
    }
    refusals.report()?;
    match (encrypted, unread) {
        (0, _) => Err(Failure::input("the input has no encrypted events")
            .at(args.input.name())
            .hint("take the events from the homeserver, where their type is m.room.encrypted")),
        (_, 0) => Report::new("every encrypted event can be decrypted")
            .with("events", encrypted)
            .with("sessions known", ring.len())
            .print(json),
        _ => Err(Failure::finding(format_args!(
            "{unread} of {encrypted} encrypted events cannot be read or are replays"
        ))),
    }
}

/// What there is to say about an event; `None` if nothing is wrong with it.
fn explain(event: &Value, outcome: &Outcome, ring: &Ring, room: Option<&str>) -> Option<Report> {
    let (name, what) = match outcome {
        Outcome::NotEncrypted => return None,
        Outcome::Decrypted(decrypted) if decrypted.is_replay() => {
            (engine::REPLAY, String::from("another event used its index before"))
        }
        Outcome::Decrypted(_) => return None,
        Outcome::Refused(reason) => (reason.name(), reason.text()),
    };
    let text = |name| event.get(name).and_then(Value::as_str);
    let room = text("room_id").or(room);
    let content = MegolmContent::from_json(event.get("content").unwrap_or(&Value::Null)).ok();
    let known = content.as_ref().map_or(&[][..], |content| ring.get(&content.session_id));
    let sender_key = content.as_ref().and_then(|content| content.other.get("sender_key"));
    let sender_key = sender_key.and_then(Value::as_str);
    let report = Report::new(format!("{name}: {what}"))
        .with_some("event", text("event_id"))
        .with_some("sender", text("sender"))
        .with_some("room", room)
        .with_some("session id", content.as_ref().map(|content| content.session_id.clone()))
        .with_some("message index", content.as_ref().map(|content| content.message.message_index()))
        .with("known", known_in_words(known, ring, room, sender_key))
        .with("what helps", advice(outcome));
    Some(report)
}

/// What the key files have about the session, its room and its sender.
fn known_in_words(
    known: &[Known],
    ring: &Ring,
    room: Option<&str>,
    sender_key: Option<&str>,
) -> Vec<Value> {
    let mut lines: Vec<_> = known
        .iter()
        .map(|known| {
            let first = known.session.first_known_index();
            format!("this session from index {first} on, for the room {}", known.room_id)
        })
        .collect();
    if known.is_empty()
        && let Some(room) = room
    {
        let (mut sessions, mut same) = (0_u64, 0_u64);
        for other in ring.room(room) {
            sessions += 1;
            same += u64::from(sender_key == Some(&other.sender_key));
        }
        lines.push(format!("{sessions} other sessions of this room"));
        if sender_key.is_some() {
            lines.push(format!("{same} of them from the same device"));
        }
    }
    lines.into_iter().map(Value::from).collect()
}

/// What would make the event readable.
fn advice(outcome: &Outcome) -> Vec<Value> {
    let advice: &[&str] = match outcome {
        Outcome::Refused(Reason::UnknownSession) => &[
            "an export from a device that reads the message: moceril keys merge adds it",
            "the backup of the account: moceril backup restore",
            "another device of the same user that can send the key",
        ],
        Outcome::Refused(Reason::BeforeFirst { .. }) => &[
            "an export from a device that was in the room when the message was sent",
            "a device that joined the room later does not have the earlier part of the key",
        ],
        Outcome::Refused(Reason::OtherRoom { .. }) => &[
            "nothing: the event is shown in a room for which its sender did not encrypt it",
            "the right room id, if it was given with --room",
        ],
        Outcome::Refused(Reason::WrittenFor { .. }) => &[
            "nothing: its sender did not encrypt it for the room of its session",
            "if the file of keys is at fault, an export from another client",
        ],
        Outcome::Refused(Reason::Forged) => &[
            "the event again from the server: it may have been cut or altered on its way",
            "do not trust the event as it is: the owner of its session did not make it",
        ],
        Outcome::Refused(Reason::Malformed(_)) => {
            &["the event again from the server; other clients cannot read it either"]
        }
        Outcome::Refused(Reason::Olm) => &["the device to which it was sent"],
        Outcome::Refused(Reason::NoEvent) => {
            &["nothing: the sender's client encrypted something else than an event"]
        }
        Outcome::Decrypted(_) | Outcome::NotEncrypted => &[
            "nothing: one message is shown as two events, which only a server can do, or a client",
            "that used an index twice; trust the one that came first",
        ],
    };
    advice.iter().map(|line| Value::from(*line)).collect()
}
