//! `moceril inspect`: which of Matrix's forms this is, and what it holds.

pub mod json;
pub mod text;

use clap::Args;
use moceril::key_export::{self, KeyExportError};

use zeroize::Zeroizing;

use crate::{
    failure::{Failure, Result},
    input::{self, Input},
    keys::summary,
    pickle::object::AnyKey,
    report::Report,
    secrets::Secret,
};

/// Say what a file or text is, and what is in it
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril inspect unknown.txt
  echo AwgAEhB... | moceril inspect -")]
pub struct Inspect {
    /// The file; - is standard input
    #[arg(value_name = "FILE")]
    input: Input,
    /// Where the key of a pickle is: file:PATH, env:NAME, fd:NUMBER or prompt
    #[arg(long, value_name = "SOURCE")]
    pickle_key: Option<Secret>,
    /// The context of a pickle that moceril wrote
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    context: String,
    /// Where the passphrase of a file of exported keys is: file:PATH, env:NAME, fd:NUMBER or prompt
    #[arg(long, value_name = "SOURCE")]
    passphrase: Option<Secret>,
}

pub fn run(args: &Inspect, json: bool) -> Result<()> {
    let bytes = args.input.bytes()?;
    let report = recognise(bytes, args).map_err(|failure| failure.at(args.input.name()))?;
    report.print(json)?;
    if report.has_problems() {
        return Err(Failure::finding(format_args!("found {}; see above", report.problem_count())));
    }
    Ok(())
}

fn recognise(bytes: Zeroizing<Vec<u8>>, args: &Inspect) -> Result<Report> {
    if bytes.is_empty() {
        return Err(Failure::input("expected a text or a file of Matrix, but it is empty"));
    }
    if bytes.starts_with(b"SQLite format 3\0") {
        return Ok(Report::new("SQLite database")
            .with("perhaps", "the store of a client, bot or bridge: moceril store check FILE"));
    }
    if let Some(report) = text::binary(&bytes) {
        return Ok(report);
    }
    let whole = input::text(bytes)?;
    let text = whole.trim();
    match key_export::rounds(text) {
        Err(KeyExportError::NoHeader) => {}
        rounds => return key_file(text, rounds, args.passphrase.as_ref()),
    }
    if text.starts_with(['{', '[']) {
        return json::recognise(text);
    }
    if let Some(source) = &args.pickle_key {
        return pickle(text, source, &args.context);
    }
    text::recognise(text)
}

/// A file of exported keys; with its passphrase, also what it holds.
fn key_file(
    text: &str,
    rounds: std::result::Result<u32, KeyExportError>,
    passphrase: Option<&Secret>,
) -> Result<Report> {
    let report = Report::new("file of exported room keys, encrypted with a passphrase");
    let rounds = match rounds {
        Ok(rounds) => rounds,
        Err(error) => return Ok(report.problem(error.to_string())),
    };
    let mut report = report.with("rounds", rounds);
    if rounds < key_export::MIN_ROUNDS {
        let minimum = key_export::MIN_ROUNDS;
        report = report.problem(format!("a passphrase needs at least {minimum} rounds of hashing"));
    }
    if passphrase.is_none() {
        return Ok(report.with("keys", "--passphrase SOURCE shows what is in it"));
    }
    let passphrase = Secret::text(passphrase, "passphrase")?;
    let json = key_export::decrypt(text, &passphrase, key_export::MAX_ROUNDS);
    let json = json.map_err(crate::keys::load::refused)?;
    Ok(summary(report, &json))
}

/// A pickle, of whichever format the key opens.
fn pickle(text: &str, source: &Secret, context: &str) -> Result<Report> {
    match AnyKey::read(Some(source), context)?.open(text) {
        Ok((object, format)) => {
            Ok(object.report().with("format", format!("{format:?}").to_lowercase()))
        }
        Err(refusals) => {
            let failure = Failure::key("the key opens this pickle in no format")
                .hint("run moceril explain, which says why a pickle does not open");
            Err(refusals.iter().fold(failure, Failure::detail))
        }
    }
}
