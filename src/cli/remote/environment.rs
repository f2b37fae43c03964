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
    /// Whether a program can show a window to the user of this terminal.
    pub(super) has_screen: bool,
    /// `XDG_CONFIG_HOME`: the folder for configuration files.
    config: Option<PathBuf>,
    /// `HOME`: the folder that has `.config`, if `XDG_CONFIG_HOME` is not set.
    home: Option<PathBuf>,
}

impl RemoteEnvironment {
    /// Reads the environment. A variable that is empty counts as not set.
    ///
    /// # Errors
    /// A failure with the exit code 2 if a variable of Portico is not UTF-8.
    pub(super) fn read() -> Result<Self> {
        Ok(Self {
            profile: text("PORTICO_REMOTE_PROFILE")?,
            url: text("PORTICO_REMOTE_URL")?,
            token: text("PORTICO_REMOTE_TOKEN")?,
            has_screen: has_screen(),
            config: path("XDG_CONFIG_HOME"),
            home: path("HOME"),
        })
    }

    /// Returns the folder that holds the profiles.
    ///
    /// # Errors
    /// A failure with the exit code 2 if the environment names no folder or a relative one: the login would be stored
    /// in the current folder.
    pub(super) fn profile_folder(&self) -> Result<PathBuf> {
        let (name, folder) = match (&self.config, &self.home) {
            (Some(config), _) => ("XDG_CONFIG_HOME", config.clone()),
            (None, Some(home)) => ("HOME", home.join(".config")),
            (None, None) => return Err(Failure::usage("set HOME or XDG_CONFIG_HOME, where profiles are stored")),
        };
        match folder.is_absolute() {
            true => Ok(folder.join("portico").join("remote")),
            false => Err(Failure::usage(format!("{name} must be an absolute path, e.g. /home/ann"))),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "these variables are no settings of a server")]
fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Returns whether the terminal is likely to be on the machine that it works on, and that machine to have a screen.
fn has_screen() -> bool {
    let is_remote = path("SSH_CONNECTION").is_some();
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| path(name).is_some());
    !is_remote && (has_display || cfg!(target_os = "macos"))
}

fn text(name: &str) -> Result<Option<String>> {
    let Some(value) = path(name) else { return Ok(None) };
    match value.into_os_string().into_string() {
        Ok(value) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        Err(_) => Err(Failure::usage(format!("{name} must be UTF-8"))),
    }
}
