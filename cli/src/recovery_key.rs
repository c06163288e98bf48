//! `moceril recovery-key`: the text with which a user restores the keys of all messages.

use clap::{Args, Subcommand};
use moceril::{Curve25519PublicKey, backup::BackupDecryptionKey, recovery_key::RecoveryKeyError};
use zeroize::Zeroizing;

use crate::{
    failure::{Failure, Result, chain},
    input::Input,
    output::{Content, Output},
    report::Report,
    secrets::Secret,
};

/// Make a recovery key, or find the mistake in one
#[derive(Subcommand, Debug)]
pub enum RecoveryKey {
    Generate(Generate),
    Check(Check),
}

/// Make a new recovery key
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril recovery-key generate --output recovery-key.txt
  moceril recovery-key generate --show-secrets")]
pub struct Generate {
    #[command(flatten)]
    output: Output,
}

/// Check a recovery key, and say what is wrong with it
///
/// About one mistyped letter in 256 goes unnoticed, unless the public key of the backup is given.
/// With it, the command also corrects a mistyped letter, or two exchanged ones.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril recovery-key check
  moceril recovery-key check written-down.txt --public-key hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo")]
pub struct Check {
    /// The file with the key; - is standard input; without it, the key is asked for
    #[arg(value_name = "FILE")]
    input: Option<Input>,
    /// The public key of the backup, from the server's answer to GET /room_keys/version
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// The file for the corrected key
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &RecoveryKey, json: bool, show_secrets: bool) -> Result<()> {
    match command {
        RecoveryKey::Generate(args) => generate(args, json, show_secrets),
        RecoveryKey::Check(args) => check(args, json, show_secrets),
    }
}

fn generate(args: &Generate, json: bool, show_secrets: bool) -> Result<()> {
    args.output.check(Content::Secret { shown: show_secrets })?;
    let key = BackupDecryptionKey::new().map_err(|error| Failure::file(chain(&error)))?;
    write(&args.output, &key, show_secrets)?;
    let public_key = key.public_key().to_base64();
    match args.output.file() {
        Some(file) => Report::new("recovery key (secret)")
            .with("written to", file)
            .with("public key", public_key)
            .print(json),
        None => Ok(()),
    }
}

fn write(output: &Output, key: &BackupDecryptionKey, show_secrets: bool) -> Result<()> {
    let text = key.to_recovery_key();
    output.write(Content::Secret { shown: show_secrets }, |out| Ok(writeln!(out, "{}", &*text)?))
}

fn check(args: &Check, json: bool, show_secrets: bool) -> Result<()> {
    let public_key = args.public_key.as_deref().map(Curve25519PublicKey::from_base64).transpose();
    let public_key =
        public_key.map_err(|error| Failure::usage(chain(&error)).at("--public-key"))?;
    let text = match &args.input {
        Some(input) => input.text()?,
        None => Secret::text(None, "recovery key")?,
    };
    match BackupDecryptionKey::from_recovery_key(&text) {
        Ok(key) if public_key.is_none_or(|public_key| public_key == key.public_key()) => {
            let report = Report::new("recovery key (secret)").with("valid", true);
            let report = report.with("public key", key.public_key().to_base64());
            report.with_some("belongs to the backup", public_key.map(|_| true)).print(json)
        }
        Ok(key) => {
            let found = key.public_key().to_base64();
            let failure = Failure::key(format_args!(
                "the recovery key is valid but belongs to another backup: its public key is {found}"
            ));
            match public_key.and_then(|wanted| correct(&text, wanted)) {
                Some(correction) => correction.report(args, json, show_secrets),
                None => {
                    Err(failure
                        .hint("look for the key of this backup, or for the backup of this key"))
                }
            }
        }
        Err(error) => match public_key.and_then(|wanted| correct(&text, wanted)) {
            Some(correction) => correction.report(args, json, show_secrets),
            None => Err(mistake(&text, error, public_key.is_some())),
        },
    }
}

/// What is wrong with a text, by position if it is known.
fn mistake(text: &str, error: RecoveryKeyError, searched: bool) -> Failure {
    let failure = Failure::key(chain(&error));
    let by_position = |letter: Letter| {
        let Letter { group, place, text } = letter;
        failure_at(error, group, place, text)
    };
    match error {
        RecoveryKeyError::Alphabet => {
            let outside = |letter: &Letter| !ALPHABET.contains(letter.text);
            letters(text).find(outside).map_or(failure, by_position)
        }
        RecoveryKeyError::Length(found) => {
            let group = text.split_whitespace().position(|group| group.chars().count() != 4);
            let where_ = group.map_or(String::new(), |group| {
                format!("; group {} does not have four letters", group + 1)
            });
            Failure::key(format_args!("{error}{where_}")).hint(if found < LETTERS {
                "compare the groups one by one: a letter or a group is missing"
            } else {
                "compare the groups one by one: a letter or a group is there twice"
            })
        }
        _ if searched => failure.hint("read the written key again: more than one letter is wrong"),
        _ => failure.hint("give --public-key KEY of the backup, which finds a single wrong letter"),
    }
}

