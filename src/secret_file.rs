//! The server key of development: made once and kept, so that links survive a restart.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use portico_domain::{keys::ServerKeys, random::Random};

/// Where the key in `folder` is.
pub(crate) fn path(folder: &Path) -> PathBuf {
    folder.join("secret")
}

/// The key in `folder`, made if there is none.
///
/// # Errors
/// What is wrong with the folder or the file.
pub(crate) fn read_or_make(folder: &Path) -> Result<ServerKeys, String> {
    let file = path(folder);
    let failed = |error: std::io::Error| format!("has a server key {} that cannot be kept: {error}", file.display());
    fs::create_dir_all(folder).map_err(failed)?;
    if !file.exists() {
        // Whole or not at all, and whoever comes first wins: another process may be starting too.
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
    ServerKeys::parse(text.trim()).map_err(|why| format!("has a server key {} that {why}", file.display()))
}

fn make(file: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(file)?, "{}", ServerKeys::generate(Random))
}
