//! `portico tenant`: the companies that use Portico.

use anyhow::{Result, bail};
use clap::Subcommand;
use portico_domain::{
    error::Error,
    name::Name,
    tenants::{self, Slug},
};

use crate::{bootstrap, config::Config};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Adds a tenant.
    Add {
        /// Its short name: lower-case letters, digits and hyphens.
        #[arg(long, value_parser = parse_slug)]
        slug: Slug,
        /// What it is called in mails.
        #[arg(long, value_parser = super::parse_name)]
        name: Name,
    },
    /// Shuts a tenant's staff and people out, at once.
    Suspend {
        /// Its short name.
        #[arg(long)]
        slug: String,
    },
    /// Lets a suspended tenant in again.
    Restore {
        /// Its short name.
        #[arg(long)]
        slug: String,
    },
}

pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    let app = bootstrap::app(&config).await?;
    let done = match command {
        Command::Add { slug, name } => tenants::add(&app, &slug, &name).await.map(|tenant| tenant.slug),
        Command::Suspend { slug } => tenants::suspend(&app, &slug).await.map(|()| slug),
        Command::Restore { slug } => tenants::restore(&app, &slug).await.map(|()| slug),
    };
    match done {
        Ok(slug) => super::print(format!("Done: {slug}.")),
        Err(Error::Conflict(_)) => bail!("a tenant of that slug is there already"),
        Err(Error::NotFound(_)) => bail!("there is no tenant of that slug"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn parse_slug(text: &str) -> Result<Slug, String> {
    text.parse().map_err(|problem: portico_domain::error::FieldProblem| problem.detail)
}
