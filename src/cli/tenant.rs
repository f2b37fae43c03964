//! `portico tenant`: manages tenants, the companies that use Portico.

use anyhow::{Result, bail};
use clap::Subcommand;
use portico_domain::{
    platform::{error::Error, name::Name},
    tenancy::tenants::{self, Slug},
};

use crate::{bootstrap, config::Config};

/// The commands of `portico tenant`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Adds a tenant.
    Add {
        /// The short name of the tenant: lower-case letters, digits and hyphens.
        #[arg(long, value_parser = parse_slug)]
        slug: Slug,
        /// The name of the tenant as mails show it.
        #[arg(long, value_parser = super::parse_name)]
        name: Name,
    },
    /// Suspends a tenant: its staff users and portal users lose access immediately.
    Suspend {
        /// The slug of the tenant.
        #[arg(long)]
        slug: String,
    },
    /// Restores access to a suspended tenant. Every user must sign in again.
    Restore {
        /// The slug of the tenant.
        #[arg(long)]
        slug: String,
    },
}

/// Runs a command of `portico tenant`.
///
/// # Errors
/// Returns an error if the process cannot start, if the slug of a new tenant is taken, or if no tenant has the slug.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    let app = bootstrap::app(&config).await?;
    let done = match command {
        Command::Add { slug, name } => {
            tenants::add(&app, &slug, &name).await.map(|tenant| format!("Added the tenant {}.", tenant.slug))
        }
        Command::Suspend { slug } => {
            tenants::suspend(&app, &slug).await.map(|()| format!("Suspended the tenant {slug}."))
        }
        Command::Restore { slug } => {
            tenants::restore(&app, &slug).await.map(|()| format!("Restored the tenant {slug}."))
        }
    };
    match done {
        Ok(text) => super::print(text)?,
        Err(Error::Conflict(_)) => bail!("a tenant with this slug already exists"),
        Err(Error::NotFound(_)) => bail!("no tenant has this slug"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Parses an argument that is the slug of a tenant.
///
/// # Errors
/// Returns the reason why `text` is not a valid slug.
fn parse_slug(text: &str) -> Result<Slug, String> {
    text.parse().map_err(|problem: portico_domain::platform::error::FieldProblem| problem.detail)
}
