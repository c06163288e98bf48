//! Reads files and standard input. What is read may be secret, so it is wiped.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::PathBuf,
    str::FromStr,
};

use zeroize::Zeroizing;

use crate::failure::{Failure, Result};

/// A file, or standard input, which has the name `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Stdin,
    File(PathBuf),
}

impl FromStr for Input {
    type Err = std::convert::Infallible;

    fn from_str(name: &str) -> std::result::Result<Self, Self::Err> {
        Ok(if name == "-" { Self::Stdin } else { Self::File(name.into()) })
    }
}

impl Input {
    /// What messages call it.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => String::from("standard input"),
            Self::File(path) => path.display().to_string(),
        }
    }

    fn open(&self) -> Result<Box<dyn Read>> {
        Ok(match self {
            Self::Stdin => Box::new(io::stdin().lock()),
            Self::File(path) => Box::new(File::open(path).map_err(|error| self.failure(&error))?),
        })
    }

    fn failure(&self, error: &io::Error) -> Failure {
        let failure = Failure::file(format_args!("{}: {error}", self.name()));
        match error.kind() {
            io::ErrorKind::NotFound => failure.hint("check the name; - is standard input"),
            _ => failure,
        }
    }

    /// All bytes.
    pub fn bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        let length = match self {
            Self::Stdin => 0,
            Self::File(path) => path.metadata().map_or(0, |data| data.len()),
        };
        let length = usize::try_from(length).unwrap_or(0);
        read_wiped(&mut self.open()?, length).map_err(|error| self.failure(&error))
    }

    /// The whole text, without a byte order mark.
    pub fn text(&self) -> Result<Zeroizing<String>> {
        text(self.bytes()?).map_err(|failure| failure.at(self.name()))
    }

    /// For reading line by line. What is read so is not wiped.
    pub fn lines(&self) -> Result<Box<dyn BufRead>> {
        Ok(Box::new(BufReader::new(self.open()?)))
    }
}

/// The text of these bytes, without a byte order mark.
pub fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    if let Err(error) = std::str::from_utf8(&bytes) {
        let place = error.valid_up_to();
        return Err(Failure::input(format_args!("expected text, and byte {place} is not UTF-8")));
    }
    let bytes = std::mem::take(&mut *bytes);
    // It was checked above.
    String::from_utf8(bytes).map(Zeroizing::new).map_err(|_| Failure::input("not UTF-8"))
}

/// Reads to the end. A buffer that grows would leave copies behind, so a full one is replaced by
/// a larger one, and wiped.
fn read_wiped(reader: &mut dyn Read, expected: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; expected.saturating_add(1).max(1 << 13)]);
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            let mut larger = Zeroizing::new(vec![0; buffer.len() * 2]);
            larger[..filled].copy_from_slice(&buffer);
            buffer = larger;
        }
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_read_whatever_the_expected_length() {
        let content: Vec<u8> = (0..50_000_u32).map(|number| number as u8).collect();
        for expected in [0, 1, content.len(), 1 << 20] {
            let read = read_wiped(&mut &content[..], expected).unwrap();
            assert!(*read == content, "{expected}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        let text = |bytes: &[u8]| text(Zeroizing::new(bytes.to_vec()));
        assert_eq!(*text("\u{feff}a".as_bytes()).unwrap(), "a");
        let error = text(b"ab\xff").unwrap_err();
        assert_eq!(error.to_string(), "expected text, and byte 2 is not UTF-8");
    }
}
