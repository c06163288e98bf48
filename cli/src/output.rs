//! Writes files and standard output.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use tempfile::NamedTempFile;

use crate::failure::{Failure, Result};
#[cfg(target_os = "linux")]
use crate::unnamed;

/// Where a result goes.
#[derive(Args, Debug)]
pub struct Output {
    /// The file to write; without it, the result goes to standard output
    ///
    /// Only you can read the file. It appears when it is complete.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, requires = "output")]
    force: bool,
}

/// Whether everybody who sees the terminal may see a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    Public,
    /// It may go to standard output only if the user has asked for that.
    Secret {
        shown: bool,
    },
}

impl Output {
    /// Refuses a target before any work is done for it.
    pub fn check(&self, content: Content) -> Result<()> {
        match &self.output {
            Some(path) if !self.force && path.exists() => Err(exists(path)),
            None if content == (Content::Secret { shown: false }) => {
                let failure = Failure::usage("the result is secret and needs a file");
                Err(failure.hint("use --output FILE, or --show-secrets to see it here"))
            }
            _ => Ok(()),
        }
    }

    /// Writes what `write` writes: a file completely or not at all.
    pub fn write(
        &self,
        content: Content,
        write: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        self.check(content)?;
        let Some(path) = &self.output else {
            let mut out = stdout();
            write(&mut out)?;
            return Ok(out.flush()?);
        };
        let failed = |error: io::Error| Failure::file(format_args!("{}: {error}", path.display()));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        #[cfg(target_os = "linux")]
        if let Some(mut file) = unnamed::create(folder) {
            fill(&mut file, path, write)?;
            return self.persist(unnamed::name(file, folder).map_err(failed)?);
        }
        // It is created with the mode 0600.
        let mut file = NamedTempFile::new_in(folder).map_err(|error| {
            // Its text names the temporary file.
            let error = io::Error::from(error.kind());
            failed(error).hint(format_args!("check that you may write to {}", folder.display()))
        })?;
        // The errors of a `NamedTempFile` name the temporary file, those of its `File` do not.
        fill(file.as_file_mut(), path, write)?;
        self.persist(file)
    }

    /// Gives a complete file its name.
    pub fn persist(&self, file: NamedTempFile) -> Result<()> {
        let Some(path) = &self.output else { return Ok(()) };
        let failed = |error: io::Error| Failure::file(format_args!("{}: {error}", path.display()));
        file.as_file().sync_all().map_err(failed)?;
        let persisted = if self.force { file.persist(path) } else { file.persist_noclobber(path) };
        match persisted {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(exists(path)),
            Err(error) => Err(failed(error.error)),
        }
    }

    /// The name of the file, to tell the user.
    pub fn file(&self) -> Option<String> {
        self.output.as_ref().map(|path| path.display().to_string())
    }

    #[cfg(feature = "stores")]
    pub fn path(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    #[cfg(all(test, feature = "stores"))]
    pub fn to_file(path: PathBuf, force: bool) -> Self {
        Self { output: Some(path), force }
    }
}

/// Writes what `write` writes into the file that will be at `path`.
fn fill(
    file: &mut File,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    let failed = |error: io::Error| Failure::file(format_args!("{}: {error}", path.display()));
    let mut writer = BufWriter::new(file);
    write(&mut writer).map_err(|mut failure| match failure.unwritten.take() {
        Some(error) => failed(error),
        None => failure.at(path.display()),
    })?;
    writer.flush().map_err(failed)
}

fn exists(path: &Path) -> Failure {
    let failure = Failure::file(format_args!("{}: the file exists already", path.display()));
    failure.hint("choose another name, or use --force to replace the file")
}

/// Standard output, without colours where they are not wanted.
pub fn stdout() -> BufWriter<anstream::Stdout> {
    BufWriter::new(anstream::stdout())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(path: &Path, force: bool) -> Output {
        Output { output: Some(path.into()), force }
    }

    #[test]
    fn a_file_is_complete_private_and_never_replaced_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let secret = Content::Secret { shown: false };
        let put = |force, text: &'static str| {
            output(&path, force).write(secret, |out| Ok(out.write_all(text.as_bytes())?))
        };

        put(false, "one").unwrap();
        assert_eq!(put(false, "two").unwrap_err().code, crate::failure::Code::File);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        put(true, "three").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"three");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }

        let broken = output(&path, true).write(secret, |_| {
            Err(io::Error::from(io::ErrorKind::BrokenPipe))?;
            Ok(())
        });
        let broken = broken.unwrap_err();
        assert_eq!(broken.to_string(), format!("{}: broken pipe", path.display()));
        assert!(!broken.is_broken_pipe(), "a file is not written to its end");

        let failed = output(&path, true).write(secret, |out| {
            out.write_all(b"half")?;
            Err(Failure::input("broken"))
        });
        assert!(failed.unwrap_err().to_string().ends_with("file: broken"));
        assert_eq!(std::fs::read(&path).unwrap(), b"three");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no file is left behind");
    }

    /// Where a file can be without a name, a command that is ended leaves nothing.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_has_no_name_before_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let names = || std::fs::read_dir(folder.path()).unwrap().count();
        for force in [false, true] {
            let before = names();
            let written = output(&path, force).write(Content::Public, |out| {
                out.write_all(&[1; 1 << 16])?;
                let is_unnamed = unnamed::create(folder.path()).is_some();
                assert_eq!(names(), before + usize::from(!is_unnamed));
                Ok(())
            });
            written.unwrap();
            assert_eq!(names(), 1);
            assert_eq!(std::fs::read(&path).unwrap(), [1; 1 << 16]);
        }
    }

    #[test]
    fn a_secret_needs_a_file_or_consent() {
        let nowhere = Output { output: None, force: false };
        assert!(nowhere.check(Content::Secret { shown: false }).is_err());
        assert!(nowhere.check(Content::Secret { shown: true }).is_ok());
        assert!(nowhere.check(Content::Public).is_ok());
    }
}
