//! The stored logins. A profile is a file that only its owner can read, because it holds an API token.

use std::{
    fs::{self, DirBuilder, File},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use portico_domain::platform::clock::Time;
use serde::{Deserialize, Serialize};

use super::failure::{Failure, Result};
use crate::cli::text;

/// The largest size of a profile, in bytes.
const MAX_BYTES: u64 = 64 * 1024;
/// The permissions that other users must not have.
const OF_OTHERS: u32 = 0o077;
/// The permission to write that other users must not have on the folder.
const WRITE_OF_OTHERS: u32 = 0o022;

/// A stored login.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Profile {
    /// The URL of the server.
    pub(super) url: String,
    /// The API token.
    pub(super) token: String,
    /// Whether `portico remote login` created the token.
    #[serde(default)]
    pub(super) is_created_by_login: bool,
    /// The address of the staff user, if it is known.
    #[serde(default)]
    pub(super) email: Option<String>,
    /// The staff session, for the commands that an API token cannot do.
    #[serde(default)]
    pub(super) session: Option<StoredSession>,
    /// The cookie that makes this machine a known device of the staff user, as `name=value`.
    #[serde(default)]
    pub(super) device: Option<String>,
}

/// A staff session.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredSession {
    /// The access token.
    pub(super) access_token: String,
    /// When the access token expires.
    pub(super) expires_at: Time,
}

/// The file of one profile.
#[derive(Clone)]
pub(super) struct ProfileFile {
    /// The name of the profile.
    pub(super) name: String,
    folder: PathBuf,
}

/// Parses the name of a profile: 1 to 64 letters, digits, `-`, `_` and `.`; the first is no `.`.
///
/// # Errors
/// A clause that follows the name.
pub(super) fn parse_name(name: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_good = (1..=64).contains(&name.len()) && !name.starts_with('.') && name.chars().all(is_allowed);
    if is_good { Ok(name.to_owned()) } else { Err("must have 1 to 64 letters, digits, '-', '_' or '.'".into()) }
}

impl ProfileFile {
    /// Returns the file of the profile `name` in `folder`.
    pub(super) fn new(folder: PathBuf, name: String) -> Self {
        Self { name, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.name))
    }

    /// Reads the profile. Returns `None` if there is no file.
    ///
    /// # Errors
    /// A failure with the exit code 4 if another user owns the file or its folder or may read or write it, or if it is
    /// no regular file; and one with the exit code 1 if it cannot be read.
    pub(super) fn read(&self) -> Result<Option<Profile>> {
        let path = self.path();
        let failed = |error: &dyn std::fmt::Display| {
            Failure::failed(format!("cannot read the login in {}: {error}", text::path(&path)))
        };
        self.check_folders()?;
        match fs::metadata(&path) {
            // Opening a FIFO would wait until it has a writer.
            Ok(found) if !found.is_file() => return Err(not_a_file(&path)),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            found => found.map_err(|error| failed(&error))?,
        };
        let mut file = File::open(&path).map_err(|error| failed(&error))?;
        check(&path, &file.metadata().map_err(|error| failed(&error))?, OF_OTHERS)?;
        let mut text = String::new();
        (&mut file).take(MAX_BYTES).read_to_string(&mut text).map_err(|error| failed(&error))?;
        // The error of serde would repeat a part of the file.
        let profile = serde_json::from_str(&text);
        profile.map(Some).map_err(|_| failed(&"it is damaged; run portico remote logout --local, then log in again"))
    }

    /// Writes the profile in one step: another process reads the old file or the new one.
    ///
    /// # Errors
    /// A failure with the exit code 4 if another user owns the folder or may write to it, and one with the exit code 1
    /// if the folder or the file cannot be written.
    pub(super) fn write(&self, profile: &Profile) -> Result<()> {
        let failed = |error: std::io::Error| {
            Failure::failed(format!("cannot write the login to {}: {error}", text::path(&self.path())))
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed)?;
        self.check_folders()?;
        // Only the owner can read a temporary file, from the moment that it exists.
        let mut file = tempfile::Builder::new().prefix(".login").tempfile_in(&self.folder).map_err(failed)?;
        let text = serde_json::to_vec_pretty(profile).map_err(|error| failed(error.into()))?;
        file.write_all(&text).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(self.path()).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Checks the folder of the profiles and the one above it, which is Portico's too, if they exist.
    fn check_folders(&self) -> Result<()> {
        for folder in self.folder.parent().into_iter().chain([self.folder.as_path()]) {
            match fs::metadata(folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(Failure::failed(format!("cannot read {}: {error}", text::path(folder)))),
                Ok(found) => check(folder, &found, WRITE_OF_OTHERS)?,
            }
        }
        Ok(())
    }

    /// Deletes the file. Returns whether there was one.
    ///
    /// # Errors
    /// A failure with the exit code 1 if the file cannot be deleted.
    pub(super) fn delete(&self) -> Result<bool> {
        match fs::remove_file(self.path()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Failure::failed(format!("cannot delete {}: {error}", text::path(&self.path())))),
        }
    }
}

fn not_a_file(path: &Path) -> Failure {
    Failure::refused(format!("{} is not a regular file, so it is not used as a login; delete it", text::path(path)))
}

/// Checks that this user owns the file or the folder, and that other users have none of the permissions `forbidden`.
fn check(path: &Path, metadata: &fs::Metadata, forbidden: u32) -> Result<()> {
    let shown = text::path(path);
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(Failure::refused(format!(
            "another user owns {shown}, so the login in it is not used; delete it and log in again"
        )));
    }
    if metadata.mode() & forbidden != 0 {
        let (mode, word) = (if metadata.is_dir() { "700" } else { "600" }, text::shell_word(path));
        return Err(Failure::refused(format!(
            "other users may read or write {shown}, so the login in it is not used\n\
             Run: chmod {mode} {word}\n\
             If others have read the token, run `portico remote logout` afterwards and log in again."
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cli::remote::failure::FailureKind;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_login_is_stored_only_where_it_can_be_read_later() {
        for (folder, mode) in
            [("portico", 0o777), ("portico/remote", 0o777), ("portico", 0o720), ("portico/remote", 0o702)]
        {
            let config = tempfile::tempdir().unwrap();
            let file = ProfileFile::new(config.path().join("portico/remote"), "default".into());
            file.write(&Profile::default()).unwrap();
            assert!(file.read().unwrap().is_some());
            file.delete().unwrap();
            chmod(&config.path().join(folder), mode);
            // Also before a code is requested: a login reads the old profile first.
            for result in [file.read().map(drop), file.write(&Profile::default())] {
                let failure = result.unwrap_err();
                let expected = format!("Run: chmod 700 '{}'", config.path().join(folder).display());
                assert!(failure.kind() == FailureKind::Refused && failure.to_string().contains(&expected), "{failure}");
            }
            assert!(!file.path().exists());
        }
    }
}
