//! `moceril store`: the databases in which clients keep accounts and sessions.

mod database;
mod dump;
mod sdk;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use moceril::{Curve25519PublicKey, megolm::InboundGroupSession, room_keys::ExportedRoomKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use self::{
    database::{Database, Tally},
    dump::Dump,
    sdk::SdkStore,
};
use crate::{
    failure::{Code, Failure, Result, chain},
    keys::{load::Refusals, save::Save},
    output::{Content, Output},
    pickle::{
        losses::{self, Fact},
        object::{Format, Key, Kind, Object},
    },
    progress,
    report::Report,
    secrets::Secret,
};

/// Check the database of a client, export its keys, or convert it for another library
///
/// The command knows the SQLite stores of matrix-nio, mautrix-python and matrix-rust-sdk (Element X
/// and others), and the output of pg_dump for a PostgreSQL database of mautrix-python.
#[derive(Subcommand, Debug)]
pub enum Store {
    Check(Check),
    Export(Export),
    Migrate(Migrate),
}

/// Who writes the pickles of a store.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Writer {
    /// libolm, by python-olm: a key of any length
    Libolm,
    /// vodozemac: a key of 32 bytes, or any key of matrix-nio
    Vodozemac,
}

impl Writer {
    /// The key of the pickles in a store.
    fn key(self, source: Option<&Secret>, what: &str, store: &Opened) -> Result<Key> {
        match self {
            Self::Libolm => Key::read(Format::Libolm, source, "", what),
            Self::Vodozemac if store.hashes_key() => {
                let key = Secret::bytes(source, what)?;
                Ok(Key::Vodozemac(Zeroizing::new(Sha256::digest(&*key).into())))
            }
            Self::Vodozemac => Key::read(Format::Vodozemac, source, "", what),
        }
    }

    /// What to try if no pickle of a bot or bridge opens. `option` is the one that has named this
    /// writer.
    fn wrong_key_hint(self, option: &str) -> String {
        let other = match self {
            Self::Libolm => "vodozemac",
            Self::Vodozemac => "libolm",
        };
        let key = "take the pickle key from the configuration of the bot or bridge";
        format!("{key}, or use {option} {other} if {other} wrote the pickles")
    }
}

/// The store that is read.
#[derive(Args, Debug)]
struct Source {
    /// The SQLite file or the dump, which is never changed
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the key of its pickles is: file:PATH, env:NAME, fd:NUMBER or prompt
    ///
    /// matrix-nio calls it pickle_key; the default is DEFAULT_KEY. Give this key for both formats:
    /// since release 0.26, matrix-nio has vodozemac encrypt the pickles under the SHA-256 of the
    /// key, and the command does the same. Bridges on mautrix-python have the key in their
    /// configuration. For matrix-rust-sdk it is the passphrase or the key of the store, and is not
    /// asked for if the store has none.
    #[arg(long, value_name = "SOURCE")]
    key: Option<Secret>,
}

/// A store whose keys are used for decrypting.
#[derive(Args, Debug)]
pub struct KeyStore {
    /// The database of a client, bot or bridge, whose keys are used; see moceril store check
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Where the key of its pickles is: file:PATH, env:NAME, fd:NUMBER or prompt
    #[arg(long, value_name = "SOURCE", requires = "store")]
    store_key: Option<Secret>,
    /// Which library wrote the pickles
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "libolm", requires = "store")]
    store_format: Writer,
}

impl KeyStore {
    pub const fn is_named(&self) -> bool {
        self.store.is_some()
    }

    /// Hands each session of the store, if there is one, to `visit`; in place of one that does not
    /// open, why it does not.
    pub fn each_session(
        &self,
        visit: impl FnMut(std::result::Result<Received, String>) -> Result<()>,
    ) -> Result<()> {
        let Some(path) = &self.store else { return Ok(()) };
        let option = "--store-format";
        each_session(path, self.store_key.as_ref(), self.store_format, option, visit)
    }
}

/// A session of a room that was received, with what the store says of it.
pub struct Received {
    pub session: InboundGroupSession,
    pub origin: Origin,
}

/// Where a session came from.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub room_id: String,
    /// The Curve25519 key of the sender.
    pub sender_key: String,
    /// The Ed25519 key that the sender has claimed, under the name `ed25519`.
    pub claimed: BTreeMap<String, String>,
    /// Who has forwarded the key, if the store knows it.
    pub forwarding_chain: Vec<String>,
    /// Whether those who join the room later may read it, if the store knows it.
    pub shared_history: Option<bool>,
}

