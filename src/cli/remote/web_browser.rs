//! Opening a page in the browser of this machine.

use std::process::{Command, Stdio};

use super::environment::RemoteEnvironment;

/// The program that opens a page in the browser that the user has chosen.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// Opens a page, if this machine is likely to have a screen. Nothing reports whether a browser has opened.
pub(super) fn open(environment: &RemoteEnvironment, url: &str) {
    if environment.has_screen {
        // What the browser prints must not mix with the output of the command.
        let _ = Command::new(OPENER).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }
}
