//! `portico mail`: does mail leave?

use anyhow::{Result, anyhow};
use clap::Subcommand;
use portico_domain::{email_address::EmailAddress, mail};

use crate::{bootstrap, config::Config};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Sends a test mail at once and prints the server's answer.
    Test {
        /// Where to.
        #[arg(long, value_parser = super::parse_email)]
        to: EmailAddress,
    },
}

pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    let Command::Test { to } = command;
    let app = bootstrap::app(&config).await?;
    let answer = mail::send_test(&app, to.clone()).await.map_err(|error| anyhow!("MAIL_URL: not sent: {error}"))?;
    super::print(format!("Sent to {to}. The server answered: {answer}"));
    Ok(())
}
