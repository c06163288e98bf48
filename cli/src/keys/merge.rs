//! `moceril keys merge`.

use clap::Args;

use super::{
    load::{KeyFile, Passphrases, Refusals},
    merged::Merged,
    save::Save,
};
use crate::{failure::Result, input::Input, report::Report};

/// Put the keys of several files into one, each from its earliest known message on
///
/// Two entries of one session are the same key if one follows from the other; the earlier one is
/// kept. If only the dropped entry names the sender's Ed25519 key, the kept entry takes it over.
/// Entries of one session that contradict each other, or that name different senders or rooms, are
/// reported, and the first one is kept. Merging does not verify any key.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril keys merge phone.txt laptop.txt --output all.txt
  moceril keys merge a.txt b.txt --passphrase env:A --passphrase env:B --output all.txt")]
pub struct Merge {
    /// The files of exported keys
    #[arg(value_name = "FILE", required = true)]
    inputs: Vec<Input>,
    #[command(flatten)]
    passphrases: Passphrases,
    #[command(flatten)]
    save: Save,
}

pub fn run(args: &Merge, json: bool, show_secrets: bool) -> Result<()> {
    args.save.check(show_secrets)?;
    let mut files = KeyFile::load_all(&args.inputs, &args.passphrases)?;
    let mut refusals = Refusals::default();
    let merged = Merged::of(&mut files, &mut refusals)?;

    let passphrase = files.iter().find_map(KeyFile::passphrase);
    let mut written = 0;
    args.save.save(passphrase, show_secrets, |sink| {
        merged.each(&mut files, |key| sink.push(&key))?;
        written = sink.count;
        sink.end()
    })?;
    if args.save.output.file().is_some() {
        Report::new("merged")
            .with("keys read", merged.read)
            .with("keys written", written)
            .with("earlier index", merged.earlier)
            .print(json)?;
    }
    refusals.report()
}