fn failure_at(error: RecoveryKeyError, group: usize, place: usize, letter: char) -> Failure {
    let failure =
        Failure::key(format_args!("{error}: {letter:?}, letter {place} of group {group}"));
    match letter {
        '0' | 'O' => failure.hint("read o, Q or another letter: there is neither a zero nor an O"),
        'I' | 'l' => failure.hint("read 1, i, L or another letter: there is neither an I nor an l"),
        _ => failure.hint("enter letters and digits only"),
    }
}

/// The letters of base58.
const ALPHABET: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// How many letters a recovery key has.
const LETTERS: usize = 48;

/// A letter with its place, counted from 1, as people do.
struct Letter {
    group: usize,
    place: usize,
    text: char,
}

fn letters(text: &str) -> impl Iterator<Item = Letter> {
    let letters = text.chars().filter(|letter| !letter.is_ascii_whitespace());
    letters.enumerate().map(|(index, text)| {
        let (group, place) = position(index);
        Letter { group, place, text }
    })
}

const fn position(index: usize) -> (usize, usize) {
    (index / 4 + 1, index % 4 + 1)
}

/// The key that was meant, and where the mistake is.
struct Correction {
    key: BackupDecryptionKey,
    index: usize,
    swapped: bool,
}

impl Correction {
    fn report(self, args: &Check, json: bool, show_secrets: bool) -> Result<()> {
        let (group, place) = position(self.index);
        let what = if self.swapped { "is exchanged with the next" } else { "is wrong" };
        let what = format!("letter {place} of group {group} {what}");
        if args.output.file().is_some() || show_secrets {
            write(&args.output, &self.key, show_secrets)?;
            return match args.output.file() {
                Some(file) => Report::new("recovery key (secret)")
                    .with("mistake", what)
                    .with("corrected in", file)
                    .print(json),
                None => Ok(()),
            };
        }
        let failure = Failure::key(what);
        Err(failure
            .hint("use --output FILE for the corrected key, or --show-secrets to see it here"))
    }
}

/// Tries all single letters, and all exchanges of neighbours. Only the parity of few of them is
/// right, and of these only the one that was meant has the public key.
fn correct(text: &str, wanted: Curve25519PublicKey) -> Option<Correction> {
    let letters: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.bytes().filter(|letter| !letter.is_ascii_whitespace()).collect());
    let key = |letters: &[u8]| {
        let text = std::str::from_utf8(letters).ok()?;
        let key = BackupDecryptionKey::from_recovery_key(text).ok()?;
        (key.public_key() == wanted).then_some(key)
    };
    let mut changed = letters.clone();
    for index in 0..letters.len() {
        for letter in ALPHABET.bytes() {
            changed[index] = letter;
            if let Some(key) = key(&changed) {
                return Some(Correction { key, index, swapped: false });
            }
        }
        changed[index] = letters[index];
        if index + 1 < letters.len() {
            changed.swap(index, index + 1);
            if let Some(key) = key(&changed) {
                return Some(Correction { key, index, swapped: true });
            }
            changed.swap(index, index + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d";

    fn public() -> Curve25519PublicKey {
        BackupDecryptionKey::from_recovery_key(KEY).unwrap().public_key()
    }

    /// Every single wrong letter: the parity shows it, or it is one of five. The public key detects
    /// these, and also gives the right letter.
    #[test]
    fn of_2736_wrong_letters_the_parity_misses_5() {
        let letters: Vec<u8> = KEY.bytes().filter(|letter| *letter != b' ').collect();
        let (mut tried, mut missed) = (0, 0);
        for index in 0..letters.len() {
            for letter in ALPHABET.bytes().filter(|letter| *letter != letters[index]) {
                let mut wrong = letters.clone();
                wrong[index] = letter;
                let wrong = std::str::from_utf8(&wrong).unwrap();
                tried += 1;
                let Ok(key) = BackupDecryptionKey::from_recovery_key(wrong) else { continue };
                missed += 1;
                assert_ne!(key.public_key(), public());
                let found = correct(wrong, public()).unwrap();
                assert_eq!((found.index, found.swapped), (index, false));
            }
        }
        assert_eq!((tried, missed), (2_736, 5));
    }

    #[test]
    fn a_wrong_letter_and_an_exchange_are_corrected() {
        for (wrong, index, swapped) in [
            (KEY.replace("UE4d", "UE4e"), 47, false),
            (KEY.replace("EsTc", "FsTc"), 0, false),
            (KEY.replace("3As5", "0As5"), 16, false),
            (KEY.replace("BXwk", "XBwk"), 24, true),
        ] {
            let found = correct(&wrong, public()).unwrap();
            assert_eq!((found.index, found.swapped), (index, swapped), "{wrong}");
            assert_eq!(&*found.key.to_recovery_key(), KEY);
        }
        assert!(correct(&KEY.replace("UE4d", "UF4e"), public()).is_none());
    }

    #[test]
    fn a_mistake_is_named_by_its_place() {
        let what = |text: &str| {
            let error = BackupDecryptionKey::from_recovery_key(text).unwrap_err();
            mistake(text, error, false).to_string()
        };
        assert!(what(&KEY.replace("3As5", "3A0s")).contains("'0', letter 3 of group 5"));
        assert!(what(&KEY.replace("3As5", "3As")).contains("group 5 does not have four letters"));
        assert!(what(&KEY.replace("UE4d", "UE4e")).contains("--public-key"));
    }
}
