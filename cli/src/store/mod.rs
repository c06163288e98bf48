//! `moceril store`: the databases in which clients keep accounts and sessions.

mod database;
mod dump;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use moceril::megolm::InboundGroupSession;

use self::{
    database::{Database, Tally},
    dump::Dump,
};
use crate::{
    failure::{Failure, Result},
    output::{Content, Output},
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
/// Known are the SQLite stores of matrix-nio and mautrix-python, and what pg_dump writes of a
/// PostgreSQL database of mautrix-python.
#[derive(Subcommand, Debug)]
pub enum Store {
    Check(Check),
    Migrate(Migrate),
}

/// Who writes the pickles of a store.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Writer {
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
    /// The SQLite file or the dump, which is only read
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the key of its pickles is: file:PATH, env:NAME, fd:NUMBER or prompt
    ///
    /// matrix-nio calls it pickle_key, and has DEFAULT_KEY if the bot says nothing. Bridges of
    /// mautrix-python have it in their configuration.
    #[arg(long, value_name = "SOURCE")]
    key: Option<Secret>,
}

/// A store whose keys are used for decrypting.
#[derive(Args, Debug)]
pub struct KeyStore {
    /// The database of a bot or bridge, whose keys are used; see moceril store check
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Where the key of its pickles is: file:PATH, env:NAME, fd:NUMBER or prompt
    #[arg(long, value_name = "SOURCE", requires = "store")]
    store_key: Option<Secret>,
    /// Who wrote the pickles
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "libolm", requires = "store")]
    store_format: Writer,
}

impl KeyStore {
    /// Hands each session of the store, if there is one, to `visit`, with its room and the key of
    /// its sender; in place of one that does not open, why it does not.
    pub fn each_session(
        &self,
        mut visit: impl FnMut(std::result::Result<(InboundGroupSession, String, String), String>),
    ) -> Result<()> {
        let Some(path) = &self.store else { return Ok(()) };
        let database = Database::open(path)?;
        let key = self.store_format.key(self.store_key.as_ref(), "pickle key")?;
        let (mut tally, mut refused) = (Tally::default(), Vec::new());
        database.each_inbound(|place, pickle, room, sender| match open(place, pickle, &key) {
            Ok(Object::InboundGroupSession(session)) => {
                visit(Ok((*session, room, sender)));
                tally.count(place, Ok(()))
            }
            Ok(_) => Ok(()),
            Err(failure) => {
                refused.push(format!("{}: {}", place.name(), failure.what()));
                tally.count(place, Err(failure))
            }
        })?;
        tally.refuse_wrong_key()?;
        refused.into_iter().for_each(|why| visit(Err(why)));
        Ok(())
    }
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
    let dump = dump_of(&args.source)?;
    let database = dump.is_none().then(|| Database::open(&args.source.file)).transpose()?;
    let key = args.format.key(args.source.key.as_ref(), "pickle key")?;
    let mut tally = Tally::default();
    let progress = progress::counting("pickles");
    let mut visit = |place: &database::Place<'_>, pickle: &str| {
        progress.inc(1);
        tally.count(place, open(place, pickle, &key).map(drop))
    };
    if let Some(dump) = &dump {
        dump.rewrite(&mut std::io::sink(), |place, pickle| visit(place, pickle).map(|()| None))?;
    }
    if let Some(database) = &database {
        database.each(visit)?;
    }
    progress.finish_and_clear();
    tally.refuse_wrong_key()?;
    let name = database.as_ref().map_or("mautrix-python", Database::name);
    Ok(tally.report(Report::new("store").with("written by", name)))
}

fn dump_of(source: &Source) -> Result<Option<Dump>> {
    // What does not exist is reported when it is opened as a database.
    if source.file.exists() { Dump::open(&source.file) } else { Ok(None) }
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
    args.output.check(Content::Public)?;
    let dump = dump_of(&args.source)?;
    let database = dump.is_none().then(|| Database::open(&args.source.file)).transpose()?;
    let key = args.from.key(args.source.key.as_ref(), "pickle key")?;
    let new_key = args.to.key(args.new_key.as_ref(), "new pickle key")?;
    let (mut tally, mut losses) = (Tally::default(), std::collections::BTreeSet::new());
    let progress = progress::counting("pickles");
    let mut change = |place: &database::Place<'_>, pickle: &str| -> Result<String> {
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
    };
    if let Some(dump) = &dump {
        args.output.write(Content::Public, |out| {
            dump.rewrite(out, |place, pickle| {
                change(place, pickle).map(Some).map_err(|failure| failure.at(place.name()))
            })
        })?;
    }
    if let Some(database) = &database {
        let copy = database.copy_beside(target)?;
        copy.database.rewrite(change)?;
        args.output.persist(copy.into_file()?)?;
    }
    progress.finish_and_clear();
    let name = database.as_ref().map_or("mautrix-python", Database::name);
    let report = tally.report(Report::new("store").with("written by", name));
    let report = report.with("lost", losses.into_iter().collect::<Vec<_>>());
    Ok(report.with("written to", target.display().to_string()))
}

#[cfg(test)]
mod tests;
