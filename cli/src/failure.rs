//! Why a command ends without success, and the exit code that says so.

use std::{error::Error, fmt, io};

use crate::report::printable;

/// The exit codes, which `moceril --help` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The command has done its work, and found something that is not as expected.
    Finding = 1,
    /// The command line is wrong. clap uses the same code.
    Usage = 2,
    /// An input is not as expected.
    Input = 3,
    /// A key or passphrase is wrong, or what it opens was altered.
    Key = 4,
    /// A file cannot be read or written.
    File = 5,
}

/// What went wrong, and a suggestion.
#[derive(Debug)]
pub struct Failure {
    pub code: Code,
    what: String,
    details: Vec<String>,
    hint: Option<String>,
    /// Why the output could not be written. Only the code that has opened it knows its name.
    pub unwritten: Option<io::Error>,
}

pub type Result<T> = std::result::Result<T, Failure>;

/// The text of an error and of those behind it, which the error itself does not repeat.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl Failure {
    fn new(code: Code, what: impl fmt::Display) -> Self {
        Self { code, what: what.to_string(), details: Vec::new(), hint: None, unwritten: None }
    }

    pub fn finding(what: impl fmt::Display) -> Self {
        Self::new(Code::Finding, what)
    }

    pub fn usage(what: impl fmt::Display) -> Self {
        Self::new(Code::Usage, what)
    }

    pub fn input(what: impl fmt::Display) -> Self {
        Self::new(Code::Input, what)
    }

    pub fn key(what: impl fmt::Display) -> Self {
        Self::new(Code::Key, what)
    }

    pub fn file(what: impl fmt::Display) -> Self {
        Self::new(Code::File, what)
    }

    /// Whether the reader of standard output has closed it, as `head` does.
    pub fn is_broken_pipe(&self) -> bool {
        self.unwritten.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What went wrong, without the suggestion.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Adds a line after the first one.
    #[must_use]
    pub fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.details.push(detail.to_string());
        self
    }

    /// Says what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Says where it happened.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.what = format!("{place}: {}", self.what);
        self
    }
}

/// Every text can repeat content of a file or a server, so only the line ends between the parts of
/// a failure are kept.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.what))?;
        for detail in &self.details {
            write!(f, "\n  {}", printable(detail))?;
        }
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  try: {}", printable(hint)))
    }
}

/// The output cannot be written. It is standard output, unless `Output::write` says otherwise.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let failure = Self::file(format_args!("standard output: {error}"));
        Self { unwritten: Some(error), ..failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_where_what_and_what_to_try() {
        let failure = Failure::input("no JSON").at("keys.txt").hint("take another file");
        assert_eq!(failure.to_string(), "keys.txt: no JSON\n  try: take another file");
        assert_eq!(failure.code as u8, 3);
    }

    #[test]
    fn no_part_of_a_failure_gives_orders_to_the_terminal() {
        let order = "a\u{1b}]0;b\u{7}\n\u{9b}c\u{200f}";
        let shown = "a\u{fffd}]0;b\u{fffd}\u{fffd}\u{fffd}c\u{fffd}";
        let failure = Failure::input(order).at(order).detail(order).hint(order);
        let expected = format!("{shown}: {shown}\n  {shown}\n  try: {shown}");
        assert_eq!(failure.to_string(), expected);
    }
}
