//! `moceril`: a command for the keys and messages of Matrix's encryption. It works on files; only
//! the option `--homeserver` uses a network. All cryptography is in the library.
#![forbid(unsafe_code)]

mod backup;
mod bench;
mod decrypt;
mod explain;
mod failure;
mod help;
mod input;
mod inspect;
mod keys;
mod output;
mod pickle;
mod progress;
mod recovery_key;
mod report;
mod secrets;
#[cfg(feature = "stores")]
mod store;
#[cfg(target_os = "linux")]
mod unnamed;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Result;

const EVERYWHERE: &str = "Options of every command";

/// Inspect, rescue, convert and check the keys of encrypted Matrix chats
#[derive(Parser, Debug)]
#[command(
    name = "moceril",
    version,
    arg_required_else_help = true,
    after_help = "\
Secrets are never arguments. Options for them take a SOURCE: file:PATH, env:NAME (a variable),
fd:NUMBER (an open file) or prompt, which is the default.

Exit codes:
  0  done, and everything is as expected
  1  done, but something is not as expected: bad entries, differences, unread events
  2  the command line is wrong
  3  an input is not as expected
  4  a key or passphrase is wrong, or what it opens was altered
  5  a file cannot be read or written, or would be replaced; a server's answer is not as expected"
)]
struct Cli {
    /// Print JSON for programs, one object a line
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
    /// Allow secrets to be printed on standard output
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    show_secrets: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Inspect(inspect::Inspect),
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    RecoveryKey(recovery_key::RecoveryKey),
    #[command(subcommand)]
    Pickle(pickle::Pickle),
    Decrypt(decrypt::Decrypt),
    Explain(explain::Explain),
    #[command(subcommand)]
    Backup(backup::Backup),
    Verify(verify::Verify),
    #[cfg(feature = "stores")]
    #[command(subcommand)]
    Store(store::Store),
    Bench(bench::Bench),
    #[command(flatten)]
    Help(help::Help),
}

fn run(cli: &Cli) -> Result<()> {
    let Cli { json, show_secrets, .. } = *cli;
    match &cli.command {
        Command::Inspect(args) => inspect::run(args, json),
        Command::Keys(command) => keys::run(command, json, show_secrets),
        Command::RecoveryKey(command) => recovery_key::run(command, json, show_secrets),
        Command::Pickle(command) => pickle::run(command, json),
        Command::Decrypt(args) => decrypt::run(args, show_secrets),
        Command::Explain(args) => explain::run(args, json),
        Command::Backup(command) => backup::run(command, json, show_secrets),
        Command::Verify(args) => verify::run(args, json),
        #[cfg(feature = "stores")]
        Command::Store(command) => store::run(command, json, show_secrets),
        Command::Bench(args) => bench::run(args, json),
        Command::Help(command) => help::run(command),
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough of it.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            anstream::eprintln!("{}error:{0:#} {failure}", anstyle::AnsiColor::Red.on_default());
            ExitCode::from(failure.code as u8)
        }
    }
}
