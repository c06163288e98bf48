//! `moceril store`: the databases in which clients keep accounts and sessions.

mod database;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use self::database::{Database, Tally};
use crate::{
    failure::{Failure, Result},
    output::Output,
    pickle::{
        losses::{self, Fact},
        object::{Format, Key, Object},
    },
    progress,
    report::Report,
    secrets::Secret,
};

/// Check the database of a client, or move it from one library to another
///
/// Known are the SQLite stores of matrix-nio and mautrix-python.
#[derive(Subcommand, Debug)]
pub enum Store {
    Check(Check),
    Migrate(Migrate),
}

/// Who writes the pickles of a store.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Writer {
    /// libolm, by python-olm: a key of any length
    Libolm,
    /// vodozemac: a key of 32 bytes
    Vodozemac,
}

impl Writer {
    fn key(self, source: Option<&Secret>, what: &str) -> Result<Key> {
        let format = match self {
            Self::Libolm => Format::Libolm,
            Self::Vodozemac => Format::Vodozemac,
        };
        Key::read(format, source, "", what)
    }
}

/// The store that is read.
#[derive(Args, Debug)]
struct Source {
    /// The SQLite file, which is only read
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the key of its pickles is: file:PATH, env:NAME, fd:NUMBER or prompt
    ///
    /// matrix-nio calls it pickle_key, and has DEFAULT_KEY if the bot says nothing. Bridges of
    /// mautrix-python have it in their configuration.
    #[arg(long, value_name = "SOURCE")]
    key: Option<Secret>,
}

/// Open every pickle of a store, and say which do not open
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril store check bot.db
  moceril store check bot.db --key env:PICKLE_KEY --format vodozemac --json")]
pub struct Check {
    #[command(flatten)]
    source: Source,
    /// Who wrote the pickles
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "libolm")]
    format: Writer,
}

/// Write a copy of a store with the pickles of another library, or under another key
///
/// Each pickle is opened again after it was written. If one cannot be moved, there is no copy.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril store migrate bot.db --from libolm --to vodozemac --output new.db
  moceril store migrate bot.db --from libolm --to libolm --key env:OLD --new-key env:NEW -o new.db")]
pub struct Migrate {
    #[command(flatten)]
    source: Source,
    /// Who wrote the pickles
    #[arg(long, value_enum, value_name = "FORMAT")]
    from: Writer,
    /// Who will read the copy
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Writer,
    /// Where the key of the copy is: file:PATH, env:NAME, fd:NUMBER or prompt
    #[arg(long, value_name = "SOURCE")]
    new_key: Option<Secret>,
    /// What may be lost; more than one can be named, with commas between them
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FACT")]
    accept: Vec<Fact>,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Store, json: bool) -> Result<()> {
    match command {
        Store::Check(args) => {
            let report = check(args)?;
            report.print(json)?;
            if report.has_problems() {
                return Err(Failure::finding("some pickles do not open; see above"));
            }
            Ok(())
        }
        Store::Migrate(args) => migrate(args)?.print(json),
    }
}

fn check(args: &Check) -> Result<Report> {
    let database = Database::open(&args.source.file)?;
    let key = args.format.key(args.source.key.as_ref(), "pickle key")?;
    let mut tally = Tally::default();
    let progress = progress::counting("pickles");
    database.each(|place, pickle| {
        progress.inc(1);
        tally.count(place, open(place, pickle, &key).map(drop))
    })?;
    progress.finish_and_clear();
    tally.refuse_wrong_key()?;
    Ok(tally.report(Report::new("store").with("written by", database.name())))
}

/// The object of a pickle, which has to be the one that its row names.
fn open(place: &database::Place<'_>, pickle: &str, key: &Key) -> Result<Object> {
    let object = Object::open(place.kind(), pickle, key)?;
    match (place.session_id(), object.session_id()) {
        (Some(named), Some(found)) if named != found => {
            Err(Failure::input(format_args!("it is the pickle of another session, {found}")))
        }
        _ => Ok(object),
    }
}

fn migrate(args: &Migrate) -> Result<Report> {
    let target = args
        .output
        .path()
        .ok_or_else(|| Failure::usage("a copy of a store needs a file").hint("--output FILE"))?;
    args.output.check(crate::output::Content::Public)?;
    let database = Database::open(&args.source.file)?;
    let key = args.from.key(args.source.key.as_ref(), "pickle key")?;
    let new_key = args.to.key(args.new_key.as_ref(), "new pickle key")?;
    let copy = database.copy_beside(target)?;
    let (mut tally, mut losses) = (Tally::default(), std::collections::BTreeSet::new());
    let progress = progress::counting("pickles");
    copy.database.rewrite(|place, pickle| {
        progress.inc(1);
        let object = open(place, pickle, &key)?;
        let (pickle, loss) = object.seal(&new_key)?;
        losses::check(loss, &args.accept)?;
        if !loss.is_none() {
            losses.insert(loss.to_string());
        }
        open(place, &pickle, &new_key)?;
        tally.count(place, Ok(()))?;
        Ok(pickle)
    })?;
    progress.finish_and_clear();
    let report = Report::new("store").with("written by", database.name());
    let report = tally.report(report).with("lost", losses.into_iter().collect::<Vec<_>>());
    args.output.persist(copy.into_file()?)?;
    Ok(report.with("written to", target.display().to_string()))
}

#[cfg(test)]
mod tests;
