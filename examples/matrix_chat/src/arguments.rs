//! The command line and its help.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};
use clap_complete::Shell;

use crate::api;

const AFTER_HELP: &str = "\
ROOM is a room's id, or its name if only one room has it. Passwords, passphrases and the recovery
key are asked for; if standard input is not a terminal, each of them is a line of it.

One store is one device. Use two stores for two accounts, and never copy one: the copy would encrypt
other messages with the same keys.

`matrix_chat help COMMAND` shows examples.";

#[derive(Debug, Parser)]
#[command(
    version,
    about = "Chat on Matrix, end-to-end encrypted",
    after_help = AFTER_HELP,
    max_term_width = 100
)]
pub struct Arguments {
    /// Where keys and messages are kept [default: ~/.local/share/matrix_chat]
    #[arg(long, global = true, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Say why a message cannot be decrypted; -vv: also show each request to the server
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Log in with your password, as a new device
    #[command(after_help = "\
Examples:
  matrix_chat login @alice:example.org
  matrix_chat --store work login @alice:example.org --homeserver https://matrix.example.org")]
    Login {
        #[arg(value_name = "@YOU:SERVER", value_parser = user_id)]
        user: String,
        /// The address of your homeserver, if your SERVER does not publish it
        #[arg(long, value_name = "URL", value_parser = api::address)]
        homeserver: Option<String>,
    },
    /// List your rooms and invitations
    #[command(after_help = "\
Examples:
  matrix_chat rooms
  matrix_chat --store work rooms")]
    Rooms,
    /// Create an encrypted room, and show its id
    #[command(after_help = "\
Examples:
  matrix_chat create cave
  matrix_chat create cave --invite @bob:example.net --invite @carol:example.org")]
    Create {
        /// The name of the room, which is not encrypted
        name: Option<String>,
        /// Invite this user; can be repeated
        #[arg(long, value_name = "@USER:SERVER", value_parser = user_id)]
        invite: Vec<String>,
    },
    /// Invite somebody into a room
    #[command(after_help = "\
Examples:
  matrix_chat invite cave @bob:example.net
  matrix_chat invite '!oPq3:example.org' @bob:example.net")]
    Invite {
        /// The room's id or name
        room: String,
        #[arg(value_name = "@USER:SERVER", value_parser = user_id)]
        user: String,
    },
    /// Accept an invitation, or join a public room by its alias
    #[command(after_help = "\
Examples:
  matrix_chat join cave
  matrix_chat join '#help:example.org'")]
    Join {
        /// The id or the name of a room that you were invited to, or #ALIAS:SERVER
        room: String,
    },
    /// Send a message to everybody in a room
    #[command(after_help = "\
Examples:
  matrix_chat send cave 'the water is warm'
  matrix_chat send cave 'come alone' --verified-only")]
    Send {
        /// The room's id or name
        room: String,
        /// What to say; quote it if it has spaces
        text: String,
        /// Encrypt only for devices that you have verified
        #[arg(long)]
        verified_only: bool,
    },
    /// Show the new messages of a room, and wait for more until Ctrl-C
    #[command(after_help = "\
Examples:
  matrix_chat tail cave
  matrix_chat -v tail cave --all --once")]
    Tail {
        /// The room's id or name
        room: String,
        /// First show those that were shown before
        #[arg(long)]
        all: bool,
        /// Do not wait for more
        #[arg(long)]
        once: bool,
    },
    /// Sign this device with your identity, or make one if you have none
    #[command(after_help = "\
Examples:
  matrix_chat identity
  matrix_chat --store phone identity")]
    Identity,
    /// List somebody's devices, or your own
    #[command(after_help = "\
Examples:
  matrix_chat devices
  matrix_chat devices @bob:example.net")]
    Devices {
        #[arg(value_name = "@USER:SERVER", value_parser = user_id)]
        user: Option<String>,
    },
    /// Compare emoji with somebody, to verify their device
    #[command(after_help = "\
Examples:
  matrix_chat verify @bob:example.net BOBDEVICE
  matrix_chat verify --wait")]
    Verify {
        #[arg(
            value_name = "@USER:SERVER",
            value_parser = user_id,
            requires = "device",
            required_unless_present = "wait"
        )]
        user: Option<String>,
        /// The device's id, which `devices` lists
        #[arg(requires = "user", required_unless_present = "wait")]
        device: Option<String>,
        /// Wait for somebody who wants to compare emoji
        #[arg(long, conflicts_with_all = ["user", "device", "start"])]
        wait: bool,
        /// Start without asking: for clients that do not answer requests
        #[arg(long)]
        start: bool,
    },
    /// Write the keys of your messages to a new file, encrypted with a passphrase
    #[command(after_help = "\
Examples:
  matrix_chat export keys.txt
  matrix_chat --store work export work-keys.txt")]
    Export {
        /// Must not exist yet
        file: PathBuf,
    },
    /// Read the keys of messages from a file that this or another client has written
    #[command(after_help = "\