fn each_session(
    path: &Path,
    key: Option<&Secret>,
    format: Writer,
    option: &str,
    mut visit: impl FnMut(std::result::Result<Received, String>) -> Result<()>,
) -> Result<()> {
    let (mut tally, mut refused) = (Tally::default(), Vec::new());
    let mut take = |name: &str, session: Result<Received>| match session {
        Ok(session) => {
            tally.count(Kind::InboundGroupSession, name, Ok(()))?;
            visit(Ok(session))
        }
        Err(failure) => {
            refused.push(format!("{name}: {}", failure.what()));
            tally.count(Kind::InboundGroupSession, name, Err(failure))
        }
    };
    let opened = Opened::of(path)?;
    match &opened {
        Opened::Sdk(store) => {
            store.unlock(key)?.each_inbound(|name, session| take(&name, session))?;
        }
        Opened::Database(database) => {
            let key = format.key(key, "pickle key", &opened)?;
            database.each_inbound(|place, pickle, origin| {
                let session = match open(place, pickle, &key) {
                    Ok(Object::InboundGroupSession(session)) => {
                        Ok(Received { session: *session, origin })
                    }
                    Ok(_) => return Ok(()),
                    Err(failure) => Err(failure),
                };
                take(&place.name(), session)
            })?;
        }
        Opened::Dump(_) => {
            return Err(Failure::input("sessions are not read from a dump of PostgreSQL")
                .at(path.display())
                .hint("name the SQLite file of a bot or bridge"));
        }
    }
    tally.refuse_wrong_key(opened.wrong_key_hint(format, option))?;
    refused.into_iter().try_for_each(|why| visit(Err(why)))
}

/// What a file is.
enum Opened {
    Dump(Dump),
    Database(Database),
    Sdk(SdkStore),
}

impl Opened {
    fn of(path: &Path) -> Result<Self> {
        // What does not exist is reported when it is opened as a database.
        if path.exists()
            && let Some(dump) = Dump::open(path)?
        {
            return Ok(Self::Dump(dump));
        }
        match SdkStore::of(path, database::connect(path)?) {
            Ok(store) => Ok(Self::Sdk(store)),
            Err(connection) => Database::of(path, connection).map(Self::Database),
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Dump(_) => "mautrix-python",
            Self::Database(database) => database.name(),
            Self::Sdk(_) => "matrix-rust-sdk",
        }
    }

    fn wrong_key_hint(&self, format: Writer, option: &str) -> String {
        match self {
            // Its key was right, or it would not be read.
            Self::Sdk(_) => "copy the database again: it has values under a foreign key".into(),
            Self::Dump(_) | Self::Database(_) => format.wrong_key_hint(option),
        }
    }

    const fn hashes_key(&self) -> bool {
        match self {
            Self::Database(database) => database.hashes_key(),
            Self::Dump(_) | Self::Sdk(_) => false,
        }
    }
}

/// Open every account and session in the database of a client, and name those that do not open
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril store check bot.db
  moceril store check bot.db --key env:PICKLE_KEY --format vodozemac --json")]
pub struct Check {
    #[command(flatten)]
    source: Source,
    /// Which library wrote the pickles
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "libolm")]
    format: Writer,
}

/// Write the keys of all rooms in a database to a file that every client can import
///
/// With each key the file has its room, the Curve25519 key of its sender, and the Ed25519 key that
/// the sender has claimed. From stores of matrix-nio and mautrix-python it also has the devices
/// that have forwarded the key, and from those of matrix-rust-sdk whether new members of the room
/// may have the key. matrix-rust-sdk does not store who forwarded a key, so the file names nobody.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril store export matrix-sdk-crypto.sqlite3 --key env:PASSPHRASE --output keys.txt
  moceril store export bot.db --key env:PICKLE_KEY --plain --output keys.json")]
pub struct Export {
    #[command(flatten)]
    source: Source,
    /// Which library wrote the pickles
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "libolm")]
    format: Writer,
    #[command(flatten)]
    save: Save,
}

/// Write a copy of a database in the form of another library, or under another key
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
    /// Which library wrote the pickles
    #[arg(long, value_enum, value_name = "FORMAT")]
    from: Writer,
    /// Which library will read the copy
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Writer,
    /// Where the key of the copy is: file:PATH, env:NAME, fd:NUMBER or prompt
    #[arg(long, value_name = "SOURCE")]
    new_key: Option<Secret>,
    /// What may be lost; separate several with commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FACT")]
    accept: Vec<Fact>,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Store, json: bool, show_secrets: bool) -> Result<()> {
    match command {
        Store::Check(args) => {
            let report = check(args)?;
            report.print(json)?;
            if report.has_problems() {
                return Err(Failure::finding("some pickles do not open; see above"));
            }
            Ok(())
        }
        Store::Export(args) => export(args, json, show_secrets),
        Store::Migrate(args) => migrate(args)?.print(json),
    }
}

fn export(args: &Export, json: bool, show_secrets: bool) -> Result<()> {
    args.save.check(show_secrets)?;
    let Source { file, key } = &args.source;
    let (mut refusals, mut exported) = (Refusals::default(), 0);
    args.save.save(None, show_secrets, |sink| {
        each_session(file, key.as_ref(), args.format, "--format", |session| {
            let session = session.and_then(room_key);
            let Some(key) = refusals.sort(session) else { return Ok(()) };
            sink.push(&key)
        })?;
        exported = sink.count;
        sink.end()
    })?;
    if args.save.output.file().is_some() {
        Report::new("exported").with("keys", exported).print(json)?;
    }
    refusals.report()
}

