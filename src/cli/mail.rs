//! `portico mail`: tests whether mail can be sent.

use anyhow::{Result, anyhow};
use clap::Subcommand;
use portico_domain::platform::{email_address::EmailAddress, mail};

use crate::{bootstrap, config::Config};

/// The commands of `portico mail`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Sends a test mail immediately, without the job queue, and prints the mail server's reply.
    Test {
        /// The address of the recipient.
        #[arg(long, value_parser = super::parse_email)]
        to: EmailAddress,
    },
}

/// Runs a command of `portico mail`.
///
/// # Errors
/// Returns an error if the process cannot start, or if the mail was not sent.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    let Command::Test { to } = command;
    let app = bootstrap::app_without_database(&config).await?;
    let reply = mail::send_test(&app, to.clone())
        .await
        .map_err(|error| anyhow!("MAIL_URL: the test mail was not sent: {error}"))?;
    super::print(format!("Sent to {to}. The server answered: {reply}"));
    Ok(())
}
