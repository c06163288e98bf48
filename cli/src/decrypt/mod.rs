//! `moceril decrypt`: encrypted events of rooms, with the keys of a file.

pub mod engine;
pub mod events;
pub mod ring;

use std::collections::BTreeMap;

use clap::Args;
use serde_json::Value;

use self::{
    engine::{Outcome, annotated},
    events::Events,
    ring::KeyFiles,
};
use crate::{
    failure::{Failure, Result},
    input::Input,
    output::{Content, Output},
    progress,
    report::{counted, printable},
};

/// How many events are in memory at a time, if they are lines.
const BATCH: usize = 8_192;

/// Decrypt the messages of a room with exported keys or the store of a client
///
/// The input is JSON with encrypted events: the homeserver's answers to GET
/// /_matrix/client/v3/rooms/ROOM/messages, a list of events, or one event a line. Chats that a
/// client such as Element exports are decrypted already. Each event is written as one line of JSON,
/// with a member `moceril`: where its key came from, whether its index was used before, or why it
/// stays encrypted. A member `moceril` in the input is left out.
///
/// The server claims the sender, time, event id and relations; only the type, the content, the room
/// and the index are authenticated. The exit code is 1 if some events stay encrypted or are
/// replays, and if no event is encrypted; the output is complete all the same.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril decrypt events.jsonl --keys keys.txt --output messages.jsonl
  moceril decrypt messages.json --keys keys.txt --text --show-secrets | less")]
pub struct Decrypt {
    /// The file with the events; - is standard input
    #[arg(value_name = "EVENTS")]
    pub input: Input,
    #[command(flatten)]
    pub keys: KeyFiles,
    /// The room of events that do not name one, such as those of /sync
    #[arg(long, value_name = "ROOM_ID")]
    pub room: Option<String>,
    /// Write messages as readable lines instead of JSON
    #[arg(long, conflicts_with = "json")]
    text: bool,
    #[command(flatten)]
    output: Output,
}

/// How many events had each outcome.
#[derive(Default)]
struct Counts {
    decrypted: u64,
    replays: u64,
    refused: BTreeMap<&'static str, u64>,
}

impl Counts {
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::NotEncrypted => {}
            Outcome::Decrypted(decrypted) => {
                self.decrypted += 1;
                self.replays += u64::from(decrypted.is_replay());
            }
            Outcome::Refused(reason) => *self.refused.entry(reason.name()).or_default() += 1,
        }
    }

    fn check(&self) -> Result<()> {
        let refused: u64 = self.refused.values().sum();
        if self.decrypted == 0 && refused == 0 {
            return Err(Failure::finding("the input has no encrypted events").hint(
                "take the events from the homeserver: exported chats are decrypted already",
            ));
        }
        if refused == 0 && self.replays == 0 {
            return Ok(());
        }
        let decrypted = counted(self.decrypted, "event was decrypted", "events were decrypted");
        let text = format!("{decrypted}, and {}", counted(refused, "was not", "were not"));
        let mut failure = Failure::finding(text);
        for (name, count) in &self.refused {
            failure = failure.detail(format_args!("{count} {name}"));
        }
        if self.replays > 0 {
            failure = failure.detail(counted(
                self.replays,
                "replay of another event",
                "replays of other events",
            ));
        }
        Err(failure.hint("run moceril explain, which says what would help"))
    }
}

pub fn run(args: &Decrypt, show_secrets: bool) -> Result<()> {
    let content = Content::Secret { shown: show_secrets };
    args.output.check(content)?;
    let (mut ring, refusals) = args.keys.ring(&args.input)?;
    let mut events = Events::open(&args.input)?;
    let mut counts = Counts::default();
    args.output.write(content, |out| {
        let progress = progress::counting("events");
        loop {
            let batch = events.take(BATCH)?;
            if batch.is_empty() {
                break;
            }
            let outcomes = engine::decrypt(&mut ring, &batch, args.room.as_deref());
            for (event, outcome) in batch.into_iter().zip(outcomes) {
                progress.inc(1);
                counts.count(&outcome);
                if args.text {
                    writeln!(out, "{}", line(&event, &outcome))?;
                } else {
                    writeln!(out, "{}", annotated(event, outcome))?;
                }
            }
        }
        progress.finish_and_clear();
        Ok(())
    })?;
    refusals.report()?;
    counts.check()
}

/// An event as a readable line.
fn line(event: &Value, outcome: &Outcome) -> String {
    let text = |name| event.get(name).and_then(Value::as_str).unwrap_or("?");
    let time = event.get("origin_server_ts").and_then(Value::as_u64).map_or("?".into(), time);
    let what = match outcome {
        Outcome::Refused(reason) => format!("[not decrypted: {}]", reason.text()),
        Outcome::Decrypted(decrypted) => {
            let warning = if decrypted.is_replay() { "[replay] " } else { "" };
            let body = decrypted.content.get("body").and_then(Value::as_str);
            let event_type = decrypted.event_type.as_str().unwrap_or("?");
            let body = body.map_or_else(|| format!("[{event_type}]"), str::to_owned);
            format!("{warning}{body}")
        }
        Outcome::NotEncrypted => {
            let body = event.get("content").and_then(|content| content.get("body"));
            let body = body.and_then(Value::as_str).map(|body| format!("[not encrypted] {body}"));
            body.unwrap_or_else(|| format!("[{}]", text("type")))
        }
    };
    printable(&format!("{time} {}: {what}", text("sender")))
}

/// Milliseconds since 1970 as date and time of UTC.
fn time(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    let (days, seconds) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March, so that
    // the leap day is the last one.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + later;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{date:02} {hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates() {
        for (milliseconds, expected) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_400_000, "2000-02-29 00:00:00Z"),
            (1_709_251_199_999, "2024-02-29 23:59:59Z"),
            (1_735_689_600_000, "2025-01-01 00:00:00Z"),
            (4_107_542_400_000, "2100-03-01 00:00:00Z"),
        ] {
            assert_eq!(time(milliseconds), expected);
        }
        // The largest number a server can send.
        assert!(time(u64::MAX).starts_with("584556"));
    }
}
