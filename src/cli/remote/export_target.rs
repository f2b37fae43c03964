//! Where an export is written to.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use super::failure::{Failure, Result};
use crate::cli::{output, text};

/// The most symbolic links that are followed, which is the limit of Linux.
const MAX_LINKS: usize = 40;

/// Where an export is written to.
pub(super) enum Target {
    /// Stdout.
    Stdout,
    /// A device or a FIFO. It is written while the export arrives.
    Special(PathBuf, File),
    /// A file that appears when the export is complete.
    File(PathBuf, NamedTempFile),
}

impl Target {
    /// Opens the file at `path`, or stdout. Symbolic links are followed. A FIFO is opened when it has a reader.
    ///
    /// # Errors
    /// A failure with the exit code 1 if the file cannot be opened.
    pub(super) async fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::Stdout) };
        let opened = match fs::metadata(path) {
            Ok(found) if !found.is_file() => {
                let special = path.to_owned();
                blocking(move || File::options().write(true).open(&special).map(|file| Self::Special(special, file)))
                    .await
            }
            _ => open_file(path),
        };
        opened.map_err(|error| cannot_write(path, &error))
    }

    /// Writes bytes. Returns `None` if the reader has closed stdout or the FIFO.
    ///
    /// # Errors
    /// A failure with the exit code 1 if the bytes cannot be written.
    pub(super) async fn write(self, bytes: Vec<u8>) -> Result<Option<Self>> {
        match self {
            // A pipe whose reader is slow must not stop the signals.
            Self::Stdout => {
                let written = blocking(move || output::write(&bytes)).await;
                let is_open = written.map_err(|error| Failure::failed(format!("cannot write the export: {error}")))?;
                Ok(is_open.then_some(Self::Stdout))
            }
            Self::Special(path, mut file) => match blocking(move || file.write_all(&bytes).map(|()| file)).await {
                Ok(file) => Ok(Some(Self::Special(path, file))),
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(None),
                Err(error) => Err(cannot_write(&path, &error)),
            },
            Self::File(path, mut file) => {
                file.write_all(&bytes).map_err(|error| cannot_write(&path, &error))?;
                Ok(Some(Self::File(path, file)))
            }
        }
    }

    /// Returns whether nothing is kept of an export that is incomplete.
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(..))
    }

    /// Ends an export that is complete. A file gets its name, in place of an older one. It keeps the permissions of the
    /// older one; otherwise only its owner can read it. Returns the path, if it is not stdout.
    ///
    /// # Errors
    /// A failure with the exit code 1 if the file cannot be written.
    pub(super) fn finish(self) -> Result<Option<PathBuf>> {
        match self {
            Self::Stdout => Ok(None),
            Self::Special(path, _) => Ok(Some(path)),
            Self::File(path, file) => match persist(&path, file) {
                Ok(()) => Ok(Some(path)),
                Err(error) => Err(cannot_write(&path, &error)),
            },
        }
    }
}

fn open_file(path: &Path) -> io::Result<Target> {
    let path = resolve(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(".export").tempfile_in(folder)?;
    Ok(Target::File(path, file))
}

/// Returns the path to which the symbolic links at `path` lead. There may be no file.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(io::Error::other("too many symbolic links"))
}

fn persist(path: &Path, file: NamedTempFile) -> io::Result<()> {
    if let Ok(old) = fs::metadata(path) {
        file.as_file().set_permissions(fs::Permissions::from_mode(old.permissions().mode() & 0o777))?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Runs `work` on a thread of its own, so that a signal can end the command before `work` is done.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot write {}: {error}", text::path(path)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn symbolic_links_are_followed_to_a_file_that_may_not_exist() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("second", at("first")).unwrap();
        symlink(at("file"), at("second")).unwrap();
        symlink("loop", at("loop")).unwrap();
        for name in ["file", "second", "first"] {
            assert_eq!(resolve(&at(name)).unwrap(), at("file"), "{name}");
        }
        assert!(resolve(&at("loop")).is_err());
    }
}
