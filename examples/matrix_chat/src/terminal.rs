//! Output to the terminal, in colour if it is one, and questions to the user.

use std::io::{self, IsTerminal, Write};

use anyhow::{Result, bail};

/// Colours a text if standard output is a terminal. `code` is an SGR number, 2 dim, 32 green.
pub fn coloured(code: u8, text: &str) -> String {
    if io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// What others wrote must not steer our terminal.
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// Something that the user should know, and that is no output.
pub fn warn(text: &str) {
    eprintln!("warning: {}", harmless(text));
}

/// Asks for a secret, without echo. A program may answer on standard input.
pub fn secret(question: &str) -> Result<String> {
    if io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(format!("{question}: "))?);
    }
    line()
}

/// Asks a question that only "yes" answers with yes.
pub fn confirm(question: &str) -> Result<bool> {
    print!("{} [yes/no] ", harmless(question));
    io::stdout().flush()?;
    Ok(line()?.eq_ignore_ascii_case("yes"))
}

fn line() -> Result<String> {
    let mut line = String::new();
    if io::stdin().read_line(&mut line)? == 0 {
        bail!("standard input ended before there was an answer");
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A progress bar on standard error, if that is a terminal.
pub fn progress(done: usize, total: usize) {
    const WIDTH: usize = 30;
    if !io::stderr().is_terminal() || total == 0 {
        return;
    }
    let full = WIDTH * done / total;
    eprint!("\r[{}{}] {done}/{total}", "=".repeat(full), " ".repeat(WIDTH - full));
    if done == total {
        eprintln!();
    }
}
