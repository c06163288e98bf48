//! Files of Linux that have no name until they are complete. Nothing is left of such a file if the
//! command ends before that. Spec: open(2), `O_TMPFILE`.

use std::{fs::File, io, os::fd::AsRawFd, path::Path};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use tempfile::NamedTempFile;

/// The links to open files, through which they get names.
const OPEN_FILES: &str = "/proc/self/fd";

/// A new file on the file system of a folder, with the mode 0600; `None` if it has no such files.
pub fn create(folder: &Path) -> Option<File> {
    if !Path::new(OPEN_FILES).exists() {
        return None;
    }
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR).ok().map(File::from)
}

/// Gives the complete file a temporary name in the folder.
pub fn name(file: File, folder: &Path) -> io::Result<NamedTempFile> {
    file.sync_all()?;
    let open = format!("{OPEN_FILES}/{}", file.as_raw_fd());
    let link =
        |name: &Path| Ok(rustix::fs::linkat(CWD, &open, CWD, name, AtFlags::SYMLINK_FOLLOW)?);
    let (_, path) = tempfile::Builder::new().make_in(folder, link)?.into_parts();
    Ok(NamedTempFile::from_parts(file, path))
}
