//! `portico staff`: who administers a tenant.

use anyhow::{Result, bail};
use clap::{Subcommand, ValueEnum};
use portico_domain::{
    email_address::EmailAddress,
    entity::staff_user,
    error::Error,
    name::Name,
    staff::{self, NewStaff},
};

use crate::{bootstrap, config::Config};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Adds a staff user, who then signs in by a mailed code.
    Add {
        /// The tenant's short name.
        #[arg(long)]
        tenant: String,
        /// Their address; it cannot be changed later.
        #[arg(long, value_parser = super::parse_email)]
        email: EmailAddress,
        /// What they are called.
        #[arg(long, value_parser = super::parse_name)]
        name: Option<Name>,
        /// What they may do.
        #[arg(long)]
        role: Role,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Role {
    Owner,
    Admin,
    Support,
    Viewer,
}

impl From<Role> for staff_user::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Support => Self::Support,
            Role::Viewer => Self::Viewer,
        }
    }
}

pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    let Command::Add { tenant, email, name, role } = command;
    let app = bootstrap::app(&config).await?;
    match staff::add(&app, &tenant, NewStaff { email, name, role: role.into() }).await {
        Ok(user) => super::print(format!("Added {}.", user.email)),
        Err(Error::Conflict(_)) => bail!("somebody of staff has that address already"),
        Err(Error::NotFound(_)) => bail!("there is no tenant of that slug"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
