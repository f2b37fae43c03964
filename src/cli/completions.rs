//! `portico completions`: prints the shell completions of all commands. Needs no configuration.

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, output::print};

/// Prints the completions for `shell`.
///
/// # Errors
/// Returns an error if stdout cannot be written.
pub(super) fn run(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "portico", &mut script);
    print(String::from_utf8_lossy(&script).trim_end())
}