fn room_key(
    Received { session, origin }: Received,
) -> std::result::Result<ExportedRoomKey, String> {
    let refused = |error: &dyn std::error::Error| {
        format!("session {}: {}", session.session_id(), chain(error))
    };
    // Some clients store keys whose sender they do not know.
    let sender = match origin.sender_key.as_str() {
        "" => None,
        text => Some(Curve25519PublicKey::from_base64(text).map_err(|error| refused(&error))?),
    };
    let key = session.export_at_first_known_index().map_err(|error| refused(&error))?;
    let mut key = ExportedRoomKey::with_unknown_sender(&origin.room_id, key);
    key.sender_key = sender;
    key.sender_claimed_keys = origin.claimed;
    key.forwarding_chain = origin.forwarding_chain;
    key.other.extend(origin.shared_history.map(|shared| ("shared_history".into(), shared.into())));
    Ok(key)
}

fn check(args: &Check) -> Result<Report> {
    let opened = Opened::of(&args.source.file)?;
    let key = args.source.key.as_ref();
    let mut tally = Tally::default();
    let progress = progress::counting("pickles");
    match &opened {
        Opened::Sdk(store) => store.unlock(key)?.each(|kind, name, object| {
            progress.inc(1);
            tally.count(kind, &name, object.map(drop))
        })?,
        Opened::Dump(_) | Opened::Database(_) => {
            let key = args.format.key(key, "pickle key", &opened)?;
            let mut visit = |place: &database::Place<'_>, pickle: &str| {
                progress.inc(1);
                tally.count(place.kind(), &place.name(), open(place, pickle, &key).map(drop))
            };
            if let Opened::Dump(dump) = &opened {
                dump.rewrite(&mut std::io::sink(), |place, pickle| {
                    visit(place, pickle).map(|()| None)
                })?;
            }
            if let Opened::Database(database) = &opened {
                database.each(visit)?;
            }
        }
    }
    progress.finish_and_clear();
    tally.refuse_wrong_key(opened.wrong_key_hint(args.format, "--format"))?;
    Ok(tally.report(Report::new("store").with("written by", opened.name())))
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

/// Refuses a target whose last changes are in a log beside it: SQLite would write them over the
/// copy when it is next opened. Reading the source can make such a log, too.
fn check_target(target: &Path, source: &Path) -> Result<()> {
    let is_source = target
        .canonicalize()
        .is_ok_and(|target| source.canonicalize().is_ok_and(|source| source == target));
    if is_source {
        return Err(Failure::usage("the copy would replace the database that is read")
            .at(target.display())
            .hint("choose another --output"));
    }
    for ending in ["-wal", "-journal"] {
        let mut log = target.as_os_str().to_owned();
        log.push(ending);
        if Path::new(&log).symlink_metadata().is_ok() {
            return Err(Failure::file("a program has this database open, or was interrupted")
                .at(target.display())
                .hint("end the program that uses it, or choose another --output"));
        }
    }
    Ok(())
}

fn migrate(args: &Migrate) -> Result<Report> {
    let target = args.output.path().ok_or_else(|| {
        Failure::usage("a copy of a store needs a file").hint("add --output FILE")
    })?;
    args.output.check(Content::Public)?;
    check_target(target, &args.source.file)?;
    let opened = Opened::of(&args.source.file)?;
    if let Opened::Sdk(_) = opened {
        return Err(Failure::input("no other client reads the store of matrix-rust-sdk")
            .at(args.source.file.display())
            .hint("run moceril store export, which writes its keys to a file for other clients"));
    }
    let key = args.from.key(args.source.key.as_ref(), "pickle key", &opened)?;
    let new_key = args.to.key(args.new_key.as_ref(), "new pickle key", &opened)?;
    let (mut tally, mut losses) = (Tally::default(), std::collections::BTreeSet::new());
    let progress = progress::counting("pickles");
    let mut change = |place: &database::Place<'_>, pickle: &str| -> Result<String> {
        progress.inc(1);
        let object = open(place, pickle, &key).map_err(|failure| match failure.code {
            Code::Key => failure.hint(args.from.wrong_key_hint("--from")),
            _ => failure,
        })?;
        let (pickle, loss) = object.seal(&new_key)?;
        losses::check(loss, &args.accept)?;
        if !loss.is_none() {
            losses.insert(loss.to_string());
        }
        open(place, &pickle, &new_key)?;
        tally.count(place.kind(), &place.name(), Ok(()))?;
        Ok(pickle)
    };
    if let Opened::Dump(dump) = &opened {
        args.output.write(Content::Public, |out| {
            dump.rewrite(out, |place, pickle| {
                change(place, pickle).map(Some).map_err(|failure| failure.at(place.name()))
            })
        })?;
    }
    if let Opened::Database(database) = &opened {
        let copy = database.copy_beside(target)?;
        copy.database.rewrite(change)?;
        let file = copy.into_file()?;
        check_target(target, &args.source.file)?;
        args.output.persist(file)?;
    }
    progress.finish_and_clear();
    let report = tally.report(Report::new("store").with("written by", opened.name()));
    let report = report.with("lost", losses.into_iter().collect::<Vec<_>>());
    Ok(report.with("written to", target.display().to_string()))
}

#[cfg(test)]
mod tests;
