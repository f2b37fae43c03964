//! The server key of development.
//!
//! The key is created once and kept in a file, so that links and sessions stay valid after a restart.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use portico_domain::platform::{keys::ServerKeys, random::Random};

/// Returns the path of the key file in `folder`.
pub(crate) fn path(folder: &Path) -> PathBuf {
    folder.join("secret")
}

/// Returns the server key in `folder`. Creates the folder and the key if they do not exist.
///
/// # Errors
/// Returns a message that follows the name of the setting, for example `cannot read or write the server key
/// data/secret: …`, if the folder or the file cannot be read or written, or if the file holds no valid key.
pub(crate) fn read_or_make(folder: &Path) -> Result<ServerKeys, String> {
    let file = path(folder);
    let failed = |error: std::io::Error| format!("cannot read or write the server key {}: {error}", file.display());
    fs::create_dir_all(folder).map_err(failed)?;
    if !file.exists() {
        // Another process may start at the same time. A hard link makes the complete file appear in one step, and it
        // fails if the other process has created it first.
        let part = folder.join(format!("secret.{}", std::process::id()));
        make(&part).map_err(failed)?;
        let linked = fs::hard_link(&part, &file);
        fs::remove_file(&part).map_err(failed)?;
        if let Err(error) = linked
            && error.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(failed(error));
        }
    }
    let text = fs::read_to_string(&file).map_err(failed)?;
    ServerKeys::parse(text.trim()).map_err(|why| format!("the server key {} is not valid: {why}", file.display()))
}

/// Writes a new random key to `file`, which only its owner may read.
fn make(file: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(file)?, "{}", ServerKeys::generate(Random))
}
