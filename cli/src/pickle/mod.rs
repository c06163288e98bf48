//! `moceril pickle`: the stored form of accounts and sessions.

pub mod losses;
pub mod object;

use clap::{Args, Subcommand};

use self::{
    losses::Fact,
    object::{Format, Key, Kind, Object},
};
use crate::{
    failure::{Failure, Result},
    input::Input,
    output::{Content, Output},
    report::Report,
    secrets::Secret,
};

/// Check and convert pickles: stored accounts and sessions of libolm, vodozemac and moceril
#[derive(Subcommand, Debug)]
pub enum Pickle {
    Check(Check),
    Convert(Convert),
    Rekey(Rekey),
}

/// The pickle that is read.
#[derive(Args, Debug)]
struct Source {
    /// The file with the pickle; - is standard input
    #[arg(value_name = "FILE")]
    input: Input,
    /// Where the key of the pickle is: file:PATH, env:NAME, fd:NUMBER or prompt
    #[arg(long, value_name = "SOURCE")]
    key: Option<Secret>,
    /// The context of a pickle that moceril wrote
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    context: String,
    /// What the pickle holds; without this option, the command finds out
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<Kind>,
}

impl Source {
    fn open(&self, format: Format) -> Result<Object> {
        let text = self.input.text()?;
        let key = Key::read(format, self.key.as_ref(), &self.context, "pickle key")?;
        let object = Object::open_any(self.kind, text.trim(), &key);
        object.map_err(|failure| failure.at(self.input.name()))
    }
}

/// The pickle that is written.
#[derive(Args, Debug)]
struct Target {
    /// Where the key of the new pickle is: file:PATH, env:NAME, fd:NUMBER or prompt
    #[arg(long, value_name = "SOURCE")]
    new_key: Option<Secret>,
    /// The context of the new pickle: where it belongs, such as user, device and row
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    new_context: String,
    #[command(flatten)]
    output: Output,
}

/// Open a pickle and show what it holds, without its secrets
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril pickle check account.pickle --format libolm
  moceril pickle check session.pickle --format native --key env:KEY --context @me:example.org")]
pub struct Check {
    #[command(flatten)]
    source: Source,
    /// Which library wrote the pickle
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Format,
}

/// Write a pickle in the format of another library
///
/// The command names what the other format cannot hold. It drops this only if you accept each part
/// of it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril pickle convert old.pickle --from libolm --to vodozemac --key env:OLD --new-key env:NEW
  moceril pickle convert a.pickle --from native --to libolm --accept generation --output b.pickle")]
pub struct Convert {
    #[command(flatten)]
    source: Source,
    /// Which library wrote the pickle
    #[arg(long, value_enum, value_name = "FORMAT")]
    from: Format,
    /// Which library will read the new pickle
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Format,
    /// What may be lost; separate several with commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FACT")]
    accept: Vec<Fact>,
    #[command(flatten)]
    target: Target,
}

/// Write a pickle under another key, in the same format
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril pickle rekey a.pickle --format libolm --key env:OLD --new-key env:NEW --output b.pickle
  moceril pickle rekey a.pickle --format vodozemac --output b.pickle")]
pub struct Rekey {
    #[command(flatten)]
    source: Source,
    /// Which library wrote the pickle
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    target: Target,
}

pub fn run(command: &Pickle, json: bool) -> Result<()> {
    match command {
        Pickle::Check(args) => args.source.open(args.format)?.report().print(json),
        Pickle::Convert(args) => {
            convert(&args.source, args.from, args.to, &args.accept, &args.target, json)
        }
        Pickle::Rekey(args) => {
            convert(&args.source, args.format, args.format, &[], &args.target, json)
        }
    }
}

fn convert(
    source: &Source,
    from: Format,
    to: Format,
    accept: &[Fact],
    target: &Target,
    json: bool,
) -> Result<()> {
    target.output.check(Content::Public)?;
    let object = source.open(from)?;
    let key = Key::read(to, target.new_key.as_ref(), &target.new_context, "new pickle key")?;
    let (pickle, loss) = object.seal(&key)?;
    losses::check(loss, accept)?;
    // A pickle that cannot be opened again would be a loss that nobody has accepted.
    let again = Object::open(object.kind(), &pickle, &key)?;
    if identity(&again) != identity(&object) {
        return Err(Failure::finding("the new pickle holds another object; nothing was written"));
    }
    target.output.write(Content::Public, |out| Ok(writeln!(out, "{pickle}")?))?;
    match target.output.file() {
        Some(file) => Report::new(object.kind().name())
            .with("written to", file)
            .with("id", identity(&object))
            .with("lost", loss.to_string())
            .print(json),
        None => Ok(()),
    }
}

/// What must be the same before and after.
fn identity(object: &Object) -> String {
    match object {
        Object::Account(account) => account.curve25519_key().to_base64(),
        session => session.session_id().unwrap_or_default(),
    }
}
