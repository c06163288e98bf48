//! Reads files and standard input. What is read may be secret, so it is wiped.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek},
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
    /// Its name in messages.
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

    /// For reading more than once, piece by piece.
    pub fn pieces(&self) -> Result<Pieces> {
        let source = match self {
            Self::File(path) if path.is_file() => {
                Source::File(File::open(path).map_err(|error| self.failure(&error))?)
            }
            // Input that is not a file can be read only once.
            _ => Source::Memory(self.bytes()?),
        };
        Ok(Pieces { input: self.clone(), source, buffer: Zeroizing::new(vec![0; PIECE]) })
    }

    /// For reading line by line, without wiping.
    pub fn lines(&self) -> Result<Box<dyn BufRead>> {
        Ok(Box::new(BufReader::new(self.open()?)))
    }
}

/// How many bytes of a file are in memory at a time.
const PIECE: usize = 1 << 16;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

enum Source {
    File(File),
    Memory(Zeroizing<Vec<u8>>),
}

/// What can be read more than once, piece by piece.
pub struct Pieces {
    input: Input,
    source: Source,
    buffer: Zeroizing<Vec<u8>>,
}

impl Pieces {
    /// Hands each piece to `visit`, from the first one on, without a byte order mark.
    pub fn each(&mut self, mut visit: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let Self { input, source, buffer } = self;
        let file = match source {
            Source::Memory(bytes) => {
                return visit(bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes));
            }
            Source::File(file) => file,
        };
        file.rewind().map_err(|error| input.failure(&error))?;
        let mut is_first = true;
        loop {
            let filled = fill(file, buffer).map_err(|error| input.failure(&error))?;
            let piece = &buffer[..filled];
            let without_mark = piece.strip_prefix(BYTE_ORDER_MARK).filter(|_| is_first);
            visit(without_mark.unwrap_or(piece))?;
            if filled < buffer.len() {
                return Ok(());
            }
            is_first = false;
        }
    }

    /// Whether this is the first character that is not white space, in the first piece.
    pub fn begins_with(&mut self, character: u8) -> Result<bool> {
        let Self { input, source, buffer } = self;
        let piece = match source {
            Source::Memory(bytes) => bytes.as_slice(),
            Source::File(file) => {
                let filled = file.rewind().and_then(|()| fill(file, buffer));
                &buffer[..filled.map_err(|error| input.failure(&error))?]
            }
        };
        let piece = piece.strip_prefix(BYTE_ORDER_MARK).unwrap_or(piece);
        Ok(piece.trim_ascii_start().first() == Some(&character))
    }
}

/// Fills the buffer, if there is that much.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The text of these bytes, without a byte order mark.
pub fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>> {
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    if let Err(error) = std::str::from_utf8(&bytes) {
        let place = error.valid_up_to();
        return Err(Failure::input(format_args!("expected text, but byte {place} is not UTF-8")));
    }
    let bytes = std::mem::take(&mut *bytes);
    // It was checked above.
    String::from_utf8(bytes).map(Zeroizing::new).map_err(|_| Failure::input("not UTF-8"))
}

/// Reads to the end. A buffer that grows would leave copies behind, so a full one is replaced by
/// a larger one, and wiped.
pub fn read_wiped(reader: &mut dyn Read, expected: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; expected.saturating_add(1).max(1 << 13)]);
    let mut filled = 0;
    loop {
        filled += fill(reader, &mut buffer[filled..])?;
        if filled < buffer.len() {
            buffer.truncate(filled);
            return Ok(buffer);
        }
        let mut larger = Zeroizing::new(vec![0; buffer.len() * 2]);
        larger[..filled].copy_from_slice(&buffer);
        buffer = larger;
    }
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
    fn a_file_is_read_in_pieces_more_than_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for length in [0, 1, PIECE - 3, PIECE, 3 * PIECE] {
            let content = "\u{feff} ".to_owned() + &"a".repeat(length);
            std::fs::write(&path, &content).unwrap();
            let mut pieces = Input::File(path.clone()).pieces().unwrap();
            for _ in 0..2 {
                let mut read = Vec::new();
                let keep = |piece: &[u8]| {
                    read.extend_from_slice(piece);
                    Ok(())
                };
                pieces.each(keep).unwrap();
                assert!(read == content.as_bytes()[3..], "{length}");
            }
            assert_eq!(pieces.begins_with(b'a').unwrap(), length > 0);
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        let text = |bytes: &[u8]| text(Zeroizing::new(bytes.to_vec()));
        assert_eq!(*text("\u{feff}a".as_bytes()).unwrap(), "a");
        let error = text(b"ab\xff").unwrap_err();
        assert_eq!(error.to_string(), "expected text, but byte 2 is not UTF-8");
    }
}