Examples:
  matrix_chat import keys.txt
  matrix_chat --store phone import work-keys.txt")]
    Import { file: PathBuf },
    /// Keep the keys of your messages on the server, encrypted
    #[command(subcommand)]
    Backup(Backup),
    /// Write a script that completes commands in your shell
    #[command(after_help = "\
Examples:
  matrix_chat completions bash > ~/.local/share/bash-completion/completions/matrix_chat
  matrix_chat completions fish > ~/.config/fish/completions/matrix_chat.fish")]
    Completions { shell: Shell },
}

#[derive(Debug, Subcommand)]
pub enum Backup {
    /// Begin a backup, show your recovery key if it is new, and upload your keys
    #[command(after_help = "\
Examples:
  matrix_chat backup create
  matrix_chat --store work backup create")]
    Create,
    /// Upload the keys that are not in the backup yet
    #[command(after_help = "\
Examples:
  matrix_chat backup upload
  matrix_chat --store work backup upload")]
    Upload,
    /// Read the keys of a backup, with your recovery key or passphrase
    #[command(after_help = "\
Examples:
  matrix_chat backup restore
  matrix_chat --store phone backup restore")]
    Restore,
}

fn user_id(text: &str) -> Result<String, &'static str> {
    let server = text.strip_prefix('@').and_then(|rest| rest.split_once(':'));
    match server {
        Some((name, server)) if !name.is_empty() && !server.is_empty() => Ok(text.to_owned()),
        _ => Err("a user id looks like @name:server, such as @alice:example.org"),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, error::ErrorKind};

    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from([&["matrix_chat"], words].concat())
    }

    /// The words of a line of shell, which quotes with `'` or `"`.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quote) = (vec![String::new()], None);
        for letter in line.chars() {
            match (quote, letter) {
                (Some(open), _) if letter == open => quote = None,
                (None, '\'' | '"') => quote = Some(letter),
                (None, ' ') => words.push(String::new()),
                _ => words.last_mut().unwrap().push(letter),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    /// Parses a line that a person is told to type. What a shell takes for itself is left out.
    fn try_line(line: &str) {
        let line = [" # ", " > "].iter().fold(line, |line, end| line.split(*end).next().unwrap());
        let words = words(line);
        match Arguments::try_parse_from(&words) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::DisplayHelp, "{line}: {error}"),
        }
    }

    fn leaves(command: &clap::Command) -> Vec<&clap::Command> {
        if command.get_subcommands().next().is_none() {
            return vec![command];
        }
        command.get_subcommands().flat_map(leaves).collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn each_command_has_two_examples_and_they_parse() {
        let command = Arguments::command();
        let leaves = leaves(&command);
        assert_eq!(leaves.len(), 16);
        for leaf in leaves {
            let help = leaf.get_after_help().unwrap_or_else(|| panic!("{}", leaf.get_name()));
            let help = help.to_string();
            let examples: Vec<_> = help.lines().skip(1).collect();
            assert_eq!(examples.len(), 2, "{help}");
            for example in examples {
                assert!(example.contains(leaf.get_name()), "{example}");
                try_line(example);
            }
        }
    }

    #[test]
    fn the_commands_of_the_readme_parse() {
        let lines = include_str!("../README.md").lines().map(str::trim);
        let lines: Vec<_> = lines.filter(|line| line.starts_with("matrix_chat ")).collect();
        assert!(lines.len() > 20, "{lines:?}");
        for line in lines {
            try_line(line);
        }
    }

    #[test]
    fn what_is_not_a_command_is_refused_with_advice() {
        for (words, advice) in [
            (&["tial", "cave"][..], "tail"),
            (&["send", "cave"], "<TEXT>"),
            (&["send", "cave", "text", "--verified"], "--verified-only"),
            (&["login", "alice"], "@alice:example.org"),
            (&["login", "@alice"], "@name:server"),
            (&["create", "cave", "--invite", "@:example.org"], "@name:server"),
            (&["verify"], "<@USER:SERVER>"),
            (&["verify", "@bob:example.net"], "<DEVICE>"),
            (&["verify", "--wait", "@bob:example.net", "DEVICE"], "--wait"),
            (&["backup", "delete"], "backup"),
            (&["completions", "cmd"], "bash"),
            (&["login", "@alice:example.org", "--homeserver", "http://example.org"], "https://"),
        ] {
            let error = parse(words).unwrap_err();
            assert!(error.use_stderr(), "{words:?}");
            assert!(error.to_string().contains(advice), "{words:?}: {error}");
        }
    }

    #[test]
    fn options_stand_anywhere() {
        for words in [
            ["--store", "DIR", "-v", "tail", "cave", "--once"],
            ["tail", "--once", "cave", "-v", "--store", "DIR"],
        ] {
            let Arguments { store, verbose, command } = parse(&words).unwrap();
            assert_eq!((store, verbose), (Some(PathBuf::from("DIR")), 1));
            assert!(matches!(command, Command::Tail { once: true, all: false, .. }));
        }
        assert_eq!(parse(&["rooms", "-vv"]).unwrap().verbose, 2);
    }
}
