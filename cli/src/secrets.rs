//! Where passphrases and keys come from. They are never arguments: everybody on a machine can see
//! the arguments of every process, and shells remember them.

use std::{
    env,
    io::{self, IsTerminal},
    path::PathBuf,
    str::FromStr,
};

use zeroize::Zeroizing;

use crate::{
    failure::{Failure, Result},
    input::{self, Input},
    report::printable,
};

/// A place from which a secret is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    Prompt,
    File(PathBuf),
    Env(String),
    Fd(u32),
    /// The argument names no source. It may be the secret itself, so it is never repeated.
    Unknown,
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    /// It never fails, because clap would print the argument.
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(match text.split_once(':') {
            None if text == "prompt" => Self::Prompt,
            Some(("file", path)) => Self::File(path.into()),
            Some(("env", name)) => Self::Env(name.into()),
            Some(("fd", number)) => number.parse().map_or(Self::Unknown, Self::Fd),
            _ => Self::Unknown,
        })
    }
}

impl Secret {
    /// The text of a secret: a passphrase or a key as text. `what` says which, for the prompt and
    /// for messages.
    pub fn text(source: Option<&Self>, what: &str) -> Result<Zeroizing<String>> {
        input::text(Self::bytes(source, what)?).map_err(|failure| failure.at(what))
    }

    /// The bytes of a secret, without one end of a line after it.
    pub fn bytes(source: Option<&Self>, what: &str) -> Result<Zeroizing<Vec<u8>>> {
        let mut bytes = Self::whole(source, what)?;
        let length = without_line_end(&bytes).len();
        bytes.truncate(length);
        Ok(bytes)
    }

    /// All bytes of a secret. A key can end like a line.
    pub fn whole(source: Option<&Self>, what: &str) -> Result<Zeroizing<Vec<u8>>> {
        Ok(match source.unwrap_or(&Self::Prompt) {
            Self::Prompt => Zeroizing::new(prompt(what)?.as_bytes().to_vec()),
            Self::File(path) => Input::File(path.clone()).bytes()?,
            Self::Fd(number) => Input::File(format!("/dev/fd/{number}").into()).bytes()?,
            Self::Env(name) => Zeroizing::new(
                env::var(name)
                    .map_err(|_| {
                        Failure::usage(format_args!(
                            "{what}: the variable {name} is not set, or is not text"
                        ))
                        .hint(format_args!("export {name} before the command"))
                    })?
                    .into_bytes(),
            ),
            Self::Unknown => return Err(unknown(what)),
        })
    }

    /// A new secret, which the user enters twice.
    pub fn new_text(source: Option<&Self>, what: &str) -> Result<Zeroizing<String>> {
        let secret = Self::text(source, what)?;
        if matches!(source, None | Some(Self::Prompt)) {
            let again = prompt(&format!("{what} again"))?;
            if *secret != *again {
                return Err(Failure::usage(format_args!("{what}: the two entries differ")));
            }
        }
        Ok(secret)
    }

    /// A key of 32 bytes, raw or in base64.
    #[cfg(any(test, feature = "stores"))]
    pub fn key(source: Option<&Self>, what: &str) -> Result<Zeroizing<[u8; 32]>> {
        Self::key_of(&Self::whole(source, what)?, what)
    }

    /// The key of 32 bytes that is the whole secret, or the secret without its line end.
    pub fn key_of(whole: &[u8], what: &str) -> Result<Zeroizing<[u8; 32]>> {
        // The three have different lengths, so what is a key is never in doubt.
        let ends: [&[u8]; 3] = [b"", b"\n", b"\r\n"];
        let mut lines = ends.iter().filter_map(|end| whole.strip_suffix(*end));
        if let Some(key) = lines.find_map(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
            return Ok(Zeroizing::new(key));
        }
        let bytes = without_line_end(whole);
        let key = std::str::from_utf8(bytes).ok();
        // It is a secret of the same length and the same text.
        let key = key.and_then(|text| moceril::Ed25519SecretKey::from_base64(text.trim()).ok());
        let key = key.ok_or_else(|| {
            let found = bytes.len();
            Failure::input(format_args!(
                "{what}: expected 32 bytes or their base64, but found {found} bytes"
            ))
        })?;
        Ok(Zeroizing::new(key.to_bytes()))
    }
}

/// The secret without `\n` or `\r\n` at its end, which editors add.
pub fn without_line_end(secret: &[u8]) -> &[u8] {
    secret.strip_suffix(b"\r\n").or_else(|| secret.strip_suffix(b"\n")).unwrap_or(secret)
}

fn unknown(what: &str) -> Failure {
    Failure::usage(format_args!(
        "{what}: a secret cannot be an argument, because others can see it"
    ))
    .hint("give file:PATH, env:NAME (a variable), fd:NUMBER (an open file), or prompt")
}

/// Asks the user, if there is one.
fn prompt(what: &str) -> Result<Zeroizing<String>> {
    if !io::stderr().is_terminal() {
        return Err(Failure::usage(format_args!("{what}: there is no terminal to ask for it"))
            .hint(
                "add its option with file:PATH, env:NAME (a variable) or fd:NUMBER (an open file)",
            ));
    }
    let secret = rpassword::prompt_password(format!("{}: ", printable(what)));
    let secret = secret.map_err(|error| Failure::file(format_args!("{what}: {error}")))?;
    Ok(Zeroizing::new(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Secret {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_is_named_never_given() {
        assert_eq!(source("prompt"), Secret::Prompt);
        assert_eq!(source("file:a:b"), Secret::File("a:b".into()));
        assert_eq!(source("env:NAME"), Secret::Env("NAME".into()));
        assert_eq!(source("fd:3"), Secret::Fd(3));
        for text in ["hunter2", "fd:x", "pass:hunter2", ""] {
            let error = Secret::text(Some(&source(text)), "passphrase").unwrap_err().to_string();
            assert!(error.starts_with("passphrase: a secret cannot be an argument"), "{error}");
            assert!(!error.contains("hunter2"));
        }
    }

    #[test]
    fn one_end_of_line_is_not_part_of_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let source = Secret::File(path.clone());
        for (content, secret) in [
            ("a b\n", "a b"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a\r", "a\r"),
            ("a\n\r", "a\n\r"),
            ("a", "a"),
        ] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(*Secret::text(Some(&source), "passphrase").unwrap(), secret);
        }
    }

    #[test]
    fn a_key_is_32_bytes_or_their_base64() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let source = Secret::File(path.clone());
        for content in [&[7; 32][..], b"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\n"] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(*Secret::key(Some(&source), "key").unwrap(), [7; 32]);
        }
        for end in [*b"a\n", *b"a\r", *b"\n\r", *b"\r\n", *b"\n\n"] {
            let mut key = [7; 32];
            key[30..].copy_from_slice(&end);
            for line_end in ["", "\n", "\r\n"] {
                std::fs::write(&path, [&key, line_end.as_bytes()].concat()).unwrap();
                assert_eq!(
                    *Secret::key(Some(&source), "key").unwrap(),
                    key,
                    "{end:?} {line_end:?}"
                );
            }
        }
        std::fs::write(&path, "short").unwrap();
        assert!(Secret::key(Some(&source), "key").is_err());
    }
}
