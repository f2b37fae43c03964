//! The environment variables of `portico remote`.
//!
//! These commands read no setting of a server, so they do not use the reader of settings, which reports every problem
//! of a server's configuration. `IGNORED` in `domain/src/platform/env_reader.rs` names the variables that are read
//! here.

use std::path::PathBuf;

use super::failure::{Failure, Result};

/// The environment of a command.
pub(super) struct RemoteEnvironment {
    /// `PORTICO_REMOTE_PROFILE`: the profile, if no option names one.
    pub(super) profile: Option<String>,
    /// `PORTICO_REMOTE_URL`: the URL of the server, in place of the profile's.
    pub(super) url: Option<String>,
    /// `PORTICO_REMOTE_TOKEN`: the API token, in place of the profile's.
    pub(super) token: Option<String>,
    /// The folder for configuration files: `XDG_CONFIG_HOME`, or `.config` in `HOME`.
    config_folder: Option<PathBuf>,
}

impl RemoteEnvironment {
    /// Reads the environment. A variable that is empty counts as not set.
    ///
    /// # Errors
    /// A failure with the exit code 2 if a variable of Portico is not UTF-8.
    pub(super) fn read() -> Result<Self> {
        // The specification of XDG ignores a path that is not absolute.
        let xdg = path("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
        Ok(Self {
            profile: text("PORTICO_REMOTE_PROFILE")?,
            url: text("PORTICO_REMOTE_URL")?,
            token: text("PORTICO_REMOTE_TOKEN")?,
            config_folder: xdg.or_else(|| path("HOME").map(|home| home.join(".config"))),
        })
    }

    /// Returns the folder that holds the profiles.
    ///
    /// # Errors
    /// A failure with the exit code 2 if the environment names no folder.
    pub(super) fn profile_folder(&self) -> Result<PathBuf> {
        let folder = self.config_folder.as_ref();
        let folder = folder.ok_or_else(|| Failure::usage("set HOME or XDG_CONFIG_HOME, where profiles are stored"));
        Ok(folder?.join("portico").join("remote"))
    }
}

#[expect(clippy::disallowed_methods, reason = "these variables are no settings of a server")]
fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn text(name: &str) -> Result<Option<String>> {
    let Some(value) = path(name) else { return Ok(None) };
    match value.into_os_string().into_string() {
        Ok(value) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        Err(_) => Err(Failure::usage(format!("{name} must be UTF-8"))),
    }
}
