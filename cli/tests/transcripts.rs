//! Transcripts of a terminal: the files in `transcripts/`, and the blocks `console` of the README.
//! Each line that begins with `$ ` is run by a shell in a folder with the files of `files/`; what
//! follows is what it prints, and its exit code if that is not 0. `MOCERIL_WRITE=1` writes what is
//! printed today.
#![cfg(unix)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A folder with a copy of all files.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(here("tests/files")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

/// What a command prints, with its exit code.
fn printed(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_moceril"));
    let path = env::join_paths(
        std::iter::once(program.parent().unwrap().to_owned())
            .chain(env::split_paths(&env::var_os("PATH").unwrap())),
    );
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match output.status.code().unwrap() {
        0 => text,
        code => text + &format!("[exit {code}]\n"),
    }
}

/// The transcript as it would be written today. Lines for which `is_transcript` does not hold stay
/// as they are.
fn replayed(
    transcript: &str,
    folder: &Path,
    mut is_transcript: impl FnMut(&str) -> bool,
) -> String {
    let mut today = String::new();
    let mut in_output = false;
    for line in transcript.lines() {
        if is_transcript(line) && line.starts_with("# ") && in_output {
            today.push('\n');
        }
        if !is_transcript(line) || line.starts_with("# ") {
            in_output = false;
        }
        if let Some(command) = line.strip_prefix("$ ") {
            today += &format!("{line}\n{}", printed(command, folder));
            in_output = true;
        } else if !in_output {
            today += line;
            today.push('\n');
        }
    }
    today
}

fn check(path: &Path, today: &str) {
    if env::var_os("MOCERIL_WRITE").is_some() {
        fs::write(path, today).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap();
    for (number, (today, expected)) in (1..).zip(today.lines().zip(expected.lines())) {
        assert_eq!(today, expected, "{}:{number}", path.display());
    }
    assert_eq!(today, expected, "{}", path.display());
}

#[test]
fn every_transcript_is_what_is_printed() {
    let mut count = 0;
    for file in fs::read_dir(here("tests/transcripts")).unwrap() {
        let path = file.unwrap().path();
        let folder = folder();
        let transcript = fs::read_to_string(&path).unwrap();
        check(&path, &replayed(&transcript, folder.path(), |_| true));
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn the_recipes_of_the_readme_work() {
    let path = here("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let mut in_block = false;
    let today = replayed(&readme, folder().path(), |line| {
        match line {
            "```console" => in_block = true,
            "```" => in_block = false,
            _ => {}
        }
        in_block
    });
    check(&path, &today);
    let commands: Vec<_> = today.lines().filter(|line| line.starts_with("$ ")).collect();
    assert_eq!(commands.len(), 10);
}
