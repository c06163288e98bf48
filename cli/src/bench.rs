//! `moceril bench`: how fast the library's operations are on this machine.

use std::{
    hint::black_box,
    io::Write,
    time::{Duration, Instant},
};

use clap::Args;
use moceril::{
    key_export,
    megolm::{GroupSession, InboundGroupSession, MegolmMessage},
    olm::{Account, PreKeyBundle, Session},
};
use serde_json::json;

use crate::{
    failure::{Failure, Result},
    output::stdout,
};

/// Measure how fast this machine encrypts and decrypts
///
/// Each operation runs for the given time; the median of its runs is shown.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril bench
  moceril bench --milliseconds 2000 --json")]
pub struct Bench {
    /// How long each operation runs
    #[arg(long, value_name = "NUMBER", default_value_t = 300)]
    milliseconds: u64,
}

/// The longest bar.
const WIDTH: usize = 40;
/// The messages of a batch.
const BATCH: usize = 256;

/// A measured operation.
struct Measured {
    name: &'static str,
    median: Duration,
}

/// The median time of an operation. `prepare` is not part of it.
fn measure<T, R>(
    name: &'static str,
    time: Duration,
    mut prepare: impl FnMut() -> Result<T>,
    mut run: impl FnMut(T) -> R,
) -> Result<Measured> {
    let (start, mut runs) = (Instant::now(), Vec::new());
    while runs.is_empty() || start.elapsed() < time {
        let input = prepare()?;
        let begin = Instant::now();
        let output = black_box(run(black_box(input)));
        runs.push(begin.elapsed());
        drop(output);
    }
    runs.sort_unstable();
    Ok(Measured { name, median: runs[runs.len() / 2] })
}

fn failed(error: impl Into<moceril::Error>) -> Failure {
    Failure::file(error.into())
}

/// Both ends of a conversation.
fn conversation() -> Result<(Session, Session)> {
    let (alice, mut bob) = (Account::new().map_err(failed)?, Account::new().map_err(failed)?);
    bob.generate_one_time_keys(1).map_err(failed)?;
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &bob.signed_one_time_keys()[0].1);
    let bundle = bundle.map_err(failed)?;
    let mut ours = alice.create_outbound_session(&bundle).map_err(failed)?;
    let message = ours.encrypt("hello").map_err(failed)?;
    let Some(pre_key) = message.as_pre_key() else {
        return Err(Failure::finding("a session did not begin with a pre-key message"));
    };
    let theirs = bob.create_inbound_session(alice.curve25519_key(), pre_key).map_err(failed)?;
    Ok((ours, theirs.session))
}

/// A session of a room, and its messages.
fn room(count: usize) -> Result<(InboundGroupSession, Vec<MegolmMessage>)> {
    let mut session = GroupSession::new(Duration::ZERO).map_err(failed)?;
    let inbound = InboundGroupSession::new(&session.session_key());
    let text = [b'x'; 200];
    let messages: std::result::Result<_, _> = (0..count).map(|_| session.encrypt(text)).collect();
    Ok((inbound, messages.map_err(failed)?))
}

fn measure_all(time: Duration) -> Result<Vec<Measured>> {
    let nothing = || Ok(());
    let (mut ours, _) = conversation()?;
    let (_, messages) = room(1)?;
    let mut outbound = GroupSession::new(Duration::ZERO).map_err(failed)?;
    let (exported, _) = room(0)?;
    let exported = exported.export_at_first_known_index().map_err(failed)?;
    Ok(vec![
        measure("make an account", time, nothing, |()| Account::new())?,
        measure("begin a conversation", time, nothing, |()| conversation())?,
        measure("Olm: encrypt", time, nothing, |()| ours.encrypt("hello"))?,
        measure(
            "Olm: decrypt",
            time,
            || {
                let (mut theirs, ours) = conversation()?;
                Ok((theirs.encrypt("hello").map_err(failed)?, ours))
            },
            |(message, mut ours)| ours.decrypt(&message),
        )?,
        measure("Megolm: encrypt", time, nothing, |()| outbound.encrypt([b'x'; 200]))?,
        measure(
            "Megolm: decrypt",
            time,
            || room(1),
            |(mut session, messages)| session.decrypt(&messages[0]),
        )?,
        measure(
            "Megolm: decrypt 256",
            time,
            || room(BATCH),
            |(mut session, messages)| session.decrypt_batch(&messages),
        )?,
        measure("Megolm: import a key", time, nothing, |()| {
            InboundGroupSession::import(&exported)
        })?,
        measure("read a message", time, nothing, |()| {
            MegolmMessage::from_bytes(messages[0].as_bytes())
        })?,
        measure("key file: 100,000 rounds", time, nothing, |()| {
            key_export::encrypt(&String::from("[]").into(), "passphrase", key_export::MIN_ROUNDS)
        })?,
    ])
}

pub fn run(args: &Bench, json: bool) -> Result<()> {
    let measured = measure_all(Duration::from_millis(args.milliseconds))?;
    let longest = measured.iter().map(|one| one.median.as_nanos()).max().unwrap_or(1);
    let mut out = stdout();
    for Measured { name, median } in &measured {
        if json {
            let line = json!({ "operation": name, "nanoseconds": median.as_nanos() as u64 });
            writeln!(out, "{line}")?;
        } else {
            let bar = "#".repeat(bar(median.as_nanos(), longest));
            writeln!(
                out,
                "{name:24}  {:>12}  {bar}",
                format!("{:.1} µs", median.as_secs_f64() * 1e6)
            )?;
        }
    }
    if !json {
        writeln!(out, "The scale is logarithmic: each further # stands for 1.5 times the time.")?;
    }
    Ok(out.flush()?)
}

/// The length of a bar: the logarithm to base 1.5, so that the shortest are seen, too.
fn bar(nanoseconds: u128, longest: u128) -> usize {
    let logarithm = |number: u128| (number.max(1) as f64).log(1.5);
    let length = WIDTH as f64 + logarithm(nanoseconds) - logarithm(longest);
    (length.round().max(1.0)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_runs() {
        let measured = measure_all(Duration::ZERO).unwrap();
        assert_eq!(measured.len(), 10);
    }

    #[test]
    fn bars_are_logarithmic() {
        assert_eq!([bar(1_000, 1_000), bar(1_500, 1_500 * 1_500 / 1_000)], [40, 39]);
        assert_eq!(bar(0, u128::MAX), 1);
    }
}
