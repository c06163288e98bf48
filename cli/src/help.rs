//! Manual pages and completions, for packagers.

use std::{io::Write, path::PathBuf};

use clap::{CommandFactory, Subcommand};
use clap_complete::Shell;

use crate::{
    Cli,
    failure::{Failure, Result},
    output::stdout,
};

#[derive(Subcommand, Debug)]
pub enum Help {
    /// Print the completions for a shell
    #[command(hide = true)]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write a manual page for each command into a folder
    #[command(hide = true)]
    ManPages {
        /// The folder, which must exist
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
}

pub fn run(command: &Help) -> Result<()> {
    match command {
        Help::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "moceril", &mut text);
            let mut out = stdout();
            out.write_all(&text)?;
            Ok(out.flush()?)
        }
        Help::ManPages { folder } => clap_mangen::generate_to(Cli::command(), folder)
            .map_err(|error| Failure::file(format_args!("{}: {error}", folder.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }

    /// People who have never heard of Megolm begin with the help.
    #[test]
    fn each_command_has_two_examples() {
        fn check(command: &clap::Command) {
            for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
                if command.has_subcommands() {
                    check(command);
                    continue;
                }
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                let examples = help.lines().filter(|line| line.contains("moceril ")).count();
                assert!(examples >= 2, "{}", command.get_name());
            }
        }
        check(&Cli::command());
    }

    #[test]
    fn each_command_has_a_page_and_completions() {
        let folder = tempfile::tempdir().unwrap();
        run(&Help::ManPages { folder: folder.path().into() }).unwrap();
        let page = std::fs::read_to_string(folder.path().join("moceril-keys-merge.1")).unwrap();
        assert!(page.contains("earliest known message"), "{page}");
    }
}
