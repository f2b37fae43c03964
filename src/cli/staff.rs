//! `portico staff`: manages the staff users of a tenant.

use anyhow::{Result, bail};
use clap::{Subcommand, ValueEnum};
use portico_domain::{
    entity::staff_user,
    platform::{email_address::EmailAddress, error::Error, name::Name},
    tenancy::staff::{self, NewStaff},
};

use crate::{bootstrap, config::Config};

/// The commands of `portico staff`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Adds a staff user. Staff users sign in with a code that is sent to their address.
    Add {
        /// The slug of the tenant.
        #[arg(long)]
        tenant: String,
        /// The staff user's email address. It cannot be changed later.
        #[arg(long, value_parser = super::parse_email)]
        email: EmailAddress,
        /// The staff user's name.
        #[arg(long, value_parser = super::parse_name)]
        name: Option<Name>,
        /// The role, which decides what the staff user may do.
        #[arg(long)]
        role: Role,
    },
}

/// A role as an argument: [`staff_user::Role`].
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Role {
    /// Has every permission.
    Owner,
    /// Has the same permissions as owner. No operation distinguishes them yet.
    Admin,
    /// Has the same permissions as owner. No operation distinguishes them yet.
    Support,
    /// May read everything that owner may read, and change nothing.
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

/// Runs a command of `portico staff`.
///
/// # Errors
/// Returns an error if the process cannot start, if a staff user of any tenant has the address, or if no tenant has the
/// slug.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    let Command::Add { tenant, email, name, role } = command;
    let app = bootstrap::app(&config).await?;
    match staff::add(&app, &tenant, NewStaff { email, name, role: role.into() }).await {
        Ok(user) => super::print(format!("Added {}.", user.email))?,
        Err(Error::Conflict(_)) => bail!("a staff user with this address already exists"),
        Err(Error::NotFound(_)) => bail!("no tenant has this slug"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
