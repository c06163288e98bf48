//! What the program does before there is a server: it fails early, and leaves nothing behind.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A home directory, in which nothing may appear.
struct Home(PathBuf);

impl Home {
    fn new(test: &str) -> Self {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).unwrap();
        Self(home)
    }

    /// Runs the program with an empty standard input: a question would fail with other words.
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_matrix_chat"))
            .args(arguments)
            .env_remove("XDG_DATA_HOME")
            .env("HOME", &self.0)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn is_empty(&self) -> bool {
        fs::read_dir(&self.0).unwrap().next().is_none()
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn what_is_not_a_command_leaves_nothing_behind() {
    let home = Home::new("unknown");
    for arguments in [
        &["lgoin", "@alice:example.org"][..],
        &["send", "cave"],
        &["login", "alice"],
        &["tail", "cave", "--everything"],
        &[],
    ] {
        let output = home.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains("--help"), "{}", text(&output.stderr));
        assert!(home.is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_address_without_encryption_is_refused_before_the_password_is_asked_for() {
    let home = Home::new("plain");
    let output =
        home.run(&["login", "@alice:example.org", "--homeserver", "http://example.org:8008"]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(error.contains("use https://") && !error.contains("standard input"), "{error}");
    assert!(home.is_empty());
}

#[test]
fn a_homeserver_that_is_not_there_is_noticed_before_the_password_is_asked_for() {
    let home = Home::new("absent");
    let output = home.run(&["login", "@alice:localhost", "--homeserver", "http://localhost:1"]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.contains("cannot reach http://localhost:1"), "{error}");
    assert!(error.contains("--homeserver") && !error.contains("standard input"), "{error}");
    assert!(home.is_empty());
}

#[test]
fn commands_without_a_login_say_so_and_leave_nothing_behind() {
    let home = Home::new("new");
    for arguments in [&["rooms"][..], &["send", "cave", "text"], &["backup", "create"]] {
        let output = home.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let error = text(&output.stderr);
        assert!(error.contains("matrix_chat login @you:server"), "{error}");
        assert!(home.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_version_and_completions_need_no_store() {
    let home = Home::new("help");
    let version = home.run(&["--version"]);
    assert_eq!(text(&version.stdout), concat!("matrix_chat ", env!("CARGO_PKG_VERSION"), "\n"));
    let help = home.run(&["help", "backup", "restore"]);
    assert!(text(&help.stdout).contains("matrix_chat --store phone backup restore"));
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = home.run(&["completions", shell]);
        assert!(output.status.success(), "{shell}");
        for word in ["matrix_chat", "completions", "verified-only", "restore"] {
            assert!(text(&output.stdout).contains(word), "{shell} lacks {word}");
        }
    }
    assert!(home.is_empty());
}
