//! `portico staff`: manages the staff users of a tenant.

use anyhow::{Result, bail};
use clap::{Subcommand, ValueEnum};
use portico_domain::{
    entity::staff_user,
    platform::{app::App, email_address::EmailAddress, error::Error, name::Name},
    tenancy::staff::{self, NewStaff},
};
use serde_json::json;

use super::print;
use crate::{bootstrap, config::Config};

/// The commands of `portico staff`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Adds a staff user and mails them where to sign in. Staff users sign in with a code that is sent to their
    /// address.
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
    /// Lists the staff users of a tenant.
    List {
        /// The slug of the tenant.
        #[arg(long)]
        tenant: String,
        /// Prints one JSON object for each staff user.
        #[arg(long)]
        json: bool,
    },
    /// Changes the role of a staff user. It takes effect at once.
    Role {
        /// The staff user's email address.
        #[arg(long, value_parser = super::parse_email)]
        email: EmailAddress,
        /// The new role.
        #[arg(long)]
        role: Role,
    },
    /// Removes a staff user: their sessions and API tokens end at once, and the address can be used again.
    Remove {
        /// The staff user's email address.
        #[arg(long, value_parser = super::parse_email)]
        email: EmailAddress,
    },
}

/// A role as an argument: [`staff_user::Role`].
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Role {
    /// Has every permission.
    Owner,
    /// Has every permission but to change staff users, service accounts and their tokens.
    Admin,
    /// Works with clients, their portal users and mails.
    Support,
    /// May read everything, and change nothing.
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
/// Returns an error if the process cannot start, if a staff user of any tenant has the address of a new one, if no
/// tenant has the slug, if no staff user has the address, or if the tenant would lose its last owner.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    match command {
        Command::Add { tenant, email, name, role } => {
            let new = NewStaff { email, name, role: role.into() };
            match staff::add(&bootstrap::app(&config).await?, &tenant, new).await {
                Ok(user) => print(format!("Added {}.", user.email)),
                Err(Error::ConflictBecause(_)) => bail!("a staff user with this address already exists"),
                Err(Error::NotFound(_)) => bail!("no tenant has this slug"),
                Err(error) => Err(error.into()),
            }
        }
        Command::List { tenant, json } => list(&bootstrap::app_for_reading(&config).await?, &tenant, json).await,
        Command::Role { email, role } => {
            let changed = staff::set_role(&bootstrap::app(&config).await?, email.as_str(), role.into()).await;
            let user = changed.map_err(|error| explain(error, &email))?;
            print(format!("{} has the role {}.", user.email, user.role.name()))
        }
        Command::Remove { email } => {
            let removed = staff::remove_by_email(&bootstrap::app(&config).await?, email.as_str()).await;
            let user = removed.map_err(|error| explain(error, &email))?;
            print(format!("Removed {}.", user.email))
        }
    }
}

/// Returns the error of a change of the staff user with this address, as a sentence.
fn explain(error: Error, email: &EmailAddress) -> anyhow::Error {
    match error {
        Error::NotFound(_) => anyhow::anyhow!("no staff user has the address {email}"),
        Error::Conflict("last_owner") => anyhow::anyhow!(
            "{email} is the last owner of the tenant; give another staff user the role owner first, \
             e.g. portico staff role --email other@example.com --role owner"
        ),
        error => error.into(),
    }
}

/// Prints the staff users of a tenant.
async fn list(app: &App, tenant: &str, json: bool) -> Result<()> {
    let users = match staff::list_of_tenant(app, tenant).await {
        Ok(users) => users,
        Err(Error::NotFound(_)) => bail!("no tenant has this slug"),
        Err(error) => return Err(error.into()),
    };
    for user in users {
        let status = if user.disabled_at.is_some() { "disabled" } else { "active" };
        if json {
            print(json!({
                "id": user.id,
                "email": user.email,
                "name": user.name,
                "role": user.role,
                "status": status,
                "last_sign_in_at": user.last_sign_in_at,
                "created_at": user.created_at,
            }))?;
        } else {
            let last = user.last_sign_in_at.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
            let last = last.as_deref().unwrap_or("never");
            print(format!("{}  {}  {status}  last sign-in {last}  {}", user.email, user.role.name(), user.name))?;
        }
    }
    Ok(())
}
