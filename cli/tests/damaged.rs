//! Damaged files. The commands of the transcripts are run again, each time with one of their files
//! changed. Whatever is in it, a command ends with one of the exit codes that are documented for
//! inputs, changes no file that it reads, prints nothing secret unless it was asked to, and with
//! `--json` nothing but JSON.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use moceril_testing::rng::SeededRng;
use serde_json::Value;

/// How often each file of each command is damaged.
const DAMAGES: usize = 2;
/// Done, done with findings, not a possible input, wrong key, cannot be read.
const CODES: [i32; 5] = [0, 1, 3, 4, 5];
const WRONG_COMMAND_LINE: i32 = 2;
/// How many characters of a secret must not be printed together.
const PIECE: usize = 16;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// The arguments of the transcripts' commands, but of those that need a shell, or a file that an
/// earlier command has written.
fn commands(names: &[&str]) -> Vec<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut commands = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let transcript = fs::read_to_string(file.unwrap().path()).unwrap();
        for line in transcript.lines().filter_map(|line| line.strip_prefix("$ moceril ")) {
            let arguments: Vec<_> =
                line.split(' ').map(|argument| argument.trim_matches('\'').to_owned()).collect();
            let is_whole = !line.contains(['|', '<', '>', ';', '$', '/']);
            if is_whole && arguments.iter().any(|argument| names.contains(&named(argument))) {
                commands.push(arguments);
            }
        }
    }
    commands.sort();
    commands.dedup();
    commands
}

/// The file that an argument can be the name of.
fn named(argument: &str) -> &str {
    argument.strip_prefix("file:").unwrap_or(argument)
}

fn run(arguments: &[String], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_moceril"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Changes, cuts, repeats, or replaces by a piece of another file.
fn damaged(bytes: &[u8], other: &[u8], rng: &mut SeededRng) -> Vec<u8> {
    let place = rng.below(bytes.len());
    let end = place + rng.below((bytes.len() - place).min(40) + 1);
    let (start, cut, rest) = (&bytes[..place], &bytes[place..end], &bytes[end..]);
    match rng.below(6) {
        0 => [start, &[bytes[place] ^ (1 << rng.below(8))], &bytes[place + 1..]].concat(),
        1 => [start, &[rng.byte()], &bytes[place + 1..]].concat(),
        2 => start.to_vec(),
        3 => [start, rest].concat(),
        4 => [start, cut, cut, rest].concat(),
        _ => {
            let from = rng.below(other.len());
            let piece = &other[from..(from + 200).min(other.len())];
            [start, piece, rest].concat()
        }
    }
}

/// What must not be printed: passphrases, keys of pickles and backups, and session keys.
fn secrets() -> Vec<String> {
    let read = |name: &str| {
        let file = files().into_iter().find(|file| file.ends_with(name)).unwrap();
        fs::read_to_string(file).unwrap().trim().to_owned()
    };
    let mut secrets: Vec<_> = [
        "passphrase.txt",
        "new-key.txt",
        "recovery-key.txt",
        "storage-key.txt",
        "session-key.txt",
        "exported-key.txt",
    ]
    .map(read)
    .into();
    let keys: Vec<Value> = serde_json::from_str(&read("keys.json")).unwrap();
    secrets.extend(keys.iter().map(|key| key["session_key"].as_str().unwrap().to_owned()));
    assert!(secrets.iter().all(|secret| secret.is_ascii() && secret.len() >= PIECE));
    secrets
}

#[test]
fn whatever_is_in_a_file_commands_end_as_documented() {
    let files = files();
    let names: Vec<_> = files.iter().map(|file| name(file)).collect();
    let contents: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let secrets = secrets();
    let rng = &mut SeededRng::new(1);
    let mut runs = 0;
    for arguments in commands(&names) {
        let write = |folder: &Path| {
            for (name, content) in names.iter().zip(&contents) {
                fs::write(folder.join(name), content).unwrap();
            }
        };
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        if run(&arguments, folder.path()).status.code() == Some(WRONG_COMMAND_LINE) {
            continue;
        }
        let output = arguments.iter().position(|argument| argument == "--output");
        for (place, argument) in arguments.iter().enumerate() {
            let Some(file) = names.iter().position(|name| *name == named(argument)) else {
                continue;
            };
            if output.is_some_and(|output| place == output + 1) {
                continue;
            }
            for _ in 0..DAMAGES {
                let folder = tempfile::tempdir().unwrap();
                write(folder.path());
                let other = &contents[rng.below(contents.len())];
                let bytes = damaged(&contents[file], other, rng);
                let path = folder.path().join(names[file]);
                fs::write(&path, &bytes).unwrap();
                let output = run(&arguments, folder.path());
                runs += 1;

                let text = String::from_utf8(output.stdout).unwrap();
                let messages = String::from_utf8(output.stderr).unwrap();
                let bytes_text = String::from_utf8_lossy(&bytes);
                let what = format!(
                    "moceril {}, where {} is {bytes_text}",
                    arguments.join(" "),
                    names[file]
                );
                let code = output.status.code();
                assert!(
                    code.is_some_and(|code| CODES.contains(&code)),
                    "{what}: {code:?} {messages}"
                );
                assert_eq!(fs::read(&path).unwrap(), bytes, "{what}");
                if arguments.iter().any(|argument| argument == "--json") {
                    for line in text.lines() {
                        let json: Result<Value, _> = serde_json::from_str(line);
                        assert!(json.is_ok(), "{what}: {line}");
                    }
                }
                if arguments.iter().all(|argument| argument != "--show-secrets") {
                    let printed = text + &messages;
                    for secret in &secrets {
                        let mut pieces =
                            (PIECE..=secret.len()).map(|end| &secret[end - PIECE..end]);
                        let piece = pieces.find(|piece| printed.contains(*piece));
                        assert_eq!(piece, None, "{what}: {printed}");
                    }
                }
            }
        }
    }
    assert!(runs > 200, "{runs}");
}
