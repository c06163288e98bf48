//! Files and directories that only their owner can read.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
};

use anyhow::{Result, bail};

/// Makes the directory if it is missing. One that others can read is refused: it may be meant for
/// something else.
pub fn directory(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)?;
    if mode(path)? & 0o077 != 0 {
        bail!(
            "others can read this directory: run `chmod 700 {}`, or name another one with --store",
            path.display()
        );
    }
    Ok(())
}

/// Makes a file, which must not be there yet. It has its mode from the beginning: nobody can open
/// it before that.
pub fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Takes the file from everybody but its owner, if it is there.
pub fn restrict(path: &Path) -> io::Result<()> {
    if !path.try_exists()? || mode(path)? & 0o077 == 0 {
        return Ok(());
    }
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(())
}

#[cfg(unix)]
fn mode(path: &Path) -> io::Result<u32> {
    Ok(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path)?.permissions()))
}

/// Elsewhere the home directory's own protection must do.
#[cfg(not(unix))]
fn mode(_: &Path) -> io::Result<u32> {
    Ok(0)
}
